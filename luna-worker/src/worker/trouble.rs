//! Why an item did not end well, and what follows from it.

use std::time::{Duration, Instant};

use luna_core::SourceError;

use super::dataset::Lost;
use crate::catalogue::Error;
use crate::storage::Error as StorageError;

/// How long a database that is away is asked again.
const PATIENCE: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_secs(1);

/// Why an item did not end well. Reasons are words for the team.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The lease is gone: drop the work.
    Lost,
    /// The worker is to stop: hand the item back.
    Stopped,
    /// It may go better later.
    Passing(String),
    /// It will not.
    Lasting(String),
}

impl Trouble {
    pub(super) fn passing(reason: impl Into<String>) -> Self {
        Self::Passing(reason.into())
    }

    pub(super) fn lasting(reason: impl Into<String>) -> Self {
        Self::Lasting(reason.into())
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::LeaseLost => Self::Lost,
            error if error.is_temporary() => Self::passing(error.to_string()),
            error => Self::lasting(error.to_string()),
        }
    }
}

impl From<StorageError> for Trouble {
    fn from(error: StorageError) -> Self {
        if error.is_temporary() {
            Self::passing(error.to_string())
        } else {
            Self::lasting(error.to_string())
        }
    }
}

impl From<SourceError> for Trouble {
    fn from(error: SourceError) -> Self {
        let cause = match &error {
            SourceError::Storage(cause) => Some(cause),
            _ => None,
        };
        if let Some(lost) = cause.and_then(|cause| cause.downcast_ref::<Lost>()) {
            return lost.clone().into();
        }
        if let Some(error) = cause.and_then(|cause| cause.downcast_ref::<StorageError>()) {
            return error.clone().into();
        }
        Self::lasting(error.to_string())
    }
}

/// Calls the catalogue until it answers: what was worked out is not thrown away because the database is
/// being restarted. (A macro: no bound says yet that what an async closure gives may move between threads.)
macro_rules! patiently {
    ($call:expr) => {{
        let patience = $crate::worker::trouble::Patience::begin();
        loop {
            match $call.await {
                Err(error) if patience.is_left(&error) => patience.pause(&error).await,
                answer => break answer,
            }
        }
    }};
}
pub(super) use patiently;

/// How long a database that is away is still waited for.
pub(super) struct Patience(Instant);

impl Patience {
    pub(super) fn begin() -> Self {
        Self(Instant::now())
    }

    pub(super) fn is_left(&self, error: &Error) -> bool {
        error.is_temporary() && self.0.elapsed() < PATIENCE
    }

    pub(super) async fn pause(&self, error: &Error) {
        tracing::warn!(%error, "waiting for the database");
        tokio::time::sleep(PAUSE).await;
    }
}
