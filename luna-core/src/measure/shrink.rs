//! Exact area averaging with integer weights: rows of grey values in, a smaller picture out.
//!
//! An output pixel is the mean of the rectangle of the input that it covers, pixels at the edge
//! weighted by the covered part, rounded to the nearest grey value.

use super::canonical::greatest_common_divisor;
use super::grey::GreyPicture;
use super::kernels::{self, Mean};

/// Rows that a 16-bit sum of grey values can hold: 257 * 255 = 65,535.
const PLAIN_ROWS: u32 = 257;

/// Takes the rows of a picture from the top.
pub(super) struct Shrink {
    from: (u32, u32),
    to: (u32, u32),
    across: Axis,
    down: Axis,
    /// The right border of each output column: the input column it falls in, and how far into it.
    borders: Vec<(u32, u32)>,
    /// Sums down the columns of the input of rows that lie inside one output row.
    plain: Vec<u16>,
    plain_rows: u32,
    /// Sums of all rows, weighted by the part that the output row covers; one more place, always 0.
    columns: Vec<u32>,
    sums: Sums,
    mean: Mean,
    /// Height of input taken so far, in units.
    taken: u64,
    values: Vec<u8>,
}

/// Sums of columns to the left of each column, and to the left of each border: modulo 2^32 where no
/// output pixel's own sum is larger.
enum Sums {
    Narrow(Vec<u32>, Vec<u32>),
    Wide(Vec<u64>, Vec<u64>),
}

/// Input and output pixels along one side, as multiples of a common unit.
#[derive(Clone, Copy)]
struct Axis {
    /// Units of one input pixel.
    pixel: u32,
    /// Units of one output pixel.
    cell: u32,
}

impl Axis {
    fn new(from: u32, to: u32) -> Self {
        let unit = greatest_common_divisor(from.into(), to.into()).max(1) as u32;
        Self { pixel: to / unit, cell: from / unit }
    }
}

impl Shrink {
    /// From `(width, height)` to `(width, height)`, neither of them 0, at most 65,535 a side.
    pub(super) fn new(from: (u32, u32), to: (u32, u32)) -> Self {
        let (across, down) = (Axis::new(from.0, to.0), Axis::new(from.1, to.1));
        let border = |i: u32| {
            let at = u64::from(i) * u64::from(across.cell);
            let unit = u64::from(across.pixel.max(1));
            ((at / unit) as u32, (at % unit) as u32)
        };
        let width = from.0 as usize;
        let area = u64::from(across.cell) * u64::from(down.cell);
        let borders: Vec<(u32, u32)> = (1..=to.0).map(border).collect();
        let sums = if area < Mean::NARROW_AREA {
            Sums::Narrow(vec![0; width + 1], vec![0; borders.len()])
        } else {
            Sums::Wide(vec![0; width + 1], vec![0; borders.len()])
        };
        Self {
            from,
            to,
            across,
            down,
            borders,
            plain: vec![0; width],
            plain_rows: 0,
            columns: vec![0; width + 1],
            sums,
            mean: Mean::over(area),
            taken: 0,
            values: Vec::with_capacity(to.0 as usize * to.1 as usize),
        }
    }

    /// To the same shape with a long side of at most `long`.
    pub(super) fn to_long_side(from: (u32, u32), long: u32) -> Self {
        let side = u64::from(from.0.max(from.1));
        let scaled = |length: u32| {
            let length = u64::from(length) * u64::from(long);
            ((length + side / 2) / side.max(1)).max(1) as u32
        };
        let to = if side > u64::from(long) { (scaled(from.0), scaled(from.1)) } else { from };
        Self::new(from, to)
    }

    /// Adds the next row; `values` holds as many as the input is wide.
    pub(super) fn row(&mut self, values: &[u8]) {
        if self.from == self.to {
            self.values.extend_from_slice(values);
            return;
        }
        let cell = u64::from(self.down.cell);
        let end = self.taken + u64::from(self.down.pixel);
        while self.taken < end {
            let limit = (self.taken / cell + 1) * cell;
            let weight = (end.min(limit) - self.taken) as u32;
            self.weigh(values, weight);
            self.taken += u64::from(weight);
            if self.taken == limit {
                self.emit();
            }
        }
    }

    /// Adds a row with the part of it that the output row at hand covers, in units.
    fn weigh(&mut self, values: &[u8], weight: u32) {
        if weight < self.down.pixel {
            kernels::add_weighted(&mut self.columns, values, weight as u16);
            return;
        }
        kernels::add(&mut self.plain, values);
        self.plain_rows += 1;
        if self.plain_rows == PLAIN_ROWS {
            self.settle();
        }
    }

