//! JSON bodies and numbers in paths, refused in one form.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::{FieldError, Problem};

/// A JSON document, whatever the header calls it; unknown fields are refused by its type.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await.map_err(|refused| {
            let status = refused.status();
            Problem::new(status, "body", "The body is too large, or broke off.")
        })?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            if error.is_data() {
                let (pointer, detail) = (String::new(), error.to_string());
                return Problem::invalid(vec![FieldError { pointer, detail }]);
            }
            let detail = format!("The body is no JSON document: {error}.");
            Problem::new(StatusCode::BAD_REQUEST, "no-json", detail)
        })
    }
}

/// Numbers of things in the path; what is no number is no thing.
#[derive(Debug)]
pub(crate) struct Ids<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Ids<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(ids)| Self(ids)).map_err(|_| Problem::not_found())
    }
}
