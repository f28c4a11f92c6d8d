//! Reports on their way out: files that appear whole or not at all, pictures where a format shows
//! any.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use luna_core::report::{RenderOptions, ReportFormat, render, render_files};
use luna_core::{Error, PictureBudget, Report, Source, Validator, illustrate};
use tempfile::NamedTempFile;

/// Where the pictures of a page come from: the validator takes them from the source once more.
pub type Pixels<'a> = (&'a Validator, &'a dyn Source);

/// Writes a report. An HTML page shows pictures if it is told where they are.
///
/// # Errors
/// What the writer said.
pub fn write_report(
    report: &Report,
    format: ReportFormat,
    options: &RenderOptions,
    pixels: Option<Pixels<'_>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let pixels = pixels.filter(|_| format == ReportFormat::Html);
    let pictures = pixels.map(|(validator, source)| {
        illustrate(report, &validator.second_look(source), &PictureBudget::default())
    });
    render(report, format, options, pictures.as_ref(), out).map_err(io_error)
}

/// A report on its way to a file, or to two where its format keeps the files apart: `x.parquet` and
/// `x.files.parquet`.
#[derive(Debug)]
pub struct ReportFile {
    format: ReportFormat,
    findings: OutputFile,
    files: Option<OutputFile>,
}

impl ReportFile {
    /// Checks that the place can be written, and the one beside it.
    ///
    /// # Errors
    /// The place that cannot be written, and why.
    pub fn prepare(place: &Path, format: ReportFormat) -> Result<Self, (PathBuf, io::Error)> {
        let open = |place: PathBuf| OutputFile::prepare(&place).map_err(|error| (place, error));
        let findings = open(place.to_owned())?;
        let files = format.has_files_apart().then(|| open(place_of_files(place))).transpose()?;
        Ok(Self { format, findings, files })
    }

    /// Where it will be.
    pub fn places(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(&self.findings).chain(&self.files).map(OutputFile::place)
    }

    /// Writes it, each file whole or not at all.
    ///
    /// # Errors
    /// The place that could not be written, and why.
    pub fn write(
        &self,
        report: &Report,
        options: &RenderOptions,
        pixels: Option<Pixels<'_>>,
    ) -> Result<(), (PathBuf, io::Error)> {
        let at = |file: &OutputFile| file.place().to_owned();
        self.findings
            .write(|out| write_report(report, self.format, options, pixels, out))
            .map_err(|error| (at(&self.findings), error))?;
        let Some(files) = &self.files else { return Ok(()) };
        files
            .write(|out| render_files(report, self.format, out).map_err(io_error))
            .map_err(|error| (at(files), error))
    }
}

/// `out/x.parquet` → `out/x.files.parquet`.
fn place_of_files(place: &Path) -> PathBuf {
    let mut name = place.file_stem().unwrap_or_default().to_owned();
    name.push(".files");
    if let Some(ending) = place.extension() {
        name.push(".");
        name.push(ending);
    }
    place.with_file_name(name)
}

/// What the writer said, so that a closed pipe is known from a full disk.
pub(crate) fn io_error(error: Error) -> io::Error {
    match error {
        Error::Write { source, .. } => source,
        other => io::Error::other(other),
    }
}

/// A file to be written. Until it is complete it lies beside its place under another name, so that
/// nobody ever reads half of it and an older one survives a full disk.
#[derive(Debug)]
pub struct OutputFile {
    place: PathBuf,
}

impl OutputFile {
    /// Checks that the place can be written, now rather than after hours of work. Nothing stays
    /// behind: the place may lie inside the data set.
    ///
    /// # Errors
    /// If the place cannot be written.
    pub fn prepare(place: &Path) -> io::Result<Self> {
        // A link's target is replaced, not the link.
        let file = Self { place: fs::canonicalize(place).unwrap_or_else(|_| place.to_owned()) };
        if file.place.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !file.is_device() {
            file.temporary()?;
        }
        Ok(file)
    }

    /// Writes it whole, or leaves the place as it was.
    ///
    /// # Errors
    /// What `write` or the system said.
    pub fn write(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        if self.is_device() { self.directly(write) } else { self.and_rename(write) }
    }

    /// Where it will be.
    pub fn place(&self) -> &Path {
        &self.place
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
