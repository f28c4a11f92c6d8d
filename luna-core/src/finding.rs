//! What the engine has to say: one [`Finding`] a defect, with the rule, the place and the remedy.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How much a finding weighs. Ordered: `Error` is the gravest and sorts first.
///
/// ```
/// use luna_core::Severity;
/// assert!(Severity::Error < Severity::Warning);
/// assert_eq!(Severity::Info.as_str(), "info");
/// ```
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file or the set is unfit until this is mended; the verdict is `fail`.
    Error,
    /// A person should look at it.
    Warning,
    /// Worth knowing, nothing to do.
    Info,
}

impl Severity {
    /// All severities, gravest first.
    pub const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Info];

    /// The word used in reports: `error`, `warning` or `info`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }

    /// The shape that stands beside the word where people read: colour is never alone.
    ///
    /// ```
    /// assert_eq!(luna_core::Severity::ALL.map(|it| it.shape()), ["■", "▲", "●"]);
    /// ```
    pub const fn shape(self) -> &'static str {
        match self {
            Self::Error => "■",
            Self::Warning => "▲",
            Self::Info => "●",
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where in a file (or a table) a finding points.
///
/// Order is part of the report's order: findings of one rule are sorted by it.
///
/// ```
/// use luna_core::Location;
/// let place = Location::Byte { offset: 81_920 };
/// assert_eq!(place.to_string(), "byte 81,920");
/// ```
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Location {
    /// A byte offset from the start of the file.
    Byte {
        /// Offset in bytes, from 0.
        offset: u64,
    },
    /// A DICOM attribute, also inside sequences.
    Attribute {
        /// Path such as `(0040,0275)[0].(0032,1060)`; items count from 0.
        path: String,
        /// The DICOM keyword of the last tag, if the dictionary knows it.
        keyword: Option<String>,
    },
    /// A frame of a multi-frame image.
    Frame {
        /// Frame number, from 0.
        frame: u32,
    },
    /// A rectangle of pixels.
    Box {
        /// Left column, from 0.
        x: u32,
        /// Top row, from 0.
        y: u32,
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Frame number, from 0.
        frame: u32,
    },
    /// A cell of a table; row 1 is the header.
    Cell {
        /// Row, from 1.
        row: u64,
        /// Column name, or its number where it has no name.
        column: Option<String>,
    },
    /// A key of a JSON document.
    Key {
        /// JSON pointer (RFC 6901).
        pointer: String,
    },
}

impl Location {
    /// The frame of a picture that it lies in, from 0; `None` where it names none.
    ///
    /// ```
    /// assert_eq!(luna_core::Location::Frame { frame: 3 }.frame(), Some(3));
    /// assert_eq!(luna_core::Location::Byte { offset: 3 }.frame(), None);
    /// ```
    pub fn frame(&self) -> Option<u32> {
        match self {
            Self::Frame { frame } | Self::Box { frame, .. } => Some(*frame),
            _ => None,
        }
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Byte { offset } => write!(f, "byte {}", crate::text::grouped(*offset)),
            Self::Attribute { path, keyword: Some(keyword) } => write!(f, "{keyword} {path}"),
            Self::Attribute { path, keyword: None } => f.write_str(path),
            Self::Frame { frame } => write!(f, "frame {frame}"),
            Self::Box { x, y, width, height, frame } => {
                write!(f, "{width} x {height} at ({x}, {y}), frame {frame}")
            }
            Self::Cell { row, column: Some(column) } => write!(f, "row {row}, column {column}"),
            Self::Cell { row, column: None } => write!(f, "row {row}"),
            Self::Key { pointer } => f.write_str(pointer),
        }
    }
}

/// One defect, as it stands in every report.
///
/// Texts are already masked: no value that may identify a person is in here unless the host asked
/// for it (`show_values`).
///
/// ```
/// # use luna_core::{Source, Validator, source::Memory};
/// let report = Validator::default().validate(&Memory::single("a.png", Vec::new()))?;
/// let finding = &report.files[0].findings[0];
/// assert_eq!((&*finding.rule, &*finding.name), ("LF001", "unreadable-file"));
/// # Ok::<(), luna_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// 16 hexadecimal digits that stay the same from run to run.
    pub id: String,
    /// The rule's code, such as `LF004`.
    pub rule: Cow<'static, str>,
    /// The rule's name, such as `truncated-file`.
    pub name: Cow<'static, str>,
    /// How much it weighs under the profile in force.
    pub severity: Severity,
    /// The file it is about; `null` for several files or the set.
    pub path: Option<Box<str>>,
    /// What is wrong, and where.
    pub message: String,
    /// What to do.
    pub help: Cow<'static, str>,
    /// The place in the file.
    pub location: Option<Location>,
    /// What was found.
    pub found: Option<Box<str>>,
    /// What was expected.
    pub expected: Option<Box<str>>,
    /// Other files that take part.
    pub related: Vec<String>,
    /// True if the profile lists it as an exception: kept, but without weight.
    pub excepted: bool,
}

impl Finding {
    /// Gives the finding its path and the `id` that follows from rule, path, location and related
    /// paths: the first 16 hexadecimal digits of a SHA-256 over them, each closed by a NUL.
    /// [`conclude()`](crate::conclude()) does so; hosts need it for what they tell before.
    ///
    /// ```
    /// use luna_core::{Settings, examine};
    /// let mut findings = examine(b"\x89PNG\r\n\x1a\n", &Settings::default()).findings;
    /// findings[0].place(Some("a.png"));
    /// assert_eq!((findings[0].id.len(), findings[0].path.as_deref()), (16, Some("a.png")));
    /// ```
    pub fn place(&mut self, path: Option<&str>) {
        self.path = path.map(Box::from);
        let mut hash = Sha256::new();
        let location = self.location.as_ref().map(ToString::to_string).unwrap_or_default();
        let parts = [&*self.rule, path.unwrap_or_default(), &location];
        for part in parts.into_iter().chain(self.related.iter().map(String::as_str)) {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        self.id = hex::encode(&hash.finalize()[..8]);
    }

    /// The order of findings in a report: severity, rule, location, then what keeps it total.
    pub(crate) fn sort_key(&self) -> impl Ord + '_ {
        (self.severity, &self.rule, &self.location, &self.related, &self.message)
    }
}
