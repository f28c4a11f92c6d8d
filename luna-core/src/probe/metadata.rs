//! Text and traces of people, places and devices that picture files carry beside the picture: EXIF,
//! XMP, IPTC, PNG text, TIFF tags, JPEG comments. Parsed fields only, never raw bytes.

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
