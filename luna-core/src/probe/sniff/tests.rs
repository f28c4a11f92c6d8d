use proptest::prelude::*;

use super::sniff;
use crate::probe::Format;

fn placed(offset: usize, magic: &[u8]) -> Vec<u8> {
    let mut bytes = vec![1; offset];
    bytes.extend_from_slice(magic);
    bytes
}

#[test]
fn magic_numbers_name_their_format() {
    let samples: &[(Vec<u8>, Format)] = &[
        (placed(128, b"DICM\x02\0\0\0UL"), Format::Dicom),
        (b"\x89PNG\r\n\x1a\n".to_vec(), Format::Png),
        (b"\x89PNG\n\x1a\n\0\0\0\x0dIHDR".to_vec(), Format::Png),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0".to_vec(), Format::Jpeg),
        (b"\xff\xd8\xff\xf7\0\x0b\x08".to_vec(), Format::JpegLs),
        (b"\xff\xd8\xff\xe8\0\x04\0\0\xff\xf7".to_vec(), Format::JpegLs),
        (b"\xff\xd8".to_vec(), Format::Jpeg),
        (b"II*\0\x08\0\0\0".to_vec(), Format::Tiff),
        (b"MM\0+\0\x08\0\0".to_vec(), Format::Tiff),
        (b"II\xbc\x01".to_vec(), Format::JpegXr),
        (b"BM".to_vec(), Format::Bmp),
        (b"\0\0\0\x0cjP  \r\n\x87\n".to_vec(), Format::Jpeg2000),
        (b"\xff\x4f\xff\x51".to_vec(), Format::Jpeg2000),
        (b"RIFF\x04\0\0\0WEBPVP8 ".to_vec(), Format::WebP),
        (b"RIFF\x04\0\0\0AVI LIST".to_vec(), Format::Video),
        (b"\0\0\0\x18ftypheic".to_vec(), Format::Heif),
        (b"\0\0\0\x18ftypavif".to_vec(), Format::Heif),
        (b"\0\0\0\x18ftypjph ".to_vec(), Format::Jpeg2000),
        (b"\0\0\0\x18ftypisom".to_vec(), Format::Video),
        (b"P5\n# made by hand\n64 64\n255\n".to_vec(), Format::Pnm),
        (placed(344, b"n+1\0"), Format::Nifti),
        (placed(257, b"ustar\0"), Format::Tar),
        (b"PK\x03\x04".to_vec(), Format::Zip),
        (b"BZh91AY&SY".to_vec(), Format::Bzip2),
        (b"%PDF-1.7\n".to_vec(), Format::Pdf),
        (b"MZ\x90\0\x03\0".to_vec(), Format::WindowsExe),
        (placed(512, b"\x89HDF\r\n\x1a\n"), Format::Hdf5),
    ];
    for (bytes, format) in samples {
        assert_eq!(sniff(bytes), Some(*format), "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn text_is_told_apart() {
    let samples: &[(&[u8], Format)] = &[
        (b"file,label\na.png,0\n", Format::Csv),
        (b"\xef\xbb\xbffile;label;view\na;0;PA\nb;1;AP\n", Format::Csv),
        (b"file\tlabel\na\t0\n", Format::Tsv),
        (b"id,note,x\n1,\"a, b\nc\",2\n2,d,3\n", Format::Csv),
        (b"a,b,c\n1,2,3\n1,2\n1,2,3\n1,2,3\n1,2,3\n", Format::Csv),
        (b"name,stadt\nm\xfcller,k\xf6ln\nabcdefghijkl,mnop\n", Format::Csv),
        (b"{\"a\": [1, 2, {}]}\n", Format::Json),
        (b"{\"a\": 1}\n{\"a\": 2}\n", Format::Json),
        (b"[1, 2", Format::Json),
        (b"[section]\nkey = value\n", Format::Text),
        (b"Hello, world.\nThis is prose.\n", Format::Text),
        (b"Dear all, thank you, really, for coming.\n", Format::Text),
        (b"BMI is a measure of something.\n", Format::Text),
        (b"MZ is not a program.\n", Format::Text),
        (b"#!/bin/sh\necho 1\n", Format::Text),
        (b"\xff\xfeh\0i\0\n\0", Format::Text),
        (b"<?xml version=\"1.0\"?>\n<!-- x --><svg xmlns=\"\">", Format::Svg),
        (b"  <svg width='1'/>", Format::Svg),
        (b"<!DOCTYPE html>\n<p>", Format::Html),
        (b"\xef\xbb\xbf<html>", Format::Html),
        (b"<?xml version='1.0'?><note/>", Format::Xml),
    ];
    for (bytes, format) in samples {
        assert_eq!(sniff(bytes), Some(*format), "{:?}", String::from_utf8_lossy(bytes));
    }
    for bytes in [&b"\x01\x02\x03\x04"[..], b"abc\0def", b"\x80\x81\x82\x83"] {
        assert_eq!(sniff(bytes), None, "{bytes:?}");
    }
}

#[test]
fn text_cut_inside_a_character_or_a_row_is_still_text() {
    let mut table = "datei,bemerkung,größe\n".repeat(4_000).into_bytes();
    assert!(table.len() > super::HEAD);
    for drop in 0..30 {
        table.remove(0);
        let head_start = table.iter().position(|byte| *byte == b'\n').unwrap();
        let shifted = [&vec![b'x'; drop][..], b",a,b", &table[head_start..]].concat();
        assert_eq!(sniff(&shifted), Some(Format::Csv), "shifted by {drop}");
    }
}

#[test]
fn dicom_without_preamble_is_told_by_its_first_elements() {
    let explicit = b"\x08\0\x05\0CS\x0a\0ISO_IR 100\x08\0\x16\0UI\x02\x001\0";
    let implicit = b"\x08\0\x05\0\x0a\0\0\0ISO_IR 100\x08\0\x16\0\x02\0\0\x001\0";
    let big = b"\0\x08\0\x05CS\0\x0aISO_IR 100\0\x08\0\x16UI\0\x021\0";
    let meta = b"\x02\0\0\0UL\x04\0\x0a\0\0\0\x02\0\x10\0UI\x02\x001\0";
    for bytes in [&explicit[..], implicit, big, meta] {
        assert_eq!(sniff(bytes), Some(Format::Dicom), "{bytes:?}");
    }
    assert_eq!(sniff(b"\x08\0\x05\0\x0a\0\0\0ISO_IR 100\x01\0\x16\0\x02\0\0\x001\0"), None);
}

#[test]
fn real_files_are_what_their_folder_says() {
    for (folder, formats) in [
        ("nih", &[Format::Png][..]),
        ("cxr", &[Format::Png, Format::Jpeg]),
        ("dicom", &[Format::Dicom]),
    ] {
        let Some(files) = crate::testing::shared_files(folder) else { return };
        for (name, bytes) in files {
            let found = sniff(&bytes);
            assert!(found.is_some_and(|found| formats.contains(&found)), "{name}: {found:?}");
        }
    }
}

proptest! {
    #[test]
    fn what_is_cut_off_never_turns_a_png_into_something_else(
        rest in proptest::collection::vec(any::<u8>(), 0..700),
        at in 4_usize..60,
    ) {
        let bytes = [&b"\x89PNG\r\n\x1a\n"[..], &rest].concat();
        prop_assert_eq!(sniff(&bytes[..at.min(bytes.len())]), Some(Format::Png));
    }

    #[test]
    fn any_bytes_are_looked_at_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..700)) {
        let _ = sniff(&bytes);
    }

    #[test]
    fn any_text_has_a_name(text in "[ -~\n]{1,300}") {
        prop_assert!(sniff(text.as_bytes()).is_some());
    }
}
