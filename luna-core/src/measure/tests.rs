//! Measurements as a whole: the published test vectors, and what must hold for every picture.
#![expect(clippy::float_cmp, reason = "these numbers are exact")]

use proptest::prelude::*;
use serde_json::Value;

use super::{Measured, measure};
use crate::decode::{Display, Image, OutOfBits, Samples};
use crate::probe::Geometry;
use crate::record::Measurements;

/// A grey picture of one frame that is shown as it is stored.
fn grey(samples: Samples, width: u32, bits_stored: u8) -> Image {
    let (bits_allocated, signed) = match &samples {
        Samples::U8(_) => (8, false),
        Samples::U16(_) => (16, false),
        Samples::I16(_) => (16, true),
        Samples::U32(_) => (32, false),
        Samples::I32(_) | Samples::F32(_) => (32, true),
        Samples::F64(_) => (64, true),
    };
    let height = samples.len() as u32 / width;
    let geometry =
        Geometry { width, height, frames: 1, channels: 1, bits_allocated, bits_stored, signed };
    Image {
        geometry,
        samples,
        has_alpha: false,
        display: Display::AsStored,
        inverted: false,
        rows_decoded: height,
        out_of_bits: OutOfBits::default(),
    }
}

fn measured(image: &Image) -> Measured {
    measure(image).expect("a complete picture")
}

fn pixels(image: &Image) -> Option<String> {
    measured(image).fingerprints.pixels.map(|pixels| pixels.to_string())
}

fn case_image(case: &Value) -> Image {
    let number = |key: &str| case[key].as_u64().unwrap() as u32;
    let integers = || case["samples"].as_array().unwrap().iter().map(|v| v.as_i64().unwrap());
    let floats = || case["samples"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap());
    let samples = match case["type"].as_str().unwrap() {
        "u8" => Samples::U8(integers().map(|v| v as u8).collect()),
        "u16" => Samples::U16(integers().map(|v| v as u16).collect()),
        "i16" => Samples::I16(integers().map(|v| v as i16).collect()),
        "u32" => Samples::U32(integers().map(|v| v as u32).collect()),
        "i32" => Samples::I32(integers().map(|v| v as i32).collect()),
        "f32" => Samples::F32(floats().map(|v| v as f32).collect()),
        "f64" => Samples::F64(floats().collect()),
        other => panic!("unknown type {other}"),
    };
    let mut image = grey(samples, number("width"), number("bits") as u8);
    image.geometry.height = number("height");
    image.geometry.frames = number("frames");
    image.geometry.channels = number("channels") as u8;
    image.has_alpha = case["has_alpha"].as_bool().unwrap();
    image.rows_decoded = image.geometry.height;
    image
}

#[test]
fn fingerprints_equal_those_of_the_independent_script() {
    let vectors = include_str!("../../../fixtures/pixel-fingerprints.json");
    let cases: Vec<Value> = serde_json::from_str(vectors).unwrap();
    assert!(cases.len() >= 20);
    for case in &cases {
        let expected = case["fingerprint"].as_str().map(str::to_owned);
        assert_eq!(pixels(&case_image(case)), expected, "{}", case["name"]);
    }
}

#[test]
fn a_ramp_has_the_measurements_of_a_ramp() {
    let ramp = grey(Samples::U8((0..=255).collect()), 16, 8);
    let Measurements { min, max, mean, std, p01, p50, p99, entropy_bits, .. } =
        measured(&ramp).measurements;
    assert_eq!([min, max, mean, p01, p50, p99], [0.0, 255.0, 127.5, 2.0, 127.0, 253.0]);
    assert!((std - 73.900_2).abs() < 1e-3);
    assert!((entropy_bits - 8.0).abs() < 1e-12);
    let rest = measured(&ramp).measurements;
    assert_eq!(
        [rest.clipped_low, rest.clipped_high, rest.sharpness],
        [1.0 / 256.0, 1.0 / 256.0, 0.0]
    );
    assert_eq!(rest.distinct_values, 256);
}

