//! `luna_py.read_image`: pixels as numpy arrays, at their true depth and without a copy.

use luna_core::decode::{Image, Samples, decode};
use luna_core::dicom::{DicomFile, ModalityTransform};
use luna_core::probe::{Flaws, probe};
use luna_core::{Finding, Limits, Settings, Severity, examine};
use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::error::ImageError;
use crate::given::{File, Given};

/// Decode a picture.
///
/// Parameters
/// ----------
/// source : str, os.PathLike, bytes, or an object with ``read()``
///     A DICOM, PNG, JPEG, JPEG 2000, TIFF or BMP file.
/// modality : bool, default False
///     Apply RescaleSlope and RescaleIntercept of a DICOM header, as ``float64``.
///
/// Returns
/// -------
/// numpy.ndarray
///     Samples as stored, at their true depth: ``uint8``, ``uint16``, ``int16``, ``uint32``, ``int32``,
///     ``float32`` or ``float64``, with the shape (rows, columns), (rows, columns, channels), or one more
///     dimension in front for the frames of a file that has several. It is read-only, for it is the decoder's
///     own memory; ``.copy()`` may be written to. MONOCHROME1 is not inverted, no window is applied.
///
/// Raises
/// ------
/// ImageError
///     If there is no picture, or it is not whole; the message says what is wrong and what to do.
/// SourceError
///     If the file cannot be read.
///
/// Examples
/// --------
/// >>> import luna_py as luna
/// >>> luna.read_image("scans/good.png").shape
/// (512, 512)
#[pyfunction]
#[pyo3(signature = (source, *, modality=false))]
pub(crate) fn read_image<'py>(
    source: &Bound<'py, PyAny>,
    modality: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let py = source.py();
    let limits = Limits::default();
    let given = Given::of(source, None)?;
    let image = py.detach(|| whole(&given.into_file(&limits)?, &limits, modality))?;
    numpy_of(py, image)
}

/// A picture as an array that looks at its samples where they are.
pub(crate) fn numpy_of(py: Python<'_>, image: Image) -> PyResult<Bound<'_, PyAny>> {
    let numpy = py.import("numpy").map_err(|error| {
        let raised = PyImportError::new_err("pixels need numpy: pip install numpy");
        raised.set_cause(py, Some(error));
        raised
    })?;
    numpy.call_method1("asarray", (Pixels::of(image),))
}

/// A whole picture, with its modality transform if that is asked for.
fn whole(file: &File, limits: &Limits, modality: bool) -> PyResult<Image> {
    let found = probe(&file.bytes, limits);
    let image = decode(&file.bytes, &found, limits, &mut Flaws::new());
    let Some(image) = image.filter(Image::is_complete) else { return Err(no_picture(file)) };
    match found.dicom().filter(|_| modality).map(DicomFile::modality_transform) {
        None => Ok(image),
        Some(ModalityTransform::Line { slope, intercept }) => Ok(rescaled(image, slope, intercept)),
        Some(ModalityTransform::Table) => Err(ImageError::new_err(format!(
            "source {}: its ModalityLUTSequence is not in this version; modality=False gives the stored values",
            file.name
        ))),
    }
}

/// Only now it is asked at length what is wrong.
fn no_picture(file: &File) -> PyErr {
    let record = examine(&file.bytes, &Settings::default());
    let errors = record.findings.iter().filter(|it| it.severity == Severity::Error);
    let said = |it: &Finding| format!("{} ({}) {}", it.message, it.rule, it.help);
    let said: Vec<String> = errors.take(3).map(said).collect();
    let said = match said.as_slice() {
        _ if file.bytes.is_empty() => "it holds no bytes".to_owned(),
        [] => "there is no picture in it".to_owned(),
        said => said.join(" "),
    };
    ImageError::new_err(format!("source {}: {said}", file.name))
}

fn rescaled(image: Image, slope: f64, intercept: f64) -> Image {
    let of = |value: f64| value.mul_add(slope, intercept);
    let values = match &image.samples {
        Samples::U8(values) => values.iter().map(|it| of(f64::from(*it))).collect(),
        Samples::U16(values) => values.iter().map(|it| of(f64::from(*it))).collect(),
        Samples::I16(values) => values.iter().map(|it| of(f64::from(*it))).collect(),
        Samples::U32(values) => values.iter().map(|it| of(f64::from(*it))).collect(),
        Samples::I32(values) => values.iter().map(|it| of(f64::from(*it))).collect(),
        Samples::F32(values) => values.iter().map(|it| of(f64::from(*it))).collect(),
        Samples::F64(values) => values.iter().map(|it| of(*it)).collect(),
    };
    Image { samples: Samples::F64(values), ..image }
}

/// Samples that numpy looks at where they are.
#[pyclass(frozen, module = "luna_py")]
struct Pixels {
    samples: Samples,
    shape: Vec<usize>,
}

impl Pixels {
    fn of(image: Image) -> Self {
        let of = &image.geometry;
        let mut shape = vec![of.height as usize, of.width as usize];
        if of.frames > 1 {
            shape.insert(0, of.frames as usize);
        }
        if of.channels > 1 {
            shape.push(of.channels.into());
        }
        Self { samples: image.samples, shape }
    }
}

#[pymethods]
impl Pixels {
    /// Where the samples are, for numpy, which keeps this object as long as it looks at them.
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (kind, address) = match &self.samples {
            Samples::U8(values) => ("|u1", values.as_ptr().addr()),
            Samples::U16(values) => ("=u2", values.as_ptr().addr()),
            Samples::I16(values) => ("=i2", values.as_ptr().addr()),
            Samples::U32(values) => ("=u4", values.as_ptr().addr()),
            Samples::I32(values) => ("=i4", values.as_ptr().addr()),
            Samples::F32(values) => ("=f4", values.as_ptr().addr()),
            Samples::F64(values) => ("=f8", values.as_ptr().addr()),
        };
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("typestr", kind)?;
        interface.set_item("shape", PyTuple::new(py, &self.shape)?)?;
        // True: nobody writes into what Rust believes to be constant.
        interface.set_item("data", (address, true))?;
        Ok(interface)
    }
}
