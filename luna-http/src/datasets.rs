//! Data sets: what a team handed in, its versions, the one that counts.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use luna_core::Report;
use luna_core::report::ReportFormat;
use luna_worker::catalogue::{self, Dataset, JobState, ValidationJob};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::api::Routes;
use crate::body::Ids;
use crate::caller::Caller;
use crate::page::{Asked, Page};
use crate::problem::{Problem, Result};
use crate::{Service, State};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list))
        .routes(routes!(show, delete))
        .routes(routes!(versions))
        .routes(routes!(submit))
}

/// A version of a data set.
#[derive(Debug, Serialize, ToSchema)]
struct DatasetRow {
    dataset_id: i64,
    team_id: i64,
    /// The version of the task that it was uploaded for.
    task_id: Option<i64>,
    name: String,
    description: String,
    /// 1 for the first.
    version: i64,
    /// Number of the first version: all versions share it.
    lineage: i64,
    /// `uploading` or `complete`.
    #[schema(example = "complete")]
    state: &'static str,
    /// RFC 3339, UTC.
    created_at: String,
    /// When the team said that this version counts; RFC 3339, UTC.
    submitted_at: Option<String>,
    /// What it was then.
    fingerprint: Option<String>,
    /// The newest validation; null before the first.
    validation: Option<Newest>,
}

/// The newest validation of a data set.
#[derive(Debug, Serialize, ToSchema)]
struct Newest {
    validation_job_id: i64,
    #[schema(example = "completed")]
    status: &'static str,
    verdict: Option<String>,
}

impl Service {
    /// The newest job of a data set, if it has one.
    pub(crate) async fn newest_job(&self, dataset_id: i64) -> Result<Option<ValidationJob>> {
        match self.catalogue.latest_job(dataset_id).await {
            Ok(job) => Ok(Some(job)),
            Err(catalogue::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn row(&self, dataset: Dataset) -> Result<DatasetRow> {
        let mut rows = self.rows(vec![dataset]).await?;
        rows.pop().ok_or_else(Problem::internal)
    }

    /// With one question for the jobs of all of them.
    async fn rows(&self, datasets: Vec<Dataset>) -> Result<Vec<DatasetRow>> {
        let ids: Vec<i64> = datasets.iter().map(|it| it.id).collect();
        let mut jobs = self.catalogue.latest_jobs(&ids).await?;
        let row = |dataset: Dataset| DatasetRow {
            validation: jobs.remove(&dataset.id).map(|job| Newest {
                validation_job_id: job.id,
                status: job.state.as_str(),
                verdict: job.verdict,
            }),
            dataset_id: dataset.id,
            team_id: dataset.team_id,
            task_id: dataset.task_id,
            name: dataset.name,
            description: dataset.description,
            version: dataset.version,
            lineage: dataset.lineage,
            state: dataset.state.as_str(),
            created_at: dataset.created_at.to_string(),
            submitted_at: dataset.submitted_at.map(|it| it.to_string()),
            fingerprint: dataset.fingerprint,
        };
        Ok(datasets.into_iter().map(row).collect())
    }
}

/// List data sets, newest first: the team's, or all for those who run the service.
#[utoipa::path(
    get, path = "/api/v1/datasets", tag = "datasets", params(Asked),
    responses((status = 200, body = Page<DatasetRow>)),
    extensions(("x-who" = json!("team")))
)]
async fn list(
    Shared(service): State,
    caller: Caller,
    asked: Asked,
) -> Result<Json<Page<DatasetRow>>> {
    let own = (!caller.sees_all()).then_some(caller.team_id);
    let found = service.catalogue.datasets(own, asked.number()?, asked.fetch()).await?;
    let Page { items, next_cursor } =
        Page::of(found, &asked, |dataset| dataset.id.to_string(), |dataset| dataset);
    Ok(Json(Page { items: service.rows(items).await?, next_cursor }))
}

/// See a data set.
#[utoipa::path(
    get, path = "/api/v1/datasets/{dataset_id}", tag = "datasets",
    params(("dataset_id" = i64, Path)), responses((status = 200, body = DatasetRow)),
    extensions(("x-who" = json!("team")))
)]
async fn show(
    Shared(service): State,
    caller: Caller,
    Ids(dataset_id): Ids<i64>,
) -> Result<Json<DatasetRow>> {
    let dataset = caller.dataset(&service, dataset_id).await?;
    service.row(dataset).await.map(Json)
}

