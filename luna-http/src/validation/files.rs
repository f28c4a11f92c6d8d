//! The files of a data set.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use utoipa::ToSchema;

use crate::State;
use crate::body::Ids;
use crate::caller::Caller;
use crate::page::{Asked, Page};
use crate::problem::{Problem, Result};

/// The largest file that is sent back through the service.
const MOST_BYTES: u64 = 1 << 28;

/// What RFC 8187 wants coded, and some more.
const CODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// A file of a data set.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FileRow {
    file_id: i64,
    path: String,
    content_type: String,
    size_bytes: u64,
    /// Hexadecimal; as computed, once it arrived.
    sha256: Option<String>,
    /// RFC 3339, UTC; null for one that did not arrive.
    received_at: Option<String>,
}

/// List the files of a data set, by path.
#[utoipa::path(
    get, path = "/api/v1/validation/{dataset_id}/files", tag = "validation",
    params(("dataset_id" = i64, Path), Asked), responses((status = 200, body = Page<FileRow>)),
    extensions(("x-who" = json!("team")))
)]
pub(super) async fn files(
    Shared(service): State,
    caller: Caller,
    Ids(dataset_id): Ids<i64>,
    asked: Asked,
) -> Result<Json<Page<FileRow>>> {
    let dataset = caller.dataset(&service, dataset_id).await?;
    let after = asked.cursor.as_deref();
    let files = service.catalogue.files(dataset.id, after, asked.fetch()).await?;
    let page = Page::of(
        files,
        &asked,
        |file| file.path.clone(),
        |file| FileRow {
            file_id: file.id,
            path: file.path,
            content_type: file.content_type,
            size_bytes: file.size_bytes,
            sha256: file.sha256,
            received_at: file.received_at.map(|it| it.to_string()),
        },
    );
    Ok(Json(page))
}

/// Get a file back as it was sent.
#[utoipa::path(
    get, path = "/api/v1/validation/{dataset_id}/files/{file_id}/content", tag = "validation",
    params(("dataset_id" = i64, Path), ("file_id" = i64, Path)),
    responses((status = 200, body = String, content_type = "application/octet-stream")),
    extensions(("x-who" = json!("team")))
)]
pub(super) async fn content(
    Shared(service): State,
    caller: Caller,
    Ids((dataset_id, file_id)): Ids<(i64, i64)>,
) -> Result<Response> {
    let dataset = caller.dataset(&service, dataset_id).await?;
    let file = service.catalogue.file(dataset.id, file_id).await?;
    if file.received_at.is_none() {
        return Err(Problem::not_found());
    }
    if file.size_bytes > MOST_BYTES {
        let detail = "Files of more than 256 MiB are not sent back; ask the organisers.";
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail));
    }
    let bytes = service.storage.read(&file.object_key, MOST_BYTES).await?;
    let mut answer = bytes.into_response();
    let headers = answer.headers_mut();
    // Never as what it claims to be: nobody's browser runs it.
    let kind = HeaderValue::from_static("application/octet-stream");
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let policy = HeaderValue::from_static("default-src 'none'; sandbox");
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    if let Ok(name) = HeaderValue::from_str(&attachment(&file.path)) {
        headers.insert(CONTENT_DISPOSITION, name);
    }
    Ok(answer)
}

/// The name of a download (RFC 6266, with RFC 8187 for what is not ASCII).
fn attachment(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    let plain: String = name
        .chars()
        .map(|letter| match letter {
            letter if letter.is_ascii_alphanumeric() || "-_. ".contains(letter) => letter,
            _ => '_',
        })
        .collect();
    let coded = utf8_percent_encode(name, CODED);
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{coded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_downloads_cannot_break_out() {
        let odd = attachment("a/\"; \r\nset-cookie: x=ä.png");
        assert_eq!(
            odd,
            "attachment; filename=\"__ __set-cookie_ x__.png\"; \
             filename*=UTF-8''%22%3B%20%0D%0Aset-cookie%3A%20x%3D%C3%A4.png"
        );
    }
}
