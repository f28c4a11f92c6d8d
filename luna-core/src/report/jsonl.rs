//! The report as JSON Lines: a header, then a line a file, then a line a finding of the set.
//!
//! Each line is an object whose first key, `type`, says `report`, `file` or `finding`.

use std::io::{self, Write};

use serde::de::Error as _;
use serde::{Deserialize, Serialize};

use super::json::write_line;
use super::{Counts, Dataset, FileEntry, Group, ProfileIdentity, Report, RulesRun, Verdict};
use crate::error::Error;
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

/// The header, as it is read.
#[derive(Deserialize)]
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

#[derive(Deserialize)]
struct LineType<'a> {
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'a, str>,
}

impl Report {
    /// Reads a report that was written as JSON Lines.
    ///
    /// # Errors
    /// [`Error::NoReport`] if it is none, one of a newer shape, or cut short.
    pub fn from_jsonl(bytes: &[u8]) -> Result<Self, Error> {
        let report = read(bytes).map_err(Error::NoReport)?;
        report.of_this_version()
    }

    /// Reads a stored report, JSON or JSON Lines, told by the bytes.
    ///
    /// ```
    /// # use luna_core::{report::{Report, ReportFormat, RenderOptions, render}, Validator, source::Memory};
    /// let report = Validator::default().validate(&Memory::single("a.png", Vec::new()))?;
    /// let mut stored = Vec::new();
    /// render(&report, ReportFormat::JsonLines, &RenderOptions::default(), None, &mut stored)?;
    /// assert_eq!(Report::from_bytes(&stored)?, report);
    /// # Ok::<(), luna_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json) and [`from_jsonl`](Self::from_jsonl).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if serde_json::from_slice::<LineType<'_>>(first).is_ok() {
            return Self::from_jsonl(bytes);
        }
        Self::from_json(bytes)
    }
}

fn read(bytes: &[u8]) -> Result<Report, serde_json::Error> {
    let mut lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let header: StoredHeader = serde_json::from_slice(lines.next().unwrap_or_default())?;
    let mut report = header.into_report();
    for line in lines {
        let LineType { kind } = serde_json::from_slice(line)?;
        match kind.as_ref() {
            "file" => report.files.push(serde_json::from_slice(line)?),
            "finding" => report.findings.push(serde_json::from_slice(line)?),
            other => {
                let said = format!("a line of type {:?}", crate::text::shown(other));
                return Err(serde_json::Error::custom(said));
            }
        }
    }
    // A copy that was cut at a line's end is valid JSON Lines, but no longer the whole report.
    if report.files.len() as u64 != report.dataset.files {
        return Err(serde_json::Error::custom("fewer or more files than the header says"));
    }
    Ok(report)
}
