//! Who asks.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, COOKIE as COOKIES};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use luna_worker::catalogue::{self, Dataset, Role, Scope};
use luna_worker::secrets;

use crate::Service;
use crate::problem::{Problem, Result};

/// The header of an API key.
const API_KEY: &str = "x-api-key";
/// The cookie with which browsers say whose session it is, by the same token.
pub(crate) const COOKIE: &str = "luna_session";

/// Who is behind a request. Read anew from the catalogue each time: whoever was removed, signed out or
/// revoked is nobody at once.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// What may be done.
    pub(crate) role: Role,
    /// The team that everything belongs to.
    pub(crate) team_id: i64,
    /// By what means.
    pub(crate) by: By,
    /// The name of a person; none of a script.
    pub(crate) username: Option<String>,
}

/// How somebody comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// A person who signed in.
    Session { user_id: i64, session_id: i64 },
    /// A script of a team.
    Key { id: i64, scope: Scope },
}

impl FromRequestParts<Arc<Service>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Self> {
        let caller = match parts.extensions.remove::<Self>() {
            Some(caller) => caller,
            None => Self::counted(&parts.method, &parts.headers, service).await?,
        };
        if let By::Key { scope: Scope::Read, .. } = caller.by
            && !parts.method.is_safe()
        {
            let detail = "This key only reads; ask for one with the scope `write`.";
            return Err(Problem::forbidden("read-only-key", detail));
        }
        Ok(caller)
    }
}

impl Caller {
    /// Whoever asks, as long as the team does not ask too often.
    pub(crate) async fn counted(
        method: &Method,
        headers: &HeaderMap,
        service: &Service,
    ) -> Result<Self> {
        let caller = Self::of(method, headers, service).await?;
        service.calls.count(caller.team_id)?;
        Ok(caller)
    }

    /// By key, by token, else by a browser's cookie, unless another site made the browser send it.
    async fn of(method: &Method, headers: &HeaderMap, service: &Service) -> Result<Self> {
        if let Some(key) = headers.get(API_KEY) {
            return Self::with_key(key.to_str().unwrap_or_default(), service).await;
        }
        let missing = || {
            let detail = "Sign in first: POST /api/v1/auth/login, then send the token as \
                          `Authorization: Bearer …`; scripts send `x-api-key`.";
            Problem::unauthorized("no-token", detail)
        };
        let Some(value) = headers.get(AUTHORIZATION) else {
            let token = cookie(headers).ok_or_else(missing)?;
            if !method.is_safe() {
                from_here(headers, service)?;
            }
            return Self::with_token(token, service).await;
        };
        let (scheme, token) =
            value.to_str().ok().and_then(|it| it.split_once(' ')).ok_or_else(missing)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(missing());
        }
        Self::with_token(token.trim(), service).await
    }

    /// Whoever a token of a session names.
    pub(crate) async fn with_token(token: &str, service: &Service) -> Result<Self> {
        let refused = || {
            let detail = "The token is not good, or not any more: sign in again.";
            Problem::unauthorized("bad-token", detail)
        };
        let session_id = service.keys.session_id(token).ok_or_else(refused)?;
        let user = service.catalogue.session_user(session_id).await;
        let user = user.map_err(|error| gone(error, refused))?;
        let by = By::Session { user_id: user.id, session_id };
        Ok(Self { role: user.role, team_id: user.team_id, by, username: Some(user.username) })
    }

    async fn with_key(key: &str, service: &Service) -> Result<Self> {
        let refused = || {
            let detail = "The API key is unknown, expired or revoked: ask for a new one.";
            Problem::unauthorized("bad-key", detail)
        };
        let key = service.catalogue.api_key(&secrets::digest(key)).await;
        let key = key.map_err(|error| gone(error, refused))?;
        let by = By::Key { id: key.id, scope: key.scope };
        Ok(Self { role: Role::User, team_id: key.team_id, by, username: None })
    }

    /// As the audit log names it.
    pub(crate) fn actor(&self) -> String {
        match self.by {
            By::Session { user_id, .. } => format!("user {user_id}"),
            By::Key { id, .. } => format!("key {id}"),
        }
    }

    /// The user, where only a person will do.
    pub(crate) fn person(&self) -> Result<(i64, i64)> {
        match self.by {
            By::Session { user_id, session_id } => Ok((user_id, session_id)),
            By::Key { .. } => {
                let detail = "A key cannot do this; sign in as a user.";
                Err(Problem::forbidden("not-a-person", detail))
            }
        }
    }

    /// That the caller runs the service. To everybody else it is not there.
    pub(crate) fn admin(&self) -> Result<()> {
        if self.role == Role::Admin { Ok(()) } else { Err(Problem::not_found()) }
    }

    /// That the caller runs the service or the competition.
    pub(crate) fn organiser(&self) -> Result<()> {
        if self.sees_all() { Ok(()) } else { Err(Problem::not_found()) }
    }

    /// Whether the things of all teams are shown.
    pub(crate) fn sees_all(&self) -> bool {
        matches!(self.role, Role::Admin | Role::Organiser)
    }

    /// A team that the caller may change: the own one, or any for an admin.
    pub(crate) fn team(&self, named: Option<i64>) -> Result<i64> {
        match named {
            Some(team) if team != self.team_id && self.role != Role::Admin => {
                Err(Problem::not_found())
            }
            team => Ok(team.unwrap_or(self.team_id)),
        }
    }

    /// A data set that the caller may see: the own team's, or anybody's for those who run the service.
    pub(crate) async fn dataset(&self, service: &Service, id: i64) -> Result<Dataset> {
        let own = (!self.sees_all()).then_some(self.team_id);
        Ok(service.catalogue.dataset(id, own).await?)
    }

    /// A data set that the caller may change.
    pub(crate) async fn own_dataset(&self, service: &Service, id: i64) -> Result<Dataset> {
        let own = (self.role != Role::Admin).then_some(self.team_id);
        Ok(service.catalogue.dataset(id, own).await?)
    }
}

/// The token in the cookie of a browser.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
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

/// What is gone from the catalogue is refused; that the catalogue is away is another matter.
fn gone(error: catalogue::Error, refused: impl FnOnce() -> Problem) -> Problem {
    match error {
        catalogue::Error::NotFound { .. } => refused(),
        error => error.into(),
    }
}
