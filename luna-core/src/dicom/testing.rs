//! For tests: DICOM bytes put together by hand, also wrong ones.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// An explicit little endian element with a short length.
pub(crate) fn short(tag: Tag, vr: &str, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(tag.group().to_le_bytes());
    out.extend(tag.element().to_le_bytes());
    out.extend(vr.bytes());
    out.extend((value.len() as u16).to_le_bytes());
    out.extend(value);
    out
}

/// An explicit little endian element with a long length.
pub(crate) fn long(tag: Tag, vr: &str, length: u32, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(tag.group().to_le_bytes());
    out.extend(tag.element().to_le_bytes());
    out.extend(vr.bytes());
    out.extend([0, 0]);
    out.extend(length.to_le_bytes());
    out.extend(value);
    out
}

pub(crate) fn item(element: u16, length: u32, value: &[u8]) -> Vec<u8> {
    let mut out = 0xFFFE_u16.to_le_bytes().to_vec();
    out.extend(element.to_le_bytes());
    out.extend(length.to_le_bytes());
    out.extend(value);
    out
}

pub(crate) fn part10(syntax: &str, data_set: &[u8]) -> Vec<u8> {
    let mut uid = syntax.as_bytes().to_vec();
    uid.resize(uid.len().next_multiple_of(2), 0);
    let meta = short(tags::TRANSFER_SYNTAX_UID, "UI", &uid);
    let mut out = vec![0; 128];
    out.extend(b"DICM");
    let length = (meta.len() as u32).to_le_bytes();
    out.extend(short(tags::FILE_META_INFORMATION_GROUP_LENGTH, "UL", &length));
    out.extend(meta);
    out.extend(data_set);
    out
}

pub(crate) fn deflated(data_set: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data_set).unwrap();
    part10("1.2.840.10008.1.2.1.99", &encoder.finish().unwrap())
}

/// Encapsulated pixel data: an offset table and fragments, closed.
pub(crate) fn encapsulated(table: &[u32], fragments: &[&[u8]]) -> Vec<u8> {
    let table: Vec<u8> = table.iter().flat_map(|offset| offset.to_le_bytes()).collect();
    let mut items = item(0xE000, table.len() as u32, &table);
    for fragment in fragments {
        items.extend(item(0xE000, fragment.len() as u32, fragment));
    }
    items.extend(item(0xE0DD, 0, b""));
    long(tags::PIXEL_DATA, "OB", u32::MAX, &items)
}

/// What a header says of its pixels; all but the pixel data are written by [`Described::header`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Described {
    pub(crate) rows: u16,
    pub(crate) columns: u16,
    pub(crate) frames: u16,
    pub(crate) samples: u16,
    pub(crate) photometric: &'static str,
    pub(crate) planar: u16,
    /// Allocated, stored, high bit, representation.
    pub(crate) bits: [u16; 4],
}

/// A grey picture of 2 rows and 3 columns, 8 bits.
pub(crate) const GREY: Described = Described {
    rows: 2,
    columns: 3,
    frames: 1,
    samples: 1,
    photometric: "MONOCHROME2",
    planar: 0,
    bits: [8, 8, 7, 0],
};

impl Described {
    pub(crate) fn header(&self) -> Vec<u8> {
        let text = |tag, vr, text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            bytes.resize(bytes.len().next_multiple_of(2), b' ');
            short(tag, vr, &bytes)
        };
        let number = |tag, value: u16| short(tag, "US", &value.to_le_bytes());
        let [allocated, stored, high, representation] = self.bits;
        let mut parts = vec![
            text(tags::SOP_CLASS_UID, "UI", "1.2.840.10008.5.1.4.1.1.7\0"),
            number(tags::SAMPLES_PER_PIXEL, self.samples),
            text(tags::PHOTOMETRIC_INTERPRETATION, "CS", self.photometric),
        ];
        if self.samples > 1 {
            parts.push(number(tags::PLANAR_CONFIGURATION, self.planar));
        }
        parts.push(text(tags::NUMBER_OF_FRAMES, "IS", &self.frames.to_string()));
        parts.extend([
            number(tags::ROWS, self.rows),
            number(tags::COLUMNS, self.columns),
            number(tags::BITS_ALLOCATED, allocated),
            number(tags::BITS_STORED, stored),
            number(tags::HIGH_BIT, high),
            number(tags::PIXEL_REPRESENTATION, representation),
        ]);
        parts.concat()
    }

    /// A file with this pixel data element.
    pub(crate) fn file(&self, syntax: &str, pixel_data: &[u8]) -> Vec<u8> {
        part10(syntax, &[self.header(), pixel_data.to_vec()].concat())
    }

    /// An explicit little endian file with these native bytes.
    pub(crate) fn native(&self, bytes: &[u8]) -> Vec<u8> {
        let pixels = long(tags::PIXEL_DATA, "OW", bytes.len() as u32, bytes);
        self.file("1.2.840.10008.1.2.1", &pixels)
    }
}
