//! The set as a whole: histograms with threshold lines, and mean against contrast.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{Page, shown, some_of};
use crate::finding::Severity;
use crate::record::{Facts, Measurements};
use crate::report::facts::number;
use crate::rules::{DefaultValue, Registry};
use crate::text::{counted, grouped};

/// Size of a drawing, its frame, and the number of bars.
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 8.0;
const BASE: f64 = 122.0;
const TOP: f64 = 22.0;
const BARS: usize = 32;

impl Page<'_> {
    pub(super) fn charts(&self) -> Markup {
        let facts: Vec<&Facts> = self.report.files.iter().map(|file| &file.facts).collect();
        let of =
            |value: fn(&Facts) -> Option<f64>| facts.iter().copied().filter_map(value).collect();
        let charts: Vec<Markup> = [
            Histogram {
                title: "Shorter side",
                unit: "pixels",
                values: of(|it| Some(f64::from(it.width?.min(it.height?)))),
                lines: thresholds(self.registry, "LP012", "min_side"),
            },
            Histogram {
                title: "Mean",
                unit: "% of the range of the stored bits",
                values: of(|it| Some(relative(it)?.0)),
                lines: Vec::new(),
            },
            Histogram {
                title: "Depth",
                unit: "bits stored",
                values: of(|it| it.bits_stored.map(f64::from)),
                lines: Vec::new(),
            },
            Histogram {
                title: "Pixel spacing",
                unit: "mm, at the imager if known",
                values: of(spacing),
                lines: Vec::new(),
            },
        ]
        .into_iter()
        .filter_map(Histogram::drawn)
        .collect();
        html! {
            @if self.report.files.len() > 1 && !charts.is_empty() {
                section #set aria-labelledby="set-title" {
                    h2 #set-title { "The set as a whole" }
                    div.charts { @for chart in charts { (chart) } (self.scatter()) }
                }
            }
        }
    }

    /// Mean against contrast; each point leads to its file.
    fn scatter(&self) -> Markup {
        let images =
            self.report.files.iter().filter(|file| relative(&file.facts).is_some()).count();
        let points: Vec<_> = self
            .listed()
            .filter_map(|(at, file)| Some((at, file.path.as_str(), relative(&file.facts)?)))
            .collect();
        let highest = points.iter().map(|(.., (_, std))| *std).fold(1.0, f64::max);
        let x = |mean: f64| format!("{:.1}", LEFT + mean / 100.0 * (WIDTH - 2.0 * LEFT));
        let y = |std: f64| format!("{:.1}", BASE - std / highest * (BASE - TOP));
        html! {
            @if !points.is_empty() {
                figure.chart {
                    figcaption { b { "Mean against contrast" } span.quiet { " % of the range" } }
                    svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="group"
                        aria-label={ "Mean against standard deviation of " (counted(points.len() as u64, "image")) } {
                        (axis("0 %", "mean", "100 %"))
                        text.tick x=(LEFT) y="14" { "std " (number(highest)) " %" }
                        @for (at, path, (mean, std)) in &points {
                            a href={ "#f" (at) } {
                                title { (shown(path)) ": mean " (number(*mean)) " %, std " (number(*std)) " %" }
                                circle.point.(self.class_of(path)) cx=(x(*mean)) cy=(y(*std)) r="3" {}
                            }
                        }
                    }
                    p.quiet {
                        (some_of(points.len(), images)) " images. A point leads to its file."
                    }
                }
            }
        }
    }

    fn class_of(&self, path: &str) -> &'static str {
        self.overview.worst.get(path).map_or("clean", |worst: &Severity| worst.as_str())
    }
}

/// Values of one property, as bars.
struct Histogram {
    title: &'static str,
    unit: &'static str,
    values: Vec<f64>,
    /// Thresholds that rules put into it.
    lines: Vec<(f64, String)>,
}

impl Histogram {
    /// `None` without values.
    fn drawn(mut self) -> Option<Markup> {
        self.values.retain(|value| value.is_finite());
        self.values.sort_by(f64::total_cmp);
        let (first, last) = (*self.values.first()?, *self.values.last()?);
        let median = self.values[self.values.len() / 2];
        let known = self.lines.iter().map(|(at, _)| *at);
        let (low, high) = known.fold((first, last), |(low, high), at| (low.min(at), high.max(at)));
        let (low, high) = if high > low { (low, high) } else { (low - 0.5, high + 0.5) };
        let x = |value: f64| LEFT + (value - low) / (high - low) * (WIDTH - 2.0 * LEFT);
        let counts = self.counts(low, high);
        let most = counts.values().copied().max().unwrap_or(1);
        let width = (WIDTH - 2.0 * LEFT) / BARS as f64;
        let summary = format!(
            "{}: {} values from {} to {} {}, median {}",
            self.title,
            grouped(self.values.len() as u64),
            number(first),
            number(last),
            self.unit,
            number(median)
        );
        Some(html! {
            figure.chart {
                figcaption { b { (self.title) } span.quiet { " " (self.unit) } }
                svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(summary) {
                    @for (bar, count) in &counts {
                        @let height = (*count as f64 / most as f64 * (BASE - TOP)).max(1.0);
                        rect.bar x=(format!("{:.1}", LEFT + *bar as f64 * width + 0.5))
                            y=(format!("{:.1}", BASE - height)) width=(format!("{:.1}", width - 1.0))
                            height=(format!("{height:.1}")) {}
                    }
                    @for (at, label) in &self.lines {
                        line.threshold x1=(format!("{:.1}", x(*at))) x2=(format!("{:.1}", x(*at)))
                            y1=(TOP - 6.0) y2=(BASE) {}
                        text.threshold x=(format!("{:.1}", x(*at) + 3.0)) y=(TOP - 6.0) { (label) }
                    }
                    (axis(&number(low), &format!("median {}", number(median)), &number(high)))
                    text.tick.end x=(WIDTH - LEFT) y="14" { "most " (grouped(most)) }
                }
            }
        })
    }

    /// Values by bar; empty bars are left out.
    fn counts(&self, low: f64, high: f64) -> BTreeMap<usize, u64> {
        let mut counts = BTreeMap::new();
        for value in &self.values {
            let bar = ((value - low) / (high - low) * BARS as f64) as usize;
            *counts.entry(bar.min(BARS - 1)).or_default() += 1;
        }
        counts
    }
}

fn axis(low: &str, middle: &str, high: &str) -> Markup {
    html! {
        line.axis x1=(LEFT) x2=(WIDTH - LEFT) y1=(BASE) y2=(BASE) {}
        text.tick x=(LEFT) y=(BASE + 15.0) { (low) }
        text.tick.middle x=(WIDTH / 2.0) y=(BASE + 15.0) { (middle) }
        text.tick.end x=(WIDTH - LEFT) y=(BASE + 15.0) { (high) }
    }
}

/// The default of a rule's number option, as a line.
fn thresholds(registry: &Registry, code: &str, key: &str) -> Vec<(f64, String)> {
    let options = registry.get(code).map(|rule| rule.options).unwrap_or_default();
    let known = options.iter().filter(|option| option.key == key);
    known
        .filter_map(|option| match option.default {
            DefaultValue::Number { value, .. } => {
                Some((value, format!("{code} {}", number(value))))
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
