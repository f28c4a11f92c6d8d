//! Pixels out of made objects: every layout of native data, RLE, fragments, and what is broken.

use dicom_dictionary_std::tags;
use proptest::prelude::*;

use super::super::{Display, Image, Samples, decode};
use crate::dicom::testing::{Described, GREY, encapsulated, long, part10, short};
use crate::limits::Limits;
use crate::probe::{Flaw, Flaws, probe};

const RLE: &str = "1.2.840.10008.1.2.5";
const BASELINE: &str = "1.2.840.10008.1.2.4.50";

fn decoded(bytes: &[u8]) -> (Option<Image>, Flaws) {
    let limits = Limits::default();
    let found = probe(bytes, &limits);
    let mut flaws = found.flaws.clone();
    (decode(bytes, &found, &limits, &mut flaws), flaws)
}

fn whole(bytes: &[u8]) -> Image {
    let (image, flaws) = decoded(bytes);
    let image = image.unwrap_or_else(|| panic!("{flaws:?}"));
    assert!(image.is_complete(), "{flaws:?}");
    image
}

#[test]
fn values_are_taken_out_of_their_bits() {
    let low = Described { bits: [16, 12, 11, 0], ..GREY };
    let words = |values: [u16; 6]| values.map(u16::to_le_bytes).concat();
    let image = whole(&low.native(&words([0, 1, 0x0FFF, 0xF001, 5, 6])));
    assert_eq!(image.samples, Samples::U16(vec![0, 1, 4_095, 1, 5, 6]));
    assert_eq!(image.out_of_bits.unused_bits_set, 1);

    let high = Described { bits: [16, 12, 15, 0], ..GREY };
    let image = whole(&high.native(&words([0x0010, 0xFFF0, 0, 0, 0, 0])));
    assert_eq!(image.samples, Samples::U16(vec![1, 4_095, 0, 0, 0, 0]));

    let signed = Described { bits: [16, 12, 11, 1], ..GREY };
    let image = whole(&signed.native(&words([0x0FFF, 0xFFFF, 0x0800, 0x07FF, 0xF001, 0])));
    assert_eq!(image.samples, Samples::I16(vec![-1, -1, -2_048, 2_047, 1, 0]));
    assert_eq!(image.out_of_bits.unused_bits_set, 1, "a repeated sign is no stray bit");
}

#[test]
fn samples_of_every_width_decode() {
    let bytes = GREY.native(&[1, 2, 3, 4, 5, 255]);
    assert_eq!(whole(&bytes).samples, Samples::U8(vec![1, 2, 3, 4, 5, 255]));
    let signed = Described { bits: [8, 8, 7, 1], ..GREY };
    let bytes = signed.native(&[1, 2, 3, 4, 128, 255]);
    assert_eq!(whole(&bytes).samples, Samples::I16(vec![1, 2, 3, 4, -128, -1]));
    let bits = Described { bits: [1, 1, 0, 0], ..GREY };
    let bytes = bits.native(&[0b10_1001, 0]);
    assert_eq!(whole(&bytes).samples, Samples::U8(vec![1, 0, 0, 1, 0, 1]));
    let wide = Described { bits: [32, 32, 31, 1], ..GREY };
    let bytes = wide.native(&[[1, 0, 0, 0].as_slice(), &[255; 20]].concat());
    assert_eq!(whole(&bytes).samples, Samples::I32(vec![1, -1, -1, -1, -1, -1]));
}

#[test]
fn float_pixels_decode() {
    let values: Vec<u8> = [0.5_f32, -1.0, 2.0, 3.0, 4.0, 5.0].map(f32::to_le_bytes).concat();
    let pixels = long(tags::FLOAT_PIXEL_DATA, "OF", values.len() as u32, &values);
    let image = whole(&GREY.file("1.2.840.10008.1.2.1", &pixels));
    assert_eq!(image.samples, Samples::F32(vec![0.5, -1.0, 2.0, 3.0, 4.0, 5.0]));
    assert_eq!((image.geometry.bits_allocated, image.geometry.signed), (32, true));
}

const COLOUR: Described = Described { rows: 1, columns: 2, samples: 3, photometric: "RGB", ..GREY };

#[test]
fn planes_become_pixels() {
    let planar = Described { planar: 1, ..COLOUR };
    let rgb = Samples::U8(vec![1, 3, 5, 2, 4, 6]);
    assert_eq!(whole(&planar.native(&[1, 2, 3, 4, 5, 6])).samples, rgb);
    assert_eq!(whole(&COLOUR.native(&[1, 3, 5, 2, 4, 6])).samples, rgb);
}

