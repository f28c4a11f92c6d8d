//! What `validate` is given: places that the engine reads by itself, or objects of Python's.

use std::path::{Path, PathBuf};

use luna_core::{Limits, Source};
use luna_worker::place;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList, PyString, PyTuple};

use crate::error::{SourceError, from_place};
use crate::fsspec::FileSystem;
use crate::given::path_of;

/// A data set.
pub(crate) enum DataSet<'py> {
    /// Files that can be listed and read again.
    Source(Box<dyn Source>),
    /// Objects that come one after another.
    Objects(Objects<'py>),
}

/// Objects that come one after another.
pub(crate) struct Objects<'py> {
    pub(crate) sources: Bound<'py, PyIterator>,
    /// How many there are, if that is known.
    pub(crate) len: Option<usize>,
    /// True if the caller holds them anyway, so that they can be looked at again.
    pub(crate) stay: bool,
}

impl<'py> DataSet<'py> {
    pub(crate) fn of(
        source: &Bound<'py, PyAny>,
        storage_options: Option<&Bound<'py, PyDict>>,
        filesystem: Option<&Bound<'py, PyAny>>,
        limits: &Limits,
    ) -> PyResult<Self> {
        if let Some(system) = filesystem {
            let root: String = source.extract().map_err(|_| {
                PyTypeError::new_err(
                    "source: with filesystem, a text is due: a path in that file system",
                )
            })?;
            return Ok(Self::Source(Box::new(FileSystem::new(system, &root)?)));
        }
        if let Some(places) = places(source)? {
            return Self::of_places(source, &places, storage_options, limits);
        }
        if storage_options.is_some() {
            let said = "storage_options: only URIs take options, such as s3://bucket/prefix";
            return Err(PyValueError::new_err(said));
        }
        Self::of_objects(source)
    }

    fn of_places(
        source: &Bound<'py, PyAny>,
        places: &[PathBuf],
        storage_options: Option<&Bound<'py, PyDict>>,
        limits: &Limits,
    ) -> PyResult<Self> {
        if let Some(system) = other_system(source, places, storage_options)? {
            return Ok(Self::Source(Box::new(system)));
        }
        let places: Vec<PathBuf> = match storage_options {
            None => places.to_vec(),
            Some(options) => {
                places.iter().map(|place| with_options(place, options)).collect::<PyResult<_>>()?
            }
        };
        let source = source.py().detach(|| place::open(&places, limits));
        source.map(Self::Source).map_err(|error| from_place(&error))
    }

    fn of_objects(source: &Bound<'py, PyAny>) -> PyResult<Self> {
        let py = source.py();
        let is_one = source.hasattr("read")?
            || source.hasattr("__array_interface__")?
            || source.hasattr("save_as")?
            || source.extract::<pyo3::pybacked::PyBackedBytes>().is_ok();
        let (several, stay) = if is_one {
            (PyList::new(py, [source])?.into_any(), true)
        } else if is_a(source, "Mapping")? {
            // Not its items at once: a mapping may read each file only when it is asked for.
            (source.call_method0("items")?, source.is_instance_of::<PyDict>())
        } else {
            (source.clone(), is_a(source, "Sequence")?)
        };
        let sources = several.try_iter().map_err(|_| {
            let kind = source.get_type().name().map(|it| it.to_string()).unwrap_or_default();
            PyTypeError::new_err(format!(
                "source: paths, URIs, files, bytes, datasets, arrays, or an iterable of them is due, not {kind}"
            ))
        })?;
        let len = several.len().ok();
        if len == Some(0) {
            return Err(PyValueError::new_err("source: it is empty, so there is no data set"));
        }
        Ok(Self::Objects(Objects { sources, len, stay }))
    }
}

/// As `isinstance` has it. A cast would swallow a Ctrl-C that arrives meanwhile.
fn is_a(source: &Bound<'_, PyAny>, class: &str) -> PyResult<bool> {
    source.is_instance(&source.py().import("collections.abc")?.getattr(class)?)
}

/// One place or several; `None` if it is something else.
fn places(source: &Bound<'_, PyAny>) -> PyResult<Option<Vec<PathBuf>>> {
    if let Some(place) = path_of(source)? {
        return Ok(Some(vec![place]));
    }
    if !(source.is_instance_of::<PyList>() || source.is_instance_of::<PyTuple>()) {
        return Ok(None);
    }
    let mut places = Vec::new();
    for one in source.try_iter()? {
        match path_of(&one?)? {
            Some(place) => places.push(place),
            None => return Ok(None),
        }
    }
    if places.is_empty() {
        return Err(PyValueError::new_err("source: an empty list names no data set"));
    }
    Ok(Some(places))
}

/// A single URL that only fsspec knows.
fn other_system(
    source: &Bound<'_, PyAny>,
    places: &[PathBuf],
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<Option<FileSystem>> {
    let [place] = places else { return Ok(None) };
    let Some(text) = place.to_str().filter(|text| text.contains("://") || text.contains("::"))
    else {
        return Ok(None);
    };
    let py = source.py();
    // The memory that Python's file systems share is theirs alone.
    let is_ours = place::is_stored(text) && !text.starts_with("memory:");
    if is_ours || place.exists() || py.import("fsspec").is_err() {
        return Ok(None);
    }
    let options = options.cloned().unwrap_or_else(|| PyDict::new(py));
    let url = PyString::new(py, text).into_any();
    FileSystem::at(&url, &options).map(Some).map_err(|error| {
        // Options may be secrets, and so may what stands in the URL.
        let scheme = text.split(':').next().unwrap_or_default();
        let raised = SourceError::new_err(format!(
            "source: fsspec cannot open this {}:// URL: {}",
            luna_core::text::escaped(scheme),
            error.value(py)
        ));
        raised.set_cause(py, Some(error));
        raised
    })
}

/// A URI with options of its own kind.
fn with_options(place: &Path, options: &Bound<'_, PyDict>) -> PyResult<PathBuf> {
    let Some(uri) = place.to_str().filter(|text| place::is_stored(text)) else {
        return Err(PyValueError::new_err(
            "storage_options: a path of this machine takes none; they go with s3://, gs://, az:// and the like",
        ));
    };
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in options.iter() {
        let value = match value.extract::<bool>() {
            Ok(flag) => flag.to_string(),
            Err(_) => value.str()?.to_str()?.to_owned(),
        };
        pairs.push((name.extract()?, value));
    }
    let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Ok(place::with_options(uri, pairs).into())
}
