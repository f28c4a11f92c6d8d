//! What a service tells: how a validation stands, its report, the data sets that it has.

use std::fmt::Write as _;
use std::time::Duration;

use luna_core::{Report, text};
use serde::Deserialize;
use serde_json::Value;

use super::client::Server;
use super::error::{Error, Result};
use super::watch::Watch;

/// Time between two looks at a validation, at first and at last.
const LOOKS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));

/// How a validation stands.
#[derive(Debug, Deserialize)]
pub struct Status {
    /// `pending`, `processing`, `completed`, `failed` or `cancelled`.
    pub status: String,
    /// `pass`, `fail` or `incomplete`, once it has completed.
    pub verdict: Option<String>,
    /// Why it could not be run.
    pub error_message: Option<String>,
    /// Counts, once it has completed.
    pub validation_results: Option<Value>,
    #[serde(default)]
    progress: Progress,
    #[serde(default)]
    queue: Queue,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Progress {
    done: u64,
    total: u64,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Queue {
    position: Option<u64>,
    files_ahead: Option<u64>,
    workers_alive: Option<u64>,
}

impl Status {
    /// In words.
    pub(super) fn stage(&self) -> String {
        let Queue { position, files_ahead, workers_alive } = self.queue;
        let Progress { done, total } = self.progress;
        let (done, of) = (text::grouped(done), text::counted(total, "file"));
        if self.status == "processing" {
            return format!("validating: {done} of {of}");
        }
        let mut stage = "waiting to be validated".to_owned();
        if let Some(position @ 1..) = position {
            let _ = write!(stage, ", number {} in the queue", text::grouped(position));
        }
        if let Some(ahead @ 1..) = files_ahead {
            let _ = write!(stage, ", {} ahead", text::counted(ahead, "file"));
        }
        if workers_alive == Some(0) {
            stage.push_str("; no worker is up at the moment");
        }
        stage
    }
}

/// A page of a list.
#[derive(Debug, Deserialize)]
struct Page {
    items: Vec<Value>,
    #[serde(default)]
    next_cursor: Option<String>,
}

impl Server {
    /// Waits until the validation has ended.
    pub(super) fn wait_for(&self, dataset_id: i64, watch: &Watch) -> Result<Status> {
        let path = format!("/api/v1/validation/{dataset_id}/status");
        let (mut pause, longest) = LOOKS;
        loop {
            let status: Status = self.get(&path)?;
            if !matches!(status.status.as_str(), "pending" | "processing") {
                return Ok(status);
            }
            let Progress { done, total } = status.progress;
            watch.waiting(&status.stage(), done, total);
            self.wait(pause)?;
            pause = pause.mul_f64(1.25).min(longest);
        }
    }

    /// The data sets that one may see, newest first, as the service describes them.
    ///
    /// # Errors
    /// If the service cannot be asked, or refuses.
    pub fn datasets(&self) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        let mut query = page_after(None);
        loop {
            let Page { items, next_cursor } = self.get(&format!("/api/v1/datasets?{query}"))?;
            all.extend(items);
            match next_cursor {
                Some(next) => query = page_after(Some(&next)),
                None => return Ok(all),
            }
        }
    }

    /// The report of a data set that was validated.
    ///
    /// # Errors
    /// If the service cannot be asked, or refuses, as it does while there is no report; [`Error::Report`] if it is
    /// one of another version of LUNA.
    pub fn report(&self, dataset_id: i64) -> Result<Report> {
        let path = format!("/api/v1/validation/{dataset_id}/report?format=json");
        let bytes = self.get_bytes(&path)?;
        Report::from_bytes(&bytes).map_err(|source| Error::Report { dataset_id, source })
    }
}

/// The query for a page of a list, as long as a service gives them.
pub(super) fn page_after(cursor: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", "1000");
    if let Some(cursor) = cursor {
        query.append_pair("cursor", cursor);
    }
    query.finish()
}
