//! What a validation found: whole, and finding by finding.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use luna_core::report::{RenderOptions, ReportFormat};
use luna_core::{Finding, Report, Severity};
use luna_worker::catalogue::{FindingFilter, StoredFinding, ValidationJob};
use luna_worker::output::write_report;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::body::Ids;
use crate::caller::Caller;
use crate::page::{Asked, Page, Question};
use crate::problem::{Problem, Result};
use crate::{Service, State};

/// The largest report that is sent.
const MOST_BYTES: u64 = 1 << 30;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

/// Formats of the report; the first unless asked otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Jsonl,
    Html,
    Csv,
    Parquet,
    Junit,
    Sarif,
}

impl Format {
    const fn of_core(self) -> ReportFormat {
        match self {
            Self::Json => ReportFormat::Json,
            Self::Jsonl => ReportFormat::JsonLines,
            Self::Html => ReportFormat::Html,
            Self::Csv => ReportFormat::Csv,
            Self::Parquet => ReportFormat::Parquet,
            Self::Junit => ReportFormat::Junit,
            Self::Sarif => ReportFormat::Sarif,
        }
    }
}

/// Read the report of a validation that has completed.
#[utoipa::path(
    get, path = "/api/v1/validation/{dataset_id}/report", tag = "validation",
    params(("dataset_id" = i64, Path), Wanted),
    responses((status = 200, description = "The report, in the format asked for", content(
        (serde_json::Value = "application/json"),
        (String = "application/x-ndjson"),
        (String = "text/html"),
        (String = "text/csv"),
        (String = "application/vnd.apache.parquet"),
        (String = "application/xml"),
        (serde_json::Value = "application/sarif+json"),
    ))),
    extensions(("x-who" = json!("team")))
)]
pub(super) async fn report(
    Shared(service): State,
    caller: Caller,
    Ids(dataset_id): Ids<i64>,
    Question(Wanted { format }): Question<Wanted>,
) -> Result<Response> {
    let dataset = caller.dataset(&service, dataset_id).await?;
    let job = service.catalogue.latest_job(dataset.id).await?;
    let kind = format.of_core();
    let bytes = match format {
        Format::Json | Format::Html => service.stored_report(&job, kind).await?,
        _ => {
            let json = service.stored_report(&job, ReportFormat::Json).await?;
            tokio::task::spawn_blocking(move || rendered(&json, kind)).await.map_err(broken)??
        }
    };
    let mut answer = bytes.into_response();
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind.media_type()));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // The report brings a policy of its own, which allows its script by hash; nothing may frame it.
    let policy = HeaderValue::from_static("frame-ancestors 'none'");
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    if !matches!(format, Format::Json | Format::Html) {
        let name = format!("attachment; filename=\"report-{dataset_id}.{}\"", kind.endings()[0]);
        if let Ok(name) = HeaderValue::from_str(&name) {
            headers.insert(CONTENT_DISPOSITION, name);
        }
    }
    Ok(answer)
}

fn broken(error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "a report could not be rendered");
    Problem::internal()
}

fn rendered(json: &[u8], format: ReportFormat) -> Result<Vec<u8>> {
    let report: Report = serde_json::from_slice(json).map_err(broken)?;
    let mut out = Vec::new();
    write_report(&report, format, &RenderOptions::default(), None, &mut out).map_err(broken)?;
    Ok(out)
}

impl Service {
    /// A report that a job left in the storage.
    pub(crate) async fn stored_report(
        &self,
        job: &ValidationJob,
        format: ReportFormat,
    ) -> Result<Vec<u8>> {
        let name = format!("report.{}", format.endings()[0]);
        let artifacts = self.catalogue.artifacts(job.id).await?;
        let found = artifacts.into_iter().find(|it| it.file.name == name);
        let artifact = found.ok_or_else(|| {
            let detail = "There is no report yet: the validation has not completed.";
            Problem::new(StatusCode::CONFLICT, "no-report-yet", detail)
        })?;
        Ok(self.storage.read(&artifact.file.object_key, MOST_BYTES).await?)
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WantedFindings {
    /// Of this rule alone: `LF004`.
    rule: Option<String>,
    /// Of this severity alone.
    #[param(inline)]
    severity: Option<Weight>,
    /// Of this file alone.
    path: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Findings a page, 1 to 1,000; 100 unless given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Weight {
    Error,
    Warning,
    Info,
}

/// A finding and its place.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Found {
    /// Its place in the report, from 0.
    position: u64,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    finding: Finding,
}

/// List the findings of a validation that has completed.
#[utoipa::path(
    get, path = "/api/v1/validation/{dataset_id}/findings", tag = "validation",
    params(("dataset_id" = i64, Path), WantedFindings),
    responses((status = 200, body = Page<Found>)),
    extensions(("x-who" = json!("team")))
)]
pub(super) async fn findings(
    Shared(service): State,
    caller: Caller,
    Ids(dataset_id): Ids<i64>,
    Question(wanted): Question<WantedFindings>,
) -> Result<Json<Page<Found>>> {
    let dataset = caller.dataset(&service, dataset_id).await?;
    let job = service.catalogue.latest_job(dataset.id).await?;
    let asked = Asked { cursor: wanted.cursor, limit: wanted.limit }.checked()?;
    let filter = FindingFilter {
        rule: wanted.rule,
        severity: wanted.severity.map(|weight| match weight {
            Weight::Error => Severity::Error,
            Weight::Warning => Severity::Warning,
            Weight::Info => Severity::Info,
        }),
        path: wanted.path,
        after: asked.number()?.and_then(|after| after.try_into().ok()),
    };
    let found = service.catalogue.findings(job.id, &filter, asked.fetch()).await?;
    let show = |StoredFinding { position, finding }| Found { position, finding };
    Ok(Json(Page::of(found, &asked, |it| it.position.to_string(), show)))
}
