//! Who is signed in. Tokens come in hashed.

use std::time::Duration;

use super::engine::{Row, values};
use super::people::{USER, one, user};
use super::{Catalogue, Error, Moment, Result, User};

/// Somebody who signed in somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its number.
    pub id: i64,
    /// The user.
    pub user_id: i64,
    /// When it ends, whatever happens.
    pub expires_at: Moment,
}

const SESSION: &str = "id, user_id, expires_at";
/// True of a session that was neither ended nor has run out.
const LIVES: &str = "revoked_at IS NULL AND expires_at > (SELECT now FROM clock)";

impl Catalogue {
    /// Begins a session of a user; its refresh token comes in hashed.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such user.
    pub async fn begin_session(
        &self,
        user_id: i64,
        refresh_hash: &str,
        lasts: Duration,
    ) -> Result<Session> {
        let mut tx = self.db.begin().await?;
        let row = tx.first("SELECT now FROM clock", Vec::new()).await?;
        let now = one("clock", row, |row| row.moment("now"))?;
        let sql = format!(
            "INSERT INTO sessions (user_id, refresh_hash, created_at, expires_at)
             VALUES ($1, $2, $3, $4) RETURNING {SESSION}"
        );
        let values = values![user_id, refresh_hash, now, now.after(lasts)];
        let session = one("user", tx.first(sqlx::AssertSqlSafe(sql), values).await?, session)?;
        tx.commit().await?;
        Ok(session)
    }

    /// The user of a session that lives.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it has ended, or the user is gone.
    pub async fn session_user(&self, session_id: i64) -> Result<User> {
        let sql =
            format!("{USER} WHERE id = (SELECT user_id FROM sessions WHERE id = $1 AND {LIVES})");
        let row = self.db.first(sqlx::AssertSqlSafe(sql), values![session_id]).await?;
        one("session", row, user)
    }

    /// Replaces the refresh token of a session that lives. One that was replaced already is in two hands:
    /// the session ends then.
    ///
    /// # Errors
    /// [`Error::NotFound`] if no session that lives has it.
    pub async fn refresh_session(&self, refresh_hash: &str, next_hash: &str) -> Result<Session> {
        let mut tx = self.db.begin().await?;
        let sql = format!(
            "UPDATE sessions SET forerunner_hash = refresh_hash, refresh_hash = $2
             WHERE refresh_hash = $1 AND {LIVES} RETURNING {SESSION}"
        );
        let row = tx.first(sqlx::AssertSqlSafe(sql), values![refresh_hash, next_hash]).await?;
        if let Some(row) = row {
            let session = session(&row)?;
            tx.commit().await?;
            return Ok(session);
        }
        let sql = "UPDATE sessions SET revoked_at = (SELECT now FROM clock)
                   WHERE forerunner_hash = $1 AND revoked_at IS NULL";
        tx.run(sql, values![refresh_hash]).await?;
        tx.commit().await?;
        Err(Error::NotFound { what: "session" })
    }

    /// Ends a session; one that has ended stays so.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn end_session(&self, session_id: i64) -> Result<()> {
        let sql = "UPDATE sessions SET revoked_at = (SELECT now FROM clock)
                   WHERE id = $1 AND revoked_at IS NULL";
        self.db.run(sql, values![session_id]).await.map(|_| ())
    }

    /// Ends all sessions of a user, or of everybody, but one; so many were.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn end_sessions(&self, user_id: Option<i64>, but: Option<i64>) -> Result<u64> {
        let sql = "UPDATE sessions SET revoked_at = (SELECT now FROM clock)
                   WHERE revoked_at IS NULL AND expires_at > (SELECT now FROM clock)
                     AND id <> $2 AND ($1 IS NULL OR user_id = $1)";
        self.db.run(sql, values![user_id, but.unwrap_or(0)]).await
    }
}

fn session(row: &Row) -> Result<Session> {
    Ok(Session {
        id: row.get("id")?,
        user_id: row.get("user_id")?,
        expires_at: row.moment("expires_at")?,
    })
}
