use proptest::prelude::*;

use super::{IEND, SIGNATURE, probe};
use crate::limits::Limits;
use crate::probe::{Flaw, Flaws};

/// A PNG of these chunks, with right checksums.
fn built(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut bytes = SIGNATURE.to_vec();
    for (kind, data) in chunks {
        bytes.extend_from_slice(&(data.len() as u32).to_be_bytes());
        bytes.extend_from_slice(*kind);
        bytes.extend_from_slice(data);
        let crc = crc32fast::hash(&[&kind[..], data].concat());
        bytes.extend_from_slice(&crc.to_be_bytes());
    }
    bytes
}

const IHDR: &[u8] = &[0, 0, 0, 2, 0, 0, 0, 1, 8, 0, 0, 0, 0];

/// Two grey pixels.
fn small() -> Vec<u8> {
    let data = crate::testing::zlib(&[0, 10, 200]);
    built(&[(b"IHDR", IHDR), (b"IDAT", &data), (b"tEXt", b"Title\0x"), (b"IEND", b"")])
}

fn flaws(bytes: &[u8]) -> Flaws {
    probe(bytes, &Limits::default()).flaws
}

#[test]
fn a_sound_png_has_no_flaw() {
    let bytes = small();
    let found = probe(&bytes, &Limits::default());
    assert_eq!(found.flaws, []);
    let shape = found.geometry.unwrap();
    assert_eq!((shape.width, shape.height, shape.channels, shape.bits_stored), (2, 1, 1, 8));
}

#[test]
fn every_flipped_byte_is_found() {
    let sound = small();
    for at in 0..sound.len() {
        let mut bytes = sound.clone();
        bytes[at] ^= 0x10;
        let seen = crate::probe::probe(&bytes, &Limits::default());
        assert!(!seen.flaws.is_empty(), "byte {at} of {}", sound.len());
    }
}

#[test]
fn every_cut_is_a_truncation() {
    let sound = small();
    for end in SIGNATURE.len()..sound.len() {
        let found = flaws(&sound[..end]);
        let [Flaw::Truncated { offset, .. }] = found[..] else { panic!("{end}: {found:?}") };
        assert_eq!(offset, end as u64);
    }
}

#[test]
fn a_wrong_checksum_names_its_chunk() {
    let mut bytes = small();
    let at = bytes.len() - IEND.len() - 1;
    bytes[at] ^= 1;
    let found = flaws(&bytes);
    assert!(
        matches!(&found[..], [Flaw::Checksum { what, ancillary: true, .. }] if what == "chunk tEXt"),
        "{found:?}"
    );
    let mut bytes = small();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let found = flaws(&bytes);
    assert!(
        matches!(&found[..], [Flaw::Checksum { what, ancillary: false, .. }] if what == "chunk IEND"),
        "{found:?}"
    );
}

#[test]
fn zeros_behind_the_end_are_allowed_and_nothing_else_is() {
    let mut bytes = small();
    let end = bytes.len() as u64;
    bytes.extend([0; 512]);
    assert_eq!(flaws(&bytes), []);
    bytes.push(b'x');
    assert_eq!(flaws(&bytes), [Flaw::Trailing { offset: end, bytes: 513 }]);
}

#[test]
fn a_wrong_length_in_a_whole_file_is_no_truncation() {
    let mut bytes = small();
    bytes[SIGNATURE.len() + 25] = 0x01; // length of IDAT
    let found = flaws(&bytes);
    assert!(matches!(&found[..], [Flaw::Decode { .. }]), "{found:?}");
}

#[test]
fn order_and_legality_are_checked() {
    let data = crate::testing::zlib(&[0, 1, 2]);
    let header = |depth, colour| [0, 0, 0, 2, 0, 0, 0, 1, depth, colour, 0, 0, 0];
    let bad: &[(&str, Vec<u8>)] = &[
        ("16-bit palette", built(&[(b"IHDR", &header(16, 3)), (b"IEND", b"")])),
        ("palette missing", built(&[(b"IHDR", &header(8, 3)), (b"IDAT", &data), (b"IEND", b"")])),
        ("no IHDR", built(&[(b"IDAT", &data), (b"IEND", b"")])),
        ("no IDAT", built(&[(b"IHDR", IHDR), (b"IEND", b"")])),
        ("two IHDR", built(&[(b"IHDR", IHDR), (b"IHDR", IHDR), (b"IDAT", &data), (b"IEND", b"")])),
        (
            "IDAT in two places",
            built(&[
                (b"IHDR", IHDR),
                (b"IDAT", &data[..3]),
                (b"tIME", b"1234567"),
                (b"IDAT", &data[3..]),
                (b"IEND", b""),
            ]),
        ),
        ("no width", built(&[(b"IHDR", &[0; 13]), (b"IDAT", &data), (b"IEND", b"")])),
        ("unknown", built(&[(b"IHDR", IHDR), (b"ABCD", b""), (b"IDAT", &data), (b"IEND", b"")])),
    ];
    for (what, bytes) in bad {
        let found = flaws(bytes);
        assert!(matches!(&found[..], [Flaw::Decode { .. }]), "{what}: {found:?}");
    }
}

#[test]
fn an_animation_is_many_images() {
    let data = crate::testing::zlib(&[0, 1, 2]);
    let bytes = built(&[
        (b"IHDR", IHDR),
        (b"acTL", &[0, 0, 0, 7, 0, 0, 0, 0]),
        (b"IDAT", &data),
        (b"IEND", b""),
    ]);
    assert_eq!(flaws(&bytes), [Flaw::ManyImages { count: 7, what: "APNG frames" }]);
}

#[test]
fn a_file_of_nothing_but_broken_chunks_has_few_flaws() {
    let mut bytes = small();
    bytes.truncate(bytes.len() - IEND.len());
    for _ in 0..10_000 {
        bytes.extend_from_slice(b"\0\0\0\0teXtABCD");
    }
    bytes.extend_from_slice(IEND);
    assert!(flaws(&bytes).len() <= super::MOST_FLAWS);
}

proptest! {
    #[test]
    fn changed_bytes_never_panic(
        at in 0_usize..200,
        new in proptest::collection::vec(any::<u8>(), 1..20),
        cut in 0_usize..200,
    ) {
        let mut bytes = small();
        let at = at.min(bytes.len() - 1);
        let end = (at + new.len()).min(bytes.len());
        bytes[at..end].copy_from_slice(&new[..end - at]);
        bytes.truncate(cut.max(8));
        let _ = probe(&bytes, &Limits::default());
    }
}
