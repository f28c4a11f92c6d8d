use proptest::prelude::*;

use crate::decode::{Display, Image, Samples};
use crate::probe::{Flaw, Flaws, Rows};
use crate::testing::seen;

/// A BMP with a header of 40 bytes.
fn bmp(width: i32, height: i32, bits: u16, palette: &[[u8; 4]], rows: &[u8]) -> Vec<u8> {
    let pixels = 54 + palette.len() * 4;
    let mut bytes = b"BM".to_vec();
    bytes.extend(((pixels + rows.len()) as u32).to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend((pixels as u32).to_le_bytes());
    bytes.extend(40_u32.to_le_bytes());
    bytes.extend(width.to_le_bytes());
    bytes.extend(height.to_le_bytes());
    bytes.extend(1_u16.to_le_bytes());
    bytes.extend(bits.to_le_bytes());
    bytes.extend([0; 16]);
    bytes.extend((palette.len() as u32).to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(palette.as_flattened());
    bytes.extend_from_slice(rows);
    bytes
}

fn sound(bytes: &[u8]) -> Image {
    let (image, flaws) = seen(bytes);
    assert_eq!(flaws, []);
    image.unwrap()
}

#[test]
fn rows_are_turned_to_begin_at_the_top() {
    let lower_first = bmp(2, 2, 24, &[], &[3, 2, 1, 6, 5, 4, 0, 0, 9, 8, 7, 12, 11, 10, 0, 0]);
    let expected = Samples::U8(vec![7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6]);
    assert_eq!(sound(&lower_first).samples, expected);
    let top_first = bmp(2, -2, 24, &[], &[9, 8, 7, 12, 11, 10, 0, 0, 3, 2, 1, 6, 5, 4, 0, 0]);
    assert_eq!(sound(&top_first).samples, expected);
}

#[test]
fn a_grey_palette_is_grey_and_another_one_stays_a_palette() {
    let ramp: Vec<[u8; 4]> = (0..=255).map(|i| [i, i, i, 0]).collect();
    let image = sound(&bmp(3, 1, 8, &ramp, &[5, 200, 7, 0]));
    assert_eq!((image.samples, image.display), (Samples::U8(vec![5, 200, 7]), Display::AsStored));
    let image = sound(&bmp(3, 1, 4, &[[1, 2, 3, 0], [4, 5, 6, 0]], &[0x01, 0x10, 0, 0]));
    assert_eq!(image.samples, Samples::U8(vec![0, 1, 1]));
    let Display::Palette(palette) = image.display else { panic!() };
    assert_eq!(palette[..2], [[3, 2, 1], [6, 5, 4]]);
}

#[test]
fn what_the_image_crate_writes_is_read_back() {
    let rgb: Vec<u8> = (0..5 * 3 * 3).map(|i| (i * 5) as u8).collect();
    let mut bytes = Vec::new();
    image::codecs::bmp::BmpEncoder::new(&mut bytes)
        .encode(&rgb, 5, 3, image::ExtendedColorType::Rgb8)
        .unwrap();
    assert_eq!(sound(&bytes).samples, Samples::U8(rgb));
}

#[test]
fn a_cut_bmp_names_rows_and_trailing_bytes_are_seen() {
    let whole = bmp(2, 4, 24, &[], &[7; 32]);
    let (image, flaws) = seen(&whole[..54 + 20]);
    assert_eq!(image.unwrap().rows_decoded, 0, "the top rows are missing");
    let [Flaw::Truncated { rows, expected, found, .. }] = flaws[..] else { panic!("{flaws:?}") };
    assert_eq!((rows, expected, found), (Some(Rows { stopped: 2, of: 4 }), Some(32), 20));
    let mut longer = whole.clone();
    longer.extend(b"more");
    assert_eq!(seen(&longer).1, [Flaw::Trailing { offset: 86, bytes: 4 }]);
}

#[test]
fn every_cut_is_found() {
    let whole = bmp(3, 3, 24, &[], &[9; 36]);
    for end in 2..whole.len() {
        let flaws: Flaws = seen(&whole[..end]).1;
        assert!(matches!(flaws[..], [Flaw::Truncated { .. }]), "{end}: {flaws:?}");
    }
}

proptest! {
    #[test]
    fn changed_bytes_never_panic(
        at in any::<prop::sample::Index>(),
        new in proptest::collection::vec(any::<u8>(), 1..8),
        bits in prop::sample::select(vec![1_u16, 4, 8, 16, 24, 32]),
    ) {
        let mut bytes = bmp(5, 4, bits, &[[0; 4], [255; 4]], &[0x5a; 80]);
        let at = at.index(bytes.len());
        let end = (at + new.len()).min(bytes.len());
        bytes[at..end].copy_from_slice(&new[..end - at]);
        let _ = seen(&bytes);
    }
}
