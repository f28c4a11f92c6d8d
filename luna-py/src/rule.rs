//! `luna_py.rule`: an organiser's own rule. Python is asked while a file is in hand, like any other rule.

use luna_core::decode::Image;
use luna_core::rules::{self, Case, Check, Draft, FAMILIES, Scope, Sink, Stage, Status};
use luna_core::{Facts, Location, Severity, text};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString, PyTuple};

use crate::image::numpy_of;
use crate::record::Record;
use crate::report::parse_severity;

/// Characters of a traceback that a finding repeats.
const LONGEST: usize = 2_000;

/// What a rule of one's own has found.
///
/// Parameters
/// ----------
/// message : str
///     What is wrong, and where.
/// help : str, optional
///     What to do; the rule's own unless given.
/// found, expected : str, optional
///     What was found, and what was expected.
/// box : tuple of int, optional
///     Where: left column, top row, width and height, in pixels of the original.
/// frame : int, default 0
///     Frame that the box lies in, from 0.
///
/// Examples
/// --------
/// >>> import luna_py as luna
/// >>> luna.Finding("Wider than high.", box=(0, 0, 640, 480))
/// <luna_py.Finding: Wider than high.>
#[pyclass(frozen, module = "luna_py")]
pub(crate) struct Finding {
    draft: Draft,
    message: String,
}

#[pymethods]
impl Finding {
    #[new]
    #[pyo3(signature = (message, *, help=None, found=None, expected=None, r#box=None, frame=0))]
    fn new(
        message: &str,
        help: Option<&str>,
        found: Option<&str>,
        expected: Option<&str>,
        r#box: Option<(u32, u32, u32, u32)>,
        frame: u32,
    ) -> Self {
        let message = text::escaped(message);
        let mut draft = Draft::new(message.clone());
        if let Some(help) = help {
            draft = draft.help(text::escaped(help));
        }
        if let Some(found) = found {
            draft = draft.found(text::escaped(found));
        }
        if let Some(expected) = expected {
            draft = draft.expected(text::escaped(expected));
        }
        if let Some((x, y, width, height)) = r#box {
            draft = draft.at(Location::Box { x, y, width, height, frame });
        }
        Self { draft, message }
    }

    fn __repr__(&self) -> String {
        format!("<luna_py.Finding: {}>", self.message)
    }
}

/// A rule of one's own, made by the decorator :func:`rule`. It is still the function: call it to try it.
///
/// Parameters
/// ----------
/// code : str
///     Letters and three digits, such as ``"ORG001"``.
/// function : callable
///     Takes a :class:`Record`, and the pixels if ``pixels`` is true.
/// severity : {"error", "warning", "info"}, default "error"
///     Severity of its findings; a profile may set another.
/// name : str, optional
///     The defect in a few words, with dashes; the name of the function unless given.
/// pixels : bool, default False
///     True to be given the decoded pixels, as :func:`read_image` gives them.
/// scope : {"image", "any"}, default "image"
///     ``"image"``: decoded pictures; ``"any"``: every file.
/// summary : str, optional
///     What it finds; the docstring of the function unless given.
/// help : str, optional
///     What to do, for findings that do not say so themselves.
#[pyclass(frozen, module = "luna_py")]
pub(crate) struct Rule {
    function: Py<PyAny>,
    options: Options,
    pub(crate) declared: rules::Rule,
}

#[derive(Clone)]
struct Options {
    code: String,
    severity: String,
    name: String,
    pixels: bool,
    scope: String,
    summary: String,
    help: String,
}

