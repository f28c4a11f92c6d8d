//! The one list of formats a report is written in.

use std::path::Path;

/// A format of reports.
///
/// ```
/// use luna_core::report::ReportFormat;
/// assert_eq!(ReportFormat::parse("html"), Some(ReportFormat::Html));
/// assert_eq!(ReportFormat::from_path("out/report.jsonl".as_ref()), Some(ReportFormat::JsonLines));
/// assert_eq!(ReportFormat::from_path("report.junit.xml".as_ref()), Some(ReportFormat::Junit));
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
    /// Findings and files as two tables.
    Parquet,
    /// A test case a file, for continuous integration.
    Junit,
    /// Findings for code hosts and editors (SARIF 2.1.0).
    Sarif,
}

/// What is said of a format: id, purpose, endings, media type.
struct Said {
    id: &'static str,
    describe: &'static str,
    endings: &'static [&'static str],
    media_type: &'static str,
}

impl ReportFormat {
    /// All formats, in the order in which help lists them.
    pub const ALL: &[Self] = &[
        Self::Text,
        Self::Json,
        Self::JsonLines,
        Self::Html,
        Self::Csv,
        Self::Parquet,
        Self::Junit,
        Self::Sarif,
    ];

    const fn said(self) -> Said {
        match self {
            Self::Text => Said {
                id: "text",
                describe: "for a terminal: about 40 lines, whatever the size of the set",
                endings: &["txt"],
                media_type: "text/plain; charset=utf-8",
            },
            Self::Json => Said {
                id: "json",
                describe: "the whole report as one document",
                endings: &["json"],
                media_type: "application/json",
            },
            Self::JsonLines => Said {
                id: "jsonl",
                describe: "the whole report, one file or finding a line",
                endings: &["jsonl", "ndjson"],
                media_type: "application/x-ndjson",
            },
            Self::Html => Said {
                id: "html",
                describe: "one self-contained page with pictures, for a browser",
                endings: &["html", "htm"],
                media_type: "text/html; charset=utf-8",
            },
            Self::Csv => Said {
                id: "csv",
                describe: "findings as a table, one a row",
                endings: &["csv"],
                media_type: "text/csv; charset=utf-8",
            },
            Self::Parquet => Said {
                id: "parquet",
                describe: "findings as a table, and beside it NAME.files.parquet with the files; only with -o",
                endings: &["parquet"],
                media_type: "application/vnd.apache.parquet",
            },
            Self::Junit => Said {
                id: "junit",
                describe: "a test case a file, failed by errors, for continuous integration",
                endings: &["junit.xml"],
                media_type: "application/xml",
            },
            Self::Sarif => Said {
                id: "sarif",
                describe: "findings for code hosts and editors (SARIF 2.1.0)",
                endings: &["sarif", "sarif.json"],
                media_type: "application/sarif+json",
            },
        }
    }

    /// The word used on the command line.
    pub const fn id(self) -> &'static str {
        self.said().id
    }

    /// What it is for, in a few words.
    pub const fn describe(self) -> &'static str {
        self.said().describe
    }

    /// How names of such files end, without the dot; the first is the usual one.
    pub const fn endings(self) -> &'static [&'static str] {
        self.said().endings
    }

    /// The media type, as a web server names it.
    pub const fn media_type(self) -> &'static str {
        self.said().media_type
    }

    /// True if it is no text, so that nobody wants it in a terminal.
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::Parquet)
    }

    /// True if files stand in a second document, which [`render_files`](super::render_files) writes.
    pub const fn has_files_apart(self) -> bool {
        matches!(self, Self::Parquet)
    }

    /// The format of this [`id`](Self::id).
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.id() == id)
    }

    /// The format that a file name's ending asks for (any case): the longest that fits, so that
    /// `x.sarif.json` is SARIF.
    pub fn from_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let fits = |ending: &str| {
            name.strip_suffix(ending)
                .and_then(|stem| stem.strip_suffix('.'))
                .is_some_and(|stem| !stem.is_empty())
        };
        Self::ALL
            .iter()
            .flat_map(|format| format.endings().iter().map(move |ending| (ending, *format)))
            .filter(|(ending, _)| fits(ending))
            .max_by_key(|(ending, _)| ending.len())
            .map(|(_, format)| format)
    }
}

impl std::fmt::Display for ReportFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.id())
    }
}
