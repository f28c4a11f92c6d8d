//! What can keep the engine from doing its work. A bad file is never one of these: it is a finding.

use std::io;

/// The engine could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The source cannot be listed: check that it exists and may be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The profile cannot be used: mend the named line.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A report cannot be written: check the place and the room on it.
    #[error("the {format} report could not be written")]
    Write {
        /// The report format.
        format: &'static str,
        /// What the writer said.
        #[source]
        source: io::Error,
    },
    /// A stored report cannot be read: name one that was written with `--format json` or `jsonl`.
    #[error("this is no whole report in JSON or JSON Lines")]
    NoReport(#[source] serde_json::Error),
    /// A stored report has another shape: use the engine that wrote it, or validate again.
    #[error(
        "this report has schema version {schema_version} (written by luna {luna_version}); \
         this luna reads version {}",
        crate::report::SCHEMA_VERSION
    )]
    OtherReport {
        /// Version of its shape.
        schema_version: u64,
        /// The engine that wrote it.
        luna_version: String,
    },
    /// The thread pool could not be started: ask for fewer threads.
    #[error("{threads} worker threads could not be started")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// What the pool said.
        #[source]
        source: rayon::ThreadPoolBuildError,
    },
}

/// A place that cannot be listed or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// There is nothing at this place.
    #[error("{place}: there is no such file or folder")]
    NotFound {
        /// The place, as the caller named it.
        place: String,
    },
    /// The place exists but the system refuses to open it.
    #[error("{place}: cannot be read")]
    Unreadable {
        /// The place, as the caller named it.
        place: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The storage that holds it does not give it; its own error names the place and the remedy.
    #[error(transparent)]
    Storage(Box<dyn std::error::Error + Send + Sync>),
}

/// A profile that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The file cannot be opened.
    #[error("profile {name}: cannot be read")]
    Unreadable {
        /// The profile's file name.
        name: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Neither a built-in profile nor a file.
    #[error("profile {name}: no built-in profile and no such file{hint}")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// ` (did you mean …?)` or a list of the built-in names.
        hint: String,
    },
    /// A key or value is not usable.
    #[error("profile {name}{}: {message}", at_line(*line))]
    Invalid {
        /// The profile's name or file name.
        name: String,
        /// Line in the file, from 1; `None` for what was set by a program.
        line: Option<usize>,
        /// What is wrong, with the key and, where there is one, the nearest known key.
        message: String,
    },
    /// Profiles extend each other in a circle, or more than eight deep.
    #[error("profile {name}: `extends` goes round in a circle or is deeper than 8")]
    Circular {
        /// The profile's name.
        name: String,
    },
}

fn at_line(line: Option<usize>) -> String {
    line.map(|line| format!(", line {line}")).unwrap_or_default()
}
