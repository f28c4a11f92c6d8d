//! Any file system of fsspec as a source: Python lists and reads, the engine does the rest.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::sync::OnceLock;

use luna_core::source::{Item, ItemPath, ReadError, Reading, Visit, read_ahead};
use luna_core::{Source, SourceError, text};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;

/// Files that are read at the same time.
const READERS: usize = 16;

/// A folder of a file system, or a single file of it.
pub(crate) struct FileSystem {
    system: Py<PyAny>,
    root: String,
    /// Sizes by path, as they were listed first.
    listed: OnceLock<BTreeMap<ItemPath, (String, u64)>>,
}

impl FileSystem {
    /// A file system that is there, with a folder of it.
    pub(crate) fn new(system: &Bound<'_, PyAny>, root: &str) -> PyResult<Self> {
        // Its own form of the path is what it lists.
        let root: String = system.call_method1("_strip_protocol", (root,))?.extract()?;
        let root = root.trim_end_matches('/').to_owned();
        Ok(Self { system: system.clone().unbind(), root, listed: OnceLock::new() })
    }

    /// What a URL leads to, with the options of its file system.
    pub(crate) fn at(url: &Bound<'_, PyAny>, options: &Bound<'_, PyDict>) -> PyResult<Self> {
        let core = url.py().import("fsspec.core")?;
        let found = core.call_method("url_to_fs", (url,), Some(options))?;
        let (system, root): (Bound<'_, PyAny>, String) = found.extract()?;
        Self::new(&system, &root)
    }

    /// Paths below the root, each with the path that the file system knows it by, and its size.
    fn find(&self) -> PyResult<BTreeMap<ItemPath, (String, u64)>> {
        Python::attach(|py| {
            let options = PyDict::new(py);
            options.set_item("detail", true)?;
            let found = self.system.bind(py).call_method("find", (&self.root,), Some(&options))?;
            let mut listed = BTreeMap::new();
            for (path, info) in found.cast_into::<PyDict>()?.iter() {
                let path: String = path.extract()?;
                let size = info.get_item("size")?.extract::<Option<u64>>()?.unwrap_or_default();
                let below = path.strip_prefix(&self.root).unwrap_or(&path).trim_start_matches('/');
                let name = if below.is_empty() { path.rsplit('/').next() } else { Some(below) };
                let name = ItemPath::from(name.unwrap_or(&path));
                listed.insert(name, (path, size));
            }
            Ok(listed)
        })
    }

    fn lost(&self, source: io::Error) -> SourceError {
        SourceError::Unreadable { place: text::escaped(&self.root), source }
    }
}

impl Source for FileSystem {
    fn list(&self, visit: &mut dyn FnMut(Item) -> ControlFlow<()>) -> Result<(), SourceError> {
        if self.listed.get().is_none() {
            let found = self.find().map_err(|error| self.lost(io::Error::other(error)))?;
            if found.is_empty() {
                return Err(SourceError::NotFound { place: text::escaped(&self.root) });
            }
            // Another thread that was first has listed the same.
            let _ = self.listed.set(found);
        }
        for (path, (_, size)) in self.listed.get().into_iter().flatten() {
            if visit(Item::file(path.as_str(), *size)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn read(&self, path: &ItemPath, max_bytes: u64) -> Result<Cow<'_, [u8]>, ReadError> {
        let listed = self.listed.get().and_then(|listed| listed.get(path));
        let (place, size) = listed.ok_or(ReadError::NotAFile)?;
        let too_large = |found| ReadError::TooLarge { max_bytes, found };
        if *size > max_bytes {
            return Err(too_large(*size));
        }
        let bytes = Python::attach(|py| -> PyResult<PyBackedBytes> {
            Ok(self.system.bind(py).call_method1("cat_file", (place,))?.extract()?)
        })
        .map_err(|error| ReadError::Io(io::Error::other(error)))?;
        if bytes.len() as u64 > max_bytes {
            return Err(too_large(bytes.len() as u64));
        }
        Ok(Cow::Owned(bytes.to_vec()))
    }

    fn each(&self, items: &[Item], reading: &Reading<'_>, visit: &Visit<'_>) {
        read_ahead(self, items, reading, visit, READERS);
    }
}