#[test]
fn a_stored_number_that_is_not_finite_takes_no_part() {
    let image = grey(Samples::F32(vec![1.0, f32::NAN, f32::INFINITY, 3.0]), 2, 32);
    let measurements = measured(&image).measurements;
    assert_eq!([measurements.min, measurements.max, measurements.mean], [1.0, 3.0, 2.0]);
    assert!(measure(&grey(Samples::F32(vec![f32::NAN; 4]), 2, 32)).is_none());
}

#[test]
fn nothing_is_measured_of_a_picture_that_stops_early() {
    let mut image = grey(Samples::U8((0..=255).collect()), 16, 8);
    image.rows_decoded = 15;
    assert!(measure(&image).is_none());
    let empty = grey(Samples::U8(Vec::new()), 1, 8);
    assert!(measure(&empty).is_none());
}

#[test]
fn first_middle_and_last_frame_are_shown() {
    let mut image = grey(Samples::U8((0..=255).collect()), 4, 8);
    image.geometry.height = 8;
    image.geometry.frames = 8;
    image.rows_decoded = 8;
    let frames: Vec<u32> = measured(&image).pictures.iter().map(|it| it.frame).collect();
    assert_eq!(frames, [0, 4, 7]);
    image.geometry.height = 64;
    image.geometry.frames = 1;
    image.rows_decoded = 64;
    assert_eq!(measured(&image).pictures.len(), 1);
}

#[test]
fn alpha_takes_no_part_in_measurements() {
    let mut image = grey(Samples::U8(vec![10, 0, 20, 255, 30, 7, 40, 9]), 2, 8);
    image.geometry.channels = 2;
    image.geometry.height = 2;
    image.rows_decoded = 2;
    image.has_alpha = true;
    let measurements = measured(&image).measurements;
    assert_eq!([measurements.min, measurements.max, measurements.mean], [10.0, 40.0, 25.0]);
}

#[test]
fn colour_is_shown_by_its_luma_and_palettes_by_their_colours() {
    let mut image = grey(Samples::U8(vec![255, 0, 0, 0, 0, 255]), 2, 8);
    image.geometry.channels = 3;
    image.geometry.height = 1;
    image.rows_decoded = 1;
    assert_eq!(measured(&image).pictures[0].grey.values, [76, 29]);
    let mut indexed = grey(Samples::U8(vec![1, 0, 9]), 3, 8);
    indexed.display = Display::Palette(vec![[0, 0, 0], [255, 255, 255]]);
    assert_eq!(measured(&indexed).pictures[0].grey.values, [255, 0, 255]);
}

#[test]
fn monochrome1_is_shown_as_its_monochrome2_twin() {
    let values: Vec<u16> = (0..4_096).map(|v| (v * 7) % 4_096).collect();
    let window = Display::Window { slope: 1.0, intercept: 0.0, center: 2_048.0, width: 4_096.0 };
    let mut plain = grey(Samples::U16(values.clone()), 64, 12);
    plain.display = window;
    let mut inverted = plain.clone();
    inverted.samples = Samples::U16(values.iter().map(|v| 4_095 - v).collect());
    inverted.inverted = true;
    let [plain, inverted] = [measured(&plain), measured(&inverted)];
    let pairs = plain.pictures[0].grey.values.iter().zip(&inverted.pictures[0].grey.values);
    assert!(pairs.into_iter().all(|(a, b)| a.abs_diff(*b) <= 1));
    assert_eq!(plain.fingerprints.pixels, inverted.fingerprints.pixels);
}

/// Numbers that must agree between sample types; clipping depends on the depth.
fn comparable(image: &Image) -> Measurements {
    Measurements { clipped_low: 0.0, clipped_high: 0.0, ..measured(image).measurements }
}

fn values() -> impl Strategy<Value = (u32, Vec<u8>)> {
    (1_u32..12, 1_u32..12).prop_flat_map(|(width, height)| {
        (Just(width), prop::collection::vec(any::<u8>(), (width * height) as usize))
    })
}

