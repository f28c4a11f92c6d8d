//! The one list of formats a report is written in.

use std::path::Path;

/// A format of reports.
///
/// ```
/// use luna_core::report::ReportFormat;
/// assert_eq!(ReportFormat::parse("html"), Some(ReportFormat::Html));
/// assert_eq!(ReportFormat::from_path("out/report.jsonl".as_ref()), Some(ReportFormat::JsonLines));
/// assert_eq!(ReportFormat::from_path("report.docx".as_ref()), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReportFormat {
    /// For a terminal: about 40 lines, whatever the size of the set.
    Text,
    /// The whole report as one document.
    Json,
    /// The whole report, a file or finding a line.
    JsonLines,
    /// One page with pictures.
    Html,
    /// Findings as a table.
    Csv,
}

impl ReportFormat {
    /// All formats, in the order in which help lists them.
    pub const ALL: &[Self] = &[Self::Text, Self::Json, Self::JsonLines, Self::Html, Self::Csv];

    /// The word used on the command line.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::JsonLines => "jsonl",
            Self::Html => "html",
            Self::Csv => "csv",
        }
    }

    /// What it is for, in a few words.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Text => "for a terminal: about 40 lines, whatever the size of the set",
            Self::Json => "the whole report as one document",
            Self::JsonLines => "the whole report, one file or finding a line",
            Self::Html => "one self-contained page with pictures, for a browser",
            Self::Csv => "findings as a table, one a row",
        }
    }

    /// How names of such files end, without the dot; the first is the usual one.
    pub const fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Text => &["txt"],
            Self::Json => &["json"],
            Self::JsonLines => &["jsonl", "ndjson"],
            Self::Html => &["html", "htm"],
            Self::Csv => &["csv"],
        }
    }

    /// The media type, as a web server names it.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; charset=utf-8",
            Self::Json => "application/json",
            Self::JsonLines => "application/x-ndjson",
            Self::Html => "text/html; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }

    /// The format of this [`id`](Self::id).
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.id() == id)
    }

    /// The format that a file name's ending asks for (any case).
    pub fn from_path(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?;
        let fits = |known: &&str| known.eq_ignore_ascii_case(ending);
        Self::ALL.iter().copied().find(|format| format.endings().iter().any(fits))
    }
}

impl std::fmt::Display for ReportFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.id())
    }
}
