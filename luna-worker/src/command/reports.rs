//! Reports as the command line asks for them: one on stdout, any number in files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser as _};
use luna_core::Report;
use luna_core::report::{GroupBy, RenderOptions, ReportFormat};
use luna_core::rules::Registry;

use super::exit::{Failure, shown};
use super::stdout;
use crate::output::{Pixels, ReportFile, format_of, write_report};

/// Where reports go, and how they look.
#[derive(Debug, clap::Args)]
pub(super) struct Reports {
    /// Format of what is printed
    #[arg(long, short, value_name = "FORMAT", default_value = "text", value_parser = formats())]
    format: ReportFormat,

    /// Also write a report to this file or URI, in the format that its ending names; may be repeated
    #[arg(long, short, value_name = "FILE")]
    output: Vec<PathBuf>,
}

fn formats() -> impl clap::builder::TypedValueParser<Value = ReportFormat> {
    let words = ReportFormat::ALL
        .iter()
        .map(|format| PossibleValue::new(format.id()).help(format.describe()));
    PossibleValuesParser::new(words)
        .map(|word| ReportFormat::parse(&word).unwrap_or(ReportFormat::Text))
}

/// Reports whose places are known to be writable.
#[derive(Debug)]
pub(super) struct Prepared {
    format: ReportFormat,
    files: Vec<ReportFile>,
    group_by: GroupBy,
}

impl Reports {
    /// Checks formats and places before the work.
    pub(super) fn prepare(&self) -> Result<Prepared, Failure> {
        if self.format.is_binary() {
            let ending = self.format.endings().first().copied().unwrap_or_default();
            return Err(Failure::Usage(format!(
                "--format {}: this is no text to print; name a file with -o report.{ending}",
                self.format
            )));
        }
        let files: Vec<ReportFile> =
            self.output.iter().map(|place| prepared(place)).collect::<Result<_, _>>()?;
        let mut places = BTreeSet::new();
        for place in files.iter().flat_map(ReportFile::places) {
            if !places.insert(place) {
                let place = shown(place);
                return Err(Failure::Usage(format!(
                    "--output {place}: two reports would be written here"
                )));
            }
        }
        Ok(Prepared { format: self.format, files, group_by: GroupBy::default() })
    }
}

impl Prepared {
    pub(super) fn grouped_by(mut self, group_by: GroupBy) -> Self {
        self.group_by = group_by;
        self
    }

    /// Writes the files, then what is printed.
    pub(super) fn write(&self, report: &Report, pixels: Option<Pixels<'_>>) -> Result<(), Failure> {
        let in_terminal = RenderOptions { group_by: self.group_by, ..options() };
        let in_file = RenderOptions { colour: false, ..in_terminal.clone() };
        for file in &self.files {
            file.write(report, &in_file, pixels)
                .map_err(|(place, error)| Failure::not_written(&place, error))?;
        }
        stdout::write(|out| write_report(report, self.format, &in_terminal, pixels, out))
    }
}

fn prepared(place: &Path) -> Result<ReportFile, Failure> {
    let format = format_of(place).ok_or_else(|| unknown_ending(place))?;
    ReportFile::prepare(place, format).map_err(|(place, error)| Failure::not_written(&place, error))
}

fn unknown_ending(place: &Path) -> Failure {
    let endings: Vec<String> = ReportFormat::ALL
        .iter()
        .flat_map(|format| format.endings())
        .map(|ending| format!(".{ending}"))
        .collect();
    Failure::Usage(format!(
        "--output {}: the ending names no format; known are {}",
        shown(place),
        endings.join(", ")
    ))
}

/// How reports are rendered for the terminal at hand.
pub(super) fn options() -> RenderOptions {
    RenderOptions {
        colour: stdout::is_colored(),
        width: stdout::width(),
        registry: Registry::default(),
        group_by: GroupBy::default(),
    }
}
