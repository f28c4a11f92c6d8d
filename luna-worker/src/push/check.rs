//! The look at the files before anything is sent: what was sent cannot be taken back.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use luna_core::report::Group;
use luna_core::{CancelToken, Finding, Profile, Report, Severity, Validator, text};

use super::error::{Error, Result};
use super::files::{Local, WithoutDebris};
use super::watch::Watch;
use crate::place;

/// Why a data set is not sent.
#[derive(Debug)]
pub struct Objection {
    report: Report,
    reason: String,
}

impl Objection {
    /// What the look at the files found.
    pub fn report(&self) -> &Report {
        &self.report
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// Looks at the files by the rules about integrity and identity, and keeps their SHA-256. Damage is told, a
/// patient's name ends it.
pub(super) fn check(
    place: &Path,
    mut profile: Profile,
    local: &mut Local,
    watch: &Watch,
    cancel: &CancelToken,
) -> Result<()> {
    profile.rules.select = vec!["LF".to_owned(), "LI".to_owned()];
    let validator = Validator::builder().profile(profile).build()?;
    let source = place::open(&[place.to_owned()], validator.settings().limits())?;
    let source = WithoutDebris(&*source);
    let report = validator.validate_with(&source, &*watch.observer(), cancel)?;
    if local.is_folder {
        local.know(&hashes(&report));
    }
    if let Some(reason) = objection(&report) {
        return Err(Error::Objection(Box::new(Objection { report, reason })));
    }
    for line in damage(&report) {
        watch.say(&line);
    }
    Ok(())
}

/// What the engine hashed already.
fn hashes(report: &Report) -> BTreeMap<String, String> {
    let known = report.files.iter().filter_map(|file| {
        file.facts.sha256.as_ref().map(|sha256| (file.path.clone(), sha256.to_string()))
    });
    known.collect()
}

/// Why a data set must not be sent; `None` if it may.
fn objection(report: &Report) -> Option<String> {
    let names = |finding: &&Finding| {
        finding.rule.starts_with("LI") && finding.severity == Severity::Error && !finding.excepted
    };
    let files =
        report.files.iter().filter(|file| file.findings.iter().any(|it| names(&it))).count();
    if files > 0 || report.findings.iter().any(|it| names(&it)) {
        return Some(format!("{} could name a person", text::counted(files.max(1) as u64, "file")));
    }
    report.partial.then(|| "not every file could be looked at".to_owned())
}

/// What is damaged and goes all the same: the verdict will say so too.
fn damage(report: &Report) -> Vec<String> {
    let errors = report.groups.iter().filter(|group| group.severity == Severity::Error);
    let line = |group: &Group| {
        let examples: Vec<String> = group.examples.iter().map(|path| text::shown(path)).collect();
        let more = group.files.saturating_sub(examples.len() as u64);
        let more = if more > 0 { format!(", {} more", text::grouped(more)) } else { String::new() };
        let files = text::counted(group.files, "file");
        let rule = &group.rule;
        format!("note: {rule} in {files} ({}{more}): luna explain {rule}", examples.join(", "))
    };
    errors.map(line).collect()
}
