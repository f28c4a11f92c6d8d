//! Processes beside 8-bit DCT, and every arrangement of components, by the fixtures' own encoder.

use luna_fixtures::write::jpeg::own::{Coding, Component, Process, encode as encode_own};
use proptest::prelude::*;

use super::*;
use crate::probe::Rows;

/// A smooth component with noise in its lowest bits, at the resolution that its factors give it.
fn component(id: u8, factors: (u8, u8), most: (u8, u8), bits: u8) -> Component {
    let size = |side: u16, own: u8, most: u8| {
        (usize::from(side) * usize::from(own)).div_ceil(usize::from(most))
    };
    let (width, height) = (size(SIZE.0, factors.0, most.0), size(SIZE.1, factors.1, most.1));
    let top = f64::from((1_u32 << bits) - 1);
    let mut noise = u32::from(id);
    let sample = |at: usize| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let slope = (at % width) as f64 / width as f64 * 0.6 + (at / width) as f64 / 300.0;
        (((slope + f64::from(noise >> 24) / 4_096.0) * top) as u16).min(top as u16)
    };
    Component { id, factors, width, samples: (0..width * height).map(sample).collect() }
}

fn components(count: u8, bits: u8) -> Vec<Component> {
    (1..=count).map(|id| component(id, (1, 1), (1, 1), bits)).collect()
}

const LOSSLESS: Coding = Coding {
    process: Process::Lossless { predictor: 1, low: 0 },
    precision: 16,
    restart: 0,
    interleaved: true,
};

fn values(image: &Image) -> Vec<u16> {
    match &image.samples {
        Samples::U8(values) => values.iter().map(|value| u16::from(*value)).collect(),
        Samples::U16(values) => values.clone(),
        _ => panic!("neither 8 nor 16 bits"),
    }
}

fn woven(components: &[Component]) -> Vec<u16> {
    let count = components[0].samples.len();
    (0..count).flat_map(|at| components.iter().map(move |own| own.samples[at])).collect()
}

#[test]
fn lossless_samples_are_what_was_coded() {
    for precision in 2..=16 {
        for predictor in 1..=7 {
            // Restarts after whole rows, by several at once.
            for (count, rows, interleaved) in
                [(1, 0, true), (1, 5, true), (3, 0, true), (3, 1, false), (3, 2, true)]
            {
                let parts = components(count, precision);
                let process = Process::Lossless { predictor, low: 0 };
                let coding = Coding { process, precision, restart: rows * SIZE.0, interleaved };
                let (flaws, image) = examine(&encode_own(&parts, SIZE, coding));
                assert_eq!(flaws, [], "{coding:?}");
                let image = image.unwrap();
                assert_eq!(
                    (image.geometry.bits_stored, image.geometry.channels),
                    (precision, count)
                );
                assert_eq!(matches!(image.samples, Samples::U8(_)), precision <= 8);
                assert!(values(&image) == woven(&parts), "{coding:?}");
            }
        }
    }
}

#[test]
fn bits_that_a_lossless_scan_leaves_away_are_zero() {
    let parts = components(1, 12);
    let process = Process::Lossless { predictor: 4, low: 3 };
    let coding = Coding { process, precision: 12, ..LOSSLESS };
    let (flaws, image) = examine(&encode_own(&parts, SIZE, coding));
    assert_eq!(flaws, []);
    assert!(values(&image.unwrap()).iter().zip(&parts[0].samples).all(|(a, b)| *a == b & !7));
}

#[test]
fn the_largest_difference_of_sixteen_bits_has_no_bits_of_its_own() {
    let samples = (0..SIZE.0 * SIZE.1).map(|at| if at % 2 == 0 { 0 } else { 0x8000 }).collect();
    let part = Component { id: 1, factors: (1, 1), width: SIZE.0.into(), samples };
    let (flaws, image) = examine(&encode_own(std::slice::from_ref(&part), SIZE, LOSSLESS));
    assert_eq!(flaws, []);
    assert!(values(&image.unwrap()) == part.samples);
}

#[test]
fn a_cut_lossless_picture_keeps_its_whole_rows() {
    let parts = components(1, 12);
    let bytes = encode_own(&parts, SIZE, Coding { precision: 12, ..LOSSLESS });
    let scan = last_scan(&bytes);
    for percent in [1, 10, 50, 90, 99] {
        let cut = scan.start + scan.len() * percent / 100;
        let (flaws, image) = examine(&bytes[..cut]);
        let [Flaw::Truncated { what, offset, rows: Some(Rows { stopped, of }), .. }] =
            flaws.as_slice()
        else {
            panic!("{flaws:?}");
        };
        assert_eq!((what.as_str(), *offset, *of), ("scan", cut as u64, SIZE.1.into()));
        let share = usize::from(SIZE.1) * percent / 100;
        assert!((*stopped as usize).abs_diff(share) < 8, "{stopped} of {of} at {percent} %");
        let Some(image) = image else { continue };
        let certain = *stopped as usize * usize::from(SIZE.0);
        assert_eq!(image.rows_decoded, *stopped);
        assert!(values(&image)[..certain] == parts[0].samples[..certain]);
    }
    let (flaws, image) = examine(&bytes[..scan.end]);
    assert!(matches!(flaws.as_slice(), [Flaw::NoEndMarker { .. }]), "{flaws:?}");
    assert!(values(&image.unwrap()) == parts[0].samples);
}

#[test]
fn restarts_within_the_rows_of_a_lossless_scan_are_refused() {
    let coding = Coding { restart: SIZE.0 + 1, precision: 12, ..LOSSLESS };
    let (flaws, image) = examine(&encode_own(&components(1, 12), SIZE, coding));
    let [Flaw::Decode { reason, offset: Some(_), .. }] = flaws.as_slice() else {
        panic!("{flaws:?}");
    };
    assert_eq!(reason, fault::Fault::Interval.reason());
    assert_eq!(image.map(|image| image.rows_decoded), Some(1));
}

