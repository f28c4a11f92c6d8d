//! `luna_py.Profile`: an organiser's will, changed without a file.

use std::collections::HashMap;
use std::path::PathBuf;

use luna_core::profile::{OptionValue, RuleSettings};
use luna_core::rules::Registry;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use crate::error::from_engine;
use crate::report::parse_severity;

/// Which rules run, how grave they are, what is accepted, and the budgets.
///
/// Parameters
/// ----------
/// profile : str, os.PathLike, dict or Profile, default "default"
///     Name of a built-in profile (``"default"``, ``"chest-xray"``, ``"dicom"``, ``"strict"``), a TOML file, or
///     a dict with the keys of one.
///
/// Raises
/// ------
/// ProfileError
///     If it does not exist or cannot be used; the message names line and key.
///
/// Examples
/// --------
/// >>> import luna_py as luna
/// >>> strict = luna.Profile({"extends": "chest-xray", "rules": {"preview": True}})
/// >>> luna.Profile("chest-xray").with_rule("LP012", severity="warning", min_side=1024).name
/// 'chest-xray'
#[pyclass(frozen, eq, module = "luna_py")]
#[derive(Clone, PartialEq)]
pub(crate) struct Profile {
    pub(crate) inner: luna_core::Profile,
}

/// What stands for a profile in an argument.
pub(crate) enum ProfileArgument {
    Ready(Box<luna_core::Profile>),
    Named(PathBuf),
}

impl<'py> FromPyObject<'_, 'py> for ProfileArgument {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(profile) = given.cast::<Profile>() {
            return Ok(Self::Ready(Box::new(profile.get().inner.clone())));
        }
        if let Ok(dict) = given.cast::<PyDict>() {
            let json = given.py().import("json")?.call_method1("dumps", (dict,));
            let json = json.map_err(|error| {
                let said =
                    format!("profile: a dict with the keys of a profile file is due: {error}");
                PyTypeError::new_err(said)
            })?;
            let profile = luna_core::Profile::of_json(&json.extract::<String>()?, "dict");
            return profile
                .map(Box::new)
                .map(Self::Ready)
                .map_err(|error| from_engine(&error.into()));
        }
        given.extract().map(Self::Named).map_err(|_| {
            let kind = given.get_type().name().map(|it| it.to_string()).unwrap_or_default();
            PyTypeError::new_err(format!(
                "profile: the name of a built-in profile, a TOML file, a dict or a luna_py.Profile is due, not {kind}"
            ))
        })
    }
}

impl ProfileArgument {
    pub(crate) fn load(self) -> PyResult<luna_core::Profile> {
        match self {
            Self::Ready(profile) => Ok(*profile),
            Self::Named(name) => luna_core::Profile::load(&name.to_string_lossy())
                .map_err(|error| from_engine(&error.into())),
        }
    }
}

impl Profile {
    /// A profile whose rules are known here; those of one's own are known only where they are passed in.
    fn checked(inner: luna_core::Profile) -> PyResult<Self> {
        let registry = Registry::default();
        let is_own = |selector: &String| {
            let letters = selector.trim_end_matches(|c: char| c.is_ascii_digit());
            selector.len() == letters.len() + 3 && !registry.knows(letters)
        };
        let mut known = inner.clone();
        known.rules.each.retain(|code, _| !is_own(code));
        known.rules.select.retain(|selector| !is_own(selector));
        known.rules.ignore.retain(|selector| !is_own(selector));
        for exception in &mut known.exceptions {
            exception.rules.retain(|selector| !is_own(selector));
        }
        known.check(&registry).map_err(|error| from_engine(&error.into()))?;
        Ok(Self { inner })
    }
}

#[pymethods]
impl Profile {
    #[new]
    #[pyo3(signature = (profile=None))]
    fn new(profile: Option<ProfileArgument>) -> PyResult<Self> {
        Self::checked(
            profile.map_or_else(|| Ok(luna_core::Profile::default()), ProfileArgument::load)?,
        )
    }

    /// A built-in profile, or one out of a TOML file; the same as ``Profile(name)``.
    ///
    /// Parameters
    /// ----------
    /// name : str or os.PathLike
    ///     Name or file.
    ///
    /// Returns
    /// -------
    /// Profile
    #[classmethod]
    fn load(_class: &Bound<'_, PyType>, name: PathBuf) -> PyResult<Self> {
        Self::checked(ProfileArgument::Named(name).load()?)
    }

    /// The same profile with other settings of one rule.
    ///
    /// Parameters
    /// ----------
    /// rule : str
    ///     Its code.
    /// severity : {"error", "warning", "info"}, optional
    ///     Severity of all its findings.
    /// **options : float or list of str
    ///     Options of the rule, as :func:`explain` lists them.
    ///
    /// Returns
    /// -------
    /// Profile
    ///
    /// Raises
    /// ------
    /// ProfileError
    ///     If there is no such rule or option, or the value is out of its range.
    #[pyo3(signature = (rule, *, severity=None, **options))]
    fn with_rule(
        &self,
        rule: &str,
        severity: Option<&str>,
        options: Option<HashMap<String, Bound<'_, PyAny>>>,
    ) -> PyResult<Self> {
        let mut inner = self.inner.clone();
        let settings: &mut RuleSettings = inner.rules.each.entry(rule.to_owned()).or_default();
        if let Some(severity) = severity {
            settings.severity = Some(parse_severity(severity)?);
        }
        for (key, value) in options.into_iter().flatten() {
            let value = if let Ok(number) = value.extract::<f64>() {
                OptionValue::Number(number)
            } else {
                OptionValue::Texts(value.extract().map_err(|_| {
                    PyTypeError::new_err(format!("{key}: a number or a list of texts is due"))
                })?)
            };
            settings.options.insert(key, value);
        }
        Self::checked(inner)
    }

    /// str: Its name, which stands in reports.
    #[getter]
    fn name(&self) -> &str {
        &self.inner.name
    }

    /// str: SHA-256 of what it says, hexadecimal; the same for the same will, however it is written.
    #[getter]
    fn hash(&self) -> String {
        self.inner.hash()
    }

    /// The profile as TOML, every key with its value.
    ///
    /// Returns
    /// -------
    /// str
    fn to_toml(&self) -> String {
        self.inner.to_toml()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((slf.get_type().getattr("_of_toml")?, (slf.get().to_toml(),)))
    }

    #[classmethod]
    fn _of_toml(_class: &Bound<'_, PyType>, toml: &str) -> PyResult<Self> {
        let inner = luna_core::Profile::parse(toml, "profile");
        Ok(Self { inner: inner.map_err(|error| from_engine(&error.into()))? })
    }

    fn __repr__(&self) -> String {
        let hash = self.hash();
        format!("<luna_py.Profile: {}, {}>", self.inner.name, hash.get(..12).unwrap_or(&hash))
    }
}
