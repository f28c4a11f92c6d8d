//! Frames whose codecs give samples and not bytes: JPEG-LS, JPEG 2000, JPEG XL.
//!
//! A codec's samples are the bits of the codestream's precision; the header says whether they have a
//! sign. Codestreams that are not what the header says are not decoded at all (LD019 tells why).
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

#[cfg(test)]
mod tests;

use super::encapsulated::Frame;
use super::{Decoded, OutOfBits, Samples, is_ybr};
use crate::decode::{each_sample, jpeg2000, jpegls, jpegxl};
use crate::dicom::{Codec, Codestream, DicomFile, PixelDescription, codestream};
use crate::limits::Limits;
use crate::probe::{Flaw, Flaws};

/// One frame's samples, interleaved by pixel, as far as they are there.
#[derive(Debug)]
struct Picture {
    rows: u32,
    samples: Samples,
    /// True if the samples are luma and chroma.
    is_ybr: bool,
}

/// Decodes all frames; stops at the first that is not whole.
pub(super) fn decode(
    file: &DicomFile<'_>,
    pixels: &PixelDescription,
    codec: Codec,
    limits: &Limits,
    flaws: &mut Flaws,
) -> Option<Decoded> {
    let mut gathered = Gathered::new(pixels)?;
    let mut rows = 0;
    let mut is_ybr = false;
    for fragments in &file.frame_fragments(pixels.frames)? {
        let frame = Frame { file, fragments, pixels };
        let bytes = frame.bytes();
        let mut own = Flaws::new();
        let picture = match codec {
            Codec::JpegLs => jpeg_ls(&bytes, pixels, &mut own),
            Codec::Jpeg2000 => wavelet(&bytes, pixels, limits, &mut own),
            Codec::JpegXl => jpeg_xl(&bytes, pixels, &mut own),
            _ => None,
        };
        frame.report(own, flaws);
        rows = 0;
        let Some((picture, precision)) = picture else { break };
        is_ybr = picture.is_ybr;
        rows = picture.rows.min(pixels.rows);
        gathered.take(picture.samples, rows, precision)?;
        if rows < pixels.rows {
            break;
        }
    }
    if gathered.samples.is_empty() {
        return None;
    }
    let out_of_bits = OutOfBits { above_bits_stored: gathered.above, ..OutOfBits::default() };
    Some(Decoded { samples: gathered.samples, rows, out_of_bits, is_ybr })
}

/// True if a codestream is of the size that the header says, and its samples have room there.
fn fits(header: &Codestream, pixels: &PixelDescription) -> bool {
    header.size == Some((pixels.columns, pixels.rows))
        && header.components == Some(u16::from(pixels.samples))
        && header.precision.is_some_and(|bits| bits > 0 && bits <= pixels.bits_allocated)
}

fn jpeg_ls(bytes: &[u8], pixels: &PixelDescription, flaws: &mut Flaws) -> Option<(Picture, u8)> {
    let header = codestream::jpeg(bytes).filter(|header| fits(header, pixels))?;
    let found = jpegls::decode(bytes, flaws)?;
    let picture = Picture { rows: found.rows, samples: found.samples, is_ybr: is_ybr(pixels) };
    Some((picture, header.precision?))
}

fn wavelet(
    bytes: &[u8],
    pixels: &PixelDescription,
    limits: &Limits,
    flaws: &mut Flaws,
) -> Option<(Picture, u8)> {
    let header = codestream::jpeg2000(bytes);
    if header.is_some_and(|header| !fits(&header, pixels)) {
        return None;
    }
    let size = (pixels.columns, pixels.rows, pixels.samples);
    let found = jpeg2000::decode_frame(bytes, size, limits, flaws)?;
    // Its own transform has been undone; luma and chroma of before that are the header's.
    let is_transformed = header.and_then(|header| header.colour_transform) == Some(true);
    let is_ybr = !is_transformed && is_ybr(pixels);
    Some((Picture { rows: pixels.rows, samples: found.samples, is_ybr }, found.precision))
}