/// Remove a data set, its files and reports; other versions keep what they share with it.
#[utoipa::path(
    delete, path = "/api/v1/datasets/{dataset_id}", tag = "datasets",
    params(("dataset_id" = i64, Path)), responses((status = 204)),
    extensions(("x-who" = json!("team")))
)]
async fn delete(
    Shared(service): State,
    caller: Caller,
    Ids(dataset_id): Ids<i64>,
) -> Result<StatusCode> {
    service.delete_dataset(&caller, dataset_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Service {
    /// Removes a data set of the caller, unless it counts.
    pub(crate) async fn delete_dataset(&self, caller: &Caller, dataset_id: i64) -> Result<()> {
        let dataset = caller.own_dataset(self, dataset_id).await?;
        if dataset.submitted_at.is_some() && caller.admin().is_err() {
            let detail = "This version was submitted; only the organisers remove it.";
            return Err(Problem::new(StatusCode::CONFLICT, "submitted", detail));
        }
        let leftovers = self.catalogue.delete_dataset(dataset.id).await?;
        self.audit(caller, "dataset.delete", &format!("dataset {dataset_id}")).await?;
        self.remove(&leftovers.object_keys).await;
        Ok(())
    }

    /// Lets a version of the caller count, as it was validated.
    pub(crate) async fn submit_dataset(&self, caller: &Caller, dataset_id: i64) -> Result<Dataset> {
        let dataset = caller.own_dataset(self, dataset_id).await?;
        let job = self.newest_job(dataset.id).await?;
        let Some(job) = job.filter(|job| job.state == JobState::Completed) else {
            let detail = "Only a data set whose validation has completed can be submitted.";
            return Err(Problem::new(StatusCode::CONFLICT, "not-validated", detail));
        };
        let json = self.stored_report(&job, ReportFormat::Json).await?;
        let read = tokio::task::spawn_blocking(move || serde_json::from_slice::<Report>(&json));
        let report = read.await.ok().and_then(std::result::Result::ok);
        let fingerprint = report.ok_or_else(Problem::internal)?.dataset.fingerprint;
        let dataset = self.catalogue.submit_dataset(dataset.id, &fingerprint).await?;
        self.audit(caller, "dataset.submit", &format!("dataset {dataset_id}")).await?;
        Ok(dataset)
    }

    /// Removes objects that no row names any more; `luna admin scrub` finds those that stay.
    pub(crate) async fn remove(&self, keys: &[String]) {
        for key in keys {
            if let Err(error) = self.storage.delete(key).await {
                tracing::warn!(%error, "an object that is not needed stays");
            }
        }
    }
}

/// List all versions of a data set, first to last.
#[utoipa::path(
    get, path = "/api/v1/datasets/{dataset_id}/versions", tag = "datasets",
    params(("dataset_id" = i64, Path)), responses((status = 200, body = Page<DatasetRow>)),
    extensions(("x-who" = json!("team")))
)]
async fn versions(
    Shared(service): State,
    caller: Caller,
    Ids(dataset_id): Ids<i64>,
) -> Result<Json<Page<DatasetRow>>> {
    let dataset = caller.dataset(&service, dataset_id).await?;
    let versions = service.catalogue.versions(dataset.lineage).await?;
    Ok(Json(Page::whole(service.rows(versions).await?)))
}

/// Say that this version counts; its fingerprint is kept. Of several, the last one submitted counts.
#[utoipa::path(
    post, path = "/api/v1/datasets/{dataset_id}/submit", tag = "datasets",
    params(("dataset_id" = i64, Path)), responses((status = 200, body = DatasetRow)),
    extensions(("x-who" = json!("team")))
)]
async fn submit(
    Shared(service): State,
    caller: Caller,
    Ids(dataset_id): Ids<i64>,
) -> Result<Json<DatasetRow>> {
    let dataset = service.submit_dataset(&caller, dataset_id).await?;
    service.row(dataset).await.map(Json)
}
