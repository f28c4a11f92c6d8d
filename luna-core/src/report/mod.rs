//! Stage 6, *report*: what people and machines read.
//!
//! The types are the report itself; [`render`] writes it in one of [`ReportFormat::ALL`]. Each format
//! has one module. No format adds or changes a finding, and none knows the clock or the machine.

mod actions;
mod columns;
mod copies;
mod csv;
mod digest;
pub(crate) mod facts;
mod flat;
mod folders;
mod format;
mod html;
mod json;
mod jsonl;
mod junit;
mod origin;
mod overview;
mod parquet;
#[cfg(test)]
pub(crate) mod sample;
mod sarif;
mod schema;
mod stored;
#[cfg(test)]
mod tests;
mod text;
mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufWriter, Write};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::columns::{Column, FILE_COLUMNS, FINDING_COLUMNS, Get};
pub use self::copies::{Copies, CopyGroup, CopyMember};
pub use self::digest::{Digest, RuleDigest, Step};
pub use self::format::ReportFormat;
pub use self::html::{COMMON_SCRIPT, NOTEBOOK_PICTURES, STYLE, notebook, picture_svg};
pub use self::origin::Origin;
pub(crate) use self::overview::{Overview, RuleGroup};
pub use self::schema::report_schema;
pub use self::text::render_inspection;
pub use self::whole::{Histogram, Point, Threshold, WholeSet};
use crate::error::Error;
use crate::finding::{Finding, Severity};
use crate::illustrate::Illustrations;
use crate::record::{Facts, Kind};
use crate::rules::Registry;

/// Version of the report's shape.
pub const SCHEMA_VERSION: u32 = 1;

/// The report, as it is written in JSON: every key always, in this order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Version of this shape: 1.
    pub schema_version: u32,
    /// Version of the engine.
    pub luna_version: String,
    /// Edition of the rules.
    pub edition: String,
    /// The profile in force.
    pub profile: ProfileIdentity,
    /// The data set.
    pub dataset: Dataset,
    /// The verdict.
    pub verdict: Verdict,
    /// True if the work was cut short.
    pub partial: bool,
    /// Findings, counted.
    pub counts: Counts,
    /// Rules, by what they did.
    pub rules: RulesRun,
    /// Findings by rule.
    pub groups: Vec<Group>,
    /// Everything listed, in byte order of the path.
    pub files: Vec<FileEntry>,
    /// Findings about several files or the set.
    pub findings: Vec<Finding>,
}

impl Report {
    /// All findings in the report's order: file by file, then those of the set.
    ///
    /// ```
    /// # use luna_core::{Validator, source::Memory};
    /// let report = Validator::default().validate(&Memory::single("a.png", Vec::new()))?;
    /// assert!(report.all_findings().any(|finding| finding.rule == "LF001"));
    /// # Ok::<(), luna_core::Error>(())
    /// ```
    pub fn all_findings(&self) -> impl Iterator<Item = &Finding> {
        self.files.iter().flat_map(|file| &file.findings).chain(&self.findings)
    }

    /// What it says of one file, and of the set where that file takes part; `None` if there is no such file.
    ///
    /// ```
    /// # use luna_core::{Validator, source::Memory};
    /// let report = Validator::default().validate(&Memory::single("a.png", Vec::new()))?;
    /// assert_eq!(report.only("a.png").unwrap().files.len(), 1);
    /// assert!(report.only("b.png").is_none());
    /// # Ok::<(), luna_core::Error>(())
    /// ```
    pub fn only(&self, path: &str) -> Option<Self> {
        let file = self.files.iter().find(|file| file.path == path)?.clone();
        let names = |finding: &&Finding| finding.related.iter().any(|related| related == path);
        let findings: Vec<Finding> = self.findings.iter().filter(names).cloned().collect();
        let all = || file.findings.iter().chain(&findings);
        let counts = Counts::of(all());
        let dataset = Dataset {
            files: 1,
            images: u64::from(file.facts.kind == Kind::Image),
            bytes: file.facts.size_bytes,
            ..self.dataset.clone()
        };
        Some(Self {
            dataset,
            verdict: if counts.error > 0 { Verdict::Fail } else { Verdict::Pass },
            partial: false,
            groups: Group::all(all()),
            counts,
            files: vec![file],
            findings,
            profile: self.profile.clone(),
            rules: self.rules.clone(),
            luna_version: self.luna_version.clone(),
            edition: self.edition.clone(),
            ..*self
        })
    }

    fn entry(&self, path: &str) -> Option<&FileEntry> {
        // Files are in byte order of the path, but a stored report may say otherwise.
        let at = self.files.binary_search_by(|file| file.path.as_str().cmp(path));
        at.ok().and_then(|at| self.files.get(at))
    }
}

/// Name and hash of a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileIdentity {
    /// Its name.
    pub name: String,
    /// SHA-256 of the resolved profile as canonical JSON.
    pub hash: String,
}

/// The data set in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// Listed names.
    pub files: u64,
    /// Files of kind `image`.
    pub images: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// SHA-256 over paths and contents.
    pub fingerprint: String,
}

/// What it all comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No error, and everything was looked at.
    Pass,
    /// At least one finding of severity error.
    Fail,
    /// No error so far, but the work was cut short.
    Incomplete,
}

impl Verdict {
    /// The word used in reports: `pass`, `fail` or `incomplete`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Incomplete => "incomplete",
        }
    }
}

