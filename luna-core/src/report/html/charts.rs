//! The set as a whole: histograms with threshold lines, and mean against contrast.

use maud::{Markup, html};

use super::{Page, shown, some_of};
use crate::finding::Severity;
use crate::report::facts::brief;
use crate::report::whole::{Histogram, Point, Threshold, WholeSet};
use crate::text::{counted, grouped};

/// Size of a drawing, and its frame.
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 8.0;
const BASE: f64 = 122.0;
const TOP: f64 = 22.0;

impl Page<'_> {
    pub(super) fn charts(&self) -> Markup {
        let listed: Vec<_> = self.listed().map(|(_, file)| file).collect();
        let set = WholeSet::of(self.report, &self.overview, self.registry, &listed);
        set.markup(&|path| self.rows.get(path).map(|row| format!("#f{row}")))
    }
}

impl WholeSet {
    /// The section of a page that shows it; empty without values. `link` is an address that a file's point
    /// leads to.
    ///
    /// ```
    /// # use luna_core::report::WholeSet;
    /// assert_eq!(WholeSet::default().to_html(&|path| format!("/files/{path}")), "");
    /// ```
    pub fn to_html(&self, link: &dyn Fn(&str) -> String) -> String {
        self.markup(&|path| Some(link(path))).into_string()
    }

    fn markup(&self, link: &dyn Fn(&str) -> Option<String>) -> Markup {
        html! {
            @if !self.histograms.is_empty() {
                section #set aria-labelledby="set-title" {
                    h2 #set-title { "The set as a whole" }
                    div.charts {
                        @for it in &self.histograms { (histogram(it)) }
                        (self.scatter(link))
                    }
                }
            }
        }
    }

    /// Mean against contrast; each point leads to its file.
    fn scatter(&self, link: &dyn Fn(&str) -> Option<String>) -> Markup {
        let points = &self.points;
        let highest = points.iter().map(|it| it.std).fold(1.0, f64::max);
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
                        @for it in points {
                            a href=[link(&it.path)] {
                                title { (shown(&it.path)) ": mean " (brief(it.mean)) " %, std " (brief(it.std)) " %" }
                                (mark(it, x(it.mean), y(it.std)))
                            }
                        }
                    }
                    p.quiet {
                        (some_of(points.len(), self.images as usize)) " images; ■ with errors, ▲ with warnings. A point leads to its file."
                    }
                }
            }
        }
    }
}

/// A square, triangle or dot by the file's gravest finding.
fn mark(point: &Point, x: f64, y: f64) -> Markup {
    match point.worst {
        Some(Severity::Error) => html! {
            rect.point.error x=(px(x - 3.0)) y=(px(y - 3.0)) width="6" height="6" {}
        },
        Some(Severity::Warning) => html! {
            path.point.warning d=(format!("M{} {}l3.5 6h-7z", px(x), px(y - 4.0))) {}
        },
        _ => html! { circle.point cx=(px(x)) cy=(px(y)) r="3" {} },
    }
}

fn histogram(it: &Histogram) -> Markup {
    let most = it.bars.iter().copied().max().unwrap_or(1).max(1);
    let median = brief(it.median);
    let summary = format!(
        "{}: {} from {} to {} {}, median {median}",
        shown(&it.title),
        counted(it.values, "value"),
        brief(it.least),
        brief(it.greatest),
        shown(&it.unit),
    );
    let ends = it.ends();
    html! {
        figure.chart {
            figcaption { b { (shown(&it.title)) } span.quiet { " " (shown(&it.unit)) } }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(summary) {
                @for (at, count) in it.bars.iter().enumerate().filter(|(_, count)| **count > 0) {
                    (bar(at, it.bars.len(), *count as f64 / most as f64))
                }
                @for line in &it.lines { (threshold(it, line)) }
                (axis(&brief(ends.0), &format!("median {median}"), &brief(ends.1)))
                text.tick.end x=(WIDTH - LEFT) y="14" { "most " (grouped(most)) }
            }
        }
    }
}

fn bar(at: usize, of: usize, share: f64) -> Markup {
    let step = (WIDTH - 2.0 * LEFT) / of as f64;
    let height = (share * (BASE - TOP)).max(1.0);
    let width = (step - 1.0).min(40.0);
    let x = LEFT + (at as f64 + 0.5) * step - width / 2.0;
    html! {
        rect.bar x=(px(x)) y=(px(BASE - height)) width=(px(width)) height=(px(height)) {}
    }
}

fn threshold(of: &Histogram, line: &Threshold) -> Markup {
    let x = LEFT + (line.at - of.low) / (of.high - of.low) * (WIDTH - 2.0 * LEFT);
    html! {
        line.threshold x1=(px(x)) x2=(px(x)) y1=(TOP - 6.0) y2=(BASE) {}
        text.threshold x=(px(x + 3.0)) y=(TOP - 6.0) { (shown(&line.label)) }
    }
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
