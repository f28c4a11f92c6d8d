//! Native pixel data: 1, 8, 16 and 32 bit integers, signed or not, and floating point, in either
//! byte order (PS3.5 section 8).
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::borrow::Cow;

use dicom_core::VR;

use super::{Decoded, OutOfBits, Samples, is_ybr};
use crate::dicom::{DicomFile, PixelDescription, SampleType};

/// Words that stay in the fastest cache.
const IN_CACHE: usize = 4_096;

/// The bits of a sample that carry its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// Bits below the value.
    shift: u32,
    /// Bits of the value, 1 to 32.
    bits: u32,
    signed: bool,
}

impl Field {
    pub(super) fn stored(pixels: &PixelDescription) -> Self {
        let bits = u32::from(pixels.bits_stored);
        let shift = u32::from(pixels.high_bit).saturating_add(1).saturating_sub(bits);
        Self { shift, bits, signed: pixels.signed }
    }

    /// The whole sample: for codestreams, which bring values and not bit fields.
    pub(super) fn whole(pixels: &PixelDescription) -> Self {
        Self { shift: 0, bits: u32::from(pixels.bits_allocated), signed: pixels.signed }
    }

    /// The value in a sample, sign-extended to 32 bits, and whether other bits are set. Bits above
    /// the value that repeat its sign do not count.
    fn take(self, raw: u32, allocated: u32) -> (u32, bool) {
        let full = u32::MAX >> 32_u32.saturating_sub(allocated).min(31);
        let unused = 32_u32.saturating_sub(self.bits).min(31);
        let value = (raw >> self.shift.min(31)) & (u32::MAX >> unused);
        if self.signed {
            let up = value << unused;
            let extended = ((up as i32) >> unused) as u32;
            let alike = (extended << self.shift.min(31)) & full;
            let plain = value << self.shift.min(31);
            return (extended, raw != alike && raw != plain);
        }
        (value, raw != value << self.shift.min(31))
    }
}

/// Decodes the pixel element of a file.
pub(super) fn decode(file: &DicomFile<'_>, pixels: &PixelDescription) -> Option<Decoded> {
    let element = file.pixel_element()?;
    let bytes = file.bytes_of(element);
    // Big endian words of two 8-bit samples (or 16 bits) have the second one first.
    let is_swapped = element.big_endian && file.vr(element) == VR::OW && pixels.bits_allocated <= 8;
    let bytes = if is_swapped { Cow::Owned(swapped(bytes)) } else { Cow::Borrowed(bytes) };
    samples(&bytes, pixels, element.big_endian, Field::stored(pixels))
}

/// Decodes native bytes: all frames, or as many whole rows as there are.
pub(super) fn samples(
    bytes: &[u8],
    pixels: &PixelDescription,
    big_endian: bool,
    field: Field,
) -> Option<Decoded> {
    let needed = usize::try_from(pixels.native_bytes()).ok()?;
    let (wanted, rows) = if bytes.len() >= needed {
        (needed, pixels.rows)
    } else {
        whole_rows(bytes.len(), pixels)?
    };
    let bytes = bytes.get(..wanted)?;
    let mut out_of_bits = OutOfBits::default();
    let unused = &mut out_of_bits.unused_bits_set;
    let order = Order { big_endian };
    let mut samples = match (pixels.sample_type, pixels.bits_allocated, pixels.signed) {
        (SampleType::Float, ..) => Samples::F32(order.each(bytes, f32::from_bits)),
        (SampleType::Double, ..) => Samples::F64(order.each_wide(bytes, f64::from_bits)),
        (_, 1, _) => Samples::U8(unpacked(bytes, pixels, rows)),
        (_, 8, false) => Samples::U8(bytes8(bytes, field, unused)),
        (_, 8, true) => Samples::I16(singles(bytes, field, unused, |v| v as i16)),
        (_, 16, false) if !big_endian && field.shift == 0 => {
            Samples::U16(low_bits(bytes, field.bits, unused))
        }
        (_, 16, false) => Samples::U16(order.words(bytes, field, unused, |v| v as u16)),
        (_, 16, true) => Samples::I16(order.words(bytes, field, unused, |v| v as i16)),
        (_, 32, false) => Samples::U32(order.longs(bytes, field, unused, |v| v)),
        (_, 32, true) => Samples::I32(order.longs(bytes, field, unused, |v| v as i32)),
        _ => return None,
    };
    if pixels.is_subsampled() {
        samples = full_chroma(&samples)?;
    } else if pixels.planar {
        samples = interleaved(&samples, pixels)?;
    }
    Some(Decoded { samples, rows, out_of_bits, is_ybr: is_ybr(pixels) })
}

