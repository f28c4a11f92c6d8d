//! `manifest.json`: its declaration, and how it is read.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::complaint::{About, Complaint};
use super::grid::path;
use super::json::{Broken, Json, Value, at};
use super::{Column, Listed, Table};
use crate::finding::Location;
use crate::settings::Settings;
use crate::text::{grouped, nearest, shown};

/// A manifest as a JSON document (`manifest.json`): UTF-8, every key at most once, no others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "LUNA manifest")]
pub struct ManifestDocument {
    /// Version of this form of document: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// Name of the data set.
    #[serde(default)]
    pub name: Option<String>,
    /// How many images the set holds.
    #[serde(default)]
    pub images: Option<u64>,
    /// How many patients they are of.
    #[serde(default)]
    pub patients: Option<u64>,
    /// The files of the set.
    pub files: Vec<ManifestFile>,
}

/// One file of the set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManifestFile {
    /// Its path, relative to the data set, with `/`.
    #[schemars(length(min = 1))]
    pub path: String,
    /// Its size in bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// Its SHA-256, 64 hexadecimal digits.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{64}$"))]
    pub sha256: Option<String>,
    /// Its MD5, 32 hexadecimal digits.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{32}$"))]
    pub md5: Option<String>,
    /// The patient's pseudonym.
    #[serde(default)]
    pub patient_id: Option<String>,
    /// The study.
    #[serde(default)]
    pub study_id: Option<String>,
    /// The part of the set that it belongs to, such as `train`.
    #[serde(default)]
    pub split: Option<String>,
    /// The patient's sex: `M`, `F`, `O`.
    #[serde(default)]
    pub sex: Option<String>,
    /// The patient's age in years.
    #[serde(default)]
    #[schemars(range(min = 0, max = 150))]
    pub age: Option<f64>,
    /// The view, such as `PA`.
    #[serde(default)]
    pub view: Option<String>,
    /// The side: `L`, `R`, `B` (both), `U` (unpaired).
    #[serde(default)]
    pub laterality: Option<String>,
    /// Height in pixels.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub rows: Option<u32>,
    /// Width in pixels.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub columns: Option<u32>,
    /// Labels by class.
    #[serde(default)]
    pub labels: BTreeMap<String, serde_json::Value>,
}

/// The JSON Schema (draft 2020-12) of `manifest.json`.
///
/// ```
/// let schema = luna_core::table::manifest_schema();
/// assert_eq!(schema["required"], serde_json::json!(["version", "files"]));
/// ```
pub fn manifest_schema() -> serde_json::Value {
    schemars::schema_for!(ManifestDocument).to_value()
}

/// The keys of both levels, out of the declaration.
static KEYS: LazyLock<[Vec<String>; 2]> = LazyLock::new(|| {
    let schema = manifest_schema();
    ["/properties", "/$defs/ManifestFile/properties"].map(|pointer| {
        let keys = schema.pointer(pointer).and_then(|keys| keys.as_object());
        keys.map(|keys| keys.keys().cloned().collect()).unwrap_or_default()
    })
});

/// Reads the document.
pub(super) fn read(bytes: &[u8], settings: &Settings, table: &mut Table) {
    table.keyed = true;
    let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(body) {
        Ok(text) => text,
        Err(error) => {
            let good = body.get(..error.valid_up_to()).unwrap_or_default();
            let good = String::from_utf8_lossy(good);
            let at = at(&good, good.len());
            let message = format!(
                "Is not UTF-8: line {}, column {}. Save it as UTF-8.",
                grouped(at.line),
                grouped(at.column)
            );
            table.complaints.push(Complaint::new(About::Broken, message).expected("UTF-8"));
            return;
        }
    };
    let limits = settings.limits();
    let json = Json::new(text, limits.json_nesting, limits.text_bytes);
    let mut reader = Reader { json, text, settings, table };
    if let Err(broken) = reader.document() {
        let place = reader.place(broken.offset);
        let message = format!("Is no JSON at {place}: {}.", broken.reason);
        reader.table.complaints.push(Complaint::new(About::Broken, message));
    }
}

struct Reader<'a> {
    json: Json<'a>,
    text: &'a str,
    settings: &'a Settings,
    table: &'a mut Table,
}

