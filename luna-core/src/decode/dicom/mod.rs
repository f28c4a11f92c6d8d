//! DICOM: pixels. Two steps, kept apart: samples as stored (one module a codec), then luma and
//! chroma made into red, green, blue.
//!
//! Geometry is reconciled with the codestream and with the bytes that are there before anything is
//! allocated. Where header and codestream disagree nothing is decoded, and LD017 to LD019 say why.

mod coded;
pub(super) mod colour;
mod display;
mod encapsulated;
mod jpeg;
mod native;
mod rle;
#[cfg(test)]
mod tests;

use super::{Image, OutOfBits, Samples};
use crate::dicom::{Codec, DicomFile, Photometric, PixelDescription};
use crate::limits::Limits;
use crate::probe::{Flaw, Flaws};

/// Samples as a codec gives them, with how far they reach.
#[derive(Debug)]
struct Decoded {
    samples: Samples,
    /// Rows of the last frame that are there.
    rows: u32,
    out_of_bits: OutOfBits,
    /// True if the samples are luma and chroma.
    is_ybr: bool,
}

/// Decodes the picture: grey and palette indices as they are, colour as RGB.
pub(super) fn decode(file: &DicomFile<'_>, limits: &Limits, flaws: &mut Flaws) -> Option<Image> {
    let (mut image, is_ybr) = decode_raw(file, limits, flaws)?;
    if is_ybr {
        colour::to_rgb(&mut image.samples, image.geometry.bits_stored);
    }
    Some(image)
}

/// Decodes samples as stored, before any colour conversion; true if they are luma and chroma.
pub(super) fn decode_raw(
    file: &DicomFile<'_>,
    limits: &Limits,
    flaws: &mut Flaws,
) -> Option<(Image, bool)> {
    let pixels = file.pixel_description()?;
    let geometry = pixels.geometry();
    if geometry.over_budget(limits).is_some() {
        return None;
    }
    let decoded = match file.codec()? {
        Codec::Native => native::decode(file, &pixels),
        codec => encapsulated::decode(file, &pixels, codec, limits, flaws),
    }?;
    if decoded.rows == pixels.rows && decoded.samples.len() as u64 != geometry.samples() {
        // YBR_FULL_422 with an odd number of pixels, which has no meaning.
        let reason = "the samples do not fill rows and columns".to_owned();
        flaws.push(Flaw::Decode { reason, offset: None, rows: None });
        return None;
    }
    let (display, inverted) = display::of(file, &pixels);
    let image = Image {
        geometry,
        samples: decoded.samples,
        has_alpha: false,
        display,
        inverted,
        rows_decoded: decoded.rows,
        out_of_bits: decoded.out_of_bits,
    };
    Some((image, decoded.is_ybr))
}

/// True if native samples of this description are luma and chroma.
fn is_ybr(pixels: &PixelDescription) -> bool {
    pixels.samples == 3
        && matches!(pixels.photometric, Photometric::YbrFull | Photometric::YbrFull422)
}
