//! Files that are one picture, side by side: what differs, which to keep, and why.

use std::cmp::Reverse;
use std::fmt::Write as _;

use maud::{Markup, html};

use super::{Page, full_list, severity, shown, some_of};
use crate::finding::Finding;
use crate::probe::Format;
use crate::record::Facts;
use crate::report::facts::{depth, size};
use crate::report::{FileEntry, RuleGroup};
use crate::text::{bytes, escaped};

/// Rules whose findings name copies of one picture.
const COPIES: [&str; 4] = ["LX001", "LX002", "LX003", "LX004"];
/// Groups that are shown, members of a group, rows of the list to copy.
const MOST_GROUPS: usize = 24;
const MOST_MEMBERS: usize = 6;
const MOST_LISTED: usize = 500;

impl<'a> Page<'a> {
    /// Findings that name copies, in the report's order.
    pub(super) fn duplicate_groups(&self) -> Vec<&'a Finding> {
        let copies = |finding: &&Finding| {
            !finding.excepted
                && COPIES.contains(&finding.rule.as_ref())
                && finding.related.len() > 1
        };
        self.report.findings.iter().filter(copies).collect()
    }

    pub(super) fn duplicates(&self) -> Markup {
        let groups = self.duplicate_groups();
        let some = &groups[..groups.len().min(MOST_GROUPS)];
        html! {
            @if !groups.is_empty() {
                section #duplicates aria-labelledby="duplicates-title" {
                    h2 #duplicates-title { "Duplicates" }
                    p.quiet {
                        (some_of(some.len(), groups.len()))
                        @if groups.len() == 1 { " group" } @else { " groups" } ", side by side."
                        @if some.len() < groups.len() { " " (full_list()) }
                    }
                    div.duplicates { @for finding in some { (self.duplicate(finding)) } }
                    (self.keep_list(&groups))
                }
            }
        }
    }

    fn duplicate(&self, finding: &Finding) -> Markup {
        let kept = self.kept(finding);
        let members = &finding.related[..finding.related.len().min(MOST_MEMBERS)];
        html! {
            article.duplicate data-item tabindex="-1" {
                p {
                    (severity(finding.severity)) " " b.code { (shown(&finding.rule)) } " "
                    (shown(&finding.message))
                }
                ul.members {
                    @for path in members {
                        @let is_kept = kept.as_ref().is_some_and(|(entry, _)| entry.path == *path);
                        li.kept[is_kept] {
                            (self.member(path))
                            @if let Some((_, reason)) = kept.as_ref().filter(|_| is_kept) {
                                p.badge { "✓ keep: " (reason) }
                            }
                        }
                    }
                }
                @if members.len() < finding.related.len() {
                    p.quiet { (some_of(members.len(), finding.related.len())) " files shown." }
                }
            }
        }
    }

    fn member(&self, path: &str) -> Markup {
        let facts = self.entry(path).map(|entry| &entry.facts);
        html! {
            figure {
                @if let Some(drawing) = self.pictures.plain(path) { (drawing) }
                figcaption {
                    (self.file_link(path))
                    @if let Some(facts) = facts { span.quiet { (in_short(facts)) } }
                }
            }
        }
    }

    /// The member to keep, and what speaks for it.
    fn kept(&self, finding: &Finding) -> Option<(&'a FileEntry, &'static str)> {
        let entries: Vec<_> = finding.related.iter().filter_map(|path| self.entry(path)).collect();
        let best = entries.iter().copied().min_by_key(|entry| Worth::of(entry))?;
        let worth = Worth::of(best);
        let others = entries.iter().filter(|entry| entry.path != best.path);
        Some((best, worth.reason(others.map(|entry| Worth::of(entry)))))
    }

    /// Which to keep and which to drop, as a table to copy.
    fn keep_list(&self, groups: &[&Finding]) -> Markup {
        let mut list = "keep,drop\n".to_owned();
        let mut all = 0;
        for finding in groups {
            let Some((kept, _)) = self.kept(finding) else { continue };
            for path in finding.related.iter().filter(|path| **path != kept.path) {
                all += 1;
                if all <= MOST_LISTED {
                    let _ = writeln!(list, "{},{}", cell(&kept.path), cell(path));
                }
            }
        }
        html! {
            details.keep-list {
                summary { "Which to keep, as a table (" (some_of(all.min(MOST_LISTED), all))
                    @if all == 1 { " row)" } @else { " rows)" } }
                textarea readonly rows="8" aria-label="Table of files to keep and to drop" { (list) }
                p.tools hidden data-script {
                    button type="button" data-copy=(list) { "Copy the table" }
                }
            }
        }
    }
}