proptest! {
    #[test]
    fn measurements_keep_their_bounds((width, values) in values()) {
        let it = measured(&grey(Samples::U8(values.clone()), width, 8)).measurements;
        prop_assert!(it.min <= it.p01 && it.p01 <= it.p50 && it.p50 <= it.p99 && it.p99 <= it.max);
        prop_assert!(it.min <= it.mean && it.mean <= it.max && it.std <= (it.max - it.min) / 2.0 + 1e-9);
        prop_assert!((0.0..=8.0).contains(&it.entropy_bits));
        prop_assert!((0.0..=1.0).contains(&it.clipped_low) && (0.0..=1.0).contains(&it.clipped_high));
        prop_assert!((1..=256).contains(&it.distinct_values));
        prop_assert!((0.0..=4.0 * 255.0).contains(&it.sharpness));
    }

    #[test]
    fn all_types_measure_the_same_values_alike((width, values) in values()) {
        let eight = grey(Samples::U8(values.clone()), width, 8);
        let others = [
            grey(Samples::U16(values.iter().map(|v| u16::from(*v)).collect()), width, 16),
            grey(Samples::I16(values.iter().map(|v| i16::from(*v)).collect()), width, 16),
            grey(Samples::U32(values.iter().map(|v| u32::from(*v)).collect()), width, 32),
            grey(Samples::I32(values.iter().map(|v| i32::from(*v)).collect()), width, 32),
            grey(Samples::F32(values.iter().map(|v| f32::from(*v)).collect()), width, 32),
            grey(Samples::F64(values.iter().map(|v| f64::from(*v)).collect()), width, 64),
        ];
        for other in &others {
            prop_assert_eq!(comparable(&eight), comparable(other));
            prop_assert_eq!(pixels(&eight), pixels(other));
        }
    }

    #[test]
    fn shift_scale_and_inversion_leave_the_fingerprint(
        (width, values) in values(), scale in 1_u16..250, shift in 0_u16..1_000,
    ) {
        let eight = grey(Samples::U8(values.clone()), width, 8);
        let scaled: Vec<u16> = values.iter().map(|v| u16::from(*v) * scale + shift).collect();
        let inverted: Vec<u16> = scaled.iter().map(|v| u16::MAX - v).collect();
        prop_assert_eq!(pixels(&eight), pixels(&grey(Samples::U16(scaled), width, 16)));
        prop_assert_eq!(pixels(&eight), pixels(&grey(Samples::U16(inverted), width, 16)));
    }

    #[test]
    fn one_changed_sample_changes_the_fingerprint(
        (width, values) in values(), at in any::<prop::sample::Index>(),
    ) {
        // Both ends of the range are held, so that offset and scale stay.
        let mut values = values;
        values.extend(std::iter::repeat_n(0, width as usize));
        values.extend(std::iter::repeat_n(255, width as usize));
        values.extend(std::iter::repeat_n(1, width as usize));
        let mut other = values.clone();
        let at = at.index(values.len() - 3 * width as usize);
        other[at] ^= 1;
        prop_assert_ne!(
            pixels(&grey(Samples::U8(values), width, 8)),
            pixels(&grey(Samples::U8(other), width, 8))
        );
    }

    #[test]
    fn grey_stored_three_times_measures_as_grey((width, values) in values()) {
        let once = grey(Samples::U8(values.clone()), width, 8);
        let mut thrice = once.clone();
        thrice.geometry.channels = 3;
        thrice.samples = Samples::U8(values.iter().flat_map(|v| [*v; 3]).collect());
        prop_assert_eq!(measured(&once).measurements, measured(&thrice).measurements);
        prop_assert_eq!(measured(&once).fingerprints, measured(&thrice).fingerprints);
        prop_assert_eq!(measured(&once).descriptor, measured(&thrice).descriptor);
    }

    #[test]
    fn a_small_picture_is_shown_pixel_by_pixel((width, values) in values()) {
        let it = measured(&grey(Samples::U8(values.clone()), width, 8));
        prop_assert_eq!(&it.pictures[0].grey.values, &values);
        prop_assert_eq!(it.pictures[0].histogram.total(), values.len() as u64);
        prop_assert_eq!(it.descriptor.len(), 32 * 32);
    }
}
