//! JPEG: pixels.
//!
//! The coded data are walked first, by an entropy decoder of our own that knows to the bit whether
//! every block is there; `zune-jpeg` then makes the pixels. What is not there is not made up.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod bits;
mod coded;
mod fault;
mod huffman;
mod progressive;
mod scan;
mod sequential;
#[cfg(test)]
mod tests;

use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Display, Image, OutOfBits, Samples};
use crate::limits::Limits;
use crate::probe::jpeg::{FrameHeader, JpegHeader};
use crate::probe::{Flaw, Flaws, jpeg};

/// A JPEG frame as a DICOM object holds it.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Components: 1 or 3.
    pub(crate) channels: u8,
    /// Bits a sample.
    pub(crate) precision: u8,
    /// Components interleaved by pixel, before any colour transform: a byte a sample, two bytes
    /// (little endian) where `precision` is above 8.
    pub(crate) samples: Vec<u8>,
    /// True if the components are luma and chroma, by the codestream's own word
    /// ([`FrameHeader::is_transformed`]).
    pub(crate) transform: bool,
}

/// Decodes a whole JPEG as a DICOM fragment holds it; `None` if it is not complete and sound. The
/// flaws' offsets count from the start of `bytes`.
pub(crate) fn decode_frame(bytes: &[u8], limits: &Limits, flaws: &mut Flaws) -> Option<Frame> {
    let header = jpeg::read(bytes, limits, flaws);
    let geometry = header.geometry().filter(|_| !header.refused)?;
    if let Some(flaw) = geometry.over_budget(limits) {
        flaws.push(flaw);
        return None;
    }
    let frame = header.frame.as_ref()?;
    if coded::check(bytes, &header, flaws).rows < frame.height {
        return None;
    }
    let space = match (geometry.channels, frame.is_transformed()) {
        (1, _) => ColorSpace::Luma,
        (_, true) => ColorSpace::YCbCr,
        (_, false) => ColorSpace::RGB,
    };
    Some(Frame {
        width: geometry.width,
        height: geometry.height,
        channels: geometry.channels,
        precision: frame.precision,
        samples: pixels(bytes, &header, space, flaws)?,
        transform: frame.is_transformed(),
    })
}

/// Decodes a JPEG file: grey as it is, colour as RGB. Where all chroma is neutral only the luma is
/// decoded: one channel then stands for three that are equal, as everywhere in the engine.
pub(super) fn decode(
    bytes: &[u8],
    header: &JpegHeader,
    _limits: &Limits,
    flaws: &mut Flaws,
) -> Option<Image> {
    let mut geometry = header.geometry().filter(|_| !header.refused)?;
    let frame = header.frame.as_ref()?;
    let coded = coded::check(bytes, header, flaws);
    if coded.rows == 0 {
        return None;
    }
    let luma_is_all = geometry.channels == 1 || (coded.neutral && has_plain_luma(frame));
    let space = if luma_is_all { ColorSpace::Luma } else { ColorSpace::RGB };
    geometry.channels = if luma_is_all { 1 } else { 3 };
    let samples = if coded.rows == frame.height {
        pixels(bytes, header, space, flaws)?
    } else {
        zune(bytes, space, false).ok()?
    };
    Some(Image {
        geometry,
        samples: Samples::U8(samples),
        has_alpha: false,
        display: Display::AsStored,
        inverted: false,
        rows_decoded: coded.rows,
        out_of_bits: OutOfBits::default(),
    })
}

/// True if the first component is luma that zune-jpeg decodes alone: not subsampled itself, and not
/// in the 1 x 2 arrangement, of which it miscounts the rows then.
fn has_plain_luma(frame: &FrameHeader) -> bool {
    let first = frame.components.first().map(|first| (first.horizontal, first.vertical));
    let rest = frame.components.iter().skip(1);
    frame.is_transformed()
        && matches!(first, Some((1 | 2, 1) | (2, 2)))
        && rest.into_iter().all(|part| (part.horizontal, part.vertical) == (1, 1))
}

/// The samples of a JPEG whose coded data are all there.
fn pixels(
    bytes: &[u8],
    header: &JpegHeader,
    space: ColorSpace,
    flaws: &mut Flaws,
) -> Option<Vec<u8>> {
    let decoded = match header.end {
        Some(_) => zune(bytes, space, true),
        // It waits for EOI where a progressive file has none.
        None => zune(&[bytes, &[0xFF, 0xD9]].concat(), space, true),
    };
    let reason = match decoded {
        Ok(samples) => return Some(samples),
        Err(DecodeErrors::FormatStatic(reason)) => reason,
        Err(_) => "malformed segment or coded data",
    };
    let reason = format!("the pixel decoder refused it: {reason}");
    flaws.push(Flaw::Decode { reason, offset: None, rows: None });
    None
}

/// Runs zune-jpeg; the limits have been checked.
fn zune(bytes: &[u8], space: ColorSpace, strict: bool) -> Result<Vec<u8>, DecodeErrors> {
    let side = usize::from(u16::MAX);
    let options = DecoderOptions::new_fast()
        .set_max_width(side)
        .set_max_height(side)
        .set_strict_mode(strict)
        .jpeg_set_max_scans(usize::MAX)
        .jpeg_set_out_colorspace(space);
    JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode()
}
