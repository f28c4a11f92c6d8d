//! Two tables in Parquet: findings, one a row, with the columns of the CSV; and files, one a row, with
//! facts, measurements and counts. `path` joins them.
//!
//! Texts are as they are, for a table is read by programs; what is not known is null. Rows are written
//! in groups, so that a long report is never held twice.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};

use super::{Column, FILE_COLUMNS, FINDING_COLUMNS, Get, Report};

/// Rows that are made into columns at once.
const GROUP: usize = 16_384;

/// Writes the findings.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    table(report, "findings", FINDING_COLUMNS, report.all_findings(), out)
}

/// Writes the files.
pub(super) fn write_files(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    table(report, "files", FILE_COLUMNS, report.files.iter(), out)
}

fn table<'a, T: 'a>(
    report: &Report,
    name: &str,
    columns: &[Column<T>],
    mut rows: impl Iterator<Item = &'a T>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let written = Pieces::default();
    let properties = WriterProperties::builder()
        .set_created_by(format!("luna {}", env!("CARGO_PKG_VERSION")))
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata(Some(origin(report)))
        .build();
    let schema = schema(name, columns).map_err(io_error)?;
    let mut file = SerializedFileWriter::new(written.clone(), schema, Arc::new(properties))
        .map_err(io_error)?;
    loop {
        let group: Vec<&T> = rows.by_ref().take(GROUP).collect();
        if group.is_empty() {
            break;
        }
        let mut out_group = file.next_row_group().map_err(io_error)?;
        for column in columns {
            let Some(mut out_column) = out_group.next_column().map_err(io_error)? else { break };
            fill(&mut out_column, &column.get, &group).map_err(io_error)?;
            out_column.close().map_err(io_error)?;
        }
        out_group.close().map_err(io_error)?;
        written.hand_on(out)?;
    }
    file.close().map_err(io_error)?;
    written.hand_on(out)
}

/// What the table is of, for whoever finds it alone.
fn origin(report: &Report) -> Vec<KeyValue> {
    let said = [
        ("luna.schema_version", report.schema_version.to_string()),
        ("luna.version", report.luna_version.clone()),
        ("luna.edition", report.edition.clone()),
        ("luna.profile", report.profile.name.clone()),
        ("luna.verdict", report.verdict.as_str().to_owned()),
        ("luna.dataset", report.dataset.fingerprint.clone()),
    ];
    said.into_iter().map(|(key, value)| KeyValue::new(key.to_owned(), value)).collect()
}

fn schema<T>(name: &str, columns: &[Column<T>]) -> Result<TypePtr, ParquetError> {
    let fields: Result<Vec<TypePtr>, _> = columns.iter().map(field).collect();
    Type::group_type_builder(name).with_fields(fields?).build().map(Arc::new)
}

fn field<T>(column: &Column<T>) -> Result<TypePtr, ParquetError> {
    let primitive = |name, physical, logical, repetition| {
        Type::primitive_type_builder(name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .build()
            .map(Arc::new)
    };
    let text = Some(LogicalType::String);
    match column.get {
        Get::Text(_) | Get::Digest(_) => {
            primitive(column.name, Physical::BYTE_ARRAY, text, Repetition::OPTIONAL)
        }
        Get::Whole(_) => primitive(column.name, Physical::INT64, None, Repetition::OPTIONAL),
        Get::Number(_) => primitive(column.name, Physical::DOUBLE, None, Repetition::OPTIONAL),
        Get::Flag(_) => primitive(column.name, Physical::BOOLEAN, None, Repetition::OPTIONAL),
        Get::Texts(_) => {
            let element = primitive("element", Physical::BYTE_ARRAY, text, Repetition::REQUIRED)?;
            let list = Type::group_type_builder("list")
                .with_repetition(Repetition::REPEATED)
                .with_fields(vec![element])
                .build()?;
            Type::group_type_builder(column.name)
                .with_repetition(Repetition::REQUIRED)
                .with_logical_type(Some(LogicalType::List))
                .with_fields(vec![Arc::new(list)])
                .build()
                .map(Arc::new)
        }
    }
}

fn fill<T>(
    out: &mut SerializedColumnWriter<'_>,
    get: &Get<T>,
    rows: &[&T],
) -> Result<(), ParquetError> {
    match get {
        Get::Text(get) => optional::<ByteArrayType, _>(out, rows, |row| get(row).map(bytes)),
        Get::Digest(get) => optional::<ByteArrayType, _>(out, rows, |row| {
            get(row).map(|digest| bytes(&digest.to_string()))
        }),
        Get::Whole(get) => optional::<Int64Type, _>(out, rows, |row| {
            get(row).map(|number| i64::try_from(number).unwrap_or(i64::MAX))
        }),
        Get::Number(get) => optional::<DoubleType, _>(out, rows, get),
        Get::Flag(get) => optional::<BoolType, _>(out, rows, get),
        Get::Texts(get) => {
            let (mut values, mut there, mut within) = (Vec::new(), Vec::new(), Vec::new());
            for texts in rows.iter().map(|row| get(row)) {
                // An empty list is one place without a value.
                there.extend(std::iter::repeat_n(i16::from(!texts.is_empty()), texts.len().max(1)));
                within.push(0);
                within.extend(texts.iter().skip(1).map(|_| 1));
                values.extend(texts.iter().map(|text| bytes(text)));
            }
            let writer = out.typed::<ByteArrayType>();
            writer.write_batch(&values, Some(&there), Some(&within)).map(drop)
        }
    }
}

fn bytes(text: &str) -> ByteArray {
    ByteArray::from(text)
}

fn optional<D: DataType, T>(
    out: &mut SerializedColumnWriter<'_>,
    rows: &[&T],
    get: impl Fn(&T) -> Option<D::T>,
) -> Result<(), ParquetError> {
    let cells: Vec<Option<D::T>> = rows.iter().map(|row| get(row)).collect();
    let there: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    let values: Vec<D::T> = cells.into_iter().flatten().collect();
    out.typed::<D>().write_batch(&values, Some(&there), None).map(drop)
}

fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(source) => *source,
            Err(source) => io::Error::other(source),
        },
        other => io::Error::other(other),
    }
}

/// What the crate has written and `out` has not got yet: the crate wants a writer that can be sent to
/// another thread, which `out` need not be.
#[derive(Clone, Default)]
struct Pieces(Arc<Mutex<Vec<u8>>>);

impl Pieces {
    fn hand_on(&self, out: &mut dyn Write) -> io::Result<()> {
        let piece = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        out.write_all(&piece)
    }
}

impl Write for Pieces {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
