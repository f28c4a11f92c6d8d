//! The hot loops: plain code over slices, compiled twice and chosen by the processor at run time.
//! Results are integers, so both give the same. No closures and adapters: where the compiler does not
//! inline them, they are compiled once, for the oldest processor.

use multiversion::multiversion;

/// Samples of a row whose Laplacians fit a 32-bit sum: 4,096 * 4 * 65,535 < 2^32.
const RUN: usize = 4_096;

/// Sum over one row of |4c - left - right - above - below|, neighbours `step` samples away, first
/// and last pixel left out.
macro_rules! laplacian {
    ($name:ident, $sample:ty, $number:ty) => {
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
                    let around = left[i] as $number
                        + right[i] as $number
                        + up[i] as $number
                        + down[i] as $number;
                    sum += u32::from((4 * centre[i] as $number).abs_diff(around));
                }
                total += u64::from(sum);
                start += run;
            }
            total
        }
    };
}

laplacian!(laplacian_u8, u8, u16);
laplacian!(laplacian_u16, u16, u32);
laplacian!(laplacian_i16, i16, i32);

/// ITU-R BT.601 luma of red, green and blue, in integers: (299 r + 587 g + 114 b) / 1000, rounded.
#[inline]
pub(super) fn luma([r, g, b]: [u8; 3]) -> u8 {
    let thousands = 299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b) + 500;
    // Division by 1,000 as one by 8 and one by 125, exact in 32 bits for all that can occur.
    (((thousands >> 3) * 33_555) >> 22) as u8
}

/// Luma of pixels of three bytes.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn luma_u8(pixels: &[u8], out: &mut [u8]) {
    for (grey, pixel) in out.iter_mut().zip(pixels.as_chunks::<3>().0) {
        *grey = luma(*pixel);
    }
}

/// The largest minus the smallest of the three bytes of each pixel.
#[multiversion(targets("x86_64+avx2"))]
pub(crate) fn spreads(pixels: &[u8], out: &mut [u8]) {
    for (spread, [r, g, b]) in out.iter_mut().zip(pixels.as_chunks::<3>().0) {
        *spread = *r.max(g).max(b) - *r.min(g).min(b);
    }
}

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

/// Rounded division by an area, without dividing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mean {
    area: u64,
    /// 2^64 / `area`, rounded up: exact for sums of at most 255.5 * `area` while that is below 2^36.
    reciprocal: Option<u64>,
    /// 2^`shift` / `area`, rounded up, in 32 bits: exact for sums of at most 255.5 * `area` while
    /// `area` is below 2^22.
    narrow: u32,
    shift: u32,
}

impl Mean {
    pub(super) fn over(area: u64) -> Self {
        let small = (2..1 << 28).contains(&area);
        let shift = 31 + area.max(1).ilog2().min(31);
        let narrow = u32::try_from((1_u64 << shift).div_ceil(area.max(1))).unwrap_or(u32::MAX);
        Self { area, reciprocal: small.then(|| u64::MAX / area + 1), narrow, shift }
    }

    /// The mean of what has this sum, to the nearest whole number, at most 255.
    #[inline]
    pub(super) fn of(self, sum: u64) -> u8 {
        let rounded = sum + self.area / 2;
        let quotient = match self.reciprocal {
            Some(reciprocal) => ((u128::from(rounded) * u128::from(reciprocal)) >> 64) as u64,
            None => rounded / self.area.max(1),
        };
        quotient as u8
    }

    /// [`of`](Self::of) for areas below [`NARROW_AREA`](Self::NARROW_AREA).
    #[inline]
    pub(super) fn of_narrow(self, sum: u32) -> u8 {
        let rounded = sum + (self.area / 2) as u32;
        ((u64::from(rounded) * u64::from(self.narrow)) >> self.shift) as u8
    }

    /// Areas from which on [`of_narrow`](Self::of_narrow) might err.
    pub(super) const NARROW_AREA: u64 = 1 << 22;
}

/// The columns under an output pixel: the first of them, and the part of each that is covered, in
/// units; parts beyond the last are 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cover<const N: usize> {
    pub(super) start: u32,
    pub(super) parts: [u32; N],
}

/// The means of one output row, from the sums of its columns. `columns` has a place for each part of
/// every cover; `sums` is room to work in, as long as `out`.
macro_rules! means {
    ($name:ident, $columns:literal, $sum:ty, $mean:ident) => {
        #[multiversion(targets("x86_64+avx2"))]
        pub(super) fn $name(
            columns: &[u32],
            covers: &[Cover<$columns>],
            mean: Mean,
            sums: &mut [$sum],
            out: &mut [u8],
        ) {
            for (sum, cover) in sums.iter_mut().zip(covers) {
                let here = &columns[cover.start as usize..][..$columns];
                let mut all: $sum = 0;
                for i in 0..$columns {
                    all += <$sum>::from(here[i]) * <$sum>::from(cover.parts[i]);
                }
                *sum = all;
            }
            for (out, sum) in out.iter_mut().zip(sums.iter()) {
                *out = mean.$mean(*sum);
            }
        }
    };
}

means!(means_of_4, 4, u32, of_narrow);
means!(means_of_8, 8, u32, of_narrow);
means!(wide_means_of_4, 4, u64, of);
means!(wide_means_of_8, 8, u64, of);

/// Sum of the differences of two rows, whatever their sign.
#[multiversion(targets("x86_64+avx2"))]
pub(crate) fn differences(row: &[u8], other: &[u8]) -> u64 {
    let mut total = 0;
    for (row, other) in row.chunks(RUN).zip(other.chunks(RUN)) {
        let mut sum = 0_u32;
        for (a, b) in row.iter().zip(other) {
            sum += u32::from(a.abs_diff(*b));
        }
        total += u64::from(sum);
    }
    total
}

/// The lowest and the highest value; 255 and 0 of none.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn range(values: &[u8]) -> (u8, u8) {
    let (mut low, mut high) = (u8::MAX, 0);
    for value in values {
        low = low.min(*value);
        high = high.max(*value);
    }
    (low, high)
}

/// Widens the range of each column by a row's value.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn widen(low: &mut [u8], high: &mut [u8], row: &[u8]) {
    for ((low, high), value) in low.iter_mut().zip(high).zip(row) {
        *low = (*low).min(*value);
        *high = (*high).max(*value);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luma_divides_by_a_thousand_exactly() {
        for thousands in 500..=255_500_u32 {
            assert_eq!(((thousands >> 3) * 33_555) >> 22, thousands / 1_000, "{thousands}");
        }
    }

    #[test]
    fn grey_stays_grey_in_luma() {
        assert!((0..=255).all(|v| luma([v, v, v]) == v));
        assert_eq!(luma([255, 0, 0]), 76);
    }
}
