//! What pages say of a job in few words.

use std::collections::BTreeMap;

use luna_core::Severity;
use luna_core::report::Counts;
use luna_core::text::counted;
use luna_worker::catalogue::{JobState, ValidationJob};
use maud::{Markup, html};
use serde::Deserialize;

/// The summary that a worker left with a job.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Summary {
    pub(super) counts: Counts,
    /// Images; `None` from workers that did not count them.
    pub(super) images: Option<u64>,
    /// Patients that the DICOM headers tell apart; `None` from workers that did not count them.
    pub(super) patients: Option<u64>,
    pub(super) files_checked: u64,
    pub(super) files_failed: u64,
}

/// The summary of a job that was run.
pub(super) fn summary(job: &ValidationJob) -> Option<Summary> {
    let text = job.summary.as_deref()?;
    serde_json::from_str(text)
        .inspect_err(|error| tracing::error!(%error, job = job.id, "a summary cannot be read"))
        .ok()
}

/// How far a job is, in a word.
pub(super) fn state(job: &ValidationJob) -> &'static str {
    match job.state {
        JobState::Pending => "waiting",
        JobState::Processing => "being validated",
        JobState::Completed => "validated",
        JobState::Failed => "could not be validated",
        JobState::Cancelled => "cancelled",
    }
}

/// A verdict by word and shape.
pub(super) fn verdict(job: &ValidationJob) -> Markup {
    let (class, shape) = match job.verdict.as_deref() {
        Some("pass") => ("clean", "✓"),
        Some("fail") => ("error", Severity::Error.shape()),
        Some(_) => ("warning", Severity::Warning.shape()),
        None => return html! { span.quiet { "none yet" } },
    };
    let word = job.verdict.as_deref().unwrap_or_default();
    html! { span.severity.(class) { span aria-hidden="true" { (shape) } " " (word) } }
}

/// Rules by how many findings they have more (or fewer) than before; those alike are left out.
pub(super) fn changes(before: &Counts, now: &Counts) -> BTreeMap<String, i64> {
    let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let mut changes: BTreeMap<String, i64> = BTreeMap::new();
    for (rule, count) in &now.by_rule {
        *changes.entry(rule.clone()).or_default() += signed(*count);
    }
    for (rule, count) in &before.by_rule {
        *changes.entry(rule.clone()).or_default() -= signed(*count);
    }
    changes.retain(|_, change| *change != 0);
    changes
}

/// `12 findings fewer, 3 more`
pub(super) fn change_in_words(changes: &BTreeMap<String, i64>) -> String {
    let sum = |is_wanted: fn(&i64) -> bool| {
        changes.values().filter(|it| is_wanted(it)).map(|it| it.unsigned_abs()).sum::<u64>()
    };
    match (sum(|it| *it < 0), sum(|it| *it > 0)) {
        (0, 0) => "as many findings of each rule".to_owned(),
        (fewer, 0) => format!("{} fewer", counted(fewer, "finding")),
        (0, more) => format!("{} more", counted(more, "finding")),
        (fewer, more) => {
            format!("{} fewer, {} more", counted(fewer, "finding"), luna_core::text::grouped(more))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rules: &[(&str, u64)]) -> Counts {
        let by_rule = rules.iter().map(|(rule, count)| ((*rule).to_owned(), *count)).collect();
        Counts { by_rule, ..Counts::default() }
    }

    #[test]
    fn changes_are_told_rule_by_rule() {
        let before = counts(&[("LF004", 12), ("LP003", 4), ("LX001", 2)]);
        let now = counts(&[("LP003", 4), ("LX001", 3), ("LI001", 1_000)]);
        let changes = changes(&before, &now);
        let list: Vec<(&str, i64)> = changes.iter().map(|(rule, n)| (&**rule, *n)).collect();
        assert_eq!(list, [("LF004", -12), ("LI001", 1_000), ("LX001", 1)]);
        assert_eq!(change_in_words(&changes), "12 findings fewer, 1,001 more");
        assert_eq!(change_in_words(&BTreeMap::new()), "as many findings of each rule");
    }
}