    /// Moves the sums of whole rows to the weighted ones.
    fn settle(&mut self) {
        if self.plain_rows > 0 {
            let weight = self.down.pixel as u16;
            kernels::drain_weighted(&mut self.columns, &mut self.plain, weight);
            self.plain_rows = 0;
        }
    }

    /// Ends an output row: sums along it, from border to border.
    fn emit(&mut self) {
        self.settle();
        let start = self.values.len();
        self.values.resize(start + self.borders.len(), 0);
        let (unit, mean) = (self.across.pixel, self.mean);
        let out = &mut self.values[start..];
        match &mut self.sums {
            Sums::Narrow(sums, up_to) => {
                kernels::means_u32(&self.columns, sums, &self.borders, unit, mean, up_to, out);
            }
            Sums::Wide(sums, up_to) => {
                kernels::means_u64(&self.columns, sums, &self.borders, unit, mean, up_to, out);
            }
        }
        self.columns.fill(0);
    }

    /// The picture, once all rows are in.
    pub(super) fn finish(self) -> GreyPicture {
        GreyPicture { width: self.to.0, height: self.to.1, values: self.values }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shrunk(values: &[u8], from: (u32, u32), to: (u32, u32)) -> Vec<u8> {
        let mut shrink = Shrink::new(from, to);
        for row in values.chunks_exact(from.0 as usize) {
            shrink.row(row);
        }
        shrink.finish().values
    }

    /// The definition, in floating point.
    fn area_mean(values: &[u8], from: (u32, u32), to: (u32, u32), (i, j): (u32, u32)) -> f64 {
        let overlap = |k: u32, at: u32, from: u32, to: u32| {
            let (low, high) =
                (f64::from(k * from) / f64::from(to), f64::from((k + 1) * from) / f64::from(to));
            (high.min(f64::from(at + 1)) - low.max(f64::from(at))).max(0.0)
        };
        let mut sum = 0.0;
        for y in 0..from.1 {
            for x in 0..from.0 {
                let weight = overlap(i, x, from.0, to.0) * overlap(j, y, from.1, to.1);
                sum += weight * f64::from(values[(y * from.0 + x) as usize]);
            }
        }
        let area = f64::from(from.0) / f64::from(to.0) * f64::from(from.1) / f64::from(to.1);
        sum / area
    }

    #[test]
    fn halving_takes_the_mean_of_four() {
        let values = [0, 10, 200, 202, 20, 30, 204, 206];
        assert_eq!(shrunk(&values, (4, 2), (2, 1)), [15, 203]);
    }

    #[test]
    fn the_long_side_bounds_both_sides() {
        let shrink = Shrink::to_long_side((2_500, 2_000), 1_024);
        assert_eq!(shrink.to, (1_024, 819));
        assert_eq!(Shrink::to_long_side((65_535, 1), 1_024).to, (1_024, 1));
        assert_eq!(Shrink::to_long_side((300, 1_024), 1_024).to, (300, 1_024));
    }

    proptest! {
        #[test]
        fn multiplying_divides_exactly(area in prop_oneof![1_u64..1 << 22, 1_u64..1 << 32], mean in 0_u64..256, off in -2_i64..3) {
            let sum = (mean * area + area / 2).saturating_add_signed(off).min(255 * area);
            let expected = (sum + area / 2) / area;
            prop_assert_eq!(u64::from(Mean::over(area).of(sum)), expected);
            if area < Mean::NARROW_AREA {
                prop_assert_eq!(u64::from(Mean::over(area).of_narrow(sum as u32)), expected);
            }
        }

        #[test]
        fn every_pixel_is_the_mean_of_what_it_covers(
            (from, to, values) in (1_u32..14, 1_u32..14, 1_u32..18, 1_u32..18).prop_flat_map(
                |(w, h, to_w, to_h)| {
                    let values = prop::collection::vec(any::<u8>(), (w * h) as usize);
                    (Just((w, h)), Just((to_w, to_h)), values)
                },
            ),
        ) {
            let got = shrunk(&values, from, to);
            prop_assert_eq!(got.len(), (to.0 * to.1) as usize);
            for (k, value) in got.iter().enumerate() {
                let at = (k as u32 % to.0, k as u32 / to.0);
                let mean = area_mean(&values, from, to, at);
                prop_assert!((f64::from(*value) - mean).abs() <= 0.5 + 1e-6);
            }
        }
    }
}
