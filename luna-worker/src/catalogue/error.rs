//! What can keep the catalogue from doing what it was asked.

use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::error::{DatabaseError, ErrorKind};

static FAILED: AtomicU64 = AtomicU64::new(0);

/// How often a database did not answer this process.
pub fn failures() -> u64 {
    FAILED.load(Ordering::Relaxed)
}

/// Counts a call that nobody waited for any longer.
pub fn failed() {
    FAILED.fetch_add(1, Ordering::Relaxed);
}

/// The catalogue could not do it. No message holds an SQL text, a value of a row, or a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database is away, busy or full. Nothing was changed: try again later.
    #[error("the database does not answer ({reason}); try again later")]
    Unavailable {
        /// What stood in the way.
        reason: String,
    },
    /// There is no such thing, or it belongs to somebody else.
    #[error("there is no such {what}")]
    NotFound {
        /// The noun.
        what: &'static str,
    },
    /// It clashes with what is there: read that, and decide anew.
    #[error("{what}")]
    Conflict {
        /// What clashes.
        what: &'static str,
    },
    /// It cannot be kept as it is: mend what was sent.
    #[error("{what}")]
    Invalid {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The lease ran out, or the job was cancelled: drop the work, another has it.
    #[error("the lease on this item is gone; drop the work")]
    LeaseLost,
    /// The database holds what this program did not write: restore a backup, or report a defect.
    #[error("the database is damaged or not LUNA's ({reason}); restore it from a backup")]
    Corrupt {
        /// What was seen.
        reason: String,
    },
    /// A newer version of LUNA has been at work here: use that one.
    #[error(
        "the database has schema {found}, this version of LUNA knows {known}; start the newer version"
    )]
    TooNew {
        /// Schema of the database.
        found: i64,
        /// Newest schema that this program knows.
        known: i64,
    },
}

/// What the catalogue gives back.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// True if the same call may work later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    pub(crate) fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into() }
    }

    pub(crate) fn corrupt(reason: impl Into<String>) -> Self {
        Self::Corrupt { reason: reason.into() }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let error = Self::of(error);
        if error.is_temporary() {
            FAILED.fetch_add(1, Ordering::Relaxed);
        }
        error
    }
}

impl Error {
    fn of(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => of_database(error.as_ref()),
            sqlx::Error::RowNotFound => Self::NotFound { what: "row" },
            sqlx::Error::Io(error) => Self::unavailable(error.kind().to_string()),
            sqlx::Error::PoolTimedOut => Self::unavailable("no connection could be had in time"),
            sqlx::Error::PoolClosed => Self::unavailable("the catalogue is closed"),
            sqlx::Error::Tls(_) => Self::unavailable("no encrypted connection"),
            sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_) => {
                Self::unavailable("the connection broke")
            }
            sqlx::Error::Configuration(_) => {
                Self::Invalid { what: "the database URL is malformed" }
            }
            sqlx::Error::Migrate(error) => of_migration(*error),
            // The rest tells of columns and types; their texts may quote values.
            _ => Self::corrupt("a row is not as it was written"),
        }
    }
}

fn of_database(error: &dyn DatabaseError) -> Error {
    match error.kind() {
        ErrorKind::UniqueViolation => return Error::Conflict { what: "there is one already" },
        ErrorKind::ForeignKeyViolation => return Error::NotFound { what: "thing to refer to" },
        ErrorKind::CheckViolation | ErrorKind::NotNullViolation => {
            return Error::Invalid { what: "a value is outside what can be kept" };
        }
        _ => {}
    }
    let code = error.code().unwrap_or_default().into_owned();
    // SQLSTATE has five characters, the first two of which are its class.
    if code.len() == 5
        && code.parse::<u32>().map_or(true, |number| number > 9999 || code.starts_with('0'))
    {
        return match code.get(..2) {
            // Connection, resources, operator, system; rolled back; object in use.
            Some("08" | "53" | "57" | "58" | "40" | "55") => {
                Error::unavailable(format!("SQLSTATE {code}"))
            }
            Some("P0") => Error::Conflict { what: "the audit log is append-only" },
            Some("22") => Error::Invalid { what: "a text or number cannot be kept" },
            // Unknown role, database or password: a matter of the operator, not of the data.
            Some("28" | "3D") => Error::unavailable(format!("access refused, SQLSTATE {code}")),
            _ => Error::corrupt(format!("SQLSTATE {code}")),
        };
    }
    if is_busy(error) {
        return Error::unavailable("another process holds it");
    }
    // SQLite's extended codes carry the primary one in their low byte.
    match code.parse::<u32>().map(|code| code & 0xff) {
        Ok(13) => Error::unavailable("the disk is full"),
        Ok(8 | 10 | 14) => {
            Error::unavailable(format!("SQLite code {code}: check disk and permissions"))
        }
        Ok(19) => Error::Conflict { what: "the audit log is append-only" },
        Ok(18 | 20 | 25) => Error::Invalid { what: "a text or number cannot be kept" },
        _ => Error::corrupt(format!("SQLite code {code}")),
    }
}

/// Whether another process holds SQLite's file.
pub(crate) fn is_busy(error: &dyn DatabaseError) -> bool {
    let code = error.code().and_then(|code| code.parse::<u32>().ok());
    // SQLITE_BUSY, SQLITE_LOCKED, in whatever extended form.
    code.is_some_and(|code| matches!(code & 0xff, 5 | 6))
}

fn of_migration(error: sqlx::migrate::MigrateError) -> Error {
    use sqlx::migrate::MigrateError;
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        MigrateError::VersionMissing(found) => {
            Error::TooNew { found, known: super::migrations::newest() }
        }
        MigrateError::VersionMismatch(version) => {
            Error::corrupt(format!("schema {version} is another one than this program's"))
        }
        _ => Error::corrupt("the list of migrations"),
    }
}

impl From<sqlx::migrate::MigrateError> for Error {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        of_migration(error)
    }
}
