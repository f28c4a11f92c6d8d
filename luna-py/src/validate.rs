//! `luna_py.validate`: the engine runs without the GIL, and Ctrl-C stops it.

use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use luna_core::{CancelToken, Observer, Profile, Source, Validator};
use luna_worker::{place, progress};
use pyo3::prelude::*;

use crate::error::{from_engine, from_place};
use crate::report::Report;

/// How long a signal waits to be seen.
const HEARTBEAT: Duration = Duration::from_millis(50);

/// One place or several.
#[derive(FromPyObject)]
pub(crate) enum Places {
    One(PathBuf),
    Several(Vec<PathBuf>),
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
/// threads : int, optional
///     Number of threads; one a core unless given. The report does not depend on it.
/// progress : bool, default False
///     Draw a progress bar on stderr, if that is a terminal.
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
#[pyo3(signature = (path, *, profile=None, threads=None, progress=false))]
pub(crate) fn validate(
    py: Python<'_>,
    path: Places,
    profile: Option<PathBuf>,
    threads: Option<usize>,
    progress: bool,
) -> PyResult<Report> {
    let places = match path {
        Places::One(place) => vec![place],
        Places::Several(places) => places,
    };
    let validator = validator(profile, threads).map_err(|error| from_engine(&error))?;
    let limits = validator.settings().limits();
    let source = place::open(&places, limits).map_err(|error| from_place(&error))?;
    let when = if progress { progress::When::Auto } else { progress::When::Never };
    let observer = progress::observer(when);
    let report = run(py, &validator, &*source, &*observer)?;
    Ok(Report::new(report, validator, source))
}

fn validator(
    profile: Option<PathBuf>,
    threads: Option<usize>,
) -> Result<Validator, luna_core::Error> {
    let mut builder = Validator::builder();
    if let Some(profile) = profile {
        builder = builder.profile(Profile::load(&profile.to_string_lossy())?);
    }
    if let Some(threads) = threads {
        builder = builder.threads(threads);
    }
    builder.build()
}

/// Runs on a thread of its own, while this one listens for signals.
fn run(
    py: Python<'_>,
    validator: &Validator,
    source: &dyn Source,
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
                validator.validate_with(source, observer, token)
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
fn check_signals() -> PyResult<()> {
    Python::attach(|py| py.check_signals())
}
