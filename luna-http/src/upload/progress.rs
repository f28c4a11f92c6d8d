//! An upload that goes on: what is missing, fresh URLs, the end of a file that came in parts.

use axum::Json as Answer;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use luna_worker::catalogue::{self, Dataset, File};
use luna_worker::storage;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::announce::folder;
use super::target::Target;
use crate::body::{Ids, Json};
use crate::caller::Caller;
use crate::page::{Asked, Page};
use crate::problem::{Problem, Result};
use crate::tokens::LIFETIME;
use crate::{Objects, Service, State, metrics};

/// Files a call.
const MOST_FILES: usize = 1_000;
/// Files that are looked for one by one.
const FEW: u32 = 4;

/// Files that are to be sent once more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WantedUrls {
    #[schema(max_items = 1000)]
    file_ids: Vec<i64>,
}

/// Fresh URLs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FreshUrls {
    dataset_id: i64,
    upload_urls: Vec<Target>,
    expires_in: u64,
}

/// Get fresh URLs for files that did not arrive.
#[utoipa::path(
    post, path = "/api/v1/upload/{dataset_id}/urls", tag = "upload", request_body = WantedUrls,
    params(("dataset_id" = i64, Path)), responses((status = 200, body = FreshUrls)),
    extensions(("x-who" = json!("team")))
)]
pub(super) async fn urls(
    Shared(service): State,
    caller: Caller,
    Ids(dataset_id): Ids<i64>,
    Json(WantedUrls { file_ids }): Json<WantedUrls>,
) -> Result<Answer<FreshUrls>> {
    let dataset = caller.own_dataset(&service, dataset_id).await?;
    if file_ids.len() > MOST_FILES {
        return Err(Problem::field("/file_ids", format!("at most {MOST_FILES} a call")));
    }
    let mut upload_urls = Vec::new();
    for id in file_ids {
        let file = service.catalogue.file(dataset.id, id).await?;
        if file.received_at.is_none() {
            upload_urls.push(service.target(&file, name(&file)).await?);
        }
    }
    let expires_in = LIFETIME.as_secs();
    Ok(Answer(FreshUrls { dataset_id: dataset.id, upload_urls, expires_in }))
}

/// The last part of a path.
fn name(file: &File) -> &str {
    file.path.rsplit('/').next().unwrap_or(&file.path)
}

/// How far an upload is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Upload {
    dataset_id: i64,
    /// `uploading` or `complete`.
    #[schema(example = "uploading")]
    state: &'static str,
    /// Files that arrived whole.
    received: u64,
    /// Files that were announced and did not.
    missing: u64,
    /// The missing ones.
    files: Page<MissingFile>,
}

/// A file that did not arrive, or not whole.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MissingFile {
    file_id: i64,
    path: String,
    size_bytes: u64,
    /// Where it goes on, with `Content-Range`.
    received_bytes: u64,
}

/// See what of an upload arrived and what is missing.
#[utoipa::path(
    get, path = "/api/v1/upload/{dataset_id}", tag = "upload",
    params(("dataset_id" = i64, Path), Asked), responses((status = 200, body = Upload)),
    extensions(("x-who" = json!("team")))
)]
pub(super) async fn upload(
    Shared(service): State,
    caller: Caller,
    Ids(dataset_id): Ids<i64>,
    asked: Asked,
) -> Result<Answer<Upload>> {
    let dataset = caller.dataset(&service, dataset_id).await?;
    // Once a list, not once a page.
    if asked.cursor.is_none() {
        service.look_for_missing(&dataset).await?;
    }
    let (announced, received) = service.catalogue.count_files(dataset.id).await?;
    let after = asked.cursor.as_deref();
    let files = service.catalogue.missing_files(dataset.id, after, asked.fetch()).await?;
    let files = Page::of(
        files,
        &asked,
        |file| file.path.clone(),
        |file| MissingFile {
            file_id: file.id,
            path: file.path,
            size_bytes: file.size_bytes,
            received_bytes: file.received_bytes,
        },
    );
    let (state, missing) = (dataset.state.as_str(), announced.saturating_sub(received));
    Ok(Answer(Upload { dataset_id: dataset.id, state, received, missing, files }))
}

