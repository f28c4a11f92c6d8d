use super::*;

/// The segments of `file` up to its first scan, as `(marker, payload)`.
fn grey(process: u8, precision: u8) -> Vec<u8> {
    let mut file = b"\xFF\xD8\xFF\xDB\x00\x43\x00".to_vec();
    file.extend([1; 64]);
    file.extend([0xFF, process, 0, 11, precision, 0, 8, 0, 8, 1, 1, 0x11, 0]);
    file.extend(b"\xFF\xDA\x00\x08\x01\x01\x00\x00\x3F\x00\x00\xFF\xD9");
    file
}

fn flaws_of(bytes: &[u8]) -> Flaws {
    probe(bytes, &Limits::default()).flaws
}

#[test]
fn a_sound_walk_has_no_flaw() {
    let file = grey(0xC0, 8);
    let found = probe(&file, &Limits::default());
    assert_eq!(found.flaws, []);
    let geometry = found.geometry.unwrap();
    assert_eq!((geometry.width, geometry.height, geometry.bits_stored), (8, 8, 8));
    let Header::Jpeg(header) = found.header else { panic!("no JPEG header") };
    assert_eq!(header.quality, Some(100));
}

#[test]
fn legal_processes_that_are_not_decoded_are_named() {
    for (process, precision, name) in [
        (0xCB, 16, "JPEG lossless with arithmetic coding (SOF11)"),
        (0xC9, 8, "JPEG with arithmetic coding (SOF9)"),
        (0xC5, 8, "JPEG hierarchical"),
        (0xF7, 12, "JPEG-LS (SOF55)"),
    ] {
        let wanted = Flaw::Unsupported { encoding: name.to_owned() };
        assert_eq!(flaws_of(&grey(process, precision)), [wanted]);
    }
}

#[test]
fn only_bytes_that_are_not_zero_are_trailing_data() {
    let mut file = grey(0xC0, 8);
    let end = file.len();
    file.extend([0; 3]);
    assert_eq!(flaws_of(&file), []);
    file.push(7);
    assert_eq!(flaws_of(&file), [Flaw::Trailing { offset: end as u64, bytes: 4 }]);
}
