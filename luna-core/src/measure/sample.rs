//! The number types of decoded samples, as the measurements see them.
//!
//! Types of at most 16 bits are counted in tables and mapped by tables; wider ones are sorted and
//! mapped by formula. Order and integer form of every type are fixed here.

use super::kernels::{self, Line};

/// A sample of a decoded picture.
pub(super) trait Sample: Copy + PartialEq {
    /// Number of values of a type of at most 16 bits, 0 for wider types.
    const SLOTS: usize;
    /// Tables that [`tally`](Self::tally) counts in, side by side.
    const TABLES: usize = 1;
    /// True for floating point.
    const FLOAT: bool = false;
    /// True for two's complement and floating point.
    const SIGNED: bool;

    /// Place of the value in a table; ascending with the value. 0 for wider types.
    fn slot(self) -> usize;

    /// The value at a place of a table.
    fn of_slot(slot: usize) -> Self;

    /// An integer that keeps the order of values: the value itself, or for floating point the bits
    /// of IEEE 754, negative ones reversed, -0 as 0 and every NaN as the highest.
    fn key(self) -> i64;

    /// The value as a number.
    fn value(self) -> f64;

    /// Counts samples in `SLOTS` places, or in `TABLES` times as many; nothing for wider types.
    fn tally(_samples: &[Self], _table: &mut [u32]) {}

    /// Writes `value - origin` (mirrored: `origin - value`) of samples of at most 16 bits, two bytes
    /// each, lowest first.
    fn shift(_samples: &[Self], _origin: Self, _mirrored: bool, _out: &mut [u8]) {}

    /// Writes the grey values of 16-bit samples along a line of slots.
    fn tone(_samples: &[Self], _line: Line, _out: &mut [u8]) {}

    /// The samples themselves, if they are bytes.
    fn bytes(_samples: &[Self]) -> Option<&[u8]> {
        None
    }

    /// Sum over one row of |4c - left - right - above - below|, neighbours `step` samples away,
    /// first and last pixel left out.
    fn laplacian(above: &[Self], here: &[Self], below: &[Self], step: usize) -> f64;
}

/// The five slices of a row's inner samples: centre, left, right, above, below, of equal length.
fn neighbours<'a, T>(
    above: &'a [T],
    here: &'a [T],
    below: &'a [T],
    step: usize,
) -> Option<[&'a [T]; 5]> {
    let inner = step..here.len().checked_sub(step)?;
    let length = inner.len();
    if inner.is_empty() {
        return None;
    }
    Some([
        here.get(inner.clone())?,
        here.get(..length)?,
        here.get(2 * step..)?,
        above.get(inner.clone())?,
        below.get(inner)?,
    ])
}

impl Sample for u8 {
    const SLOTS: usize = 256;
    // Neighbours are often equal: four tables keep one count from waiting for the last.
    const TABLES: usize = 4;
    const SIGNED: bool = false;

    #[inline]
    fn slot(self) -> usize {
        usize::from(self)
    }

    #[inline]
    fn of_slot(slot: usize) -> Self {
        slot as Self
    }

    #[inline]
    fn key(self) -> i64 {
        i64::from(self)
    }

    #[inline]
    fn value(self) -> f64 {
        f64::from(self)
    }

    fn tally(samples: &[Self], table: &mut [u32]) {
        let Ok(table) = <&mut [u32; 1_024]>::try_from(table) else { return };
        let groups = samples.chunks_exact(4);
        for sample in groups.remainder() {
            table[usize::from(*sample)] += 1;
        }
        for group in groups {
            table[usize::from(group[0])] += 1;
            table[256 + usize::from(group[1])] += 1;
            table[512 + usize::from(group[2])] += 1;
            table[768 + usize::from(group[3])] += 1;
        }
    }

    fn shift(samples: &[Self], origin: Self, mirrored: bool, out: &mut [u8]) {
        kernels::shift_u8(samples, origin.into(), mirrored, out);
    }

    fn bytes(samples: &[Self]) -> Option<&[u8]> {
        Some(samples)
    }

    fn laplacian(above: &[Self], here: &[Self], below: &[Self], step: usize) -> f64 {
        kernels::laplacian_u8(above, here, below, step) as f64
    }
}

/// Counts in tables by turns. Of equal neighbours, which surroundings are full of, each count would
/// wait for the last: eight of them are counted as one. A slot that is masked needs no check of bounds.
fn count<T: Sample, const TABLES: usize>(samples: &[T], tables: [&mut [u32; 65_536]; TABLES]) {
    let (groups, rest) = samples.as_chunks::<8>();
    for group in groups {
        if *group == [group[0]; 8] {
            tables[0][group[0].slot() & 0xffff] += 8;
            continue;
        }
        for (i, sample) in group.iter().enumerate() {
            tables[i % TABLES][sample.slot() & 0xffff] += 1;
        }
    }
    for sample in rest {
        tables[0][sample.slot() & 0xffff] += 1;
    }
}

macro_rules! sixteen_bits {
    ($type:ty, $signed:literal, $flip:literal, $laplacian:ident, $shift:ident, $tone:ident) => {
        impl Sample for $type {
            const SLOTS: usize = 65_536;
            // As for bytes.
            const TABLES: usize = 2;
            const SIGNED: bool = $signed;

            #[inline]
            fn slot(self) -> usize {
                usize::from(self as u16 ^ $flip)
            }

            #[inline]
            fn of_slot(slot: usize) -> Self {
                (slot as u16 ^ $flip) as Self
            }

            #[inline]
            fn key(self) -> i64 {
                i64::from(self)
            }

            #[inline]
            fn value(self) -> f64 {
                f64::from(self)
            }

            fn tally(samples: &[Self], table: &mut [u32]) {
                match table.as_chunks_mut::<65_536>().0 {
                    [all] => count(samples, [all]),
                    [even, odd] => count(samples, [even, odd]),
                    _ => {}
                }
            }

            fn shift(samples: &[Self], origin: Self, mirrored: bool, out: &mut [u8]) {
                kernels::$shift(samples, origin as u16, mirrored, out);
            }

            fn tone(samples: &[Self], line: Line, out: &mut [u8]) {
                kernels::$tone(samples, line, out);
            }

            fn laplacian(above: &[Self], here: &[Self], below: &[Self], step: usize) -> f64 {
                kernels::$laplacian(above, here, below, step) as f64
            }
        }
    };
}

