//! Where a run's progress is shown: a bar in a terminal, one in a notebook, or a function of the caller's.

use std::sync::atomic::{AtomicU64, Ordering};

use luna_core::{Finding, Observer};
use luna_worker::progress::{When, observer};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

/// Who is told.
pub(crate) enum Progress {
    /// The engine tells it by itself.
    Bar(Box<dyn Observer>),
    /// Python is told at each heartbeat.
    Function(Counts, Py<PyAny>),
}

/// Files that are done, of how many.
#[derive(Default)]
pub(crate) struct Counts {
    done: AtomicU64,
    total: AtomicU64,
}

impl Observer for Counts {
    fn listed(&self, files: u64, _bytes: u64) {
        self.total.store(files, Ordering::Relaxed);
    }

    fn examined(&self, _path: &str, _bytes: u64, _findings: &[Finding]) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

impl Progress {
    /// Of the argument `progress`: a function, False for nothing, else whatever fits the place.
    pub(crate) fn of(py: Python<'_>, argument: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let function =
            |it: &Bound<'_, PyAny>| Self::Function(Counts::default(), it.clone().unbind());
        let wanted = match argument {
            Some(given) if given.is_callable() => return Ok(function(given)),
            None => true,
            Some(given) => given.extract::<bool>().map_err(|_| {
                PyTypeError::new_err(
                    "progress: True, False, or a function that takes the files done and the files in all",
                )
            })?,
        };
        if !wanted {
            return Ok(Self::Bar(observer(When::Never)));
        }
        let bar = py.import("luna_py._progress")?.call_method0("notebook_bar")?;
        Ok(if bar.is_none() { Self::Bar(observer(When::Auto)) } else { function(&bar) })
    }

    pub(crate) fn observer(&self) -> &dyn Observer {
        match self {
            Self::Bar(observer) => &**observer,
            Self::Function(counts, _) => counts,
        }
    }

    /// Tells Python how far it is.
    pub(crate) fn tell(&self, py: Python<'_>) -> PyResult<()> {
        let Self::Function(counts, function) = self else { return Ok(()) };
        let (done, total) = (&counts.done, &counts.total);
        let counts = (done.load(Ordering::Relaxed), total.load(Ordering::Relaxed));
        function.call1(py, counts).map(drop)
    }
}
