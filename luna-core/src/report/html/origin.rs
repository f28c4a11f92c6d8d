//! Where the report comes from: profile, edition, rules, fingerprint, and what this page left out.

use maud::{Markup, html};

use super::{Page, shown};
use crate::text::{counted, grouped};

impl Page<'_> {
    pub(super) fn origin(&self) -> Markup {
        let report = self.report;
        let rules = &report.rules;
        html! {
            section #origin aria-labelledby="origin-title" {
                h2 #origin-title { "Where this comes from" }
                dl.origin {
                    dt { "Engine" } dd { "LUNA " (shown(&report.luna_version)) ", report version " (report.schema_version) }
                    dt { "Profile" }
                    dd { (shown(&report.profile.name)) " " code { (shown(&report.profile.hash)) } }
                    dt { "Edition of the rules" } dd { (shown(&report.edition)) }
                    dt { "Data set" }
                    dd { (counted(report.dataset.files, "file")) " " code { (shown(&report.dataset.fingerprint)) } }
                    dt { "Rules that ran" } dd { (grouped(rules.ran)) }
                    dt { "Had nothing to look at" } dd { (self.codes(&rules.nothing_to_look_at)) }
                    dt { "Off" } dd { (self.codes(&rules.off)) }
                    @if report.counts.excepted > 0 {
                        dt { "Excepted findings" }
                        dd { (grouped(report.counts.excepted)) ", kept and marked, without weight" }
                    }
                    dt { "Budgets" }
                    dd { "Of files and images: the profile's. Of this page: 300 pictures, 12 a rule; 50 rows a rule; 2,000 files." }
                    @if report.partial {
                        dt { "Partial" } dd { "The work was cut short: some files were not examined." }
                    }
                }
                p.quiet.keys hidden data-script {
                    kbd { "J" } " next, " kbd { "K" } " back, " kbd { "Enter" } " opens, " kbd { "Esc" } " goes back."
                }
            }
        }
    }

    fn codes(&self, codes: &[String]) -> Markup {
        html! {
            @if codes.is_empty() { "none" }
            @for (at, code) in codes.iter().enumerate() {
                @if at > 0 { ", " }
                @match self.registry.get(code) {
                    Some(rule) => abbr title=(rule.name) { (rule.code) },
                    None => (shown(code)),
                }
            }
        }
    }
}