/// JPEG XL has its own colour model, which is red, green, blue once drawn.
fn jpeg_xl(bytes: &[u8], pixels: &PixelDescription, flaws: &mut Flaws) -> Option<(Picture, u8)> {
    let size = (pixels.columns, pixels.rows, pixels.samples);
    let found = jpegxl::decode_frame(bytes, size, flaws)?;
    if found.precision > pixels.bits_allocated {
        let reason = format!(
            "JPEG XL: the codestream has {} bits a sample, BitsAllocated is {}",
            found.precision, pixels.bits_allocated
        );
        flaws.push(Flaw::Decode { reason, offset: None, rows: None });
        return None;
    }
    let picture = Picture { rows: pixels.rows, samples: found.samples, is_ybr: false };
    Some((picture, found.precision))
}

/// The samples of the frames so far, in the type that the header asks for.
struct Gathered<'a> {
    pixels: &'a PixelDescription,
    samples: Samples,
    /// Samples that the stored bits cannot hold.
    above: u64,
}

impl<'a> Gathered<'a> {
    fn new(pixels: &'a PixelDescription) -> Option<Self> {
        let samples = match (pixels.bits_allocated, pixels.signed) {
            (8, false) => Samples::U8(Vec::new()),
            (8 | 16, true) => Samples::I16(Vec::new()),
            (16, false) => Samples::U16(Vec::new()),
            (32, false) => Samples::U32(Vec::new()),
            (32, true) => Samples::I32(Vec::new()),
            _ => return None,
        };
        Some(Self { pixels, samples, above: 0 })
    }

    /// Adds the first rows of a frame whose samples have `precision` bits.
    fn take(&mut self, found: Samples, rows: u32, precision: u8) -> Option<()> {
        let row = u64::from(self.pixels.columns).checked_mul(self.pixels.samples.into())?;
        let wanted = usize::try_from(row.checked_mul(rows.into())?).ok()?;
        if found.len() < wanted {
            return None;
        }
        let stored = self.pixels.bits_stored;
        match (&mut self.samples, found) {
            // Nothing to change: the common case, and the one where speed counts.
            (Samples::U16(all), Samples::U16(mut own)) => {
                own.truncate(wanted);
                self.above = self.above.saturating_add(above(&own, stored, precision));
                if all.is_empty() {
                    *all = own;
                } else {
                    all.append(&mut own);
                }
            }
            (Samples::U8(all), Samples::U8(mut own)) => {
                own.truncate(wanted);
                self.above = self.above.saturating_add(above(&own, stored, precision));
                if all.is_empty() {
                    *all = own;
                } else {
                    all.append(&mut own);
                }
            }
            (_, found) => each_sample!(&found, own => {
                let own = own.iter().take(wanted).map(|value| *value as i64);
                self.extend(own, precision);
            }),
        }
        Some(())
    }

    /// Adds samples one by one.
    fn extend(&mut self, values: impl Iterator<Item = i64>, precision: u8) {
        let signed = self.pixels.signed;
        let unused = 64_u32.saturating_sub(u32::from(precision)).min(63);
        let (low, high) = held(self.pixels.bits_stored, signed);
        let mut above = 0_u64;
        let values = values.map(|value| {
            // The bits are the codestream's, their meaning is the header's.
            let up = value << unused;
            let value = if signed { up >> unused } else { ((up as u64) >> unused) as i64 };
            above = above.saturating_add(u64::from(value < low || value > high));
            value
        });
        match &mut self.samples {
            Samples::U8(all) => all.extend(values.map(|value| value as u8)),
            Samples::U16(all) => all.extend(values.map(|value| value as u16)),
            Samples::I16(all) => all.extend(values.map(|value| value as i16)),
            Samples::U32(all) => all.extend(values.map(|value| value as u32)),
            Samples::I32(all) => all.extend(values.map(|value| value as i32)),
            Samples::F32(_) | Samples::F64(_) => {}
        }
        self.above = self.above.saturating_add(above);
    }
}

/// The lowest and the highest value that stored bits can hold.
fn held(bits_stored: u8, signed: bool) -> (i64, i64) {
    let values = 1_i64 << bits_stored.clamp(1, 32);
    if signed {
        ((values / 2).saturating_neg(), (values / 2).saturating_sub(1))
    } else {
        (0, values.saturating_sub(1))
    }
}

/// Samples above what the stored bits can hold; none where the precision does not reach there.
fn above<T: Copy + Into<i64>>(values: &[T], bits_stored: u8, precision: u8) -> u64 {
    if precision <= bits_stored {
        return 0;
    }
    let (_, high) = held(bits_stored, false);
    values.iter().filter(|value| (**value).into() > high).count() as u64
}
