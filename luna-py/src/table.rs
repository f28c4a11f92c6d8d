//! Tables as Arrow: whoever speaks its C interface takes them without a copy.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{
    Array as _, ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, RecordBatchIterator,
    RecordBatchOptions, StringArray,
};
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{ArrowError, Field, Schema};
use luna_core::report::{Column, Get};
use luna_core::text;
use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict};

use crate::error::LunaError;

/// Rows that a notebook shows.
const SHOWN: usize = 10;

/// A table of a report, in Arrow's memory layout.
///
/// pandas, polars, pyarrow, DuckDB and whatever else knows the Arrow PyCapsule interface take it as it is:
/// ``pyarrow.table(report.findings)``, ``polars.DataFrame(report.files)``,
/// ``duckdb.sql("SELECT rule, count(*) FROM findings GROUP BY rule")`` with ``findings = report.findings``.
#[pyclass(frozen, module = "luna_py")]
#[derive(Clone)]
pub(crate) struct Table {
    rows: RecordBatch,
}

impl Table {
    /// A table with these columns, a row for each of `rows`.
    pub(crate) fn of<'a, T: 'static>(
        columns: &[Column<T>],
        rows: impl Iterator<Item = &'a T>,
    ) -> PyResult<Self> {
        let rows: Vec<&T> = rows.collect();
        let arrays =
            columns.iter().map(|column| (column.name.to_owned(), array(&column.get, &rows)));
        Self::from_arrays(arrays.collect(), rows.len())
    }

    /// A table of columns that are as long as there are rows.
    pub(crate) fn from_arrays(columns: Vec<(String, ArrayRef)>, rows: usize) -> PyResult<Self> {
        let field =
            |(name, array): &(String, ArrayRef)| Field::new(name, array.data_type().clone(), true);
        let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::new(schema), arrays, &options)
            .map(|rows| Self { rows })
            .map_err(unfit)
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.num_rows()
    }

    fn names(&self) -> Vec<String> {
        self.rows.schema_ref().fields().iter().map(|field| field.name().clone()).collect()
    }
}

fn array<T>(get: &Get<T>, rows: &[&T]) -> ArrayRef {
    let rows = rows.iter();
    match get {
        Get::Text(get) => Arc::new(rows.map(|row| get(row)).collect::<StringArray>()),
        Get::Digest(get) => {
            Arc::new(rows.map(|row| get(row).map(|it| it.to_string())).collect::<StringArray>())
        }
        Get::Whole(get) => {
            let number = |row: &&T| get(row).map(|it| i64::try_from(it).unwrap_or(i64::MAX));
            Arc::new(rows.map(number).collect::<Int64Array>())
        }
        Get::Number(get) => Arc::new(rows.map(|row| get(row)).collect::<Float64Array>()),
        Get::Flag(get) => Arc::new(rows.map(|row| get(row)).collect::<BooleanArray>()),
        Get::Texts(get) => {
            let mut lists = ListBuilder::new(StringBuilder::new());
            for row in rows {
                lists.append_value(get(row).iter().map(Some));
            }
            Arc::new(lists.finish())
        }
        // A kind of column that a newer engine has.
        _ => Arc::new(rows.map(|_| None::<&str>).collect::<StringArray>()),
    }
}

fn unfit(error: ArrowError) -> PyErr {
    LunaError::new_err(format!("the table cannot be made: {error}"))
}

/// A package that only this needs.
fn needs<'py>(py: Python<'py>, method: &str, package: &str) -> PyResult<Bound<'py, PyModule>> {
    py.import(package).map_err(|error| {
        let said = format!(
            "Table.{method} needs {package}, which is not installed: pip install {package}"
        );
        let raised = PyImportError::new_err(said);
        raised.set_cause(py, Some(error));
        raised
    })
}

#[pymethods]
impl Table {
    /// int: Number of rows.
    #[getter]
    fn num_rows(&self) -> usize {
        self.rows.num_rows()
    }