/// Bytes of the whole rows in `length` bytes, and the rows of the last frame among them. Planar data
/// have whole rows in whole frames only.
fn whole_rows(length: usize, pixels: &PixelDescription) -> Option<(usize, u32)> {
    let frame = PixelDescription { frames: 1, ..*pixels };
    let one = if pixels.planar { frame.native_bytes() } else { pixels.row_bytes() };
    if pixels.bits_allocated == 1 {
        let row_bits = u64::from(pixels.columns).checked_mul(u64::from(pixels.samples))?;
        let rows = (length as u64).checked_mul(8)?.checked_div(row_bits)?;
        let bytes = rows.checked_mul(row_bits)?.div_ceil(8);
        let last = rows.checked_rem(u64::from(pixels.rows))?;
        return (rows > 0).then_some((usize::try_from(bytes).ok()?, u32::try_from(last).ok()?));
    }
    let whole = (length as u64).checked_div(one)?;
    let bytes = usize::try_from(whole.checked_mul(one)?).ok()?;
    let last = if pixels.planar { 0 } else { whole.checked_rem(u64::from(pixels.rows))? };
    (whole > 0).then_some((bytes, u32::try_from(last).ok()?))
}

/// Swaps the bytes of each 16-bit word.
fn swapped(bytes: &[u8]) -> Vec<u8> {
    bytes.as_chunks().0.iter().flat_map(|[first, second]| [*second, *first]).collect()
}

/// One bit a sample, the lowest first, without gaps.
fn unpacked(bytes: &[u8], pixels: &PixelDescription, rows: u32) -> Vec<u8> {
    let all = u64::try_from(bytes.len()).unwrap_or(u64::MAX).saturating_mul(8);
    let wanted = if rows == pixels.rows { pixels.geometry().samples().min(all) } else { all };
    let row = u64::from(pixels.columns).saturating_mul(u64::from(pixels.samples)).max(1);
    // Only whole rows: bits of the last byte may belong to a row that is cut.
    let wanted = wanted.saturating_sub(wanted.checked_rem(row).unwrap_or(0));
    let bits = bytes.iter().flat_map(|byte| (0..8_u8).map(move |bit| (byte >> bit) & 1));
    bits.take(usize::try_from(wanted).unwrap_or(usize::MAX)).collect()
}

fn bytes8(bytes: &[u8], field: Field, unused: &mut u64) -> Vec<u8> {
    if field.bits >= 8 {
        return bytes.to_vec();
    }
    singles(bytes, field, unused, |value| value as u8)
}

fn singles<T>(bytes: &[u8], field: Field, unused: &mut u64, make: impl Fn(u32) -> T) -> Vec<T> {
    bytes.iter().map(|byte| taken(u32::from(*byte), 8, field, unused, &make)).collect()
}

/// What nearly all radiographs are: 16-bit words, lowest byte first, that hold their value in the
/// lowest bits.
fn low_bits(bytes: &[u8], bits: u32, unused: &mut u64) -> Vec<u16> {
    let mask = u16::MAX >> 16_u32.saturating_sub(bits).min(15);
    let mut words: Vec<u16> = Vec::with_capacity(bytes.len() / 2);
    let mut all = 0;
    for block in bytes.as_chunks().0.chunks(IN_CACHE) {
        words.extend(block.iter().map(|word| u16::from_le_bytes(*word)));
        all |= block.iter().fold(0, |all, word| all | u16::from_le_bytes(*word));
    }
    if all & !mask == 0 {
        return words;
    }
    *unused = words.iter().filter(|word| **word & !mask != 0).count() as u64;
    words.into_iter().map(|word| word & mask).collect()
}

