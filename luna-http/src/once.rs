//! Calls that are made again under the same `Idempotency-Key` get the first one's answer, and do nothing.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State as Shared};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use luna_worker::catalogue::Repeated;
use sha2::{Digest as _, Sha256};

use crate::caller::Caller;
use crate::problem::{Problem, Result};
use crate::{MOST_JSON, Service};

const HEADER: &str = "idempotency-key";
/// Letters of a key.
const LONGEST_KEY: usize = 200;
/// Seconds after which a call that is under way may be asked for again.
const SOON: u64 = 1;
/// Answers under these paths hold secrets that are shown once, and are not kept.
const SECRET: [&str; 2] = ["/api/v1/api-keys", "/api/v1/invites"];

/// Answers a repeated call; lets all others pass.
pub(crate) async fn once(
    Shared(service): Shared<Arc<Service>>,
    mut request: Request,
    next: Next,
) -> Response {
    let key = request.headers().get(HEADER).filter(|_| request.method() == Method::POST).cloned();
    let Some(key) = key else { return next.run(request).await };
    let caller = match Caller::counted(request.method(), request.headers(), &service).await {
        Ok(caller) => caller,
        Err(problem) if problem.status() == StatusCode::TOO_MANY_REQUESTS => {
            return problem.into_response();
        }
        // Whoever is nobody is refused behind this, or needs to be nobody.
        Err(_) => return next.run(request).await,
    };
    let actor = caller.actor();
    // Known from here on, and counted once.
    request.extensions_mut().insert(caller);
    let answer = service.once(&actor, &key, request, next).await;
    answer.unwrap_or_else(IntoResponse::into_response)
}

impl Service {
    async fn once(
        &self,
        owner: &str,
        key: &HeaderValue,
        request: Request,
        next: Next,
    ) -> Result<Response> {
        let key = key.to_str().ok().filter(|key| (1..=LONGEST_KEY).contains(&key.len()));
        let key = key.ok_or_else(|| {
            let detail = format!("Idempotency-Key: 1 to {LONGEST_KEY} ASCII letters");
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-idempotency-key", detail)
        })?;
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, MOST_JSON).await.map_err(|_| {
            let detail = "The body is too large, or broke off.";
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body", detail)
        })?;
        let path = parts.uri.path().to_owned();
        let asked = Sha256::new().chain_update(&path).chain_update([0]).chain_update(&body);
        let asked = hex::encode(asked.finalize());
        match self.catalogue.begin_call(owner, key, &asked).await? {
            Repeated::New => {}
            Repeated::UnderWay => {
                let detail = "The first call under this key is under way; ask again.";
                let problem = Problem::new(StatusCode::CONFLICT, "under-way", detail);
                return Err(problem.retry_after(SOON));
            }
            Repeated::OtherRequest => {
                let detail = "This Idempotency-Key was used for another request; choose a new one.";
                return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "key-used", detail));
            }
            Repeated::Answered { .. } if SECRET.iter().any(|it| path.starts_with(it)) => {
                let detail = "It was made by the first call, and its secret is shown once.";
                return Err(Problem::new(StatusCode::CONFLICT, "made-before", detail));
            }
            Repeated::Answered { status, body } => return Ok(again(status, body)),
        }
        let answer = next.run(Request::from_parts(parts, Body::from(body))).await;
        self.keep(owner, key, &path, answer).await
    }

    /// Keeps what succeeded; whatever was refused may be tried again.
    async fn keep(&self, owner: &str, key: &str, path: &str, answer: Response) -> Result<Response> {
        if !answer.status().is_success() {
            self.catalogue.forget_call(owner, key).await?;
            return Ok(answer);
        }
        let (head, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.map_err(|_| Problem::internal())?;
        let is_secret = SECRET.iter().any(|it| path.starts_with(it));
        let kept = if is_secret { "" } else { std::str::from_utf8(&body).unwrap_or_default() };
        self.catalogue.keep_answer(owner, key, head.status.as_u16(), kept).await?;
        Ok(Response::from_parts(head, Body::from(body)))
    }
}

fn again(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let json = HeaderValue::from_static("application/json");
    if body.is_empty() {
        return status.into_response();
    }
    (status, [(CONTENT_TYPE, json)], body).into_response()
}
