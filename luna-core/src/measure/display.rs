//! From stored values to the grey that a person sees: lookup table first, averaging after.

use std::ops::Range;

use super::histogram::{Histogram, Statistics, stored_range};
use super::kernels::{self, Line, luma};
use super::plane::Plane;
use super::sample::Sample;
use crate::decode::{Display, Image};

/// Maps stored samples to grey values, 0 black to 255 white, polarity applied.
pub(super) enum Tone {
    /// Bytes as they are.
    AsIs,
    /// By [`Sample::slot`], along a straight line; the same as the table, in less time.
    Line(Line),
    /// By [`Sample::slot`], counted from the first that occurs.
    Table(usize, Vec<u8>),
    /// By formula, for samples of more than 16 bits.
    Formula(Curve),
}

/// The formula behind a [`Tone`].
pub(super) struct Curve {
    shape: Shape,
    inverted: bool,
}

enum Shape {
    /// Straight from black to white.
    Linear { black: f64, white: f64 },
    /// Linear VOI window after rescaling: DICOM PS3.3 C.11.2.1.2.
    Window { slope: f64, intercept: f64, center: f64, width: f64 },
    /// Luma of each palette colour.
    Palette(Vec<u8>),
}

impl Tone {
    /// For the values that the histogram holds.
    pub(super) fn new<T: Sample>(
        image: &Image,
        histogram: &Histogram<T>,
        statistics: &Statistics,
    ) -> Self {
        let stretched = Shape::Linear { black: statistics.stretch.0, white: statistics.stretch.1 };
        let shape = match &image.display {
            Display::AsStored => stored_range::<T>(image.geometry.bits_stored)
                .map_or(stretched, |(black, white)| Shape::Linear { black, white }),
            Display::Percentiles => stretched,
            &Display::Window { slope, intercept, center, width } => {
                Shape::Window { slope, intercept, center, width }
            }
            Display::Palette(colours) => {
                Shape::Palette(colours.iter().map(|colour| luma(*colour)).collect())
            }
        };
        let curve = Curve { shape, inverted: image.inverted };
        if T::SLOTS == 0 {
            return Self::Formula(curve);
        }
        let slots = histogram.slots();
        let grey = |slot: usize| curve.grey(T::of_slot(slot).value());
        let table: Vec<u8> = slots.clone().map(grey).collect();
        if T::SLOTS == 256
            && slots.clone().zip(&table).all(|(slot, grey)| slot == usize::from(*grey))
        {
            return Self::AsIs;
        }
        let rise = curve.rise().filter(|_| T::SLOTS > 256);
        let line = rise.and_then(|rise| fit(&slots, &table, rise));
        line.map_or(Self::Table(slots.start, table), Self::Line)
    }

    /// The grey values of a row of samples, in `out` unless they are there already.
    pub(super) fn row<'a, T: Sample>(
        &self,
        plane: &Plane<'_, T>,
        row: &'a [T],
        out: &'a mut Vec<u8>,
    ) -> &'a [u8] {
        out.resize(row.len() / plane.channels, 0);
        match (self, plane.channels, T::bytes(row)) {
            (Self::AsIs, 1, Some(bytes)) => return bytes,
            (Self::AsIs, 3, Some(bytes)) => kernels::luma_u8(bytes, out),
            (Self::Line(line), 1, _) => T::tone(row, *line, out),
            (Self::Table(first, table), 1, _) => {
                for (grey, sample) in out.iter_mut().zip(row) {
                    *grey = table[sample.slot() - first];
                }
            }
            (_, 3, _) => {
                for (grey, pixel) in out.iter_mut().zip(row.as_chunks::<3>().0) {
                    *grey = luma(pixel.map(|sample| self.grey(sample)));
                }
            }
            (_, channels, _) => {
                for (grey, sample) in out.iter_mut().zip(row.iter().step_by(channels)) {
                    *grey = self.grey(*sample);
                }
            }
        }
        out
    }

    #[inline]
    fn grey<T: Sample>(&self, sample: T) -> u8 {
        match self {
            Self::AsIs => sample.slot() as u8,
            Self::Line(line) => line.grey(sample.slot() as u16),
            Self::Table(first, table) => table[sample.slot() - first],
            Self::Formula(curve) => curve.grey(sample.value()),
        }
    }
}

/// The line that gives exactly this table, if there is one; `rise` is its slope in grey levels a
/// slot.
fn fit(slots: &Range<usize>, table: &[u8], rise: f64) -> Option<Line> {
    let falling = table.first()? > table.last()?;
    let greys = || table.iter().map(|grey| if falling { !grey } else { *grey });
    let (low, high) = (greys().next()?, greys().next_back()?);
    let start = greys().take_while(|grey| *grey == low).count().checked_sub(1)?;
    let end = greys().take_while(|grey| *grey < high).count().max(start);
    if !greys().is_sorted() || greys().skip(end).any(|grey| grey != high) {
        return None;
    }
    let with_slope = |slope: u32| {
        // The n-th grey g needs g << 24 <= begin + n * slope < (g + 1) << 24.
        let (mut least, mut most) = (0, i64::from(u32::MAX));
        for (n, grey) in (0_u32..).zip(greys().skip(start).take(end - start + 1)) {
            let below = (i64::from(grey) << 24) - i64::from(slope) * i64::from(n);
            least = least.max(below);
            most = most.min(below + (1 << 24) - 1);
        }
        let begin = u32::try_from(least).ok().filter(|_| least <= most)?;
        let first = u16::try_from(slots.start + start).ok()?;
        let last = u16::try_from(slots.start + end).ok()?;
        Some(Line { first, last, begin, slope, falling })
    };
    let slope = libm::floor(libm::fabs(rise) * f64::from(1 << 24));
    // Steeper than a threshold of one slot, any slope is the same.
    let slope = slope.min(f64::from(u32::MAX - 1)) as u32;
    with_slope(slope).or_else(|| with_slope(slope + 1))
}

