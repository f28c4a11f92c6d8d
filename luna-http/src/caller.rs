//! Who asks.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use luna_worker::catalogue::{self, Dataset, Role, User};

use crate::Service;
use crate::problem::{Problem, Result};

/// The user behind a request. Read anew from the catalogue each time: who was removed is nobody at once.
#[derive(Debug)]
pub(crate) struct Caller(pub(crate) User);

impl FromRequestParts<Arc<Service>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Self> {
        let missing = || {
            let detail = "Sign in first: POST /api/v1/auth/login, then send the token as \
                          `Authorization: Bearer …`.";
            Problem::unauthorized("no-token", detail)
        };
        let value = parts.headers.get(AUTHORIZATION).ok_or_else(missing)?;
        let (scheme, token) =
            value.to_str().ok().and_then(|it| it.split_once(' ')).ok_or_else(missing)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(missing());
        }
        let refused = || {
            Problem::unauthorized(
                "bad-token",
                "The token is not good, or not any more: sign in again.",
            )
        };
        let id = service.keys.user_id(token.trim()).ok_or_else(refused)?;
        match service.catalogue.user(id).await {
            Ok(user) => Ok(Self(user)),
            Err(catalogue::Error::NotFound { .. }) => Err(refused()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Caller {
    /// A data set that the caller may see: the own team's, or anybody's for those who run the service.
    pub(crate) async fn dataset(&self, service: &Service, id: i64) -> Result<Dataset> {
        let own = match self.0.role {
            Role::Admin | Role::Organiser => None,
            Role::User => Some(self.0.team_id),
        };
        Ok(service.catalogue.dataset(id, own).await?)
    }

    /// A data set that the caller may change.
    pub(crate) async fn own_dataset(&self, service: &Service, id: i64) -> Result<Dataset> {
        let own = (self.0.role != Role::Admin).then_some(self.0.team_id);
        Ok(service.catalogue.dataset(id, own).await?)
    }
}
