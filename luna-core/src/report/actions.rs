//! What to do first: the rules whose remedy frees most files.

use std::collections::{BTreeMap, BTreeSet};

use super::{Overview, RuleGroup};
use crate::finding::Severity;

/// Most actions that are named.
const MOST: usize = 5;

/// A rule to begin with, and how many files are free once it is mended (and those before it).
pub(super) struct Action<'o, 'a> {
    pub group: &'o RuleGroup<'a>,
    pub frees: usize,
}

/// Up to five, each the one that frees most after those before it. Errors only; warnings if there
/// are none.
pub(super) fn actions<'o, 'a>(overview: &'o Overview<'a>) -> Vec<Action<'o, 'a>> {
    let gravest = overview.groups.first().map_or(Severity::Info, |group| group.severity);
    if gravest == Severity::Info {
        return Vec::new();
    }
    let mut left: Vec<&RuleGroup<'_>> =
        overview.groups.iter().filter(|group| group.severity == gravest).collect();
    let mut faults: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for group in &left {
        for file in &group.files {
            faults.entry(file).or_default().insert(group.rule);
        }
    }
    let mut actions = Vec::new();
    while actions.len() < MOST && !left.is_empty() {
        let mut frees: BTreeMap<&str, usize> = BTreeMap::new();
        for rules in faults.values().filter(|rules| rules.len() == 1) {
            for rule in rules {
                *frees.entry(rule).or_default() += 1;
            }
        }
        let freed = |group: &RuleGroup<'_>| frees.get(group.rule).copied().unwrap_or_default();
        // The first of several alike: groups are in order of the files they touch.
        let Some(best) = (0..left.len()).rev().max_by_key(|at| freed(left[*at])) else { break };
        let group = left.remove(best);
        actions.push(Action { group, frees: freed(group) });
        for rules in faults.values_mut() {
            rules.remove(group.rule);
        }
        faults.retain(|_, rules| !rules.is_empty());
    }
    actions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{closed, named, radiograph, too_dark, truncated};

    #[test]
    fn the_first_action_frees_most_and_the_next_counts_on_it() {
        let mut files: Vec<_> = (0..6).map(|n| radiograph(&format!("{n}.dcm"), n)).collect();
        for file in &mut files[..4] {
            file.findings.push(named());
        }
        for file in &mut files[2..5] {
            file.findings.push(truncated(9));
        }
        files[5].findings.push(too_dark());
        let report = closed(files, Vec::new());
        let overview = Overview::of(&report);
        let said: Vec<_> = actions(&overview).iter().map(|it| (it.group.rule, it.frees)).collect();
        assert_eq!(said, [("LI001", 2), ("LF004", 3)]);
    }

    #[test]
    fn warnings_count_only_without_errors() {
        let mut file = radiograph("a.dcm", 0);
        file.findings.push(too_dark());
        let report = closed(vec![file], Vec::new());
        let overview = Overview::of(&report);
        let said: Vec<_> = actions(&overview).iter().map(|it| (it.group.rule, it.frees)).collect();
        assert_eq!(said, [("LP003", 1)]);
    }
}
