//! Results on stdout, coloured where that is wanted.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use anstream::{AutoStream, ColorChoice};

use super::exit::Failure;

/// Lines for people are wrapped at this width where the terminal does not say.
const USUAL_WIDTH: usize = 100;

/// Width of the terminal that results go to, in characters.
pub(super) fn width() -> usize {
    terminal_size::terminal_size().map_or(USUAL_WIDTH, |(width, _)| usize::from(width.0).max(40))
}

/// True if results on stdout may be coloured.
pub(super) fn is_colored() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// Writes a result to stdout. ANSI styles in it are left out where colours are unwanted.
pub(super) fn print_styled(text: &str) -> Result<(), Failure> {
    if is_colored() {
        write(|out| out.write_all(text.as_bytes()))
    } else {
        write(|out| write!(out, "{}", anstream::adapter::strip_str(text)))
    }
}

/// Writes a JSON document to stdout, ending in a line feed.
pub(super) fn print_json(document: &serde_json::Value) -> Result<(), Failure> {
    write(|out| writeln!(out, "{document:#}"))
}

/// Writes a result to stdout as `write` gives it.
///
/// A reader that went away (`luna … | head`) had what it wanted: that is no failure.
pub(super) fn write(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::not_written(Path::new("standard output"), error))
        }
        _ => Ok(()),
    }
}

/// Writes a line to stdout.
#[cfg(feature = "service")]
pub(super) fn line(line: &str) -> Result<(), Failure> {
    write(|out| writeln!(out, "{line}"))
}

/// Writes a line to stderr; nobody can be told if even that fails.
#[cfg(any(feature = "push", feature = "service"))]
pub(super) fn complain(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}
