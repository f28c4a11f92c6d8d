//! The demo set shows what it promises: every planted defect, and nothing grave on sound files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may say so")]

use std::collections::BTreeSet;

use luna_core::source::Memory;
use luna_core::{Finding, Profile, Severity, Validator};
use luna_fixtures::{Entry, Planted};

fn findings() -> Vec<Finding> {
    let files = luna_fixtures::demo().build().unwrap();
    let set: Memory = files
        .into_iter()
        .filter_map(|(path, entry)| match entry {
            Entry::File(bytes) => Some((path, bytes)),
            Entry::Link(_) => None,
        })
        .collect();
    let profile = Profile::builtin("chest-xray").unwrap();
    let report = Validator::builder().profile(profile).build().unwrap().validate(&set).unwrap();
    report.files.into_iter().flat_map(|file| file.findings).chain(report.findings).collect()
}

fn is(planted: &Planted, finding: &Finding) -> bool {
    planted.rule == finding.rule
        && planted.severity == finding.severity.as_str()
        && planted.path.as_deref() == finding.path.as_deref()
        && planted.related == finding.related
}

#[test]
fn every_planted_defect_is_found_and_sound_files_raise_nothing_grave() {
    let planted = luna_fixtures::planted();
    let findings = findings();
    let missed: Vec<&Planted> = planted
        .iter()
        .filter(|defect| !findings.iter().any(|finding| is(defect, finding)))
        .collect();
    let spoilt: BTreeSet<&str> =
        planted.iter().filter_map(|defect| defect.path.as_deref()).collect();
    let surplus: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.severity != Severity::Info)
        .filter(|finding| finding.path.as_deref().is_none_or(|path| !spoilt.contains(path)))
        .filter(|finding| !planted.iter().any(|defect| is(defect, finding)))
        .collect();
    assert!(missed.is_empty() && surplus.is_empty(), "missed: {missed:#?}\nsurplus: {surplus:#?}");
}
