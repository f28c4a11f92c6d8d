//! A file on its way in: streamed beside its place, counted, hashed, and moved there only when it is what was
//! announced. When the client hears 200, bytes, name and row are durable.

use std::collections::HashSet;
use std::io;
use std::io::ErrorKind::{NotFound, UnexpectedEof};
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
use crate::{Objects, Service, State, metrics};

/// Bytes that are handed to the disk at once.
const BLOCK: usize = 1 << 20;

/// Files that are being sent: one writer each.
#[derive(Debug, Default)]
pub(crate) struct InFlight(Mutex<HashSet<i64>>);

/// A file that is being sent.
struct Sending<'a>(&'a InFlight, i64);

impl InFlight {
    fn begin(&self, file_id: i64) -> Result<Sending<'_>> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if files.insert(file_id) {
            metrics::sending(files.len());
            return Ok(Sending(self, file_id));
        }
        let detail = "This file is being sent by another request; wait for that one.";
        Err(Problem::new(StatusCode::CONFLICT, "being-sent", detail))
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        let mut files = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.remove(&self.1);
        metrics::sending(files.len());
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
) -> Result<(StatusCode, Json<Value>)> {
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
    let taken = take(&service, &file, &headers, body).await;
    match &taken {
        Ok((StatusCode::OK, _)) if file.received_at.is_none() => metrics::arrived(file.size_bytes),
        Ok(_) => {}
        Err(_) => metrics::failed(),
    }
    taken
}

/// Takes what is sent by somebody who may.
async fn take(
    service: &Service,
    file: &File,
    headers: &HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>)> {
    let span = Span::of(file, headers)?;
    let _sending = service.in_flight.begin(file.id)?;
    // Read again: whoever was sending until now may have got further.
    let file = service.catalogue.file(file.dataset_id, file.id).await?;
    let part = begin(service, &file, &span).await?;
    let Some((part, sha256)) = stream(service, &file, part, &span, body).await? else {
        let answer = json!({ "file_id": file.id, "received_bytes": span.end });
        return Ok((StatusCode::ACCEPTED, Json(answer)));
    };
    keep(service, &file, part, &sha256).await?;
    let answer = json!({ "file_id": file.id, "size_bytes": file.size_bytes, "sha256": sha256 });
    Ok((StatusCode::OK, Json(answer)))
}

/// Which bytes of a file come.
#[derive(Debug, PartialEq, Eq)]
struct Span {
    /// The first one, where the client says so; a client that does not begins anew.
    from: Option<u64>,
    /// Behind the last one.
    end: u64,
}

impl Span {
    fn of(file: &File, headers: &HeaderMap) -> Result<Self> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if text(CONTENT_TYPE) != Some(file.content_type.as_str()) {
            let detail = "Content-Type is not the one that was announced.";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "other-type", detail));
        }
        let span = match headers.get(CONTENT_RANGE) {
            None => Self { from: None, end: file.size_bytes },
            Some(value) => {
                let range = value.to_str().ok().and_then(range);
                let (first, last, size) = range.ok_or_else(|| {
                    let detail = "Content-Range is written `bytes 100-999/1000`.";
                    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-range", detail)
                })?;
                if size != file.size_bytes {
                    return Err(other_size(file));
                }
                Self { from: Some(first), end: last + 1 }
            }
        };
        let length = text(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
        if length.is_some_and(|length| length != span.end - span.from.unwrap_or(0)) {
            return Err(other_size(file));
        }
        Ok(span)
    }
}

/// First and last byte, and the size, of `bytes 100-999/1000` (RFC 9110, 14.4).
fn range(text: &str) -> Option<(u64, u64, u64)> {
    let (range, size) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let number = |text: &str| -> Option<u64> {
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
    };
    let (first, last, size) = (number(first)?, number(last)?, number(size)?);
    (first <= last && last < size).then_some((first, last, size))
}

fn other_size(file: &File) -> Problem {
    let detail = format!("{} bytes were announced, and another number came.", file.size_bytes);
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "other-size", detail)
}

