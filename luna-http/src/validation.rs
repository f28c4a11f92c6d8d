//! How far a validation is, and what it found.

use axum::extract::{Query, State as Shared};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::body::Ids;
use crate::caller::Caller;
use crate::problem::{Problem, Result};
use crate::{Service, State};

/// Lines of a job's log that the status holds.
const MOST_LINES: u32 = 200;
/// The largest report that is sent.
const MOST_BYTES: u64 = 1 << 30;

pub(crate) fn routes() -> Router<std::sync::Arc<Service>> {
    Router::new()
        .route("/api/v1/validation/{dataset_id}/status", get(status))
        .route("/api/v1/validation/{dataset_id}/report", get(report))
}

async fn status(
    Shared(service): State,
    caller: Caller,
    Ids(dataset_id): Ids<i64>,
) -> Result<Json<Value>> {
    let dataset = caller.dataset(&service, dataset_id).await?;
    let job = service.catalogue.latest_job(dataset.id).await?;
    let lines = service.catalogue.logs(job.id, MOST_LINES).await?;
    let place = service.catalogue.queue_place(job.id).await?;
    let logs: Vec<Value> = lines
        .iter()
        .map(|line| {
            json!({
                "time": line.at.to_string(),
                "level": line.level.as_str(),
                "message": line.message,
            })
        })
        .collect();
    let results: Value = match &job.summary {
        Some(summary) => serde_json::from_str(summary).map_err(|error| {
            tracing::error!(%error, job = job.id, "a job's summary is no JSON");
            Problem::internal()
        })?,
        None => Value::Null,
    };
    Ok(Json(json!({
        "dataset_id": dataset.id,
        "validation_job_id": job.id,
        "status": job.state.as_str(),
        "started_at": job.started_at.map(|it| it.to_string()),
        "completed_at": job.completed_at.map(|it| it.to_string()),
        "error_message": job.error_message,
        "validation_logs": logs,
        "validation_results": results,
        "progress": { "done": job.files_done, "total": job.files_total },
        "queue": {
            "position": place.position,
            "files_ahead": place.files_ahead,
            "workers_alive": place.workers_alive,
        },
        "verdict": job.verdict,
    })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Html,
}

async fn report(
    Shared(service): State,
    caller: Caller,
    Ids(dataset_id): Ids<i64>,
    asked: std::result::Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<impl IntoResponse> {
    let Query(Asked { format }) = asked.map_err(|_| {
        let detail = "`format` is json or html.";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-query", detail)
    })?;
    let dataset = caller.dataset(&service, dataset_id).await?;
    let job = service.catalogue.latest_job(dataset.id).await?;
    let name = match format {
        Format::Json => "report.json",
        Format::Html => "report.html",
    };
    let artifacts = service.catalogue.artifacts(job.id).await?;
    let found = artifacts.into_iter().find(|it| it.file.name == name);
    let artifact = found.ok_or_else(|| {
        let detail = "There is no report yet: the validation has not completed.";
        Problem::new(StatusCode::CONFLICT, "no-report-yet", detail)
    })?;
    let bytes = service.storage.read(&artifact.file.object_key, MOST_BYTES).await?;
    let headers = [
        (CONTENT_TYPE, artifact.file.content_type),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        // The report brings a policy of its own, which allows its script by hash; nothing may frame it.
        (CONTENT_SECURITY_POLICY, "frame-ancestors 'none'".to_owned()),
    ];
    Ok((headers, bytes))
}
