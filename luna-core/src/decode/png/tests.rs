use std::io::Write as _;

use proptest::prelude::*;

use crate::decode::{Display, Samples};
use crate::probe::{Flaw, Rows};
use crate::testing::{self, seen};

struct Shape {
    width: u32,
    height: u32,
    colour: png::ColorType,
    depth: png::BitDepth,
}

fn encoded(shape: &Shape, packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, shape.width, shape.height);
    encoder.set_color(shape.colour);
    encoder.set_depth(shape.depth);
    if shape.colour == png::ColorType::Indexed {
        encoder.set_palette(vec![0, 0, 0, 255, 0, 0, 0, 255, 0]);
    }
    encoder.write_header().unwrap().write_image_data(packed).unwrap();
    bytes
}

fn grey(width: u32, height: u32) -> Vec<u8> {
    let shape =
        Shape { width, height, colour: png::ColorType::Grayscale, depth: png::BitDepth::Eight };
    let noise = (0_u32..width * height).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8);
    encoded(&shape, &noise.collect::<Vec<_>>())
}

#[test]
fn small_depths_are_unpacked_to_one_sample_a_byte() {
    let cases = [
        (png::BitDepth::One, vec![0b1010_0000, 0b0110_0000], vec![1, 0, 1, 0, 1, 1]),
        (png::BitDepth::Two, vec![0b1101_1000, 0b0001_1100], vec![3, 1, 2, 0, 1, 3]),
        (png::BitDepth::Four, vec![0xf1, 0x20, 0x03, 0xa0], vec![15, 1, 2, 0, 3, 10]),
    ];
    for (depth, packed, expected) in cases {
        let shape = Shape { width: 3, height: 2, colour: png::ColorType::Grayscale, depth };
        let (image, flaws) = seen(&encoded(&shape, &packed));
        assert_eq!(flaws, []);
        let image = image.unwrap();
        assert_eq!(image.samples, Samples::U8(expected));
        assert_eq!(image.geometry.bits_stored, depth as u8);
        assert_eq!(image.display, Display::AsStored);
    }
}

#[test]
fn sixteen_bits_stay_sixteen_bits() {
    let shape = Shape {
        width: 2,
        height: 1,
        colour: png::ColorType::GrayscaleAlpha,
        depth: png::BitDepth::Sixteen,
    };
    let (image, flaws) = seen(&encoded(&shape, &[0x12, 0x34, 0xff, 0xff, 0, 1, 0xff, 0xff]));
    assert_eq!(flaws, []);
    let image = image.unwrap();
    assert_eq!(image.samples, Samples::U16(vec![0x1234, 0xffff, 1, 0xffff]));
    assert!(image.has_alpha && image.display == Display::Percentiles);
}

#[test]
fn a_palette_stays_indices_and_names_every_index() {
    let shape =
        Shape { width: 3, height: 1, colour: png::ColorType::Indexed, depth: png::BitDepth::Four };
    let (image, flaws) = seen(&encoded(&shape, &[0x25, 0x00]));
    assert_eq!(flaws, []);
    let image = image.unwrap();
    assert_eq!(image.samples, Samples::U8(vec![2, 5, 0]));
    let Display::Palette(palette) = image.display else { panic!("{:?}", image.display) };
    assert_eq!(palette, [[0, 0, 0], [255, 0, 0], [0, 255, 0], [0; 3], [0; 3], [0; 3]]);
}

