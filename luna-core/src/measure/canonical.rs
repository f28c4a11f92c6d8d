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
use crate::digest::Digest;

/// Bytes handed to the hash at a time.
const BLOCK: usize = 64 << 10;

/// A fingerprint in the making: takes the rows of all frames in order.
pub(super) struct Canonical<T> {
    map: Map<T>,
    blocks: Blocks,
}

/// Bytes on their way into the hash, in whole blocks from the first byte on: the hash is fastest on
/// aligned powers of two.
struct Blocks {
    hash: blake3::Hasher,
    buffer: Vec<u8>,
    filled: usize,
}

impl Blocks {
    /// So many more bytes, to be written.
    fn room(&mut self, bytes: usize) -> &mut [u8] {
        let start = self.filled;
        self.filled += bytes;
        if self.buffer.len() < self.filled {
            self.buffer.resize(self.filled, 0);
        }
        &mut self.buffer[start..self.filled]
    }

    fn put(&mut self, bytes: &[u8]) {
        self.room(bytes.len()).copy_from_slice(bytes);
    }

    /// Hashes the whole blocks there are.
    fn pass_on(&mut self) {
        let whole = self.filled / BLOCK * BLOCK;
        if whole > 0 {
            self.hash.update(&self.buffer[..whole]);
            self.buffer.copy_within(whole..self.filled, 0);
            self.filled -= whole;
        }
    }

    fn finish(mut self) -> Digest {
        self.hash.update(&self.buffer[..self.filled]);
        self.hash.finalize().into()
    }
}

/// How stored values become canonical ones.
enum Map<T> {
    /// `value - origin`, or `origin - value` where mirrored, as u16.
    Shift { origin: T, mirrored: bool },
    /// u16 by [`Sample::slot`], counted from the first that occurs.
    Table(usize, Vec<u16>),
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
        let slots = histogram.slots();
        let map = if !slots.is_empty() && formula.gcd == 1 {
            let mirrored = formula.inverted;
            let origin = T::of_slot(if mirrored { slots.end - 1 } else { slots.start });
            Map::Shift { origin, mirrored }
        } else if !slots.is_empty() {
            let mut table = vec![0; slots.len()];
            let first = slots.start;
            histogram.each(|sample, _| table[sample.slot() - first] = formula.of(sample) as u16);
            Map::Table(first, table)
        } else {
            let bytes = match formula.highest {
                0..=0xffff => 2,
                0x1_0000..=0xffff_ffff => 4,
                _ => 8,
            };
            Map::Formula(formula, bytes)
        };
        let hash = blake3::Hasher::new();
        let mut blocks = Blocks { hash, buffer: vec![0; BLOCK], filled: 0 };
        blocks.put(b"luna-px-1\0");
        for number in [plane.width, plane.height, plane.frames] {
            blocks.put(&(number as u32).to_le_bytes());
        }
        blocks.put(&[plane.channels as u8 + u8::from(plane.alpha.is_some())]);
        Some(Self { map, blocks })
    }

    /// Adds a row of colour samples, with its alpha if the picture has any.
    pub(super) fn row(&mut self, colours: &[T], channels: usize, alpha: Option<&[T]>) {
        let blocks = &mut self.blocks;
        match (&self.map, alpha) {
            (Map::Shift { origin, mirrored }, None) => {
                T::shift(colours, *origin, *mirrored, blocks.room(2 * colours.len()));
            }
            (Map::Table(first, table), None) => {
                let places = blocks.room(2 * colours.len()).as_chunks_mut().0;
                for (place, sample) in places.iter_mut().zip(colours) {
                    *place = table[sample.slot() - first].to_le_bytes();
                }
            }
            (map, alpha) => {
                for (x, pixel) in colours.chunks_exact(channels).enumerate() {
                    for sample in pixel {
                        map.write(*sample, blocks);
                    }
                    if let Some(alpha) = alpha.and_then(|alpha| alpha.get(x)) {
                        blocks.put(&alpha.key().to_le_bytes()[..map.width()]);
                    }
                }
            }
        }
        blocks.pass_on();
    }

    /// The fingerprint.
    pub(super) fn finish(self) -> Digest {
        self.blocks.finish()
    }
}

impl<T: Sample> Map<T> {
    /// Bytes of a canonical sample.
    fn width(&self) -> usize {
        match self {
            Self::Shift { .. } | Self::Table(..) => 2,
            Self::Formula(_, bytes) => *bytes,
        }
    }

    fn write(&self, sample: T, out: &mut Blocks) {
        match self {
            Self::Shift { origin, mirrored } => {
                T::shift(&[sample], *origin, *mirrored, out.room(2));
            }
            Self::Table(first, table) => out.put(&table[sample.slot() - first].to_le_bytes()),
            Self::Formula(formula, bytes) => out.put(&formula.of(sample).to_le_bytes()[..*bytes]),
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

pub(super) fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