/// The order of bytes in a number.
#[derive(Clone, Copy, Debug)]
struct Order {
    big_endian: bool,
}

impl Order {
    fn each<T>(self, bytes: &[u8], make: impl Fn(u32) -> T) -> Vec<T> {
        let chunks = bytes.as_chunks().0.iter();
        if self.big_endian {
            chunks.map(|own| make(u32::from_be_bytes(*own))).collect()
        } else {
            chunks.map(|own| make(u32::from_le_bytes(*own))).collect()
        }
    }

    fn each_wide<T>(self, bytes: &[u8], make: impl Fn(u64) -> T) -> Vec<T> {
        let chunks = bytes.as_chunks().0.iter();
        if self.big_endian {
            chunks.map(|own| make(u64::from_be_bytes(*own))).collect()
        } else {
            chunks.map(|own| make(u64::from_le_bytes(*own))).collect()
        }
    }

    fn words<T>(
        self,
        bytes: &[u8],
        field: Field,
        unused: &mut u64,
        make: impl Fn(u32) -> T,
    ) -> Vec<T> {
        let words = bytes.as_chunks().0;
        let chunks = words.iter();
        match (self.big_endian, field.bits >= 16) {
            (false, true) => chunks.map(|own| make(u16::from_le_bytes(*own).into())).collect(),
            (true, true) => chunks.map(|own| make(u16::from_be_bytes(*own).into())).collect(),
            (false, false) => chunks
                .map(|own| taken(u16::from_le_bytes(*own).into(), 16, field, unused, &make))
                .collect(),
            (true, false) => chunks
                .map(|own| taken(u16::from_be_bytes(*own).into(), 16, field, unused, &make))
                .collect(),
        }
    }

    fn longs<T>(
        self,
        bytes: &[u8],
        field: Field,
        unused: &mut u64,
        make: impl Fn(u32) -> T,
    ) -> Vec<T> {
        self.each(bytes, |raw| raw)
            .into_iter()
            .map(|raw| taken(raw, 32, field, unused, &make))
            .collect()
    }
}

fn taken<T>(
    raw: u32,
    allocated: u32,
    field: Field,
    unused: &mut u64,
    make: impl Fn(u32) -> T,
) -> T {
    let (value, has_more) = field.take(raw, allocated);
    *unused = unused.saturating_add(u64::from(has_more));
    make(value)
}

/// Runs one of the generic functions on integer samples.
macro_rules! remade {
    ($samples:expr, $values:ident => $body:expr) => {
        match $samples {
            Samples::U8($values) => Samples::U8($body),
            Samples::U16($values) => Samples::U16($body),
            Samples::I16($values) => Samples::I16($body),
            Samples::U32($values) => Samples::U32($body),
            Samples::I32($values) => Samples::I32($body),
            Samples::F32(_) | Samples::F64(_) => return None,
        }
    };
}

/// Two lumas and their chroma pair become two pixels of three samples.
fn full_chroma(samples: &Samples) -> Option<Samples> {
    fn full<T: Copy>(values: &[T]) -> Vec<T> {
        let quads = values.as_chunks::<4>().0.iter();
        quads.flat_map(|[y1, y2, cb, cr]| [*y1, *cb, *cr, *y2, *cb, *cr]).collect()
    }
    Some(remade!(samples, values => full(values)))
}

/// Three planes a frame become three samples a pixel.
fn interleaved(samples: &Samples, pixels: &PixelDescription) -> Option<Samples> {
    fn woven<T: Copy>(values: &[T], plane: usize) -> Vec<T> {
        let mut out = Vec::with_capacity(values.len());
        for frame in values.chunks_exact(plane.saturating_mul(3).max(1)) {
            let (red, rest) = frame.split_at(plane);
            let (green, blue) = rest.split_at(plane);
            for ((red, green), blue) in red.iter().zip(green).zip(blue) {
                out.extend([*red, *green, *blue]);
            }
        }
        out
    }
    let plane = usize::try_from(u64::from(pixels.rows).checked_mul(u64::from(pixels.columns))?);
    let plane = plane.ok()?;
    Some(remade!(samples, values => woven(values, plane)))
}
