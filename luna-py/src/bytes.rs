//! One file, wherever its bytes are.

use std::io;
use std::path::PathBuf;

use luna_core::{Limits, text};
use luna_worker::place;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::error::SourceError;

/// The bytes of a file, and what to call it.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) bytes: Bytes,
}

/// Python's own, or read here.
pub(crate) enum Bytes {
    Given(PyBackedBytes),
    Read(Vec<u8>),
}

impl std::ops::Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Self::Given(bytes) => bytes,
            Self::Read(bytes) => bytes,
        }
    }
}

impl File {
    /// Of a path, of bytes, or of an object that is read to its end.
    pub(crate) fn of(source: &Bound<'_, PyAny>, limits: &Limits) -> PyResult<Self> {
        if let Ok(bytes) = source.extract::<PyBackedBytes>() {
            return Ok(Self { name: "these bytes".to_owned(), bytes: Bytes::Given(bytes) });
        }
        if let Ok(path) = source.extract::<PathBuf>() {
            return source.py().detach(|| Self::at(path, limits));
        }
        let Some(read) = source.getattr_opt("read")? else {
            let kind = source.get_type().name()?;
            let said =
                format!("source: a path, bytes, or an object with read() is due, not {kind}");
            return Err(PyTypeError::new_err(said));
        };
        let bytes = read.call0()?.extract::<PyBackedBytes>().map_err(|_| {
            PyTypeError::new_err("source: read() gave no bytes; open the file with mode \"rb\"")
        })?;
        Ok(Self { name: "this file".to_owned(), bytes: Bytes::Given(bytes) })
    }

    fn at(path: PathBuf, limits: &Limits) -> PyResult<Self> {
        let name = text::escaped(&path.to_string_lossy());
        let most = limits.file_bytes.saturating_add(1);
        let bytes = place::read_beside(&path, most).map_err(|error| match error.kind() {
            io::ErrorKind::IsADirectory => SourceError::new_err(format!(
                "source {name}: is a folder, where a file is due; luna_py.validate takes folders"
            )),
            _ => SourceError::new_err(format!("source {name}: cannot be read: {error}")),
        })?;
        Ok(Self { name, bytes: Bytes::Read(bytes) })
    }
}
