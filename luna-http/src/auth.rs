//! Signing in.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::LazyLock;
use std::time::Duration;

use axum::Json as Answer;
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, Form, State as Shared};
use axum::http::StatusCode;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};
use luna_worker::catalogue::{self, User};
use luna_worker::secrets;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::api::Routes;
use crate::body::Json;
use crate::caller::{By, Caller};
use crate::problem::{Problem, Result};
use crate::tokens::LIFETIME;
use crate::{Service, State};

/// Letters of a login name.
pub(crate) const LONGEST_NAME: usize = 200;
/// Letters that a password has at least (NIST SP 800-63B asks for 8, and 15 where nothing else protects).
pub(crate) const SHORTEST_PASSWORD: usize = 12;
/// Letters of a password: Argon2id takes its time over long ones.
const LONGEST_PASSWORD: usize = 1_024;
/// Keys that are remembered before those that are free again are forgotten.
const MOST_KEYS: usize = 10_000;

/// How long somebody stays signed in who refreshes the token.
const SESSION: Duration = Duration::from_hours(30 * 24);

pub(crate) fn routes() -> Routes {
    // Not at the first unknown name, which would take longer than a known one.
    LazyLock::force(&NOBODY);
    Routes::new()
        .routes(routes!(login))
        .routes(routes!(refresh))
        .routes(routes!(logout))
        .routes(routes!(password))
        .routes(routes!(me))
}

/// Tries to sign in: five a minute for an account, thirty for an address.
#[derive(Debug)]
pub(crate) struct Attempts {
    accounts: DefaultKeyedRateLimiter<String>,
    addresses: DefaultKeyedRateLimiter<std::net::IpAddr>,
}

impl Default for Attempts {
    fn default() -> Self {
        let a_minute =
            |most: u32| Quota::per_minute(NonZeroU32::new(most).unwrap_or(NonZeroU32::MIN));
        Self {
            accounts: RateLimiter::keyed(a_minute(5)),
            addresses: RateLimiter::keyed(a_minute(30)),
        }
    }
}

impl Attempts {
    /// Notes a try.
    pub(crate) fn count(&self, account: &str, address: SocketAddr) -> Result<()> {
        self.count_address(address)?;
        if self.accounts.len() > MOST_KEYS {
            self.accounts.retain_recent();
        }
        Self::allowed(self.accounts.check_key(&account.to_owned()))
    }

    /// Notes a try that names no account.
    pub(crate) fn count_address(&self, address: SocketAddr) -> Result<()> {
        if self.addresses.len() > MOST_KEYS {
            self.addresses.retain_recent();
        }
        Self::allowed(self.addresses.check_key(&address.ip()))
    }

    fn allowed(
        tried: std::result::Result<(), NotUntil<<DefaultClock as Clock>::Instant>>,
    ) -> Result<()> {
        let clock = DefaultClock::default();
        tried.map_err(|until| {
            let seconds = until.wait_time_from(clock.now()).as_secs() + 1;
            let detail = format!("Too many tries to sign in; the next one counts in {seconds} s.");
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-tries", detail);
            problem.retry_after(seconds)
        })
    }
}

/// A name and a password.
#[derive(Deserialize, ToSchema)]
struct Login {
    username: String,
    #[schema(format = "password")]
    password: String,
}

/// Tokens of a session.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignedIn {
    /// Goes with every call, as `Authorization: Bearer …`.
    pub(crate) access_token: String,
    #[schema(example = "bearer")]
    token_type: &'static str,
    /// Seconds that the access token is good for.
    pub(crate) expires_in: u64,
    /// Good for one new access token, for 30 days.
    refresh_token: String,
}

/// Sign in.
#[utoipa::path(
    post, path = "/api/v1/auth/login", tag = "auth", security(()),
    request_body(content = Login, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = SignedIn)),
    extensions(("x-who" = json!("anybody")))
)]
async fn login(
    Shared(service): State,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    form: std::result::Result<Form<Login>, FormRejection>,
) -> Result<Answer<SignedIn>> {
    let Form(Login { username, password }) = form.map_err(|_| {
        let detail = "Send the fields `username` and `password` as a form \
                      (application/x-www-form-urlencoded).";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "no-form", detail)
    })?;
    service.sign_in(address, username, password).await.map(Answer)
}

