//! JPEG: pixels, by a decoder of our own for the processes of DICOM: sequential and progressive DCT
//! with 8 or 12 bits, lossless with 2 to 16, all with Huffman codes.
//!
//! The coded data are read once. That gives the samples, and tells to the bit whether every block is
//! there. What is not there is not made up.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![expect(
    clippy::inline_always,
    reason = "a few lines run for every code or sample, and code within `multiversion` must become part \
              of it"
)]

mod assemble;
mod bits;
mod coded;
mod dct;
mod fault;
mod huffman;
mod lossless;
mod plane;
mod progressive;
mod quantisation;
mod scan;
mod sequential;
#[cfg(test)]
mod tests;

use self::plane::Sample;
use super::{Display, Image, OutOfBits, Samples};
use crate::limits::Limits;
use crate::probe::jpeg::{FrameHeader, JpegHeader};
use crate::probe::{Flaws, jpeg};

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
    let samples = if frame.precision > 8 {
        let samples = components::<u16>(bytes, &header, frame, flaws)?;
        let mut bytes = vec![0; samples.len().checked_mul(2)?];
        bytes
            .as_chunks_mut()
            .0
            .iter_mut()
            .zip(samples)
            .for_each(|(two, own)| *two = own.to_le_bytes());
        bytes
    } else {
        components::<u8>(bytes, &header, frame, flaws)?
    };
    Some(Frame {
        width: geometry.width,
        height: geometry.height,
        channels: geometry.channels,
        precision: frame.precision,
        samples,
        transform: frame.is_transformed(),
    })
}

/// The components of a sound frame, interleaved.
fn components<S: Sample>(
    bytes: &[u8],
    header: &JpegHeader,
    frame: &FrameHeader,
    flaws: &mut Flaws,
) -> Option<Vec<S>> {
    let coded = coded::read::<S>(bytes, header, flaws)?;
    (coded.rows == frame.height).then(|| match frame.components.len() {
        1 => assemble::first(coded.planes, frame, coded.rows),
        _ => assemble::interleaved(&coded.planes, frame, coded.rows, false),
    })
}

/// Decodes a JPEG file: grey as it is, colour as RGB. Where all chroma is neutral only the luma is
/// drawn: one channel then stands for three that are equal, as everywhere in the engine.
///
/// Of a cut sequential picture the rows before the cut come back. A progressive one whose later scans
/// are cut comes back coarse, as far as its first scan goes but never to its last row: it is not
/// complete.
pub(super) fn decode(
    bytes: &[u8],
    header: &JpegHeader,
    _limits: &Limits,
    flaws: &mut Flaws,
) -> Option<Image> {
    let mut geometry = header.geometry().filter(|_| !header.refused)?;
    let frame = header.frame.as_ref()?;
    let (samples, channels, rows_decoded) = if frame.precision > 8 {
        let (samples, channels, rows) = picture::<u16>(bytes, header, frame, flaws)?;
        (Samples::U16(samples), channels, rows)
    } else {
        let (samples, channels, rows) = picture::<u8>(bytes, header, frame, flaws)?;
        (Samples::U8(samples), channels, rows)
    };
    geometry.channels = channels;
    Some(Image {
        geometry,
        samples,
        has_alpha: false,
        display: if frame.precision > 8 { Display::Percentiles } else { Display::AsStored },
        inverted: false,
        rows_decoded,
        out_of_bits: OutOfBits::default(),
    })
}

/// Samples, channels, and rows that are certain; `None` if no row is.
fn picture<S: Sample>(
    bytes: &[u8],
    header: &JpegHeader,
    frame: &FrameHeader,
    flaws: &mut Flaws,
) -> Option<(Vec<S>, u8, u32)> {
    let coded = coded::read::<S>(bytes, header, flaws)?;
    if coded.rows == 0 {
        return None;
    }
    // A lossless frame is not transformed unless it says so: that would lose something.
    let is_transformed =
        frame.is_transformed() && (frame.process.is_dct() || frame.adobe_transform == Some(1));
    if frame.components.len() == 1 || is_transformed && coded.planes.is_neutral() {
        return Some((assemble::first(coded.planes, frame, coded.rows), 1, coded.rows));
    }
    let samples = assemble::interleaved(&coded.planes, frame, coded.rows, is_transformed);
    Some((samples, 3, coded.rows))
}