sixteen_bits!(u16, false, 0, laplacian_u16, shift_u16, tone_u16);
sixteen_bits!(i16, true, 0x8000, laplacian_i16, shift_i16, tone_i16);

macro_rules! wide {
    ($type:ty, $signed:literal) => {
        impl Sample for $type {
            const SLOTS: usize = 0;
            const SIGNED: bool = $signed;

            #[inline]
            fn slot(self) -> usize {
                0
            }

            #[inline]
            fn of_slot(_slot: usize) -> Self {
                Self::default()
            }

            #[inline]
            fn key(self) -> i64 {
                i64::from(self)
            }

            #[inline]
            fn value(self) -> f64 {
                f64::from(self)
            }

            fn laplacian(above: &[Self], here: &[Self], below: &[Self], step: usize) -> f64 {
                let Some([centre, left, right, up, down]) = neighbours(above, here, below, step)
                else {
                    return 0.0;
                };
                let sides = left.iter().zip(right);
                let ends = up.iter().zip(down);
                let mut total = 0_u128;
                for ((c, (l, r)), (u, d)) in centre.iter().zip(sides).zip(ends) {
                    let around = i64::from(*l) + i64::from(*r) + i64::from(*u) + i64::from(*d);
                    total += u128::from((4 * i64::from(*c)).abs_diff(around));
                }
                total as f64
            }
        }
    };
}

wide!(u32, false);
wide!(i32, true);

macro_rules! floating {
    ($type:ty, $bits:ty, $integer:ty) => {
        impl Sample for $type {
            const SLOTS: usize = 0;
            const FLOAT: bool = true;
            const SIGNED: bool = true;

            #[inline]
            fn slot(self) -> usize {
                0
            }

            #[inline]
            fn of_slot(_slot: usize) -> Self {
                Self::default()
            }

            #[inline]
            fn key(self) -> i64 {
                if self.is_nan() {
                    return i64::from(<$integer>::MAX);
                }
                // Adding 0 makes -0 a 0.
                let bits = (self + 0.0).to_bits() as $integer;
                i64::from(if bits < 0 { bits ^ <$integer>::MAX } else { bits })
            }

            #[inline]
            fn value(self) -> f64 {
                f64::from(self)
            }

            fn laplacian(above: &[Self], here: &[Self], below: &[Self], step: usize) -> f64 {
                let Some([centre, left, right, up, down]) = neighbours(above, here, below, step)
                else {
                    return 0.0;
                };
                let sides = left.iter().zip(right);
                let ends = up.iter().zip(down);
                let mut total = 0.0;
                for ((c, (l, r)), (u, d)) in centre.iter().zip(sides).zip(ends) {
                    let around = l.value() + r.value() + u.value() + d.value();
                    let difference = 4.0 * c.value() - around;
                    if difference.is_finite() {
                        total += difference.abs();
                    }
                }
                total
            }
        }
    };
}

floating!(f32, u32, i32);
floating!(f64, u64, i64);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_of_floats_keep_their_order() {
        let ascending = [f64::NEG_INFINITY, -2.5, -1.0, -1e-300, 0.0, 1e-300, 1.0, f64::INFINITY];
        assert!(ascending.is_sorted_by(|a, b| a.key() < b.key()));
        assert_eq!((-0.0_f32).key(), 0.0_f32.key());
        assert_eq!((-f64::NAN).key(), f64::NAN.key());
        assert!(f32::NAN.key() > f32::INFINITY.key());
    }

    #[test]
    fn slots_of_signed_samples_ascend_and_lead_back() {
        assert!((-3_i16).slot() < 2_i16.slot());
        for value in [i16::MIN, -1, 0, 1, i16::MAX] {
            assert_eq!(i16::of_slot(value.slot()), value);
        }
    }

    proptest! {
        #[test]
        fn runs_are_counted_like_single_samples(
            runs in prop::collection::vec((any::<i16>(), 1_usize..40), 0..60),
            tables in 1_usize..=2,
        ) {
            let samples: Vec<i16> =
                runs.iter().flat_map(|(value, length)| vec![*value; *length]).collect();
            let mut counted = vec![0; 65_536 * tables];
            i16::tally(&samples, &mut counted);
            let (all, others) = counted.split_at(65_536);
            let mut expected = vec![0; 65_536];
            for sample in &samples {
                expected[sample.slot()] += 1;
            }
            let sum = |slot: usize| all[slot] + others.get(slot).copied().unwrap_or_default();
            prop_assert!((0..65_536).all(|slot| sum(slot) == expected[slot]));
        }
    }

    #[test]
    fn a_single_bright_pixel_has_its_fourfold_laplacian() {
        let (above, here) = ([0_u16; 3], [0, 1_000, 0]);
        assert!((u16::laplacian(&above, &here, &above, 1) - 4_000.0).abs() < f64::EPSILON);
        assert!(u16::laplacian(&above[..2], &here[..2], &above[..2], 1).abs() < f64::EPSILON);
    }
}