    /// list of str: Names of the columns, in order.
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.names()
    }

    /// The rows as dicts; needs no other package.
    ///
    /// Returns
    /// -------
    /// list of dict
    ///     A dict a row, from column name to ``str``, ``int``, ``float``, ``bool``, ``list`` or ``None``.
    fn to_pylist<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let rows: Vec<_> = (0..self.rows.num_rows()).map(|_| PyDict::new(py)).collect();
        for (name, column) in self.names().iter().zip(self.rows.columns()) {
            for (at, row) in rows.iter().enumerate() {
                row.set_item(name, value(py, column, at)?)?;
            }
        }
        Ok(rows)
    }

    /// The table as a pyarrow table, without a copy.
    ///
    /// Returns
    /// -------
    /// pyarrow.Table
    ///
    /// Raises
    /// ------
    /// ImportError
    ///     If pyarrow is not installed.
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        needs(slf.py(), "to_arrow", "pyarrow")?.call_method1("table", (slf,))
    }

    /// The table as a pandas data frame.
    ///
    /// Returns
    /// -------
    /// pandas.DataFrame
    ///
    /// Raises
    /// ------
    /// ImportError
    ///     If pandas or pyarrow is not installed.
    fn to_pandas<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        needs(slf.py(), "to_pandas", "pandas")?;
        needs(slf.py(), "to_pandas", "pyarrow")?;
        Self::to_arrow(slf)?.call_method0("to_pandas")
    }

    /// The table as a polars data frame.
    ///
    /// Returns
    /// -------
    /// polars.DataFrame
    ///
    /// Raises
    /// ------
    /// ImportError
    ///     If polars is not installed.
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        needs(slf.py(), "to_polars", "polars")?.call_method1("DataFrame", (slf,))
    }

    /// The schema, for consumers of the Arrow PyCapsule interface.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(self.rows.schema_ref().as_ref()).map_err(unfit)?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }

    /// The rows, for consumers of the Arrow PyCapsule interface.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface lets a producer answer with its own schema.
        drop(requested_schema);
        let schema = self.rows.schema();
        let batches = RecordBatchIterator::new([Ok(self.rows.clone())], schema);
        let stream = FFI_ArrowArrayStream::new(Box::new(batches));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    /// What Jupyter shows: the first rows.
    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let (py, rows) = (slf.py(), &slf.get().rows);
        let first = Self { rows: rows.slice(0, rows.num_rows().min(SHOWN)) };
        let first = Bound::new(py, first)?.call_method0("to_pylist")?;
        let whole = (rows.num_rows(), slf.get().names());
        py.import("luna_py._tables")?.call_method1("as_html", (first, whole.0, whole.1))
    }

    fn __len__(&self) -> usize {
        self.rows.num_rows()
    }

    fn __repr__(&self) -> String {
        let (rows, columns) = (self.rows.num_rows() as u64, self.rows.num_columns() as u64);
        let (rows, columns) = (text::counted(rows, "row"), text::counted(columns, "column"));
        format!("<luna_py.Table: {rows}, {columns}: {}>", self.names().join(", "))
    }
}

fn value<'py>(py: Python<'py>, column: &ArrayRef, at: usize) -> PyResult<Bound<'py, PyAny>> {
    use arrow_array::cast::AsArray as _;
    use arrow_array::types::{Float64Type, Int64Type};
    if column.is_null(at) {
        return Ok(py.None().into_bound(py));
    }
    if let Some(texts) = column.as_string_opt::<i32>() {
        return Ok(texts.value(at).into_pyobject(py)?.into_any());
    }
    if let Some(numbers) = column.as_primitive_opt::<Int64Type>() {
        return Ok(numbers.value(at).into_pyobject(py)?.into_any());
    }
    if let Some(numbers) = column.as_primitive_opt::<Float64Type>() {
        return Ok(numbers.value(at).into_pyobject(py)?.into_any());
    }
    if let Some(flags) = column.as_boolean_opt() {
        return Ok(flags.value(at).into_pyobject(py)?.to_owned().into_any());
    }
    let lists = column.as_list_opt::<i32>().map(|lists| lists.value(at));
    let texts = lists.as_ref().and_then(|list| list.as_string_opt::<i32>());
    let texts: Vec<Option<&str>> = texts.map(|texts| texts.iter().collect()).unwrap_or_default();
    texts.into_pyobject(py)
}