impl Reader<'_> {
    fn place(&self, offset: usize) -> String {
        let at = at(self.text, offset);
        format!("line {}, column {}", grouped(at.line), grouped(at.column))
    }

    fn complain(&mut self, about: About, pointer: String, message: String, expected: &str) {
        let complaint = Complaint::new(about, message).at(Location::Key { pointer });
        self.table.complaints.push(complaint.expected(expected));
    }

    fn document(&mut self) -> Result<(), Broken> {
        let value = self.json.value()?;
        if value != Value::Object {
            let message = format!("Is {}, where a manifest is an object.", value.title());
            self.complain(
                About::Broken,
                String::new(),
                message,
                "{\"version\": 1, \"files\": […]}",
            );
            return self.skip(&value, "");
        }
        let mut seen = HashSet::new();
        while let Some((key, offset)) = self.json.key(seen.is_empty())? {
            let pointer = format!("/{}", token(&key));
            self.once(&mut seen, &key, offset, &pointer);
            let value = self.json.value()?;
            match key.as_str() {
                "files" if value == Value::List => self.files()?,
                "version" | "name" | "images" | "patients" | "files" => {
                    self.top(&key, &value, &pointer)?;
                }
                _ => self.unknown(0, &key, offset, &pointer, &value)?,
            }
        }
        for key in ["version", "files"] {
            if !seen.contains(key) {
                let message = format!("Lacks the key `{key}`.");
                self.complain(About::Missing, String::new(), message, &format!("the key `{key}`"));
            }
        }
        self.json.end()
    }

    /// Keeps a key in mind; complains if it was there already.
    fn once(&mut self, seen: &mut HashSet<String>, key: &str, offset: usize, pointer: &str) {
        if !seen.insert(key.to_owned()) {
            self.twice(key, offset, pointer);
        }
    }

    fn twice(&mut self, key: &str, offset: usize, pointer: &str) {
        let message = format!(
            "The key `{}` stands twice in one object ({}); programs take the first or the last.",
            shown(key),
            self.place(offset)
        );
        self.complain(About::Broken, pointer.to_owned(), message, "each key once");
    }

    fn unknown(
        &mut self,
        level: usize,
        key: &str,
        offset: usize,
        pointer: &str,
        value: &Value,
    ) -> Result<(), Broken> {
        let known = KEYS.get(level).map(Vec::as_slice).unwrap_or_default();
        let near = nearest(key, known.iter().map(String::as_str));
        let hint = near.map_or(String::new(), |near| format!(" Is `{near}` meant?"));
        let place = self.place(offset);
        let message = format!("There is no key `{}` here ({place}).{hint}", shown(key));
        let expected = near.map_or_else(|| known.join(", "), str::to_owned);
        self.complain(About::UnknownKey, pointer.to_owned(), message, &expected);
        self.skip(value, pointer)
    }

    /// Reads past a value, with an eye on keys that stand twice.
    fn skip(&mut self, value: &Value, pointer: &str) -> Result<(), Broken> {
        let mut doubled = Vec::new();
        self.json.skip(value, &mut |offset, key| {
            // Of very many, those that a report lists.
            if doubled.len() < 100 {
                doubled.push((offset, key.to_owned()));
            }
        })?;
        for (offset, key) in doubled {
            self.twice(&key, offset, &format!("{pointer}/{}", token(&key)));
        }
        Ok(())
    }

    /// A single value at the top.
    fn top(&mut self, key: &str, value: &Value, pointer: &str) -> Result<(), Broken> {
        let number = match value {
            Value::Number(digits) => digits.parse::<u64>().ok(),
            _ => None,
        };
        let expected = match (key, value) {
            ("version", _) if number == Some(1) => None,
            ("version", _) => Some("1"),
            (_, Value::Null) if key != "files" => None,
            ("name", Value::Text(_)) => None,
            ("name", _) => Some("a text"),
            ("images", _) if number.is_some() => {
                self.table.images = number;
                None
            }
            ("patients", _) if number.is_some() => {
                self.table.patients = number;
                None
            }
            ("files", _) => Some("a list of objects"),
            _ => Some("a whole number"),
        };
        if let Some(expected) = expected {
            let message = format!("`{key}` is {}, expected {expected}.", value.title());
            self.complain(About::Invalid, pointer.to_owned(), message, expected);
        }
        self.skip(value, pointer)
    }

    fn files(&mut self) -> Result<(), Broken> {
        let mut first = true;
        let most = u64::from(self.settings.limits().table_rows);
        let mut number = 0_u64;
        while self.json.item(std::mem::replace(&mut first, false))? {
            let pointer = format!("/files/{number}");
            if number >= most {
                let over = super::delimited::over("table_rows", most, number.saturating_add(1));
                self.table.complaints.push(over.at(Location::Key { pointer }));
                // Nothing behind it is looked at.
                return Err(Broken {
                    offset: self.json.offset(),
                    reason: "there are more files than `table_rows` allows".to_owned(),
                });
            }
            let value = self.json.value()?;
            if value == Value::Object {
                self.file(number)?;
            } else {
                let message = format!("A file is {}, expected an object.", value.title());
                self.complain(About::Invalid, pointer.clone(), message, "an object with a `path`");
                self.skip(&value, &pointer)?;
            }
            number = number.saturating_add(1);
        }
        Ok(())
    }

    fn file(&mut self, number: u64) -> Result<(), Broken> {
        let mut seen = HashSet::new();
        let mut cells: Vec<(Column, Box<str>)> = Vec::new();
        while let Some((key, offset)) = self.json.key(seen.is_empty())? {
            let pointer = format!("/files/{number}/{}", token(&key));
            self.once(&mut seen, &key, offset, &pointer);
            let value = self.json.value()?;
            let column = Column::ALL.into_iter().find(|column| column.key() == key);
            match column {
                None => self.unknown(1, &key, offset, &pointer, &value)?,
                Some(Column::Label) => {
                    if !matches!(value, Value::Object | Value::Null) {
                        let message = format!("`labels` is {}, expected an object.", value.title());
                        self.complain(About::Invalid, pointer.clone(), message, "an object");
                    }
                    self.skip(&value, &pointer)?;
                }
                Some(column) => {
                    if let Some(text) = self.cell(column, &value, &pointer)? {
                        cells.retain(|(known, _)| *known != column);
                        cells.push((column, text.into_boxed_str()));
                        if !self.table.has(column) {
                            self.table.columns.push((column, column.key().to_owned()));
                        }
                    }
                }
            }
        }
        for column in std::iter::once(Column::File)
            .chain(self.settings.profile().manifest.require.iter().copied())
        {
            let key = column.key();
            if !seen.contains(key) {
                let message = format!("File {} lacks the key `{key}`.", grouped(number));
                let pointer = format!("/files/{number}");
                self.complain(About::Missing, pointer, message, &format!("the key `{key}`"));
            }
            seen.insert(key.to_owned());
        }
        self.table.rows.push(Listed { number, cells });
        Ok(())
    }

    /// The value of a file's key, if it is a valid one.
    fn cell(
        &mut self,
        column: Column,
        value: &Value,
        pointer: &str,
    ) -> Result<Option<String>, Broken> {
        let text = match value {
            Value::Null => return Ok(None),
            Value::Number(digits) if column.is_number() => digits,
            Value::Text(text) if !column.is_number() => text,
            other => {
                let wanted = if column.is_number() { "a number" } else { "a text" };
                let message =
                    format!("`{}` is {}, expected {wanted}.", column.key(), other.title());
                self.complain(About::Invalid, pointer.to_owned(), message, wanted);
                self.skip(other, pointer)?;
                return Ok(None);
            }
        };
        if column == Column::File {
            return Ok(path(text, Location::Key { pointer: pointer.to_owned() }, self.table));
        }
        match column.taken(text) {
            Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
            Err(expected) => {
                let personal = column.is_personal();
                let found = if personal { self.settings.value(text) } else { shown(text) };
                let message = format!("`{}`: {found} is not {expected}.", column.key());
                self.complain(About::Invalid, pointer.to_owned(), message, expected);
                Ok(None)
            }
        }
    }
}

/// A key as a part of a JSON pointer (RFC 6901).
fn token(key: &str) -> String {
    shown(key).replace('~', "~0").replace('/', "~1")
}
