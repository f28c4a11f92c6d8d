//! The functions of `luna_py`: a validation in one call, and its halves.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::profile::ProfileArgument;
use crate::recipe::{Size, plain};
use crate::record::Record;
use crate::report::Report;
use crate::validator::{Validator, examined};

/// Validate a data set.
///
/// Parameters
/// ----------
/// source : str, os.PathLike, or a list of them; file, bytes, array, dict, or an iterable of such
///     Folders, archives and files; URIs such as ``"s3://bucket/prefix"`` (also ``gs://``, ``az://``,
///     ``https://``), and any other URL that fsspec knows. Paths in the report are relative to a single folder; of
///     several places each path begins with the last part of its place. Or what :func:`examine` takes: an
///     iterable of such, of pairs of a name and such, or a dict from names to such; then they are taken one after
///     another, few are held at a time, and a manifest among them is not read.
/// profile : str, os.PathLike, dict or Profile, optional
///     Name of a built-in profile (``"default"``, ``"chest-xray"``, ``"dicom"``, ``"strict"``), a TOML file, or
///     a dict with the keys of one.
/// manifest : str, os.PathLike, dict, data frame or Arrow table, optional
///     What the data set should hold: JSON, CSV, TSV, or a list as ``sha256sum`` and ``md5sum`` write it; a dict
///     of columns, or one with the keys of a JSON manifest. Else the one at the root of the data set, if there
///     is one.
/// labels, reference : optional
///     Not in this version.
/// rules : iterable of Rule, optional
///     Rules of one's own, made with :func:`rule`.
/// threads : int, optional
///     Number of threads; one a core unless given. The report does not depend on it.
/// memory : int or str, optional
///     Bytes that files may take while they are looked at, or a text such as ``"4GiB"``; 2 GiB unless given.
/// storage_options : dict, optional
///     Options of the URI's storage, such as ``{"region": "eu-west-1"}``, or of fsspec's.
/// filesystem : fsspec.AbstractFileSystem, optional
///     The file system that ``source`` is a path in.
/// bits_stored : int, optional
///     Bits of a sample that carry its value, where the sources are arrays of integers; all unless given.
/// progress : bool or callable, optional
///     False for no progress bar; else there is one on stderr if that is a terminal, or in the notebook. A
///     function is called now and then with the files done and the files in all (0 while that is not known).
///
/// Returns
/// -------
/// Report
///     What was found. A bad image is a finding, never an exception.
///
/// Raises
/// ------
/// ProfileError
///     If the profile does not exist or cannot be used; the message names line and key.
/// SourceError
///     If a place does not exist or cannot be read.
/// ValueError, TypeError
///     If an argument makes no sense; the message names it.
/// KeyboardInterrupt
///     On Ctrl-C, as soon as the files in work are finished.
///
/// Examples
/// --------
/// >>> import luna_py as luna
/// >>> report = luna.validate({"a.pdf": b"%PDF-1.7"})
/// >>> report.verdict
/// 'fail'
/// >>> luna.validate("scans", profile="chest-xray").save("report.html")  # doctest: +SKIP
#[pyfunction]
#[pyo3(signature = (source, *, profile=None, manifest=None, labels=None, reference=None, rules=None, threads=None, memory=None, storage_options=None, filesystem=None, bits_stored=None, progress=None))]
#[expect(clippy::too_many_arguments, reason = "all but the first are given by name")]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 gives values")]
pub(crate) fn validate(
    source: &Bound<'_, PyAny>,
    profile: Option<ProfileArgument>,
    manifest: Option<Bound<'_, PyAny>>,
    labels: Option<Bound<'_, PyAny>>,
    reference: Option<Bound<'_, PyAny>>,
    rules: Option<Bound<'_, PyAny>>,
    threads: Option<usize>,
    memory: Option<Size>,
    storage_options: Option<Bound<'_, PyDict>>,
    filesystem: Option<Bound<'_, PyAny>>,
    bits_stored: Option<u8>,
    progress: Option<Bound<'_, PyAny>>,
) -> PyResult<Report> {
    let (py, memory) = (source.py(), memory.as_ref());
    Validator::build(py, profile, rules.as_ref(), threads, memory, None)?.validate(
        source,
        manifest,
        labels,
        reference,
        storage_options,
        filesystem,
        bits_stored,
        progress,
    )
}

