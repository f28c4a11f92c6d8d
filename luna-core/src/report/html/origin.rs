//! Where the report comes from: profile, edition, rules, fingerprint, and what this page left out.

use maud::{Markup, html};

use super::{Page, shown};
use crate::report::Origin;
use crate::rules::Registry;
use crate::text::{counted, grouped};

/// What the page holds back.
const BUDGETS: &str = "Of files and images: the profile's. Of this page: 300 pictures, 12 a rule; 50 rows a rule; 2,000 files.";

impl Page<'_> {
    pub(super) fn origin(&self) -> Markup {
        let keys = html! {
            p.quiet.keys hidden data-script {
                kbd { "J" } " next, " kbd { "K" } " back, " kbd { "Enter" } " opens, " kbd { "Esc" } " goes back."
            }
        };
        Origin::of(self.report).markup(self.registry, Some(BUDGETS), &keys)
    }
}

impl Origin {
    /// The section of a page that shows it.
    ///
    /// ```
    /// # use luna_core::{Validator, source::Memory};
    /// use luna_core::report::Digest;
    /// let report = Validator::default().validate(&Memory::single("a.png", Vec::new()))?;
    /// let origin = Digest::of(&report).origin.ok_or("none")?;
    /// assert!(origin.to_html().contains(&report.profile.hash));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_html(&self) -> String {
        self.markup(&Registry::default(), None, &html! {}).into_string()
    }

    fn markup(&self, registry: &Registry, budgets: Option<&str>, more: &Markup) -> Markup {
        html! {
            section #origin aria-labelledby="origin-title" {
                h2 #origin-title { "Where this comes from" }
                dl.origin {
                    dt { "Engine" } dd { "LUNA " (shown(&self.luna_version)) ", report version " (self.schema_version) }
                    dt { "Profile" }
                    dd { (shown(&self.profile.name)) " " code { (shown(&self.profile.hash)) } }
                    dt { "Edition of the rules" } dd { (shown(&self.edition)) }
                    dt { "Data set" }
                    dd { (counted(self.dataset.files, "file")) " " code { (shown(&self.dataset.fingerprint)) } }
                    dt { "Rules that ran" } dd { (grouped(self.rules.ran)) }
                    dt { "Had nothing to look at" } dd { (codes(&self.rules.nothing_to_look_at, registry)) }
                    dt { "Off" } dd { (codes(&self.rules.off, registry)) }
                    @if self.excepted > 0 {
                        dt { "Excepted findings" }
                        dd { (grouped(self.excepted)) ", kept and marked, without weight" }
                    }
                    @if let Some(budgets) = budgets { dt { "Budgets" } dd { (budgets) } }
                    @if self.partial {
                        dt { "Partial" } dd { "The work was cut short: some files were not examined." }
                    }
                }
                (more)
            }
        }
    }
}

fn codes(codes: &[String], registry: &Registry) -> Markup {
    html! {
        @if codes.is_empty() { "none" }
        @for (at, code) in codes.iter().enumerate() {
            @if at > 0 { ", " }
            @match registry.get(code) {
                Some(rule) => abbr title=(rule.name) { (rule.code) },
                None => (shown(code)),
            }
        }
    }
}