/// The parts of a file, as the storage answered for each.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SentParts {
    #[schema(max_items = 10000)]
    parts: Vec<SentPart>,
}

/// A part that was sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SentPart {
    #[schema(minimum = 1, maximum = 10000)]
    number: u16,
    /// As the storage answered.
    etag: String,
}

/// Say that all parts of a file were sent.
#[utoipa::path(
    post, path = "/api/v1/upload/{dataset_id}/files/{file_id}/parts", tag = "upload",
    params(("dataset_id" = i64, Path), ("file_id" = i64, Path)), request_body = SentParts,
    responses((status = 204)),
    extensions(("x-who" = json!("team")))
)]
pub(super) async fn parts(
    Shared(service): State,
    caller: Caller,
    Ids((dataset_id, file_id)): Ids<(i64, i64)>,
    Json(SentParts { mut parts }): Json<SentParts>,
) -> Result<StatusCode> {
    let dataset = caller.own_dataset(&service, dataset_id).await?;
    let file = service.catalogue.file(dataset.id, file_id).await?;
    let (Objects::Bucket(signer), Some(id)) = (&service.objects, &file.multipart_id) else {
        let detail = "This file is not sent in parts.";
        return Err(Problem::new(StatusCode::CONFLICT, "no-parts", detail));
    };
    parts.sort_by_key(|part| part.number);
    if parts.is_empty() || parts.iter().zip(1..).any(|(part, number)| part.number != number) {
        return Err(Problem::field("/parts", "Each part once, from 1 on."));
    }
    if file.received_at.is_none() {
        let etags: Vec<String> = parts.into_iter().map(|part| part.etag).collect();
        signer.end_parts(&file.object_key, id, &etags).await?;
        service.look_for(&file).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

impl Service {
    /// Notes which files have arrived in a bucket, where nobody tells. In a folder, it is noted as they come.
    pub(crate) async fn look_for_missing(&self, dataset: &Dataset) -> Result<()> {
        if matches!(self.objects, Objects::Folder(_)) {
            return Ok(());
        }
        let missing = self.catalogue.missing_files(dataset.id, None, FEW + 1).await?;
        if missing.len() <= FEW as usize {
            for file in &missing {
                self.look_for(file).await?;
            }
            return Ok(());
        }
        // One question for a thousand objects, rather than one for each.
        let folder = format!("{}/", folder(dataset.id));
        let mut listing = self.storage.below(&folder).list().await?;
        loop {
            let found = listing.next_page(MOST_FILES).await?;
            if found.is_empty() {
                return Ok(());
            }
            let objects: Vec<(String, u64)> = found
                .into_iter()
                .map(|it| (format!("{folder}{}", it.key), it.size_bytes))
                .collect();
            let arrived = self.catalogue.mark_found(dataset.id, &objects).await?;
            metrics::arrived_at_once(arrived.files, arrived.bytes);
            for unfit in arrived.unfit {
                metrics::failed();
                self.storage.delete(&unfit).await?;
            }
        }
    }

    /// Notes a file that arrived; one of another size than announced is removed.
    async fn look_for(&self, file: &File) -> Result<()> {
        let found = match self.storage.stat(&file.object_key).await {
            Ok(found) => found,
            Err(storage::Error::NotFound { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if found.size_bytes != file.size_bytes {
            metrics::failed();
            return Ok(self.storage.delete(&file.object_key).await?);
        }
        let (key, size) = (&file.object_key, file.size_bytes);
        let marked = self.catalogue.mark_received(file.dataset_id, file.id, key, size, None).await;
        match marked {
            Err(catalogue::Error::Conflict { .. }) => Ok(()),
            marked => Ok(marked.map(|()| metrics::arrived(size))?),
        }
    }
}
