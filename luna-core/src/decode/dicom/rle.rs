//! RLE Lossless (PS3.5, annex G): one PackBits segment a byte plane, the most significant byte of a
//! sample first. A fragment in, a frame of native little endian bytes out.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::dicom::PixelDescription;
use crate::dicom::codestream::rle_segments;

/// A frame as native bytes, samples interleaved, and how many of its pixels are there.
#[derive(Debug)]
pub(super) struct Plane {
    pub(super) bytes: Vec<u8>,
    pub(super) pixels: usize,
    /// A segment codes more than its plane holds.
    pub(super) overlong: bool,
}

/// Decodes a frame; `None` if its header does not fit the description.
pub(super) fn frame(fragment: &[u8], pixels: &PixelDescription) -> Option<Plane> {
    let segments = rle_segments(fragment)?;
    let width = usize::from(pixels.bits_allocated.checked_div(8)?);
    let samples = usize::from(pixels.samples);
    let stride = width.checked_mul(samples)?;
    if segments.len() != stride || width == 0 {
        return None;
    }
    let count = usize::try_from(u64::from(pixels.rows).checked_mul(pixels.columns.into())?).ok()?;
    let mut bytes = vec![0; count.checked_mul(stride)?];
    let mut found = Plane { bytes: Vec::new(), pixels: count, overlong: false };
    for (at, segment) in segments.into_iter().enumerate() {
        let (sample, significance) = (at.checked_div(width)?, at.checked_rem(width)?);
        // The first segment of a sample is its highest byte; native order has that last.
        let low_first = width.checked_sub(significance)?.checked_sub(1)?;
        let offset = sample.checked_mul(width)?.checked_add(low_first)?;
        let mut out = bytes.get_mut(offset..)?.iter_mut().step_by(stride);
        let unpacked = unpack(fragment.get(segment)?, count, &mut out);
        found.pixels = found.pixels.min(unpacked.written);
        found.overlong |= unpacked.overlong;
    }
    found.bytes = bytes;
    Some(found)
}

struct Unpacked {
    written: usize,
    overlong: bool,
}

/// Unpacks a segment of `count` bytes into every place of `out`.
fn unpack<'a>(
    segment: &[u8],
    count: usize,
    out: &mut impl Iterator<Item = &'a mut u8>,
) -> Unpacked {
    let mut left = count;
    let mut rest = segment;
    while left > 0 {
        let Some((control, after)) = rest.split_first() else { break };
        let (run, next): (Run<'_>, &[u8]) = match *control {
            literal @ 0..=127 => {
                let length = usize::from(literal).saturating_add(1);
                let (bytes, next) = after.split_at(length.min(after.len()));
                (Run::Literal(bytes), next)
            }
            128 => (Run::Literal(&[]), after),
            repeat => match after.split_first() {
                Some((byte, next)) => {
                    (Run::Repeat(*byte, 257_usize.saturating_sub(repeat.into())), next)
                }
                None => break,
            },
        };
        rest = next;
        let length = run.len();
        if length > left {
            run.write(left, out);
            return Unpacked { written: count, overlong: true };
        }
        run.write(length, out);
        left = left.saturating_sub(length);
    }
    Unpacked { written: count.saturating_sub(left), overlong: false }
}

enum Run<'a> {
    Literal(&'a [u8]),
    Repeat(u8, usize),
}

impl Run<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Literal(bytes) => bytes.len(),
            Self::Repeat(_, length) => *length,
        }
    }

    fn write<'a>(&self, length: usize, out: &mut impl Iterator<Item = &'a mut u8>) {
        match self {
            Self::Literal(bytes) => {
                for (byte, place) in bytes.iter().take(length).zip(out) {
                    *place = *byte;
                }
            }
            Self::Repeat(byte, _) => {
                for place in out.take(length) {
                    *place = *byte;
                }
            }
        }
    }
}
