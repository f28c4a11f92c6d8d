//! Reports on their way out: files that appear whole or not at all, pictures where a format shows
//! any.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use luna_core::report::{RenderOptions, ReportFormat, render, render_files};
use luna_core::{Error, PictureBudget, Report, SecondLook, illustrate};
use tempfile::NamedTempFile;

use crate::place::{Location, PlaceError, file_name};
#[cfg(feature = "storage")]
use crate::storage::{self, Address, BlockingWriter, Bridge, Storage};
use crate::uri;

/// Where the pictures of a page come from.
pub type Pixels<'a> = &'a dyn SecondLook;

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
    let pictures = pixels.map(|look| illustrate(report, look, &PictureBudget::default()));
    render(report, format, options, pictures.as_ref(), out).map_err(io_error)
}

/// The format that the ending of a place asks for; options of a URI do not count.
pub fn format_of(place: &Path) -> Option<ReportFormat> {
    ReportFormat::from_path(Path::new(&file_name(place)))
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

/// `out/x.parquet` → `out/x.files.parquet`; options of a URI stay behind it.
fn place_of_files(place: &Path) -> PathBuf {
    let text = place.to_str().filter(|text| uri::scheme(text).is_some());
    if let Some((path, options)) = text.and_then(|text| text.split_once('?')) {
        let mut place = place_of_files(Path::new(path)).into_os_string();
        place.push("?");
        place.push(options);
        return place.into();
    }
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

/// A file to be written, here or in a storage. Until it is complete it lies beside its place under
/// another name, or is no object yet, so that nobody ever reads half of it and an older one survives a
/// full disk.
#[derive(Debug)]
pub struct OutputFile {
    /// As messages name it.
    place: PathBuf,
    #[cfg(feature = "storage")]
    object: Option<StoredFile>,
}

impl OutputFile {
    /// Checks that the place can be written, now rather than after hours of work. Nothing stays
    /// behind: the place may lie inside the data set.
    ///
    /// # Errors
    /// If the place cannot be written.
    pub fn prepare(place: &Path) -> io::Result<Self> {
        let place = match Location::of(place).map_err(PlaceError::into_io)? {
            Location::Local(place) => place,
            #[cfg(feature = "storage")]
            Location::Stored(address) => {
                let place = address.to_string().into();
                return Ok(Self { place, object: Some(StoredFile::prepare(&address)?) });
            }
        };
        // A link's target is replaced, not the link.
        let file = Self {
            place: fs::canonicalize(&place).unwrap_or(place),
            #[cfg(feature = "storage")]
            object: None,
        };
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
        #[cfg(feature = "storage")]
        if let Some(object) = &self.object {
            return object.write(write);
        }
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

/// An object to be written.
#[cfg(feature = "storage")]
#[derive(Debug)]
struct StoredFile {
    storage: Storage,
    key: String,
    bridge: Bridge,
}

#[cfg(feature = "storage")]
impl StoredFile {
    /// Looks at what is there: so server, bucket and credentials are known to be right. Who may write
    /// but neither read nor list is let through; nothing is written for a try.
    fn prepare(address: &Address) -> io::Result<Self> {
        let (parent, key) = address.path().rsplit_once('/').unwrap_or(("", address.path()));
        if key.is_empty() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let prepare = || -> storage::Result<Self> {
            let storage = Storage::at(&address.at(""))?.moved_to(parent);
            storage.check_writable()?;
            let (bridge, looked, key) = (Bridge::own()?, storage.clone(), key.to_owned());
            let asked = key.clone();
            bridge.run(async move {
                match looked.stat(&asked).await {
                    Err(error) if error.may_say_more() => match looked.list().await?.next().await {
                        Err(error) if error.is_missing_right() => Ok(()),
                        Err(error) => Err(error),
                        Ok(_) => Ok(()),
                    },
                    other => other.map(|_| ()),
                }
            })?;
            Ok(Self { storage, key, bridge })
        };
        prepare().map_err(storage::Error::into_io)
    }

    fn write(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let begun = BlockingWriter::begin(&self.bridge, &self.storage, &self.key);
        let mut out = begun.map_err(storage::Error::into_io)?;
        match write(&mut out) {
            Ok(()) => out.close(),
            Err(error) => {
                out.abort();
                Err(error)
            }
        }
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
