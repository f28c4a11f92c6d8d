//! Likeness to a frontal chest radiograph: rank correlation with the mean of 120 of them.

use std::sync::LazyLock;

use crate::measure::DESCRIPTOR_SIDE;

/// Pixels of the template.
const PIXELS: usize = (DESCRIPTOR_SIDE * DESCRIPTOR_SIDE) as usize;

/// The mean frontal chest radiograph, 32 x 32, zero mean and unit deviation, upright. It equals its
/// own mirror image, so it cannot tell left from right.
static FRONTAL_MEAN: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let numbers = include_str!("../../../data/frontal_mean_32.csv");
    numbers.split([',', '\n']).filter_map(|number| number.trim().parse().ok()).collect()
});

/// Quarter turns of a picture, anticlockwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    None,
    Left,
    Half,
    Right,
}

impl Turn {
    /// All turns but none.
    pub(super) const TURNED: [Self; 3] = [Self::Left, Self::Half, Self::Right];

    /// Where the pixel at row `y`, column `x` of the turned picture comes from.
    fn source(self, x: usize, y: usize) -> usize {
        let side = DESCRIPTOR_SIDE as usize;
        let last = side - 1;
        let (x, y) = match self {
            Self::None => (x, y),
            Self::Left => (last - y, x),
            Self::Half => (last - x, last - y),
            Self::Right => (y, last - x),
        };
        y * side + x
    }
}

/// Spearman-like correlation, -1 to 1, of a 32 x 32 picture, turned, with the template: grey values
/// are replaced by their ranks (ties averaged), then the products are averaged. 0 for a flat one.
pub(super) fn likeness(descriptor: &[u8], turn: Turn) -> f64 {
    let ranks = ranks(descriptor);
    let side = DESCRIPTOR_SIDE as usize;
    let template = FRONTAL_MEAN.iter().enumerate();
    let products = template.filter_map(|(at, mean)| {
        let rank = ranks.get(turn.source(at % side, at / side))?;
        Some(mean * rank)
    });
    products.sum::<f64>() / PIXELS as f64
}

/// Ranks of grey values, ties averaged, with zero mean and unit deviation; all 0 for a flat picture.
fn ranks(values: &[u8]) -> Vec<f64> {
    let mut counts = [0_u32; 256];
    for value in values {
        counts[usize::from(*value)] += 1;
    }
    let middle = (values.len() as f64 - 1.0) / 2.0;
    let mut below = 0.0;
    let mut rank_of = [0.0; 256];
    for (rank, count) in rank_of.iter_mut().zip(counts) {
        *rank = below + (f64::from(count) - 1.0) / 2.0 - middle;
        below += f64::from(count);
    }
    let ranks = values.iter().map(|value| rank_of[usize::from(*value)]);
    let variance = ranks.clone().map(|rank| rank * rank).sum::<f64>() / values.len().max(1) as f64;
    let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
    ranks.map(|rank| rank / deviation).collect()
}

/// The template between its pixels (bilinear), for drawn pictures; `x` and `y` from 0 to 1.
#[cfg(test)]
pub(super) fn mean_at(x: f64, y: f64) -> f64 {
    let side = DESCRIPTOR_SIDE as usize;
    let place = |at: f64| {
        let at = (at * side as f64 - 0.5).clamp(0.0, side as f64 - 1.001);
        (at as usize, at.fract())
    };
    let ((column, right), (row, down)) = (place(x), place(y));
    let between = |row: usize| {
        let pixels = &FRONTAL_MEAN[row * side + column..];
        pixels[0] * (1.0 - right) + pixels[1] * right
    };
    between(row) * (1.0 - down) + between(row + 1) * down
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The template as grey values, turned.
    fn frontal(turn: Turn) -> Vec<u8> {
        let side = DESCRIPTOR_SIDE as usize;
        let grey = |at: usize| {
            let value = FRONTAL_MEAN[turn.source(at % side, at / side)];
            ((value + 2.5) * 50.0) as u8
        };
        (0..PIXELS).map(grey).collect()
    }

    #[test]
    fn the_template_is_whole_centred_and_symmetric() {
        assert_eq!(FRONTAL_MEAN.len(), PIXELS);
        assert!(FRONTAL_MEAN.iter().sum::<f64>().abs() < 1.0);
        assert!((likeness(&frontal(Turn::None), Turn::None) - 1.0).abs() < 0.05);
    }

    #[test]
    fn inversion_turns_the_sign() {
        let upright = frontal(Turn::None);
        let inverted: Vec<u8> = upright.iter().map(|value| 255 - value).collect();
        let sum = likeness(&upright, Turn::None) + likeness(&inverted, Turn::None);
        assert!(sum.abs() < 1e-9);
        assert!(likeness(&[7; PIXELS], Turn::None).abs() < 1e-12);
    }

    #[test]
    fn a_turn_to_the_left_is_undone_by_one_to_the_right() {
        let upright = likeness(&frontal(Turn::None), Turn::None);
        for (turned, back) in
            [(Turn::Left, Turn::Right), (Turn::Half, Turn::Half), (Turn::Right, Turn::Left)]
        {
            assert!((likeness(&frontal(turned), back) - upright).abs() < 1e-12);
            assert!(likeness(&frontal(turned), Turn::None) < 0.7);
        }
    }
}
