//! `luna validate URI...`: a data set in, a report out.

use std::path::PathBuf;

use clap::ValueEnum;
use luna_core::report::{Counts, Verdict};
use luna_core::{CancelToken, Report};

use super::exit::{Exit, Failure};
use super::interrupt;
use super::options::{Judgement, Resources};
use super::reports::Reports;
use crate::{place, progress};

/// Validate a data set: say what is wrong, with which file, and what to do.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  luna validate scans/                       findings in the terminal
  luna validate scans/ -o report.html -o report.json
  luna validate scans/ -o scans.junit.xml -o scans.sarif     for continuous integration
  luna validate scans/ -o scans.parquet      also writes scans.files.parquet
  luna validate train/ test/ --profile chest-xray
  luna validate scans/ --select LF,LP001     only file defects and blank pictures
  luna validate scans/ --format jsonl | jq 'select(.type == \"file\")'

A closed pipe (... | head) ends the output quietly; the exit code is still the verdict's.")]
pub(super) struct Arguments {
    /// Folders and files; several are one data set
    #[arg(value_name = "URI", required = true)]
    places: Vec<PathBuf>,

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
        let source = place::open(&self.places)?;
        let validator = self.resources.apply(self.judgement.builder()?)?.build()?;
        let cancel = interrupt::token();
        let observer = progress::observer(self.progress);
        let report = validator.validate_with(&*source, &*observer, cancel)?;
        files.write(&report, Some((&validator, &*source)))?;
        Ok(exit(&report, self.fail_on, cancel))
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
