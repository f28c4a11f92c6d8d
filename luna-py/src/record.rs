//! `luna_py.Record`: what is known of one file.

use luna_core::report::FINDING_COLUMNS;
use luna_core::{Kind, Severity, text};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::table::Table;

/// All that is known of one file: facts, measurements, fingerprints, findings.
///
/// Made by :func:`examine`. It knows no path: the same bytes give the same record wherever they lie. It can be
/// pickled, and :func:`conclude` makes a report of many.
#[pyclass(frozen, module = "luna_py")]
pub(crate) struct Record {
    pub(crate) record: luna_core::Record,
}

#[pymethods]
impl Record {
    /// bool: True if it is a picture, or a DICOM object that goes with pictures, and no finding is an error.
    #[getter]
    fn ok(&self) -> bool {
        matches!(self.record.facts.kind, Kind::Image | Kind::Companion)
            && self.record.findings.iter().all(|it| it.severity != Severity::Error)
    }

    /// Table: A row a finding; ``path`` is null, for a record knows no name.
    #[getter]
    fn findings(&self) -> PyResult<Table> {
        Table::of(FINDING_COLUMNS, self.record.findings.iter())
    }

    /// dict: What reports say of the file: ``format``, ``width``, ``height``, ``bits_stored``, ``measurements``,
    /// ``fingerprints``, ``dicom`` and more.
    #[getter]
    fn facts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let json = serde_json::to_string(&self.record.facts).map_err(unwritten)?;
        py.import("json")?.call_method1("loads", (json,))
    }

    /// str or None: Format, told by the bytes, such as ``"dicom"`` or ``"png"``; None for an array.
    #[getter]
    fn format(&self) -> Option<&'static str> {
        self.record.facts.format.map(luna_core::Format::id)
    }

    /// int or None: Width in pixels.
    #[getter]
    fn width(&self) -> Option<u32> {
        self.record.facts.width
    }

    /// int or None: Height in pixels.
    #[getter]
    fn height(&self) -> Option<u32> {
        self.record.facts.height
    }

    /// int or None: Number of frames or pages.
    #[getter]
    fn frames(&self) -> Option<u32> {
        self.record.facts.frames
    }

    /// int or None: Samples a pixel.
    #[getter]
    fn channels(&self) -> Option<u8> {
        self.record.facts.channels
    }

    /// int or None: Bits of a sample that carry its value.
    #[getter]
    fn bits_stored(&self) -> Option<u8> {
        self.record.facts.bits_stored
    }

    /// The record as JSON.
    ///
    /// Returns
    /// -------
    /// str
    fn to_json(&self) -> PyResult<String> {
        serde_json::to_string(&self.record).map_err(unwritten)
    }

    /// A record that was written as JSON.
    ///
    /// Parameters
    /// ----------
    /// json : str
    ///     What :meth:`to_json` gave.
    ///
    /// Returns
    /// -------
    /// Record
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     If it is no record of this version.
    #[staticmethod]
    fn from_json(json: &str) -> PyResult<Self> {
        serde_json::from_str(json).map(|record| Self { record }).map_err(|error| {
            // The text may hold what a header says of a person: only the place is named.
            let (line, column) = (error.line(), error.column());
            let said = format!("json: no record of this version (line {line}, column {column})");
            PyValueError::new_err(said)
        })
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        let load = slf.get_type().getattr("from_json")?;
        Ok((load, (slf.get().to_json()?,)))
    }

    fn __repr__(&self) -> String {
        let facts = &self.record.facts;
        let format = facts.format.map_or("pixels", luna_core::Format::title);
        let size = match (facts.width, facts.height) {
            (Some(width), Some(height)) => format!(" {width} x {height}"),
            _ if facts.format.is_none() => return self.unknown(),
            _ => String::new(),
        };
        format!("<luna_py.Record: {format}{size}, {}>", self.counted())
    }
}

impl Record {
    fn unknown(&self) -> String {
        format!("<luna_py.Record: no known format, {}>", self.counted())
    }

    fn counted(&self) -> String {
        text::counted(self.record.findings.len() as u64, "finding")
    }
}

fn unwritten(error: serde_json::Error) -> PyErr {
    PyValueError::new_err(format!("the record cannot be written: {error}"))
}