#[test]
fn luma_and_chroma_become_rgb_for_measuring_only() {
    let full = Described { photometric: "YBR_FULL", ..COLOUR };
    let bytes = full.native(&[76, 85, 255, 100, 128, 128]);
    assert_eq!(whole(&bytes).samples, Samples::U8(vec![254, 0, 0, 100, 100, 100]));
    let limits = Limits::default();
    let stored = super::super::decode_stored(&probe(&bytes, &limits), &limits, &mut Vec::new());
    assert_eq!(stored.unwrap().samples, Samples::U8(vec![76, 85, 255, 100, 128, 128]));
    let half = Described { photometric: "YBR_FULL_422", ..COLOUR };
    let bytes = half.native(&[76, 100, 128, 128]);
    assert_eq!(whole(&bytes).samples, Samples::U8(vec![76, 76, 76, 100, 100, 100]));
}

#[test]
fn short_pixel_data_give_the_rows_that_are_there() {
    let tall = Described { rows: 4, ..GREY };
    let (image, _) = decoded(&tall.native(&[1, 2, 3, 4, 5, 6, 7, 8]));
    let image = image.unwrap();
    assert_eq!((image.rows_decoded, image.is_complete()), (2, false));
    assert_eq!(image.samples, Samples::U8(vec![1, 2, 3, 4, 5, 6]));
    assert!(decoded(&tall.native(&[1, 2])).0.is_none(), "not even a row");
}

#[test]
fn a_large_claim_over_few_bytes_allocates_little_and_decodes_nothing() {
    let huge = Described { rows: 10_000, columns: 10_000, ..GREY };
    let (image, _) = decoded(&huge.native(&[0; 64]));
    assert!(image.is_none());
    let huge = Described { rows: 65_535, columns: 65_535, ..GREY };
    let (image, flaws) = decoded(&huge.native(&[0; 64]));
    assert!(image.is_none());
    assert!(matches!(flaws[..], [Flaw::OverBudget { limit: "decoded_bytes", .. }]), "{flaws:?}");
}

/// An RLE fragment of these segments.
fn rle(segments: &[&[u8]]) -> Vec<u8> {
    let mut header = vec![segments.len() as u32];
    let mut at = 64;
    for segment in segments {
        header.push(at);
        at += segment.len() as u32;
    }
    header.resize(16, 0);
    let mut bytes: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.extend(segments.concat());
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes
}

#[test]
fn rle_planes_hold_the_high_bytes_first() {
    let deep = Described { bits: [16, 16, 15, 0], ..GREY };
    let fragment = rle(&[&[0xFB, 1], &[5, 1, 2, 3, 4, 5, 6]]);
    let bytes = deep.file(RLE, &encapsulated(&[], &[&fragment]));
    let image = whole(&bytes);
    assert_eq!(image.samples, Samples::U16(vec![257, 258, 259, 260, 261, 262]));
}

#[test]
fn rle_that_ends_early_or_late_is_said() {
    let early = rle(&[&[2, 1, 2, 3, 0, 9]]);
    let (image, flaws) = decoded(&GREY.file(RLE, &encapsulated(&[], &[&early])));
    let Flaw::Decode { rows, .. } = &flaws[0] else { panic!("{flaws:?}") };
    assert_eq!(rows.unwrap().stopped, 1);
    let image = image.unwrap();
    assert_eq!((image.rows_decoded, image.samples), (1, Samples::U8(vec![1, 2, 3])));
    let late = rle(&[&[0xF0, 7]]);
    let (image, flaws) = decoded(&GREY.file(RLE, &encapsulated(&[], &[&late])));
    assert_eq!(image.unwrap().samples, Samples::U8(vec![7; 6]));
    assert!(matches!(flaws[..], [Flaw::Decode { rows: None, .. }]), "{flaws:?}");
}

#[test]
fn rle_with_another_number_of_planes_is_not_decoded() {
    let fragment = rle(&[&[0xFB, 1], &[0xFB, 1]]);
    assert!(decoded(&GREY.file(RLE, &encapsulated(&[], &[&fragment]))).0.is_none());
}

#[test]
fn frames_are_found_by_fragment_and_by_table() {
    let two = Described { frames: 2, ..GREY };
    let native = "1.2.840.10008.1.2.1.98";
    let expected = Samples::U8((1..=12).collect());
    let one_each = encapsulated(&[], &[&[1, 2, 3, 4, 5, 6], &[7, 8, 9, 10, 11, 12]]);
    assert_eq!(whole(&two.file(native, &one_each)).samples, expected);
    let pieces: [&[u8]; 3] = [&[1, 2, 3, 4], &[5, 6], &[7, 8, 9, 10, 11, 12]];
    let by_table = encapsulated(&[0, 22], &pieces);
    assert_eq!(whole(&two.file(native, &by_table)).samples, expected);
    assert!(decoded(&two.file(native, &encapsulated(&[], &pieces))).0.is_none());
    assert!(decoded(&two.file(native, &encapsulated(&[0, 21], &pieces))).0.is_none());
}

