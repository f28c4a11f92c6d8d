//! Keys for the scripts of a team.

use std::time::Duration;

use axum::Json as Answer;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use luna_worker::catalogue::{ApiKey, Scope};
use luna_worker::secrets;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{MOST_DAYS, OfTeam, name};
use crate::State;
use crate::api::Routes;
use crate::auth::random;
use crate::body::{Ids, Json};
use crate::caller::Caller;
use crate::page::{Page, Question};
use crate::problem::{Problem, Result};

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(keys, create_key)).routes(routes!(revoke_key))
}

/// A key for scripts.
#[derive(Debug, Serialize, ToSchema)]
struct KeyRow {
    key_id: i64,
    team_id: i64,
    name: String,
    /// `read`, or `write`, which reads too.
    #[schema(value_type = String, example = "read")]
    scope: Scope,
    /// RFC 3339, UTC; null for one that works until it is revoked.
    expires_at: Option<String>,
    /// RFC 3339, UTC.
    revoked_at: Option<String>,
    /// Shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl From<ApiKey> for KeyRow {
    fn from(key: ApiKey) -> Self {
        Self {
            key_id: key.id,
            team_id: key.team_id,
            name: key.name,
            scope: key.scope,
            expires_at: key.expires_at.map(|it| it.to_string()),
            revoked_at: key.revoked_at.map(|it| it.to_string()),
            key: None,
        }
    }
}

/// List the keys of a team, dead ones too.
#[utoipa::path(
    get, path = "/api/v1/api-keys", tag = "people", params(OfTeam),
    responses((status = 200, body = Page<KeyRow>)), extensions(("x-who" = json!("person")))
)]
async fn keys(
    Shared(service): State,
    caller: Caller,
    Question(of): Question<OfTeam>,
) -> Result<Answer<Page<KeyRow>>> {
    caller.person()?;
    let found = service.catalogue.api_keys_of(caller.team(of.team_id)?).await?;
    Ok(Answer(Page::whole(found.into_iter().map(KeyRow::from).collect())))
}

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewKey {
    #[schema(max_length = 200)]
    name: String,
    /// `read`, or `write`, which reads too.
    #[schema(value_type = String, example = "read")]
    scope: Scope,
    /// Days that it works; until it is revoked unless given.
    #[schema(minimum = 1, maximum = 3650)]
    days: Option<u32>,
    /// Only an admin may name another team than the own one.
    team_id: Option<i64>,
}

/// Make a key for scripts; it is shown once.
#[utoipa::path(
    post, path = "/api/v1/api-keys", tag = "people", request_body = NewKey,
    responses((status = 201, body = KeyRow)), extensions(("x-who" = json!("person")))
)]
async fn create_key(
    Shared(service): State,
    caller: Caller,
    Json(new): Json<NewKey>,
) -> Result<(StatusCode, Answer<KeyRow>)> {
    caller.person()?;
    let team = caller.team(new.team_id)?;
    name("/name", &new.name)?;
    if new.days.is_some_and(|days| days == 0 || days > MOST_DAYS) {
        return Err(Problem::field("/days", format!("1 to {MOST_DAYS}")));
    }
    let now = service.catalogue.now().await?;
    let until = new.days.map(|days| now.after(Duration::from_hours(u64::from(days) * 24)));
    let key = format!("luna_{}", random()?);
    let hash = secrets::digest(&key);
    let made = service.catalogue.create_api_key(team, &new.name, &hash, new.scope, until).await?;
    service.audit(&caller, "key.create", &format!("key {}", made.id)).await?;
    Ok((StatusCode::CREATED, Answer(KeyRow { key: Some(key), ..made.into() })))
}

/// Make a key stop working, at once.
#[utoipa::path(
    delete, path = "/api/v1/api-keys/{key_id}", tag = "people",
    params(("key_id" = i64, Path), OfTeam), responses((status = 204)),
    extensions(("x-who" = json!("person")))
)]
async fn revoke_key(
    Shared(service): State,
    caller: Caller,
    Ids(key_id): Ids<i64>,
    Question(of): Question<OfTeam>,
) -> Result<StatusCode> {
    caller.person()?;
    service.catalogue.revoke_api_key(caller.team(of.team_id)?, key_id).await?;
    service.audit(&caller, "key.revoke", &format!("key {key_id}")).await?;
    Ok(StatusCode::NO_CONTENT)
}
