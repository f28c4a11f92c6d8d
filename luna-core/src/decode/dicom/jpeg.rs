//! JPEG of any process that is decoded: a frame's codestream in, native little endian bytes out.
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
    let header = codestream::jpeg(bytes).filter(|header| fits(header, pixels))?;
    let frame = decode_frame(bytes, limits, flaws)?;
    let is_as_said = (frame.width, frame.height) == (pixels.columns, pixels.rows)
        && frame.channels == pixels.samples
        && frame.precision <= pixels.bits_allocated;
    if !is_as_said {
        return None;
    }
    let width = usize::from(pixels.bits_allocated.checked_div(8)?);
    // Lossless coding keeps the bits of negative values; what a DCT codes is never negative.
    let is_signed = pixels.signed && header.lossy == Some(false);
    let unused = if is_signed { 32_u32.checked_sub(frame.precision.into())? } else { 0 };
    let own = if frame.precision > 8 { 2 } else { 1 };
    if width == own && unused.is_multiple_of(8) {
        return Some((frame.samples, frame.transform));
    }
    let values = frame.samples.chunks_exact(own).map(|bytes| {
        let value = bytes.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte));
        ((value << unused) as i32 >> unused).to_le_bytes()
    });
    let wide = values.flat_map(|value| value.into_iter().take(width)).collect();
    Some((wide, frame.transform))
}

fn fits(header: &Codestream, pixels: &PixelDescription) -> bool {
    header.size == Some((pixels.columns, pixels.rows))
        && header.components == Some(u16::from(pixels.samples))
        && header.precision.is_some_and(|precision| precision <= pixels.bits_allocated)
        && pixels.bits_allocated >= 8
}
