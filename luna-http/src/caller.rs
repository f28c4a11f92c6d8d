//! Who asks.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, COOKIE as COOKIES};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use luna_worker::catalogue::{self, Dataset, Role, User};

use crate::Service;
use crate::problem::{Problem, Result};

/// The user behind a request. Read anew from the catalogue each time: who was removed is nobody at once.
#[derive(Debug)]
pub(crate) struct Caller(pub(crate) User);

/// The cookie with which browsers say who somebody is: the same token.
pub(crate) const COOKIE: &str = "luna_session";

impl FromRequestParts<Arc<Service>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Self> {
        let token = token(parts, service)?;
        let refused = || {
            Problem::unauthorized(
                "bad-token",
                "The token is not good, or not any more: sign in again.",
            )
        };
        let id = service.keys.user_id(&token).ok_or_else(refused)?;
        match service.catalogue.user(id).await {
            Ok(user) => Ok(Self(user)),
            Err(catalogue::Error::NotFound { .. }) => Err(refused()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The token of a request: as it says itself, else as the browser says, unless another site made it do so.
fn token(parts: &Parts, service: &Service) -> Result<String> {
    let missing = || {
        let detail = "Sign in first: POST /api/v1/auth/login, then send the token as \
                      `Authorization: Bearer …`.";
        Problem::unauthorized("no-token", detail)
    };
    if let Some(value) = parts.headers.get(AUTHORIZATION) {
        let (scheme, token) =
            value.to_str().ok().and_then(|it| it.split_once(' ')).ok_or_else(missing)?;
        let is_bearer = scheme.eq_ignore_ascii_case("bearer");
        return if is_bearer { Ok(token.trim().to_owned()) } else { Err(missing()) };
    }
    let token = cookie(&parts.headers).ok_or_else(missing)?;
    if !parts.method.is_safe() {
        from_here(&parts.headers, service)?;
    }
    Ok(token.to_owned())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(COOKIES).iter().filter_map(|it| it.to_str().ok());
    let mut pairs = pairs.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// Refuses what a page of another site made a browser send.
pub(crate) fn from_here(headers: &HeaderMap, service: &Service) -> Result<()> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_ours = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        // Browsers say where they fetch from only over TLS and to this machine; the origin, always.
        (None, Some(origin)) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            origin == service.public_url || (host.is_some() && host == text("host"))
        }
        (None, None) => false,
    };
    if is_ours {
        return Ok(());
    }
    let detail = "This came from a page of another site; nothing was done.";
    Err(Problem::new(StatusCode::FORBIDDEN, "cross-site", detail))
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
