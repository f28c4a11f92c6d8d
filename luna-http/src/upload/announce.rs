//! Beginning and ending an upload.

use std::collections::BTreeSet;

use axum::Json as Answer;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use luna_worker::catalogue::{self, Dataset, DatasetState, NewDataset, NewFile, Task};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::quota::Quota;
use super::target::Target;
use crate::auth::random;
use crate::body::{Ids, Json};
use crate::caller::Caller;
use crate::problem::{FieldError, Problem, Result};
use crate::tasks::TaskRules;
use crate::tokens::LIFETIME;
use crate::{Service, State};

/// Files a call.
const MOST_FILES: usize = 1_000;
/// Bytes of a data set's name, and of a media type.
const LONGEST_NAME: usize = 200;
/// Bytes of a description.
const LONGEST_DESCRIPTION: usize = 10_000;
/// Bytes of a path inside a data set.
const LONGEST_PATH: usize = 1_024;

/// What a data set begins with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    #[schema(min_length = 1, max_length = 200)]
    dataset_name: String,
    #[serde(default)]
    description: String,
    /// At most 1,000 a call; the next ones go to `/upload/{dataset_id}/files`.
    #[schema(max_items = 1000)]
    files: Vec<Announced>,
    /// Only an admin may name another team than the own one.
    team_id: Option<i64>,
    /// Name of the task that the data set is for; may be left out while there is at most one.
    task: Option<String>,
    /// An earlier data set of the team: this becomes its next version, and takes over what is not announced
    /// anew.
    replaces: Option<i64>,
    /// Paths of the earlier version that are not taken over.
    #[serde(default)]
    remove: Vec<String>,
}

/// A file that will be sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Announced {
    #[schema(min_length = 1, max_length = 1024)]
    filename: String,
    #[schema(example = "image/png", min_length = 1, max_length = 200, pattern = "^[ -~]+$")]
    content_type: String,
    #[schema(maximum = 9_223_372_036_854_775_807_u64)]
    size_bytes: u64,
    /// SHA-256, hexadecimal: what arrives otherwise is refused, and what is held already need not be sent.
    #[schema(pattern = "^[0-9a-fA-F]{64}$")]
    sha256: Option<String>,
    /// Path inside the data set, where it is another than the name.
    path: Option<String>,
}

/// Where files are to be sent.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Started {
    dataset_id: i64,
    /// In the order asked; none for a file that is held already.
    upload_urls: Vec<Target>,
    /// Seconds that the URLs are good for.
    expires_in: u64,
}

/// Begin a data set.
#[utoipa::path(
    post, path = "/api/v1/upload/start", tag = "upload", request_body = Start,
    responses((status = 200, body = Started)),
    extensions(("x-who" = json!("team")))
)]
pub(super) async fn start(
    Shared(service): State,
    caller: Caller,
    Json(start): Json<Start>,
) -> Result<Answer<Started>> {
    start.check()?;
    let team_id = caller.team(start.team_id)?;
    let task = service.task(start.task.as_deref()).await?;
    let quota = service.quota(task.as_ref())?;
    let sizes = start.files.iter().map(|file| file.size_bytes);
    service.check_quota(&quota, team_id, sizes, true).await?;
    let new = NewDataset {
        team_id,
        task_id: task.map(|task| task.id),
        name: start.dataset_name.clone(),
        description: start.description.clone(),
        replaces: start.replaces,
        remove: start.remove.clone(),
    };
    let dataset = service.catalogue.start_dataset(&new).await?;
    let object = format!("dataset {}", dataset.id);
    service.audit(&caller, "dataset.start", &object).await?;
    service.announce(&dataset, &start.files).await.map(Answer)
}

/// The next files of a data set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MoreFiles {
    #[schema(max_items = 1000)]
    files: Vec<Announced>,
}

