//! `luna completions SHELL`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::exit::{Exit, Failure};
use super::{Cli, stdout};

/// Print completions for a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  luna completions bash > ~/.local/share/bash-completion/completions/luna
  luna completions zsh > ~/.zfunc/_luna
  luna completions fish > ~/.config/fish/completions/luna.fish")]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        // The generator panics where its writer fails, so it writes to memory.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "luna", &mut script);
        stdout::write(|out| out.write_all(&script))?;
        Ok(Exit::Clean)
    }
}