#[test]
fn a_jpeg_of_another_size_is_not_decoded() {
    let jpeg = b"\xFF\xD8\xFF\xC0\x00\x0B\x08\x00\x09\x00\x03\x01\x01\x11\x00\xFF\xD9\x00";
    let (image, _) = decoded(&GREY.file(BASELINE, &encapsulated(&[], &[jpeg])));
    assert!(image.is_none());
}

#[test]
fn a_big_endian_word_holds_its_second_byte_first() {
    let big = |tag: dicom_core::Tag, vr: &str, value: &[u8]| {
        let mut out = tag.group().to_be_bytes().to_vec();
        out.extend(tag.element().to_be_bytes());
        out.extend(vr.bytes());
        if vr == "OW" {
            out.extend([0, 0]);
            out.extend((value.len() as u32).to_be_bytes());
        } else {
            out.extend((value.len() as u16).to_be_bytes());
        }
        out.extend(value);
        out
    };
    let data_set = [
        big(tags::SAMPLES_PER_PIXEL, "US", &[0, 1]),
        big(tags::PHOTOMETRIC_INTERPRETATION, "CS", b"MONOCHROME2 "),
        big(tags::ROWS, "US", &[0, 1]),
        big(tags::COLUMNS, "US", &[0, 4]),
        big(tags::BITS_ALLOCATED, "US", &[0, 8]),
        big(tags::BITS_STORED, "US", &[0, 8]),
        big(tags::HIGH_BIT, "US", &[0, 7]),
        big(tags::PIXEL_REPRESENTATION, "US", &[0, 0]),
        big(tags::PIXEL_DATA, "OW", &[2, 1, 4, 3]),
    ];
    let bytes = part10("1.2.840.10008.1.2.2", &data_set.concat());
    assert_eq!(whole(&bytes).samples, Samples::U8(vec![1, 2, 3, 4]));
}

#[test]
fn window_and_polarity_are_the_headers() {
    let header = [
        Described { photometric: "MONOCHROME1", ..GREY }.header(),
        short(tags::WINDOW_CENTER, "DS", b"40\\50 "),
        short(tags::WINDOW_WIDTH, "DS", b"400\\2 "),
        short(tags::RESCALE_INTERCEPT, "DS", b"-1024 "),
        short(tags::RESCALE_SLOPE, "DS", b"2 "),
        long(tags::PIXEL_DATA, "OW", 6, &[0; 6]),
    ];
    let image = whole(&part10("1.2.840.10008.1.2.1", &header.concat()));
    let window = Display::Window { slope: 2.0, intercept: -1_024.0, center: 40.0, width: 400.0 };
    assert_eq!((image.display, image.inverted), (window, true));
    let image = whole(&GREY.native(&[0; 6]));
    assert_eq!((image.display, image.inverted), (Display::Percentiles, false));
}

#[test]
fn a_palette_is_cut_to_eight_bits_and_starts_at_its_first_index() {
    let mut parts = vec![Described { photometric: "PALETTE COLOR", ..GREY }.header()];
    let descriptor = [2_u16, 1, 16].map(u16::to_le_bytes).concat();
    for tag in [
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    ] {
        parts.push(short(tag, "US", &descriptor));
    }
    for (tag, entries) in [
        (tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA, [0x1000_u16, 0xFFFF]),
        (tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA, [0x2000, 0xFFFF]),
        (tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA, [0x3000, 0]),
    ] {
        parts.push(long(tag, "OW", 4, &entries.map(u16::to_le_bytes).concat()));
    }
    parts.push(long(tags::PIXEL_DATA, "OW", 6, &[0, 1, 2, 1, 1, 1]));
    let image = whole(&part10("1.2.840.10008.1.2.1", &parts.concat()));
    let colours = vec![[16, 32, 48], [16, 32, 48], [255, 255, 0]];
    assert_eq!(image.display, Display::Palette(colours));
    assert_eq!(image.samples, Samples::U8(vec![0, 1, 2, 1, 1, 1]));
}

proptest! {
    #[test]
    fn broken_pixels_neither_panic_nor_overflow(
        which in 0..4_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..16),
        keep in any::<prop::sample::Index>(),
    ) {
        let deep = Described { frames: 2, bits: [16, 12, 11, 1], ..GREY };
        let fragment = rle(&[&[0xFB, 1], &[5, 1, 2, 3, 4, 5, 6]]);
        let mut bytes = match which {
            0 => deep.native(&[7; 24]),
            1 => deep.file(RLE, &encapsulated(&[0, 84], &[&fragment, &fragment])),
            2 => COLOUR.file(RLE, &encapsulated(&[], &[&rle(&[&[1, 1, 2], &[0xFF, 3], &[0xFF, 3]])])),
            _ => Described { photometric: "YBR_FULL_422", ..COLOUR }.native(&[1, 2, 3, 4]),
        };
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(keep.index(bytes.len()) + 1);
        let (image, _) = decoded(&bytes);
        if let Some(image) = image.filter(Image::is_complete) {
            prop_assert_eq!(image.samples.len() as u64, image.geometry.samples());
        }
    }
}
