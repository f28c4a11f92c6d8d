//! Beginning and ending an upload.

use std::collections::BTreeMap;

use axum::Json as Answer;
use axum::extract::State as Shared;
use luna_worker::catalogue::{Dataset, File, NewDataset, NewFile, Role};
use luna_worker::secrets;
use serde::{Deserialize, Serialize};

use crate::body::Json;
use crate::caller::Caller;
use crate::problem::{FieldError, Problem, Result};
use crate::tokens::{Grant, LIFETIME, now};
use crate::{Service, State};

/// Files a call.
const MOST_FILES: usize = 1_000;
/// Bytes of a data set's name, and of a media type.
const LONGEST_NAME: usize = 200;
/// Bytes of a description.
const LONGEST_DESCRIPTION: usize = 10_000;
/// Bytes of a path inside a data set.
const LONGEST_PATH: usize = 1_024;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    dataset_name: String,
    #[serde(default)]
    description: String,
    files: Vec<Announced>,
    team_id: Option<i64>,
    replaces: Option<i64>,
    #[serde(default)]
    remove: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Announced {
    filename: String,
    content_type: String,
    size_bytes: u64,
    sha256: Option<String>,
    /// Path inside the data set, where it is another than the name.
    path: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Started {
    dataset_id: i64,
    upload_urls: Vec<Target>,
    expires_in: u64,
}

#[derive(Debug, Serialize)]
struct Target {
    file_id: i64,
    filename: String,
    upload_url: String,
    s3_key: String,
    method: &'static str,
    headers: BTreeMap<&'static str, String>,
}

pub(super) async fn start(
    Shared(service): State,
    Caller(user): Caller,
    Json(start): Json<Start>,
) -> Result<Answer<Started>> {
    start.check()?;
    let team_id = match start.team_id {
        Some(team) if team != user.team_id && user.role != Role::Admin => {
            return Err(Problem::not_found());
        }
        team => team.unwrap_or(user.team_id),
    };
    let new = NewDataset {
        team_id,
        task_id: None,
        name: start.dataset_name.clone(),
        description: start.description.clone(),
        replaces: start.replaces,
        remove: start.remove.clone(),
    };
    let dataset = service.catalogue.start_dataset(&new).await?;
    let files = announced(&dataset, &start.files)?;
    let (files, orphans) = service.catalogue.add_files(dataset.id, &files).await?;
    for key in orphans {
        service.storage.delete(&key).await?;
    }
    let names = start.files.iter().map(|file| file.filename.as_str());
    let missing = files.iter().zip(names).filter(|(file, _)| file.received_at.is_none());
    let upload_urls = missing.map(|(file, name)| service.upload_url(file, name)).collect();
    tracing::info!(dataset = dataset.id, files = files.len(), "upload started");
    Ok(Answer(Started { dataset_id: dataset.id, upload_urls, expires_in: LIFETIME.as_secs() }))
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
        if self.files.len() > MOST_FILES {
            complain("/files".into(), format!("at most {MOST_FILES} a call"));
        }
        for (number, file) in self.files.iter().take(MOST_FILES).enumerate() {
            if let Some((field, detail)) = file.complaint() {
                complain(format!("/files/{number}/{field}"), detail);
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
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

/// The files with keys that the service makes: names are data, never places.
fn announced(dataset: &Dataset, files: &[Announced]) -> Result<Vec<NewFile>> {
    let file = |file: &Announced| {
        let random = secrets::new().map_err(|error| {
            tracing::error!(%error, "no random numbers");
            Problem::internal()
        })?;
        Ok(NewFile {
            path: file.path().to_owned(),
            object_key: format!("uploads/{}/{random}", dataset.id),
            content_type: file.content_type.clone(),
            size_bytes: file.size_bytes,
            sha256: file.sha256.as_ref().map(|digits| digits.to_ascii_lowercase()),
        })
    };
    files.iter().map(file).collect()
}

impl Service {
    /// Where a file is to be sent.
    fn upload_url(&self, file: &File, name: &str) -> Target {
        let expires = now() + LIFETIME.as_secs();
        let signature = self.keys.sign(&Grant {
            dataset_id: file.dataset_id,
            file_id: file.id,
            object_key: &file.object_key,
            content_type: &file.content_type,
            expires,
        });
        let (base, dataset, id) = (&self.public_url, file.dataset_id, file.id);
        Target {
            file_id: file.id,
            filename: name.to_owned(),
            upload_url: format!(
                "{base}/upload/{dataset}/{id}?expires={expires}&signature={signature}"
            ),
            s3_key: file.object_key.clone(),
            method: "PUT",
            headers: BTreeMap::from([("Content-Type", file.content_type.clone())]),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Complete {
    dataset_id: i64,
}

#[derive(Debug, Serialize)]
pub(super) struct Completed {
    dataset_id: i64,
    validation_job_id: i64,
    status: &'static str,
    message: &'static str,
}

pub(super) async fn complete(
    Shared(service): State,
    caller: Caller,
    Json(Complete { dataset_id }): Json<Complete>,
) -> Result<Answer<Completed>> {
    let dataset = caller.own_dataset(&service, dataset_id).await?;
    let completed = service.catalogue.complete(dataset.id).await?;
    let (status, message) = if completed.newly {
        ("queued", "The data set is complete; its validation is queued.")
    } else {
        ("already_completed", "The data set was completed before.")
    };
    tracing::info!(dataset = dataset.id, job = completed.job_id, status, "upload completed");
    Ok(Answer(Completed {
        dataset_id: dataset.id,
        validation_job_id: completed.job_id,
        status,
        message,
    }))
}
