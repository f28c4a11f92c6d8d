//! `luna schema report|manifest`: the JSON Schema of a document that LUNA writes or reads.

use clap::ValueEnum;
use luna_core::report::report_schema;
use luna_core::table::manifest_schema;

use super::exit::{Exit, Failure};
use super::stdout;

/// Print the JSON Schema of a document.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  luna schema report > report.schema.json    to check or to generate code for reports
  luna schema manifest                       how a manifest.json is written")]
pub(super) struct Arguments {
    /// The document
    document: Document,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Document {
    /// What `luna validate --format json` prints
    Report,
    /// A data set's manifest.json
    Manifest,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        match self.document {
            Document::Report => stdout::print_json(&report_schema())?,
            Document::Manifest => stdout::print_json(&manifest_schema())?,
        }
        Ok(Exit::Clean)
    }
}
