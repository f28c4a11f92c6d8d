//! Where results go: stdout, or a file that appears whole or not at all.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice};
use tempfile::NamedTempFile;

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
        to_stdout(|out| out.write_all(text.as_bytes()))
    } else {
        to_stdout(|out| write!(out, "{}", anstream::adapter::strip_str(text)))
    }
}

/// Writes a JSON document to stdout, ending in a line feed.
pub(super) fn print_json(document: &serde_json::Value) -> Result<(), Failure> {
    to_stdout(|out| writeln!(out, "{document:#}"))
}

/// Writes a result to stdout as `write` gives it.
///
/// A reader that went away (`luna … | head`) had what it wanted: that is no failure.
pub(super) fn to_stdout(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::not_written(Path::new("standard output"), error))
        }
        _ => Ok(()),
    }
}

/// A file to be written. Until it is complete it lies beside its place under another name, so that
/// nobody ever reads half of it and an older one survives a full disk.
#[derive(Debug)]
pub(super) struct OutputFile {
    place: PathBuf,
}

impl OutputFile {
    /// Checks that the place can be written, now rather than after hours of work. Nothing stays
    /// behind: the place may lie inside the data set.
    pub(super) fn prepare(place: &Path) -> Result<Self, Failure> {
        // A link's target is replaced, not the link.
        let file = Self { place: fs::canonicalize(place).unwrap_or_else(|_| place.to_owned()) };
        if file.place.is_dir() {
            return Err(Failure::not_written(place, io::ErrorKind::IsADirectory.into()));
        }
        if !file.is_device() {
            file.temporary().map_err(|error| Failure::not_written(place, error))?;
        }
        Ok(file)
    }

    /// Writes it whole, or leaves the place as it was.
    pub(super) fn write(
        &self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let written = if self.is_device() { self.directly(write) } else { self.and_rename(write) };
        written.map_err(|error| Failure::not_written(&self.place, error))
    }

    /// True for `/dev/stdout`, pipes and the like, which are written to and never replaced.
    fn is_device(&self) -> bool {
        fs::metadata(&self.place).is_ok_and(|found| !found.is_file())
    }

    fn temporary(&self) -> io::Result<NamedTempFile> {
        let folder = match self.place.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".luna-").suffix(".part");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        builder.tempfile_in(folder)
    }

    fn and_rename(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let mut out = BufWriter::new(self.temporary()?);
        write(&mut out)?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(&self.place)?;
        Ok(())
    }

    fn directly(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let mut out = BufWriter::new(fs::OpenOptions::new().write(true).open(&self.place)?);
        write(&mut out)?;
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_file_survives_a_failed_write() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("report.json");
        fs::write(&place, "old").unwrap();
        let file = OutputFile::prepare(&place).unwrap();
        let failed = file.write(|out| {
            out.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&place).unwrap(), "old");
        file.write(|out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), "new");
        let names = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 1, "nothing else stays behind");
    }

    #[test]
    fn a_place_without_a_folder_is_refused_before_the_work() {
        assert!(OutputFile::prepare(Path::new("no/such/folder/report.json")).is_err());
        assert!(OutputFile::prepare(&std::env::temp_dir()).is_err());
    }
}