#[pymethods]
impl Rule {
    #[new]
    #[pyo3(signature = (code, function, *, severity="error", name=None, pixels=false, scope="image", summary=None, help=None))]
    #[expect(clippy::too_many_arguments, reason = "all but the first two are given by name")]
    fn new(
        code: &str,
        function: Bound<'_, PyAny>,
        severity: &str,
        name: Option<String>,
        pixels: bool,
        scope: &str,
        summary: Option<String>,
        help: Option<String>,
    ) -> PyResult<Self> {
        if !function.is_callable() {
            return Err(PyTypeError::new_err("function: a function of a record is due"));
        }
        let of_function = |attribute: &str| -> PyResult<Option<String>> {
            Ok(function.getattr_opt(attribute)?.and_then(|it| it.extract().ok()))
        };
        let name = match name {
            Some(name) => name,
            None => of_function("__name__")?.unwrap_or_default().replace('_', "-"),
        };
        let summary = match summary {
            Some(summary) => summary,
            None => of_function("__doc__")?.unwrap_or_default().trim().to_owned(),
        };
        let options = Options {
            code: code.to_owned(),
            severity: severity.to_owned(),
            name,
            pixels,
            scope: scope.to_owned(),
            summary,
            help: help.unwrap_or_default(),
        };
        let declared = options.declare(&function)?;
        Ok(Self { function: function.unbind(), options, declared })
    }

    /// str: Its code.
    #[getter]
    fn code(&self) -> &str {
        &self.options.code
    }

    /// str: The defect in a few words.
    #[getter]
    fn name(&self) -> &str {
        &self.options.name
    }

    #[pyo3(signature = (*arguments))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        arguments: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.function.bind(py).call1(arguments)
    }

    #[expect(clippy::type_complexity, reason = "it is what pickle asks for")]
    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (String, Py<PyAny>, Bound<'py, PyDict>))> {
        let py = slf.py();
        let options = &slf.get().options;
        let named = PyDict::new(py);
        named.set_item("severity", &options.severity)?;
        named.set_item("name", &options.name)?;
        named.set_item("pixels", options.pixels)?;
        named.set_item("scope", &options.scope)?;
        named.set_item("summary", &options.summary)?;
        named.set_item("help", &options.help)?;
        let make = py.import("luna_py._rules")?.getattr("make")?;
        Ok((make, (options.code.clone(), slf.get().function.clone_ref(py), named)))
    }

    fn __repr__(&self) -> String {
        format!("<luna_py.Rule: {} {}>", self.options.code, self.options.name)
    }
}

impl Options {
    /// The rule as the engine has it. Its texts live as long as the process, like those of built-in rules.
    fn declare(&self, function: &Bound<'_, PyAny>) -> PyResult<rules::Rule> {
        let code = self.checked_code()?;
        let severity = parse_severity(&self.severity)?;
        let scope = match self.scope.as_str() {
            "image" => Scope::Image,
            "any" if self.pixels => {
                let said =
                    "scope: \"any\" has files without pixels; pixels=True goes with \"image\"";
                return Err(PyValueError::new_err(said));
            }
            "any" => Scope::Any,
            other => {
                let said = format!("scope: {} is neither image nor any", text::escaped(other));
                return Err(PyValueError::new_err(said));
            }
        };
        let kept = |text: &str| -> &'static str { Box::leak(text::escaped(text).into_boxed_str()) };
        let asked = Asked { code: code.clone(), function: function.clone().unbind() };
        let check = if self.pixels {
            Check::image(move |cx, out| asked.ask(cx.file.facts, Some(cx.image), out))
        } else {
            Check::file(move |cx, out| asked.ask(cx.facts, None, out))
        };
        Ok(rules::Rule {
            code: kept(&code),
            name: kept(&self.name),
            status: Status::Stable { since: env!("CARGO_PKG_VERSION") },
            scope,
            cases: Box::leak(Box::new([
                Case::new("", severity, Stage::File, "what the rule looks for"),
                Case::new("exception", Severity::Error, Stage::File, "the rule itself failed"),
            ])),
            options: &[],
            summary: kept(&self.summary),
            why: "",
            measured: "",
            how_to_fix: kept(&self.help),
            references: &[],
            check,
        })
    }

