//! The set as a whole in figures: how sizes, grey levels, depths and spacings are spread.

use serde::{Deserialize, Serialize};

use super::facts::number;
use super::{FileEntry, Overview, Report};
use crate::finding::Severity;
use crate::record::{Facts, Measurements};
use crate::rules::{DefaultValue, Registry};

/// Bars of a histogram, at most.
const BARS: usize = 32;

/// How a set's images are spread; small however large the set is.
///
/// ```
/// # use luna_core::{Validator, source::Memory};
/// use luna_core::report::Digest;
/// let report = Validator::default().validate(&Memory::single("a.png", Vec::new()))?;
/// // One file is no set.
/// assert!(Digest::of(&report).set.histograms.is_empty());
/// # Ok::<(), luna_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WholeSet {
    /// One a property that any image has.
    pub histograms: Vec<Histogram>,
    /// Mean against contrast, of the images with the gravest findings.
    pub points: Vec<Point>,
    /// Images that could have a point.
    pub images: u64,
}

/// Values of one property, as bars of one width.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// The property.
    pub title: String,
    /// What it is measured in.
    pub unit: String,
    /// How many values there are.
    pub values: u64,
    /// The least value.
    pub least: f64,
    /// The value in the middle.
    pub median: f64,
    /// The greatest value.
    pub greatest: f64,
    /// Where the first bar begins.
    pub low: f64,
    /// Where the last bar ends.
    pub high: f64,
    /// Values in each bar, at most 32 of them.
    pub bars: Vec<u64>,
    /// Where rules draw lines.
    pub lines: Vec<Threshold>,
}

/// A value from which on, or below which, a rule complains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// In the histogram's unit.
    pub at: f64,
    /// The rule, and on which side it complains.
    pub label: String,
}

/// An image by its grey levels, in percent of the range that its stored bits span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The file.
    pub path: String,
    /// Mean of its samples.
    pub mean: f64,
    /// Their standard deviation.
    pub std: f64,
    /// The file's gravest finding.
    pub worst: Option<Severity>,
}

impl WholeSet {
    /// Nothing, unless the set has more than one file. Points are made of the files `listed`.
    pub(super) fn of(
        report: &Report,
        overview: &Overview<'_>,
        registry: &Registry,
        listed: &[&FileEntry],
    ) -> Self {
        if report.files.len() < 2 {
            return Self::default();
        }
        let facts = || report.files.iter().map(|file| &*file.facts);
        let of = |value: fn(&Facts) -> Option<f64>| facts().filter_map(value).collect();
        let point = |file: &&FileEntry| {
            let (mean, std) = relative(&file.facts)?;
            let worst = overview.worst.get(file.path.as_str()).copied();
            Some(Point { path: file.path.clone(), mean, std, worst })
        };
        let side = |it: &Facts| Some(f64::from(it.width?.min(it.height?)));
        let lines = thresholds(registry, "LP012", "min_side");
        let histograms = [
            Histogram::of("Shorter side", "pixels", of(side), lines),
            Histogram::of(
                "Mean",
                "% of the range of the stored bits",
                of(|it| Some(relative(it)?.0)),
                Vec::new(),
            ),
            Histogram::of(
                "Depth",
                "bits stored",
                of(|it| it.bits_stored.map(f64::from)),
                Vec::new(),
            ),
            Histogram::of("Pixel spacing", "mm, at the imager if known", of(spacing), Vec::new()),
        ];
        Self {
            histograms: histograms.into_iter().flatten().collect(),
            points: listed.iter().filter_map(point).collect(),
            images: facts().filter(|it| relative(it).is_some()).count() as u64,
        }
    }
}