/// Announce more files of a data set.
#[utoipa::path(
    post, path = "/api/v1/upload/{dataset_id}/files", tag = "upload", operation_id = "more_files",
    request_body = MoreFiles,
    params(("dataset_id" = i64, Path)), responses((status = 200, body = Started)),
    extensions(("x-who" = json!("team")))
)]
pub(super) async fn files(
    Shared(service): State,
    caller: Caller,
    Ids(dataset_id): Ids<i64>,
    Json(MoreFiles { files }): Json<MoreFiles>,
) -> Result<Answer<Started>> {
    let dataset = caller.own_dataset(&service, dataset_id).await?;
    let mut errors = Vec::new();
    complaints(&files, &mut errors);
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let task = match dataset.task_id {
        Some(task) => Some(service.catalogue.task(task).await?),
        None => None,
    };
    let quota = service.quota(task.as_ref())?;
    let sizes = files.iter().map(|file| file.size_bytes);
    service.check_quota(&quota, dataset.team_id, sizes, false).await?;
    service.announce(&dataset, &files).await.map(Answer)
}

impl Service {
    async fn announce(&self, dataset: &Dataset, announced: &[Announced]) -> Result<Started> {
        let (files, orphans) =
            self.catalogue.add_files(dataset.id, &keyed(dataset, announced)?).await?;
        for key in orphans {
            self.storage.delete(&key).await?;
        }
        let mut upload_urls = Vec::new();
        for (file, announced) in files.iter().zip(announced) {
            if file.received_at.is_none() {
                upload_urls.push(self.target(file, &announced.filename).await?);
            }
        }
        tracing::info!(dataset = dataset.id, files = files.len(), "files announced");
        Ok(Started { dataset_id: dataset.id, upload_urls, expires_in: LIFETIME.as_secs() })
    }

    /// The task that a data set is for: the one named, or the only one.
    async fn task(&self, named: Option<&str>) -> Result<Option<Task>> {
        let task = if let Some(name) = named {
            let found = self.catalogue.task_named(name).await;
            Some(found.map_err(|error| match error {
                catalogue::Error::NotFound { .. } => {
                    Problem::field("/task", "There is no task of that name.")
                }
                error => error.into(),
            })?)
        } else {
            let mut tasks = self.catalogue.tasks().await?;
            if tasks.len() > 1 {
                let names: Vec<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
                let detail = format!("Say for which task it is: {}.", names.join(", "));
                return Err(Problem::field("/task", detail));
            }
            tasks.pop()
        };
        let Some(task) = task else { return Ok(None) };
        let now = self.catalogue.now().await?;
        let closed = |detail: String| Problem::new(StatusCode::CONFLICT, "task-closed", detail);
        if let Some(opens) = task.opens_at.filter(|opens| *opens > now) {
            return Err(closed(format!("The task takes data sets from {opens} on.")));
        }
        if let Some(closes) = task.closes_at.filter(|closes| *closes <= now) {
            return Err(closed(format!("The task took data sets until {closes}.")));
        }
        Ok(Some(task))
    }

    fn quota(&self, task: Option<&Task>) -> Result<Quota> {
        let Some(task) = task else { return Ok(self.quota) };
        Ok(TaskRules::of(task)?.quota.unwrap_or(self.quota))
    }
}

impl Start {
    fn check(&self) -> Result<()> {
        let mut errors = Vec::new();
        let mut complain = |pointer: String, detail: String| {
            errors.push(FieldError { pointer, detail });
        };
        if self.dataset_name.trim().is_empty() || self.dataset_name.len() > LONGEST_NAME {
            complain("/dataset_name".into(), format!("1 to {LONGEST_NAME} bytes"));
        }
        if self.description.len() > LONGEST_DESCRIPTION {
            complain("/description".into(), format!("at most {LONGEST_DESCRIPTION} bytes"));
        }
        complaints(&self.files, &mut errors);
        if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
    }
}