#[test]
fn interlaced_and_plain_are_the_same_picture() {
    // 3 x 2 in Adam7: pass 1 (0,0); pass 6 row 0: x = 1; pass 4 row 0: x = 2; pass 7: row 1.
    let passes = [0, 10, 0, 30, 0, 20, 0, 40, 50, 60];
    let ihdr = [0, 0, 0, 3, 0, 0, 0, 2, 8, 0, 0, 0, 1];
    let mut bytes = crate::probe::png::SIGNATURE.to_vec();
    for (kind, data) in
        [(b"IHDR", ihdr.to_vec()), (b"IDAT", testing::zlib(&passes)), (b"IEND", Vec::new())]
    {
        bytes.extend_from_slice(&(data.len() as u32).to_be_bytes());
        bytes.extend_from_slice(kind);
        bytes.extend_from_slice(&data);
        bytes.extend_from_slice(&crc32fast::hash(&[&kind[..], &data].concat()).to_be_bytes());
    }
    let (image, flaws) = seen(&bytes);
    assert_eq!(flaws, []);
    assert_eq!(image.unwrap().samples, Samples::U8(vec![10, 20, 30, 40, 50, 60]));
}

#[test]
fn a_cut_png_keeps_its_rows_and_names_the_first_that_is_missing() {
    let sound = grey(64, 64);
    let (whole, _) = seen(&sound);
    let Samples::U8(whole) = whole.unwrap().samples else { panic!() };
    let (image, flaws) = seen(&sound[..sound.len() / 2]);
    let image = image.unwrap();
    assert!((1..64).contains(&image.rows_decoded), "{}", image.rows_decoded);
    let expected = Rows { stopped: image.rows_decoded, of: 64 };
    assert!(
        matches!(&flaws[..], [Flaw::Truncated { rows: Some(rows), .. }] if *rows == expected),
        "{flaws:?}"
    );
    let Samples::U8(samples) = image.samples else { panic!() };
    let good = image.rows_decoded as usize * 64;
    assert_eq!(samples[..good], whole[..good]);
}

/// Replaces the image data, with right CRCs.
fn with_image_data(png: &[u8], change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = crate::probe::png::SIGNATURE.to_vec();
    for chunk in crate::probe::png::chunks(png, 8) {
        let mut data = chunk.data.to_vec();
        if &chunk.kind == b"IDAT" {
            change(&mut data);
        }
        bytes.extend_from_slice(&(data.len() as u32).to_be_bytes());
        bytes.extend_from_slice(&chunk.kind);
        bytes.extend_from_slice(&data);
        bytes.extend_from_slice(&crc32fast::hash(&[&chunk.kind[..], &data].concat()).to_be_bytes());
    }
    bytes
}

#[test]
fn a_wrong_adler_under_a_right_crc_is_a_wrong_checksum() {
    for sound in [grey(5, 3), grey(300, 200)] {
        let bad = with_image_data(&sound, |data| *data.last_mut().unwrap() ^= 1);
        let (_, flaws) = seen(&bad);
        assert!(
            matches!(&flaws[..], [Flaw::Checksum { what, ancillary: false, .. }] if what == "the zlib stream"),
            "{flaws:?}"
        );
    }
}

#[test]
fn compressed_data_that_end_early_under_a_right_crc_are_a_truncation() {
    for sound in [grey(5, 3), grey(300, 200)] {
        for cut in [1, 4, 5, 8] {
            let bad = with_image_data(&sound, |data| data.truncate(data.len() - cut));
            let (_, flaws) = seen(&bad);
            assert!(matches!(&flaws[..], [Flaw::Truncated { .. }]), "{cut}: {flaws:?}");
        }
    }
    let short = with_image_data(&grey(5, 3), |data| *data = testing::zlib(&[0, 1, 2, 3, 4, 5]));
    let (image, flaws) = seen(&short);
    assert_eq!(image.unwrap().rows_decoded, 1);
    assert!(
        matches!(flaws[..], [Flaw::Truncated { rows: Some(Rows { stopped: 1, of: 3 }), .. }]),
        "{flaws:?}"
    );
}

#[test]
fn a_wrong_crc_over_good_data_does_not_hide_the_picture() {
    let mut bytes = grey(64, 64);
    let at = bytes.len() - 13; // last byte of IDAT's CRC
    bytes[at] ^= 1;
    let (image, flaws) = seen(&bytes);
    assert!(image.unwrap().is_complete());
    assert!(matches!(flaws[..], [Flaw::Checksum { ancillary: false, .. }]), "{flaws:?}");
}

