//! The hot loops: plain code over slices, compiled twice and chosen by the processor at run time.
//! Results are integers, so both give the same.

use multiversion::multiversion;

/// Samples of a row whose Laplacians fit a 32-bit sum: 4,096 * 4 * 65,535 < 2^32.
const RUN: usize = 4_096;

/// Sum over one row of |4c - left - right - above - below|, neighbours `step` samples away, first
/// and last pixel left out.
macro_rules! laplacian {
    ($name:ident, $sample:ty, $narrow:ty, $magnitude:ident) => {
        #[multiversion(targets("x86_64+avx2"))]
        pub(super) fn $name(
            above: &[$sample],
            here: &[$sample],
            below: &[$sample],
            step: usize,
        ) -> u64 {
            let length = here.len().saturating_sub(2 * step);
            if length == 0 || above.len() < step + length || below.len() < step + length {
                return 0;
            }
            let (mut total, mut start) = (0, 0);
            while start < length {
                let run = RUN.min(length - start);
                let centre = &here[start + step..][..run];
                let left = &here[start..][..run];
                let right = &here[start + 2 * step..][..run];
                let up = &above[start + step..][..run];
                let down = &below[start + step..][..run];
                let mut sum = 0_u32;
                for i in 0..run {
                    let around = left[i] as $narrow
                        + right[i] as $narrow
                        + up[i] as $narrow
                        + down[i] as $narrow;
                    let difference = 4 * centre[i] as $narrow - around;
                    sum += u32::from(difference.$magnitude());
                }
                total += u64::from(sum);
                start += run;
            }
            total
        }
    };
}

laplacian!(laplacian_u8, u8, i16, unsigned_abs);
laplacian!(laplacian_u16, u16, i32, unsigned_abs);
laplacian!(laplacian_i16, i16, i32, unsigned_abs);

/// Adds each value to its sum.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn add(sums: &mut [u16], values: &[u8]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += u16::from(*value);
    }
}

/// Adds each value, times `weight`, to its sum.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn add_weighted(sums: &mut [u32], values: &[u8], weight: u16) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += u32::from(weight) * u32::from(*value);
    }
}

/// Adds each plain sum, times `weight`, to the weighted one, and clears it.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn drain_weighted(sums: &mut [u32], plain: &mut [u16], weight: u16) {
    for (sum, plain) in sums.iter_mut().zip(plain) {
        *sum += u32::from(weight) * u32::from(*plain);
        *plain = 0;
    }
}

/// `value - low`, or `high - value` where `mirrored`, as two bytes each, lowest first.
macro_rules! shift {
    ($name:ident, $sample:ty) => {
        #[multiversion(targets("x86_64+avx2"))]
        pub(super) fn $name(values: &[$sample], origin: u16, mirrored: bool, out: &mut [u8]) {
            let places = out.as_chunks_mut::<2>().0;
            if mirrored {
                for (place, value) in places.iter_mut().zip(values) {
                    *place = origin.wrapping_sub(*value as u16).to_le_bytes();
                }
            } else {
                for (place, value) in places.iter_mut().zip(values) {
                    *place = (*value as u16).wrapping_sub(origin).to_le_bytes();
                }
            }
        }
    };
}

shift!(shift_u8, u8);
shift!(shift_u16, u16);
shift!(shift_i16, i16);

/// A straight line from slots to grey values, in 2^-24 grey levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Slots below this one are as grey as it is.
    pub(super) first: u16,
    /// Slots above this one are as grey as it is.
    pub(super) last: u16,
    /// Grey at `first`.
    pub(super) begin: u32,
    /// How much it changes from slot to slot.
    pub(super) slope: u32,
    /// True if what comes out is to be mirrored: 255 minus it.
    pub(super) falling: bool,
}

impl Line {
    #[inline]
    pub(super) fn grey(self, slot: u16) -> u8 {
        let along = u32::from(slot.clamp(self.first, self.last) - self.first);
        let grey = (along.wrapping_mul(self.slope).wrapping_add(self.begin) >> 24) as u8;
        grey ^ if self.falling { 255 } else { 0 }
    }
}

/// Grey values along a [`Line`]; a slot is the value with the bits of `flip` turned.
macro_rules! tone {
    ($name:ident, $sample:ty, $flip:literal) => {
        #[multiversion(targets("x86_64+avx2"))]
        pub(super) fn $name(values: &[$sample], line: Line, out: &mut [u8]) {
            for (grey, value) in out.iter_mut().zip(values) {
                *grey = line.grey(*value as u16 ^ $flip);
            }
        }
    };
}

tone!(tone_u16, u16, 0);
tone!(tone_i16, i16, 0x8000);
