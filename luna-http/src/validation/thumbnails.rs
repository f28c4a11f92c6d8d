//! Small pictures of the files of a data set, drawn when somebody looks.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

use axum::extract::State as Shared;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use luna_core::report::picture_svg;
use luna_core::source::Memory;
use luna_core::{Finding, Limits, Picture, SourceLook};
use luna_worker::catalogue::{FindingFilter, JobState};
use serde::Deserialize;
use tokio::sync::Semaphore;
use utoipa::IntoParams;

use crate::body::Ids;
use crate::caller::Caller;
use crate::page::Question;
use crate::problem::{Problem, Result};
use crate::{Service, State};

/// The largest file that a picture is drawn of.
const MOST_BYTES: u64 = 1 << 27;
/// Findings of one file that are looked at; a report lists fewer.
const MOST_FINDINGS: u32 = 1_000;
/// Long side, in pixels.
const SIDE: u32 = 240;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Mark what this rule found, in the frame that it speaks of: `LP009`.
    rule: Option<String>,
}

impl Service {
    /// Who may draw at once: decoding takes a core and the memory of a picture.
    pub(crate) fn drawers() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(available_parallelism().map_or(1, NonZeroUsize::get)))
    }
}

/// Get a small picture of a file, with what was found marked in it.
///
/// Boxes that were found to hold text are filled; where text is burned in anywhere, a grey tile says so.
#[utoipa::path(
    get, path = "/api/v1/validation/{dataset_id}/files/{file_id}/thumbnail", tag = "validation",
    params(("dataset_id" = i64, Path), ("file_id" = i64, Path), Wanted),
    responses((status = 200, body = String, content_type = "image/svg+xml")),
    extensions(("x-who" = json!("team")))
)]
pub(super) async fn thumbnail(
    Shared(service): State,
    caller: Caller,
    Ids((dataset_id, file_id)): Ids<(i64, i64)>,
    Question(Wanted { rule }): Question<Wanted>,
) -> Result<Response> {
    let dataset = caller.dataset(&service, dataset_id).await?;
    let file = service.catalogue.file(dataset.id, file_id).await?;
    let job = service.newest_job(dataset.id).await?;
    // Before it is known what was found nothing is shown: the picture may hold a name.
    let job = job.filter(|job| job.state == JobState::Completed).ok_or_else(no_picture)?;
    if file.received_at.is_none() || file.size_bytes > MOST_BYTES {
        return Err(no_picture());
    }
    let filter = FindingFilter { path: Some(file.path.clone()), ..FindingFilter::default() };
    let found = service.catalogue.findings(job.id, &filter, MOST_FINDINGS).await?;
    let found: Vec<Finding> = found.into_iter().map(|it| it.finding).collect();
    let drawing = Arc::clone(&service.drawing).acquire_owned().await;
    let drawing = drawing.map_err(|_| Problem::internal())?;
    let bytes = service.storage.read(&file.object_key, MOST_BYTES).await?;
    let drawn = tokio::task::spawn_blocking(move || {
        let _drawing = drawing;
        drawn(&file.path, bytes, &found, rule.as_deref())
    });
    let svg = drawn.await.map_err(|_| Problem::internal())?.ok_or_else(no_picture)?;
    let head = [
        (CONTENT_TYPE, "image/svg+xml"),
        (CACHE_CONTROL, "private, max-age=600"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, POLICY),
    ];
    Ok((head.map(|(name, value)| (name, HeaderValue::from_static(value))), svg).into_response())
}

/// An SVG document may hold scripts; this one has none, and none would run.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox";

fn drawn(path: &str, bytes: Vec<u8>, found: &[Finding], rule: Option<&str>) -> Option<String> {
    let source = Memory::single(path, bytes);
    let limits = Limits::default();
    let marked: Vec<&Finding> =
        found.iter().filter(|finding| rule == Some(&*finding.rule)).collect();
    let frame = marked.iter().find_map(|finding| finding.location.as_ref()?.frame());
    let look = SourceLook::new(&source, &limits);
    let picture = Picture::of(path, frame.unwrap_or_default(), found, &look, SIDE)?;
    Some(picture_svg(&picture, &marked))
}

fn no_picture() -> Problem {
    let detail =
        "There is no picture of this file: none was found in it, or it was not validated yet.";
    Problem::new(StatusCode::NOT_FOUND, "no-picture", detail)
}
