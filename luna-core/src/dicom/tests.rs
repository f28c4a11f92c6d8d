//! The walker and its file on made and broken bytes.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use proptest::prelude::*;

use super::testing::{deflated, item, long, part10, short};
use super::*;
use crate::limits::Limits;
use crate::probe::{Flaw, Flaws};

fn explicit(parts: &[Vec<u8>]) -> Vec<u8> {
    part10("1.2.840.10008.1.2.1", &parts.concat())
}

fn read(bytes: &[u8]) -> (DicomFile<'_>, Flaws) {
    let mut flaws = Flaws::new();
    let file = DicomFile::read(bytes, &Limits::default(), &mut flaws);
    (file, flaws)
}

fn kinds(file: &DicomFile<'_>) -> Vec<AnomalyKind> {
    file.anomalies.iter().map(|anomaly| anomaly.kind).collect()
}

const NAME: Tag = tags::PATIENT_NAME;
const STUDY: Tag = tags::STUDY_INSTANCE_UID;
const SEQUENCE: Tag = tags::REQUEST_ATTRIBUTES_SEQUENCE;
const REASON: Tag = tags::REQUESTED_PROCEDURE_DESCRIPTION;

#[test]
fn elements_are_found_at_all_depths_with_their_paths() {
    let inner = short(REASON, "LO", b"CHEST ");
    let items = [
        item(0xE000, inner.len() as u32, &inner),
        item(0xE000, u32::MAX, &inner),
        item(0xE00D, 0, b""),
        item(0xE0DD, 0, b""),
    ]
    .concat();
    let bytes = explicit(&[
        short(NAME, "PN", b"A^B "),
        long(SEQUENCE, "SQ", u32::MAX, &items),
        short(tags::PATIENT_STATE, "LO", b"x "),
    ]);
    let (file, flaws) = read(&bytes);
    assert_eq!(flaws, []);
    assert_eq!(kinds(&file), [AnomalyKind::OutOfOrder { after: SEQUENCE }]);
    let sequence = *file.element(SEQUENCE).unwrap();
    let inside: Vec<_> = file.inside(&sequence).collect();
    assert_eq!((sequence.items, inside.len()), (2, 2));
    assert_eq!(file.path(inside[1]), "(0040,0275)[1].(0032,1060)");
    assert_eq!(file.text_of(inside[1]).as_deref(), Some("CHEST"));
    assert_eq!(file.text(NAME).as_deref(), Some("A^B"));
    assert_eq!(file.text(tags::TRANSFER_SYNTAX_UID).as_deref(), Some("1.2.840.10008.1.2.1"));
}

#[test]
fn structure_that_breaks_the_rules_is_noted() {
    let bytes = explicit(&[
        short(STUDY, "UI", b"1.2.3\0"),
        short(NAME, "PN", b"odd"),
        short(NAME, "PN", b"twin"),
        short(tags::ROWS, "ZZ", b"\0\x01"),
        item(0xE00D, 0, b""),
        long(SEQUENCE, "SQ", u32::MAX, &item(0xE000, u32::MAX, b"")),
    ]);
    let (file, flaws) = read(&bytes);
    let found = kinds(&file);
    assert!(found.contains(&AnomalyKind::OutOfOrder { after: STUDY }));
    assert!(found.contains(&AnomalyKind::OddLength { length: 3 }));
    assert!(found.contains(&AnomalyKind::UnknownVr { vr: *b"ZZ" }));
    assert!(found.contains(&AnomalyKind::StrayDelimiter));
    assert_eq!(found.iter().filter(|kind| **kind == AnomalyKind::NoDelimiter).count(), 2);
    assert!(found.iter().any(|kind| matches!(kind, AnomalyKind::Duplicate { .. })));
    assert!(matches!(flaws[..], [Flaw::Truncated { .. }]), "{flaws:?}");
}

#[test]
fn a_value_longer_than_the_file_is_truncated_and_hides_nothing_before_it() {
    let bytes = explicit(&[
        short(tags::ROWS, "US", &[4, 0]),
        long(tags::PIXEL_DATA, "OW", 4_000_000_000, &[7; 12]),
    ]);
    let (file, flaws) = read(&bytes);
    assert_eq!(file.integer(tags::ROWS), Some(4));
    assert_eq!(file.bytes_of(file.element(tags::PIXEL_DATA).unwrap()), [7; 12]);
    let Flaw::Truncated { offset, expected, found, .. } = flaws[0] else { panic!("{flaws:?}") };
    assert_eq!((offset, expected, found), (bytes.len() as u64, Some(4_000_000_000), 12));
}

#[test]
fn bytes_after_the_pixel_data_are_trailing_unless_zero() {
    let pixels = long(tags::PIXEL_DATA, "OW", 4, &[1, 2, 3, 4]);
    let clean = explicit(&[pixels.clone(), vec![0; 40]]);
    assert_eq!(read(&clean).1, []);
    let dirty = explicit(&[pixels, b"garbage at the end".to_vec()]);
    let offset = dirty.len() as u64 - 18;
    assert_eq!(read(&dirty).1, [Flaw::Trailing { offset, bytes: 18 }]);
}

#[test]
fn an_unknown_sequence_of_undefined_length_is_implicit() {
    let mut inner = Vec::new();
    inner.extend([0x10, 0, 0x10, 0, 4, 0, 0, 0]);
    inner.extend(b"A^B ");
    let items = [item(0xE000, inner.len() as u32, &inner), item(0xE0DD, 0, b"")].concat();
    let bytes = explicit(&[
        long(Tag(0x0009, 0x1001), "UN", u32::MAX, &items),
        short(STUDY, "UI", b"1.2.3\0"),
    ]);
    let (file, _) = read(&bytes);
    assert_eq!(kinds(&file), []);
    let name = file.elements.iter().find(|element| element.tag == NAME).unwrap();
    assert_eq!(file.text_of(name).as_deref(), Some("A^B"));
}

