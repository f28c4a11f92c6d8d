//! Counts of stored values, and every number that follows from them. Exact for all sample types;
//! samples that are not finite take no part.

use std::ops::Range;
use std::sync::LazyLock;

use super::grey::GreyHistogram;
use super::plane::Plane;
use super::sample::Sample;
use crate::record::Measurements;

/// Samples that are looked at twice while they are in cache.
const BLOCK: usize = 64 << 10;
/// Up to so many bits, two tables of counts stay in the second-fastest cache.
const MOST_BITS_APART: u8 = 13;
/// Counts whose logarithms are kept.
const LOGARITHMS: usize = 4_096;

/// How often each value occurs, in ascending order of values.
pub(super) enum Histogram<T> {
    /// For types of at most 16 bits: the slot of the lowest value, and the count of each slot from
    /// there to that of the highest.
    Table(usize, Vec<u64>),
    /// All samples, sorted, for wider types.
    Sorted(Vec<T>),
}

impl<T: Sample> Histogram<T> {
    /// Gives each value that occurs, with its count, in ascending order.
    pub(super) fn each(&self, mut see: impl FnMut(T, u64)) {
        match self {
            Self::Table(first, table) => {
                for (slot, count) in (*first..).zip(table).filter(|(_, count)| **count > 0) {
                    see(T::of_slot(slot), *count);
                }
            }
            Self::Sorted(samples) => {
                for run in samples.chunk_by(|a, b| a.key() == b.key()) {
                    see(run[0], run.len() as u64);
                }
            }
        }
    }

    /// Slots from the lowest to the highest value; empty for wider types.
    pub(super) fn slots(&self) -> Range<usize> {
        match self {
            Self::Table(first, table) => *first..first + table.len(),
            Self::Sorted(_) => 0..0,
        }
    }

    /// From the counts of all slots.
    fn of_counts<N: Copy + Default + PartialEq>(counts: &[N], wide: fn(N) -> u64) -> Self {
        let occurs = |count: &N| *count != N::default();
        let first = counts.iter().position(occurs).unwrap_or_default();
        let end = counts.iter().rposition(occurs).map_or(first, |last| last + 1);
        Self::Table(first, counts[first..end].iter().map(|count| wide(*count)).collect())
    }

    /// Counts of bytes that are grey values as they are; at most 2^32 - 1 of them.
    pub(super) fn greys(&self) -> GreyHistogram {
        let mut greys = GreyHistogram::default();
        self.each(|sample, count| greys.counts[sample.slot() & 0xff] = count as u32);
        greys
    }

    /// Gives each finite value that occurs, with its count, in ascending order.
    fn each_finite(&self, mut see: impl FnMut(f64, u64)) {
        self.each(|sample, count| {
            let value = sample.value();
            if value.is_finite() {
                see(value, count);
            }
        });
    }
}

/// Counts all values and takes the mean absolute 4-neighbour Laplacian over all pixels that have
/// four neighbours, in one pass.
pub(super) fn scan<T: Sample>(plane: &Plane<'_, T>, bits_stored: u8) -> (Histogram<T>, f64) {
    let mut counter = Counter::new::<T>(bits_stored);
    let mut laplacian = 0.0;
    let row_len = plane.row_len().max(1);
    let block_rows = (BLOCK / row_len).max(1);
    for frame in 0..plane.frames {
        let samples = plane.frame(frame);
        for (index, block) in samples.chunks(block_rows * row_len).enumerate() {
            counter.add(block);
            let start = index * block_rows;
            let end = (start + block.len() / row_len).min(plane.height.saturating_sub(1));
            for y in start.max(1)..end {
                let row = |y: usize| &samples[y * row_len..(y + 1) * row_len];
                laplacian += T::laplacian(row(y - 1), row(y), row(y + 1), plane.channels);
            }
        }
    }
    let inner = plane.width.saturating_sub(2) * plane.height.saturating_sub(2);
    let inner = inner * plane.frames * plane.channels;
    let sharpness = if inner == 0 { 0.0 } else { laplacian / inner as f64 };
    let histogram = if T::SLOTS == 0 {
        let mut samples = plane.samples.to_vec();
        samples.sort_unstable_by_key(|sample| sample.key());
        Histogram::Sorted(samples)
    } else {
        counter.finish(T::SLOTS)
    };
    (histogram, sharpness)
}

/// Counts in narrow places, which stay in the fastest cache, and empties them before they are full.
struct Counter {
    table: Vec<u32>,
    /// Samples in `table`.
    pending: usize,
    totals: Vec<u64>,
}

impl Counter {
    fn new<T: Sample>(bits_stored: u8) -> Self {
        // Several tables pay only while all that is counted in them stays in the caches.
        let tables = if bits_stored <= MOST_BITS_APART { T::TABLES } else { 1 };
        let places = T::SLOTS * tables;
        Self { table: vec![0; places], pending: 0, totals: Vec::new() }
    }

    fn add<T: Sample>(&mut self, samples: &[T]) {
        if self.pending.saturating_add(samples.len()) > u32::MAX as usize {
            self.empty();
        }
        T::tally(samples, &mut self.table);
        self.pending += samples.len();
    }

