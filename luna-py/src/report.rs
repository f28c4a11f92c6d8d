//! `luna_py.Report`: what a validation found.

use std::path::PathBuf;

use luna_core::report::{RenderOptions, ReportFormat, Verdict, render};
use luna_core::{Source, Validator, text};
use luna_worker::output::ReportFile;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::{LunaError, from_engine};

/// What a validation found.
///
/// Made by :func:`validate`.
#[pyclass(frozen, module = "luna_py")]
pub(crate) struct Report {
    found: luna_core::Report,
    /// With the source: for the pictures of an HTML page.
    validator: Validator,
    source: Box<dyn Source>,
}

impl Report {
    pub(crate) fn new(
        found: luna_core::Report,
        validator: Validator,
        source: Box<dyn Source>,
    ) -> Self {
        Self { found, validator, source }
    }

    fn verdict_word(&self) -> &'static str {
        match self.found.verdict {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Incomplete => "incomplete",
        }
    }
}

#[pymethods]
impl Report {
    /// bool: True if the verdict is ``"pass"``.
    #[getter]
    fn ok(&self) -> bool {
        self.found.verdict == Verdict::Pass
    }

    /// str: ``"pass"``, ``"fail"`` (at least one error), or ``"incomplete"`` (the work was cut
    /// short).
    #[getter]
    fn verdict(&self) -> &'static str {
        self.verdict_word()
    }

    /// dict: Numbers of findings under ``"error"``, ``"warning"``, ``"info"``, ``"excepted"``, and
    /// under ``"by_rule"`` a dict from rule code to number.
    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = &self.found.counts;
        let dict = PyDict::new(py);
        dict.set_item("error", counts.error)?;
        dict.set_item("warning", counts.warning)?;
        dict.set_item("info", counts.info)?;
        dict.set_item("excepted", counts.excepted)?;
        dict.set_item("by_rule", counts.by_rule.clone())?;
        Ok(dict)
    }

    /// The whole report as JSON, the same bytes that ``luna validate --format json`` prints.
    ///
    /// Returns
    /// -------
    /// str
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| {
            let mut json = Vec::new();
            render(&self.found, ReportFormat::Json, &RenderOptions::default(), None, &mut json)
                .map_err(|error| from_engine(&error))?;
            String::from_utf8(json).map_err(|error| LunaError::new_err(error.to_string()))
        })
    }

    /// The whole report as dicts, lists and numbers.
    ///
    /// Returns
    /// -------
    /// dict
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?.call_method1("loads", (self.to_json(py)?,))
    }

    /// Write the report to a file, whole or not at all.
    ///
    /// Parameters
    /// ----------
    /// path : str or os.PathLike
    ///     The ending names the format: ``.json``, ``.jsonl``, ``.html`` (with pictures), ``.csv``,
    ///     ``.parquet`` (and ``.files.parquet`` beside it), ``.junit.xml``, ``.sarif`` or ``.txt``.
    ///
    /// Raises
    /// ------
    /// LunaError
    ///     If the ending names no format, or the file cannot be written.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let shown = text::escaped(&path.to_string_lossy());
        let format = ReportFormat::from_path(&path).ok_or_else(|| {
            LunaError::new_err(format!("path {shown}: the ending names no format of reports"))
        })?;
        py.detach(|| {
            let pixels = (&self.validator, &*self.source);
            let options = RenderOptions::default();
            ReportFile::prepare(&path, format)?.write(&self.found, &options, Some(pixels))
        })
        .map_err(|(place, error)| {
            let place = text::escaped(&place.to_string_lossy());
            LunaError::new_err(format!("path {place}: cannot be written: {error}"))
        })
    }

    fn __repr__(&self) -> String {
        let counts = &self.found.counts;
        format!(
            "<luna_py.Report: {}, {}, {} in {}>",
            self.verdict_word(),
            text::counted(counts.error, "error"),
            text::counted(counts.warning, "warning"),
            text::counted(self.found.dataset.files, "file"),
        )
    }
}
