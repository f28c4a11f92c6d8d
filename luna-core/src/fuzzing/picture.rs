//! What holds for every format of pictures: header and pixels agree, budgets are kept, and what is
//! missing is said.

use crate::decode::{Image, Samples, decode};
use crate::fuzzing::limits;
use crate::limits::Limits;
use crate::probe::{Flaw, Flaws, Format, probe};

/// Probes and decodes; bytes of another format are of no interest.
pub(super) fn check(bytes: &[u8], format: Format) {
    let limits = limits();
    let mut found = probe(bytes, &limits);
    if found.format != Some(format) {
        return;
    }
    let mut flaws = std::mem::take(&mut found.flaws);
    let image = decode(bytes, &found, &limits, &mut flaws);
    let deflated = found.dicom().is_some_and(|file| file.inflated);
    flaws_make_sense(&flaws, (!deflated).then_some(bytes.len()));
    let Some(image) = image else { return };
    assert!(found.over_budget(bytes.len() as u64, &limits).is_none(), "decoded beyond a budget");
    image_makes_sense(&image, &limits);
    // Pixel data that are shorter than rows and columns ask for are a matter of LD rules.
    if !image.is_complete() && format != Format::Dicom {
        assert!(!flaws.is_empty(), "a picture that stops early without a word");
    }
    let mut again = probe(bytes, &limits);
    let mut flaws_again = std::mem::take(&mut again.flaws);
    let other = decode(bytes, &again, &limits, &mut flaws_again);
    assert!(other.is_some_and(|other| same(&other, &image)), "two runs, two pictures");
    assert_eq!(flaws_again, flaws, "two runs, two lists of flaws");
}

/// Offsets lie in the file (of this many bytes; `None` where offsets are not the file's), rows in the
/// picture.
pub(super) fn flaws_make_sense(flaws: &Flaws, file: Option<usize>) {
    assert!(flaws.len() <= 1_000, "{} flaws", flaws.len());
    for flaw in flaws {
        let (offset, rows) = match flaw {
            Flaw::Truncated { offset, rows, .. } => (Some(*offset), *rows),
            Flaw::Decode { offset, rows, .. } => (*offset, *rows),
            Flaw::NoEndMarker { offset, .. } | Flaw::Checksum { offset, .. } => {
                (Some(*offset), None)
            }
            Flaw::Trailing { offset, bytes } => {
                let end = file.map(|file| file as u64);
                assert!(end.is_none_or(|end| offset.saturating_add(*bytes) <= end), "{flaw:?}");
                assert!(*bytes > 0, "{flaw:?}");
                (Some(*offset), None)
            }
            Flaw::OverBudget { allowed, seen, .. } => {
                assert!(seen > allowed, "{flaw:?}");
                (None, None)
            }
            Flaw::Panic => panic!("a panic was caught"),
            Flaw::Timeout { .. }
            | Flaw::Killed { .. }
            | Flaw::Unsupported { .. }
            | Flaw::ManyImages { .. } => (None, None),
        };
        if let (Some(offset), Some(file)) = (offset, file) {
            assert!(offset <= file as u64, "{flaw:?} in {file} bytes");
        }
        assert!(rows.is_none_or(|rows| rows.stopped <= rows.of), "{flaw:?}");
    }
}

fn image_makes_sense(image: &Image, limits: &Limits) {
    let shape = &image.geometry;
    let (there, all) = (image.samples.len() as u64, shape.samples());
    assert!(there == all || (there < all && !image.is_complete()), "{there} samples, {shape:?}");
    assert!(shape.over_budget(limits).is_none(), "{shape:?}");
    assert!(image.rows_decoded <= shape.height, "{} of {}", image.rows_decoded, shape.height);
    assert!(shape.bits_stored > 0 && shape.bits_stored <= shape.bits_allocated, "{shape:?}");
    assert!(!image.has_alpha || shape.channels > 1, "{shape:?}");
    let highest = match &image.samples {
        Samples::U8(samples) => samples.iter().max().map(|value| u64::from(*value)),
        Samples::U16(samples) => samples.iter().max().map(|value| u64::from(*value)),
        Samples::U32(samples) => samples.iter().max().map(|value| u64::from(*value)),
        Samples::I16(_) | Samples::I32(_) | Samples::F32(_) | Samples::F64(_) => None,
    };
    let most = u64::MAX >> 64_u32.saturating_sub(shape.bits_stored.into());
    let above = image.out_of_bits.above_bits_stored > 0;
    assert!(above || highest.is_none_or(|value| value <= most), "{highest:?} in {shape:?}");
}

/// Equality that takes two NaN of the same bits for one.
fn same(one: &Image, other: &Image) -> bool {
    let samples = match (&one.samples, &other.samples) {
        (Samples::F32(a), Samples::F32(b)) => {
            a.iter().map(|v| v.to_bits()).eq(b.iter().map(|v| v.to_bits()))
        }
        (Samples::F64(a), Samples::F64(b)) => {
            a.iter().map(|v| v.to_bits()).eq(b.iter().map(|v| v.to_bits()))
        }
        (a, b) => a == b,
    };
    samples && one.geometry == other.geometry && one.rows_decoded == other.rows_decoded
}