    fn empty(&mut self) {
        self.totals.resize(self.table.len(), 0);
        for (total, count) in self.totals.iter_mut().zip(&mut self.table) {
            *total += u64::from(std::mem::take(count));
        }
        self.pending = 0;
    }

    fn finish<T: Sample>(mut self, slots: usize) -> Histogram<T> {
        if !self.totals.is_empty() {
            self.empty();
            let (counts, others) = self.totals.split_at_mut(slots);
            others.chunks(slots).for_each(|other| add_up(counts, other));
            return Histogram::of_counts(counts, |count| count);
        }
        // All that is pending fits one place.
        let (counts, others) = self.table.split_at_mut(slots);
        others.chunks(slots).for_each(|other| add_up(counts, other));
        Histogram::of_counts(counts, u64::from)
    }
}

fn add_up<N: Copy + std::ops::AddAssign>(sums: &mut [N], others: &[N]) {
    for (sum, other) in sums.iter_mut().zip(others) {
        *sum += *other;
    }
}

/// Lowest and highest value that the stored bits can hold; `None` for floating point.
pub(super) fn stored_range<T: Sample>(bits_stored: u8) -> Option<(f64, f64)> {
    let bits = i32::from(bits_stored.clamp(1, 64));
    let levels = libm::ldexp(1.0, bits);
    match (T::FLOAT, T::SIGNED) {
        (true, _) => None,
        (false, true) => Some((-levels / 2.0, levels / 2.0 - 1.0)),
        (false, false) => Some((0.0, levels - 1.0)),
    }
}

/// What the counts tell.
pub(super) struct Statistics {
    pub(super) measurements: Measurements,
    /// Percentiles 0.5 and 99.5 (nearest rank), black and white of a stretched picture.
    pub(super) stretch: (f64, f64),
}

impl Statistics {
    /// `None` if no sample is finite.
    pub(super) fn of<T: Sample>(
        histogram: &Histogram<T>,
        sharpness: f64,
        bits_stored: u8,
    ) -> Option<Self> {
        let (mut total, mut distinct, mut sum) = (0_u64, 0_u64, 0.0);
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        histogram.each_finite(|value, count| {
            total += count;
            distinct += 1;
            sum += value * count as f64;
            min = min.min(value);
            max = max.max(value);
        });
        if total == 0 {
            return None;
        }
        let mean = (sum / total as f64).clamp(min, max);
        let (variance, entropy) = spread(histogram, total, mean);
        let [low, p01, p50, p99, high] = percentiles(histogram, total, [5, 10, 500, 990, 995]);
        let (clipped_low, clipped_high) = clipped(histogram, total, bits_stored);
        let measurements = Measurements {
            min,
            max,
            mean,
            std: variance.sqrt(),
            p01,
            p50,
            p99,
            entropy_bits: entropy,
            clipped_low,
            clipped_high,
            distinct_values: distinct,
            sharpness,
        };
        Some(Self { measurements, stretch: (low, high) })
    }
}

/// Variance of the population, and Shannon entropy in bits.
fn spread<T: Sample>(histogram: &Histogram<T>, total: u64, mean: f64) -> (f64, f64) {
    let (mut variance, mut weighted) = (0.0, 0.0);
    histogram.each_finite(|value, count| {
        let share = count as f64 / total as f64;
        variance += share * (value - mean) * (value - mean);
        weighted += count as f64 * log2(count);
    });
    // -sum(share * log2(share)), with one logarithm a count instead of one a share.
    (variance, f64::max(log2(total) - weighted / total as f64, 0.0))
}

/// Logarithm of a count; those of small ones, which are most, are kept.
fn log2(count: u64) -> f64 {
    static KEPT: LazyLock<Vec<f64>> =
        LazyLock::new(|| (0..LOGARITHMS).map(|count| libm::log2(count as f64)).collect());
    match usize::try_from(count).ok().and_then(|count| KEPT.get(count)) {
        Some(kept) => *kept,
        None => libm::log2(count as f64),
    }
}

/// Values of the given ranks in thousandths (ascending), by nearest rank.
fn percentiles<T: Sample, const N: usize>(
    histogram: &Histogram<T>,
    total: u64,
    thousandths: [u64; N],
) -> [f64; N] {
    let mut values = [0.0; N];
    let (mut seen, mut next) = (0, 0);
    histogram.each_finite(|value, count| {
        seen += count;
        while next < N && seen >= (total * thousandths[next]).div_ceil(1_000).max(1) {
            values[next] = value;
            next += 1;
        }
    });
    values
}

/// Shares of samples at both ends of what the stored bits can hold.
fn clipped<T: Sample>(histogram: &Histogram<T>, total: u64, bits_stored: u8) -> (f64, f64) {
    let Some((lowest, highest)) = stored_range::<T>(bits_stored) else { return (0.0, 0.0) };
    let (mut low, mut high) = (0, 0);
    histogram.each_finite(|value, count| {
        if value <= lowest {
            low += count;
        }
        if value >= highest {
            high += count;
        }
    });
    (low as f64 / total as f64, high as f64 / total as f64)
}