/// True if the section of duplicates shows the pictures of this rule.
pub(super) fn is_side_by_side(group: &RuleGroup<'_>) -> bool {
    COPIES.contains(&group.rule) && group.places.iter().all(|place| place.entry.is_none())
}

/// What speaks for keeping a copy; the least is kept.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Worth<'a> {
    is_not_dicom: bool,
    bits: Reverse<u8>,
    pixels: Reverse<u64>,
    is_lossy: bool,
    path: &'a str,
}

impl<'a> Worth<'a> {
    fn of(entry: &'a FileEntry) -> Self {
        let facts = &entry.facts;
        let side = |side: Option<u32>| u64::from(side.unwrap_or_default());
        let said = facts.dicom.as_ref().and_then(|dicom| dicom.lossy_compression.as_deref());
        Self {
            is_not_dicom: facts.format != Some(Format::Dicom),
            bits: Reverse(facts.bits_stored.unwrap_or_default()),
            pixels: Reverse(side(facts.width) * side(facts.height)),
            is_lossy: facts.format == Some(Format::Jpeg) || said == Some("01"),
            path: &entry.path,
        }
    }

    /// The first property in which no other is as good.
    fn reason(&self, others: impl Iterator<Item = Self>) -> &'static str {
        let others: Vec<Self> = others.collect();
        let alone = |worse: &dyn Fn(&Self) -> bool| others.iter().all(worse);
        if alone(&|other| other.is_not_dicom && !self.is_not_dicom) {
            "DICOM, with its header"
        } else if alone(&|other| other.bits > self.bits) {
            "more grey levels"
        } else if alone(&|other| other.pixels > self.pixels) {
            "more pixels"
        } else if alone(&|other| other.is_lossy && !self.is_lossy) {
            "not compressed with loss"
        } else {
            "first by name, else alike"
        }
    }
}

/// Format, size, depth, bytes, patient.
fn in_short(facts: &Facts) -> String {
    let format = facts.format.map(|format| format.title().to_owned());
    let patient =
        facts.dicom.as_ref().and_then(|dicom| dicom.patient.as_deref()).map(str::to_owned);
    let parts = [format, size(facts), depth(facts), Some(bytes(facts.size_bytes)), patient];
    let parts: Vec<_> = parts.into_iter().flatten().map(|part| shown(&part)).collect();
    parts.join(", ")
}

/// A cell that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let defused = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{defused}{}\"", escaped(text).replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::radiograph;

    #[test]
    fn the_copy_with_most_in_it_is_kept() {
        let dicom = radiograph("b.dcm", 1);
        let mut png = radiograph("a.png", 1);
        png.facts.format = Some(Format::Png);
        let mut deep = radiograph("c.dcm", 1);
        deep.facts.bits_stored = Some(16);
        let reason = |best: &FileEntry, other: &FileEntry| {
            assert!(Worth::of(best) < Worth::of(other));
            Worth::of(best).reason([Worth::of(other)].into_iter())
        };
        assert!(reason(&dicom, &png).contains("DICOM"));
        assert!(reason(&deep, &dicom).contains("grey levels"));
        assert!(reason(&radiograph("a.dcm", 1), &dicom).contains("first by name"));
    }

    #[test]
    fn a_cell_is_quoted_and_defused() {
        assert_eq!(cell("=a\"b"), "\"'=a\"\"b\"");
    }
}
