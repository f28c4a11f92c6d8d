//! What is looked for, in words.

use luna_worker::command;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// All rules: what each finds, why it matters, what to do, its cases and options.
///
/// Returns
/// -------
/// list of dict
///     With the keys ``code``, ``name``, ``status``, ``since``, ``cases``, ``options``, ``summary``, ``why``,
///     ``measured``, ``how_to_fix`` and ``references``, as ``luna rules --format json`` prints them.
///
/// Examples
/// --------
/// >>> import luna_py as luna
/// >>> {rule.get("code"): rule for rule in luna.rules()}.get("LF004").get("name")
/// 'truncated-file'
#[pyfunction]
pub(crate) fn rules(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    py.import("json")?.call_method1("loads", (command::rules().to_string(),))
}

/// Explain a rule: what it finds, why that matters, how it is measured, what to do.
///
/// Parameters
/// ----------
/// rule : str
///     Its code or its name.
///
/// Returns
/// -------
/// str
///     Lines of at most 80 letters.
///
/// Raises
/// ------
/// ValueError
///     If there is no such rule; the message names the nearest one.
///
/// Examples
/// --------
/// >>> import luna_py as luna
/// >>> print(luna.explain("LF004").splitlines()[0])
/// LF004 truncated-file
#[pyfunction]
pub(crate) fn explain(rule: &str) -> PyResult<String> {
    command::explain(rule).map_err(|error| PyValueError::new_err(format!("rule: {error}")))
}
