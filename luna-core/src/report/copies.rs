//! Files that are one picture: which they are, which to keep, and why.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::facts::{depth, size};
use super::{FileEntry, Report};
use crate::finding::{Finding, Severity};
use crate::probe::Format;
use crate::record::Facts;
use crate::text::bytes;

/// Rules whose findings name copies of one picture.
pub(super) const COPIES: [&str; 4] = ["LX001", "LX002", "LX003", "LX004"];
/// Groups, members of a group, rows of the list of what to keep.
const MOST_GROUPS: usize = 24;
const MOST_MEMBERS: usize = 6;
const MOST_LISTED: usize = 500;

/// Groups of files that are one picture; the first of them, however many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copies {
    /// At most 24 groups, in the report's order.
    pub groups: Vec<CopyGroup>,
    /// How many groups there are.
    pub all: u64,
    /// Which file to keep and which to drop, at most 500 pairs.
    pub drop: Vec<(String, String)>,
    /// How many pairs there are.
    pub all_drop: u64,
}

/// Files that are one picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyGroup {
    /// The rule that found them.
    pub rule: String,
    /// Its severity here.
    pub severity: Severity,
    /// What the rule says of them.
    pub message: String,
    /// At most six of them.
    pub members: Vec<CopyMember>,
    /// How many they are.
    pub files: u64,
    /// Which of them to keep, and what speaks for it.
    pub keep: Option<(String, String)>,
}

/// One of the files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyMember {
    /// The file.
    pub path: String,
    /// Format, size, depth, bytes, patient.
    pub about: String,
}

impl Copies {
    pub(super) fn of(report: &Report) -> Self {
        let named = |finding: &&Finding| {
            !finding.excepted
                && COPIES.contains(&finding.rule.as_ref())
                && finding.related.len() > 1
        };
        let mut copies = Self::default();
        for finding in report.findings.iter().filter(named) {
            copies.all += 1;
            let keep = kept(report, finding);
            if copies.groups.len() < MOST_GROUPS {
                copies.groups.push(group(report, finding, keep.as_ref()));
            }
            let Some((keep, _)) = keep else { continue };
            for path in finding.related.iter().filter(|path| **path != keep.path) {
                copies.all_drop += 1;
                if copies.drop.len() < MOST_LISTED {
                    copies.drop.push((keep.path.clone(), path.clone()));
                }
            }
        }
        copies
    }
}

fn group(
    report: &Report,
    finding: &Finding,
    keep: Option<&(&FileEntry, &'static str)>,
) -> CopyGroup {
    let member = |path: &String| CopyMember {
        path: path.clone(),
        about: report.entry(path).map(|entry| in_short(&entry.facts)).unwrap_or_default(),
    };
    CopyGroup {
        rule: finding.rule.to_string(),
        severity: finding.severity,
        message: finding.message.clone(),
        members: finding.related.iter().take(MOST_MEMBERS).map(member).collect(),
        files: finding.related.len() as u64,
        keep: keep.map(|(entry, reason)| (entry.path.clone(), (*reason).to_owned())),
    }
}

/// The member to keep, and what speaks for it.
fn kept<'a>(report: &'a Report, finding: &Finding) -> Option<(&'a FileEntry, &'static str)> {
    let entries: Vec<_> = finding.related.iter().filter_map(|path| report.entry(path)).collect();
    let best = entries.iter().copied().min_by_key(|entry| Worth::of(entry))?;
    let worth = Worth::of(best);
    let others = entries.iter().filter(|entry| entry.path != best.path);
    Some((best, worth.reason(others.map(|entry| Worth::of(entry)))))
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
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    parts.join(", ")
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
}