#[test]
fn twelve_bits_of_a_sequential_dct_come_out_close_and_at_their_depth() {
    for (count, restart, interleaved) in [(1, 0, true), (1, 9, true), (3, 4, true), (3, 0, false)] {
        // Without luma and chroma.
        let mut parts = components(count, 12);
        if count == 3 {
            parts.iter_mut().zip(*b"RGB").for_each(|(part, id)| part.id = id);
        }
        let process = Process::Sequential { step: 2 };
        let coding = Coding { process, precision: 12, restart, interleaved };
        let bytes = encode_own(&parts, SIZE, coding);
        let (flaws, image) = examine(&bytes);
        assert_eq!(flaws, [], "{coding:?}");
        let image = image.unwrap();
        assert_eq!((image.geometry.bits_allocated, image.geometry.bits_stored), (16, 12));
        assert_eq!(image.display, Display::Percentiles);
        let worst = values(&image).iter().zip(woven(&parts)).map(|(a, b)| a.abs_diff(b)).max();
        assert!(worst <= Some(6), "{coding:?}: off by {worst:?}");
        let frame = decode_frame(&bytes, &Limits::default(), &mut Flaws::new()).unwrap();
        let words: Vec<u16> =
            frame.samples.as_chunks().0.iter().map(|own| u16::from_le_bytes(*own)).collect();
        assert!(words == values(&image));
    }
}

#[test]
fn progressive_samples_of_twelve_bits_are_those_of_the_same_coefficients_in_sequence() {
    for colour in [false, true] {
        let [sequential, progressive] = [false, true].map(|progressive| {
            let mut bytes = encode(Recipe { colour, progressive, ..GREY });
            let sof =
                bytes.windows(2).position(|pair| matches!(pair, [0xFF, 0xC0..=0xC2])).unwrap();
            bytes[sof + 1] = if progressive { 0xC2 } else { 0xC1 };
            bytes[sof + 4] = 12;
            let (flaws, image) = examine(&bytes);
            assert_eq!(flaws, []);
            image.unwrap()
        });
        assert_eq!(sequential.geometry.bits_stored, 12);
        assert!(sequential == progressive);
    }
}

/// Three components with these factors.
fn sampled(factors: [(u8, u8); 3], bits: u8) -> Vec<Component> {
    let most = factors.iter().fold((1, 1), |most, own| (own.0.max(most.0), own.1.max(most.1)));
    (1..).zip(factors).map(|(id, own)| component(id, own, most, bits)).collect()
}

fn any_factors() -> impl Strategy<Value = [(u8, u8); 3]> {
    proptest::array::uniform3((1..=4_u8, 1..=4_u8))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn components_of_any_resolution_lie_where_they_belong(
        factors in any_factors(),
        interleaved: bool,
        lossless: bool,
    ) {
        let blocks: u8 = factors.iter().map(|own| own.0 * own.1).sum();
        let interleaved = interleaved && blocks <= 10;
        let parts = sampled(factors, 8);
        let process = if lossless {
            Process::Lossless { predictor: 7, low: 0 }
        } else {
            Process::Sequential { step: 1 }
        };
        let coding = Coding { process, precision: 8, restart: 0, interleaved };
        let bytes = encode_own(&parts, SIZE, coding);
        let mut flaws = Flaws::new();
        let frame = decode_frame(&bytes, &Limits::default(), &mut flaws);
        prop_assert_eq!(flaws.as_slice(), []);
        let frame = frame.unwrap();
        let most = factors.iter().fold((1, 1), |most, own| (own.0.max(most.0), own.1.max(most.1)));
        for (index, part) in parts.iter().enumerate() {
            for (at, pixel) in frame.samples.chunks(3).enumerate() {
                let (x, y) = (at % usize::from(SIZE.0), at / usize::from(SIZE.0));
                let scaled = |at: usize, own: u8, most: u8| at * usize::from(own) / usize::from(most);
                let column = scaled(x, part.factors.0, most.0);
                let row = scaled(y, part.factors.1, most.1);
                let own = part.samples[row * part.width + column];
                // What is interpolated lies between neighbours, which differ by noise and slope.
                let near = if lossless || part.factors == most { 2 - u16::from(lossless) * 2 } else { 32 };
                prop_assert!(own.abs_diff(pixel[index].into()) <= near, "{} at {}, {}", index, x, y);
            }
        }
    }

    #[test]
    fn mutated_lossless_and_deep_files_never_panic(
        lossless: bool,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        kept in any::<prop::sample::Index>(),
        cut: bool,
    ) {
        let process = if lossless { LOSSLESS.process } else { Process::Sequential { step: 9 } };
        let coding = Coding { process, precision: 12, restart: SIZE.0, interleaved: true };
        let mut bytes = encode_own(&components(1, 12), SIZE, coding);
        for (place, value) in changes {
            // Half of the changes among the headers.
            let at = place.index(bytes.len());
            let at = if value % 2 == 0 { at % 300 } else { at };
            bytes[at] = value;
        }
        if cut {
            bytes.truncate(kept.index(bytes.len()));
        }
        let limits = Limits { decoded_bytes: 1 << 22, ..Limits::default() };
        let found = probe(&bytes, &limits);
        let mut flaws = found.flaws.clone();
        if let Some(image) = super::super::super::decode(&bytes, &found, &limits, &mut flaws) {
            prop_assert_eq!(image.samples.len() as u64, image.geometry.samples());
            prop_assert!(image.is_complete() || !flaws.is_empty());
        }
        decode_frame(&bytes, &limits, &mut Flaws::new());
    }
}