/// Findings, counted; excepted ones apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Errors.
    pub error: u64,
    /// Warnings.
    pub warning: u64,
    /// Infos.
    pub info: u64,
    /// Findings that the profile lists as exceptions.
    pub excepted: u64,
    /// Findings by rule, excepted ones left out.
    pub by_rule: BTreeMap<String, u64>,
}

impl Counts {
    /// Counts findings.
    pub(crate) fn of<'a>(findings: impl Iterator<Item = &'a Finding>) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            if finding.excepted {
                counts.excepted += 1;
                continue;
            }
            match finding.severity {
                Severity::Error => counts.error += 1,
                Severity::Warning => counts.warning += 1,
                Severity::Info => counts.info += 1,
            }
            *counts.by_rule.entry(finding.rule.to_string()).or_default() += 1;
        }
        counts
    }
}

/// Rules, by what they did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesRun {
    /// Rules that looked at something.
    pub ran: u64,
    /// Rules that were on, but had nothing to look at.
    pub nothing_to_look_at: Vec<String>,
    /// Rules that the profile turned off.
    pub off: Vec<String>,
}

/// Findings of one rule and severity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The rule's code.
    pub rule: String,
    /// The severity.
    pub severity: Severity,
    /// How many files take part.
    pub files: u64,
    /// Up to three of them.
    pub examples: Vec<String>,
}

impl Group {
    /// Groups findings by severity and rule; excepted ones take no part.
    pub(crate) fn all<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<Self> {
        const EXAMPLES: usize = 3;
        let mut paths: BTreeMap<(Severity, &str), BTreeSet<&str>> = BTreeMap::new();
        for finding in findings.filter(|finding| !finding.excepted) {
            let group = paths.entry((finding.severity, &finding.rule)).or_default();
            group.extend(finding.path.as_deref());
            group.extend(finding.related.iter().map(String::as_str));
        }
        let group = |((severity, rule), paths): ((Severity, &str), BTreeSet<&str>)| Self {
            rule: rule.to_owned(),
            severity,
            files: paths.len() as u64,
            examples: paths.iter().take(EXAMPLES).map(ToString::to_string).collect(),
        };
        paths.into_iter().map(group).collect()
    }
}

/// One listed name: path, facts, findings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Path relative to the source.
    pub path: String,
    /// What is known of it.
    #[serde(flatten)]
    pub facts: Box<Facts>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

/// How a report is shown to people; machine formats do not ask.
///
/// ```
/// let options = luna_core::report::RenderOptions { colour: true, ..Default::default() };
/// assert_eq!(options.width, 100);
/// ```
#[derive(Clone, Debug)]
pub struct RenderOptions {
    /// True to colour text with ANSI codes.
    pub colour: bool,
    /// Columns of the terminal; fewer than 40 count as 40.
    pub width: usize,
    /// The rules whose explanations the page repeats.
    pub registry: Registry,
    /// By what text and page gather findings.
    pub group_by: GroupBy,
}

/// By what a report for people gathers findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GroupBy {
    /// One cause, many files: the summary.
    #[default]
    Rule,
    /// One file, all that is wrong with it; nothing is left out.
    File,
    /// One folder, what its files have.
    Folder,
}

impl Default for RenderOptions {
    /// No colour, 100 columns, the built-in rules, grouped by rule.
    fn default() -> Self {
        Self {
            colour: false,
            width: 100,
            registry: Registry::default(),
            group_by: GroupBy::default(),
        }
    }
}

/// Writes a report in one format. Pictures are shown by HTML only.
///
/// # Errors
/// If `out` cannot be written to.
pub fn render(
    report: &Report,
    format: ReportFormat,
    options: &RenderOptions,
    illustrations: Option<&Illustrations>,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut out = BufWriter::new(out);
    let written = match format {
        ReportFormat::Text => text::write(report, options, &mut out),
        ReportFormat::Json => json::write(report, &mut out),
        ReportFormat::JsonLines => jsonl::write(report, &mut out),
        ReportFormat::Csv => csv::write(report, &mut out),
        ReportFormat::Html => html::write(report, options, illustrations, &mut out),
        ReportFormat::Parquet => parquet::write(report, &mut out),
        ReportFormat::Junit => junit::write(report, &mut out),
        ReportFormat::Sarif => sarif::write(report, options, &mut out),
    };
    written
        .and_then(|()| out.flush())
        .map_err(|source| Error::Write { format: format.id(), source })
}

/// Writes the files of a report, one a row, in a format that
/// [keeps them apart](ReportFormat::has_files_apart) from its findings; nothing in any other.
///
/// ```
/// # use luna_core::{Validator, report::{ReportFormat, render_files}, source::Memory};
/// let report = Validator::default().validate(&Memory::single("a.png", Vec::new()))?;
/// let mut table = Vec::new();
/// render_files(&report, ReportFormat::Parquet, &mut table)?;
/// assert!(table.starts_with(b"PAR1"));
/// # Ok::<(), luna_core::Error>(())
/// ```
///
/// # Errors
/// If `out` cannot be written to.
pub fn render_files(
    report: &Report,
    format: ReportFormat,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let mut out = BufWriter::new(out);
    let written = match format {
        ReportFormat::Parquet => parquet::write_files(report, &mut out),
        _ => Ok(()),
    };
    written
        .and_then(|()| out.flush())
        .map_err(|source| Error::Write { format: format.id(), source })
}
