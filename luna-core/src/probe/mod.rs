//! Stage 2, *probe*: what a file says it is. Bytes in, a [`Probe`] out: format, header, geometry,
//! metadata and flaws. No pixel is decoded here.
//!
//! A format is told by its bytes alone ([`sniff`](sniff()); the name is not even known here). Each format that is
//! decoded has one module that reads its header strictly and one line in [`probe()`].

mod bmp;
mod dicom;
mod flaw;
mod format;
pub mod jpeg;
pub(crate) mod jpeg2000;
mod metadata;
pub(crate) mod png;
mod sniff;
pub(crate) mod tiff;

pub use self::bmp::BmpHeader;
pub(crate) use self::dicom::stop_row;
pub use self::flaw::{Flaw, Flaws, Rows};
pub use self::format::{Family, Format};
pub use self::jpeg::JpegHeader;
pub use self::jpeg2000::Jpeg2000Header;
pub use self::metadata::{Metadata, MetadataField, Trace};
pub use self::png::{PngColour, PngHeader};
pub use self::sniff::sniff;
pub use self::tiff::{SampleKind, TiffHeader, TiffPage};
use crate::dicom::DicomFile;
use crate::limits::Limits;

/// Decoded bytes up to which any ratio to the file's size is honest: a blank 16-bit PNG reaches
/// 1,026, a blank JPEG 2000 27,881.
const RATIO_COUNTS_ABOVE: u64 = 256 << 20;

/// Shape and depth of a picture, as its header declares it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Geometry {
    /// Columns, in pixels.
    pub width: u32,
    /// Rows, in pixels.
    pub height: u32,
    /// Frames or pages, at least 1.
    pub frames: u32,
    /// Samples a pixel in the file: 1 grey or palette index, 2 grey and alpha, 3, 4.
    pub channels: u8,
    /// Bits that a sample takes in the file (1 to 64).
    pub bits_allocated: u8,
    /// Bits of a sample that carry its value.
    pub bits_stored: u8,
    /// Two's complement or floating point.
    pub signed: bool,
}

impl Geometry {
    /// Samples over all frames and channels.
    pub fn samples(&self) -> u64 {
        u64::from(self.width)
            .saturating_mul(u64::from(self.height))
            .saturating_mul(u64::from(self.frames))
            .saturating_mul(u64::from(self.channels))
    }

    /// Bytes of the decoded picture, each sample in a whole number of bytes.
    pub fn decoded_bytes(&self) -> u64 {
        let bytes = match self.bits_allocated {
            0..=8 => 1,
            9..=16 => 2,
            17..=32 => 4,
            _ => 8,
        };
        self.samples().saturating_mul(bytes)
    }

    /// The first budget that this geometry exceeds.
    pub fn over_budget(&self, limits: &Limits) -> Option<Flaw> {
        let side = u64::from(self.width.max(self.height));
        [
            ("side", u64::from(limits.side), side),
            ("frames", u64::from(limits.frames), u64::from(self.frames)),
            ("decoded_bytes", limits.decoded_bytes, self.decoded_bytes()),
        ]
        .into_iter()
        .find(|(_, allowed, seen)| seen > allowed)
        .map(|(limit, allowed, seen)| Flaw::OverBudget { limit, allowed, seen })
    }
}

/// The header of a format that is decoded here.
#[derive(Debug)]
pub enum Header<'a> {
    /// A DICOM object.
    Dicom(Box<DicomFile<'a>>),
    /// A PNG.
    Png(PngHeader),
    /// A JPEG.
    Jpeg(JpegHeader),
    /// A TIFF.
    Tiff(TiffHeader),
    /// A BMP.
    Bmp(BmpHeader),
    /// A JPEG 2000 codestream, in boxes or by itself.
    Jpeg2000(Jpeg2000Header),
    /// No header that is read here.
    None,
}

/// What a file says it is.
#[derive(Debug)]
pub struct Probe<'a> {
    /// The format, if it has a name here.
    pub format: Option<Format>,
    /// The parsed header.
    pub header: Header<'a>,
    /// Shape and depth, once the header makes sense and fits the budgets.
    pub geometry: Option<Geometry>,
    /// Text and traces of people and devices beside the picture (not for DICOM).
    pub metadata: Metadata,
    /// What is wrong with the bytes so far.
    pub flaws: Flaws,
}

impl<'a> Probe<'a> {
    /// A probe that found nothing but the format.
    pub(crate) fn named(format: Option<Format>) -> Self {
        Self {
            format,
            header: Header::None,
            geometry: None,
            metadata: Metadata::default(),
            flaws: Flaws::new(),
        }
    }

    /// The first budget that the picture of a file of this size exceeds.
    pub(crate) fn over_budget(&self, file_bytes: u64, limits: &Limits) -> Option<Flaw> {
        let shape = self.geometry.as_ref()?;
        let decoded = shape.decoded_bytes();
        let ratio = decoded / file_bytes.max(1);
        let too_dense = decoded > RATIO_COUNTS_ABOVE && ratio > u64::from(limits.ratio);
        let dense =
            Flaw::OverBudget { limit: "ratio", allowed: u64::from(limits.ratio), seen: ratio };
        shape.over_budget(limits).or(too_dense.then_some(dense))
    }

    /// The DICOM object, if it is one.
    pub fn dicom(&self) -> Option<&DicomFile<'a>> {
        match &self.header {
            Header::Dicom(file) => Some(file),
            _ => None,
        }
    }
}

/// Reads what a file says it is.
///
/// ```
/// use luna_core::{Format, Limits, probe::probe};
/// let found = probe(b"BM", &Limits::default());
/// assert_eq!(found.format, Some(Format::Bmp));
/// assert!(!found.flaws.is_empty());
/// ```
pub fn probe<'a>(bytes: &'a [u8], limits: &Limits) -> Probe<'a> {
    let format = sniff(bytes);
    let mut found = match format {
        Some(Format::Dicom) => dicom::probe(bytes, limits),
        Some(Format::Png) => png::probe(bytes, limits),
        Some(Format::Jpeg) => jpeg::probe(bytes, limits),
        Some(Format::Tiff) => tiff::probe(bytes, limits),
        Some(Format::Bmp) => bmp::probe(bytes, limits),
        Some(Format::Jpeg2000) => jpeg2000::probe(bytes, limits),
        other => Probe::named(other),
    };
    match &found.header {
        Header::Jpeg(header) => found.metadata = Metadata::of_jpeg(bytes, &header.blocks),
        Header::Tiff(_) => found.metadata = Metadata::of_tiff(bytes),
        _ => {}
    }
    found.flaws.extend(found.over_budget(bytes.len() as u64, limits));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_to_the_size_of_the_file_counts_for_large_pictures_only() {
        let limits = Limits { decoded_bytes: 1 << 30, ..Limits::default() };
        let of_height = |height| Probe {
            geometry: Some(Geometry {
                width: 1 << 14,
                height,
                frames: 1,
                channels: 1,
                bits_allocated: 8,
                bits_stored: 8,
                signed: false,
            }),
            ..Probe::named(None)
        };
        let (small, large) = (of_height(1 << 14), of_height((1 << 14) + 1));
        assert_eq!(small.over_budget(1, &limits), None);
        let decoded = ((1 << 14) + 1) << 14;
        assert_eq!(large.over_budget(decoded / 1_000, &limits), None, "the n-th passes");
        let flaw = Flaw::OverBudget { limit: "ratio", allowed: 1_000, seen: 1_001 };
        assert_eq!(large.over_budget(decoded / 1_001, &limits), Some(flaw));
    }
}
