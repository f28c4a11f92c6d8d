//! JPEG with 8 bits a sample: a frame's codestream in, native little endian bytes out.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::decode::jpeg::decode_frame;
use crate::dicom::{Codestream, PixelDescription, codestream};
use crate::limits::Limits;
use crate::probe::Flaws;

/// Decodes a frame, and tells whether its components are luma and chroma by the codestream's own
/// word; `None` if its codestream does not fit the description or is not sound.
pub(super) fn frame(
    bytes: &[u8],
    pixels: &PixelDescription,
    limits: &Limits,
    flaws: &mut Flaws,
) -> Option<(Vec<u8>, bool)> {
    codestream::jpeg(bytes).filter(|header| fits(header, pixels))?;
    let frame = decode_frame(bytes, limits, flaws)?;
    let is_as_said = (frame.width, frame.height) == (pixels.columns, pixels.rows)
        && (frame.channels, frame.precision) == (pixels.samples, 8);
    if !is_as_said {
        return None;
    }
    let width = usize::from(pixels.bits_allocated.checked_div(8)?);
    if width == 1 {
        return Some((frame.samples, frame.transform));
    }
    let wide = frame.samples.iter().flat_map(|byte| widened(*byte, width)).collect();
    Some((wide, frame.transform))
}

fn fits(header: &Codestream, pixels: &PixelDescription) -> bool {
    header.size == Some((pixels.columns, pixels.rows))
        && header.components == Some(u16::from(pixels.samples))
        && header.precision == Some(8)
        && pixels.bits_allocated >= 8
}

fn widened(byte: u8, width: usize) -> impl Iterator<Item = u8> {
    std::iter::once(byte).chain(std::iter::repeat_n(0, width.saturating_sub(1)))
}
