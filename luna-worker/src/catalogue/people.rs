//! Teams, their users, the invites that make users, and the keys of their scripts.
//!
//! Secrets come in hashed; none is kept, none is logged.

use super::engine::{Row, values, words};
use super::tasks::joined;
use super::{Catalogue, Error, Moment, Result};

words! {
    /// What a user may do.
    Role {
        /// Everything.
        Admin = "admin",
        /// Tasks, profiles, every team's reports.
        Organiser = "organiser",
        /// The own team's things alone.
        User = "user",
    }
}

words! {
    /// What a key for scripts is good for.
    Scope {
        /// Reading the team's things.
        Read = "read",
        /// Also uploading, rerunning, submitting and removing them.
        Write = "write",
    }
}

/// A team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// Its number.
    pub id: i64,
    /// Its name, unlike any other's.
    pub name: String,
    /// When it was made.
    pub created_at: Moment,
}

/// A person with a login.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub id: i64,
    /// The team.
    pub team_id: i64,
    /// The login name, unlike any other's.
    pub username: String,
    /// Argon2id, in PHC form.
    pub password_hash: String,
    /// What the user may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Moment,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// A link that makes one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// Its number.
    pub id: i64,
    /// The team that the user will belong to.
    pub team_id: i64,
    /// What the user will be allowed to do.
    pub role: Role,
    /// When it stops working.
    pub expires_at: Moment,
    /// When it was used.
    pub used_at: Option<Moment>,
}

/// A key for scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its number.
    pub id: i64,
    /// The team.
    pub team_id: i64,
    /// What people call it.
    pub name: String,
    /// What it is good for.
    pub scope: Scope,
    /// When it stops working.
    pub expires_at: Option<Moment>,
    /// When it was revoked.
    pub revoked_at: Option<Moment>,
}

impl Catalogue {
    /// Makes a team.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the name is taken.
    pub async fn create_team(&self, name: &str) -> Result<Team> {
        let sql = "INSERT INTO teams (name, created_at) VALUES ($1, (SELECT now FROM clock))
                   RETURNING id, name, created_at";
        let mut tx = self.db.begin().await?;
        let team = one("team", tx.first(sql, values![name]).await?, team)?;
        tx.commit().await?;
        Ok(team)
    }

