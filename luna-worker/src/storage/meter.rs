//! What storages were asked, as spans of a trace, and what they refused to do, counted.
//!
//! Counted at our own door and not by a layer of opendal's: its layers for metrics bring a metrics
//! library each and count every try, while a host wants to know what did not work in the end. Its layer
//! for tracing shows whole requests, with the signatures in their addresses.

use std::sync::atomic::{AtomicU64, Ordering};

use tracing::Instrument as _;

use super::Storage;
use super::error::{Error, Result};

/// What a storage is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Look at one object.
    Stat,
    /// Read an object or a part of it.
    Read,
    /// Write an object.
    Write,
    /// Delete an object.
    Delete,
    /// List objects.
    List,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Stat, Self::Read, Self::Write, Self::Delete, Self::List];

    /// Its name, as a metric's label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stat => "stat",
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
            Self::List => "list",
        }
    }
}

static FAILED: [AtomicU64; 5] = [const { AtomicU64::new(0) }; 5];

/// How often this process's storages failed to do this. Objects that are not there, or too large, are
/// answers and no failures.
pub fn failures(operation: Operation) -> u64 {
    FAILED.get(operation as usize).map_or(0, |count| count.load(Ordering::Relaxed))
}

/// Does it inside a span that names operation and object, and counts its failure.
pub(super) async fn watched<T>(
    operation: Operation,
    storage: &Storage,
    key: &str,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let place = || storage.shown(key);
    let span = tracing::debug_span!("storage", operation = operation.name(), place = place());
    work.instrument(span).await.map_err(|error| count(operation, error))
}

pub(super) fn count(operation: Operation, error: Error) -> Error {
    let is_answer = matches!(error, Error::NotFound { .. } | Error::TooLarge { .. });
    if !is_answer {
        failed(operation);
    }
    error
}

/// Counts a failure of a storage that is written to beside [`Storage`].
pub fn failed(operation: Operation) {
    if let Some(count) = FAILED.get(operation as usize) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}
