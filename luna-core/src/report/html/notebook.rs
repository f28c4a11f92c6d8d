//! The report as the output of a notebook's cell.

use maud::{Markup, PreEscaped, html};

use super::{Page, Pictures, STYLE, shown};
use crate::finding::Severity;
use crate::illustrate::{Illustrations, PictureBudget};
use crate::report::{RenderOptions, Report};
use crate::text::counted;

/// Cards that are shown, and those of them that are open.
const MOST_CARDS: usize = 12;
const OPEN: usize = 2;

/// The pictures that a notebook has room for.
///
/// ```
/// assert_eq!(luna_core::report::NOTEBOOK_PICTURES.in_all, 24);
/// ```
pub const NOTEBOOK_PICTURES: PictureBudget = PictureBudget {
    a_rule: 4,
    rules: MOST_CARDS,
    small_set: 1,
    in_all: 24,
    side: 160,
    single_side: 480,
};

/// The verdict, what to do first and the gravest rules, as a part of somebody else's page: no script, less than
/// 1 MB with [`NOTEBOOK_PICTURES`], styles that reach nothing beside it.
///
/// ```
/// # use luna_core::{Validator, source::Memory};
/// let report = Validator::default().validate(&Memory::single("a.png", Vec::new()))?;
/// let part = luna_core::report::notebook(&report, None);
/// assert!(part.starts_with("<div class=\"luna-report\">") && part.contains("LF001"));
/// # Ok::<(), luna_core::Error>(())
/// ```
pub fn notebook(report: &Report, illustrations: Option<&Illustrations>) -> String {
    let options = RenderOptions::default();
    let mut page = Page::new(report, &options, None);
    // Ids hold for the whole notebook, and the same picture may stand in it twice.
    let set = report.dataset.fingerprint.chars().filter(char::is_ascii_alphanumeric);
    let prefix: String = "luna-".chars().chain(set.take(16)).chain("-".chars()).collect();
    page.pictures = Pictures::new(illustrations, &prefix);
    page.rows.clear();
    page.is_whole = false;
    page.part().into_string()
}

impl Page<'_> {
    fn part(&self) -> Markup {
        let groups = &self.overview.groups;
        let shown_groups = &groups[..groups.len().min(MOST_CARDS)];
        html! {
            div.luna-report {
                style { (PreEscaped(scoped(STYLE))) }
                (self.pictures.definitions())
                (self.verdict())
                (self.single_file())
                @for (at, group) in shown_groups.iter().enumerate() {
                    (self.card(group, at < OPEN && group.severity != Severity::Info))
                }
                @if shown_groups.len() < groups.len() {
                    p.quiet {
                        (counted((groups.len() - shown_groups.len()) as u64, "more rule")) ": "
                        @for (at, group) in groups.iter().skip(MOST_CARDS).enumerate() {
                            @if at > 0 { ", " } (shown(group.rule))
                        }
                    }
                }
            }
        }
    }
}

/// The style, for what stands in this part alone.
fn scoped(style: &str) -> String {
    let style = style.replace(":root {", ":scope {").replace("\nbody {", "\n:scope {");
    format!(
        "@scope (.luna-report) {{\n{style}\n:scope {{ padding: 0 1rem .5rem; border-radius: 4px; }}\n}}"
    )
}
