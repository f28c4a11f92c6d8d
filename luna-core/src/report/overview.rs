//! A report, gathered by rule: what both the text and the page are drawn from.

use std::collections::{BTreeMap, BTreeSet};

use super::{FileEntry, Report};
use crate::finding::{Finding, Severity};
use crate::record::Kind;

/// Below this many files nothing is "everywhere".
const FEWEST_FOR_EVERYWHERE: usize = 8;

/// Findings by rule, the gravest and commonest first; excepted ones left out.
pub(crate) struct Overview<'a> {
    pub(crate) groups: Vec<RuleGroup<'a>>,
    /// The gravest finding of each file that has one.
    pub(crate) worst: BTreeMap<&'a str, Severity>,
}

/// All findings of one rule and severity.
pub(crate) struct RuleGroup<'a> {
    pub(crate) rule: &'a str,
    pub(crate) name: &'a str,
    pub(crate) severity: Severity,
    pub(crate) places: Vec<Place<'a>>,
    /// Files that take part.
    pub(crate) files: BTreeSet<&'a str>,
    /// Number of files that could take part: images if only images do, else all.
    pub(crate) out_of: usize,
}

/// A finding with the file it is about.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) finding: &'a Finding,
    /// `None` for a finding about several files or the set.
    pub(crate) entry: Option<&'a FileEntry>,
}

impl<'a> Place<'a> {
    /// The file's path, or the first related one; `None` for the set as a whole.
    pub(crate) fn path(&self) -> Option<&'a str> {
        let of_finding =
            self.finding.path.as_deref().or(self.finding.related.first().map(String::as_str));
        self.entry.map(|entry| entry.path.as_str()).or(of_finding)
    }
}

impl RuleGroup<'_> {
    /// True if more than half of the files have it, one by one: one cause, not many.
    pub(crate) fn is_everywhere(&self) -> bool {
        self.out_of >= FEWEST_FOR_EVERYWHERE
            && self.files.len() * 2 > self.out_of
            && self.places.iter().all(|place| place.entry.is_some())
    }
}

impl<'a> Overview<'a> {
    /// The files with the gravest findings, as many as there is room for: path to place in the report.
    pub(crate) fn gravest<'r>(&self, report: &'r Report, most: usize) -> BTreeMap<&'r str, usize> {
        let mut files: Vec<(usize, &FileEntry)> = report.files.iter().enumerate().collect();
        if files.len() > most {
            // A stable sort: files of one gravity stay in order of the path.
            files.sort_by_key(|(_, file)| {
                self.worst.get(file.path.as_str()).map_or(u8::MAX, |worst| *worst as u8)
            });
            files.truncate(most);
        }
        files.into_iter().map(|(at, file)| (file.path.as_str(), at)).collect()
    }

    pub(crate) fn of(report: &'a Report) -> Self {
        let mut groups: BTreeMap<(Severity, &str), RuleGroup<'a>> = BTreeMap::new();
        let mut worst: BTreeMap<&str, Severity> = BTreeMap::new();
        let images = report.files.iter().filter(|file| file.facts.kind == Kind::Image).count();
        for place in places(report).filter(|place| !place.finding.excepted) {
            let finding = place.finding;
            let group =
                groups.entry((finding.severity, &finding.rule)).or_insert_with(|| RuleGroup {
                    rule: &finding.rule,
                    name: &finding.name,
                    severity: finding.severity,
                    places: Vec::new(),
                    files: BTreeSet::new(),
                    out_of: images,
                });
            if place.entry.is_none_or(|entry| entry.facts.kind != Kind::Image) {
                group.out_of = report.files.len();
            }
            group.places.push(place);
            let own = place.entry.map(|entry| entry.path.as_str()).or(finding.path.as_deref());
            for path in own.into_iter().chain(finding.related.iter().map(String::as_str)) {
                group.files.insert(path);
                let gravest = worst.entry(path).or_insert(finding.severity);
                *gravest = (*gravest).min(finding.severity);
            }
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        groups.sort_by_key(|group| (group.severity, std::cmp::Reverse(group.files.len())));
        Self { groups, worst }
    }

    /// Number of files whose gravest finding has this severity.
    pub(crate) fn files_at(&self, severity: Severity) -> usize {
        self.worst.values().filter(|worst| **worst == severity).count()
    }

    /// Of so many files, those with errors, those with warnings, and all others.
    pub(crate) fn shares(&self, all: usize) -> [usize; 3] {
        // A finding may name a file from outside the set.
        let errors = self.files_at(Severity::Error).min(all);
        let warnings = self.files_at(Severity::Warning).min(all - errors);
        [errors, warnings, all - errors - warnings]
    }
}

/// All findings with their files, in the report's order.
fn places(report: &Report) -> impl Iterator<Item = Place<'_>> {
    let of_files = report.files.iter().flat_map(|entry| {
        entry.findings.iter().map(move |finding| Place { finding, entry: Some(entry) })
    });
    of_files.chain(report.findings.iter().map(|finding| Place { finding, entry: None }))
}
