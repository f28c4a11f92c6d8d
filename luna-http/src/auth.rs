//! Signing in.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::LazyLock;

use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, Form, State as Shared};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use luna_worker::catalogue::{self, User};
use luna_worker::secrets;
use serde::{Deserialize, Serialize};

use crate::caller::Caller;
use crate::problem::{Problem, Result};
use crate::tokens::LIFETIME;
use crate::{Service, State};

/// Letters of a login name.
const LONGEST_NAME: usize = 200;
/// Letters of a password: Argon2id takes its time over long ones.
const LONGEST_PASSWORD: usize = 1_024;
/// Keys that are remembered before those that are free again are forgotten.
const MOST_KEYS: usize = 10_000;

pub(crate) fn routes() -> Router<std::sync::Arc<Service>> {
    // Not at the first unknown name, which would take longer than a known one.
    LazyLock::force(&NOBODY);
    Router::new().route("/api/v1/auth/login", post(login)).route("/api/v1/auth/me", get(me))
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
    fn count(&self, account: &str, address: SocketAddr) -> Result<()> {
        if self.accounts.len() > MOST_KEYS {
            self.accounts.retain_recent();
        }
        if self.addresses.len() > MOST_KEYS {
            self.addresses.retain_recent();
        }
        let clock = DefaultClock::default();
        let address = self.addresses.check_key(&address.ip());
        let refused = address.and_then(|()| self.accounts.check_key(&account.to_owned()));
        refused.map_err(|until| {
            let seconds = until.wait_time_from(clock.now()).as_secs() + 1;
            let detail = format!("Too many tries to sign in; the next one counts in {seconds} s.");
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-tries", detail);
            problem.retry_after(seconds)
        })
    }
}

#[derive(Deserialize)]
struct Login {
    username: String,
    password: String,
}

#[derive(Debug, Serialize)]
struct SignedIn {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
}

async fn login(
    Shared(service): State,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    form: std::result::Result<Form<Login>, FormRejection>,
) -> Result<Json<SignedIn>> {
    let Form(Login { username, password }) = form.map_err(|_| {
        let detail = "Send the fields `username` and `password` as a form \
                      (application/x-www-form-urlencoded).";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "no-form", detail)
    })?;
    let user = sign_in(&service, &username, password, address).await?;
    let token = service.keys.token(user.id).ok_or_else(Problem::internal)?;
    Ok(Json(SignedIn { access_token: token, token_type: "bearer", expires_in: LIFETIME.as_secs() }))
}

/// The user of this name and password; the try counts.
pub(crate) async fn sign_in(
    service: &Service,
    username: &str,
    password: String,
    address: SocketAddr,
) -> Result<User> {
    let refused = || Problem::unauthorized("wrong-login", "The name or the password is not right.");
    if username.len() > LONGEST_NAME || password.len() > LONGEST_PASSWORD {
        return Err(refused());
    }
    service.attempts.count(username, address)?;
    let user = match service.catalogue.user_named(username).await {
        Ok(user) => Some(user),
        Err(catalogue::Error::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    // An unknown name takes as long as a known one.
    let kept = user.as_ref().map_or_else(|| NOBODY.clone(), |user| user.password_hash.clone());
    let checked = tokio::task::spawn_blocking(move || secrets::is_password(&password, &kept));
    let is_right = checked.await.unwrap_or(false);
    user.filter(|_| is_right).ok_or_else(refused)
}

/// The hash of a password that nobody has.
static NOBODY: LazyLock<String> = LazyLock::new(|| {
    let hashed = secrets::new().and_then(|password| secrets::hashed(&password));
    hashed.unwrap_or_default()
});

#[derive(Debug, Serialize)]
struct Me {
    id: i64,
    username: String,
    role: &'static str,
    team_id: i64,
    team: String,
}

async fn me(Shared(service): State, Caller(user): Caller) -> Result<Json<Me>> {
    let team = service.catalogue.team(user.team_id).await?;
    Ok(Json(Me {
        id: user.id,
        username: user.username,
        role: user.role.as_str(),
        team_id: team.id,
        team: team.name,
    }))
}