impl Service {
    /// Begins a session, if name and password are right and there were not too many tries.
    pub(crate) async fn sign_in(
        &self,
        address: SocketAddr,
        username: String,
        password: String,
    ) -> Result<SignedIn> {
        let refused =
            || Problem::unauthorized("wrong-login", "The name or the password is not right.");
        if username.len() > LONGEST_NAME || password.len() > LONGEST_PASSWORD {
            return Err(refused());
        }
        self.attempts.count(&username, address)?;
        let user = match self.catalogue.user_named(&username).await {
            Ok(user) => Some(user),
            Err(catalogue::Error::NotFound { .. } | catalogue::Error::Invalid { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let user = is_password(user, password).await.ok_or_else(refused)?;
        let token = random()?;
        let session =
            self.catalogue.begin_session(user.id, &secrets::digest(&token), SESSION).await?;
        self.signed_in(session.id, token)
    }

    fn signed_in(&self, session_id: i64, refresh_token: String) -> Result<SignedIn> {
        let access_token = self.keys.token(session_id).ok_or_else(Problem::internal)?;
        let expires_in = LIFETIME.as_secs();
        Ok(SignedIn { access_token, token_type: "bearer", expires_in, refresh_token })
    }
}

/// The user, if the password is right. An unknown one takes as long as a known one.
async fn is_password(user: Option<User>, password: String) -> Option<User> {
    let kept = user.as_ref().map_or_else(|| NOBODY.clone(), |user| user.password_hash.clone());
    let checked = tokio::task::spawn_blocking(move || secrets::is_password(&password, &kept));
    let is_right = checked.await.unwrap_or(false);
    user.filter(|_| is_right)
}

/// The hash of a password that nobody has.
static NOBODY: LazyLock<String> = LazyLock::new(|| {
    let hashed = secrets::new().and_then(|password| secrets::hashed(&password));
    hashed.unwrap_or_default()
});

/// A secret that nobody has yet.
pub(crate) fn random() -> Result<String> {
    secrets::new().map_err(|error| {
        tracing::error!(%error, "no random numbers");
        Problem::internal()
    })
}

/// A password as it is kept, if it is one that will do.
pub(crate) async fn hashed(password: String) -> Result<String> {
    if password.chars().count() < SHORTEST_PASSWORD || password.len() > LONGEST_PASSWORD {
        let detail = format!("{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} letters");
        return Err(Problem::field("/password", detail));
    }
    let hashed = tokio::task::spawn_blocking(move || secrets::hashed(&password)).await;
    hashed.ok().and_then(std::result::Result::ok).ok_or_else(Problem::internal)
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Refresh {
    refresh_token: String,
}

/// Get a new access token; the refresh token is replaced too.
///
/// A refresh token that comes twice is in two hands: the session ends then.
#[utoipa::path(
    post, path = "/api/v1/auth/refresh", tag = "auth", security(()), request_body = Refresh,
    responses((status = 200, body = SignedIn)),
    extensions(("x-who" = json!("anybody")))
)]
async fn refresh(
    Shared(service): State,
    Json(Refresh { refresh_token }): Json<Refresh>,
) -> Result<Answer<SignedIn>> {
    let next = random()?;
    let (used, kept) = (secrets::digest(&refresh_token), secrets::digest(&next));
    let session = service.catalogue.refresh_session(&used, &kept).await;
    let session = session.map_err(|error| match error {
        catalogue::Error::NotFound { .. } => {
            Problem::unauthorized("bad-token", "The refresh token is not good: sign in again.")
        }
        error => error.into(),
    })?;
    service.signed_in(session.id, next).map(Answer)
}

/// Sign out: the session's tokens stop working at once.
#[utoipa::path(
    post, path = "/api/v1/auth/logout", tag = "auth", responses((status = 204)),
    extensions(("x-who" = json!("person")))
)]
async fn logout(Shared(service): State, caller: Caller) -> Result<StatusCode> {
    let (_, session_id) = caller.person()?;
    service.catalogue.end_session(session_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Two passwords.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    #[schema(format = "password")]
    current_password: String,
    /// 12 to 1,024 letters.
    #[schema(format = "password", min_length = 12)]
    password: String,
}

/// Change the own password; all other sessions of the user end.
#[utoipa::path(
    post, path = "/api/v1/auth/password", tag = "auth", request_body = NewPassword,
    responses((status = 204)),
    extensions(("x-who" = json!("person")))
)]
async fn password(
    Shared(service): State,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    caller: Caller,
    Json(NewPassword { current_password, password }): Json<NewPassword>,
) -> Result<StatusCode> {
    let (user_id, session_id) = caller.person()?;
    let user = service.catalogue.user(user_id).await?;
    service.attempts.count(&user.username, address)?;
    if is_password(Some(user), current_password).await.is_none() {
        return Err(Problem::field("/current_password", "It is not the current one."));
    }
    service.catalogue.set_password(user_id, &hashed(password).await?).await?;
    service.catalogue.end_sessions(Some(user_id), Some(session_id)).await?;
    service.audit(&caller, "user.password", &format!("user {user_id}")).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    /// The user's number; none for a key.
    id: Option<i64>,
    username: Option<String>,
    #[schema(example = "user")]
    role: &'static str,
    team_id: i64,
    team: String,
}

/// Who am I.
#[utoipa::path(
    get, path = "/api/v1/auth/me", tag = "auth", responses((status = 200, body = Me)),
    extensions(("x-who" = json!("team")))
)]
async fn me(Shared(service): State, caller: Caller) -> Result<Answer<Me>> {
    let team = service.catalogue.team(caller.team_id).await?;
    let id = match caller.by {
        By::Session { user_id, .. } => Some(user_id),
        By::Key { .. } => None,
    };
    Ok(Answer(Me {
        id,
        username: caller.username,
        role: caller.role.as_str(),
        team_id: team.id,
        team: team.name,
    }))
}
