//! `luna_py.Report`: what a validation found.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::{fs, io};

use arrow_array::{ArrayRef, BooleanArray, Int64Array, StringArray};
use luna_core::illustrate::Shown;
use luna_core::report::{
    FILE_COLUMNS, FINDING_COLUMNS, NOTEBOOK_PICTURES, RenderOptions, ReportFormat, Verdict,
    notebook, render,
};
use luna_core::rules::Registry;
use luna_core::{Finding, Picture, Severity, illustrate, text};
use luna_worker::output::{ReportFile, format_of};
use luna_worker::place;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::error::{LunaError, VerdictError, from_engine};
use crate::pictures::Pictures;
use crate::table::Table;

/// What a validation found.
///
/// Made by :func:`validate` and :func:`read_report`.
#[pyclass(frozen, module = "luna_py")]
pub(crate) struct Report {
    found: luna_core::Report,
    /// A stored report has none.
    pictures: Option<Pictures>,
}

impl Report {
    pub(crate) fn new(found: luna_core::Report, pictures: Pictures) -> Self {
        Self { found, pictures: Some(pictures) }
    }

    /// A report that was written earlier.
    pub(crate) fn stored(found: luna_core::Report) -> Self {
        Self { found, pictures: None }
    }

    /// Findings that weigh, with the files that they name.
    fn weighing(&self) -> impl Iterator<Item = (&Finding, impl Iterator<Item = &str>)> {
        let of_files = self.found.files.iter().flat_map(|file| {
            file.findings.iter().map(|finding| (finding, Some(file.path.as_str())))
        });
        let of_the_set = self.found.findings.iter().map(|it| (it, it.path.as_deref()));
        of_files.chain(of_the_set).filter(|(finding, _)| !finding.excepted).map(|(finding, own)| {
            (finding, own.into_iter().chain(finding.related.iter().map(String::as_str)))
        })
    }

