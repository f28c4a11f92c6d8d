//! `fingerprints.pixels` (`luna-px-1`): one picture, one fingerprint, whatever its container, offset,
//! scale or polarity.
//!
//! BLAKE3-256 over `luna-px-1` NUL, width, height, frames (u32 LE), channels (u8), then canonical
//! samples, row by row, pixel by pixel. Canonical: `v' = (v - min) / gcd(all v - min)` over all
//! colour samples of all frames; then v' or max - v', whichever is smaller at the first sample where
//! they differ. Equal colour channels are one channel; opaque alpha is dropped, other alpha stays
//! a last channel, as stored. Samples are u16 LE, or u32 LE (u64 LE) where the largest v' needs it.
//! Floating point: the values themselves if all are whole and below 2^31, so that float exports of
//! integer pictures meet them; else the order-preserving form of [`Sample::key`].

use super::histogram::Histogram;
use super::plane::Plane;
use super::sample::Sample;

/// Bytes handed to the hash at a time.
const BLOCK: usize = 64 << 10;

/// A fingerprint in the making: takes the rows of all frames in order.
pub(super) struct Canonical<T> {
    hash: blake3::Hasher,
    map: Map<T>,
    buffer: Vec<u8>,
}

/// How stored values become canonical ones.
enum Map<T> {
    /// u16 by [`Sample::slot`].
    Table(Vec<u16>),
    /// By formula, in so many bytes.
    Formula(Formula<T>, usize),
}

struct Formula<T> {
    key: fn(T) -> i64,
    min: i64,
    gcd: u64,
    /// Highest canonical value.
    highest: u64,
    inverted: bool,
}

impl<T: Sample> Formula<T> {
    /// `None` if all values are equal.
    fn new(histogram: &Histogram<T>, samples: &[T]) -> Option<Self> {
        let key: fn(T) -> i64 =
            if T::FLOAT && is_whole(histogram) { |sample| sample.value() as i64 } else { T::key };
        let (mut min, mut range, mut gcd) = (None, 0, 0);
        histogram.each(|sample, _| {
            let min = *min.get_or_insert(key(sample));
            range = key(sample).wrapping_sub(min) as u64;
            gcd = greatest_common_divisor(gcd, range);
        });
        let highest = range.checked_div(gcd)?;
        let mut formula = Self { key, min: min?, gcd, highest, inverted: false };
        let first =
            samples.iter().map(|sample| formula.of(*sample)).find(|v| *v != highest - *v)?;
        formula.inverted = first > highest - first;
        Some(formula)
    }

    fn of(&self, sample: T) -> u64 {
        let value = (self.key)(sample).wrapping_sub(self.min) as u64 / self.gcd;
        if self.inverted { self.highest.saturating_sub(value) } else { value }
    }
}

impl<T: Sample> Canonical<T> {
    /// `None` for a constant picture, which has no fingerprint.
    pub(super) fn new(plane: &Plane<'_, T>, histogram: &Histogram<T>) -> Option<Self> {
        let formula = Formula::new(histogram, &plane.samples)?;
        let map = if let Histogram::Table(counts) = histogram {
            let mut table = vec![0; counts.len()];
            histogram.each(|sample, _| table[sample.slot()] = formula.of(sample) as u16);
            Map::Table(table)
        } else {
            let bytes = match formula.highest {
                0..=0xffff => 2,
                0x1_0000..=0xffff_ffff => 4,
                _ => 8,
            };
            Map::Formula(formula, bytes)
        };
        let mut hash = blake3::Hasher::new();
        hash.update(b"luna-px-1\0");
        for number in [plane.width, plane.height, plane.frames] {
            hash.update(&(number as u32).to_le_bytes());
        }
        hash.update(&[plane.channels as u8 + u8::from(plane.alpha.is_some())]);
        Some(Self { hash, map, buffer: Vec::with_capacity(BLOCK) })
    }

    /// Adds a row of colour samples, with its alpha if the picture has any.
    pub(super) fn row(&mut self, colours: &[T], channels: usize, alpha: Option<&[T]>) {
        match (&self.map, alpha) {
            (Map::Table(table), None) => {
                let start = self.buffer.len();
                self.buffer.resize(start + 2 * colours.len(), 0);
                let places = self.buffer[start..].chunks_exact_mut(2);
                for (place, sample) in places.zip(colours) {
                    place.copy_from_slice(&table[sample.slot()].to_le_bytes());
                }
            }
            (map, alpha) => {
                for (x, pixel) in colours.chunks_exact(channels).enumerate() {
                    for sample in pixel {
                        map.write(*sample, &mut self.buffer);
                    }
                    if let Some(alpha) = alpha.and_then(|alpha| alpha.get(x)) {
                        let raw = alpha.key().to_le_bytes();
                        self.buffer.extend_from_slice(&raw[..map.width()]);
                    }
                }
            }
        }
        if self.buffer.len() >= BLOCK {
            self.hash.update(&self.buffer);
            self.buffer.clear();
        }
    }

    /// The fingerprint, hexadecimal.
    pub(super) fn finish(mut self) -> String {
        self.hash.update(&self.buffer);
        self.hash.finalize().to_hex().to_string()
    }
}

impl<T: Sample> Map<T> {
    /// Bytes of a canonical sample.
    fn width(&self) -> usize {
        match self {
            Self::Table(_) => 2,
            Self::Formula(_, bytes) => *bytes,
        }
    }

    fn write(&self, sample: T, out: &mut Vec<u8>) {
        match self {
            Self::Table(table) => out.extend_from_slice(&table[sample.slot()].to_le_bytes()),
            Self::Formula(formula, bytes) => {
                out.extend_from_slice(&formula.of(sample).to_le_bytes()[..*bytes]);
            }
        }
    }
}

/// True if every value is a whole number below 2^31.
fn is_whole<T: Sample>(histogram: &Histogram<T>) -> bool {
    let mut whole = true;
    histogram.each(|sample, _| {
        let value = sample.value();
        whole &= value.abs() < 2_147_483_648.0 && libm::trunc(value).total_cmp(&value).is_eq();
    });
    whole
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
