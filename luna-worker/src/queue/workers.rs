//! Workers, as far as others want to know of them.

use super::ALIVE;
use super::items::micros;
use crate::catalogue::engine::values;
use crate::catalogue::{Catalogue, Error, Result};

impl Catalogue {
    /// Registers a worker; its number.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn register_worker(&self, name: &str) -> Result<i64> {
        let sql = "INSERT INTO workers (name, started_at, seen_at)
                   VALUES ($1, (SELECT now FROM clock), (SELECT now FROM clock)) RETURNING id";
        let mut tx = self.db.begin().await?;
        let id = tx.insert(sql, values![name]).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Says that a worker is alive.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it was taken for dead long ago: register anew.
    pub async fn worker_seen(&self, id: i64) -> Result<()> {
        let sql = "UPDATE workers SET seen_at = (SELECT now FROM clock) WHERE id = $1";
        match self.db.run(sql, values![id]).await? {
            0 => Err(Error::NotFound { what: "worker" }),
            _ => Ok(()),
        }
    }

    /// Says that a worker stops.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn retire_worker(&self, id: i64) -> Result<()> {
        self.db.run("DELETE FROM workers WHERE id = $1", values![id]).await?;
        Ok(())
    }

    /// How many workers were seen lately.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn workers_alive(&self) -> Result<u64> {
        let sql = "SELECT COUNT(*) AS alive FROM workers
                   WHERE seen_at > (SELECT now FROM clock) - $1";
        let row = self.db.first(sql, values![micros(ALIVE)]).await?;
        row.ok_or_else(|| Error::corrupt("no count"))?.count("alive")
    }
}
