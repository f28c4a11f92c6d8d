use proptest::prelude::*;
use tiff::encoder::{Compression, Predictor, TiffEncoder, colortype};

use crate::decode::{Display, Image, Samples};
use crate::probe::{Flaw, Rows};
use crate::testing::seen;

fn sound(bytes: &[u8]) -> Image {
    let (image, flaws) = seen(bytes);
    assert_eq!(flaws, []);
    let image = image.unwrap();
    assert!(image.is_complete());
    image
}

/// Written by the `tiff` crate, in strips of four rows.
fn encoded<C: colortype::ColorType>(
    width: u32,
    height: u32,
    data: &[C::Inner],
    compression: Compression,
    predictor: Predictor,
) -> Vec<u8>
where
    [C::Inner]: tiff::encoder::TiffValue,
{
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes)
        .unwrap()
        .with_compression(compression)
        .with_predictor(predictor);
    let mut image = encoder.new_image::<C>(width, height).unwrap();
    image.rows_per_strip(4).unwrap();
    image.write_data(data).unwrap();
    bytes.into_inner()
}

fn compressions() -> [Compression; 4] {
    let level = tiff::encoder::DeflateLevel::default();
    [
        Compression::Uncompressed,
        Compression::Lzw,
        Compression::Deflate(level),
        Compression::Packbits,
    ]
}

/// A TIFF of these entries (tag, type, values of 16 or 32 bits) and data at offset 8.
fn built(big_endian: bool, entries: &[(u16, u16, Vec<u32>)], data: &[u8]) -> Vec<u8> {
    let short = |n: u16| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
    let long = |n: u32| if big_endian { n.to_be_bytes() } else { n.to_le_bytes() };
    let mut bytes = if big_endian { b"MM".to_vec() } else { b"II".to_vec() };
    bytes.extend(short(42));
    let mut body = data.to_vec();
    let mut directory = short(entries.len() as u16).to_vec();
    for (tag, kind, values) in entries {
        directory.extend(short(*tag));
        directory.extend(short(*kind));
        directory.extend(long(values.len() as u32));
        let written: Vec<u8> = values
            .iter()
            .flat_map(|n| if *kind == 3 { short(*n as u16).to_vec() } else { long(*n).to_vec() })
            .collect();
        if written.len() <= 4 {
            directory.extend(&written);
            directory.extend(vec![0; 4 - written.len()]);
        } else {
            directory.extend(long(8 + body.len() as u32));
            body.extend(written);
        }
    }
    directory.extend([0; 4]);
    bytes.extend(long(8 + body.len() as u32));
    bytes.extend(body);
    bytes.extend(directory);
    bytes
}

/// Entries of a small picture in one strip at offset 8.
fn entries(
    width: u32,
    height: u32,
    bits: u32,
    photometric: u32,
    length: u32,
) -> Vec<(u16, u16, Vec<u32>)> {
    vec![
        (256, 4, vec![width]),
        (257, 4, vec![height]),
        (258, 3, vec![bits]),
        (259, 3, vec![1]),
        (262, 3, vec![photometric]),
        (273, 4, vec![8]),
        (278, 4, vec![height]),
        (279, 4, vec![length]),
    ]
}

#[test]
fn every_compression_and_predictor_gives_the_same_samples() {
    let eight: Vec<u8> = (0..13 * 11).map(|i| (i * i / 7) as u8).collect();
    let sixteen: Vec<u16> = eight.iter().map(|value| u16::from(*value) * 250 + 3).collect();
    for compression in compressions() {
        for predictor in [Predictor::None, Predictor::Horizontal] {
            if predictor == Predictor::Horizontal
                && !matches!(compression, Compression::Lzw | Compression::Deflate(_))
            {
                continue;
            }
            let bytes = encoded::<colortype::Gray8>(13, 11, &eight, compression, predictor);
            assert_eq!(sound(&bytes).samples, Samples::U8(eight.clone()));
            let bytes = encoded::<colortype::Gray16>(13, 11, &sixteen, compression, predictor);
            let image = sound(&bytes);
            assert_eq!(image.samples, Samples::U16(sixteen.clone()));
            assert_eq!(image.display, Display::Percentiles);
        }
    }
}

#[test]
fn colours_signs_and_floats_keep_their_type() {
    let none = (Compression::Uncompressed, Predictor::None);
    let rgb: Vec<u8> = (0..5 * 6 * 3).map(|i| i as u8).collect();
    let bytes = encoded::<colortype::RGB8>(5, 6, &rgb, none.0, none.1);
    assert_eq!(sound(&bytes).samples, Samples::U8(rgb));
    let signed: Vec<i16> = (0..30).map(|i| i * 100 - 1_500).collect();
    let image = sound(&encoded::<colortype::GrayI16>(5, 6, &signed, none.0, none.1));
    assert!(image.geometry.signed);
    assert_eq!(image.samples, Samples::I16(signed));
    let floats: Vec<f32> = (0..30).map(|i| i as f32 / 7.0).collect();
    let bytes = encoded::<colortype::Gray32Float>(5, 6, &floats, none.0, none.1);
    assert_eq!(sound(&bytes).samples, Samples::F32(floats));
}

