//! Small grey pictures and their histograms.

use super::content;
use super::sample::Sample as _;
use super::shrink::Shrink;

/// A rectangle of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rect {
    /// Left column.
    pub x: u32,
    /// Top row.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl Rect {
    /// Number of pixels.
    pub fn area(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// The middle of it: `percent` of its width and of its height, rounded, at least one pixel.
    ///
    /// ```
    /// use luna_core::measure::Rect;
    /// let all = Rect { x: 0, y: 0, width: 100, height: 50 };
    /// assert_eq!(all.centre(60), Rect { x: 20, y: 10, width: 60, height: 30 });
    /// ```
    #[must_use]
    pub fn centre(&self, percent: u32) -> Self {
        let part = |side: u32| {
            ((u64::from(side) * u64::from(percent) + 50) / 100).clamp(1, u64::from(side.max(1)))
                as u32
        };
        let (width, height) = (part(self.width), part(self.height));
        Self {
            x: self.x + self.width.saturating_sub(width) / 2,
            y: self.y + self.height.saturating_sub(height) / 2,
            width,
            height,
        }
    }
}

/// A grey picture, 0 black to 255 white, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GreyPicture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `width * height` values.
    pub values: Vec<u8>,
}

impl GreyPicture {
    /// The whole picture.
    pub fn bounds(&self) -> Rect {
        Rect { x: 0, y: 0, width: self.width, height: self.height }
    }

    /// The values of row `y` that lie inside `rect`.
    pub fn row(&self, rect: Rect, y: u32) -> &[u8] {
        let start = y as usize * self.width as usize + rect.x as usize;
        self.values.get(start..start + rect.width as usize).unwrap_or_default()
    }

    /// All rows inside `rect`, from the top.
    pub fn rows(&self, rect: Rect) -> impl Iterator<Item = &[u8]> {
        (rect.y..rect.y + rect.height).map(move |y| self.row(rect, y))
    }

    /// The part inside `rect`, brought to `width` x `height` by exact area averaging (an enlarged
    /// one repeats pixels).
    ///
    /// ```
    /// use luna_core::measure::GreyPicture;
    /// let picture = GreyPicture { width: 2, height: 2, values: vec![0, 100, 100, 200] };
    /// assert_eq!(picture.resized(picture.bounds(), 1, 1).values, [100]);
    /// ```
    #[must_use]
    pub fn resized(&self, rect: Rect, width: u32, height: u32) -> Self {
        let mut shrink = Shrink::new((rect.width, rect.height), (width, height));
        for row in self.rows(rect) {
            shrink.row(row);
        }
        shrink.finish()
    }

    /// What is left of `within` when rows and columns of at most 6 grey levels (1st to 99th
    /// percentile) are trimmed from outside; `within` if nothing would be left.
    #[must_use]
    pub fn content_box(&self, within: Rect) -> Rect {
        content::content_box(self, within)
    }

    /// True if the 1st and the 99th percentile inside `rect` lie at most 6 grey levels apart.
    pub fn is_near_constant(&self, rect: Rect) -> bool {
        content::is_near_constant(self, rect)
    }

    /// How often each grey value occurs inside `rect`.
    pub fn histogram(&self, rect: Rect) -> GreyHistogram {
        let mut tally = Tally::default();
        if rect.width == 1 {
            // A column side by side counts as fast as a row.
            let column: Vec<u8> = self.rows(rect).flatten().copied().collect();
            tally.add(&column);
        } else {
            self.rows(rect).for_each(|row| tally.add(row));
        }
        tally.finish()
    }

