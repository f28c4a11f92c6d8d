//! `luna validate URI...`: a data set in, a report out.

use std::io::Read as _;
use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser as _};
use luna_core::report::{Counts, RenderOptions, ReportFormat, Verdict};
use luna_core::rules::Registry;
use luna_core::table::Table;
use luna_core::{CancelToken, Report, Validator, text};

use super::exit::{Exit, Failure};
use super::options::{Judgement, Resources};
use super::{interrupt, stdout};
use crate::output::{OutputFile, write_report};
use crate::{place, progress};

/// Validate a data set: say what is wrong, with which file, and what to do.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  luna validate scans/                       findings in the terminal
  luna validate scans/ -o report.html -o report.json
  luna validate upload.zip                   read in place, nothing is unpacked to disk
  luna validate scans/ --manifest SHA256SUMS are the files those that were published?
  luna validate train/ test/ --profile chest-xray
  luna validate scans/ --select LF,LP001     only file defects and blank pictures
  luna validate scans/ --format jsonl | jq 'select(.type == \"file\")'

A closed pipe (... | head) ends the output quietly; the exit code is still the verdict's.")]
pub(super) struct Arguments {
    /// Folders, archives (zip, tar, tar.gz, tar.zst) and files; several are one data set
    #[arg(value_name = "URI", required = true)]
    places: Vec<PathBuf>,

    /// The manifest: JSON, CSV, TSV, or a list as sha256sum and md5sum write it; else the one at the
    /// root of the data set, if there is one
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,

    #[command(flatten)]
    judgement: Judgement,

    /// Format of what is printed
    #[arg(long, short, value_name = "FORMAT", default_value = "text", value_parser = formats())]
    format: ReportFormat,

    /// Also write a report to this file, in the format that its ending names; may be repeated
    #[arg(long, short, value_name = "FILE")]
    output: Vec<PathBuf>,

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

fn formats() -> impl clap::builder::TypedValueParser<Value = ReportFormat> {
    let words = ReportFormat::ALL
        .iter()
        .map(|format| PossibleValue::new(format.id()).help(format.describe()));
    PossibleValuesParser::new(words)
        .map(|word| ReportFormat::parse(&word).unwrap_or(ReportFormat::Text))
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let files = self.files()?;
        let validator = self.resources.apply(self.judgement.builder()?)?.build()?;
        let source = place::open(&self.places, validator.settings().limits())?;
        let manifest = self.read_manifest(&validator)?;
        let cancel = interrupt::token();
        let observer = progress::observer(self.progress);
        let report = validator.validate_against(manifest, &*source, &*observer, cancel)?;
        let pixels = (&validator, &*source);
        let to_file = RenderOptions { colour: false, ..options() };
        for (file, format) in &files {
            file.write(|out| write_report(&report, *format, &to_file, pixels, out))
                .map_err(|error| Failure::not_written(file.place(), error))?;
        }
        stdout::write(|out| write_report(&report, self.format, &options(), pixels, out))?;
        Ok(exit(&report, self.fail_on, cancel))
    }

    /// The manifest that was named; one that cannot be opened, or is none, is wrong usage.
    fn read_manifest(&self, validator: &Validator) -> Result<Option<Table>, Failure> {
        let Some(place) = &self.manifest else { return Ok(None) };
        let settings = validator.settings();
        let most = settings.limits().table_bytes.saturating_add(1);
        let mut bytes = Vec::new();
        std::fs::File::open(place)
            .and_then(|file| file.take(most).read_to_end(&mut bytes))
            .map_err(|error| Failure::unopened(place, error))?;
        let name = place.file_name().unwrap_or(place.as_os_str()).to_string_lossy();
        let table = Table::manifest(&name, &bytes, settings);
        let shown = || text::escaped(&place.to_string_lossy());
        table.map(Some).ok_or_else(|| {
            Failure::Usage(format!(
                "--manifest {}: this is no manifest: neither JSON nor a table nor a list of checksums",
                shown()
            ))
        })
    }

    /// The files to be written, each with its format.
    fn files(&self) -> Result<Vec<(OutputFile, ReportFormat)>, Failure> {
        let prepare = |place: &PathBuf| {
            let format = ReportFormat::from_path(place).ok_or_else(|| unknown_ending(place))?;
            let file =
                OutputFile::prepare(place).map_err(|error| Failure::not_written(place, error))?;
            Ok((file, format))
        };
        self.output.iter().map(prepare).collect()
    }
}

fn unknown_ending(place: &std::path::Path) -> Failure {
    let endings: Vec<String> = ReportFormat::ALL
        .iter()
        .flat_map(|format| format.endings())
        .map(|ending| format!(".{ending}"))
        .collect();
    Failure::Usage(format!(
        "--output {}: the ending names no format; known are {}",
        text::escaped(&place.to_string_lossy()),
        endings.join(", ")
    ))
}

/// How reports are rendered for the terminal at hand.
pub(super) fn options() -> RenderOptions {
    RenderOptions {
        colour: stdout::is_colored(),
        width: stdout::width(),
        registry: Registry::default(),
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
