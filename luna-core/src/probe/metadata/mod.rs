//! Text and traces of people, places and devices that picture files carry beside the picture: EXIF,
//! XMP, IPTC, PNG text, TIFF tags, JPEG comments. Parsed fields only, never raw bytes.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod exif;
mod iptc;
mod png;
#[cfg(test)]
mod tests;
mod text;
mod xmp;

use super::jpeg::{BlockKind, MetadataBlock};

/// Longest value that is kept, in bytes of the file.
const LONGEST: usize = 4_096;
/// Fields that are kept of one file.
const MOST_FIELDS: usize = 256;

/// What a field tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trace {
    /// A person: artist, owner, creator, by-line.
    Person,
    /// A date that was not made by the encoder: DateTimeOriginal and the like.
    Date,
    /// Coordinates.
    Gps,
    /// A place in words: city, country, location.
    Place,
    /// A serial number of a device.
    Serial,
    /// Free text: comments, descriptions. Encoder banners are left out.
    Text,
}

/// A parsed field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataField {
    /// Where it stands: `EXIF`, `XMP`, `IPTC`, `PNG text`, `TIFF tag`, `JPEG comment`.
    pub carrier: &'static str,
    /// Its name in that standard: `Artist`, `dc:creator`, `By-line`, …
    pub name: String,
    /// What it tells.
    pub trace: Trace,
    /// The value. May name a person: mask it.
    pub value: String,
    /// Offset of the block that holds it, in bytes.
    pub offset: u64,
}

/// What stands beside the picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Parsed fields, in file order.
    pub fields: Vec<MetadataField>,
    /// EXIF names a camera together with its optics (Make with FNumber or ExposureTime).
    pub camera: bool,
    /// EXIF UserComment says `Screenshot`.
    pub screenshot: bool,
}

impl Metadata {
    /// What the blocks of a JPEG say.
    pub(crate) fn of_jpeg(bytes: &[u8], blocks: &[MetadataBlock]) -> Self {
        let mut found = Self::default();
        for MetadataBlock { kind, offset, range } in blocks {
            let block = bytes.get(range.clone()).unwrap_or_default();
            match kind {
                BlockKind::Exif => exif::read(block, *offset, "EXIF", &mut found),
                BlockKind::Xmp => xmp::read(block, *offset, &mut found),
                BlockKind::Iptc => iptc::read(block, *offset, &mut found),
                BlockKind::Comment => text::comment(block, *offset, &mut found),
                // The rest of a packet that is longer than a segment; what tells stands in its
                // first part.
                BlockKind::XmpExtension => {}
            }
        }
        found
    }

    /// What the tags of a TIFF say.
    pub(crate) fn of_tiff(bytes: &[u8]) -> Self {
        let mut found = Self::default();
        exif::read(bytes, 0, "TIFF tag", &mut found);
        found
    }

    /// What a chunk of a PNG says; `most` is the longest text that is inflated.
    pub(crate) fn take_png_chunk(&mut self, kind: [u8; 4], data: &[u8], offset: u64, most: usize) {
        png::read(kind, data, offset, most, self);
    }

    /// Adds a field, unless it is empty, a banner, known already, or a date that is none.
    fn add(&mut self, carrier: &'static str, name: &str, trace: Trace, value: &str, offset: u64) {
        let value = value.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        let trace = if trace == Trace::Text { text::tells(value) } else { trace };
        let says_nothing = match trace {
            Trace::Date => !text::has_date(value),
            Trace::Gps | Trace::Serial => !value.chars().any(|c| c.is_ascii_digit() && c != '0'),
            Trace::Person | Trace::Place | Trace::Text => text::is_banner(value),
        };
        let known =
            self.fields.iter().any(|field| field.name == name && field.value.as_str() == value);
        if says_nothing || known || self.fields.len() >= MOST_FIELDS {
            return;
        }
        let (name, value) = (name.to_owned(), value.to_owned());
        self.fields.push(MetadataField { carrier, name, trace, value, offset });
    }
}