/// The part that the bytes are written to: from the beginning, or where it stopped.
async fn begin(service: &Service, file: &File, span: &Span) -> Result<Part> {
    let Objects::Folder(objects) = &service.objects else {
        // No URL of this service was ever signed.
        return Err(Problem::not_found());
    };
    let (id, key, held) = (file.id, &file.object_key, file.received_bytes);
    let offset = span.from.unwrap_or(0);
    if span.from.is_some_and(|from| from != held) {
        return Err(goes_on_at(held));
    }
    if offset < held && file.received_at.is_none() {
        service.catalogue.advance_file(id, key, held, 0).await?;
    }
    let name = format!("{id}-{}", key.rsplit('/').next().unwrap_or_default());
    let objects = objects.clone();
    match blocking(move || Part::resume(&objects, &name, offset)).await {
        // What came is gone: removed as too old, or not in the backup that was restored.
        Err(error) if offset > 0 && matches!(error.kind(), NotFound | UnexpectedEof) => {
            if file.received_at.is_none() {
                service.catalogue.advance_file(id, key, held, 0).await?;
            }
            Err(goes_on_at(0))
        }
        part => Ok(part?),
    }
}

fn goes_on_at(byte: u64) -> Problem {
    let detail = format!("The file goes on at byte {byte}.");
    Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "wrong-offset", detail)
}

/// Writes what comes to the part; back it comes with its SHA-256 once it is whole and on the disk. What came of a
/// body that broke off stays, to go on with.
async fn stream(
    service: &Service,
    file: &File,
    mut part: Part,
    span: &Span,
    body: Body,
) -> Result<Option<(Part, String)>> {
    let mut chunks = body.into_data_stream();
    let offset = span.from.unwrap_or(0);
    let (mut block, mut at) = (Vec::new(), offset);
    let mut broke_off = false;
    while let Some(chunk) = chunks.next().await {
        let Ok(chunk) = chunk else {
            broke_off = true;
            break;
        };
        at += chunk.len() as u64;
        if at > span.end {
            discard(part).await;
            return Err(other_size(file));
        }
        block.extend_from_slice(&chunk);
        if block.len() >= BLOCK {
            part = written(part, std::mem::take(&mut block)).await?;
        }
    }
    let mut part = written(part, block).await?;
    if broke_off || (span.from.is_some() && at < file.size_bytes) {
        let part = blocking(move || part.sync().map(|()| part)).await?;
        drop(part);
        if file.received_at.is_none() {
            service.catalogue.advance_file(file.id, &file.object_key, offset, at).await?;
        }
        if broke_off || at < span.end {
            let detail = format!("The body broke off; the file goes on at byte {at}.");
            return Err(Problem::new(StatusCode::BAD_REQUEST, "broke-off", detail));
        }
        return Ok(None);
    }
    if at < span.end {
        discard(part).await;
        return Err(other_size(file));
    }
    let (part, sha256) = blocking(move || part.finish().map(|sha256| (part, sha256))).await?;
    if file.sha256.as_ref().is_some_and(|announced| *announced != sha256) {
        discard(part).await;
        if offset > 0 && file.received_at.is_none() {
            service.catalogue.advance_file(file.id, &file.object_key, offset, 0).await?;
        }
        let detail =
            "The SHA-256 of what came is not the one that was announced; nothing was kept.";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "other-checksum", detail));
    }
    Ok(Some((part, sha256)))
}

/// What is not kept must not fill the disk; that it cannot be removed does not change the answer.
async fn discard(part: Part) {
    if let Err(error) = blocking(move || part.discard()).await {
        tracing::warn!(%error, "a part that is not needed stays");
    }
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
    if file.received_at.is_none() {
        let key = file.object_key.clone();
        blocking(move || part.keep(&key)).await?;
    } else {
        discard(part).await;
    }
    let (key, size) = (&file.object_key, file.size_bytes);
    let marked =
        service.catalogue.mark_received(file.dataset_id, file.id, key, size, Some(sha256)).await;
    if marked.is_err() && file.received_at.is_none() {
        // Nobody will ask for it; `luna admin scrub` finds it if this fails too.
        if let Err(error) = service.storage.delete(key).await {
            tracing::warn!(%error, "an object that is not needed stays");
        }
    }
    Ok(marked?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_strictly() {
        assert_eq!(range("bytes 0-0/1"), Some((0, 0, 1)));
        assert_eq!(range("bytes 100-999/1000"), Some((100, 999, 1_000)));
        for bad in [
            "",
            "bytes",
            "bytes 0-9",
            "bytes 9-0/10",
            "bytes 0-10/10",
            "bytes */10",
            "bytes 0-9/*",
            "bytes +1-9/10",
            "bytes -9/10",
            "items 0-9/10",
            "bytes 0-9/99999999999999999999",
        ] {
            assert_eq!(range(bad), None, "{bad}");
        }
    }
}
