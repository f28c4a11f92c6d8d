//! The web pages: drawn here, whole without a script, nothing asked of anywhere else.
//!
//! They read the catalogue as the API does and show what it would answer; what a browser sends while it
//! uploads or watches goes to the API itself. Whatever comes from outside is escaped by `maud`, and by
//! [`shown`](layout::shown) for the eye.

mod assets;
mod dataset;
mod datasets;
mod duplicates;
mod examples;
mod files;
mod layout;
mod organiser;
mod report;
mod rules;
mod session;
mod summary;
mod upload;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, Query, Request, State as Shared};
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use luna_worker::storage::origin;
use maud::{Markup, html};
use serde::de::DeserializeOwned;

use self::layout::Frame;
use crate::caller::Caller;
use crate::problem::{ForPeople, Problem};
use crate::{Objects, Service, State};

/// What a page's handler answers.
type Page = crate::problem::Result<Response>;

pub(crate) fn routes(service: &Arc<Service>) -> Router<Arc<Service>> {
    Router::new()
        .merge(session::routes())
        .merge(datasets::routes())
        .merge(dataset::routes())
        .merge(files::routes())
        .merge(upload::routes())
        .merge(rules::routes())
        .merge(examples::routes())
        .merge(organiser::routes())
        .merge(duplicates::routes())
        .route_layer(from_fn_with_state(Arc::clone(service), as_page))
        .merge(assets::routes())
}

/// Keeps those signed in who go on, on pages and in the calls that pages make.
pub(crate) use self::session::renewed;

/// Somebody at a browser.
#[derive(Debug)]
struct Visitor {
    caller: Caller,
}

impl FromRequestParts<Arc<Service>> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        service: &Arc<Service>,
    ) -> crate::problem::Result<Self> {
        let caller = Caller::from_request_parts(parts, service).await?;
        caller.person()?;
        Ok(Self { caller })
    }
}

/// What an address asks for; one that cannot be understood asks for nothing in particular.
struct Wanted<T>(T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequestParts<S> for Wanted<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(Query::try_from_uri(&parts.uri).map(|Query(asked)| asked).unwrap_or_default()))
    }
}

/// Guards a page, and leads those who are not signed in to where they can.
async fn as_page(Shared(service): State, request: Request, next: Next) -> Response {
    let wanted = match *request.method() {
        Method::GET => request.uri().path_and_query().map(ToString::to_string),
        _ => None,
    };
    let response = next.run(request).await;
    let problem = response.extensions().get::<Problem>();
    if problem.is_some_and(|it| it.status() == StatusCode::UNAUTHORIZED) {
        return session::first(wanted.as_deref());
    }
    guarded(response, &service)
}

/// A page for everybody, whose middle is drawn elsewhere.
pub(crate) fn for_everybody(service: &Service, title: &str, body: &Markup) -> Response {
    guarded(Frame::titled(title).around(body).into_response(), service)
}

fn guarded(mut response: Response, service: &Service) -> Response {
    response.extensions_mut().insert(ForPeople);
    let head = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy(service)) {
        head.insert(CONTENT_SECURITY_POLICY, policy);
    }
    head.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Without it forms would not say where they come from; other sites hear nothing.
    head.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    // What one person saw is not shown to the next one at the same screen.
    head.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn policy(service: &Service) -> String {
    let uploads = match &service.objects {
        Objects::Folder(_) => origin(&service.public_url).unwrap_or_default(),
        Objects::Bucket(signer) => signer.public_origin(),
    };
    format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
         connect-src 'self' {uploads}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
}

/// For addresses at which there is nothing: a page for browsers, a document for programs.
pub(crate) async fn nothing(Shared(service): State, request: Request) -> Response {
    let accepts = request.headers().get(ACCEPT).and_then(|it| it.to_str().ok());
    let is_browser = accepts.is_some_and(|it| it.contains("text/html"));
    let answer = Problem::not_found().into_response();
    if is_browser && !request.uri().path().starts_with("/api/") {
        return guarded(answer, &service);
    }
    answer
}

/// The page of a problem.
pub(crate) fn error(problem: &Problem, id: &str) -> Response {
    let status = problem.status();
    let title = match status {
        StatusCode::NOT_FOUND => "There is nothing here",
        StatusCode::SERVICE_UNAVAILABLE => "Out of reach at the moment",
        _ => status.canonical_reason().unwrap_or("That did not work"),
    };
    let body = html! {
        section {
            h1 { (title) }
            @if status == StatusCode::NOT_FOUND {
                p { "This address leads to nothing that you can see. It may have been removed, or belong to another team." }
            } @else {
                p { (problem.detail()) }
            }
            @if let Some(seconds) = problem.seconds() {
                p { "Try again in " (layout::duration(seconds)) "." }
            }
            p { a href="/" { "Go to your data sets" } }
            p.quiet { "Request " code { (id) } " · status " (status.as_u16()) }
        }
    };
    (status, Frame::titled(title).around(&body)).into_response()
}
