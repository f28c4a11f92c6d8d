//! The report on a screenful: what a host shows before anybody opens the whole of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::actions::actions;
use super::{Copies, FileEntry, Origin, Overview, Report, RuleGroup, WholeSet};
use crate::finding::Severity;
use crate::illustrate::PictureBudget;
use crate::illustrate::choose::pictures_of;
use crate::rules::Registry;
use crate::text::{counted, grouped};

/// Images that are points of mean against contrast.
const MOST_POINTS: usize = 500;

/// A report in short, small however large the set is.
///
/// ```
/// # use luna_core::{Validator, source::Memory};
/// use luna_core::report::Digest;
/// let report = Validator::default().validate(&Memory::single("a.png", Vec::new()))?;
/// let digest = Digest::of(&report);
/// assert_eq!(digest.headline, "1 error in this file");
/// assert_eq!((digest.with_errors, digest.clean), (1, 0));
/// assert_eq!(digest.first[0].rule, "LF001");
/// # Ok::<(), luna_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    /// What the verdict rests on, without a full stop.
    pub headline: String,
    /// Files whose gravest finding is an error.
    pub with_errors: u64,
    /// Files whose gravest finding is a warning.
    pub with_warnings: u64,
    /// All other files.
    pub clean: u64,
    /// What to do first, at most five steps.
    pub first: Vec<Step>,
    /// Findings by rule, the gravest and commonest first.
    pub rules: Vec<RuleDigest>,
    /// Files that are one picture.
    #[serde(default)]
    pub copies: Copies,
    /// How the images are spread.
    #[serde(default)]
    pub set: WholeSet,
    /// Where the report comes from; `None` in digests of versions that did not say so.
    #[serde(default)]
    pub origin: Option<Origin>,
}

/// A rule to begin with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The rule's code.
    pub rule: String,
    /// Its severity here.
    pub severity: Severity,
    /// Files that have it.
    pub files: u64,
    /// Files that are free once it is mended, and those before it.
    pub frees: u64,
}

/// Findings of one rule and severity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleDigest {
    /// The rule's code.
    pub rule: String,
    /// The rule's name.
    pub name: String,
    /// Its severity here.
    pub severity: Severity,
    /// How many findings.
    pub findings: u64,
    /// Files that take part.
    pub files: u64,
    /// Files that could take part.
    pub out_of: u64,
    /// True if more than half of them have it, one by one: one cause, not many.
    pub is_everywhere: bool,
    /// Paths of files whose pictures show it, the worst first, at most twelve.
    pub pictures: Vec<String>,
}

impl Digest {
    /// A report in short.
    pub fn of(report: &Report) -> Self {
        let overview = Overview::of(report);
        let [with_errors, with_warnings, clean] =
            overview.shares(report.files.len()).map(|files| files as u64);
        let step = |action: super::actions::Action<'_, '_>| Step {
            rule: action.group.rule.to_owned(),
            severity: action.group.severity,
            files: action.group.files.len() as u64,
            frees: action.frees as u64,
        };
        let entries: BTreeMap<&str, &FileEntry> =
            report.files.iter().map(|entry| (entry.path.as_str(), entry)).collect();
        let rule = |group: &RuleGroup<'_>| RuleDigest {
            rule: group.rule.to_owned(),
            name: group.name.to_owned(),
            severity: group.severity,
            findings: group.places.len() as u64,
            files: group.files.len() as u64,
            out_of: group.out_of as u64,
            is_everywhere: group.is_everywhere(),
            pictures: pictures(group, &entries),
        };
        let mut listed: Vec<usize> = overview.gravest(report, MOST_POINTS).into_values().collect();
        listed.sort_unstable();
        let listed: Vec<&FileEntry> =
            listed.into_iter().filter_map(|at| report.files.get(at)).collect();
        Self {
            headline: headline(report, &overview),
            with_errors,
            with_warnings,
            clean,
            first: actions(&overview).into_iter().map(step).collect(),
            rules: overview.groups.iter().map(rule).collect(),
            copies: Copies::of(report),
            set: WholeSet::of(report, &overview, &Registry::default(), &listed),
            origin: Some(Origin::of(report)),
        }
    }
}

/// Files whose pictures an HTML report would show for this rule, each once.
fn pictures(group: &RuleGroup<'_>, entries: &BTreeMap<&str, &FileEntry>) -> Vec<String> {
    let most = PictureBudget::default().a_rule;
    let mut paths: Vec<String> = Vec::new();
    for (entry, _) in pictures_of(group, entries, most) {
        if !paths.contains(&entry.path) {
            paths.push(entry.path.clone());
        }
    }
    paths
}

/// What the verdict rests on, without a full stop.
pub(super) fn headline(report: &Report, overview: &Overview<'_>) -> String {
    let counts = &report.counts;
    let all = grouped(report.files.len() as u64);
    let cut = if report.partial { ", and the work was cut short" } else { "" };
    let gravest = [(Severity::Error, counts.error), (Severity::Warning, counts.warning)]
        .into_iter()
        .find(|(_, count)| *count > 0);
    match gravest {
        Some((level, count)) if all == "1" => {
            format!("{} in this file{cut}", counted(count, level.as_str()))
        }
        Some((level, count)) => {
            let files = grouped(overview.files_at(level) as u64);
            format!("{} in {files} of {all} files{cut}", counted(count, level.as_str()))
        }
        None if report.files.is_empty() => format!("there is nothing to validate{cut}"),
        None => {
            let files = counted(report.files.len() as u64, "file");
            format!("nothing to complain of in {files}{cut}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{closed, named, radiograph, too_dark, truncated};

    #[test]
    fn it_says_what_the_page_says_and_comes_back_from_json() {
        let mut files: Vec<_> = (0..6).map(|n| radiograph(&format!("{n}.dcm"), n)).collect();
        files[0].findings.extend([named(), truncated(9)]);
        files[1].findings.push(truncated(9));
        files[2].findings.push(too_dark());
        let report = closed(files, Vec::new());
        let digest = Digest::of(&report);
        assert_eq!(digest.headline, "3 errors in 2 of 6 files");
        assert_eq!((digest.with_errors, digest.with_warnings, digest.clean), (2, 1, 3));
        let rules: Vec<_> =
            digest.rules.iter().map(|it| (&*it.rule, it.findings, it.files, it.out_of)).collect();
        assert_eq!(rules, [("LF004", 2, 2, 6), ("LI001", 1, 1, 6), ("LP003", 1, 1, 6)]);
        assert_eq!(digest.rules[0].pictures, ["0.dcm", "1.dcm"]);
        let steps: Vec<_> = digest.first.iter().map(|it| (&*it.rule, it.frees)).collect();
        assert_eq!(steps, [("LF004", 1), ("LI001", 1)]);
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
    }
}
