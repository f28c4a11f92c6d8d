//! Synthetic pictures, cut and mutated.

use proptest::prelude::*;

use super::*;
use crate::probe::Rows;

fn any_recipe() -> impl Strategy<Value = Recipe> {
    proptest::sample::select(recipes())
}

/// A grey picture of one scan, which most cases of damage are shown on.
fn plain() -> (Vec<u8>, std::ops::Range<usize>) {
    let bytes = encode(GREY);
    let scan = last_scan(&bytes);
    (bytes, scan)
}

#[test]
fn the_row_at_which_a_picture_stops_is_told() {
    let (bytes, scan) = plain();
    let (_, whole) = examine(&bytes);
    let cut = scan.start + scan.len() / 2;
    for end in [b"".as_slice(), b"\xFF\xD9"] {
        let (flaws, image) = examine(&[&bytes[..cut], end].concat());
        let [Flaw::Truncated { offset, found, rows: Some(Rows { stopped, of }), .. }] =
            flaws.as_slice()
        else {
            panic!("{flaws:?}");
        };
        assert_eq!((*offset, *found), (cut as u64, (cut - scan.start) as u64));
        assert!((40..=64).contains(stopped) && stopped % 8 == 0 && *of == u32::from(SIZE.1));
        let image = image.unwrap();
        assert_eq!(image.rows_decoded, *stopped);
        let certain = *stopped as usize * usize::from(SIZE.0);
        assert_eq!(samples(&image)[..certain], samples(whole.as_ref().unwrap())[..certain]);
    }
}

#[test]
fn a_zeroed_tail_is_told_with_its_place() {
    let (mut bytes, scan) = plain();
    let from = scan.start + scan.len() / 2;
    bytes[from..].fill(0);
    let flaws = walk(&bytes);
    let [Flaw::Truncated { offset, rows: Some(rows), .. }] = flaws.as_slice() else {
        panic!("{flaws:?}");
    };
    assert!(*offset <= from as u64 && from as u64 - offset < 3, "{flaws:?} {from}");
    assert!((40..=64).contains(&rows.stopped));
}

#[test]
fn zeros_after_the_last_block_hide_only_the_end_marker() {
    let (mut bytes, scan) = plain();
    bytes.truncate(scan.end);
    bytes.extend([0; 100]);
    let (flaws, image) = examine(&bytes);
    assert!(matches!(flaws.as_slice(), [Flaw::NoEndMarker { .. }]), "{flaws:?}");
    assert!(image.unwrap().is_complete());
}

#[test]
fn surplus_coded_data_are_told() {
    let (mut bytes, scan) = plain();
    bytes.splice(scan.end..scan.end, [0x12; 9]);
    let (flaws, image) = examine(&bytes);
    let [Flaw::Decode { reason, offset: Some(offset), rows: None }] = flaws.as_slice() else {
        panic!("{flaws:?}");
    };
    assert_eq!(reason, fault::Fault::Surplus.reason());
    assert!(offset.abs_diff(scan.end as u64) < 9 && image.is_none());
}

#[test]
fn restart_markers_out_of_order_are_told() {
    let mut bytes = encode(Recipe { restart: 7, ..GREY });
    let scan = last_scan(&bytes);
    let marker = bytes[scan.clone()].windows(2).position(|pair| pair == [0xFF, 0xD1]).unwrap();
    bytes[scan.start + marker + 1] = 0xD3;
    let flaws = walk(&bytes);
    let [Flaw::Decode { reason, rows: Some(rows), .. }] = flaws.as_slice() else {
        panic!("{flaws:?}");
    };
    assert_eq!((reason.as_str(), rows.stopped), (fault::Fault::Restart.reason(), 0));
}

#[test]
fn a_scan_that_is_never_sent_is_told() {
    let recipe = Recipe { progressive: true, ..GREY };
    let bytes = encode(recipe);
    let last = last_scan(&bytes);
    // Without the last scan and its header the file is sound, but for what it lacks.
    let header = bytes[..last.start].windows(2).rposition(|pair| pair == [0xFF, 0xDA]).unwrap();
    let flaws = walk(&bytes[..header]);
    assert!(
        matches!(flaws.as_slice(), [Flaw::Truncated { found: 0, rows: None, .. }]),
        "{flaws:?}"
    );
}

#[test]
fn too_many_scans_are_over_the_budget() {
    let bytes = encode(Recipe { progressive: true, ..GREY });
    let scans = jpeg::read(&bytes, &Limits::default(), &mut Flaws::new()).scans().count() as u32;
    for (allowed, refused) in [(scans, false), (scans - 1, true)] {
        let limits = Limits { scans: allowed, ..Limits::default() };
        let found = probe(&bytes, &limits);
        let over = Flaw::OverBudget { limit: "scans", allowed: allowed.into(), seen: scans.into() };
        assert_eq!(found.flaws.contains(&over), refused);
        let mut flaws = Flaws::new();
        let image = super::super::super::decode(&bytes, &found, &limits, &mut flaws);
        assert_eq!(image.is_none(), refused);
    }
}

#[test]
fn a_frame_larger_than_the_budget_is_not_decoded() {
    let mut flaws = Flaws::new();
    let limits = Limits { side: 100, ..Limits::default() };
    assert!(decode_frame(&encode(GREY), &limits, &mut flaws).is_none());
    assert!(matches!(flaws.as_slice(), [Flaw::OverBudget { limit: "side", .. }]));
}

#[test]
fn components_of_a_frame_come_out_as_they_are_coded() {
    let recipe = Recipe { colour: true, ..GREY };
    let frame = decode_frame(&encode(recipe), &Limits::default(), &mut Flaws::new()).unwrap();
    assert_eq!((frame.channels, frame.precision, frame.transform), (3, 8, true));
    let luma = |rgb: &[u8]| {
        (299 * u32::from(rgb[0]) + 587 * u32::from(rgb[1]) + 114 * u32::from(rgb[2]) + 500) / 1_000
    };
    let wanted = picture(true);
    for (coded, rgb) in frame.samples.chunks(3).zip(wanted.chunks(3)) {
        assert!(u32::from(coded[0]).abs_diff(luma(rgb)) < 16);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn mutated_files_never_panic_and_are_whole_only_without_a_flaw(
        recipe in any_recipe(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        kept in any::<prop::sample::Index>(),
        cut: bool,
    ) {
        let mut bytes = encode(recipe);
        for (place, value) in changes {
            let at = place.index(bytes.len());
            bytes[at] = value;
        }
        if cut {
            bytes.truncate(kept.index(bytes.len()));
        }
        let limits = Limits { decoded_bytes: 1 << 22, ..Limits::default() };
        let found = probe(&bytes, &limits);
        let mut flaws = found.flaws.clone();
        if let Some(image) = super::super::super::decode(&bytes, &found, &limits, &mut flaws) {
            let shape = &image.geometry;
            prop_assert_eq!(image.samples.len() as u64, shape.samples());
            prop_assert!(image.is_complete() || !flaws.is_empty());
        }
        let mut flaws = Flaws::new();
        if let Some(frame) = decode_frame(&bytes, &limits, &mut flaws) {
            let pixels = u64::from(frame.width) * u64::from(frame.height);
            prop_assert_eq!(frame.samples.len() as u64, pixels * u64::from(frame.channels));
        }
    }

    #[test]
    fn any_bytes_after_a_start_of_image_never_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let bytes = [b"\xFF\xD8\xFF".as_slice(), &bytes].concat();
        examine(&bytes);
        jpeg::frame_header(&bytes);
    }
}