    /// Files that an error names.
    fn with_errors(&self) -> BTreeSet<&str> {
        let errors = self.weighing().filter(|(finding, _)| finding.severity == Severity::Error);
        errors.flat_map(|(_, paths)| paths).collect()
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

    /// Table: A row a finding: rule, severity, file, what is wrong, what to do, and the place.
    #[getter]
    fn findings(&self) -> PyResult<Table> {
        Table::of(FINDING_COLUMNS, self.found.all_findings())
    }

    /// Table: A row a file: facts, measurements, fingerprints, the DICOM header, numbers of findings.
    #[getter]
    fn files(&self) -> PyResult<Table> {
        Table::of(FILE_COLUMNS, self.found.files.iter())
    }

    /// Table: A row a rule and severity that found something: ``rule``, ``severity``, ``findings`` and
    /// ``files``, the gravest first.
    #[getter]
    fn summary(&self) -> PyResult<Table> {
        let mut rows: BTreeMap<(Severity, &str), (i64, BTreeSet<&str>)> = BTreeMap::new();
        for (finding, paths) in self.weighing() {
            let (findings, files) = rows.entry((finding.severity, &finding.rule)).or_default();
            *findings += 1;
            files.extend(paths);
        }
        let keys = || rows.keys();
        let rule: StringArray = keys().map(|(_, rule)| Some(*rule)).collect();
        let severity: StringArray = keys().map(|(it, _)| Some(it.as_str())).collect();
        let findings: Int64Array = rows.values().map(|(findings, _)| Some(*findings)).collect();
        let files: Int64Array = rows.values().map(|(_, it)| i64::try_from(it.len()).ok()).collect();
        let columns: Vec<(String, ArrayRef)> = vec![
            ("rule".to_owned(), Arc::new(rule)),
            ("severity".to_owned(), Arc::new(severity)),
            ("findings".to_owned(), Arc::new(findings)),
            ("files".to_owned(), Arc::new(files)),
        ];
        Table::from_arrays(columns, rows.len())
    }

    /// Table: A row a file: its ``path``, and a column a rule that found something, true where it names the
    /// file.
    #[getter]
    fn issues(&self) -> PyResult<Table> {
        let mut named: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (finding, paths) in self.weighing() {
            named.entry(&finding.rule).or_default().extend(paths);
        }
        let paths = || self.found.files.iter().map(|file| file.path.as_str());
        let path: StringArray = paths().map(Some).collect();
        let mut columns: Vec<(String, ArrayRef)> = vec![("path".to_owned(), Arc::new(path))];
        for (rule, files) in named {
            let column: BooleanArray = paths().map(|path| Some(files.contains(path))).collect();
            columns.push((rule.to_owned(), Arc::new(column)));
        }
        Table::from_arrays(columns, self.found.files.len())
    }

    /// list of str: Files that no error names, by path.
    #[getter]
    fn passed(&self) -> Vec<&str> {
        let rejected = self.with_errors();
        let paths = self.found.files.iter().map(|file| file.path.as_str());
        paths.filter(|path| !rejected.contains(path)).collect()
    }

    /// list of str: Files that an error names, by path.
    #[getter]
    fn rejected(&self) -> Vec<&str> {
        let rejected = self.with_errors();
        let paths = self.found.files.iter().map(|file| file.path.as_str());
        paths.filter(|path| rejected.contains(path)).collect()
    }

    /// Paths that findings name.
    ///
    /// Parameters
    /// ----------
    /// rule : str, optional
    ///     Only findings of this rule, by its code.
    /// severity : {"error", "warning", "info"}, optional
    ///     Only findings of this severity.
    ///
    /// Returns
    /// -------
    /// list of str
    ///     Each path once, in byte order.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     If there is no such rule or severity; the message names what is near.
    #[pyo3(signature = (*, rule=None, severity=None))]
    fn paths(&self, rule: Option<&str>, severity: Option<&str>) -> PyResult<Vec<&str>> {
        let severity = severity.map(parse_severity).transpose()?;
        if let Some(rule) = rule {
            self.known(rule)?;
        }
        let wanted = |finding: &Finding| {
            rule.is_none_or(|rule| finding.rule == rule)
                && severity.is_none_or(|severity| finding.severity == severity)
        };
        let fit = self.weighing().filter(|(finding, _)| wanted(finding));
        Ok(fit.flat_map(|(_, paths)| paths).collect::<BTreeSet<_>>().into_iter().collect())
    }

    /// What is new, what is fixed, and what is still there since an earlier report of the same data set.
    ///
    /// Parameters
    /// ----------
    /// old : Report
    ///     The earlier one.
    ///
    /// Returns
    /// -------
    /// ReportDiff
    ///     With the tables ``new``, ``fixed`` and ``still``, a row a finding.
    fn diff(&self, old: &Self) -> PyResult<ReportDiff> {
        fn ids(report: &luna_core::Report) -> BTreeSet<&str> {
            report.all_findings().map(|finding| finding.id.as_str()).collect()
        }
        let (before, now) = (ids(&old.found), ids(&self.found));
        let of = |report: &luna_core::Report, other: &BTreeSet<&str>, is_there: bool| {
            let fit = |it: &&Finding| other.contains(it.id.as_str()) == is_there;
            Table::of(FINDING_COLUMNS, report.all_findings().filter(fit))
        };
        Ok(ReportDiff {
            new: of(&self.found, &before, false)?,
            fixed: of(&old.found, &now, false)?,
            still: of(&self.found, &before, true)?,
        })
    }

    /// Raise an exception unless the verdict is ``"pass"``.
    ///
    /// Raises
    /// ------
    /// VerdictError
    ///     With the verdict, and how many errors there are of which rules.
    fn raise_for_verdict(&self) -> PyResult<()> {
        if self.ok() {
            return Ok(());
        }
        let errors = self.weighing().filter(|(finding, _)| finding.severity == Severity::Error);
        let rules: BTreeSet<&str> = errors.map(|(finding, _)| finding.rule.as_ref()).collect();
        let rules: Vec<&str> = rules.into_iter().collect();
        let of = if rules.is_empty() { "" } else { " of " };
        Err(VerdictError::new_err(format!(
            "the verdict is {}: {}{of}{} in {} of {}",
            self.verdict_word(),
            text::counted(self.found.counts.error, "error"),
            rules.join(", "),
            text::counted(self.with_errors().len() as u64, "file"),
            text::grouped(self.found.dataset.files),
        )))
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

    /// Write the report to a file or an object, whole or not at all.
    ///
    /// Parameters
    /// ----------
    /// path : str or os.PathLike
    ///     A file, or an object's URI. The ending names the format: ``.json``, ``.jsonl``, ``.html`` (with pictures), ``.csv``,
    ///     ``.parquet`` (and ``.files.parquet`` beside it), ``.junit.xml``, ``.sarif`` or ``.txt``.
    ///
    /// Raises
    /// ------
    /// LunaError
    ///     If the ending names no format, or the file cannot be written.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let format = format_of(&path).ok_or_else(|| {
            let shown = text::escaped(&place::shown(&path));
            LunaError::new_err(format!("path {shown}: the ending names no format of reports"))
        })?;
        let options = RenderOptions::default();
        py.detach(|| {
            let file = ReportFile::prepare(&path, format).map_err(unwritten)?;
            match self.pictures.as_ref().filter(|_| format == ReportFormat::Html) {
                None => file.write(&self.found, &options, None),
                Some(pictures) => {
                    pictures.look(|look| file.write(&self.found, &options, Some(look)))?
                }
            }
            .map_err(unwritten)
        })
    }

    /// What Jupyter shows: the verdict, what to do first, the gravest rules with pictures.
    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        let wants_pictures: bool =
            py.import("luna_py")?.getattr("options")?.getattr("thumbnails")?.extract()?;
        py.detach(|| self.as_html(&self.found, wants_pictures))
    }

    /// One file with its picture, what was found drawn in, and what is known of it.
    ///
    /// Parameters
    /// ----------
    /// path : str
    ///     Its path in the report.
    ///
    /// Returns
    /// -------
    /// FileView
    ///     A notebook shows it; elsewhere it prints what was found.
    ///
    /// Raises
    /// ------
    /// ValueError
    ///     If the report knows no such file; the message names what is near.
    fn show(&self, py: Python<'_>, path: &str) -> PyResult<FileView> {
        let only = self.found.only(path).ok_or_else(|| self.no_file(path))?;
        let html = py.detach(|| self.as_html(&only, true))?;
        Ok(FileView { found: only, html })
    }

    /// Pictures of what was found, drawn with matplotlib: ``pip install "luna-py[plot]"``.
    ///
    /// Type
    /// ----
    /// luna_py.plot.Plots
    #[getter]
    fn plot<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("luna_py.plot")?.call_method1("Plots", (slf,))
    }

    /// A small picture of one file as JPEG, with the width and height of the original; None if there is none, or
    /// it must not be shown.
    fn _thumbnail<'py>(
        &self,
        py: Python<'py>,
        path: &str,
        side: u32,
    ) -> PyResult<Option<(Bound<'py, PyBytes>, u32, u32)>> {
        let entry = self.found.files.iter().find(|file| file.path == path);
        let entry = entry.ok_or_else(|| self.no_file(path))?;
        let Some(pictures) = &self.pictures else { return Ok(None) };
        let found = &entry.findings;
        let picture =
            py.detach(|| pictures.look(|look| Picture::of(path, 0, found, look, side)))?;
        Ok(picture.and_then(|picture| match picture.shown {
            Shown::Jpeg(bytes) => {
                Some((PyBytes::new(py, &bytes), picture.source_width, picture.source_height))
            }
            Shown::Withheld => None,
        }))
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

impl Report {
    fn as_html(&self, found: &luna_core::Report, with_pictures: bool) -> PyResult<String> {
        let pictures = self.pictures.as_ref().filter(|_| with_pictures);
        let made = pictures
            .map(|it| it.look(|look| illustrate(found, look, &NOTEBOOK_PICTURES)))
            .transpose()?;
        Ok(notebook(found, made.as_ref()))
    }

    fn no_file(&self, path: &str) -> PyErr {
        let near = text::nearest(path, self.found.files.iter().map(|file| file.path.as_str()));
        let hint = near.map_or_else(
            || "report.files lists them all".to_owned(),
            |near| format!("did you mean {}?", text::escaped(near)),
        );
        let shown = text::escaped(path);
        PyValueError::new_err(format!("path: the report knows no file {shown}; {hint}"))
    }

    /// That there may be findings of this rule.
    fn known(&self, rule: &str) -> PyResult<()> {
        let registry = Registry::default();
        if registry.get(rule).is_some() || self.found.all_findings().any(|it| it.rule == rule) {
            return Ok(());
        }
        let near = registry.find(rule).map(|rule| rule.code).or_else(|| registry.nearest(rule));
        let hint = near.map_or_else(
            || "luna_py.rules() lists them all".to_owned(),
            |near| format!("did you mean {near}?"),
        );
        let shown = text::escaped(rule);
        Err(PyValueError::new_err(format!("rule: there is no rule {shown}; {hint}")))
    }
}

fn unwritten((place, error): (PathBuf, io::Error)) -> PyErr {
    let place = text::escaped(&place::shown(&place));
    LunaError::new_err(format!("path {place}: cannot be written: {error}"))
}

/// One file of a report.
///
/// Made by :meth:`Report.show`.
#[pyclass(frozen, module = "luna_py")]
pub(crate) struct FileView {
    found: luna_core::Report,
    html: String,
}

#[pymethods]
impl FileView {
    /// Table: A row a finding about this file, or about several of which it is one.
    #[getter]
    fn findings(&self) -> PyResult<Table> {
        Table::of(FINDING_COLUMNS, self.found.all_findings())
    }

    /// What Jupyter shows: the picture with what was found in it, and what is known of the file.
    fn _repr_html_(&self) -> &str {
        &self.html
    }

    fn __repr__(&self) -> String {
        let path = self.found.files.first().map_or("", |file| file.path.as_str());
        let said = |it: &Finding| {
            format!("\n  {} {} {}: {}", it.severity.shape(), it.rule, it.name, it.message)
        };
        let said: String = self.found.all_findings().map(said).collect();
        format!("<luna_py.FileView: {}>{said}", text::escaped(path))
    }
}

pub(crate) fn parse_severity(word: &str) -> PyResult<Severity> {
    Severity::ALL.into_iter().find(|it| it.as_str() == word).ok_or_else(|| {
        let words = Severity::ALL.map(Severity::as_str).join(", ");
        let shown = text::escaped(word);
        PyValueError::new_err(format!("severity: {shown} is none of {words}"))
    })
}

/// What changed from one report to the next.
///
/// Made by :meth:`Report.diff`.
#[pyclass(frozen, module = "luna_py")]
pub(crate) struct ReportDiff {
    new: Table,
    fixed: Table,
    still: Table,
}

#[pymethods]
impl ReportDiff {
    /// Table: Findings that the earlier report has not.
    #[getter(new)]
    fn new_ones(&self) -> Table {
        self.new.clone()
    }

    /// Table: Findings that only the earlier report has.
    #[getter]
    fn fixed(&self) -> Table {
        self.fixed.clone()
    }

    /// Table: Findings that both have.
    #[getter]
    fn still(&self) -> Table {
        self.still.clone()
    }

    fn __repr__(&self) -> String {
        let [new, fixed, still] =
            [&self.new, &self.fixed, &self.still].map(|table| text::grouped(table.len() as u64));
        format!("<luna_py.ReportDiff: {new} new, {fixed} fixed, {still} still there>")
    }
}

/// Read a report that was saved as JSON or JSON Lines.
///
/// Parameters
/// ----------
/// path : str or os.PathLike
///     The file; ``luna validate -o report.json`` and :meth:`Report.save` write such.
///
/// Returns
/// -------
/// Report
///     The same one. An HTML page that is saved of it has no pictures, for it does not know the files.
///
/// Raises
/// ------
/// LunaError
///     If the file cannot be read, is no report, or is one of another version of LUNA.
#[pyfunction]
pub(crate) fn read_report(py: Python<'_>, path: PathBuf) -> PyResult<Report> {
    let shown = text::escaped(&path.to_string_lossy());
    py.detach(|| {
        let bytes = fs::read(&path).map_err(|error| {
            LunaError::new_err(format!("path {shown}: cannot be read: {error}"))
        })?;
        luna_core::Report::from_bytes(&bytes)
            .map(Report::stored)
            .map_err(|error| LunaError::new_err(format!("path {shown}: {error}")))
    })
}
