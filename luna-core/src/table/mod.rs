//! Tables beside the pictures: manifests (JSON, CSV, TSV, lists of checksums) and label tables. Bytes
//! in, a [`Table`] out: what it lists, and what is wrong with it by itself.
//!
//! Nothing that a table names is opened here, or ever because it names it: references are compared
//! with the names that the source lists.

mod column;
mod complaint;
mod delimited;
mod document;
mod find;
mod grid;
mod json;
mod matched;
mod reference;
mod sums;
#[cfg(test)]
mod tests;

pub use self::column::Column;
pub(crate) use self::column::years;
pub use self::complaint::{About, Complaint, Complaints};
pub use self::document::{ManifestDocument, manifest_schema};
pub use self::find::Tables;
pub use self::matched::Matched;
pub(crate) use self::matched::Names;
use crate::finding::Location;
use crate::probe::{Family, sniff};
use crate::settings::Settings;

/// What a table is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// It lists the files of the set.
    Manifest,
    /// It gives labels to them.
    Labels,
}

/// One row of a table, or one entry of `files`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The row (the header is 1), the line of a list, or the number in `files` (from 0).
    number: u64,
    /// Cells that say something and are valid.
    cells: Vec<(Column, Box<str>)>,
}

impl Listed {
    /// What the row says, as it was normalised: checksums in lower case, paths without `./`.
    pub fn get(&self, column: Column) -> Option<&str> {
        self.cells.iter().find(|(known, _)| *known == column).map(|(_, text)| &**text)
    }
}

/// A table, read once.
///
/// ```
/// use luna_core::{Settings, table::{Column, Table}};
/// let settings = Settings::default();
/// let table = Table::manifest("ours.csv", b"file,size\na.png,12\n", &settings).unwrap();
/// assert_eq!(table.rows()[0].get(Column::Size), Some("12"));
/// assert!(Table::manifest("a.png", b"\x89PNG\r\n\x1a\n", &settings).is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    name: String,
    outside: bool,
    role: Role,
    rows: Vec<Listed>,
    /// Columns that it has, each as its header names it.
    columns: Vec<(Column, String)>,
    /// True if places in it are keys and not cells.
    keyed: bool,
    images: Option<u64>,
    patients: Option<u64>,
    complaints: Complaints,
}

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Json,
    Delimited,
    /// A list of checksums, with the number of digits if its name tells.
    Sums(Option<usize>),
    Parquet,
}

impl Table {
    /// Reads a manifest that was given from outside the set; `None` if it is none at all.
    pub fn manifest(name: &str, bytes: &[u8], settings: &Settings) -> Option<Self> {
        let written = written_by_name(name).or_else(|| written_by_content(bytes))?;
        let is_other = sniff(bytes).is_some_and(|format| {
            matches!(format.family(), Family::Picture | Family::OtherPicture | Family::Archive)
        });
        if is_other {
            return None;
        }
        Some(Self { outside: true, ..Self::read(name, Role::Manifest, written, bytes, settings) })
    }

    /// Reads a table of the set.
    pub(crate) fn of_set(path: &str, role: Role, bytes: &[u8], settings: &Settings) -> Self {
        let written = written_by_name(path).or_else(|| written_by_content(bytes));
        Self::read(path, role, written.unwrap_or(Written::Delimited), bytes, settings)
    }

    /// A table of the set that cannot be read, or is too large.
    pub(crate) fn unreadable(path: &str, role: Role, complaint: Complaint) -> Self {
        let mut table = Self::empty(path, role);
        table.complaints.push(complaint);
        table
    }

    fn empty(name: &str, role: Role) -> Self {
        Self {
            name: name.to_owned(),
            outside: false,
            role,
            rows: Vec::new(),
            columns: Vec::new(),
            keyed: false,
            images: None,
            patients: None,
            complaints: Complaints::default(),
        }
    }

    fn read(name: &str, role: Role, written: Written, bytes: &[u8], settings: &Settings) -> Self {
        let mut table = Self::empty(name, role);
        let allowed = settings.limits().table_bytes;
        if bytes.len() as u64 > allowed {
            let seen = bytes.len() as u64;
            table.complaints.push(delimited::over("table_bytes", allowed, seen));
            return table;
        }
        match written {
            Written::Json => document::read(bytes, settings, &mut table),
            Written::Delimited => grid::read(bytes, settings, &mut table),
            Written::Sums(digits) => grid::read_sums(bytes, digits, settings, &mut table),
            Written::Parquet => table.complaints.push(
                Complaint::new(
                    About::Broken,
                    "Parquet is not read by this version; write the table as CSV.",
                )
                .found("Parquet")
                .expected("CSV, TSV, JSON or a list of checksums"),
            ),
        }
        table
    }

    /// Its path in the set; the file's name for one from outside.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// True if it is no file of the set.
    pub fn is_outside(&self) -> bool {
        self.outside
    }

    /// What it is for.
    pub fn role(&self) -> Role {
        self.role
    }

    /// What it lists, in its own order.
    pub fn rows(&self) -> &[Listed] {
        &self.rows
    }

    /// True if it has this column.
    pub fn has(&self, column: Column) -> bool {
        self.columns.iter().any(|(known, _)| *known == column)
    }

    /// What is wrong with it by itself.
    pub fn complaints(&self) -> &Complaints {
        &self.complaints
    }

    /// Numbers of images and of patients that it declares.
    pub fn declared(&self) -> (Option<u64>, Option<u64>) {
        (self.images, self.patients)
    }

    /// The place of a row's cell.
    pub fn place(&self, row: &Listed, column: Column) -> Location {
        let name = self.columns.iter().find(|(known, _)| *known == column);
        if self.keyed {
            let key = column.key();
            return Location::Key { pointer: format!("/files/{}/{key}", row.number) };
        }
        Location::Cell {
            row: row.number,
            column: name.map(|(_, name)| crate::text::shown(name)).filter(|name| !name.is_empty()),
        }
    }
}

/// The MD5 of a file, as a table gives it.
pub fn md5(bytes: &[u8]) -> String {
    use md5::{Digest as _, Md5};
    hex::encode(Md5::digest(bytes))
}

/// Told by the name, where it has one of the usual endings.
fn written_by_name(path: &str) -> Option<Written> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    if let Some(digits) = find::digits_of(&name) {
        return Some(Written::Sums(Some(digits)));
    }
    match name.rsplit_once('.')?.1 {
        "json" => Some(Written::Json),
        "csv" | "tsv" | "tab" => Some(Written::Delimited),
        "parquet" => Some(Written::Parquet),
        _ => None,
    }
}

/// Told by what it holds.
fn written_by_content(bytes: &[u8]) -> Option<Written> {
    let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if body.starts_with(b"PAR1") {
        Some(Written::Parquet)
    } else if body.trim_ascii_start().starts_with(b"{") {
        Some(Written::Json)
    } else if sums::looks_like(body) {
        Some(Written::Sums(None))
    } else {
        let format = sniff(body)?;
        (format.family() == Family::Table).then_some(Written::Delimited)
    }
}
