//! Pictures coded in every way, then damaged: synthetic ones here, real ones in `real`.
#![expect(clippy::arithmetic_side_effects, reason = "numbers of the tests' own making")]

mod damage;
mod real;

use super::*;
use crate::probe::probe;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// Width and height of synthetic pictures: no multiple of any MCU.
const SIZE: (u16, u16) = (149, 107);

/// How a synthetic picture is coded.
#[derive(Clone, Copy, Debug)]
struct Recipe {
    colour: bool,
    sampling: SamplingFactor,
    progressive: bool,
    restart: u16,
    optimised: bool,
}

const GREY: Recipe = Recipe {
    colour: false,
    sampling: SamplingFactor::F_1_1,
    progressive: false,
    restart: 0,
    optimised: false,
};

/// A smooth picture in RGB, with a little noise that does not compress.
fn picture(colour: bool) -> Vec<u8> {
    let (width, height) = (u32::from(SIZE.0), u32::from(SIZE.1));
    let mut noise = 1_u32;
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grey = (x + y) * 200 / (width + height) + (noise >> 29);
            let red = if colour { grey + x * 40 / width } else { grey };
            let blue = if colour { grey + y * 40 / height } else { grey };
            pixels.extend([red as u8, grey as u8, blue as u8]);
        }
    }
    pixels
}

fn encode(recipe: Recipe) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 92);
    encoder.set_sampling_factor(recipe.sampling);
    encoder.set_progressive(recipe.progressive);
    encoder.set_optimized_huffman_tables(recipe.optimised);
    if recipe.restart > 0 {
        encoder.set_restart_interval(recipe.restart);
    }
    let rgb = picture(recipe.colour);
    if recipe.colour {
        encoder.encode(&rgb, SIZE.0, SIZE.1, ColorType::Rgb).unwrap();
    } else {
        let grey: Vec<u8> = rgb.chunks(3).map(|pixel| pixel[0]).collect();
        encoder.encode(&grey, SIZE.0, SIZE.1, ColorType::Luma).unwrap();
    }
    bytes
}

/// Grey and colour, every sampling, sequential and progressive, with and without restarts.
fn recipes() -> Vec<Recipe> {
    use SamplingFactor as S;
    let mut all = Vec::new();
    for sampling in [S::F_1_1, S::F_2_1, S::F_1_2, S::F_2_2, S::F_4_1, S::F_4_2, S::F_1_4, S::F_2_4]
    {
        for progressive in [false, true] {
            for (restart, optimised) in [(0, false), (0, true), (7, false)] {
                all.push(Recipe { colour: true, sampling, progressive, restart, optimised });
                if sampling == S::F_1_1 {
                    all.push(Recipe { progressive, restart, optimised, ..GREY });
                }
            }
        }
    }
    all
}

fn examine(bytes: &[u8]) -> (Flaws, Option<Image>) {
    let limits = Limits::default();
    let found = probe(bytes, &limits);
    let mut flaws = found.flaws.clone();
    let image = super::super::decode(bytes, &found, &limits, &mut flaws);
    (flaws, image)
}

/// Flaws of the segments and the coded data; no pixel is made.
fn walk(bytes: &[u8]) -> Flaws {
    let mut flaws = Flaws::new();
    let header = jpeg::read(bytes, &Limits::default(), &mut flaws);
    coded::check(bytes, &header, &mut flaws);
    flaws
}

/// Where the data of the last scan lie.
fn last_scan(bytes: &[u8]) -> std::ops::Range<usize> {
    let header = jpeg::read(bytes, &Limits::default(), &mut Flaws::new());
    header.scans().last().unwrap().data.clone()
}

fn samples(image: &Image) -> &[u8] {
    let Samples::U8(samples) = &image.samples else { panic!("not 8 bits") };
    samples
}

/// The sampling factors in the SOF segment, which the encoder writes first among its kind.
fn factors(bytes: &mut [u8]) -> &mut u8 {
    let sof = bytes.windows(2).position(|pair| matches!(pair, [0xFF, 0xC0..=0xC2])).unwrap();
    &mut bytes[sof + 11]
}

#[test]
fn every_common_way_to_code_a_picture_is_walked_to_its_end_and_looks_like_the_picture() {
    let mut drawn = 0;
    for recipe in recipes() {
        let (flaws, image) = examine(&encode(recipe));
        if let [Flaw::Unsupported { encoding }] = flaws.as_slice() {
            assert!(encoding.contains("with sampling factors"), "{encoding}");
            continue;
        }
        assert_eq!(flaws, [], "{recipe:?}");
        let image = image.unwrap();
        assert!(image.is_complete());
        let step = 3 / usize::from(image.geometry.channels);
        let wanted: Vec<u8> = picture(recipe.colour).into_iter().step_by(step).collect();
        assert_eq!(samples(&image).len(), wanted.len());
        let worst = samples(&image).iter().zip(&wanted).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst <= Some(24), "{recipe:?}: off by {worst:?}");
        drawn += 1;
    }
    assert!(drawn >= 30, "only {drawn}");
}

#[test]
fn the_coded_data_of_rare_samplings_are_walked_to_their_end_too() {
    for recipe in recipes() {
        let bytes = encode(recipe);
        let mut flaws = Flaws::new();
        let header = jpeg::read(&bytes, &Limits::default(), &mut Flaws::new());
        let coded = coded::check(&bytes, &header, &mut flaws);
        assert_eq!(
            (flaws.as_slice(), coded.rows),
            ([].as_slice(), u32::from(SIZE.1)),
            "{recipe:?}"
        );
        assert!(!coded.neutral || !recipe.colour, "{recipe:?}");
    }
}

#[test]
fn sampling_factors_of_a_single_component_change_nothing() {
    for progressive in [false, true] {
        let mut bytes = encode(Recipe { progressive, ..GREY });
        let (_, plain) = examine(&bytes);
        for sampling in [0x22, 0x21, 0x12, 0x41] {
            *factors(&mut bytes) = sampling;
            let (flaws, image) = examine(&bytes);
            assert_eq!(flaws, []);
            assert!(image == plain, "factors {sampling:x}, progressive: {progressive}");
        }
    }
}

#[test]
fn neutral_chroma_is_one_channel_with_the_values_of_three() {
    use SamplingFactor as S;
    for (sampling, channels) in [(S::F_1_1, 1), (S::F_2_1, 1), (S::F_2_2, 1), (S::F_1_2, 3)] {
        for progressive in [false, true] {
            let recipe =
                Recipe { colour: true, sampling, progressive, restart: 0, optimised: false };
            let mut bytes = Vec::new();
            let mut encoder = Encoder::new(&mut bytes, 80);
            encoder.set_sampling_factor(recipe.sampling);
            encoder.set_progressive(progressive);
            encoder.encode(&picture(false), SIZE.0, SIZE.1, ColorType::Rgb).unwrap();
            let (flaws, image) = examine(&bytes);
            let image = image.unwrap();
            assert_eq!((flaws.as_slice(), image.geometry.channels), ([].as_slice(), channels));
            let header = jpeg::read(&bytes, &Limits::default(), &mut Flaws::new());
            let rgb = pixels(&bytes, &header, ColorSpace::RGB, &mut Flaws::new()).unwrap();
            let step = 3 / usize::from(channels);
            assert!(rgb.into_iter().step_by(step).eq(samples(&image).iter().copied()));
        }
    }
}
