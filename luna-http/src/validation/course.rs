//! The course of a validation: asked for, begun again, given up.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use luna_worker::catalogue::{LogLine, QueuePlace, ValidationJob};
use serde::Serialize;
use utoipa::ToSchema;

use crate::body::Ids;
use crate::caller::Caller;
use crate::problem::{Problem, Result};
use crate::{Service, State};

/// Lines of a job's log that the status holds.
const MOST_LINES: u32 = 200;

/// How far a validation is.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the name that clients know")]
pub(super) struct Status {
    dataset_id: i64,
    validation_job_id: i64,
    /// `pending`, `processing`, `completed`, `failed` or `cancelled`. Completed says that it ran; whether the data
    /// set passed is its verdict.
    #[schema(example = "completed")]
    status: &'static str,
    /// RFC 3339, UTC.
    started_at: Option<String>,
    /// RFC 3339, UTC.
    completed_at: Option<String>,
    /// Why it could not be run, and whose turn it is.
    error_message: Option<String>,
    validation_logs: Vec<Line>,
    /// Null until it has completed.
    validation_results: Option<serde_json::Value>,
    progress: Progress,
    queue: Queue,
    /// `pass` or `fail`.
    #[schema(example = "pass")]
    verdict: Option<String>,
}

/// A line of a job's log.
#[derive(Debug, Serialize, ToSchema)]
struct Line {
    /// RFC 3339, UTC.
    time: String,
    #[schema(example = "info")]
    level: &'static str,
    message: String,
}

/// How many files have been looked at.
#[derive(Debug, Serialize, ToSchema)]
struct Progress {
    done: u64,
    /// 0 until they have been listed.
    total: u64,
}

/// Where the job stands among all; teams take turns, so it is an estimate.
#[derive(Debug, Serialize, ToSchema)]
struct Queue {
    /// 1 for what is worked now or next, 0 for what has ended.
    position: u64,
    files_ahead: u64,
    workers_alive: u64,
}

impl Status {
    fn of(job: ValidationJob, lines: &[LogLine], place: QueuePlace) -> Result<Self> {
        let line = |line: &LogLine| Line {
            time: line.at.to_string(),
            level: line.level.as_str(),
            message: line.message.clone(),
        };
        let results = job.summary.as_deref().map(serde_json::from_str).transpose();
        let validation_results = results.map_err(|error| {
            tracing::error!(%error, job = job.id, "a job's summary is no JSON");
            Problem::internal()
        })?;
        Ok(Self {
            dataset_id: job.dataset_id,
            validation_job_id: job.id,
            status: job.state.as_str(),
            started_at: job.started_at.map(|it| it.to_string()),
            completed_at: job.completed_at.map(|it| it.to_string()),
            error_message: job.error_message,
            validation_logs: lines.iter().map(line).collect(),
            validation_results,
            progress: Progress { done: job.files_done, total: job.files_total },
            queue: Queue {
                position: place.position,
                files_ahead: place.files_ahead,
                workers_alive: place.workers_alive,
            },
            verdict: job.verdict,
        })
    }
}

/// See how far a validation is.
#[utoipa::path(
    get, path = "/api/v1/validation/{dataset_id}/status", tag = "validation",
    params(("dataset_id" = i64, Path)), responses((status = 200, body = Status)),
    extensions(("x-who" = json!("team")))
)]
pub(super) async fn status(
    Shared(service): State,
    caller: Caller,
    Ids(dataset_id): Ids<i64>,
) -> Result<Json<Status>> {
    let dataset = caller.dataset(&service, dataset_id).await?;
    let job = service.catalogue.latest_job(dataset.id).await?;
    let lines = service.catalogue.logs(job.id, MOST_LINES).await?;
    let place = service.catalogue.queue_place(job.id).await?;
    Status::of(job, &lines, place).map(Json)
}

/// A job that was taken on.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TakenOn {
    dataset_id: i64,
    validation_job_id: i64,
    #[schema(example = "pending")]
    status: &'static str,
}

impl Service {
    /// Begins a validation anew; its job comes back.
    pub(crate) async fn rerun(&self, caller: &Caller, dataset_id: i64) -> Result<i64> {
        let dataset = caller.own_dataset(self, dataset_id).await?;
        let profile = match dataset.task_id {
            None => None,
            Some(task) => {
                let name = self.catalogue.task(task).await?.name;
                self.catalogue.task_named(&name).await?.profile_id
            }
        };
        let job_id = self.catalogue.rerun(dataset.id, profile, 0).await?;
        self.audit(caller, "dataset.rerun", &format!("dataset {dataset_id}")).await?;
        Ok(job_id)
    }

    /// Gives up the newest validation, if it has not ended; its job comes back.
    pub(crate) async fn cancel(&self, caller: &Caller, dataset_id: i64) -> Result<i64> {
        let dataset = caller.own_dataset(self, dataset_id).await?;
        let job = self.catalogue.latest_job(dataset.id).await?;
        self.catalogue.cancel(job.id).await?;
        self.audit(caller, "dataset.cancel", &format!("dataset {dataset_id}")).await?;
        Ok(job.id)
    }

    async fn taken_on(&self, job_id: i64) -> Result<(StatusCode, Json<TakenOn>)> {
        let job = self.catalogue.job(job_id).await?;
        let status = job.state.as_str();
        let taken = TakenOn { dataset_id: job.dataset_id, validation_job_id: job.id, status };
        Ok((StatusCode::ACCEPTED, Json(taken)))
    }
}

/// Validate a data set again, by the profile that its task has now.
#[utoipa::path(
    post, path = "/api/v1/validation/{dataset_id}/rerun", tag = "validation",
    params(("dataset_id" = i64, Path)), responses((status = 202, body = TakenOn)),
    extensions(("x-who" = json!("team")))
)]
pub(super) async fn rerun(
    Shared(service): State,
    caller: Caller,
    Ids(dataset_id): Ids<i64>,
) -> Result<(StatusCode, Json<TakenOn>)> {
    let job_id = service.rerun(&caller, dataset_id).await?;
    service.taken_on(job_id).await
}

/// Give up a validation that has not ended.
#[utoipa::path(
    post, path = "/api/v1/validation/{dataset_id}/cancel", tag = "validation",
    params(("dataset_id" = i64, Path)), responses((status = 202, body = TakenOn)),
    extensions(("x-who" = json!("team")))
)]
pub(super) async fn cancel(
    Shared(service): State,
    caller: Caller,
    Ids(dataset_id): Ids<i64>,
) -> Result<(StatusCode, Json<TakenOn>)> {
    let job_id = service.cancel(&caller, dataset_id).await?;
    service.taken_on(job_id).await
}
