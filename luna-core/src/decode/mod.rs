//! Stage 3, *decode*: bytes and header in, an [`Image`] at its true depth out, strictly.
//!
//! A decoder stops at the budget, never pads what is missing, and says what is wrong as
//! [`Flaw`](crate::probe::Flaw)s. It knows no rule. Each format has one module and one line in [`decode()`].

mod bmp;
mod dicom;
mod image;
mod jpeg;
mod jpeg2000;
mod jpegls;
pub(crate) mod jpegxl;
mod png;
mod tiff;

pub(crate) use self::image::each_sample;
pub use self::image::{Display, Image, OutOfBits, Samples};
use crate::limits::Limits;
use crate::probe::{Flaws, Header, Probe};

/// A frame of a DICOM object whose codec gives samples.
#[derive(Debug)]
pub(crate) struct CodedFrame {
    /// Bits of a sample, by the codestream's own word.
    pub(crate) precision: u8,
    /// Components interleaved by pixel; red, green, blue where the codec had a colour transform.
    pub(crate) samples: Samples,
}

/// Decodes the picture of a probed file; `None` if there is none, or none that can be decoded.
/// `flaws` holds what the probe found; what else is wrong is added, and the row at which the picture
/// stops is filled in where the probe knew only the byte.
///
/// A picture that stops early comes back with the rows that are there
/// ([`Image::is_complete`] is false then).
pub fn decode(
    bytes: &[u8],
    probe: &Probe<'_>,
    limits: &Limits,
    flaws: &mut Flaws,
) -> Option<Image> {
    if probe.geometry.is_none() || probe.over_budget(bytes.len() as u64, limits).is_some() {
        return None;
    }
    match &probe.header {
        Header::Dicom(file) => dicom::decode(file, limits, flaws),
        Header::Png(header) => png::decode(bytes, header, limits, flaws),
        Header::Jpeg(header) => jpeg::decode(bytes, header, limits, flaws),
        Header::Tiff(header) => tiff::decode(bytes, header, limits, flaws),
        Header::Jpeg2000(header) => {
            jpeg2000::decode(bytes, header, probe.geometry.as_ref()?, limits, flaws)
        }
        Header::Bmp(header) => bmp::decode(bytes, header, limits, flaws),
        Header::None => None,
    }
}

/// Decodes the samples of a DICOM object as stored: before luma and chroma become RGB. `None` for
/// other formats.
///
/// ```
/// use luna_core::{Limits, decode::decode_stored, probe::probe};
/// let found = probe(b"BM", &Limits::default());
/// assert!(decode_stored(&found, &Limits::default(), &mut Vec::new()).is_none());
/// ```
pub fn decode_stored(probe: &Probe<'_>, limits: &Limits, flaws: &mut Flaws) -> Option<Image> {
    dicom::decode_raw(probe.dicom()?, limits, flaws).map(|(image, _)| image)
}