#[test]
fn encapsulated_pixel_data_are_split_into_items() {
    let items = [
        item(0xE000, 0, b""),
        item(0xE000, 2, b"ab"),
        item(0xE000, 4, b"cdef"),
        item(0xE0DD, 0, b""),
    ]
    .concat();
    let bytes = part10("1.2.840.10008.1.2.5", &long(tags::PIXEL_DATA, "OB", u32::MAX, &items));
    let (file, flaws) = read(&bytes);
    assert_eq!((flaws, kinds(&file)), (vec![], vec![]));
    let pixels = file.encapsulated.as_ref().unwrap();
    assert!(pixels.closed && pixels.offset_table().is_empty());
    let fragments: Vec<_> = pixels.fragments().iter().map(|at| &file.data[at.clone()]).collect();
    assert_eq!(fragments, [b"ab".as_slice(), b"cdef"]);
}

#[test]
fn a_lying_transfer_syntax_is_seen() {
    let data_set = [short(NAME, "PN", b"A^B "), short(STUDY, "UI", b"1.2.3\0")].concat();
    let bytes = part10("1.2.840.10008.1.2", &data_set);
    let (file, _) = read(&bytes);
    assert!(file.misdeclared);
    assert_eq!(file.encoding, Encoding::EXPLICIT);
    assert_eq!(file.text(STUDY).as_deref(), Some("1.2.3"));
}

#[test]
fn a_deflated_data_set_is_inflated() {
    let bytes = deflated(&short(NAME, "PN", b"A^B "));
    let (file, flaws) = read(&bytes);
    assert_eq!(flaws, []);
    assert!(file.inflated && !file.misdeclared);
    assert_eq!(file.text(NAME).as_deref(), Some("A^B"));
}

#[test]
fn a_deflate_bomb_stops_at_the_budget() {
    let bytes = deflated(&long(tags::PIXEL_DATA, "OB", 8 << 20, &vec![0; 8 << 20]));
    assert!(bytes.len() < 20_000);
    let limits = Limits { decoded_bytes: 1 << 20, ..Limits::default() };
    let mut flaws = Flaws::new();
    let file = DicomFile::read(&bytes, &limits, &mut flaws);
    assert!(file.data.len() < 2 << 20);
    assert!(
        matches!(flaws[0], Flaw::OverBudget { limit: "decoded_bytes", allowed, .. } if allowed == 1 << 20)
    );
}

/// `depth` sequences inside each other, none closed.
fn nested(depth: usize) -> Vec<u8> {
    let one = [long(SEQUENCE, "SQ", u32::MAX, b""), item(0xE000, u32::MAX, b"")].concat();
    explicit(&[one.repeat(depth)])
}

#[test]
fn a_hundred_thousand_nested_sequences_fit_a_small_stack() {
    let bytes = nested(100_001);
    let walk = move || {
        let (file, flaws) = read(&bytes);
        assert!(file.anomalies.iter().any(|own| own.kind == AnomalyKind::TooDeep { allowed: 64 }));
        assert!(file.elements.len() <= 67, "{}", file.elements.len());
        let deepest = file.elements.last().unwrap();
        assert_eq!(file.path(deepest).matches('[').count(), 64);
        assert!(
            flaws.iter().any(|f| matches!(f, Flaw::OverBudget { limit: "dicom_elements", .. }))
        );
    };
    let thread = std::thread::Builder::new().stack_size(512 << 10);
    thread.spawn(walk).unwrap().join().unwrap();
}

#[test]
fn what_follows_a_sequence_that_is_too_deep_is_found() {
    let mut bytes = nested(100);
    for _ in 0..100 {
        bytes.extend(item(0xE00D, 0, b""));
        bytes.extend(item(0xE0DD, 0, b""));
    }
    bytes.extend(long(tags::PIXEL_DATA, "OW", 2, &[1, 2]));
    let (file, flaws) = read(&bytes);
    assert_eq!(flaws, []);
    assert!(file.element(tags::PIXEL_DATA).is_some());
    assert_eq!(kinds(&file), [AnomalyKind::TooDeep { allowed: 64 }]);
}

fn whole_file() -> Vec<u8> {
    let inner = short(REASON, "LO", b"CHEST ");
    let items = [item(0xE000, inner.len() as u32, &inner), item(0xE0DD, 0, b"")].concat();
    let pixels = [item(0xE000, 0, b""), item(0xE000, 2, b"ab"), item(0xE0DD, 0, b"")].concat();
    explicit(&[
        short(tags::SPECIFIC_CHARACTER_SET, "CS", b"\\ISO 2022 IR 87"),
        short(NAME, "PN", b"A^B=\x1B$B;3ED\x1B(B "),
        short(tags::ROWS, "US", &[4, 0]),
        long(SEQUENCE, "SQ", u32::MAX, &items),
        long(tags::PIXEL_DATA, "OB", u32::MAX, &pixels),
    ])
}

proptest! {
    #[test]
    fn broken_files_neither_panic_nor_point_outside(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        keep in any::<prop::sample::Index>(),
    ) {
        let mut bytes = whole_file();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(keep.index(bytes.len()) + 1);
        let (file, _) = read(&bytes);
        for element in &file.elements {
            prop_assert!(element.value + element.length <= file.data.len());
            prop_assert!(element.offset < element.value);
            file.text_of(element);
            file.location(element);
        }
        for range in file.encapsulated.iter().flat_map(|pixels| &pixels.items) {
            prop_assert!(range.start <= range.end && range.end <= file.data.len());
        }
    }

    #[test]
    fn any_bytes_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        read(&bytes);
    }
}
