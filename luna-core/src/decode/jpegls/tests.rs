//! Streams of the fixtures' own encoder, whole, cut and changed.

use luna_fixtures::picture::Picture;
use luna_fixtures::write::jpegls::{Options, encode};

use super::*;

/// Waves, flat areas and noise, so that all modes are used.
fn picture(width: usize, height: usize, channels: usize, bits: u32) -> Picture {
    let max = u32::MAX >> (32 - bits);
    let mut state = 1_u32;
    let sample = |at: usize| {
        let (pixel, channel) = (at / channels, at % channels);
        let (x, y) = (pixel % width, pixel / width);
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (state >> 16) as f64 / 65_536.0;
        let value = match (x / 16 + y / 16) % 4 {
            0 => 0.25,
            1 => (x + 2 * y + 3 * channel) as f64 / (width + 2 * height) as f64,
            2 => noise,
            _ => 0.5 + 0.02 * noise,
        };
        (value * f64::from(max)) as u32 & max
    };
    let frame = (0..width * height * channels).map(sample).collect();
    Picture { width, height, channels, bits, frames: vec![frame], pitch_mm: 1.0 }
}

fn numbers(samples: &Samples) -> Vec<u32> {
    match samples {
        Samples::U8(values) => values.iter().map(|value| u32::from(*value)).collect(),
        Samples::U16(values) => values.iter().map(|value| u32::from(*value)).collect(),
        _ => panic!("another type"),
    }
}

fn decoded(bytes: &[u8]) -> (Option<Picture2>, Flaws) {
    let mut flaws = Flaws::new();
    let found = decode(bytes, &mut flaws);
    (found.map(|found| Picture2 { rows: found.rows, samples: numbers(&found.samples) }), flaws)
}

struct Picture2 {
    rows: u32,
    samples: Vec<u32>,
}

fn comes_back(source: &Picture, options: Options) {
    let bytes = encode(source, 0, options).unwrap();
    let (found, flaws) = decoded(&bytes);
    let what = format!("{} bits, {} channels, {options:?}", source.bits, source.channels);
    assert_eq!(flaws, [], "{what}");
    let found = found.unwrap();
    assert_eq!(found.rows as usize, source.height, "{what}");
    let most = found.samples.iter().zip(&source.frames[0]).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(most.unwrap() <= u32::from(options.near), "{what}: off by {most:?}");
}

#[test]
fn every_depth_comes_back() {
    for bits in 2..=16 {
        comes_back(&picture(61, 37, 1, bits), Options::default());
    }
}

#[test]
fn components_come_back_in_any_order() {
    for interleave in 0..=2 {
        for (bits, near) in [(8, 0), (12, 0), (8, 2), (16, 5)] {
            let options = Options { near, interleave, ..Options::default() };
            comes_back(&picture(45, 33, 3, bits), options);
        }
    }
}

#[test]
fn errors_stay_within_near() {
    for (bits, near) in [(8, 1), (8, 3), (12, 4), (16, 100), (2, 1)] {
        comes_back(&picture(50, 40, 1, bits), Options { near, ..Options::default() });
    }
}

#[test]
fn restart_markers_and_presets_are_obeyed() {
    for interleave in 0..=2 {
        let options = Options { interleave, restart: 5, ..Options::default() };
        comes_back(&picture(40, 52, 3, 10), options);
    }
    let presets = Some([4_000, 20, 60, 200, 31]);
    let mut small = picture(40, 40, 1, 12);
    small.frames[0].iter_mut().for_each(|value| *value = (*value).min(4_000));
    comes_back(&small, Options { presets, ..Options::default() });
    comes_back(&small, Options { presets, near: 3, ..Options::default() });
}

#[test]
fn a_single_row_or_column_comes_back() {
    for (width, height) in [(1, 1), (1, 9), (9, 1), (2, 2)] {
        comes_back(&picture(width, height, 1, 12), Options::default());
    }
}

#[test]
fn a_cut_stream_tells_the_row_and_keeps_those_before_it() {
    let source = picture(64, 64, 1, 12);
    let whole = encode(&source, 0, Options::default()).unwrap();
    for percent in [10, 50, 90, 99] {
        let cut = &whole[..whole.len() * percent / 100];
        let (found, flaws) = decoded(cut);
        let [Flaw::Truncated { offset, rows: Some(rows), .. }] = &flaws[..] else {
            panic!("{percent} %: {flaws:?}");
        };
        assert_eq!((*offset, rows.of), (cut.len() as u64, 64));
        let expected = source.frames[0].iter().take(rows.stopped as usize * 64);
        match found {
            Some(found) => {
                assert_eq!(found.rows, rows.stopped);
                assert!(found.samples.iter().zip(expected).all(|(ours, own)| ours == own));
            }
            None => assert_eq!(rows.stopped, 0),
        }
    }
}

#[test]
fn a_missing_end_marker_is_told_apart() {
    let whole = encode(&picture(20, 20, 1, 8), 0, Options::default()).unwrap();
    for cut in [1, 2] {
        let bytes = &whole[..whole.len() - cut];
        let (found, flaws) = decoded(bytes);
        let offset = whole.len() as u64 - 2;
        assert_eq!(flaws, [Flaw::NoEndMarker { what: "EOI", offset }], "{cut}");
        assert_eq!(found.unwrap().rows, 20);
    }
    let padded = [&whole[..whole.len() - 2], &[0; 6]].concat();
    let (_, flaws) = decoded(&padded);
    assert!(!flaws.is_empty());
}

#[test]
fn bytes_after_the_end_are_found() {
    let whole = encode(&picture(20, 20, 1, 8), 0, Options::default()).unwrap();
    let offset = whole.len() as u64;
    let (_, flaws) = decoded(&[&whole[..], b"more"].concat());
    assert_eq!(flaws, [Flaw::Trailing { offset, bytes: 4 }]);
}

#[test]
fn a_cut_in_the_middle_is_found() {
    let source = picture(64, 64, 1, 12);
    let mut bytes = encode(&source, 0, Options::default()).unwrap();
    let middle = bytes.len() / 2;
    bytes.drain(middle..middle + 200);
    let (_, flaws) = decoded(&bytes);
    assert!(!flaws.is_empty());
}

#[test]
fn what_is_not_read_is_named() {
    let mut bytes = encode(&picture(20, 20, 1, 8), 0, Options::default()).unwrap();
    // The point transform of the scan header.
    let scan = bytes.windows(2).position(|pair| pair == [0xFF, 0xDA]).unwrap();
    bytes[scan + 9] = 1;
    let (found, flaws) = decoded(&bytes);
    assert!(found.is_none());
    let encoding = "JPEG-LS with a point transform".to_owned();
    assert_eq!(flaws, [Flaw::Unsupported { encoding }]);
}

proptest::proptest! {
    #[test]
    fn changed_bytes_do_no_harm(changes in proptest::collection::vec((0..4_000_usize, 0..=255_u8), 1..8), interleave in 0..=2_u8) {
        let options = Options { interleave, restart: u16::from(interleave) * 3, ..Options::default() };
        let mut bytes = encode(&picture(24, 24, 3, 8), 0, options).unwrap();
        let length = bytes.len();
        for (at, value) in changes {
            // The size stays: the caller has checked it against the budget.
            if !(4..20).contains(&(at % length)) {
                bytes[at % length] = value;
            }
        }
        decoded(&bytes);
    }
}