#[test]
fn twelve_and_one_bits_are_unpacked_in_both_byte_orders() {
    for big_endian in [false, true] {
        let bytes =
            built(big_endian, &entries(2, 2, 12, 1, 6), &[0x12, 0x3a, 0xbc, 0xff, 0xf0, 0x01]);
        let image = sound(&bytes);
        assert_eq!(image.samples, Samples::U16(vec![0x123, 0xabc, 0xfff, 0x001]));
        assert_eq!(image.geometry.bits_stored, 12);
        let bytes = built(big_endian, &entries(10, 1, 1, 0, 2), &[0b1010_0000, 0b0100_0000]);
        let image = sound(&bytes);
        assert!(image.inverted);
        assert_eq!(image.samples, Samples::U8(vec![1, 0, 1, 0, 0, 0, 0, 0, 0, 1]));
    }
}

#[test]
fn white_is_zero_is_told_and_not_applied() {
    let image = sound(&built(false, &entries(2, 1, 8, 0, 2), &[1, 250]));
    assert_eq!((image.samples, image.inverted), (Samples::U8(vec![1, 250]), true));
}

#[test]
fn planes_are_interleaved_and_palettes_stay() {
    let mut planar = entries(2, 1, 8, 2, 2);
    planar[2].2 = vec![8, 8, 8];
    planar[5].2 = vec![8, 10, 12];
    planar[7].2 = vec![2, 2, 2];
    planar.insert(6, (277, 3, vec![3]));
    planar.push((284, 3, vec![2]));
    let image = sound(&built(false, &planar, &[1, 2, 11, 12, 21, 22]));
    assert_eq!(image.samples, Samples::U8(vec![1, 11, 21, 2, 12, 22]));
    let mut palette = entries(3, 1, 1, 3, 1);
    palette.push((320, 3, vec![0, 0xffff, 0, 0x8000, 0, 0]));
    let image = sound(&built(true, &palette, &[0b0110_0000]));
    assert_eq!(image.samples, Samples::U8(vec![0, 1, 1]));
    assert_eq!(image.display, Display::Palette(vec![[0, 0, 0], [255, 128, 0]]));
}

#[test]
fn tiles_are_put_in_their_place_without_their_padding() {
    let mut tiled = entries(3, 3, 8, 1, 0);
    tiled.truncate(5);
    tiled.extend([
        (322, 3, vec![2]),
        (323, 3, vec![2]),
        (324, 4, vec![8, 12, 16, 20]),
        (325, 4, vec![4, 4, 4, 4]),
    ]);
    let data = [1, 2, 4, 5, 3, 0, 6, 0, 7, 8, 0, 0, 9, 0, 0, 0];
    assert_eq!(sound(&built(false, &tiled, &data)).samples, Samples::U8((1..=9).collect()));
}

#[test]
fn a_strip_without_a_place_is_found() {
    for (index, value) in [(5, 0), (7, 0)] {
        let mut broken = entries(4, 4, 8, 1, 16);
        broken[index].2 = vec![value];
        let flaws = seen(&built(false, &broken, &[5; 16])).1;
        assert!(matches!(flaws[..], [Flaw::Decode { .. }]), "{flaws:?}");
    }
}

#[test]
fn a_cut_strip_names_its_number_and_row() {
    let mut cut = entries(4, 8, 8, 1, 0);
    cut[5].2 = vec![8, 4_000];
    cut[6].2 = vec![4];
    cut[7].2 = vec![16, 16];
    let (image, flaws) = seen(&built(false, &cut, &[5; 16]));
    let [Flaw::Truncated { what, rows, found: 0, .. }] = &flaws[..] else { panic!("{flaws:?}") };
    assert_eq!((what.as_str(), *rows), ("strip 2", Some(Rows { stopped: 4, of: 8 })));
    assert_eq!(image.unwrap().rows_decoded, 4);
}

