//! `luna inspect FILE`: one file with everything that is known of it.

use std::path::PathBuf;

use luna_core::report::{FileEntry, render_inspection};
use luna_core::rules::{Rule, Scope};
use luna_core::source::Files;
use luna_core::{SourceError, Validator, text};
use serde_json::json;

use super::exit::{Exit, Failure};
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
        if self.file.is_dir() {
            let place = text::escaped(&self.file.to_string_lossy());
            return Err(Failure::Usage(format!(
                "{place} is a folder; `luna validate` takes those"
            )));
        }
        place::is_folder(&self.file)?;
        let validator = self.judgement.builder()?.build()?;
        let mut report = validator.validate(&Files::new([&self.file]))?;
        let Some(entry) = report.files.pop() else {
            let place = text::escaped(&self.file.to_string_lossy());
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
