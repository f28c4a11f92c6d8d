//! What a job's readers are told of its course, in words.

use super::engine::{Row, Tx, values, words};
use super::{Catalogue, Moment, Result};

words! {
    /// How much a line of a job's log weighs.
    LogLevel {
        /// All is well.
        Info = "info",
        /// It went on all the same.
        Warning = "warning",
        /// It did not.
        Error = "error",
    }
}

/// A line of a job's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When.
    pub at: Moment,
    /// How much it weighs.
    pub level: LogLevel,
    /// Words for the team.
    pub message: String,
}

impl Catalogue {
    /// Adds a line to a job's log.
    ///
    /// # Errors
    /// [`Error::NotFound`](super::Error::NotFound) if there is no such job.
    pub async fn log(&self, job_id: i64, level: LogLevel, message: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        add(&mut tx, job_id, level, message).await?;
        tx.commit().await
    }

    /// The first so many lines of a job's log.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn logs(&self, job_id: i64, limit: u32) -> Result<Vec<LogLine>> {
        let sql = "SELECT at, level, message FROM job_logs WHERE job_id = $1 ORDER BY id LIMIT $2";
        let line = |row: &Row| {
            let (at, level, message) = (row.moment("at")?, row.word("level")?, row.get("message")?);
            Ok(LogLine { at, level, message })
        };
        self.db.rows(sql, values![job_id, i64::from(limit)]).await?.iter().map(line).collect()
    }
}

/// Adds a line.
pub(super) async fn add(tx: &mut Tx, job_id: i64, level: LogLevel, message: &str) -> Result<()> {
    let sql = "INSERT INTO job_logs (job_id, at, level, message)
               VALUES ($1, (SELECT now FROM clock), $2, $3)";
    tx.run(sql, values![job_id, level, message]).await?;
    Ok(())
}
