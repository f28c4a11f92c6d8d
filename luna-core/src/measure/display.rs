//! From stored values to the grey that a person sees: lookup table first, averaging after.

use super::histogram::{Statistics, stored_range};
use super::plane::Plane;
use super::sample::Sample;
use crate::decode::{Display, Image};

/// Maps stored samples to grey values, 0 black to 255 white, polarity applied.
pub(super) enum Tone {
    /// By [`Sample::slot`].
    Table(Vec<u8>),
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
    pub(super) fn new<T: Sample>(image: &Image, statistics: &Statistics) -> Self {
        let stretched = Shape::Linear { black: statistics.stretch.0, white: statistics.stretch.1 };
        let shape = match &image.display {
            Display::AsStored => stored_range::<T>(image.geometry.bits_stored)
                .map_or(stretched, |(black, white)| Shape::Linear { black, white }),
            Display::Percentiles => stretched,
            &Display::Window { slope, intercept, center, width } => {
                Shape::Window { slope, intercept, center, width }
            }
            Display::Palette(colours) => {
                Shape::Palette(colours.iter().map(|[r, g, b]| luma(*r, *g, *b)).collect())
            }
        };
        let curve = Curve { shape, inverted: image.inverted };
        if T::SLOTS == 0 {
            return Self::Formula(curve);
        }
        Self::Table((0..T::SLOTS).map(|slot| curve.grey(T::of_slot(slot).value())).collect())
    }

    /// Writes the grey values of a row of samples.
    pub(super) fn row<T: Sample>(&self, plane: &Plane<'_, T>, row: &[T], out: &mut Vec<u8>) {
        out.clear();
        match (self, plane.channels) {
            (Self::Table(table), 1) => {
                out.extend(row.iter().map(|sample| table[sample.slot()]));
            }
            (_, 3) => {
                let pixels = row.chunks_exact(3).map(|it| [it[0], it[1], it[2]]);
                out.extend(pixels.map(|pixel| {
                    let [r, g, b] = pixel.map(|sample| self.grey(sample));
                    luma(r, g, b)
                }));
            }
            (_, channels) => {
                out.extend(row.iter().step_by(channels).map(|sample| self.grey(*sample)));
            }
        }
    }

    fn grey<T: Sample>(&self, sample: T) -> u8 {
        match self {
            Self::Table(table) => table[sample.slot()],
            Self::Formula(curve) => curve.grey(sample.value()),
        }
    }
}

impl Curve {
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

/// ITU-R BT.601 luma in integers.
fn luma(r: u8, g: u8, b: u8) -> u8 {
    ((299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b) + 500) / 1_000) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn grey_stays_grey_in_luma() {
        assert!((0..=255).all(|v| luma(v, v, v) == v));
        assert_eq!(luma(255, 0, 0), 76);
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
