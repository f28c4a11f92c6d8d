//! `luna validate URI...`: a data set in, a report out.

use std::path::PathBuf;

use clap::ValueEnum;
use luna_core::report::{Counts, Verdict};
use luna_core::table::Table;
use luna_core::{CancelToken, Report, Validator};

use super::exit::{Exit, Failure, shown};
use super::interrupt;
use super::options::{Judgement, Resources};
use super::reports::Reports;
use crate::{place, progress};

const EXAMPLES: &str = "\
Examples:
  luna validate scans/                       findings in the terminal
  luna validate scans/ -o report.html -o report.json
  luna validate upload.zip                   read in place, nothing is unpacked to disk
  luna validate s3://bucket/scans -o s3://bucket/report.json
  luna validate scans/ --manifest SHA256SUMS are the files those that were published?
  luna validate scans/ -o scans.junit.xml -o scans.sarif     for continuous integration
  luna validate scans/ -o scans.parquet      also writes scans.files.parquet
  luna validate train/ test/ --profile chest-xray
  luna validate scans/ --select LF,LP001     only file defects and blank pictures
  luna validate scans/ --format jsonl | jq 'select(.type == \"file\")'

A closed pipe (... | head) ends the output quietly; the exit code is still the verdict's.";

/// Examples, and how places are named.
fn help() -> String {
    format!("{EXAMPLES}\n\n{}", storages()).trim_end().to_owned()
}

#[cfg(feature = "storage")]
use crate::storage::help as storages;

#[cfg(not(feature = "storage"))]
fn storages() -> String {
    String::new()
}

/// Validate a data set: say what is wrong, with which file, and what to do.
#[derive(Debug, clap::Args)]
#[command(after_help = help())]
pub(super) struct Arguments {
    /// Folders, archives (zip, tar, tar.gz, tar.zst) and files, here or in a storage; several are one
    /// data set
    #[arg(value_name = "URI", required = true)]
    places: Vec<PathBuf>,

    /// The manifest: JSON, CSV, TSV, or a list as sha256sum and md5sum write it; else the one at the
    /// root of the data set, if there is one
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,

    #[command(flatten)]
    judgement: Judgement,

    #[command(flatten)]
    reports: Reports,

    /// The least severity that makes the exit code 1
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    fail_on: FailOn,

    #[command(flatten)]
    resources: Resources,

    /// Show progress on stderr
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    progress: progress::When,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum FailOn {
    #[default]
    Error,
    Warning,
    Never,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let files = self.reports.prepare()?;
        let validator = self.resources.apply(self.judgement.builder()?)?.build()?;
        let source = place::open(&self.places, validator.settings().limits())?;
        let manifest = self.read_manifest(&validator)?;
        let cancel = interrupt::token();
        let observer = progress::observer(self.progress);
        let report = validator.validate_against(manifest, &*source, &*observer, cancel)?;
        files.write(&report, Some(&validator.second_look(&*source)))?;
        Ok(exit(&report, self.fail_on, cancel))
    }

    /// The manifest that was named; one that cannot be opened, or is none, is wrong usage.
    fn read_manifest(&self, validator: &Validator) -> Result<Option<Table>, Failure> {
        let Some(place) = &self.manifest else { return Ok(None) };
        let settings = validator.settings();
        let most = settings.limits().table_bytes.saturating_add(1);
        let bytes =
            place::read_beside(place, most).map_err(|error| Failure::unopened(place, error))?;
        let table = Table::manifest(&place::file_name(place), &bytes, settings);
        table.map(Some).ok_or_else(|| {
            Failure::Usage(format!(
                "--manifest {}: this is no manifest: neither JSON nor a table nor a list of checksums",
                shown(place)
            ))
        })
    }
}

fn exit(report: &Report, fail_on: FailOn, cancel: &CancelToken) -> Exit {
    if report.partial && cancel.is_cancelled() {
        return Exit::Interrupted;
    }
    let Counts { error, warning, .. } = report.counts;
    let weighs = match fail_on {
        FailOn::Never => false,
        FailOn::Error => error > 0 || report.verdict == Verdict::Incomplete,
        FailOn::Warning => error + warning > 0 || report.verdict == Verdict::Incomplete,
    };
    if weighs { Exit::Findings } else { Exit::Clean }
}
