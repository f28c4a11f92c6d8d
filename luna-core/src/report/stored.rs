//! Stored reports, JSON and JSON Lines, read back: strictly, so that what is rendered again is the
//! whole of what was stored.

use serde::Deserialize;
use serde::de::Error as _;

use super::{Report, SCHEMA_VERSION, jsonl};
use crate::error::Error;
use crate::text::escaped;

/// Characters of a reader's complaint that are repeated: it lists all known keys.
const LONGEST: usize = 300;

/// What tells a report, and by whom it was written; other keys are skipped.
#[derive(Deserialize)]
struct Version {
    schema_version: u64,
    luna_version: String,
}

impl Report {
    /// Reads a report that was written as JSON.
    ///
    /// ```
    /// # use luna_core::report::Report;
    /// let newer = br#"{"schema_version": 7, "luna_version": "9.1.0", "colour": "blue"}"#;
    /// let said = Report::from_json(newer).unwrap_err().to_string();
    /// assert!(said.contains("version 7 (written by luna 9.1.0)"), "{said}");
    /// assert!(Report::from_json(b"{}").is_err());
    /// ```
    ///
    /// # Errors
    /// [`Error::NoReport`] if it is none, or has keys that no report has; [`Error::OtherReport`] if
    /// its shape is of another version.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        of_this_version(bytes)?;
        let report = serde_json::from_slice(bytes).map_err(|error| no_report(&error))?;
        jsonl::whole(&report).map_err(|error| no_report(&error))?;
        Ok(report)
    }

    /// Reads a report that was written as JSON Lines.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json), and if it was cut short.
    pub fn from_jsonl(bytes: &[u8]) -> Result<Self, Error> {
        of_this_version(first_line(bytes))?;
        jsonl::read(bytes).map_err(|error| no_report(&error))
    }

    /// Reads a stored report, JSON or JSON Lines, told by the bytes.
    ///
    /// ```
    /// # use luna_core::{report::{Report, ReportFormat, RenderOptions, render}, Validator, source::Memory};
    /// let report = Validator::default().validate(&Memory::single("a.png", Vec::new()))?;
    /// let mut stored = Vec::new();
    /// render(&report, ReportFormat::JsonLines, &RenderOptions::default(), None, &mut stored)?;
    /// assert_eq!(Report::from_bytes(&stored)?, report);
    /// # Ok::<(), luna_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json) and [`from_jsonl`](Self::from_jsonl).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Typed {
            #[serde(rename = "type")]
            _kind: String,
        }
        if serde_json::from_slice::<Typed>(first_line(bytes)).is_ok() {
            return Self::from_jsonl(bytes);
        }
        Self::from_json(bytes)
    }
}

fn first_line(bytes: &[u8]) -> &[u8] {
    bytes
        .split(|byte| *byte == b'\n')
        .find(|line| !line.trim_ascii().is_empty())
        .unwrap_or_default()
}

/// The version first, for a report of another shape must not be called broken.
fn of_this_version(document: &[u8]) -> Result<(), Error> {
    let Version { schema_version, luna_version } =
        serde_json::from_slice(document).map_err(|error| no_report(&error))?;
    if schema_version == u64::from(SCHEMA_VERSION) {
        return Ok(());
    }
    let luna_version = crate::text::shown(&luna_version);
    Err(Error::OtherReport { schema_version, luna_version })
}

/// The reader's words, which may repeat keys of a file that is anything, made safe to print.
fn no_report(error: &serde_json::Error) -> Error {
    let said = escaped(&error.to_string());
    let short: String = said.chars().take(LONGEST).collect();
    let rest = if short.len() < said.len() { "…" } else { "" };
    Error::NoReport(serde_json::Error::custom(short + rest))
}
