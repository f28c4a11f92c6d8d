//! A file on its way in: streamed beside its place, counted, hashed, and moved there only when it is what was
//! announced. When the client hears 200, bytes, name and row are durable.

use std::collections::HashSet;
use std::io;
use std::sync::{Mutex, PoisonError};

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State as Shared};
use axum::http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use futures_util::StreamExt as _;
use luna_worker::catalogue::File;
use luna_worker::storage::Part;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::body::Ids;
use crate::problem::{Problem, Result};
use crate::tokens::{Grant, now};
use crate::{Service, State};

/// Bytes that are handed to the disk at once.
const BLOCK: usize = 1 << 20;

/// Files that are being sent: one writer each.
#[derive(Debug, Default)]
pub(crate) struct InFlight(Mutex<HashSet<i64>>);

struct Sending<'a>(&'a InFlight, i64);

impl InFlight {
    fn begin(&self, file_id: i64) -> Result<Sending<'_>> {
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(file_id) {
            return Ok(Sending(self, file_id));
        }
        let detail = "This file is being sent by another request; wait for that one.";
        Err(Problem::new(StatusCode::CONFLICT, "being-sent", detail))
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Signed {
    expires: u64,
    signature: String,
}

pub(super) async fn receive(
    Shared(service): State,
    Ids((dataset_id, file_id)): Ids<(i64, i64)>,
    signed: std::result::Result<Query<Signed>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>> {
    let refused = || {
        let detail =
            "The URL is not signed by this service, or not good any more: ask for a new one.";
        Problem::new(StatusCode::FORBIDDEN, "bad-signature", detail)
    };
    let Query(Signed { expires, signature }) = signed.map_err(|_| refused())?;
    if expires < now() {
        return Err(refused());
    }
    // Who holds no signature learns nothing of what there is.
    let file = service.catalogue.file(dataset_id, file_id).await.map_err(|_| refused())?;
    let grant = Grant {
        dataset_id,
        file_id,
        object_key: &file.object_key,
        content_type: &file.content_type,
        expires,
    };
    if !service.keys.is_signed(&grant, &signature) {
        return Err(refused());
    }
    check_headers(&file, &headers)?;
    let _sending = service.in_flight.begin(file_id)?;
    let (part, sha256) = stream(&service, &file, body).await?;
    keep(&service, &file, part, &sha256).await?;
    Ok(Json(json!({ "file_id": file_id, "size_bytes": file.size_bytes, "sha256": sha256 })))
}

fn check_headers(file: &File, headers: &HeaderMap) -> Result<()> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if headers.contains_key(CONTENT_RANGE) {
        let detail = "This version takes files in one piece only: send it from the beginning.";
        return Err(Problem::new(StatusCode::NOT_IMPLEMENTED, "no-ranges", detail));
    }
    if text(CONTENT_TYPE) != Some(file.content_type.as_str()) {
        let detail = "Content-Type is not the one that was announced.";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "other-type", detail));
    }
    let length = text(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    if length.is_some_and(|length| length != file.size_bytes) {
        return Err(other_size(file));
    }
    Ok(())
}

fn other_size(file: &File) -> Problem {
    let detail = format!("{} bytes were announced, and another number came.", file.size_bytes);
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "other-size", detail)
}

/// Writes what comes to a part of its own; back comes that part, on the disk, and its SHA-256.
async fn stream(service: &Service, file: &File, body: Body) -> Result<(Part, String)> {
    let objects = service.objects.clone();
    let mut part = blocking(move || Part::begin(&objects)).await?;
    let mut chunks = body.into_data_stream();
    let (mut block, mut left) = (Vec::new(), file.size_bytes);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| {
            let detail = "The body broke off; send the file again.";
            Problem::new(StatusCode::BAD_REQUEST, "broke-off", detail)
        })?;
        left = left.checked_sub(chunk.len() as u64).ok_or_else(|| other_size(file))?;
        block.extend_from_slice(&chunk);
        if block.len() >= BLOCK {
            part = written(part, std::mem::take(&mut block)).await?;
        }
    }
    if left > 0 {
        return Err(other_size(file));
    }
    let mut part = written(part, block).await?;
    let (part, sha256) = blocking(move || part.finish().map(|sha256| (part, sha256))).await?;
    if file.sha256.as_ref().is_some_and(|announced| *announced != sha256) {
        let detail =
            "The SHA-256 of what came is not the one that was announced; nothing was kept.";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "other-checksum", detail));
    }
    Ok((part, sha256))
}

async fn written(mut part: Part, block: Vec<u8>) -> io::Result<Part> {
    blocking(move || part.write(&block).map(|()| part)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Moves the bytes to their place and notes them; a file that is there already is only compared.
async fn keep(service: &Service, file: &File, part: Part, sha256: &str) -> Result<()> {
    let now = service.catalogue.file(file.dataset_id, file.id).await?;
    if now.received_at.is_none() {
        let key = file.object_key.clone();
        blocking(move || part.keep(&key)).await?;
    }
    let (key, size) = (&file.object_key, file.size_bytes);
    let marked = service.catalogue.mark_received(file.dataset_id, file.id, key, size, sha256).await;
    if marked.is_err() && now.received_at.is_none() {
        // Nobody will ask for it; `luna admin scrub` finds it if this fails too.
        if let Err(error) = service.storage.delete(key).await {
            tracing::warn!(%error, "an object that is not needed stays");
        }
    }
    Ok(marked?)
}
