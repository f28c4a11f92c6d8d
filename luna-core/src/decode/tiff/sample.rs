//! One sample out of a row of packed bits.

use crate::probe::tiff::{SampleKind, TiffPage};

/// A type that samples of a TIFF are kept in.
pub(super) trait Sample: Copy + Default {
    /// From the bits as they stand in the file, right-aligned.
    fn from_bits(bits: u64, depth: u8) -> Self;
}

macro_rules! whole_numbers {
    ($($unsigned:ty)*) => {$(
        impl Sample for $unsigned {
            fn from_bits(bits: u64, _depth: u8) -> Self {
                bits as Self
            }
        }
    )*};
}
whole_numbers!(u8 u16 u32);

impl Sample for i16 {
    fn from_bits(bits: u64, depth: u8) -> Self {
        if depth == 8 { Self::from(bits as u8 as i8) } else { bits as u16 as Self }
    }
}

impl Sample for i32 {
    fn from_bits(bits: u64, _depth: u8) -> Self {
        bits as u32 as Self
    }
}

impl Sample for f32 {
    fn from_bits(bits: u64, _depth: u8) -> Self {
        Self::from_bits(bits as u32)
    }
}

impl Sample for f64 {
    fn from_bits(bits: u64, _depth: u8) -> Self {
        Self::from_bits(bits)
    }
}

/// The sample at an index of a row; zero behind its end.
pub(super) fn sample_at<T: Sample>(page: &TiffPage, row: &[u8], index: usize) -> T {
    debug_assert!(page.kind == SampleKind::Unsigned || page.bits >= 8);
    let whole = |size: usize| {
        let start = index.saturating_mul(size);
        let bytes = row.get(start..start.saturating_add(size)).unwrap_or_default();
        let join = |bits: u64, byte: &u8| bits << 8 | u64::from(*byte);
        if page.big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
    };
    let bits = match page.bits {
        8 => row.get(index).map_or(0, |byte| u64::from(*byte)),
        16 => whole(2),
        32 => whole(4),
        64 => whole(8),
        depth => packed(row, index.saturating_mul(usize::from(depth)), depth),
    };
    T::from_bits(bits, page.bits)
}

/// Up to 16 bits from a bit offset on, highest bit first, whatever the byte order.
fn packed(row: &[u8], at: usize, depth: u8) -> u64 {
    let mut window = row.get(at / 8..).unwrap_or_default().iter().chain([&0; 3]);
    let three = (0..3).fold(0_u32, |bits, _| bits << 8 | u32::from(*window.next().unwrap_or(&0)));
    let skip = (at % 8) as u32;
    let right = 24_u32.saturating_sub(skip).saturating_sub(u32::from(depth));
    let mask = (1_u32 << depth).wrapping_sub(1);
    u64::from(three >> right & mask)
}
