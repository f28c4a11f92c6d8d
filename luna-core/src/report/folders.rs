//! A report, gathered by folder: what text and page show when asked to.

use std::collections::{BTreeMap, BTreeSet};

use super::Report;
use crate::finding::Severity;

/// The files directly in one folder, and what is found in them. Excepted findings take no part.
#[derive(Default)]
pub(crate) struct Folder<'a> {
    pub(crate) files: u64,
    /// Files with a finding.
    pub(crate) affected: u64,
    pub(crate) error: u64,
    pub(crate) warning: u64,
    pub(crate) info: u64,
    /// Files by severity, rule and name, the gravest first.
    pub(crate) rules: BTreeMap<(Severity, &'a str, &'a str), u64>,
}

/// All folders in order of their paths; the empty path is the data set's root.
pub(crate) fn folders(report: &Report) -> BTreeMap<&str, Folder<'_>> {
    let mut folders: BTreeMap<&str, Folder<'_>> = BTreeMap::new();
    for file in &report.files {
        let folder = folders.entry(folder_of(&file.path)).or_default();
        folder.files += 1;
        let weighing = || file.findings.iter().filter(|finding| !finding.excepted);
        folder.affected += u64::from(weighing().next().is_some());
        for finding in weighing() {
            match finding.severity {
                Severity::Error => folder.error += 1,
                Severity::Warning => folder.warning += 1,
                Severity::Info => folder.info += 1,
            }
        }
        let rules: BTreeSet<(Severity, &str, &str)> =
            weighing().map(|own| (own.severity, own.rule.as_ref(), own.name.as_ref())).collect();
        for rule in rules {
            *folder.rules.entry(rule).or_default() += 1;
        }
    }
    folders
}

/// What stands before the last `/`.
pub(crate) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
