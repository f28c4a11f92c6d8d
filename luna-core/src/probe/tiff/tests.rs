use super::ifd::Tiff;
use crate::limits::Limits;
use crate::probe::{Flaw, probe};

#[test]
fn a_header_alone_is_truncated() {
    for bytes in [&b"II*\0"[..], b"MM\0*\0\0\0\x08", b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0"] {
        let flaws = probe(bytes, &Limits::default()).flaws;
        assert!(matches!(flaws[..], [Flaw::Truncated { .. }]), "{flaws:?}");
    }
}

#[test]
fn a_value_behind_the_end_is_left_out_and_told() {
    // One entry, ImageDescription of 100 bytes at offset 4,000.
    let mut bytes = b"II*\0\x08\0\0\0\x01\0".to_vec();
    bytes.extend(270_u16.to_le_bytes());
    bytes.extend(2_u16.to_le_bytes());
    bytes.extend(100_u32.to_le_bytes());
    bytes.extend(4_000_u32.to_le_bytes());
    bytes.extend([0; 4]);
    let (tiff, first) = Tiff::open(&bytes).unwrap();
    let directory = tiff.directory(first).unwrap();
    assert!(directory.entries().is_empty());
    assert_eq!(directory.beyond, Some((270, 4_000, 100)));
}

#[test]
fn a_directory_of_more_entries_than_bytes_is_not_read() {
    let bytes = b"II*\0\x08\0\0\0\xff\xff\x00\x01";
    let (tiff, first) = Tiff::open(bytes).unwrap();
    assert!(tiff.directory(first).is_none());
    assert!(tiff.directory(u64::MAX).is_none());
}