#[test]
fn short_compressed_data_name_the_row() {
    let mut lzw = entries(2, 2, 8, 1, 3);
    lzw[3].2 = vec![5];
    // Codes of 9 bits: clear, and at once the end.
    let (image, flaws) = seen(&built(false, &lzw, &[0x80, 0x40, 0x40]));
    let stopped = |stopped| Some(Rows { stopped, of: 2 });
    assert!(matches!(flaws[..], [Flaw::Decode { rows, .. }] if rows == stopped(0)), "{flaws:?}");
    assert_eq!(image.unwrap().rows_decoded, 0);
    let mut bits = entries(2, 2, 8, 1, 3);
    bits[3].2 = vec![32_773];
    // Two bytes as they are: one row of two.
    let (image, flaws) = seen(&built(false, &bits, &[1, 7, 8]));
    assert!(matches!(flaws[..], [Flaw::Decode { rows, .. }] if rows == stopped(1)), "{flaws:?}");
    let image = image.unwrap();
    assert_eq!((image.rows_decoded, image.samples), (1, Samples::U8(vec![7, 8, 0, 0])));
}

#[test]
fn overlapping_strips_circles_and_unknown_compressions_are_named() {
    let mut overlap = entries(4, 8, 8, 1, 0);
    overlap[5].2 = vec![8, 16];
    overlap[6].2 = vec![4];
    overlap[7].2 = vec![16, 16];
    let flaws = seen(&built(false, &overlap, &[5; 32])).1;
    assert!(
        matches!(&flaws[..], [Flaw::Decode { reason, .. }] if reason.contains("overlap")),
        "{flaws:?}"
    );

    let mut circle = built(false, &entries(2, 1, 8, 1, 2), &[1, 2]);
    let at = u32::from_le_bytes(circle[4..8].try_into().unwrap());
    let next = circle.len() - 4;
    circle[next..].copy_from_slice(&at.to_le_bytes());
    let flaws = seen(&circle).1;
    assert!(
        matches!(&flaws[..], [Flaw::Decode { reason, .. }] if reason.contains("circle")),
        "{flaws:?}"
    );

    let mut fax = entries(8, 1, 1, 0, 1);
    fax[3].2 = vec![4];
    let expected = "TIFF compression 4 (CCITT group 4)".to_owned();
    assert_eq!(seen(&built(false, &fax, &[0])).1, [Flaw::Unsupported { encoding: expected }]);
}

#[test]
fn pages_are_counted_without_smaller_copies() {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new_big(&mut bytes).unwrap();
    for page in 0_u8..3 {
        let mut image = encoder.new_image::<colortype::Gray8>(2, 2).unwrap();
        if page == 1 {
            image.encoder().write_tag(tiff::tags::Tag::NewSubfileType, 1_u32).unwrap();
        }
        image.write_data(&[page; 4]).unwrap();
    }
    let (image, flaws) = seen(&bytes.into_inner());
    assert_eq!(flaws, [Flaw::ManyImages { count: 2, what: "pages" }]);
    let image = image.unwrap();
    assert_eq!(
        (image.geometry.frames, image.samples),
        (2, Samples::U8(vec![0, 0, 0, 0, 2, 2, 2, 2]))
    );
}

#[test]
fn a_tile_larger_than_the_budget_is_not_allocated() {
    let mut tiled = entries(3, 3, 8, 1, 0);
    tiled.truncate(5);
    tiled[3].2 = vec![8];
    let side = 0x7FFF_FFFF;
    tiled.extend([
        (322, 4, vec![side]),
        (323, 4, vec![side]),
        (324, 4, vec![8]),
        (325, 4, vec![9]),
    ]);
    let (image, flaws) = seen(&built(false, &tiled, &[0; 16]));
    assert!(image.is_none());
    assert!(matches!(flaws[..], [Flaw::OverBudget { limit: "decoded_bytes", .. }]), "{flaws:?}");
}

#[test]
fn every_cut_is_found() {
    let data: Vec<u8> = (0..64).map(|i| i * 3).collect();
    let whole = encoded::<colortype::Gray8>(8, 8, &data, Compression::Lzw, Predictor::None);
    for end in 4..whole.len() {
        let flaws = seen(&whole[..end]).1;
        assert!(
            flaws.iter().any(|flaw| matches!(flaw, Flaw::Truncated { .. })),
            "{end}: {flaws:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn changed_bytes_never_panic(
        at in any::<prop::sample::Index>(),
        new in proptest::collection::vec(any::<u8>(), 1..6),
        compression in 0_usize..4,
    ) {
        let data: Vec<u16> = (0..90).map(|i| i * 700).collect();
        let predictor = if matches!(compression, 1 | 2) { Predictor::Horizontal } else { Predictor::None };
        let mut bytes = encoded::<colortype::Gray16>(9, 10, &data, compressions()[compression], predictor);
        let at = at.index(bytes.len());
        let end = (at + new.len()).min(bytes.len());
        bytes[at..end].copy_from_slice(&new[..end - at]);
        let _ = seen(&bytes);
    }
}
