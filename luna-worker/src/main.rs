//! The `luna` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    luna_worker::command::run(std::env::args_os()).into()
}
