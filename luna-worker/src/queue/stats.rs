//! What waits, what runs, what died; and second chances.

use std::time::Duration;

use super::ItemKind;
use super::items::lock_job_of;
use crate::catalogue::engine::{Row, Signal, values};
use crate::catalogue::{Catalogue, Error, JobState, Moment, Result, lock_job, reopen_job};

/// The queue in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Items that wait, also for a retry.
    pub queued: u64,
    /// Items that workers have.
    pub leased: u64,
    /// Dead letters.
    pub dead: u64,
    /// Validation jobs that have not ended.
    pub unfinished_jobs: u64,
    /// Age of the oldest of these jobs.
    pub oldest_job: Option<Duration>,
    /// Workers that were seen lately.
    pub workers_alive: u64,
}

/// An item that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its number.
    pub item_id: i64,
    /// What was to be done.
    pub kind: ItemKind,
    /// Whose it was.
    pub team_id: i64,
    /// The job that failed with it.
    pub job_id: Option<i64>,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was given up.
    pub at: Moment,
    /// Why.
    pub reason: String,
}

impl Catalogue {
    /// The queue in numbers; cheap, every second is fine.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn queue_stats(&self) -> Result<Stats> {
        let sql = "SELECT state, COUNT(*) AS items FROM queue
                   WHERE state IN ('queued', 'leased', 'dead') GROUP BY state";
        let mut stats = Stats::default();
        for row in self.db.rows(sql, Vec::new()).await? {
            let items = row.count("items")?;
            match row.get::<String>("state")?.as_str() {
                "queued" => stats.queued = items,
                "leased" => stats.leased = items,
                _ => stats.dead = items,
            }
        }
        let sql =
            "SELECT COUNT(*) AS jobs, MIN(created_at) AS oldest, (SELECT now FROM clock) AS now
                   FROM validation_jobs WHERE state IN ('pending', 'processing')";
        if let Some(row) = self.db.first(sql, Vec::new()).await? {
            let now = row.moment("now")?;
            stats.unfinished_jobs = row.count("jobs")?;
            stats.oldest_job = row.maybe_moment("oldest")?.map(|oldest| now.since(oldest));
        }
        stats.workers_alive = self.workers_alive().await?;
        Ok(stats)
    }

    /// Dead letters with numbers above one, in order.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn dead_letters(&self, after: i64, limit: u32) -> Result<Vec<DeadLetter>> {
        let sql = "SELECT id, kind, team_id, job_id, attempts, finished_at, reason FROM queue
                   WHERE state = 'dead' AND id > $1 ORDER BY id LIMIT $2";
        let rows = self.db.rows(sql, values![after, i64::from(limit)]).await?;
        rows.iter().map(dead_letter).collect()
    }

    /// Queues a dead letter again, and opens its job again with all that was cancelled when it failed.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is no dead letter; [`Error::Conflict`] if its data set is being validated by
    /// another job.
    pub async fn retry(&self, item_id: i64) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let sql = "SELECT job_id FROM queue WHERE id = $1 AND state = 'dead'";
        let missing = || Error::NotFound { what: "dead letter" };
        let row = tx.first(sql, values![item_id]).await?.ok_or_else(missing)?;
        let job_id: Option<i64> = row.get("job_id")?;
        lock_job_of(&mut tx, job_id).await?;
        let sql = "UPDATE queue SET state = 'queued', failures = 0, lapses = 0, finished_at = NULL,
                       run_at = (SELECT now FROM clock)
                   WHERE id = $1 AND state = 'dead'";
        if tx.run(sql, values![item_id]).await? == 0 {
            return Err(missing());
        }
        if let Some(job_id) = job_id
            && lock_job(&mut tx, job_id).await?.state == JobState::Failed
        {
            reopen_job(&mut tx, job_id).await?;
            let sql = "UPDATE queue SET state = 'queued', finished_at = NULL,
                           run_at = (SELECT now FROM clock)
                       WHERE job_id = $1 AND state = 'cancelled'";
            tx.run(sql, values![job_id]).await?;
        }
        tx.signal(Signal::Work);
        tx.commit().await
    }
}

fn dead_letter(row: &Row) -> Result<DeadLetter> {
    Ok(DeadLetter {
        item_id: row.get("id")?,
        kind: row.word("kind")?,
        team_id: row.get("team_id")?,
        job_id: row.get("job_id")?,
        attempts: row.get("attempts")?,
        at: row.moment("finished_at")?,
        reason: row.get("reason")?,
    })
}