/// What cannot be taken of these files.
fn complaints(files: &[Announced], errors: &mut Vec<FieldError>) {
    let mut complain = |pointer, detail| errors.push(FieldError { pointer, detail });
    if files.len() > MOST_FILES {
        complain("/files".to_owned(), format!("at most {MOST_FILES} a call"));
    }
    let mut paths = BTreeSet::new();
    for (number, file) in files.iter().take(MOST_FILES).enumerate() {
        if let Some((field, detail)) = file.complaint() {
            complain(format!("/files/{number}/{field}"), detail);
        }
        if !paths.insert(file.path()) {
            complain(format!("/files/{number}/path"), "The path is named twice.".to_owned());
        }
    }
}

impl Announced {
    /// Where it will lie inside the data set.
    fn path(&self) -> &str {
        self.path.as_deref().unwrap_or(&self.filename)
    }

    fn complaint(&self) -> Option<(&'static str, String)> {
        let is_hex = |digits: &String| {
            digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        };
        let is_media_type = !self.content_type.is_empty()
            && self.content_type.len() <= LONGEST_NAME
            && self.content_type.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        let path = self.path();
        if self.filename.is_empty() || self.filename.len() > LONGEST_PATH {
            return Some(("filename", format!("1 to {LONGEST_PATH} bytes")));
        }
        if path.is_empty() || path.len() > LONGEST_PATH || path.contains('\0') {
            return Some(("path", format!("1 to {LONGEST_PATH} bytes, no NUL")));
        }
        if !is_media_type {
            return Some(("content_type", "a media type such as image/png".to_owned()));
        }
        if i64::try_from(self.size_bytes).is_err() {
            return Some(("size_bytes", "no file is as large".to_owned()));
        }
        if self.sha256.as_ref().is_some_and(|digits| !is_hex(digits)) {
            return Some(("sha256", "64 hexadecimal digits".to_owned()));
        }
        None
    }
}

/// Where the objects of a data set lie.
pub(super) fn folder(dataset_id: i64) -> String {
    format!("uploads/{dataset_id}")
}

/// The files with keys that the service makes: names are data, never places.
fn keyed(dataset: &Dataset, files: &[Announced]) -> Result<Vec<NewFile>> {
    let file = |file: &Announced| {
        Ok(NewFile {
            path: file.path().to_owned(),
            object_key: format!("{}/{}", folder(dataset.id), random()?),
            content_type: file.content_type.clone(),
            size_bytes: file.size_bytes,
            sha256: file.sha256.as_ref().map(|digits| digits.to_ascii_lowercase()),
        })
    };
    files.iter().map(file).collect()
}

/// A data set that is all there.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Complete {
    dataset_id: i64,
}

/// The job that validates it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Completed {
    dataset_id: i64,
    validation_job_id: i64,
    /// `queued` or `already_completed`.
    #[schema(example = "queued")]
    status: &'static str,
    message: String,
}

/// Say that a data set is all there: its validation is queued.
///
/// Any number of calls, also at once, make one job. Files that were announced and never came are findings of the
/// validation.
#[utoipa::path(
    post, path = "/api/v1/upload/complete", tag = "upload", request_body = Complete,
    responses((status = 200, body = Completed)),
    extensions(("x-who" = json!("team")))
)]
pub(super) async fn complete(
    Shared(service): State,
    caller: Caller,
    Json(Complete { dataset_id }): Json<Complete>,
) -> Result<Answer<Completed>> {
    let dataset = caller.own_dataset(&service, dataset_id).await?;
    if dataset.state == DatasetState::Uploading {
        service.look_for_missing(&dataset).await?;
    }
    let completed = service.catalogue.complete(dataset.id).await?;
    let (status, message) = if completed.newly {
        ("queued", "The data set is complete; its validation is queued.")
    } else {
        ("already_completed", "The data set was completed before.")
    };
    if completed.newly {
        service.audit(&caller, "dataset.complete", &format!("dataset {dataset_id}")).await?;
    }
    tracing::info!(dataset = dataset.id, job = completed.job_id, status, "upload completed");
    Ok(Answer(Completed {
        dataset_id: dataset.id,
        validation_job_id: completed.job_id,
        status,
        message: message.to_owned(),
    }))
}