/// Examine one file.
///
/// Parameters
/// ----------
/// source : str, os.PathLike, bytes, an object with ``read()``, pydicom.Dataset, or array
///     The file; a bad one is no exception. A dataset is examined as the file that pydicom writes of it, which
///     may be sounder than the one it came from. An array has the shape (H, W), (H, W, channels) or one more
///     dimension in front for frames, and holds 8, 16 or 32 bit integers or floating point.
/// profile : str, os.PathLike, dict or Profile, optional
///     As of :func:`validate`.
/// rules : iterable of Rule, optional
///     Rules of one's own, made with :func:`rule`.
/// bits_stored : int, optional
///     Bits of a sample that carry its value, where the source is an array of integers: 12 for what a 12-bit
///     detector gave; all unless given.
///
/// Returns
/// -------
/// Record
///     What can be known of it alone. Names, copies and tables are :func:`conclude`'s.
///
/// Raises
/// ------
/// SourceError
///     If the file cannot be read.
/// ProfileError
///     If the profile does not exist or cannot be used.
/// ValueError, TypeError
///     If an argument makes no sense; the message names it.
///
/// Examples
/// --------
/// >>> import luna_py as luna
/// >>> luna.examine(b"%PDF-1.7").ok
/// False
#[pyfunction]
#[pyo3(signature = (source, *, profile=None, rules=None, bits_stored=None))]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 gives values")]
pub(crate) fn examine(
    source: &Bound<'_, PyAny>,
    profile: Option<ProfileArgument>,
    rules: Option<Bound<'_, PyAny>>,
    bits_stored: Option<u8>,
) -> PyResult<Record> {
    if profile.is_none() && rules.is_none() {
        return examined(source, bits_stored, &*plain()?);
    }
    let validator = Validator::build(source.py(), profile, rules.as_ref(), None, None, None)?;
    validator.examine(source, bits_stored)
}

/// Make a report of records, wherever they were made.
///
/// Parameters
/// ----------
/// records : dict, or iterable of (str, Record)
///     Records by the paths of their files; their order does not matter. They are held until all are there.
/// profile : str, os.PathLike, dict or Profile, optional
///     The profile that they were examined with.
/// rules : iterable of Rule, optional
///     The rules of one's own that they were examined with.
/// manifest : str, os.PathLike, dict, data frame or Arrow table, optional
///     What the data set should hold, as of :func:`validate`.
/// labels, reference : optional
///     Not in this version.
///
/// Returns
/// -------
/// Report
///     The same, byte for byte, as that of :func:`validate` of these files with that manifest. One that lies
///     among the files is read by :func:`validate` alone. MD5s of a manifest are not compared.
///
/// Raises
/// ------
/// TypeError
///     If an item is no pair of a path and a record.
///
/// Examples
/// --------
/// >>> import luna_py as luna
/// >>> luna.conclude({"a.pdf": luna.examine(b"%PDF-1.7")}).verdict
/// 'fail'
#[pyfunction]
#[pyo3(signature = (records, *, profile=None, rules=None, manifest=None, labels=None, reference=None))]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 gives values")]
pub(crate) fn conclude(
    records: &Bound<'_, PyAny>,
    profile: Option<ProfileArgument>,
    rules: Option<Bound<'_, PyAny>>,
    manifest: Option<Bound<'_, PyAny>>,
    labels: Option<Bound<'_, PyAny>>,
    reference: Option<Bound<'_, PyAny>>,
) -> PyResult<Report> {
    let py = records.py();
    Validator::build(py, profile, rules.as_ref(), None, None, None)?
        .conclude(records, manifest, labels, reference)
}