impl Histogram {
    /// `None` without values. Few whole numbers have a bar each.
    fn of(title: &str, unit: &str, mut values: Vec<f64>, lines: Vec<Threshold>) -> Option<Self> {
        values.retain(|value| value.is_finite());
        values.sort_by(f64::total_cmp);
        let (least, greatest) = (*values.first()?, *values.last()?);
        let (first, last) = ends(least, greatest, &lines);
        let is_whole = values.iter().all(|value| value.fract() == 0.0);
        let (low, high, number) = if is_whole && last - first < BARS as f64 {
            (first - 0.5, last + 0.5, (last - first) as usize + 1)
        } else {
            let spare = if last > first { 0.0 } else { 0.5 };
            (first - spare, last + spare, BARS)
        };
        let mut bars = vec![0; number];
        for value in &values {
            let bar = ((value - low) / (high - low) * number as f64) as usize;
            bars[bar.min(number - 1)] += 1;
        }
        Some(Self {
            title: title.to_owned(),
            unit: unit.to_owned(),
            values: values.len() as u64,
            least,
            median: *values.get(values.len() / 2)?,
            greatest,
            low,
            high,
            bars,
            lines,
        })
    }

    /// Least and greatest value or threshold.
    pub(super) fn ends(&self) -> (f64, f64) {
        ends(self.least, self.greatest, &self.lines)
    }
}

fn ends(least: f64, greatest: f64, lines: &[Threshold]) -> (f64, f64) {
    let widen = |(low, high): (f64, f64), line: &Threshold| (low.min(line.at), high.max(line.at));
    lines.iter().fold((least, greatest), widen)
}

/// The default of a rule's lower bound, as a line.
fn thresholds(registry: &Registry, code: &str, key: &str) -> Vec<Threshold> {
    let options = registry.get(code).map(|rule| rule.options).unwrap_or_default();
    let known = options.iter().filter(|option| option.key == key);
    known
        .filter_map(|option| match option.default {
            DefaultValue::Number { value, .. } => {
                Some(Threshold { at: value, label: format!("{code} below {}", number(value)) })
            }
            DefaultValue::Texts(_) => None,
        })
        .collect()
}

/// Mean and standard deviation in percent of the range that the stored bits span.
fn relative(facts: &Facts) -> Option<(f64, f64)> {
    let Measurements { mean, std, min, .. } = facts.measurements.as_ref()?;
    let bits = facts.bits_stored.filter(|bits| (1..=32).contains(bits))?;
    let range = ((1_u64 << bits) - 1) as f64;
    let lowest = if facts.signed? { -((1_u64 << (bits - 1)) as f64) } else { 0.0 };
    let (mean, std) = ((mean - lowest) / range * 100.0, std / range * 100.0);
    // Floating point samples have no such range.
    (*min >= lowest && (0.0..=100.0).contains(&mean) && std <= 100.0).then_some((mean, std))
}

fn spacing(facts: &Facts) -> Option<f64> {
    let dicom = facts.dicom.as_ref()?;
    let [row, _] = dicom.imager_pixel_spacing_mm.or(dicom.pixel_spacing_mm)?;
    Some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars(values: &[f64]) -> Vec<u64> {
        Histogram::of("", "", values.to_vec(), Vec::new()).unwrap().bars
    }

    #[test]
    fn each_value_falls_into_one_bar() {
        assert_eq!(bars(&[8.0, 8.0, 10.0]), [2, 0, 1]);
        assert_eq!(bars(&[5.0]), [1]);
        let many = bars(&[0.0, 0.1, 99.0, 100.0]);
        assert_eq!((many.len(), many[0], many[31]), (BARS, 2, 2));
        assert_eq!(bars(&[0.25, 0.25]).iter().sum::<u64>(), 2);
        assert!(Histogram::of("", "", vec![f64::NAN], Vec::new()).is_none());
    }

    #[test]
    fn a_threshold_is_in_sight() {
        let line = Threshold { at: 512.0, label: String::new() };
        let it = Histogram::of("", "", vec![600.0, 900.0], vec![line]).unwrap();
        assert_eq!((it.low, it.high, it.ends()), (512.0, 900.0, (512.0, 900.0)));
    }
}
