//! `luna man`: the manual pages.

use std::path::PathBuf;

use clap::CommandFactory as _;

use super::exit::{Exit, Failure};
use super::{Cli, stdout};

/// Print the manual page, or write one for every subcommand.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  luna man | man -l -                        read it
  luna man ~/.local/share/man/man1           install luna(1), luna-validate(1), ...")]
pub(super) struct Arguments {
    /// Folder for one page a subcommand
    dir: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        match self.dir {
            Some(dir) => {
                std::fs::create_dir_all(&dir)
                    .and_then(|()| clap_mangen::generate_to(Cli::command(), &dir))
                    .map_err(|error| Failure::not_written(&dir, error))?;
            }
            None => stdout::write(|out| clap_mangen::Man::new(Cli::command()).render(out))?,
        }
        Ok(Exit::Clean)
    }
}
