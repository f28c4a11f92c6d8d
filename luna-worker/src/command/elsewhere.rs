//! What only the server build has, where there is none of it: said, rather than not known.

use std::ffi::OsString;

use super::exit::{Exit, Failure};

/// Only in the server build
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true, hide = true)]
pub(super) struct Arguments {
    /// Whatever the server build takes.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

impl Arguments {
    pub(super) fn run(self, command: &str) -> Result<Exit, Failure> {
        drop(self.rest);
        Err(Failure::Usage(format!(
            "`luna {command}` lives in the server build, and this is another: `cargo install --path luna-worker` in \
             LUNA's sources, or its container, has it"
        )))
    }
}