impl Curve {
    /// Grey levels a unit of value between black and white; `None` where that is no one number.
    fn rise(&self) -> Option<f64> {
        let rise = match &self.shape {
            Shape::Linear { black, white } => 255.0 / (white - black),
            Shape::Window { slope, width, .. } => 255.0 * slope / (width - 1.0),
            Shape::Palette(_) => return None,
        };
        rise.is_finite().then_some(rise)
    }

    fn grey(&self, value: f64) -> u8 {
        let grey = match &self.shape {
            Shape::Linear { black, white } => linear(value, *black, *white),
            Shape::Window { slope, intercept, center, width } => {
                window(value * slope + intercept, *center, *width)
            }
            Shape::Palette(greys) => {
                let index = (value.max(0.0) as usize).min(greys.len().saturating_sub(1));
                greys.get(index).copied().unwrap_or_default()
            }
        };
        if self.inverted { 255 - grey } else { grey }
    }
}

/// Black and below 0, white and above 255; middle grey where both are one value.
fn linear(value: f64, black: f64, white: f64) -> u8 {
    if white > black {
        return rounded((value - black) / (white - black) * 255.0);
    }
    match value.partial_cmp(&black) {
        Some(std::cmp::Ordering::Less) | None => 0,
        Some(std::cmp::Ordering::Equal) => 128,
        Some(std::cmp::Ordering::Greater) => 255,
    }
}

/// The linear window function of PS3.3 C.11.2.1.2.1, with output 0 to 255.
fn window(value: f64, center: f64, width: f64) -> u8 {
    let middle = center - 0.5;
    let half = (width - 1.0) / 2.0;
    if value <= middle - half {
        0
    } else if value > middle + half {
        255
    } else {
        rounded(((value - middle) / (width - 1.0) + 0.5) * 255.0)
    }
}

/// To the nearest grey value; not a number is black.
fn rounded(grey: f64) -> u8 {
    libm::floor(grey + 0.5).clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_fitted_line_is_the_table(
            black in 0.0..3_000.0_f64,
            width in 2.0..5_000.0_f64,
            slots in (0_usize..2_000, 1_usize..3_000),
            inverted: bool,
        ) {
            let curve = Curve { shape: Shape::Linear { black, white: black + width }, inverted };
            let slots = slots.0..slots.0 + slots.1;
            let table: Vec<u8> = slots.clone().map(|slot| curve.grey(slot as f64)).collect();
            if let Some(line) = fit(&slots, &table, curve.rise().unwrap()) {
                let greys: Vec<u8> = slots.map(|slot| line.grey(slot as u16)).collect();
                prop_assert_eq!(greys, table);
            }
        }
    }

    #[test]
    fn windows_of_twelve_bits_are_lines() {
        for (center, width) in [(2_048.0, 4_096.0), (1_500.0, 1_200.0), (611.5, 777.0)] {
            for slope in [1.0, -1.0] {
                let shape = Shape::Window { slope, intercept: 0.0, center: center * slope, width };
                let curve = Curve { shape, inverted: false };
                let table: Vec<u8> = (0..4_096).map(|slot| curve.grey(f64::from(slot))).collect();
                let line = fit(&(0..4_096), &table, curve.rise().unwrap()).unwrap();
                assert!((0..4_096).all(|slot| line.grey(slot) == table[usize::from(slot)]));
            }
        }
    }

    #[test]
    fn a_window_of_width_4096_around_2048_shows_twelve_bits() {
        assert_eq!(window(0.0, 2_048.0, 4_096.0), 0);
        assert_eq!(window(4_095.0, 2_048.0, 4_096.0), 255);
        assert_eq!(window(2_048.0, 2_048.0, 4_096.0), 128);
    }

    #[test]
    fn a_window_of_width_1_is_a_threshold() {
        assert_eq!(window(99.4, 100.0, 1.0), 0);
        assert_eq!(window(99.6, 100.0, 1.0), 255);
    }

    #[test]
    fn stretching_ends_in_black_and_white() {
        assert_eq!(
            [5.0, 10.0, 15.0, 20.0, 25.0].map(|v| linear(v, 10.0, 20.0)),
            [0, 0, 128, 255, 255]
        );
        assert_eq!([9.0, 10.0, 11.0, f64::NAN].map(|v| linear(v, 10.0, 10.0)), [0, 128, 255, 0]);
    }
}
