//! JPEG: pixels.
//!
//! The coded data are walked first, by an entropy decoder of our own that knows to the bit whether
//! every block is there; `zune-jpeg` then makes the pixels. What is not there is not made up.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Display, Image, OutOfBits, Samples};
use crate::limits::Limits;
use crate::probe::jpeg::{FrameHeader, JpegHeader};
use crate::probe::{Flaw, Flaws, Geometry, jpeg};

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
    let geometry = within(&header, limits, flaws)?;
    let frame = header.frame.as_ref()?;
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
        samples: pixels(bytes, frame, space, flaws)?,
        transform: frame.is_transformed(),
    })
}

/// Decodes a JPEG file: grey as it is, colour as RGB.
pub(super) fn decode(
    bytes: &[u8],
    header: &JpegHeader,
    limits: &Limits,
    flaws: &mut Flaws,
) -> Option<Image> {
    let geometry = within(header, limits, flaws)?;
    let frame = header.frame.as_ref()?;
    let space = if geometry.channels == 1 { ColorSpace::Luma } else { ColorSpace::RGB };
    let samples = pixels(bytes, frame, space, flaws)?;
    Some(Image {
        rows_decoded: geometry.height,
        geometry,
        samples: Samples::U8(samples),
        has_alpha: false,
        display: Display::AsStored,
        inverted: false,
        out_of_bits: OutOfBits::default(),
    })
}

/// The geometry, if the picture is to be decoded.
fn within(header: &JpegHeader, limits: &Limits, flaws: &mut Flaws) -> Option<Geometry> {
    let geometry = header.geometry().filter(|_| !header.refused && !header.broken)?;
    match geometry.over_budget(limits) {
        Some(flaw) => {
            flaws.push(flaw);
            None
        }
        None => Some(geometry),
    }
}

fn pixels(
    bytes: &[u8],
    frame: &FrameHeader,
    space: ColorSpace,
    flaws: &mut Flaws,
) -> Option<Vec<u8>> {
    let samples = zune(bytes, frame, space).ok();
    if samples.is_none() {
        let reason = "the pixel decoder refused it".to_owned();
        flaws.push(Flaw::Decode { reason, offset: None, rows: None });
    }
    samples
}

fn zune(bytes: &[u8], frame: &FrameHeader, space: ColorSpace) -> Result<Vec<u8>, DecodeErrors> {
    let options = DecoderOptions::new_fast()
        .set_max_width(frame.width as usize)
        .set_max_height(frame.height as usize)
        .set_strict_mode(true)
        .jpeg_set_out_colorspace(space);
    JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode()
}
