//! What a validator is made of. Threads are started for a run and end with it: nothing waits between runs,
//! and a forked process starts its own.

use std::num::NonZero;
use std::sync::{Arc, OnceLock};
use std::thread;

use luna_core::limits::size;
use luna_core::table::Table;
use luna_core::{IdentityKey, Profile, Validator, rules, text};
use luna_worker::place;
use pyo3::exceptions::{PyNotImplementedError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::error::{SourceError, from_engine};
use crate::given::path_of;

/// Bytes that files may take while they are looked at, unless the caller says otherwise.
const MEMORY: u64 = 2 << 30;

/// Bytes, or a number with a unit.
#[derive(FromPyObject)]
pub(crate) enum Size {
    Bytes(u64),
    Text(String),
}

impl Size {
    fn bytes(&self) -> PyResult<u64> {
        let bytes = match self {
            Self::Bytes(bytes) => Some(*bytes),
            Self::Text(text) => size::parse(text),
        };
        bytes.filter(|bytes| *bytes > 0).ok_or_else(|| {
            PyValueError::new_err("memory: a number of bytes, or one with a unit, such as \"4GiB\"")
        })
    }
}

/// The settings of runs.
pub(crate) struct Recipe {
    pub(crate) profile: Profile,
    pub(crate) rules: Vec<rules::Rule>,
    pub(crate) threads: Option<usize>,
    pub(crate) memory: Option<u64>,
    pub(crate) key: IdentityKey,
}

impl Recipe {
    pub(crate) fn new(
        profile: Profile,
        rules: Vec<rules::Rule>,
        threads: Option<usize>,
        memory: Option<&Size>,
        key: Option<&str>,
    ) -> PyResult<Self> {
        if threads == Some(0) {
            return Err(PyValueError::new_err("threads: at least 1, or None for one a core"));
        }
        let key = match key {
            None => IdentityKey::random(),
            Some(digits) => IdentityKey::from_hex(digits).ok_or_else(|| {
                PyValueError::new_err("identity_key: 64 hexadecimal digits are due")
            })?,
        };
        let memory = memory.map(Size::bytes).transpose()?;
        Ok(Self { profile, rules, threads, memory, key })
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZero::get))
    }

    pub(crate) fn memory(&self) -> u64 {
        self.memory.unwrap_or(MEMORY)
    }

    /// A validator that starts no threads.
    pub(crate) fn alone(&self) -> PyResult<Validator> {
        self.builder().build().map_err(|error| from_engine(&error))
    }

    /// A validator with threads, which end when it is dropped.
    pub(crate) fn with_threads(&self) -> PyResult<Validator> {
        self.builder().threads(self.threads()).build().map_err(|error| from_engine(&error))
    }

    fn builder(&self) -> luna_core::ValidatorBuilder {
        let builder = Validator::builder()
            .profile(self.profile.clone())
            .identity_key(self.key.clone())
            .memory(self.memory());
        self.rules.iter().cloned().fold(builder, luna_core::ValidatorBuilder::rule)
    }
}

/// The validator of the built-in profile `default`, for single files: made once.
pub(crate) fn plain() -> PyResult<Arc<Validator>> {
    static PLAIN: OnceLock<Arc<Validator>> = OnceLock::new();
    if let Some(plain) = PLAIN.get() {
        return Ok(Arc::clone(plain));
    }
    let made = Recipe::new(Profile::default(), Vec::new(), None, None, None)?.alone()?;
    Ok(Arc::clone(PLAIN.get_or_init(|| Arc::new(made))))
}

/// Refuses an argument whose time has not come.
pub(crate) fn not_yet(name: &str, given: Option<&Bound<'_, PyAny>>, instead: &str) -> PyResult<()> {
    match given {
        None => Ok(()),
        Some(_) => Err(PyNotImplementedError::new_err(format!(
            "{name}: not in this version of luna-py; {instead}"
        ))),
    }
}

/// A manifest from outside the set: a path, a dict, a data frame or an Arrow table.
pub(crate) fn manifest(given: &Bound<'_, PyAny>, validator: &Validator) -> PyResult<Table> {
    let settings = validator.settings();
    let (name, bytes) = if let Some(path) = path_of(given)? {
        let most = settings.limits().table_bytes.saturating_add(1);
        let shown = text::escaped(&place::shown(&path));
        let bytes = place::read_beside(&path, most).map_err(|error| {
            SourceError::new_err(format!("manifest {shown}: cannot be read: {error}"))
        })?;
        (place::file_name(&path), bytes)
    } else {
        let tables = given.py().import("luna_py._tables")?;
        let written: Option<(String, PyBackedBytes)> =
            tables.call_method1("as_file", (given,))?.extract()?;
        let Some((name, bytes)) = written else {
            let kind = given.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "manifest: a path, a dict, a data frame or an Arrow table is due, not {kind}"
            )));
        };
        (format!("manifest.{}", name.rsplit('.').next().unwrap_or("csv")), bytes.to_vec())
    };
    Table::manifest(&name, &bytes, settings).ok_or_else(|| {
        let shown = text::escaped(&name);
        SourceError::new_err(format!(
            "manifest {shown}: this is no manifest: neither JSON nor a table nor a list of checksums"
        ))
    })
}
