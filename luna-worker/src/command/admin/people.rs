//! Teams, users, keys.

use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use luna_core::text;

use super::upkeep::{days, delete_objects};
use super::{ACTOR, table};
use crate::catalogue::{Catalogue, Role, Scope};
use crate::command::exit::{Exit, Failure};
use crate::command::service::Catalogued;
use crate::command::stdout;
use crate::secrets;

/// Rows that are listed at once.
const PAGE: u32 = 500;

#[derive(Debug, Subcommand)]
pub(super) enum Team {
    /// Make a team
    Create {
        /// Its name
        name: String,
    },
    /// List all teams
    List,
    /// Remove a team with its users, keys, data sets and reports; the audit log stays
    Delete {
        /// Its name
        name: String,
        /// Say that you mean it
        #[arg(long)]
        yes: bool,
    },
}

impl Team {
    pub(super) async fn run(
        self,
        catalogue: &Catalogue,
        catalogued: &Catalogued,
    ) -> Result<Exit, Failure> {
        match self {
            Self::Create { name } => {
                let team = catalogue.create_team(&name).await?;
                let object = format!("team {}", team.id);
                catalogue.audit(ACTOR, Some(team.id), "team.create", &object, "{}").await?;
                stdout::line(&format!("Made team {} (number {}).", text::escaped(&name), team.id))?;
            }
            Self::List => {
                let mut rows = Vec::new();
                let mut after = 0;
                loop {
                    let page = catalogue.teams(after, PAGE).await?;
                    let Some(last) = page.last() else { break };
                    after = last.id;
                    rows.extend(page.iter().map(|team| {
                        vec![
                            team.id.to_string(),
                            text::escaped(&team.name),
                            team.created_at.to_string(),
                        ]
                    }));
                }
                table(&["number", "team", "made"], &rows)?;
            }
            Self::Delete { name, yes } => {
                let team = catalogue.team_named(&name).await?;
                if !yes {
                    return Err(Failure::Usage(format!(
                        "this removes team {} with its users, keys, data sets and reports for ever; say \
                         --yes if that is meant",
                        text::escaped(&name)
                    )));
                }
                let leftovers = catalogue.delete_team(team.id).await?;
                let detail = format!(r#"{{"datasets":{}}}"#, leftovers.datasets.len());
                let object = format!("team {}", team.id);
                catalogue.audit(ACTOR, Some(team.id), "team.delete", &object, &detail).await?;
                delete_objects(&catalogued.storage()?, &leftovers.object_keys).await?;
                stdout::line(&format!(
                    "Removed team {}: {} data sets, {} objects.",
                    text::escaped(&name),
                    leftovers.datasets.len(),
                    leftovers.object_keys.len()
                ))?;
            }
        }
        Ok(Exit::Clean)
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RoleName {
    /// Everything
    Admin,
    /// Tasks, profiles, every team's reports
    Organiser,
    /// The own team's things alone
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

#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Make a user; the password is printed once
    Create {
        /// The login name
        username: String,
        /// The team
        #[arg(long)]
        team: String,
        /// What the user may do
        #[arg(long, default_value = "user")]
        role: RoleName,
    },
    /// List the users of a team
    List {
        /// The team
        #[arg(long)]
        team: String,
    },
    /// Give a user a new password, which is printed once
    Password {
        /// The login name
        username: String,
    },
    /// End the sessions of a user, or of all; who has the password can sign in again
    SignOut {
        /// The login name
        #[arg(required_unless_present = "all")]
        username: Option<String>,
        /// Everybody, such as after the signing secret leaked
        #[arg(long, conflicts_with = "username")]
        all: bool,
    },
    /// Remove a user, who is signed out at once; data sets are the team's and stay
    Delete {
        /// The login name
        username: String,
    },
}

impl User {
    pub(super) async fn run(self, catalogue: &Catalogue) -> Result<Exit, Failure> {
        match self {
            Self::Create { username, team, role } => {
                let team = catalogue.team_named(&team).await?;
                let password = secrets::new().map_err(lacking)?;
                let hash = secrets::hashed(&password).map_err(lacking)?;
                let user = catalogue.create_user(team.id, &username, &hash, role.into()).await?;
                let object = format!("user {}", user.id);
                catalogue.audit(ACTOR, Some(team.id), "user.create", &object, "{}").await?;
                stdout::line(&format!("Made user {}.", text::escaped(&username)))?;
                stdout::line(&format!("password: {password}"))?;
            }
            Self::List { team } => {
                let team = catalogue.team_named(&team).await?;
                let users = catalogue.users_of(team.id, 0, u32::MAX).await?;
                let rows: Vec<Vec<String>> = users
                    .iter()
                    .map(|user| {
                        let role = user.role.as_str().to_owned();
                        let made = user.created_at.to_string();
                        vec![user.id.to_string(), text::escaped(&user.username), role, made]
                    })
                    .collect();
                table(&["number", "user", "role", "made"], &rows)?;
            }
            Self::Password { username } => {
                let user = catalogue.user_named(&username).await?;
                let password = secrets::new().map_err(lacking)?;
                let hash = secrets::hashed(&password).map_err(lacking)?;
                catalogue.set_password(user.id, &hash).await?;
                // Whoever knew the old one may be signed in.
                catalogue.end_sessions(Some(user.id), None).await?;
                let object = format!("user {}", user.id);
                catalogue.audit(ACTOR, Some(user.team_id), "user.password", &object, "{}").await?;
                stdout::line(&format!("password: {password}"))?;
            }
            Self::SignOut { username, .. } => sign_out(catalogue, username.as_deref()).await?,
            Self::Delete { username } => {
                let user = catalogue.user_named(&username).await?;
                catalogue.delete_user(user.id).await?;
                let object = format!("user {}", user.id);
                catalogue.audit(ACTOR, Some(user.team_id), "user.delete", &object, "{}").await?;
                stdout::line(&format!("Removed user {}.", text::escaped(&username)))?;
            }
        }
        Ok(Exit::Clean)
    }
}

async fn sign_out(catalogue: &Catalogue, username: Option<&str>) -> Result<(), Failure> {
    let (user, team, object) = match username {
        None => (None, None, "all users".to_owned()),
        Some(name) => {
            let user = catalogue.user_named(name).await?;
            (Some(user.id), Some(user.team_id), format!("user {}", user.id))
        }
    };
    let ended = catalogue.end_sessions(user, None).await?;
    catalogue.audit(ACTOR, team, "user.sign_out", &object, "{}").await?;
    stdout::line(&format!("Ended {}.", text::counted(ended, "session")))
}

#[derive(Debug, Subcommand)]
pub(super) enum Key {
    /// Make a key for a team's scripts; it is printed once
    Create {
        /// The team
        #[arg(long)]
        team: String,
        /// What people call it
        #[arg(long)]
        name: String,
        /// What it is good for: read, or write, which reads too
        #[arg(long, default_value = "write")]
        scope: Scope,
        /// When it stops working, from now on
        #[arg(long, value_name = "DAYS", value_parser = days)]
        expires: Option<Duration>,
    },
    /// List the keys of a team
    List {
        /// The team
        #[arg(long)]
        team: String,
    },
    /// Make a key useless, at once
    Revoke {
        /// The team
        #[arg(long)]
        team: String,
        /// Its number
        number: i64,
    },
}

impl Key {
    pub(super) async fn run(self, catalogue: &Catalogue) -> Result<Exit, Failure> {
        match self {
            Self::Create { team, name, scope, expires } => {
                let team = catalogue.team_named(&team).await?;
                let key = format!("luna_{}", secrets::new().map_err(lacking)?);
                let hash = secrets::digest(&key);
                let expires = match expires {
                    Some(time) => Some(catalogue.now().await?.after(time)),
                    None => None,
                };
                let made = catalogue.create_api_key(team.id, &name, &hash, scope, expires).await?;
                let object = format!("key {}", made.id);
                catalogue.audit(ACTOR, Some(team.id), "key.create", &object, "{}").await?;
                stdout::line(&format!("Made key {} (number {}).", text::escaped(&name), made.id))?;
                stdout::line(&format!("key: {key}"))?;
            }
            Self::List { team } => {
                let team = catalogue.team_named(&team).await?;
                let keys = catalogue.api_keys_of(team.id).await?;
                let rows: Vec<Vec<String>> = keys
                    .iter()
                    .map(|key| {
                        let expires = key.expires_at.map_or("never".into(), |it| it.to_string());
                        let revoked = key.revoked_at.map_or_else(String::new, |it| it.to_string());
                        let (id, name) = (key.id.to_string(), text::escaped(&key.name));
                        vec![id, name, key.scope.to_string(), expires, revoked]
                    })
                    .collect();
                table(&["number", "key", "scope", "expires", "revoked"], &rows)?;
            }
            Self::Revoke { team, number } => {
                let team = catalogue.team_named(&team).await?;
                catalogue.revoke_api_key(team.id, number).await?;
                let object = format!("key {number}");
                catalogue.audit(ACTOR, Some(team.id), "key.revoke", &object, "{}").await?;
                stdout::line(&format!("Key {number} opens nothing any more."))?;
            }
        }
        Ok(Exit::Clean)
    }
}

fn lacking(source: std::io::Error) -> Failure {
    Failure::service("secrets", source)
}
