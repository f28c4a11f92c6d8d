//! Teams, their users, the invites that make users, the keys of their scripts, and who did what.

use std::time::Duration;

use axum::Json as Answer;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use luna_worker::catalogue::{ApiKey, AuditEntry, Invite, Role, Team, User};
use luna_worker::secrets;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::State;
use crate::api::Routes;
use crate::auth::{hashed, random};
use crate::body::{Ids, Json};
use crate::caller::{Caller, Scope};
use crate::page::{Asked, Page, Question};
use crate::problem::{Problem, Result};

/// Letters of a name.
const LONGEST_NAME: usize = 200;
/// How long an invite is good for, in hours, unless asked otherwise.
const INVITE_HOURS: u32 = 7 * 24;
/// The longest life of an invite or a key, in days.
const MOST_DAYS: u32 = 3_650;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(teams, create_team))
        .routes(routes!(team, delete_team))
        .routes(routes!(users, create_user))
        .routes(routes!(delete_user))
        .routes(routes!(invites, create_invite))
        .routes(routes!(delete_invite))
        .routes(routes!(accept))
        .routes(routes!(keys, create_key))
        .routes(routes!(revoke_key))
        .routes(routes!(audit))
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

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum RoleName {
    Admin,
    Organiser,
    User,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Admin => Self::Admin,
            RoleName::Organiser => Self::Organiser,
            RoleName::User => Self::User,
        }
    }
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
    role: RoleName,
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
    let made = service.catalogue.create_user(new.team_id, &new.username, &hash, new.role.into());
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

/// An invite.
#[derive(Debug, Serialize, ToSchema)]
struct InviteRow {
    invite_id: i64,
    team_id: i64,
    #[schema(example = "user")]
    role: &'static str,
    /// RFC 3339, UTC.
    expires_at: String,
    /// RFC 3339, UTC.
    used_at: Option<String>,
    /// Shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// The page that takes it, shown once too.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl From<Invite> for InviteRow {
    fn from(invite: Invite) -> Self {
        Self {
            invite_id: invite.id,
            team_id: invite.team_id,
            role: invite.role.as_str(),
            expires_at: invite.expires_at.to_string(),
            used_at: invite.used_at.map(|it| it.to_string()),
            token: None,
            url: None,
        }
    }
}

/// List the invites of a team.
#[utoipa::path(
    get, path = "/api/v1/invites", tag = "people", params(OfTeam),
    responses((status = 200, body = Page<InviteRow>)), extensions(("x-who" = json!("admin")))
)]
async fn invites(
    Shared(service): State,
    caller: Caller,
    Question(of): Question<OfTeam>,
) -> Result<Answer<Page<InviteRow>>> {
    caller.admin()?;
    let found = service.catalogue.invites_of(caller.team(of.team_id)?).await?;
    Ok(Answer(Page::whole(found.into_iter().map(InviteRow::from).collect())))
}

/// An invite to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewInvite {
    team_id: i64,
    role: RoleName,
    /// Hours that it is good for; a week unless given.
    #[schema(minimum = 1)]
    hours: Option<u32>,
}

/// Make an invite: whoever has its link makes one user with it, once.
#[utoipa::path(
    post, path = "/api/v1/invites", tag = "people", request_body = NewInvite,
    responses((status = 201, body = InviteRow)), extensions(("x-who" = json!("admin")))
)]
async fn create_invite(
    Shared(service): State,
    caller: Caller,
    Json(new): Json<NewInvite>,
) -> Result<(StatusCode, Answer<InviteRow>)> {
    caller.admin()?;
    let hours = new.hours.unwrap_or(INVITE_HOURS);
    if hours == 0 || hours > MOST_DAYS * 24 {
        return Err(Problem::field("/hours", format!("1 to {}", MOST_DAYS * 24)));
    }
    let token = random()?;
    let until = service.catalogue.now().await?.after(Duration::from_hours(hours.into()));
    let hash = secrets::digest(&token);
    let made = service.catalogue.create_invite(new.team_id, new.role.into(), &hash, until);
    let invite = made.await?;
    service.audit(&caller, "invite.create", &format!("invite {}", invite.id)).await?;
    let url = Some(format!("{}/invite#{token}", service.public_url));
    let row = InviteRow { token: Some(token), url, ..invite.into() };
    Ok((StatusCode::CREATED, Answer(row)))
}

/// Take an invite back that was not used.
#[utoipa::path(
    delete, path = "/api/v1/invites/{invite_id}", tag = "people",
    params(("invite_id" = i64, Path)), responses((status = 204)),
    extensions(("x-who" = json!("admin")))
)]
async fn delete_invite(
    Shared(service): State,
    caller: Caller,
    Ids(invite_id): Ids<i64>,
) -> Result<StatusCode> {
    caller.admin()?;
    service.catalogue.delete_invite(invite_id).await?;
    service.audit(&caller, "invite.delete", &format!("invite {invite_id}")).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An invite that is used.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Accepted {
    token: String,
    #[schema(max_length = 200)]
    username: String,
    #[schema(format = "password", min_length = 12)]
    password: String,
}

/// Use an invite: choose a name and a password.
#[utoipa::path(
    post, path = "/api/v1/invites/accept", tag = "people", security(()), request_body = Accepted,
    responses((status = 201, body = UserRow)), extensions(("x-who" = json!("anybody")))
)]
async fn accept(
    Shared(service): State,
    axum::extract::ConnectInfo(address): axum::extract::ConnectInfo<std::net::SocketAddr>,
    Json(accepted): Json<Accepted>,
) -> Result<(StatusCode, Answer<UserRow>)> {
    service.attempts.count("", address)?;
    name("/username", &accepted.username)?;
    let hash = hashed(accepted.password).await?;
    let token = secrets::digest(&accepted.token);
    let user = service.catalogue.accept_invite(&token, &accepted.username, &hash).await?;
    let (actor, object) = (format!("user {}", user.id), format!("user {}", user.id));
    let team = Some(user.team_id);
    service.catalogue.audit(&actor, team, "invite.accept", &object, "{}").await?;
    Ok((StatusCode::CREATED, Answer(user.into())))
}

/// A key for scripts.
#[derive(Debug, Serialize, ToSchema)]
struct KeyRow {
    key_id: i64,
    team_id: i64,
    name: String,
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
            scope: Scope::of(&key.scopes),
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
    let (hash, scope) = (secrets::digest(&key), new.scope.as_str());
    let made = service.catalogue.create_api_key(team, &new.name, &hash, scope, until).await?;
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

/// A line of the audit log.
#[derive(Debug, Serialize, ToSchema)]
struct AuditRow {
    id: i64,
    /// RFC 3339, UTC.
    at: String,
    #[schema(example = "user 3")]
    actor: String,
    team_id: Option<i64>,
    #[schema(example = "dataset.delete")]
    action: String,
    #[schema(example = "dataset 12")]
    object: String,
}

impl From<AuditEntry> for AuditRow {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.id,
            at: entry.at.to_string(),
            actor: entry.actor,
            team_id: entry.team_id,
            action: entry.action,
            object: entry.object,
        }
    }
}

/// Read who did what, newest first.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "people", params(Asked),
    responses((status = 200, body = Page<AuditRow>)), extensions(("x-who" = json!("organiser")))
)]
async fn audit(
    Shared(service): State,
    caller: Caller,
    asked: Asked,
) -> Result<Answer<Page<AuditRow>>> {
    caller.organiser()?;
    let found = service.catalogue.audit_log(None, asked.number()?, asked.fetch()).await?;
    Ok(Answer(Page::of(found, &asked, |entry| entry.id.to_string(), AuditRow::from)))
}
