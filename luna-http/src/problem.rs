//! Errors as clients get them: `application/problem+json` (RFC 9457), with a code that stays, and the number of
//! the request, which the log has too.

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ALLOW, CACHE_CONTROL,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use luna_worker::{catalogue, storage};
use tracing::Instrument as _;

/// Seconds after which a client should ask again when something behind the service is away.
const LATER: u64 = 5;

/// Why a request was not answered as asked.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    retry_after: Option<u64>,
    errors: Vec<FieldError>,
}

/// The body of an error (RFC 9457).
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(crate) struct ProblemDocument {
    #[schema(example = "about:blank")]
    r#type: &'static str,
    /// The status in words.
    title: Option<&'static str>,
    /// HTTP's status.
    status: u16,
    /// What is wrong, and what to do.
    detail: String,
    /// A word for programs; it stays as it is.
    #[schema(example = "invalid-fields")]
    code: &'static str,
    /// Number of the request, which the service's log has too.
    request_id: String,
    /// Fields that cannot be taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

/// A field of the request that cannot be taken.
#[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema)]
pub(crate) struct FieldError {
    /// JSON pointer (RFC 6901) to it.
    pub(crate) pointer: String,
    pub(crate) detail: String,
}

pub(crate) type Result<T> = std::result::Result<T, Problem>;

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), retry_after: None, errors: Vec::new() }
    }

    /// The one answer for what is unknown, malformed or somebody else's.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing here.")
    }

    pub(crate) fn wrong_method() -> Self {
        let detail = "This address does not take that method.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
    }

    pub(crate) fn unauthorized(code: &'static str, detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, detail)
    }

    pub(crate) fn forbidden(code: &'static str, detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, detail)
    }

    pub(crate) fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = "Some fields cannot be taken.";
        let problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-fields", detail);
        Self { errors, ..problem }
    }

    /// A part of the query string that cannot be taken.
    pub(crate) fn query(name: &str) -> Self {
        let detail = format!("`{name}` in the query string is not one.");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-query", detail)
    }

    /// One field that cannot be taken.
    pub(crate) fn field(pointer: &str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { pointer: pointer.to_owned(), detail: detail.into() }])
    }

    pub(crate) fn internal() -> Self {
        let detail = "The service failed; its log has the request's number.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds.max(1)), ..self }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// In a sentence, with the first field that cannot be taken.
    pub(crate) fn sentence(&self) -> String {
        match self.errors.first() {
            Some(FieldError { pointer, detail }) => {
                format!("{}: {detail}", capital(pointer.trim_start_matches('/')))
            }
            None => self.detail.clone(),
        }
    }

    /// Seconds after which asking again makes sense.
    pub(crate) fn seconds(&self) -> Option<u64> {
        self.retry_after
    }

    fn away(what: &str) -> Self {
        let detail = format!("The {what} does not answer at the moment; ask again.");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(LATER)
    }
}

impl From<catalogue::Error> for Problem {
    fn from(error: catalogue::Error) -> Self {
        match error {
            catalogue::Error::NotFound { .. } => Self::not_found(),
            catalogue::Error::Conflict { what } => {
                Self::new(StatusCode::CONFLICT, "conflict", format!("{}.", capital(what)))
            }
            catalogue::Error::Invalid { what } => {
                let detail = format!("{}.", capital(what));
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
            }
            catalogue::Error::Unavailable { .. } => {
                tracing::warn!(%error, "the database is away");
                Self::away("database")
            }
            error => {
                tracing::error!(%error, "the catalogue failed");
                Self::internal()
            }
        }
    }
}

impl From<storage::Error> for Problem {
    fn from(error: storage::Error) -> Self {
        tracing::error!(%error, "the storage failed");
        match error {
            storage::Error::Unreachable { .. } | storage::Error::RateLimited { .. } => {
                Self::away("storage")
            }
            _ => Self::internal(),
        }
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        // Files that teams send are written beside the storage's own door.
        storage::failed(storage::Operation::Write);
        tracing::error!(%error, "the storage failed");
        match error.kind() {
            std::io::ErrorKind::StorageFull => {
                let detail = "The service has no room left; tell its operators.";
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "storage-full", detail)
            }
            _ => Self::away("storage"),
        }
    }
}

impl Problem {
    /// For programs.
    fn document(self, id: &str) -> Response {
        let body = ProblemDocument {
            r#type: "about:blank",
            title: self.status.canonical_reason(),
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code,
            request_id: id.to_owned(),
            errors: self.errors,
        };
        let json = [(CONTENT_TYPE, "application/problem+json")];
        (self.status, json, axum::Json(body)).into_response()
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // The body is written where the request's number is known.
        response.extensions_mut().insert(self);
        response
    }
}

/// On answers that people look at: a problem becomes a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForPeople;

/// What of an answer's head stays when a problem gets its body.
const KEPT: [axum::http::HeaderName; 10] = [
    RETRY_AFTER,
    WWW_AUTHENTICATE,
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS,
    VARY,
    ALLOW,
    CACHE_CONTROL,
    CONTENT_SECURITY_POLICY,
    REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
];

/// Gives each request a number, on its answer and in the log, and problems their body.
pub(crate) async fn with_request_id(request: Request, next: Next) -> Response {
    let Ok(id) = luna_worker::secrets::new() else { return Problem::internal().into_response() };
    let method = crate::metrics::word(request.method());
    let span = tracing::info_span!("request", id, method);
    let mut response = next.run(request).instrument(span).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let head = response.headers().clone();
        response = match response.extensions().get::<ForPeople>() {
            Some(ForPeople) => crate::pages::error(&problem, &id),
            None => problem.document(&id),
        };
        for name in KEPT {
            if let Some(value) = head.get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
    }
    let head = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        head.insert("x-request-id", id);
    }
    // Whatever a browser is led to, it takes for what it is called, and runs nothing of it.
    head.entry(X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    head.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(NOTHING));
    response
}

/// The policy of answers that have none of their own.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";