    /// A team by its number.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn team(&self, id: i64) -> Result<Team> {
        let sql = "SELECT id, name, created_at FROM teams WHERE id = $1";
        one("team", self.db.first(sql, values![id]).await?, team)
    }

    /// A team by its name.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn team_named(&self, name: &str) -> Result<Team> {
        let sql = "SELECT id, name, created_at FROM teams WHERE name = $1";
        one("team", self.db.first(sql, values![name]).await?, team)
    }

    /// So many teams with numbers above one, in order.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn teams(&self, after: i64, limit: u32) -> Result<Vec<Team>> {
        let sql = "SELECT id, name, created_at FROM teams WHERE id > $1 ORDER BY id LIMIT $2";
        let rows = self.db.rows(sql, values![after, i64::from(limit)]).await?;
        rows.iter().map(team).collect()
    }

    /// Makes a user of a team.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the name is taken, [`Error::NotFound`] if there is no such team.
    pub async fn create_user(
        &self,
        team_id: i64,
        username: &str,
        password_hash: &str,
        role: Role,
    ) -> Result<User> {
        let mut tx = self.db.begin().await?;
        let values = values![team_id, username, password_hash, role];
        let user = one("user", tx.first(NEW_USER, values).await?, user)?;
        tx.commit().await?;
        Ok(user)
    }

    /// A user by its number.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn user(&self, id: i64) -> Result<User> {
        let sql = joined(USER, "WHERE id = $1");
        one("user", self.db.first(sql, values![id]).await?, user)
    }

    /// A user by the login name.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn user_named(&self, username: &str) -> Result<User> {
        let sql = joined(USER, "WHERE username = $1");
        one("user", self.db.first(sql, values![username]).await?, user)
    }

    /// Users of a team with numbers above one, in order.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn users_of(&self, team_id: i64, after: i64, limit: u32) -> Result<Vec<User>> {
        let sql = joined(USER, "WHERE team_id = $1 AND id > $2 ORDER BY id LIMIT $3");
        let rows = self.db.rows(sql, values![team_id, after, i64::from(limit)]).await?;
        rows.iter().map(user).collect()
    }

    /// Removes a user; the sessions end with it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_user(&self, id: i64) -> Result<()> {
        changed("user", self.db.run("DELETE FROM users WHERE id = $1", values![id]).await?)
    }

    /// Replaces a password.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn set_password(&self, user_id: i64, password_hash: &str) -> Result<()> {
        let sql = "UPDATE users SET password_hash = $2 WHERE id = $1";
        changed("user", self.db.run(sql, values![user_id, password_hash]).await?)
    }

    /// Makes an invite; its token comes in hashed.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such team.
    pub async fn create_invite(
        &self,
        team_id: i64,
        role: Role,
        token_hash: &str,
        expires_at: Moment,
    ) -> Result<Invite> {
        let sql = "INSERT INTO invites (team_id, role, token_hash, expires_at, created_at)
                   VALUES ($1, $2, $3, $4, (SELECT now FROM clock))
                   RETURNING id, team_id, role, expires_at, used_at";
        let mut tx = self.db.begin().await?;
        let values = values![team_id, role, token_hash, expires_at];
        let invite = one("team", tx.first(sql, values).await?, invite)?;
        tx.commit().await?;
        Ok(invite)
    }

    /// Uses an invite up, and makes the user it promised. Of two at once, one is refused.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is unknown, used or expired; [`Error::Conflict`] if the name is taken (the
    /// invite is then as good as before).
    pub async fn accept_invite(
        &self,
        token_hash: &str,
        username: &str,
        password_hash: &str,
    ) -> Result<User> {
        let sql = "UPDATE invites SET used_at = (SELECT now FROM clock)
                   WHERE token_hash = $1 AND used_at IS NULL AND expires_at > (SELECT now FROM clock)
                   RETURNING id, team_id, role, expires_at, used_at";
        let mut tx = self.db.begin().await?;
        let invite = one("invite", tx.first(sql, values![token_hash]).await?, invite)?;
        let values = values![invite.team_id, username, password_hash, invite.role];
        let user = one("user", tx.first(NEW_USER, values).await?, user)?;
        tx.commit().await?;
        Ok(user)
    }

    /// Invites of a team, used and expired ones too, in order.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn invites_of(&self, team_id: i64) -> Result<Vec<Invite>> {
        let sql = "SELECT id, team_id, role, expires_at, used_at FROM invites
                   WHERE team_id = $1 ORDER BY id";
        self.db.rows(sql, values![team_id]).await?.iter().map(invite).collect()
    }

    /// Takes an invite back.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none, or it was used.
    pub async fn delete_invite(&self, id: i64) -> Result<()> {
        let sql = "DELETE FROM invites WHERE id = $1 AND used_at IS NULL";
        changed("invite", self.db.run(sql, values![id]).await?)
    }

    /// Makes a key for scripts; it comes in hashed.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such team.
    pub async fn create_api_key(
        &self,
        team_id: i64,
        name: &str,
        key_hash: &str,
        scope: Scope,
        expires_at: Option<Moment>,
    ) -> Result<ApiKey> {
        let sql = "INSERT INTO api_keys (team_id, name, key_hash, scopes, expires_at, created_at)
                   VALUES ($1, $2, $3, $4, $5, (SELECT now FROM clock))
                   RETURNING id, team_id, name, scopes, expires_at, revoked_at";
        let mut tx = self.db.begin().await?;
        let values = values![team_id, name, key_hash, scope, expires_at];
        let key = one("team", tx.first(sql, values).await?, api_key)?;
        tx.commit().await?;
        Ok(key)
    }

    /// The key with this hash, if it works now.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is unknown, revoked or expired.
    pub async fn api_key(&self, key_hash: &str) -> Result<ApiKey> {
        let sql = "SELECT id, team_id, name, scopes, expires_at, revoked_at FROM api_keys
                   WHERE key_hash = $1 AND revoked_at IS NULL
                     AND (expires_at IS NULL OR expires_at > (SELECT now FROM clock))";
        one("API key", self.db.first(sql, values![key_hash]).await?, api_key)
    }

    /// All keys of a team, in order, dead ones too.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn api_keys_of(&self, team_id: i64) -> Result<Vec<ApiKey>> {
        let sql = "SELECT id, team_id, name, scopes, expires_at, revoked_at FROM api_keys
                   WHERE team_id = $1 ORDER BY id";
        self.db.rows(sql, values![team_id]).await?.iter().map(api_key).collect()
    }

    /// Makes a key of a team stop working; a second time changes nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the team has no such key.
    pub async fn revoke_api_key(&self, team_id: i64, id: i64) -> Result<()> {
        let sql = "UPDATE api_keys SET revoked_at = COALESCE(revoked_at, (SELECT now FROM clock))
                   WHERE id = $1 AND team_id = $2";
        changed("API key", self.db.run(sql, values![id, team_id]).await?)
    }
}

pub(super) const USER: &str =
    "SELECT id, team_id, username, password_hash, role, created_at FROM users";

const NEW_USER: &str = "INSERT INTO users (team_id, username, password_hash, role, created_at)
    VALUES ($1, $2, $3, $4, (SELECT now FROM clock))
    RETURNING id, team_id, username, password_hash, role, created_at";

/// The thing in a row, or that there is none.
pub(super) fn one<T>(
    what: &'static str,
    row: Option<Row>,
    read: impl FnOnce(&Row) -> Result<T>,
) -> Result<T> {
    read(&row.ok_or(Error::NotFound { what })?)
}

/// That something was there to be changed.
pub(super) fn changed(what: &'static str, rows: u64) -> Result<()> {
    if rows == 0 { Err(Error::NotFound { what }) } else { Ok(()) }
}

fn team(row: &Row) -> Result<Team> {
    Ok(Team { id: row.get("id")?, name: row.get("name")?, created_at: row.moment("created_at")? })
}

pub(super) fn user(row: &Row) -> Result<User> {
    Ok(User {
        id: row.get("id")?,
        team_id: row.get("team_id")?,
        username: row.get("username")?,
        password_hash: row.get("password_hash")?,
        role: row.word("role")?,
        created_at: row.moment("created_at")?,
    })
}

fn invite(row: &Row) -> Result<Invite> {
    Ok(Invite {
        id: row.get("id")?,
        team_id: row.get("team_id")?,
        role: row.word("role")?,
        expires_at: row.moment("expires_at")?,
        used_at: row.maybe_moment("used_at")?,
    })
}

fn api_key(row: &Row) -> Result<ApiKey> {
    Ok(ApiKey {
        id: row.get("id")?,
        team_id: row.get("team_id")?,
        name: row.get("name")?,
        scope: row.word("scopes")?,
        expires_at: row.maybe_moment("expires_at")?,
        revoked_at: row.maybe_moment("revoked_at")?,
    })
}
