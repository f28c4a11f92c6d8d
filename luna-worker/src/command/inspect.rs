//! `luna inspect FILE`: one file with everything that is known of it.

use std::path::PathBuf;

use luna_core::report::{FileEntry, render_inspection};
use luna_core::rules::{Rule, Scope};
use luna_core::{SourceError, Validator};
use serde_json::json;

use super::exit::{Exit, Failure, shown};
use super::options::Judgement;
use super::reports::options;
use super::{TextOrJson, stdout};
use crate::output::io_error;
use crate::place;

/// Show one file: facts, measurements, findings, and every rule that looked at it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  luna inspect scans/0001.dcm
  luna inspect scans/0001.dcm --format json | jq .file.measurements
  luna inspect s3://bucket/scans/0001.dcm    places are named as for luna validate

The exit code is 0 whatever was found; validate judges.")]
pub(super) struct Arguments {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Shape of the result
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: TextOrJson,

    #[command(flatten)]
    judgement: Judgement,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let Some(source) = place::open_file(&self.file)? else {
            let place = shown(&self.file);
            return Err(Failure::Usage(format!(
                "{place} is a folder; `luna validate` takes those"
            )));
        };
        let validator = self.judgement.builder()?.build()?;
        let mut report = validator.validate(&*source)?;
        let Some(entry) = report.files.pop() else {
            let place = shown(&self.file);
            return Err(SourceError::NotFound { place }.into());
        };
        let rules = rules_that_looked(&validator, &entry);
        match self.format {
            TextOrJson::Text => stdout::write(|out| {
                render_inspection(&entry, &rules, &options(), out).map_err(io_error)
            })?,
            TextOrJson::Json => {
                let codes: Vec<&str> = rules.iter().map(|rule| rule.code).collect();
                stdout::print_json(&json!({ "file": entry, "rules": codes }))?;
            }
        }
        Ok(Exit::Clean)
    }
}

/// The rules that run and look at such a file; those that need a whole set do not.
fn rules_that_looked<'a>(validator: &'a Validator, entry: &FileEntry) -> Vec<&'a Rule> {
    let running = validator.settings().running();
    running.filter(|rule| rule.scope != Scope::Set && rule.scope.covers(&entry.facts)).collect()
}
