//! Teams and their users; the invites that make users, and the keys of scripts.

mod invites;
mod keys;

use axum::Json as Answer;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use luna_worker::catalogue::{Role, Team, User};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::State;
use crate::api::Routes;
use crate::auth::hashed;
use crate::body::{Ids, Json};
use crate::caller::Caller;
use crate::page::{Asked, Page, Question};
use crate::problem::{Problem, Result};

/// Letters of a name.
const LONGEST_NAME: usize = 200;
/// The longest life of an invite or a key, in days.
const MOST_DAYS: u32 = 3_650;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(teams, create_team))
        .routes(routes!(team, delete_team))
        .routes(routes!(users, create_user))
        .routes(routes!(delete_user))
        .merge(invites::routes())
        .merge(keys::routes())
}

/// That something may be called so.
pub(crate) fn name(pointer: &str, name: &str) -> Result<()> {
    let is_one = !name.trim().is_empty()
        && name.len() <= LONGEST_NAME
        && !name.chars().any(char::is_control);
    if is_one {
        return Ok(());
    }
    let detail = format!("1 to {LONGEST_NAME} bytes, no control characters");
    Err(Problem::field(pointer, detail))
}

/// A team.
#[derive(Debug, Serialize, ToSchema)]
struct TeamRow {
    team_id: i64,
    name: String,
    /// RFC 3339, UTC.
    created_at: String,
}

impl From<Team> for TeamRow {
    fn from(team: Team) -> Self {
        Self { team_id: team.id, name: team.name, created_at: team.created_at.to_string() }
    }
}

/// List the teams.
#[utoipa::path(
    get, path = "/api/v1/teams", tag = "people", params(Asked),
    responses((status = 200, body = Page<TeamRow>)), extensions(("x-who" = json!("organiser")))
)]
async fn teams(
    Shared(service): State,
    caller: Caller,
    asked: Asked,
) -> Result<Answer<Page<TeamRow>>> {
    caller.organiser()?;
    let after = asked.number()?.unwrap_or(0);
    let found = service.catalogue.teams(after, asked.fetch()).await?;
    Ok(Answer(Page::of(found, &asked, |team| team.id.to_string(), TeamRow::from)))
}

/// A name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTeam {
    #[schema(max_length = 200)]
    name: String,
}

/// Make a team.
#[utoipa::path(
    post, path = "/api/v1/teams", tag = "people", request_body = NewTeam,
    responses((status = 201, body = TeamRow)), extensions(("x-who" = json!("admin")))
)]
async fn create_team(
    Shared(service): State,
    caller: Caller,
    Json(new): Json<NewTeam>,
) -> Result<(StatusCode, Answer<TeamRow>)> {
    caller.admin()?;
    name("/name", &new.name)?;
    let team = service.catalogue.create_team(&new.name).await?;
    service.audit(&caller, "team.create", &format!("team {}", team.id)).await?;
    Ok((StatusCode::CREATED, Answer(team.into())))
}

/// See a team.
#[utoipa::path(
    get, path = "/api/v1/teams/{team_id}", tag = "people", params(("team_id" = i64, Path)),
    responses((status = 200, body = TeamRow)), extensions(("x-who" = json!("team")))
)]
async fn team(
    Shared(service): State,
    caller: Caller,
    Ids(team_id): Ids<i64>,
) -> Result<Answer<TeamRow>> {
    if team_id != caller.team_id {
        caller.organiser()?;
    }
    Ok(Answer(service.catalogue.team(team_id).await?.into()))
}

/// Remove a team with its users, keys, data sets and reports. The audit log stays.
#[utoipa::path(
    delete, path = "/api/v1/teams/{team_id}", tag = "people", params(("team_id" = i64, Path)),
    responses((status = 204)), extensions(("x-who" = json!("admin")))
)]
async fn delete_team(
    Shared(service): State,
    caller: Caller,
    Ids(team_id): Ids<i64>,
) -> Result<StatusCode> {
    caller.admin()?;
    if team_id == caller.team_id {
        let detail = "You would remove yourself with your team.";
        return Err(Problem::new(StatusCode::CONFLICT, "own-team", detail));
    }
    let leftovers = service.catalogue.delete_team(team_id).await?;
    service.audit(&caller, "team.delete", &format!("team {team_id}")).await?;
    service.remove(&leftovers.object_keys).await;
    Ok(StatusCode::NO_CONTENT)
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
struct UserRow {
    user_id: i64,
    team_id: i64,
    username: String,
    #[schema(example = "user")]
    role: &'static str,
    /// RFC 3339, UTC.
    created_at: String,
}

impl From<User> for UserRow {
    fn from(user: User) -> Self {
        Self {
            user_id: user.id,
            team_id: user.team_id,
            username: user.username,
            role: user.role.as_str(),
            created_at: user.created_at.to_string(),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OfTeam {
    /// The own team unless given; only an admin may name another.
    team_id: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Items a page, 1 to 1,000; 100 unless given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// List the users of a team.
#[utoipa::path(
    get, path = "/api/v1/users", tag = "people", params(OfTeam),
    responses((status = 200, body = Page<UserRow>)), extensions(("x-who" = json!("team")))
)]
async fn users(
    Shared(service): State,
    caller: Caller,
    Question(of): Question<OfTeam>,
) -> Result<Answer<Page<UserRow>>> {
    let team = caller.team(of.team_id)?;
    let asked = Asked { cursor: of.cursor, limit: of.limit }.checked()?;
    let after = asked.number()?.unwrap_or(0);
    let found = service.catalogue.users_of(team, after, asked.fetch()).await?;
    Ok(Answer(Page::of(found, &asked, |user| user.id.to_string(), UserRow::from)))
}

/// A user to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewUser {
    team_id: i64,
    #[schema(max_length = 200)]
    username: String,
    #[schema(format = "password", min_length = 12)]
    password: String,
    #[schema(value_type = String, example = "user")]
    role: Role,
}

/// Make a user.
#[utoipa::path(
    post, path = "/api/v1/users", tag = "people", request_body = NewUser,
    responses((status = 201, body = UserRow)), extensions(("x-who" = json!("admin")))
)]
async fn create_user(
    Shared(service): State,
    caller: Caller,
    Json(new): Json<NewUser>,
) -> Result<(StatusCode, Answer<UserRow>)> {
    caller.admin()?;
    name("/username", &new.username)?;
    let hash = hashed(new.password).await?;
    let made = service.catalogue.create_user(new.team_id, &new.username, &hash, new.role);
    let user = made.await?;
    service.audit(&caller, "user.create", &format!("user {}", user.id)).await?;
    Ok((StatusCode::CREATED, Answer(user.into())))
}

/// Remove a user; the sessions end at once.
#[utoipa::path(
    delete, path = "/api/v1/users/{user_id}", tag = "people", params(("user_id" = i64, Path)),
    responses((status = 204)), extensions(("x-who" = json!("admin")))
)]
async fn delete_user(
    Shared(service): State,
    caller: Caller,
    Ids(user_id): Ids<i64>,
) -> Result<StatusCode> {
    caller.admin()?;
    if caller.person()?.0 == user_id {
        let detail = "You would remove yourself.";
        return Err(Problem::new(StatusCode::CONFLICT, "own-user", detail));
    }
    service.catalogue.delete_user(user_id).await?;
    service.audit(&caller, "user.delete", &format!("user {user_id}")).await?;
    Ok(StatusCode::NO_CONTENT)
}
