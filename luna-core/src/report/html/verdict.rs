//! The verdict in a sentence, files by their gravest finding, and what to do first.

use maud::{Markup, html};

use super::{Page, card_id, prose, severity, shown};
use crate::finding::Severity;
use crate::report::Verdict;
use crate::report::actions::actions;
use crate::report::digest::headline;
use crate::text::{bytes, counted, grouped};

impl Page<'_> {
    pub(super) fn verdict_word(&self) -> &'static str {
        match self.report.verdict {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Incomplete => "incomplete",
        }
    }

    /// What the verdict rests on, without a full stop.
    pub(super) fn headline(&self) -> String {
        headline(self.report, &self.overview)
    }

    pub(super) fn verdict(&self) -> Markup {
        let dataset = &self.report.dataset;
        html! {
            section.verdict.(self.verdict_word()) #verdict aria-labelledby="verdict-title" {
                h1 #verdict-title {
                    span.stamp { (self.verdict_word()) } " " (self.headline()) "."
                }
                p.quiet {
                    (counted(dataset.files, "file")) " · " (counted(dataset.images, "image")) " · "
                    (bytes(dataset.bytes)) " · profile " b { (shown(&self.report.profile.name)) } " · "
                    (counted(self.report.rules.ran, "rule")) " ran"
                }
                @if self.report.files.len() > 1 { (self.shares()) }
                (self.first_steps())
            }
        }
    }

    /// Files by their gravest finding, as numbers and as a bar.
    fn shares(&self) -> Markup {
        let all = self.report.files.len();
        let [errors, warnings, clean] = self.overview.shares(all);
        let parts = [
            ("error", Severity::Error.shape(), "with errors", errors),
            ("warning", Severity::Warning.shape(), "with warnings", warnings),
            ("clean", "✓", "clean", clean),
        ];
        let scale = |files: usize| files as f64 * 1_000.0 / all as f64;
        let starts = parts.iter().scan(0, |sum, part| {
            let start = *sum;
            *sum += part.3;
            Some(start)
        });
        html! {
            dl.shares {
                @for (class, shape, label, files) in &parts {
                    div.(class) {
                        dt { span aria-hidden="true" { (shape) } " " (label) }
                        dd { b { (grouped(*files as u64)) } span.quiet { (share(*files, all)) } }
                    }
                }
            }
            svg.bar viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" {
                @for (part, start) in parts.iter().zip(starts) {
                    rect.(part.0) x=(format!("{:.1}", scale(start))) y="0" height="10"
                        width=(format!("{:.1}", scale(part.3))) {}
                }
            }
        }
    }

    fn first_steps(&self) -> Markup {
        let actions = actions(&self.overview);
        html! {
            @if !actions.is_empty() {
                h2 { "Do this first" }
                ol.steps {
                    @for (step, action) in actions.iter().enumerate() {
                        @let group = action.group;
                        li {
                            p { (prose(&shown(self.remedy(group)))) }
                            p.quiet {
                                (severity(group.severity)) " "
                                a href=[self.is_whole.then(|| format!("#{}", card_id(group)))] {
                                    (shown(group.rule)) " " (shown(group.name))
                                }
                                @if action.frees > 0 {
                                    " · " @if step > 0 { "then " } "frees " b { (counted_files(action.frees)) }
                                } @else if !group.files.is_empty() {
                                    " · one of several faults in "
                                    (counted_files(group.files.len()))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn counted_files(files: usize) -> String {
    counted(files as u64, "file")
}

/// ` 3.8 %`, and never 0 or 100 for what is neither.
fn share(part: usize, all: usize) -> String {
    let percent = part as f64 * 100.0 / all.max(1) as f64;
    match part {
        0 => " 0 %".to_owned(),
        _ if part == all => " 100 %".to_owned(),
        _ if percent < 0.1 => " < 0.1 %".to_owned(),
        _ if percent > 99.9 => " > 99.9 %".to_owned(),
        _ => format!(" {percent:.1} %"),
    }
}
