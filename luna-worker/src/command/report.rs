//! `luna report REPORT`: a stored report, rendered again.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use luna_core::report::GroupBy;
use luna_core::{Report, text};

use super::exit::{Exit, Failure, shown};
use super::reports::Reports;
use crate::place;

/// Largest report that is read: some millions of findings.
const MOST_BYTES: u64 = 4 << 30;

/// Show a stored report in another way: no file of the data set is looked at again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  luna validate scans/ -o report.json        store it once, then
  luna report report.json                    the summary
  luna report report.json --group-by file    every file with every finding, for a pager
  luna report report.json --group-by folder -o folders.html
  luna report report.jsonl -o report.parquet -o report.sarif

A page made so has no pictures, for a report holds none. The exit code is 0 whatever was found;
validate judges.")]
pub(super) struct Arguments {
    /// A report that was written as JSON or JSON Lines
    #[arg(value_name = "REPORT")]
    report: PathBuf,

    /// By what text and HTML gather findings
    #[arg(long, value_name = "WHAT", default_value = "rule")]
    group_by: By,

    #[command(flatten)]
    reports: Reports,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    /// One cause, many files: the summary
    Rule,
    /// Each file with all its findings; a page shows the table of files first
    File,
    /// Each folder with its counts and rules
    Folder,
}

impl From<By> for GroupBy {
    fn from(by: By) -> Self {
        match by {
            By::Rule => Self::Rule,
            By::File => Self::File,
            By::Folder => Self::Folder,
        }
    }
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        // Read before its place is written: `luna report x.json -o x.json` is a way to check it.
        let report = read(&self.report)?;
        let files = self.reports.prepare()?.grouped_by(self.group_by.into());
        files.write(&report, None)?;
        Ok(Exit::Clean)
    }
}

fn read(place: &Path) -> Result<Report, Failure> {
    let bytes = place::read_beside(place, MOST_BYTES + 1)
        .map_err(|error| Failure::unopened(place, error))?;
    let shown = shown(place);
    if bytes.len() as u64 > MOST_BYTES {
        let most = text::bytes(MOST_BYTES);
        return Err(Failure::Usage(format!("{shown}: larger than {most}, the most that is read")));
    }
    Report::from_bytes(&bytes).map_err(|error| Failure::Report { place: shown, source: error })
}
