//! The `luna` command.

use std::process::ExitCode;

/// Keeps the memory of a picture for the next one: the system's allocator gives it back and asks anew, which
/// costs a fifth of the time of uncompressed and RLE pictures (docs/performance.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    luna_worker::command::run(std::env::args_os()).into()
}