    /// Counts of what lies outside `rect`.
    fn surroundings(&self, rect: Rect) -> GreyHistogram {
        let (right, bottom) = (rect.x + rect.width, rect.y + rect.height);
        let whole = self.bounds();
        let strips = [
            Rect { height: rect.y, ..whole },
            Rect { y: bottom, height: whole.height - bottom, ..whole },
            Rect { x: 0, width: rect.x, ..rect },
            Rect { x: right, width: whole.width - right, ..rect },
        ];
        let mut tally = Tally::default();
        for strip in strips.into_iter().filter(|strip| strip.area() > 0) {
            self.rows(strip).for_each(|row| tally.add(row));
        }
        tally.finish()
    }
}

/// Counts in the making, in the tables of [`Sample::tally`].
pub(crate) struct Tally([u32; 256 * u8::TABLES]);

impl Default for Tally {
    fn default() -> Self {
        Self([0; 256 * u8::TABLES])
    }
}

impl Tally {
    pub(crate) fn add(&mut self, values: &[u8]) {
        u8::tally(values, &mut self.0);
    }

    pub(crate) fn finish(self) -> GreyHistogram {
        let mut sums = GreyHistogram::default();
        for table in self.0.chunks(256) {
            for (sum, count) in sums.counts.iter_mut().zip(table) {
                *sum += count;
            }
        }
        sums
    }
}

/// How often each of the 256 grey values occurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GreyHistogram {
    /// Pixels of each value.
    pub counts: [u32; 256],
}

impl Default for GreyHistogram {
    fn default() -> Self {
        Self { counts: [0; 256] }
    }
}

impl GreyHistogram {
    /// Counts these values too.
    pub fn add<'a>(&mut self, values: impl IntoIterator<Item = &'a u8>) {
        for value in values {
            self.counts[usize::from(*value)] += 1;
        }
    }

    /// The counts of a whole picture, from those of `rect` inside it.
    pub(super) fn with_surroundings(mut self, picture: &GreyPicture, rect: Rect) -> Self {
        let around = picture.surroundings(rect);
        self.counts.iter_mut().zip(around.counts).for_each(|(count, more)| *count += more);
        self
    }

    /// The counts of `rect`, from those of the whole picture.
    pub(super) fn without_surroundings(mut self, picture: &GreyPicture, rect: Rect) -> Self {
        let around = picture.surroundings(rect);
        self.counts.iter_mut().zip(around.counts).for_each(|(count, less)| *count -= less);
        self
    }

    /// Number of pixels.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(*count)).sum()
    }

    /// Arithmetic mean; 0 if there is no pixel.
    pub fn mean(&self) -> f64 {
        let sum: u64 = (0..).zip(&self.counts).map(|(value, n)| value * u64::from(*n)).sum();
        sum as f64 / self.total().max(1) as f64
    }

    /// Standard deviation of the population.
    pub fn std(&self) -> f64 {
        let squares: u64 =
            (0..).zip(&self.counts).map(|(value, n)| value * value * u64::from(*n)).sum();
        let mean = self.mean();
        f64::max(squares as f64 / self.total().max(1) as f64 - mean * mean, 0.0).sqrt()
    }

    /// The value of this percentile (nearest rank), `percent` from 0 to 100.
    ///
    /// ```
    /// use luna_core::measure::GreyHistogram;
    /// let mut histogram = GreyHistogram::default();
    /// histogram.add(&[10, 20, 30, 40]);
    /// assert_eq!(histogram.percentile(50), 20);
    /// ```
    pub fn percentile(&self, percent: u8) -> u8 {
        let rank = (self.total() * u64::from(percent)).div_ceil(100).max(1);
        let mut seen = 0;
        for (value, count) in (0..=u8::MAX).zip(&self.counts) {
            seen += u64::from(*count);
            if seen >= rank {
                return value;
            }
        }
        u8::MAX
    }

    /// Shannon entropy, in bits (0 to 8).
    pub fn entropy_bits(&self) -> f64 {
        let total = self.total().max(1) as f64;
        let shares = self.counts.iter().filter(|n| **n > 0).map(|n| f64::from(*n) / total);
        f64::max(-shares.map(|share| share * libm::log2(share)).sum::<f64>(), 0.0)
    }
}
