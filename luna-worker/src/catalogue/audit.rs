//! Who did what. Rows are added and read; the database itself refuses to change one.

use super::engine::values;
use super::{Catalogue, Moment, Result};

/// A line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number; they only grow.
    pub id: i64,
    /// When.
    pub at: Moment,
    /// Who, as the service names users and keys: `user 3`, `key 7`, `luna admin`.
    pub actor: String,
    /// The team it concerned; the number stays when the team is gone.
    pub team_id: Option<i64>,
    /// What was done: `dataset.delete`.
    pub action: String,
    /// To what: `dataset 12`.
    pub object: String,
    /// Whatever else is worth keeping, as JSON. No secret, no value out of a picture.
    pub detail: String,
}

impl Catalogue {
    /// Adds a line; its number and time come back.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn audit(
        &self,
        actor: &str,
        team_id: Option<i64>,
        action: &str,
        object: &str,
        detail: &str,
    ) -> Result<i64> {
        let sql = "INSERT INTO audit_log (at, actor, team_id, action, object, detail)
                   VALUES ((SELECT now FROM clock), $1, $2, $3, $4, $5) RETURNING id";
        let mut tx = self.db.begin().await?;
        let id = tx.insert(sql, values![actor, team_id, action, object, detail]).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Lines, newest first, those before a number; of a team or of all.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn audit_log(
        &self,
        team_id: Option<i64>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>> {
        let sql = "SELECT id, at, actor, team_id, action, object, detail FROM audit_log
                   WHERE id < $1 AND ($2 IS NULL OR team_id = $2) ORDER BY id DESC LIMIT $3";
        let values = values![before.unwrap_or(i64::MAX), team_id, i64::from(limit)];
        let rows = self.db.rows(sql, values).await?;
        let entry = |row: &super::engine::Row| {
            Ok(AuditEntry {
                id: row.get("id")?,
                at: row.moment("at")?,
                actor: row.get("actor")?,
                team_id: row.get("team_id")?,
                action: row.get("action")?,
                object: row.get("object")?,
                detail: row.get("detail")?,
            })
        };
        rows.iter().map(entry).collect()
    }
}
