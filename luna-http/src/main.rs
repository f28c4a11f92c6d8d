//! The `luna-http` command.

mod command;

use std::io::Write as _;
use std::process::ExitCode;

/// As in `luna`: the system's allocator gives the pages of every picture back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = command::run().await else { return ExitCode::SUCCESS };
    // With its causes on one line, and never a backtrace: it is for operators.
    let _ = writeln!(std::io::stderr(), "error: {error:#}");
    ExitCode::FAILURE
}
