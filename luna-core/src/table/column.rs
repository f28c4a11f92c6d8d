//! What a column of a table may say, and which values it takes.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reference;

/// Something that a table says of a file.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Column {
    /// The file's path.
    File,
    /// Its size in bytes.
    Size,
    /// Its SHA-256.
    Sha256,
    /// Its MD5.
    Md5,
    /// The patient.
    Patient,
    /// The study.
    Study,
    /// The patient's sex.
    Sex,
    /// The patient's age in years.
    Age,
    /// The view.
    View,
    /// The side.
    Laterality,
    /// Height in pixels.
    Rows,
    /// Width in pixels.
    Columns,
    /// The part of the set: training, validation, test.
    Split,
    /// The label.
    Label,
}

impl Column {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::File,
        Self::Size,
        Self::Sha256,
        Self::Md5,
        Self::Patient,
        Self::Study,
        Self::Sex,
        Self::Age,
        Self::View,
        Self::Laterality,
        Self::Rows,
        Self::Columns,
        Self::Split,
        Self::Label,
    ];

    /// Its word in profiles.
    pub const fn id(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Size => "size",
            Self::Sha256 => "sha256",
            Self::Md5 => "md5",
            Self::Patient => "patient",
            Self::Study => "study",
            Self::Sex => "sex",
            Self::Age => "age",
            Self::View => "view",
            Self::Laterality => "laterality",
            Self::Rows => "rows",
            Self::Columns => "columns",
            Self::Split => "split",
            Self::Label => "label",
        }
    }

    /// Names that it has in headers, in lower case.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::File => &["file", "path", "filename", "image", "image_id"],
            Self::Size => &["size", "bytes", "size_bytes"],
            Self::Sha256 => &["sha256"],
            Self::Md5 => &["md5"],
            Self::Patient => &["patient", "patient_id"],
            Self::Study => &["study", "study_id"],
            Self::Sex => &["sex"],
            Self::Age => &["age"],
            Self::View => &["view", "view_position"],
            Self::Laterality => &["laterality"],
            Self::Rows => &["rows"],
            Self::Columns => &["columns"],
            Self::Split => &["split", "fold", "set"],
            Self::Label => &["label", "class", "finding", "target"],
        }
    }

    /// Its key in `manifest.json`.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::File => "path",
            Self::Patient => "patient_id",
            Self::Study => "study_id",
            Self::Label => "labels",
            other => other.id(),
        }
    }

    /// True if JSON writes it as a number.
    pub(super) const fn is_number(self) -> bool {
        matches!(self, Self::Size | Self::Age | Self::Rows | Self::Columns)
    }

    /// True if a value may name a person.
    pub(super) const fn is_personal(self) -> bool {
        matches!(self, Self::Patient | Self::Study | Self::Sex | Self::Age)
    }

    /// The value as it is compared, or what was expected instead.
    pub(super) fn taken(self, value: &str) -> Result<String, &'static str> {
        let text = value.trim();
        match self {
            Self::File => Ok(reference::normal(value).to_owned()),
            Self::Size => whole(text, 0).ok_or("a whole number of bytes"),
            Self::Rows | Self::Columns => whole(text, 1).ok_or("a whole number of pixels"),
            Self::Sha256 => digits(text, 64).ok_or("64 hexadecimal digits"),
            Self::Md5 => digits(text, 32).ok_or("32 hexadecimal digits"),
            Self::Sex => one_of(text, &SEXES).ok_or("M, F or O"),
            Self::Laterality => one_of(text, &SIDES).ok_or("L, R, B or U"),
            Self::Age => age(text).ok_or("an age in years, 0 to 150"),
            Self::Patient | Self::Study | Self::View | Self::Split | Self::Label => {
                Ok(text.to_owned())
            }
        }
    }
}

const SEXES: [(&str, &str); 8] = [
    ("m", "M"),
    ("male", "M"),
    ("f", "F"),
    ("female", "F"),
    ("o", "O"),
    ("other", "O"),
    ("u", "U"),
    ("unknown", "U"),
];

const SIDES: [(&str, &str); 8] = [
    ("l", "L"),
    ("left", "L"),
    ("r", "R"),
    ("right", "R"),
    ("b", "B"),
    ("both", "B"),
    ("u", "U"),
    ("unpaired", "U"),
];

fn one_of(text: &str, words: &[(&str, &str)]) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    words.iter().find(|(word, _)| *word == lower).map(|(_, known)| (*known).to_owned())
}

/// A whole number; `12.0` is one too, as spreadsheets write it.
fn whole(text: &str, least: u64) -> Option<String> {
    let digits = text.strip_suffix(".0").unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|_| plain)?;
    (number >= least).then(|| number.to_string())
}

fn digits(text: &str, len: usize) -> Option<String> {
    let fine = text.len() == len && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    fine.then(|| text.to_ascii_lowercase())
}

/// Years, also as DICOM writes them (`061Y`), or `90+`.
fn age(text: &str) -> Option<String> {
    let digits = text.strip_suffix(['Y', 'y', '+']).unwrap_or(text);
    let years: f64 = digits.parse().ok()?;
    (0.0..=150.0).contains(&years).then(|| text.to_owned())
}

/// The years of an age that was taken; `None` for an open one (`90+`).
pub(crate) fn years(text: &str) -> Option<f64> {
    text.strip_suffix(['Y', 'y']).unwrap_or(text).parse().ok()
}
