use proptest::prelude::*;

use super::{Metadata, Trace, exif, iptc, text, xmp};
use crate::limits::Limits;
use crate::probe::probe;
use crate::testing;

/// Big-endian EXIF with one entry of text in the main directory.
fn exif_text(tag: u16, value: &[u8]) -> Vec<u8> {
    let mut block = b"MM\0*\0\0\0\x08\0\x01".to_vec();
    block.extend(tag.to_be_bytes());
    block.extend(2_u16.to_be_bytes());
    block.extend((value.len() as u32).to_be_bytes());
    block.extend(26_u32.to_be_bytes());
    block.extend([0; 4]);
    block.extend_from_slice(value);
    block
}

fn read(of: impl Fn(&mut Metadata)) -> Vec<(String, Trace, String)> {
    let mut found = Metadata::default();
    of(&mut found);
    found.fields.into_iter().map(|field| (field.name, field.trace, field.value)).collect()
}

#[test]
fn a_person_in_exif_is_a_person_and_an_empty_field_nobody() {
    let found = read(|out| exif::read(&exif_text(0x013b, b"Dr Jane Doe\0"), 0, "EXIF", out));
    assert_eq!(found, [("Artist".to_owned(), Trace::Person, "Dr Jane Doe".to_owned())]);
    assert_eq!(read(|out| exif::read(&exif_text(0x013b, b"           \0"), 0, "EXIF", out)), []);
}

#[test]
fn a_date_has_to_be_one() {
    for (value, is_date) in [
        (&b"2019:03:17 10:12:44\0"[..], true),
        (b"0000:00:00 00:00:00\0", false),
        (b"    :  :     :  :  \0", false),
        (b"1970:01:01 00:00:00\0", false),
    ] {
        let found = read(|out| exif::read(&exif_text(0x9003, value), 0, "EXIF", out));
        assert_eq!(found.len(), usize::from(is_date), "{found:?}");
    }
    for text in ["on 31.07.2019", "20190731", "2019-07-31T00:00", "x (2019/07/31)"] {
        assert!(text::has_date(text), "{text}");
    }
    for text in ["120190731", "99999999", "version [2.0.18.50]", "7/31"] {
        assert!(!text::has_date(text), "{text}");
    }
}

#[test]
fn banners_are_silent_and_labelled_comments_speak() {
    for banner in [
        "CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90",
        "Handmade Software, Inc. Image Alchemy v1.14\n",
        "Intel(R) JPEG Library, version 1,5,4,36",
        "LEAD Technologies Inc. V1.01",
        "Lavc58.54.100",
        "Created with GIMP",
        "",
        "  \n",
    ] {
        let found = read(|out| text::comment(banner.as_bytes(), 0, out));
        assert_eq!(found, [], "{banner:?}");
    }
    let found = read(|out| text::comment(b"Patient: Jane Doe, born 17.03.1951", 0, out));
    assert_eq!(found[0].1, Trace::Person);
    let found = read(|out| text::comment(b"52-year-old patient with pneumonia", 0, out));
    assert_eq!(found[0].1, Trace::Text);
}

#[test]
fn xmp_is_read_from_attributes_and_from_lists() {
    let packet = br#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description
        photoshop:City="Exampleton" xmp:CreatorTool="Adobe Photoshop" exif:GPSLatitude="52,30.9N">
        <dc:creator><rdf:Seq><rdf:li>Jane Doe</rdf:li></rdf:Seq></dc:creator>
        <dc:title>Jane</dc:title></rdf:Description></rdf:RDF></x:xmpmeta>"#;
    let found = read(|out| xmp::read(packet, 0, out));
    let names: Vec<&str> = found.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["photoshop:City", "exif:GPSLatitude", "dc:creator"]);
}

#[test]
fn xmp_that_nests_or_expands_without_end_is_given_up() {
    let deep = "<a>".repeat(100_000);
    assert_eq!(read(|out| xmp::read(deep.as_bytes(), 0, out)), []);
    let bomb =
        r#"<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><dc:creator>&c;</dc:creator>"#;
    assert_eq!(read(|out| xmp::read(bomb.as_bytes(), 0, out)), []);
}

#[test]
fn iptc_is_read_until_a_length_does_not_fit() {
    let block = b"\x1c\x02\x00\x00\x02\0\x02\x1c\x02\x50\0\x08Jane Doe\x1c\x02\x5a\xff\xff";
    let found = read(|out| iptc::read(block, 0, out));
    assert_eq!(found, [("By-line".to_owned(), Trace::Person, "Jane Doe".to_owned())]);
}

#[test]
fn png_text_is_inflated_up_to_the_limit() {
    let mut chunk = b"Author\0\0".to_vec();
    chunk.extend(testing::zlib(b"Jane Doe"));
    let found = read(|out| out.take_png_chunk(*b"zTXt", &chunk, 0, 1_000));
    assert_eq!(found, [("Author".to_owned(), Trace::Person, "Jane Doe".to_owned())]);
    let mut bomb = b"Author\0\0".to_vec();
    bomb.extend(testing::zlib(&vec![b'x'; 10 << 20]));
    let found = read(|out| out.take_png_chunk(*b"zTXt", &bomb, 0, 1_000));
    assert_eq!(found[0].2.len(), 1_000);
    let chunk = b"Software\0Film scanner 2.1";
    assert_eq!(read(|out| out.take_png_chunk(*b"tEXt", chunk, 0, 1_000)), []);
    let mut raw = b"Raw profile type exif\0\nexif\n      37\n".to_vec();
    raw.extend(hex::encode(exif_text(0x013b, b"Jane Doe\0")).into_bytes());
    let found = read(|out| out.take_png_chunk(*b"tEXt", &raw, 0, 1_000));
    assert_eq!(found, [("Artist".to_owned(), Trace::Person, "Jane Doe".to_owned())]);
}

#[test]
fn four_of_forty_real_pictures_hold_the_date_on_which_they_were_taken() {
    let Some(files) = testing::shared_files("cxr") else { return };
    let mut dated = 0;
    for (name, bytes) in &files {
        let fields = probe(bytes, &Limits::default()).metadata.fields;
        let told: Vec<_> = fields.iter().filter(|field| field.trace != Trace::Text).collect();
        dated += usize::from(told.iter().any(|field| field.name == "DateTimeOriginal"));
        let only_dates = told.iter().all(|field| field.trace == Trace::Date);
        assert!(
            only_dates,
            "{name}: {:?}",
            told.iter().map(|f| (&f.name, f.trace)).collect::<Vec<_>>()
        );
    }
    assert_eq!((files.len(), dated), (40, 4));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        tag in any::<u16>(),
        at in any::<prop::sample::Index>(),
    ) {
        let mut out = Metadata::default();
        let mut block = exif_text(tag, &bytes);
        exif::read(&block, 0, "EXIF", &mut out);
        let at = at.index(block.len());
        block[at] ^= 0x41;
        exif::read(&block, 0, "EXIF", &mut out);
        xmp::read(&bytes, 0, &mut out);
        iptc::read(&bytes, 0, &mut out);
        for kind in [*b"tEXt", *b"zTXt", *b"iTXt", *b"eXIf"] {
            out.take_png_chunk(kind, &bytes, 0, 1_000);
        }
        prop_assert!(out.fields.len() <= super::MOST_FIELDS);
    }
}
