//! The report as one page: self-contained, works from disk, asks nothing of any network.
//!
//! One style and one script, allowed by their hashes; no attribute holds either, so that nothing a
//! file or a report says can run. All text from outside is escaped, for HTML and for the eye. Every
//! part has a budget and says what it hides; the page is whole without the script.

mod cards;
mod charts;
mod duplicates;
mod folders;
mod notebook;
mod origin;
mod pictures;
mod table;
#[cfg(test)]
mod tests;
mod verdict;

use std::collections::BTreeMap;
use std::io::{self, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

pub use self::notebook::{NOTEBOOK_PICTURES, notebook};
use self::pictures::Pictures;
pub use self::pictures::picture_svg;
use super::{Copies, GroupBy, Overview, RenderOptions, Report, RuleGroup};
use crate::finding::Severity;
use crate::illustrate::Illustrations;
use crate::rules::Registry;
use crate::text::{clipped as shown, grouped};

/// The style of the HTML report, for hosts whose own pages are to look like it.
///
/// ```
/// assert!(luna_core::report::STYLE.contains("prefers-color-scheme: dark"));
/// ```
pub const STYLE: &str = concat!(include_str!("style.css"), include_str!("marks.css"));
/// Of these, what is drawn over pictures.
const MARKS: &str = include_str!("marks.css");
/// The part of its script that hosts' pages share: what needs a script appears (`data-script`), texts are
/// copied (`data-copy`).
///
/// ```
/// assert!(luna_core::report::COMMON_SCRIPT.starts_with("\"use strict\";"));
/// ```
pub const COMMON_SCRIPT: &str = include_str!("common.js");
const SCRIPT: &str = concat!(include_str!("common.js"), include_str!("script.js"));

pub(super) fn write(
    report: &Report,
    options: &RenderOptions,
    illustrations: Option<&Illustrations>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let page = Page::new(report, options, illustrations);
    out.write_all(page.document().into_string().as_bytes())
}

/// What all sections are drawn from.
struct Page<'a> {
    report: &'a Report,
    registry: &'a Registry,
    /// What stands before the findings by rule.
    group_by: GroupBy,
    overview: Overview<'a>,
    pictures: Pictures<'a>,
    /// Files that have a row in the table: path to row.
    rows: BTreeMap<&'a str, usize>,
    copies: Copies,
    /// True if all of it is there to be led to.
    is_whole: bool,
}

impl<'a> Page<'a> {
    fn new(
        report: &'a Report,
        options: &'a RenderOptions,
        illustrations: Option<&'a Illustrations>,
    ) -> Self {
        let overview = Overview::of(report);
        let rows = overview.gravest(report, table::MOST_ROWS);
        let copies = Copies::of(report);
        let pictures = Pictures::new(illustrations, "");
        let RenderOptions { registry, group_by, .. } = options;
        Self {
            report,
            registry,
            group_by: *group_by,
            overview,
            pictures,
            rows,
            copies,
            is_whole: true,
        }
    }

    fn document(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy());
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="no-referrer";
                    title { "LUNA: " (self.verdict_word()) ", " (self.headline()) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    a.skip href="#main" { "Skip to the report" }
                    (self.pictures.definitions())
                    (self.banner())
                    main #main tabindex="-1" {
                        (self.verdict())
                        (self.single_file())
                        (self.everywhere())
                        @match self.group_by {
                            GroupBy::Rule => {}
                            GroupBy::File => (self.table()),
                            GroupBy::Folder => (self.folders()),
                        }
                        (self.cards())
                        (self.duplicates())
                        (self.charts())
                        @if self.group_by != GroupBy::File { (self.table()) }
                        (self.origin())
                    }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        }
    }

    fn banner(&self) -> Markup {
        let several = self.report.files.len() > 1;
        html! {
            header.banner {
                p.brand { "LUNA" }
                nav aria-label="Sections" {
                    a href="#verdict" { "Verdict" }
                    @if self.overview.groups.iter().any(RuleGroup::is_everywhere) {
                        a href="#everywhere" { "Everywhere" }
                    }
                    @if self.group_by == GroupBy::Folder { a href="#folders" { "Folders" } }
                    @if !self.overview.groups.is_empty() { a href="#findings" { "Findings" } }
                    @if !self.copies.groups.is_empty() { a href="#duplicates" { "Duplicates" } }
                    @if several { a href="#set" { "The set" } }
                    a href="#files" { "Files" }
                    a href="#origin" { "Origin" }
                }
            }
        }
    }

    /// A file's path as a link to its row, if it has one.
    fn file_link(&self, path: &str) -> Markup {
        html! {
            @match self.rows.get(path) {
                Some(row) => a.path href={ "#f" (row) } { (shown(path)) },
                None => span.path { (shown(path)) },
            }
        }
    }
}

/// Nothing but the one style, the one script and pictures inside the page.
fn policy() -> String {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; img-src data:; style-src 'sha256-{}'; script-src 'sha256-{}'; \
         base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// Shape and word of a severity.
fn severity(severity: Severity) -> Markup {
    html! {
        span.severity.(severity.as_str()) { span aria-hidden="true" { (severity.shape()) } " " (severity) }
    }
}

/// A rule's own sentences: what stands between backticks is code.
fn prose(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

/// `50 of 2,122`, or `2,122` if nothing is hidden.
fn some_of(shown: usize, all: usize) -> String {
    if shown == all {
        grouped(all as u64)
    } else {
        format!("{} of {}", grouped(shown as u64), grouped(all as u64))
    }
}

/// Where the rest of a shortened list is.
fn full_list() -> Markup {
    html! { "The full list is in the JSON Lines report (" code { "--format jsonl" } ")." }
}

/// A name for an element, of a rule and severity.
fn card_id(group: &RuleGroup<'_>) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    format!("{}-{}", group.rule.chars().take(40).map(plain).collect::<String>(), group.severity)
}
