//! One file or picture, in whatever shape Python has it.

use std::io;
use std::path::PathBuf;

use luna_core::decode::{Image, Samples};
use luna_core::source::Memory;
use luna_core::{Limits, Look, Record, SecondLook, SourceLook, Validator, examine_image, text};
use luna_worker::place;
use pyo3::exceptions::{PyOSError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyDict, PyString};

use crate::error::SourceError;

/// What a source turned out to be.
pub(crate) enum Given {
    /// A file at a place that is still to be read.
    Place(PathBuf),
    /// The bytes of a file.
    Bytes(PyBackedBytes),
    /// Pixels that no file holds.
    Pixels(Box<Image>),
}

/// A file whose bytes are read, and what to call it.
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

impl Given {
    /// Of a path or URI, bytes, an open file, a `pydicom.Dataset`, or an array. `bits_stored` is for arrays.
    pub(crate) fn of(source: &Bound<'_, PyAny>, bits_stored: Option<u8>) -> PyResult<Self> {
        if source.hasattr("__array_interface__")? {
            return array(source, bits_stored).map(Box::new).map(Self::Pixels);
        }
        if bits_stored.is_some() {
            let said = "bits_stored: only an array needs it; a file says itself how deep it is";
            return Err(PyValueError::new_err(said));
        }
        if let Ok(bytes) = source.extract::<PyBackedBytes>() {
            return Ok(Self::Bytes(bytes));
        }
        if let Some(path) = path_of(source)? {
            return Ok(Self::Place(path));
        }
        if source.hasattr("file_meta")? && source.hasattr("save_as")? {
            return dataset(source).map(Self::Bytes);
        }
        let Some(read) = source.getattr_opt("read")? else {
            let kind = source.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "source: a path, bytes, a file opened in mode \"rb\", a pydicom.Dataset or an array is due, not {kind}"
            )));
        };
        let bytes = read.call0().map_err(|error| unread(source.py(), &error))?;
        bytes.extract().map(Self::Bytes).map_err(|_| {
            PyTypeError::new_err("source: read() gave no bytes; open the file with mode \"rb\"")
        })
    }

    /// Bytes that are held until it is examined.
    pub(crate) fn held_bytes(&self) -> u64 {
        match self {
            Self::Place(_) => 0,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Pixels(image) => image.geometry.decoded_bytes(),
        }
    }

    /// All that can be known of it alone.
    pub(crate) fn examine(self, validator: &Validator, md5: bool) -> PyResult<Record> {
        let settings = validator.settings();
        if let Self::Pixels(image) = self {
            return Ok(examine_image(&image, settings));
        }
        Ok(validator.examine(&self.into_file(settings.limits())?.bytes, md5))
    }

    /// Shows its picture, if it has one.
    pub(crate) fn look(self, limits: &Limits, see: &mut dyn FnMut(&Look)) {
        if let Self::Pixels(image) = self {
            return see(&Look { image: *image, may_be_shown: true });
        }
        // What cannot be read by now has no picture; its report stands.
        let Ok(file) = self.into_file(limits) else { return };
        let source = Memory::single("file", file.bytes.to_vec());
        SourceLook::new(&source, limits).look("file", see);
    }

    /// Its bytes.
    pub(crate) fn into_file(self, limits: &Limits) -> PyResult<File> {
        match self {
            Self::Bytes(bytes) => {
                Ok(File { name: "these bytes".to_owned(), bytes: Bytes::Given(bytes) })
            }
            Self::Pixels(_) => Err(PyTypeError::new_err("source: an array is no file")),
            Self::Place(path) => {
                let name = text::escaped(&path.to_string_lossy());
                let most = limits.file_bytes.saturating_add(1);
                let read = place::read_beside(&path, most);
                let bytes = read.map_err(|error| unreadable(&path, &error))?;
                Ok(File { name, bytes: Bytes::Read(bytes) })
            }
        }
    }
}

/// The path that an object is; `None` if it is none. What its own code raises, such as Ctrl-C, goes on.
pub(crate) fn path_of(object: &Bound<'_, PyAny>) -> PyResult<Option<PathBuf>> {
    match object.extract() {
        Ok(path) => Ok(Some(path)),
        Err(error) if error.is_instance_of::<PyTypeError>(object.py()) => Ok(None),
        Err(error) => Err(error),
    }
}

fn unreadable(path: &std::path::Path, error: &io::Error) -> PyErr {
    // The options of a URI may be secrets.
    let name = text::escaped(&place::shown(path));
    match error.kind() {
        io::ErrorKind::IsADirectory => SourceError::new_err(format!(
            "source {name}: is a folder, where a file is due; luna_py.validate takes folders"
        )),
        _ => SourceError::new_err(format!("source {name}: cannot be read: {error}")),
    }
}

