//! Which pictures a report shows.

use std::collections::{BTreeMap, BTreeSet};

use super::{PictureBudget, frame_of};
use crate::report::{FileEntry, Overview, Report, RuleGroup};

/// Files and frames, each once. Rules take turns, the gravest first, so that none is left without a
/// picture before another has its twelfth.
pub(super) fn wanted<'a>(report: &'a Report, budget: &PictureBudget) -> Vec<(&'a FileEntry, u32)> {
    let entries: BTreeMap<&str, &FileEntry> =
        report.files.iter().map(|entry| (entry.path.as_str(), entry)).collect();
    let overview = Overview::of(report);
    let of_rules: Vec<_> = overview
        .groups
        .iter()
        .take(budget.rules)
        .map(|group| pictures_of(group, &entries, budget.a_rule))
        .collect();
    let turns = (0..budget.a_rule)
        .flat_map(|turn| of_rules.iter().filter_map(move |pictures| pictures.get(turn).copied()));
    let small = if report.files.len() <= budget.small_set { report.files.as_slice() } else { &[] };
    let mut seen = BTreeSet::new();
    turns
        .chain(small.iter().map(|entry| (entry, 0)))
        .filter(|(entry, frame)| has_picture(entry) && seen.insert((entry.path.as_str(), *frame)))
        .take(budget.in_all)
        .collect()
}

/// The first files of a rule; of a finding about several files, all of them.
pub(crate) fn pictures_of<'a>(
    group: &RuleGroup<'a>,
    entries: &BTreeMap<&str, &'a FileEntry>,
    most: usize,
) -> Vec<(&'a FileEntry, u32)> {
    let mut pictures: Vec<(&FileEntry, u32)> = Vec::new();
    for place in &group.places {
        if pictures.len() >= most {
            break;
        }
        let frame = frame_of(place.finding);
        let related = place.finding.related.iter().filter_map(|path| entries.get(path.as_str()));
        let found: Vec<&FileEntry> = match place.entry {
            Some(entry) => vec![entry],
            None => related.copied().take(most).collect(),
        };
        for entry in found {
            let known = pictures.iter().any(|(other, at)| other.path == entry.path && *at == frame);
            if has_picture(entry) && !known {
                pictures.push((entry, frame));
            }
        }
    }
    pictures.truncate(most);
    pictures
}

/// True if a second look may find something to show.
fn has_picture(entry: &FileEntry) -> bool {
    entry.facts.width.is_some() && entry.facts.height.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{claim_missing, closed, hundreds, radiograph, too_dark, truncated};

    fn paths(report: &Report, budget: &PictureBudget) -> Vec<String> {
        wanted(report, budget).into_iter().map(|(entry, _)| entry.path.clone()).collect()
    }

    #[test]
    fn no_rule_has_more_than_its_share_and_no_picture_comes_twice() {
        let report = hundreds();
        let budget = PictureBudget::default();
        let chosen = paths(&report, &budget);
        let distinct: BTreeSet<_> = chosen.iter().collect();
        assert_eq!(distinct.len(), chosen.len());
        assert!(chosen.len() <= 17 * budget.a_rule, "{}", chosen.len());
        assert_eq!(paths(&report, &PictureBudget { in_all: 7, ..budget }), chosen[..7]);
        let of_one = paths(&report, &PictureBudget { rules: 1, ..budget });
        assert!(of_one.len() < chosen.len() && of_one.iter().all(|it| chosen.contains(it)));
    }

    #[test]
    fn rules_take_turns_the_gravest_first() {
        let mut files: Vec<_> = (0..200).map(|n| radiograph(&format!("{n:03}.dcm"), n)).collect();
        files[9].findings.push(truncated(1));
        files[5].findings.push(too_dark());
        files[6].findings.push(too_dark());
        files[0].findings.push(claim_missing());
        let report = closed(files, Vec::new());
        let chosen = paths(&report, &PictureBudget::default());
        assert_eq!(chosen, ["009.dcm", "005.dcm", "000.dcm", "006.dcm"]);
    }

    #[test]
    fn a_small_set_shows_every_file() {
        let files = (0..30).map(|n| radiograph(&format!("{n:03}.dcm"), n)).collect();
        let report = closed(files, Vec::new());
        assert_eq!(paths(&report, &PictureBudget::default()).len(), 30);
    }
}
