//! RLE Lossless (PS3.5, annex G): one PackBits segment a byte plane, the most significant byte of a
//! sample first. A fragment in, a frame of native little endian bytes out.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::dicom::PixelDescription;
use crate::dicom::codestream::rle_segments;

/// A frame as native bytes, samples interleaved, and how many of its pixels are there.
#[derive(Debug)]
pub(super) struct Plane {
    pub(super) bytes: Vec<u8>,
    pub(super) pixels: usize,
    /// A segment codes more than its plane holds.
    pub(super) overlong: bool,
}

/// Decodes a frame; `None` if its header does not fit the description.
pub(super) fn frame(fragment: &[u8], pixels: &PixelDescription) -> Option<Plane> {
    let segments = rle_segments(fragment)?;
    let width = usize::from(pixels.bits_allocated.checked_div(8)?);
    let samples = usize::from(pixels.samples);
    let stride = width.checked_mul(samples)?;
    if segments.len() != stride || width == 0 {
        return None;
    }
    let count = usize::try_from(u64::from(pixels.rows).checked_mul(pixels.columns.into())?).ok()?;
    let mut planes = Vec::with_capacity(stride);
    let mut found = Plane { bytes: Vec::new(), pixels: count, overlong: false };
    for segment in segments {
        let mut plane = Vec::with_capacity(count);
        found.overlong |= unpack(fragment.get(segment)?, count, &mut plane);
        found.pixels = found.pixels.min(plane.len());
        planes.push(plane);
    }
    found.bytes = woven(&mut planes, width, found.pixels);
    Some(found)
}

/// Native bytes of so many pixels, from the planes of each sample, its highest byte first.
fn woven(planes: &mut [Vec<u8>], width: usize, pixels: usize) -> Vec<u8> {
    for sample in planes.chunks_mut(width) {
        sample.reverse();
    }
    if let [only] = planes {
        only.truncate(pixels);
        return std::mem::take(only);
    }
    if let [low, high] = planes {
        let pairs = low.iter().zip(high.iter()).map(|(low, high)| [*low, *high]);
        return pairs.collect::<Vec<[u8; 2]>>().into_flattened();
    }
    let mut bytes = Vec::with_capacity(pixels.saturating_mul(planes.len()));
    for pixel in 0..pixels {
        bytes.extend(planes.iter().filter_map(|plane| plane.get(pixel)));
    }
    bytes
}

/// Unpacks a segment of `count` bytes into the empty `plane`; true if it codes more.
fn unpack(segment: &[u8], count: usize, plane: &mut Vec<u8>) -> bool {
    let mut rest = segment;
    while plane.len() < count {
        let left = count.saturating_sub(plane.len());
        let Some((control, after)) = rest.split_first() else { break };
        let length = match *control {
            literal @ 0..=127 => {
                let length = usize::from(literal).saturating_add(1).min(after.len());
                let (bytes, next) = after.split_at(length);
                plane.extend_from_slice(bytes.get(..left).unwrap_or(bytes));
                rest = next;
                length
            }
            128 => {
                rest = after;
                0
            }
            repeat => {
                let Some((byte, next)) = after.split_first() else { break };
                let length = 257_usize.saturating_sub(repeat.into());
                plane.resize(plane.len().saturating_add(length.min(left)), *byte);
                rest = next;
                length
            }
        };
        if length > left {
            return true;
        }
    }
    false
}
