//! `luna_py.validate`: the engine runs without the GIL, and Ctrl-C stops it.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use luna_core::limits::size;
use luna_core::table::Table;
use luna_core::{CancelToken, Observer, Profile, Source, Validator, text};
use luna_worker::{place, progress};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::error::{SourceError, from_engine, from_place};
use crate::report::Report;

/// How long a signal waits to be seen.
pub(crate) const HEARTBEAT: Duration = Duration::from_millis(50);

/// One place or several.
#[derive(FromPyObject)]
pub(crate) enum Places {
    One(PathBuf),
    Several(Vec<PathBuf>),
}

/// Bytes, or a number with a unit.
#[derive(FromPyObject)]
pub(crate) enum Size {
    Bytes(u64),
    Text(String),
}

impl Size {
    fn bytes(self) -> PyResult<u64> {
        let bytes = match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Text(text) => size::parse(&text),
        };
        bytes.filter(|bytes| *bytes > 0).ok_or_else(|| {
            PyValueError::new_err("memory: a number of bytes, or one with a unit, such as \"4GiB\"")
        })
    }
}

/// Validate a data set.
///
/// Parameters
/// ----------
/// path : str, os.PathLike, or a sequence of them
///     Folders, archives and files. Paths in the report are relative to a single folder; of several places
///     each path begins with the last part of its place.
/// profile : str or os.PathLike, optional
///     Name of a built-in profile (``"default"``, ``"chest-xray"``, ``"dicom"``, ``"strict"``) or a
///     TOML file.
/// manifest : str or os.PathLike, optional
///     What the data set should hold: JSON, CSV, TSV, or a list as ``sha256sum`` and ``md5sum`` write it; else
///     the one at the root of the data set, if there is one.
/// threads : int, optional
///     Number of threads; one a core unless given. The report does not depend on it.
/// memory : int or str, optional
///     Bytes that files may take while they are looked at, or a text such as ``"4GiB"``; 2 GiB unless given.
/// progress : bool, optional
///     False for no progress bar; else there is one on stderr if that is a terminal.
///
/// Returns
/// -------
/// Report
///     What was found. A bad image is a finding, never an exception.
///
/// Raises
/// ------
/// ProfileError
///     If the profile does not exist or cannot be used; the message names line and key.
/// SourceError
///     If a place does not exist or cannot be read.
/// ValueError
///     If an argument makes no sense; the message names it.
/// KeyboardInterrupt
///     On Ctrl-C, as soon as the files in work are finished.
///
/// Examples
/// --------
/// >>> import luna_py as luna
/// >>> report = luna.validate("scans", profile="chest-xray")  # doctest: +SKIP
/// >>> report.verdict  # doctest: +SKIP
/// 'fail'
#[pyfunction]
#[pyo3(signature = (path, *, profile=None, manifest=None, threads=None, memory=None, progress=None))]
pub(crate) fn validate(
    py: Python<'_>,
    path: Places,
    profile: Option<PathBuf>,
    manifest: Option<PathBuf>,
    threads: Option<usize>,
    memory: Option<Size>,
    progress: Option<bool>,
) -> PyResult<Report> {
    let places = match path {
        Places::One(place) => vec![place],
        Places::Several(places) => places,
    };
    if places.is_empty() {
        return Err(PyValueError::new_err("path: an empty sequence names no data set"));
    }
    let validator = validator(profile, threads, memory)?;
    let manifest = manifest.map(|place| read_manifest(&place, &validator)).transpose()?;
    let limits = validator.settings().limits();
    let source = place::open(&places, limits).map_err(|error| from_place(&error))?;
    let when = if progress == Some(false) { progress::When::Never } else { progress::When::Auto };
    let observer = progress::observer(when);
    let report = run(py, &validator, &*source, manifest, &*observer)?;
    Ok(Report::new(report, validator, source))
}

pub(crate) fn validator(
    profile: Option<PathBuf>,
    threads: Option<usize>,
    memory: Option<Size>,
) -> PyResult<Validator> {
    let mut builder = Validator::builder();
    if let Some(profile) = profile {
        let profile = Profile::load(&profile.to_string_lossy());
        builder = builder.profile(profile.map_err(|error| from_engine(&error.into()))?);
    }
    if let Some(threads) = threads {
        if threads == 0 {
            return Err(PyValueError::new_err("threads: at least 1, or None for one a core"));
        }
        builder = builder.threads(threads);
    }
    if let Some(memory) = memory {
        builder = builder.memory(memory.bytes()?);
    }
    builder.build().map_err(|error| from_engine(&error))
}

fn read_manifest(place: &Path, validator: &Validator) -> PyResult<Table> {
    let shown = text::escaped(&place.to_string_lossy());
    let settings = validator.settings();
    let most = settings.limits().table_bytes.saturating_add(1);
    let bytes = place::read_beside(place, most).map_err(|error| {
        SourceError::new_err(format!("manifest {shown}: cannot be read: {error}"))
    })?;
    Table::manifest(&place::file_name(place), &bytes, settings).ok_or_else(|| {
        SourceError::new_err(format!(
            "manifest {shown}: this is no manifest: neither JSON nor a table nor a list of checksums"
        ))
    })
}

/// Runs on a thread of its own, while this one listens for signals.
fn run(
    py: Python<'_>,
    validator: &Validator,
    source: &dyn Source,
    manifest: Option<Table>,
    observer: &dyn Observer,
) -> PyResult<luna_core::Report> {
    let cancel = CancelToken::default();
    py.detach(|| {
        thread::scope(|scope| {
            let (done, finished) = mpsc::channel::<()>();
            let token = &cancel;
            let work = scope.spawn(move || {
                // Dropped when the work ends, however it ends.
                let _done = done;
                validator.validate_against(manifest, source, observer, token)
            });
            while finished.recv_timeout(HEARTBEAT) == Err(RecvTimeoutError::Timeout) {
                if let Err(interrupt) = check_signals() {
                    cancel.cancel();
                    let _ = work.join();
                    return Err(interrupt);
                }
            }
            match work.join() {
                Ok(report) => report.map_err(|error| from_engine(&error)),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    })
}

#[expect(clippy::redundant_closure_for_method_calls, reason = "the method has one lifetime only")]
pub(crate) fn check_signals() -> PyResult<()> {
    Python::attach(|py| py.check_signals())
}
