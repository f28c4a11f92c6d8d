//! Exact area averaging with integer weights: rows of grey values in, a smaller picture out.
//!
//! An output pixel is the mean of the rectangle of the input that it covers, pixels at the edge
//! weighted by the covered part, rounded to the nearest grey value.

use super::grey::GreyPicture;

/// Takes the rows of a picture from the top.
pub(super) struct Shrink {
    from: (u32, u32),
    to: (u32, u32),
    /// For each column border of the output but the first: the input column it falls in, and how
    /// far into it, in units of 1 / output width.
    borders: Vec<(u32, u32)>,
    /// Weighted sums down the columns of the input, for the output row in the making. At most
    /// 255 * input height.
    columns: Vec<u32>,
    /// Height of input taken so far, in units of 1 / output height.
    taken: u64,
    values: Vec<u8>,
}

impl Shrink {
    /// From `(width, height)` to `(width, height)`, neither of them 0, at most 65,535 a side.
    pub(super) fn new(from: (u32, u32), to: (u32, u32)) -> Self {
        let border = |i: u32| {
            let at = u64::from(i) * u64::from(from.0);
            let unit = u64::from(to.0.max(1));
            ((at / unit) as u32, (at % unit) as u32)
        };
        Self {
            from,
            to,
            borders: (1..=to.0).map(border).collect(),
            columns: vec![0; from.0 as usize],
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
        let height = u64::from(self.from.1);
        let end = self.taken + u64::from(self.to.1);
        while self.taken < end {
            let limit = (self.taken / height + 1) * height;
            let weight = end.min(limit) - self.taken;
            self.weigh(values, weight as u16);
            self.taken += weight;
            if self.taken == limit {
                self.emit();
            }
        }
    }

    /// Adds a row with the part of it that the output row at hand covers.
    fn weigh(&mut self, values: &[u8], weight: u16) {
        for (sum, value) in self.columns.iter_mut().zip(values) {
            *sum += u32::from(weight) * u32::from(*value);
        }
    }

    /// Ends an output row: sums along it, from border to border.
    fn emit(&mut self) {
        let area = u64::from(self.from.0) * u64::from(self.from.1);
        let unit = u64::from(self.to.0);
        let (mut whole, mut next, mut before) = (0, 0, 0);
        for (column, part) in &self.borders {
            let column = *column as usize;
            whole += self.columns[next..column].iter().map(|sum| u64::from(*sum)).sum::<u64>();
            next = column;
            let cut = self.columns.get(column).map_or(0, |sum| u64::from(*sum));
            let up_to = whole * unit + cut * u64::from(*part);
            let rounded = up_to - before + area / 2;
            // Exact: numerator and area are below 2^53, and a quotient that is not whole differs
            // from the next whole number by at least 1 / area, far more than a rounding error.
            self.values.push((rounded as f64 / area as f64) as u8);
            before = up_to;
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