/// What a file object raised: most often it is closed.
fn unread(py: Python<'_>, error: &PyErr) -> PyErr {
    let closed = error.is_instance_of::<PyValueError>(py) || error.is_instance_of::<PyOSError>(py);
    if !closed {
        return error.clone_ref(py);
    }
    let raised = SourceError::new_err(format!(
        "source: the file cannot be read: {}; pass it open, in mode \"rb\"",
        error.value(py)
    ));
    raised.set_cause(py, Some(error.clone_ref(py)));
    raised
}

/// A dataset as the file that pydicom writes of it.
fn dataset(source: &Bound<'_, PyAny>) -> PyResult<PyBackedBytes> {
    let py = source.py();
    let buffer = py.import("io")?.getattr("BytesIO")?.call0()?;
    source.call_method1("save_as", (&buffer,)).map_err(|error| {
        let raised = SourceError::new_err(
            "source: pydicom cannot write this dataset; it needs file_meta with a TransferSyntaxUID",
        );
        raised.set_cause(py, Some(error));
        raised
    })?;
    Ok(buffer.call_method0("getvalue")?.extract()?)
}

/// An array as a picture: (H, W), (H, W, channels) or (frames, H, W[, channels]).
fn array(source: &Bound<'_, PyAny>, bits_stored: Option<u8>) -> PyResult<Image> {
    let py = source.py();
    let array = py.import("numpy")?.call_method1("asarray", (source,))?;
    let shape: Vec<usize> = array.getattr("shape")?.extract()?;
    let kind: String = array.getattr("dtype")?.getattr("str")?.extract()?;
    let unfit = |why: &str| {
        PyValueError::new_err(format!("source: an array of shape {shape:?} and type {kind}: {why}"))
    };
    let (frames, height, width, channels) = match *shape.as_slice() {
        [height, width] => (1, height, width, 1),
        [height, width, channels @ 1..=4] => (1, height, width, channels),
        [frames, height, width] => (frames, height, width, 1),
        [frames, height, width, channels @ 1..=4] => (frames, height, width, channels),
        _ => {
            return Err(unfit(
                "(H, W), (H, W, channels), (frames, H, W) or (frames, H, W, channels) is due, with 1 to 4 channels",
            ));
        }
    };
    let samples = samples(&array, &kind)?.ok_or_else(|| {
        unfit("8, 16 or 32 bit integers, or floating point, are due; use array.astype(...)")
    })?;
    if samples.is_empty() {
        return Err(unfit("it holds no pixels"));
    }
    let number = |value: usize| u32::try_from(value).map_err(|_| unfit("it is too large"));
    let size = (number(width)?, number(height)?);
    let channels = u8::try_from(channels).map_err(|_| unfit("it has too many channels"))?;
    let bits = samples.bits();
    Image::of_samples(samples, size, number(frames)?, channels, bits_stored)
        .ok_or_else(|| unfit(&format!("bits_stored is 1 to {bits}, and for integers only")))
}

/// The samples of an array, copied row by row; `None` for a type that pictures do not have.
fn samples(array: &Bound<'_, PyAny>, kind: &str) -> PyResult<Option<Samples>> {
    let plain = match kind.trim_start_matches(['<', '>', '|', '=']) {
        "f2" => "<f4".to_owned(),
        kind => format!("<{kind}"),
    };
    let options = PyDict::new(array.py());
    options.set_item("copy", false)?;
    let bytes = || -> PyResult<PyBackedBytes> {
        let plain =
            array.call_method("astype", (PyString::new(array.py(), &plain),), Some(&options))?;
        Ok(plain.call_method0("tobytes")?.extract()?)
    };
    macro_rules! of {
        ($kind:ident, $type:ty) => {{
            let bytes = bytes()?;
            let (values, _) = bytes.as_chunks::<{ size_of::<$type>() }>();
            Samples::$kind(values.iter().map(|it| <$type>::from_le_bytes(*it)).collect())
        }};
    }
    Ok(Some(match plain.as_str() {
        "<u1" => Samples::U8(bytes()?.to_vec()),
        "<u2" => of!(U16, u16),
        "<i2" => of!(I16, i16),
        "<u4" => of!(U32, u32),
        "<i4" => of!(I32, i32),
        "<f4" => of!(F32, f32),
        "<f8" => of!(F64, f64),
        _ => return Ok(None),
    }))
}
