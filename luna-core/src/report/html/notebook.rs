//! The report as the output of a notebook's cell.

use std::collections::BTreeSet;

use maud::{Markup, PreEscaped, html};

use super::{Page, Pictures, RuleGroup, STYLE, shown};
use crate::finding::Severity;
use crate::illustrate::{Illustrations, PictureBudget};
use crate::report::{RenderOptions, Report};
use crate::text::counted;

/// Cards that are shown, and those of them that are open.
const MOST_CARDS: usize = 12;
const OPEN: usize = 2;
/// Groups of copies whose pictures are shown side by side.
const MOST_COPIES: usize = 4;

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
    page.pictures = Pictures::new(illustrations, "luna-");
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
                (self.some_duplicates(MOST_COPIES))
                @let others = others(groups, shown_groups);
                @if !others.is_empty() {
                    p.quiet {
                        (counted(others.len() as u64, "more rule")) ": "
                        @for (at, rule) in others.iter().enumerate() {
                            @if at > 0 { ", " } (shown(rule))
                        }
                    }
                }
            }
        }
    }
}

/// Rules that have no card.
fn others<'a>(groups: &[RuleGroup<'a>], shown: &[RuleGroup<'a>]) -> BTreeSet<&'a str> {
    let has_card = |rule: &str| shown.iter().any(|group| group.rule == rule);
    groups.iter().map(|group| group.rule).filter(|rule| !has_card(rule)).collect()
}

/// The style, for what stands in this part alone. The class twice outweighs what a notebook says of tables and
/// lists; the rest takes back what it says of things that our style leaves as they are.
fn scoped(style: &str) -> String {
    let style = style.replace(":root {", "& {").replace("\nbody {", "\n& {");
    format!(
        ".luna-report.luna-report {{\n{style}\n\
         & {{ padding: .8rem 1rem .5rem; border-radius: 4px; }}\n\
         section:first-of-type {{ margin-top: 0; }}\n\
         dt {{ float: none; width: auto; }}\n\
         .shares dd {{ white-space: nowrap; }}\n\
         table {{ table-layout: auto; margin: 0; }}\n\
         th, td {{ line-height: inherit; max-width: none; }}\n\
         tbody tr {{ background: none; }}\n}}"
    )
}
