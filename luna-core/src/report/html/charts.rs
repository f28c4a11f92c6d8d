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
        let facts: Vec<&Facts> = self.report.files.iter().map(|file| &*file.facts).collect();
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
        let x = |mean: f64| LEFT + mean / 100.0 * (WIDTH - 2.0 * LEFT);
        let y = |std: f64| BASE - std / highest * (BASE - TOP);
        html! {
            @if !points.is_empty() {
                figure.chart {
                    figcaption { b { "Mean against contrast" } span.quiet { " % of the range" } }
                    svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="group"
                        aria-label={ "Mean against standard deviation of " (counted(points.len() as u64, "image")) } {
                        (axis("0 %", "mean", "100 %"))
                        text.tick x=(LEFT) y="14" { "std " (brief(highest)) " %" }
                        @for (at, path, (mean, std)) in &points {
                            a href={ "#f" (at) } {
                                title { (shown(path)) ": mean " (brief(*mean)) " %, std " (brief(*std)) " %" }
                                (self.point(path, x(*mean), y(*std)))
                            }
                        }
                    }
                    p.quiet {
                        (some_of(points.len(), images)) " images; ■ with errors, ▲ with warnings. A point leads to its file."
                    }
                }
            }
        }
    }

    /// A square, triangle or dot by the file's gravest finding.
    fn point(&self, path: &str, x: f64, y: f64) -> Markup {
        match self.overview.worst.get(path) {
            Some(Severity::Error) => html! {
                rect.point.error x=(px(x - 3.0)) y=(px(y - 3.0)) width="6" height="6" {}
            },
            Some(Severity::Warning) => html! {
                path.point.warning d=(format!("M{} {}l3.5 6h-7z", px(x), px(y - 4.0))) {}
            },
            _ => html! { circle.point cx=(px(x)) cy=(px(y)) r="3" {} },
        }
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
        let median = brief(*self.values.get(self.values.len() / 2)?);
        let bins = Bins::over(&self.values, &self.lines);
        let counts = bins.counts(&self.values);
        let most = counts.values().copied().max().unwrap_or(1);
        let summary = format!(
            "{}: {} from {} to {} {}, median {median}",
            self.title,
            counted(self.values.len() as u64, "value"),
            brief(first),
            brief(last),
            self.unit,
        );
        Some(html! {
            figure.chart {
                figcaption { b { (self.title) } span.quiet { " " (self.unit) } }
                svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(summary) {
                    @for (bar, count) in &counts {
                        (bins.bar(*bar, *count as f64 / most as f64))
                    }
                    @for (at, label) in &self.lines { (bins.line(*at, label)) }
                    (axis(&brief(bins.first), &format!("median {median}"), &brief(bins.last)))
                    text.tick.end x=(WIDTH - LEFT) y="14" { "most " (grouped(most)) }
                }
            }
        })
    }
}

/// Bars of one width, from `low` to `high`.
struct Bins {
    low: f64,
    high: f64,
    number: usize,
    /// Least and greatest value or threshold.
    first: f64,
    last: f64,
}

impl Bins {
    /// `values` are sorted; few whole numbers have a bar each.
    fn over(values: &[f64], lines: &[(f64, String)]) -> Self {
        let known = values.first().into_iter().chain(values.last());
        let all = known.copied().chain(lines.iter().map(|(at, _)| *at));
        let (first, last) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        let whole = values.iter().all(|value| value.fract() == 0.0);
        if whole && last - first < BARS as f64 {
            let number = (last - first) as usize + 1;
            return Self { low: first - 0.5, high: last + 0.5, number, first, last };
        }
        let spare = if last > first { 0.0 } else { 0.5 };
        Self { low: first - spare, high: last + spare, number: BARS, first, last }
    }

    /// Values by bar; empty bars are left out.
    fn counts(&self, values: &[f64]) -> BTreeMap<usize, u64> {
        let mut counts = BTreeMap::new();
        for value in values {
            let bar = ((value - self.low) / (self.high - self.low) * self.number as f64) as usize;
            *counts.entry(bar.min(self.number - 1)).or_default() += 1;
        }
        counts
    }

    fn bar(&self, bar: usize, share: f64) -> Markup {
        let step = (WIDTH - 2.0 * LEFT) / self.number as f64;
        let height = (share * (BASE - TOP)).max(1.0);
        let width = (step - 1.0).min(40.0);
        let x = LEFT + (bar as f64 + 0.5) * step - width / 2.0;
        html! {
            rect.bar x=(px(x)) y=(px(BASE - height)) width=(px(width)) height=(px(height)) {}
        }
    }

    fn line(&self, at: f64, label: &str) -> Markup {
        let x = LEFT + (at - self.low) / (self.high - self.low) * (WIDTH - 2.0 * LEFT);
        html! {
            line.threshold x1=(px(x)) x2=(px(x)) y1=(TOP - 6.0) y2=(BASE) {}
            text.threshold x=(px(x + 3.0)) y=(TOP - 6.0) { (label) }
        }
    }
}

/// Three significant digits, or a whole number.
fn brief(value: f64) -> String {
    if value.fract() == 0.0 {
        return number(value);
    }
    number(format!("{value:.2e}").parse().unwrap_or(value))
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}

fn axis(low: &str, middle: &str, high: &str) -> Markup {
    html! {
        line.axis x1=(LEFT) x2=(WIDTH - LEFT) y1=(BASE) y2=(BASE) {}
        text.tick x=(LEFT) y=(BASE + 15.0) { (low) }
        text.tick.middle x=(WIDTH / 2.0) y=(BASE + 15.0) { (middle) }
        text.tick.end x=(WIDTH - LEFT) y=(BASE + 15.0) { (high) }
    }
}

/// The default of a rule's lower bound, as a line.
fn thresholds(registry: &Registry, code: &str, key: &str) -> Vec<(f64, String)> {
    let options = registry.get(code).map(|rule| rule.options).unwrap_or_default();
    let known = options.iter().filter(|option| option.key == key);
    known
        .filter_map(|option| match option.default {
            DefaultValue::Number { value, .. } => {
                Some((value, format!("{code} below {}", number(value))))
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
