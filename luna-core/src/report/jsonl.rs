//! The report as JSON Lines: a header, then a line a file, then a line a finding of the set.
//!
//! Each line is an object whose first key, `type`, says `report`, `file` or `finding`.

use std::io::{self, Write};

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use super::json::write_line;
use super::{Counts, Dataset, FileEntry, Group, ProfileIdentity, Report, RulesRun, Verdict};
use crate::finding::Finding;

/// A line, as it is written.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Report(Header<'a>),
    File(&'a FileEntry),
    Finding(&'a Finding),
}

/// A report without files and findings.
#[derive(Serialize)]
struct Header<'a> {
    schema_version: u32,
    luna_version: &'a str,
    edition: &'a str,
    profile: &'a ProfileIdentity,
    dataset: &'a Dataset,
    verdict: Verdict,
    partial: bool,
    counts: &'a Counts,
    rules: &'a RulesRun,
    groups: &'a [Group],
}

impl<'a> From<&'a Report> for Header<'a> {
    fn from(report: &'a Report) -> Self {
        Self {
            schema_version: report.schema_version,
            luna_version: &report.luna_version,
            edition: &report.edition,
            profile: &report.profile,
            dataset: &report.dataset,
            verdict: report.verdict,
            partial: report.partial,
            counts: &report.counts,
            rules: &report.rules,
            groups: &report.groups,
        }
    }
}

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    write_line(&Line::Report(Header::from(report)), out)?;
    for file in &report.files {
        write_line(&Line::File(file), out)?;
    }
    for finding in &report.findings {
        write_line(&Line::Finding(finding), out)?;
    }
    Ok(())
}

/// A line, as it is read.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum StoredLine {
    Report(Box<StoredHeader>),
    File(Box<FileEntry>),
    Finding(Box<Finding>),
}

/// The header, as it is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredHeader {
    schema_version: u32,
    luna_version: String,
    edition: String,
    profile: ProfileIdentity,
    dataset: Dataset,
    verdict: Verdict,
    partial: bool,
    counts: Counts,
    rules: RulesRun,
    groups: Vec<Group>,
}

impl StoredHeader {
    fn into_report(self) -> Report {
        Report {
            schema_version: self.schema_version,
            luna_version: self.luna_version,
            edition: self.edition,
            profile: self.profile,
            dataset: self.dataset,
            verdict: self.verdict,
            partial: self.partial,
            counts: self.counts,
            rules: self.rules,
            groups: self.groups,
            files: Vec::new(),
            findings: Vec::new(),
        }
    }
}

/// Reads the lines of a report, header first.
pub(super) fn read(bytes: &[u8]) -> Result<Report, serde_json::Error> {
    let mut report: Option<Report> = None;
    for (line, number) in bytes.split(|byte| *byte == b'\n').zip(1_u64..) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let stored = serde_json::from_slice(line)
            .map_err(|error| serde_json::Error::custom(format!("line {number}: {error}")))?;
        match (stored, &mut report) {
            (StoredLine::Report(header), None) => report = Some(header.into_report()),
            (StoredLine::File(file), Some(report)) => report.files.push(*file),
            (StoredLine::Finding(finding), Some(report)) => report.findings.push(*finding),
            _ => {
                let said = format!("line {number}: the header stands first, and once");
                return Err(serde_json::Error::custom(said));
            }
        }
    }
    let report = report.ok_or_else(|| serde_json::Error::custom("it is empty"))?;
    whole(&report)?;
    Ok(report)
}

/// Refuses a report that has other files than its header counts: a copy of lines that was cut at a
/// line's end is valid, but no longer the whole.
pub(super) fn whole(report: &Report) -> Result<(), serde_json::Error> {
    let (there, said) = (report.files.len() as u64, report.dataset.files);
    if there == said {
        return Ok(());
    }
    let said = format!("{there} files where the header says {said}: it was cut or put together");
    Err(serde_json::Error::custom(said))
}