#[test]
fn real_pngs_are_free_of_flaws_and_every_cut_is_found() {
    for folder in ["nih", "cxr"] {
        let Some(files) = testing::shared_files(folder) else { return };
        for (name, bytes) in files.iter().filter(|(_, bytes)| bytes.starts_with(b"\x89PNG")) {
            let (image, flaws) = seen(bytes);
            assert_eq!(flaws, [], "{name}");
            assert!(image.is_some_and(|image| image.is_complete()), "{name}");
            let parts = [10, 50, 90, 99].map(|percent| bytes.len() * percent / 100);
            for end in parts.into_iter().chain([bytes.len() - 1]) {
                let (_, flaws) = seen(&bytes[..end]);
                assert!(matches!(flaws[..], [Flaw::Truncated { .. }]), "{name} {end}: {flaws:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn one_changed_byte_is_found_and_never_panics(at in any::<prop::sample::Index>(), bit in 0..8) {
        let mut bytes = grey(40, 30);
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        let (_, flaws) = seen(&bytes);
        prop_assert!(!flaws.is_empty(), "byte {}", at);
    }

    #[test]
    fn changed_image_data_under_right_crcs_never_panic(
        at in any::<prop::sample::Index>(),
        new in proptest::collection::vec(any::<u8>(), 1..8),
    ) {
        let bytes = with_image_data(&grey(40, 30), |data| {
            let at = at.index(data.len());
            let end = (at + new.len()).min(data.len());
            data[at..end].copy_from_slice(&new[..end - at]);
        });
        let (image, flaws) = seen(&bytes);
        prop_assert!(!flaws.is_empty() || image.is_some_and(|image| image.is_complete()));
    }
}

/// A grey PNG of this raw picture (rows with their filter bytes), compressed by another encoder.
fn wrapped(width: u32, height: u32, raw: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(level));
    encoder.write_all(raw).unwrap();
    let compressed = encoder.finish().unwrap();
    with_image_data(&grey(width, height), |data| data.clone_from(&compressed))
}

#[test]
fn the_end_of_the_compressed_data_is_checked_whatever_the_size() {
    for (width, height) in [(1, 1), (17, 8), (255, 33), (1_023, 32), (1_024, 31), (2_047, 16)] {
        for level in [0, 1, 9] {
            let raw: Vec<u8> = (0..height)
                .flat_map(|y| [0].into_iter().chain((0..width).map(move |x| ((x / 9) ^ y) as u8)))
                .collect();
            let sound = wrapped(width, height, &raw, level);
            assert_eq!(seen(&sound).1, [], "{width} x {height}, level {level}");
            for cut in 1..5 {
                let bad = with_image_data(&sound, |data| data.truncate(data.len() - cut));
                let flaws = seen(&bad).1;
                assert!(
                    matches!(flaws[..], [Flaw::Truncated { .. }]),
                    "{width} x {height}, level {level}, {cut} bytes missing: {flaws:?}"
                );
            }
        }
    }
}

#[test]
fn many_small_idat_chunks_are_one_stream() {
    let sound = grey(64, 64);
    let whole = seen(&sound).0.unwrap();
    let mut bytes = crate::probe::png::SIGNATURE.to_vec();
    let mut put = |kind: &[u8; 4], data: &[u8]| {
        bytes.extend_from_slice(&(data.len() as u32).to_be_bytes());
        bytes.extend_from_slice(kind);
        bytes.extend_from_slice(data);
        bytes.extend_from_slice(&crc32fast::hash(&[&kind[..], data].concat()).to_be_bytes());
    };
    for chunk in crate::probe::png::chunks(&sound, 8) {
        if &chunk.kind == b"IDAT" {
            chunk.data.chunks(3).for_each(|part| put(b"IDAT", part));
        } else {
            put(&chunk.kind, chunk.data);
        }
    }
    let (image, flaws) = seen(&bytes);
    assert_eq!(flaws, []);
    assert_eq!(image.unwrap(), whole);
}
