//! How the command ends.

use std::error::Error as _;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use luna_core::{Error, ProfileError, SourceError, text};

use crate::place::{self, PlaceError};
#[cfg(feature = "storage")]
use crate::storage;

/// How the command ended: its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: nothing at or above `--fail-on`.
    Clean,
    /// 1: findings, or the work was cut short.
    Findings,
    /// 2: wrong usage, or a profile or key that cannot be used.
    Usage,
    /// 3: the source could not be read.
    SourceUnreadable,
    /// 4: a result could not be written.
    NotWritten,
    /// 130: interrupted; what was found so far was printed.
    Interrupted,
}

impl Exit {
    /// The number that the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::SourceUnreadable => 3,
            Self::NotWritten => 4,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Why a subcommand gave up.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The arguments make no sense together.
    #[error("{0}")]
    Usage(String),
    /// A file that an argument names cannot be opened.
    #[error("{place}: cannot be opened")]
    Unopened { place: String, source: io::Error },
    /// A file that should be a report is none that can be read.
    #[error("{place}")]
    Report { place: String, source: Error },
    /// What an argument names lies in a storage, which says what is wrong with it.
    #[cfg(feature = "storage")]
    #[error("{error}")]
    Stored { exit: Exit, error: storage::Error },
    /// The service's catalogue cannot be used.
    #[cfg(feature = "service")]
    #[error(transparent)]
    Catalogue(#[from] crate::catalogue::Error),
    /// Something that the service needs of the machine.
    #[cfg(feature = "service")]
    #[error("{what}")]
    Service { what: String, source: io::Error },
    /// A data set could not be handed in.
    #[cfg(feature = "push")]
    #[error("{message}")]
    Push { exit: Exit, message: String },
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Engine(#[from] Error),
    /// A result cannot be written.
    #[error("{place}: cannot be written")]
    NotWritten { place: String, source: io::Error },
}

impl From<ProfileError> for Failure {
    fn from(error: ProfileError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self::Engine(error.into())
    }
}

#[cfg(feature = "service")]
impl From<storage::Error> for Failure {
    fn from(error: storage::Error) -> Self {
        Self::Stored { exit: Exit::SourceUnreadable, error }
    }
}

#[cfg(feature = "push")]
impl From<crate::push::Error> for Failure {
    fn from(error: crate::push::Error) -> Self {
        use crate::push::Error;
        match error {
            Error::Place(error) => Self::Place(error),
            Error::Engine(error) => Self::Engine(error),
            Error::Address(what) => Self::Usage(format!("--server {what}")),
            error => Self::Push { exit: error.exit(), message: error.in_short() },
        }
    }
}

#[cfg(feature = "service")]
impl Failure {
    pub(super) fn service(what: &str, source: io::Error) -> Self {
        Self::Service { what: what.to_owned(), source }
    }
}

impl Failure {
    pub(super) fn not_written(place: &Path, source: io::Error) -> Self {
        Self::stored(Exit::NotWritten, source)
            .unwrap_or_else(|source| Self::NotWritten { place: shown(place), source })
    }

    pub(super) fn unopened(place: &Path, source: io::Error) -> Self {
        Self::stored(Exit::Usage, source)
            .unwrap_or_else(|source| Self::Unopened { place: shown(place), source })
    }

    /// A storage's error names the place itself.
    fn stored(exit: Exit, source: io::Error) -> Result<Self, io::Error> {
        #[cfg(feature = "storage")]
        let source = match source.downcast() {
            Ok(error) => return Ok(Self::Stored { exit, error }),
            Err(source) => source,
        };
        let _ = exit;
        Err(source)
    }

    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Place(PlaceError::Source(_)) | Self::Engine(Error::Source(_)) => {
                Exit::SourceUnreadable
            }
            #[cfg(feature = "storage")]
            Self::Place(PlaceError::Storage(_)) => Exit::SourceUnreadable,
            #[cfg(feature = "storage")]
            Self::Stored { exit, .. } => *exit,
            // What is named does not exist, or is in the way: wrong usage, unlike a database that is away.
            #[cfg(feature = "service")]
            Self::Catalogue(
                crate::catalogue::Error::NotFound { .. }
                | crate::catalogue::Error::Conflict { .. }
                | crate::catalogue::Error::Invalid { .. },
            ) => Exit::Usage,
            #[cfg(feature = "service")]
            Self::Catalogue(_) | Self::Service { .. } => Exit::SourceUnreadable,
            #[cfg(feature = "push")]
            Self::Push { exit, .. } => *exit,
            Self::NotWritten { .. } | Self::Engine(Error::Write { .. }) => Exit::NotWritten,
            Self::Usage(_)
            | Self::Unopened { .. }
            | Self::Report { .. }
            | Self::Place(_)
            | Self::Engine(_) => Exit::Usage,
        }
    }

    /// The message with its causes: `report.json: cannot be written: no space left on device`.
    pub(super) fn in_full(&self) -> String {
        let mut message = self.to_string();
        let mut cause = self.source();
        while let Some(next) = cause {
            message.push_str(": ");
            message.push_str(&next.to_string());
            cause = next.source();
        }
        message
    }
}

/// A place as messages name it: a URI without its options, which may be secret.
pub(super) fn shown(place: &Path) -> String {
    text::escaped(&place::shown(place))
}
