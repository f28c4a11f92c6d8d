//! Invites: each makes one user, once, and needs no mail.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Json as Answer;
use axum::extract::{ConnectInfo, State as Shared};
use axum::http::StatusCode;
use luna_worker::catalogue::{Invite, Role, User};
use luna_worker::secrets;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{MOST_DAYS, OfTeam, UserRow, name};
use crate::api::Routes;
use crate::auth::{hashed, random};
use crate::body::{Ids, Json};
use crate::caller::Caller;
use crate::page::{Page, Question};
use crate::problem::{Problem, Result};
use crate::{Service, State};

/// How long an invite is good for, in hours, unless asked otherwise.
const INVITE_HOURS: u32 = 7 * 24;

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(invites, create_invite))
        .routes(routes!(delete_invite))
        .routes(routes!(accept))
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
    /// The page that takes the token; shown once, when it is made.
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
    #[schema(value_type = String, example = "user")]
    role: Role,
    /// Hours that it is good for; a week unless given.
    #[schema(minimum = 1)]
    hours: Option<u32>,
}

/// Make an invite: whoever has its token makes one user with it, once.
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
    let made = service.catalogue.create_invite(new.team_id, new.role, &hash, until);
    let invite = made.await?;
    service.audit(&caller, "invite.create", &format!("invite {}", invite.id)).await?;
    let url = Some(format!("{}/invite?token={token}", service.public_url));
    Ok((StatusCode::CREATED, Answer(InviteRow { token: Some(token), url, ..invite.into() })))
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
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Json(accepted): Json<Accepted>,
) -> Result<(StatusCode, Answer<UserRow>)> {
    let Accepted { token, username, password } = accepted;
    let user = service.accept_invite(address, &token, &username, password).await?;
    Ok((StatusCode::CREATED, Answer(user.into())))
}

impl Service {
    /// Makes the user that an invite allows.
    pub(crate) async fn accept_invite(
        &self,
        address: SocketAddr,
        token: &str,
        username: &str,
        password: String,
    ) -> Result<User> {
        self.attempts.count_address(address)?;
        name("/username", username)?;
        let hash = hashed(password).await?;
        let user = self.catalogue.accept_invite(&secrets::digest(token), username, &hash).await?;
        let (actor, object) = (format!("user {}", user.id), format!("user {}", user.id));
        let team = Some(user.team_id);
        self.catalogue.audit(&actor, team, "invite.accept", &object, "{}").await?;
        Ok(user)
    }
}
