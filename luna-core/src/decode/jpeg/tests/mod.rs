//! Pictures coded in every way, then damaged: synthetic ones here, real ones in `real`.
#![expect(clippy::arithmetic_side_effects, reason = "numbers of the tests' own making")]

mod damage;
mod deep;
mod real;

use super::*;
use crate::probe::{Flaw, probe};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

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
    coded::read::<u8>(bytes, &header, &mut flaws);
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
    for recipe in recipes() {
        let (flaws, image) = examine(&encode(recipe));
        assert_eq!(flaws, [], "{recipe:?}");
        let image = image.unwrap();
        assert!(image.is_complete());
        let step = 3 / usize::from(image.geometry.channels);
        let wanted: Vec<u8> = picture(recipe.colour).into_iter().step_by(step).collect();
        assert_eq!(samples(&image).len(), wanted.len());
        let worst = samples(&image).iter().zip(&wanted).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst <= Some(24), "{recipe:?}: off by {worst:?}");
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
    for sampling in [S::F_1_1, S::F_2_1, S::F_2_2, S::F_1_2, S::F_4_2] {
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
            assert_eq!((flaws.as_slice(), image.geometry.channels), ([].as_slice(), 1));
            let frame = decode_frame(&bytes, &Limits::default(), &mut Flaws::new()).unwrap();
            let pixels = frame.samples.as_chunks::<3>().0;
            assert!(pixels.iter().zip(samples(&image)).all(|(own, y)| *own == [*y, 128, 128]));
        }
    }
}

/// The same by another decoder, which is strict but no judge of what it draws.
fn by_zune(bytes: &[u8], space: ColorSpace) -> Vec<u8> {
    let side = usize::from(u16::MAX);
    let options = DecoderOptions::new_fast()
        .set_max_width(side)
        .set_max_height(side)
        .set_strict_mode(true)
        .jpeg_set_out_colorspace(space);
    JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode().unwrap()
}
