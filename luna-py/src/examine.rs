//! The two halves of a validation: `luna_py.examine` of one file, `luna_py.conclude` of all.

use std::path::PathBuf;

use luna_core::Severity;
use luna_core::conclude::{Entry, Whole};
use luna_core::report::FINDING_COLUMNS;
use luna_core::source::Item;
use luna_core::text;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::bytes::File;
use crate::report::Report;
use crate::table::Table;
use crate::validate::validator;

/// All that is known of one file: facts, measurements, fingerprints, findings.
///
/// Made by :func:`examine`. It can be pickled, and :func:`conclude` makes a report of many.
#[pyclass(frozen, module = "luna_py")]
pub(crate) struct Record {
    record: luna_core::Record,
}

#[pymethods]
impl Record {
    /// bool: True if no finding is an error.
    #[getter]
    fn ok(&self) -> bool {
        self.record.findings.iter().all(|it| it.severity != Severity::Error)
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
        let format = facts.format.map_or("no known format", luna_core::Format::title);
        let size = match (facts.width, facts.height) {
            (Some(width), Some(height)) => format!(" {width} x {height}"),
            _ => String::new(),
        };
        let findings = text::counted(self.record.findings.len() as u64, "finding");
        format!("<luna_py.Record: {format}{size}, {findings}>")
    }
}

fn unwritten(error: serde_json::Error) -> PyErr {
    PyValueError::new_err(format!("the record cannot be written: {error}"))
}

/// Examine one file.
///
/// Parameters
/// ----------
/// source : str, os.PathLike, bytes, or an object with ``read()``
///     The file; a bad one is no exception.
/// profile : str or os.PathLike, optional
///     Name of a built-in profile, or a TOML file.
///
/// Returns
/// -------
/// Record
///     What can be known of it alone. Names, copies and tables are :func:`conclude`'s.
///
/// Raises
/// ------
/// SourceError
///     If the file cannot be read.
/// ProfileError
///     If the profile does not exist or cannot be used.
///
/// Examples
/// --------
/// >>> import luna_py as luna
/// >>> luna.examine(b"%PDF-1.7").ok
/// False
#[pyfunction]
#[pyo3(signature = (source, *, profile=None))]
pub(crate) fn examine(source: &Bound<'_, PyAny>, profile: Option<PathBuf>) -> PyResult<Record> {
    let validator = validator(profile, None, None)?;
    let settings = validator.settings();
    let file = File::of(source, settings.limits())?;
    let record = source.py().detach(|| luna_core::examine(&file.bytes, settings));
    Ok(Record { record })
}

/// Make a report of records, wherever they were made.
///
/// Parameters
/// ----------
/// records : dict, or iterable of (str, Record)
///     Records by the paths of their files; their order does not matter. They are held until all are there.
/// profile : str or os.PathLike, optional
///     The profile that they were examined with.
///
/// Returns
/// -------
/// Report
///     The same, byte for byte, as that of :func:`validate` of these files, as long as no manifest or label
///     table lies among them: tables are read by :func:`validate` alone in this version.
///
/// Raises
/// ------
/// TypeError
///     If an item is no pair of a path and a record.
///
/// Examples
/// --------
/// >>> import luna_py as luna
/// >>> luna.conclude({"a.pdf": luna.examine(b"%PDF-1.7")}).verdict
/// 'fail'
#[pyfunction]
#[pyo3(signature = (records, *, profile=None))]
pub(crate) fn conclude(records: &Bound<'_, PyAny>, profile: Option<PathBuf>) -> PyResult<Report> {
    let validator = validator(profile, None, None)?;
    let pairs = match records.cast::<PyDict>() {
        Ok(records) => records.items().into_any(),
        Err(_) => records.clone(),
    };
    let mut entries = Vec::new();
    for (number, pair) in pairs.try_iter()?.enumerate() {
        let (path, record) =
            pair?.extract::<(Bound<'_, PyString>, PyRef<'_, Record>)>().map_err(|_| {
                PyTypeError::new_err(format!(
                    "records: item {number} is no pair of a path and a Record"
                ))
            })?;
        let item = Item::file(path.to_str()?, record.record.facts.size_bytes);
        entries.push(Entry { item, record: Box::new(record.record.clone()) });
    }
    let report =
        records.py().detach(|| luna_core::conclude(Whole::of(entries), validator.settings()));
    Ok(Report::stored(report))
}