    fn checked_code(&self) -> PyResult<String> {
        let code = &self.code;
        let shown = text::escaped(code);
        let letters = code.trim_end_matches(|c: char| c.is_ascii_digit());
        let is_sound = (2..=8).contains(&letters.len())
            && letters.bytes().all(|it| it.is_ascii_uppercase())
            && code.len() == letters.len() + 3;
        if !is_sound {
            return Err(PyValueError::new_err(format!(
                "code: {shown} is not 2 to 8 capital letters and three digits, such as ORG001"
            )));
        }
        if FAMILIES.iter().any(|family| family.prefix == letters) {
            return Err(PyValueError::new_err(format!(
                "code: {letters} is a family of LUNA's own rules; take other letters, such as ORG001"
            )));
        }
        Ok(code.clone())
    }
}

/// A Python function, asked about one file after another.
struct Asked {
    code: String,
    function: Py<PyAny>,
}

impl Asked {
    /// What it finds, or that it failed; the others go on either way.
    fn ask(&self, facts: &Facts, image: Option<&Image>, out: &mut Sink<'_>) {
        Python::attach(|py| match self.found(py, facts, image) {
            Ok(drafts) => drafts.into_iter().for_each(|draft| out.fire("", draft)),
            Err(error) => out.fire("exception", self.failed(py, &error)),
        });
    }

    fn found(&self, py: Python<'_>, facts: &Facts, image: Option<&Image>) -> PyResult<Vec<Draft>> {
        let mut record = luna_core::Record::unknown(facts.size_bytes);
        record.facts = Box::new(facts.clone());
        let record = Bound::new(py, Record { record })?;
        let found = match image {
            Some(image) => {
                let pixels = numpy_of(py, image.clone())?;
                self.function.bind(py).call1((record, pixels))?
            }
            None => self.function.bind(py).call1((record,))?,
        };
        self.drafts(&found)
    }

    /// Nothing, a finding, its message, True for the summary, or several of these.
    fn drafts(&self, found: &Bound<'_, PyAny>) -> PyResult<Vec<Draft>> {
        if let Some(single) = self.single(found)? {
            return Ok(single);
        }
        let unfit = || -> PyResult<PyErr> {
            let kind = found.get_type().name()?;
            Ok(PyTypeError::new_err(format!(
                "a rule returns None, a Finding, a message, a bool, or several of these, not {kind}"
            )))
        };
        let Ok(several) = found.try_iter() else { return Err(unfit()?) };
        let mut drafts = Vec::new();
        for one in several {
            match self.single(&one?)? {
                Some(single) => drafts.extend(single),
                None => return Err(unfit()?),
            }
        }
        Ok(drafts)
    }

    /// At most one finding; `None` for what is no single answer.
    fn single(&self, found: &Bound<'_, PyAny>) -> PyResult<Option<Vec<Draft>>> {
        Ok(if found.is_none() {
            Some(Vec::new())
        } else if let Ok(finding) = found.cast::<Finding>() {
            Some(vec![finding.get().draft.clone()])
        } else if let Ok(message) = found.cast::<PyString>() {
            Some(vec![Draft::new(text::escaped(message.to_str()?))])
        } else if let Ok(fires) = found.cast::<PyBool>() {
            let draft = || Draft::new(format!("Rule {} fires.", self.code));
            Some(fires.is_true().then(draft).into_iter().collect())
        } else {
            None
        })
    }

    fn failed(&self, py: Python<'_>, error: &PyErr) -> Draft {
        let told = py
            .import("luna_py._rules")
            .and_then(|module| {
                module.call_method1("describe", (error.clone_ref(py).into_value(py),))
            })
            .and_then(|told| told.extract::<(String, String)>());
        // Describing may fail as well, as when an exception has no text.
        let (what, trace) = told.unwrap_or_else(|_| ("an exception".to_owned(), String::new()));
        let trace: String = trace.chars().take(LONGEST).collect();
        let what = text::escaped(&what);
        Draft::new(format!("Rule {} stopped with {what}; its answer is missing.", self.code))
            .help("Mend the rule; the file itself may be fine.")
            .found(text::escaped(&trace))
    }
}
