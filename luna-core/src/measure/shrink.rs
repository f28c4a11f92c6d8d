//! Exact area averaging with integer weights: rows of grey values in, a smaller picture out.
//!
//! An output pixel is the mean of the rectangle of the input that it covers, pixels at the edge
//! weighted by the covered part, rounded to the nearest grey value.

use super::canonical::greatest_common_divisor;
use super::grey::GreyPicture;
use super::kernels::{self, Cover, Mean};

/// Rows that a 16-bit sum of grey values can hold: 257 * 255 = 65,535.
const PLAIN_ROWS: u32 = 257;

/// Places beside the last column that a cover may reach.
const MOST_BESIDE: usize = 7;

/// Takes the rows of a picture from the top.
pub(super) struct Shrink {
    from: (u32, u32),
    to: (u32, u32),
    down: Axis,
    across: Across,
    /// Sums down the columns of the input of rows that lie inside one output row.
    plain: Vec<u16>,
    plain_rows: u32,
    /// Sums of all rows, weighted by the part that the output row covers; some more places, always 0.
    columns: Vec<u32>,
    mean: Mean,
    /// Height of input taken so far, in units.
    taken: u64,
    values: Vec<u8>,
}

/// What each output pixel covers along a row. Covers of few columns have a fixed length: as many
/// steps for each pixel, and no branch that a processor could guess wrong.
enum Across {
    Four(Vec<Cover<4>>, Sums),
    Eight(Vec<Cover<8>>, Sums),
    Many(Vec<Span>, Axis),
}

/// Room for the sums of an output row, as wide as its largest needs.
enum Sums {
    Narrow(Vec<u32>),
    Wide(Vec<u64>),
}

/// The first and the last column under an output pixel, and what it leaves of them, in units.
struct Span {
    first: u32,
    last: u32,
    before: u32,
    after: u32,
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

    /// The input pixels under an output pixel.
    fn span(self, output: u32) -> Span {
        let (pixel, cell) = (u64::from(self.pixel.max(1)), u64::from(self.cell));
        let (start, end) = (u64::from(output) * cell, u64::from(output + 1) * cell);
        let (first, last) = (start / pixel, end.saturating_sub(1) / pixel);
        Span {
            first: first as u32,
            last: last as u32,
            before: (start - first * pixel) as u32,
            after: ((last + 1) * pixel - end) as u32,
        }
    }
}

impl Span {
    fn len(&self) -> usize {
        (self.last - self.first) as usize + 1
    }

    /// What each column holds, times the part of it that is covered.
    fn sum(&self, columns: &[u32], axis: Axis) -> u64 {
        let [first, last] = [self.first, self.last].map(|column| column as usize);
        let all: u64 = columns[first..=last].iter().map(|column| u64::from(*column)).sum();
        all * u64::from(axis.pixel)
            - u64::from(columns[first]) * u64::from(self.before)
            - u64::from(columns[last]) * u64::from(self.after)
    }

    /// The same with a place for each column.
    fn cover<const N: usize>(&self, axis: Axis) -> Cover<N> {
        let mut parts = [0; N];
        let inside = &mut parts[..self.len()];
        inside.fill(axis.pixel);
        inside[0] -= self.before;
        inside[self.len() - 1] -= self.after;
        Cover { start: self.first, parts }
    }
}

impl Across {
    /// `area`: units of an output pixel.
    fn new(axis: Axis, outputs: u32, area: u64) -> Self {
        let spans: Vec<Span> = (0..outputs).map(|output| axis.span(output)).collect();
        let longest = spans.iter().map(Span::len).max().unwrap_or_default();
        let sums = if area < Mean::NARROW_AREA {
            Sums::Narrow(vec![0; spans.len()])
        } else {
            Sums::Wide(vec![0; spans.len()])
        };
        match longest {
            ..=4 => Self::Four(spans.iter().map(|span| span.cover(axis)).collect(), sums),
            5..=8 => Self::Eight(spans.iter().map(|span| span.cover(axis)).collect(), sums),
            _ => Self::Many(spans, axis),
        }
    }
}

impl Shrink {
    /// From `(width, height)` to `(width, height)`, neither of them 0, at most 65,535 a side.
    pub(super) fn new(from: (u32, u32), to: (u32, u32)) -> Self {
        let (across, down) = (Axis::new(from.0, to.0), Axis::new(from.1, to.1));
        let area = u64::from(across.cell) * u64::from(down.cell);
        let width = from.0 as usize;
        Self {
            from,
            to,
            down,
            across: Across::new(across, to.0, area),
            plain: vec![0; width],
            plain_rows: 0,
            columns: vec![0; width + MOST_BESIDE],
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

    /// Ends an output row.
    fn emit(&mut self) {
        self.settle();
        let start = self.values.len();
        self.values.resize(start + self.to.0 as usize, 0);
        let (columns, mean) = (&self.columns, self.mean);
        let out = &mut self.values[start..];
        match &mut self.across {
            Across::Four(covers, Sums::Narrow(sums)) => {
                kernels::means_of_4(columns, covers, mean, sums, out);
            }
            Across::Four(covers, Sums::Wide(sums)) => {
                kernels::wide_means_of_4(columns, covers, mean, sums, out);
            }
            Across::Eight(covers, Sums::Narrow(sums)) => {
                kernels::means_of_8(columns, covers, mean, sums, out);
            }
            Across::Eight(covers, Sums::Wide(sums)) => {
                kernels::wide_means_of_8(columns, covers, mean, sums, out);
            }
            Across::Many(spans, axis) => {
                for (out, span) in out.iter_mut().zip(spans) {
                    *out = mean.of(span.sum(columns, *axis));
                }
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
    fn sums_of_more_than_32_bits_are_exact_too() {
        let from = (65_521, 67);
        let values: Vec<u8> =
            (0..from.0 * from.1).map(|i: u32| (i.wrapping_mul(i) % 251) as u8).collect();
        for to in [(32_749, 61), (16_381, 61), (6_007, 61)] {
            let got = shrunk(&values, from, to);
            for at in [(0, 0), (to.0 / 2, 30), (to.0 - 1, to.1 - 1)] {
                let mean = area_mean(&values, from, to, at);
                let value = got[(at.1 * to.0 + at.0) as usize];
                assert!((f64::from(value) - mean).abs() <= 0.5 + 1e-6, "{to:?} {at:?}");
            }
        }
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
