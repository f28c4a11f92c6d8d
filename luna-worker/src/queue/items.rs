//! What happens to items: queued, kept, handed back, done, given up.

use std::time::Duration;

use sqlx::AssertSqlSafe;

use super::{AfterFailure, ItemState, Lease, MAX_FAILURES, NewItem, back_off};
use crate::catalogue::engine::{Signal, Tx, Value, places, values};
use crate::catalogue::{Catalogue, Error, Result, fail_job, lock_job};

/// Rows a statement.
const BATCH: usize = 500;

impl Catalogue {
    /// Queues an item; its number, and whether it is new. The same key again, also at the same moment,
    /// gives the same item.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such job.
    pub async fn enqueue(&self, item: &NewItem) -> Result<(i64, bool)> {
        let mut tx = self.db.begin().await?;
        let added = add(&mut tx, std::slice::from_ref(item)).await?;
        let row = tx.first("SELECT id FROM queue WHERE item_key = $1", values![&*item.key]).await?;
        let id = row.ok_or_else(|| Error::corrupt("a queued item is not there"))?.get("id")?;
        tx.commit().await?;
        Ok((id, added == 1))
    }

    /// Renews a lease, from now on for so long. Do it three times a lease.
    ///
    /// # Errors
    /// [`Error::LeaseLost`]: stop, somebody else has it or nobody wants it.
    pub async fn heartbeat(&self, lease: &Lease, time: Duration) -> Result<()> {
        let sql = "UPDATE queue SET lease_until = (SELECT now FROM clock) + $3
                   WHERE id = $1 AND token = $2 AND state = 'leased'";
        let values = values![lease.item_id, lease.token, micros(time)];
        fenced(self.db.run(sql, values).await?)
    }

    /// Ends an item that belongs to no job. Items of jobs end by the catalogue's
    /// [`plan_done`](Self::plan_done), [`shard_done`](Self::shard_done) and
    /// [`finish_job`](Self::finish_job).
    ///
    /// # Errors
    /// [`Error::LeaseLost`].
    pub async fn chore_done(&self, lease: &Lease) -> Result<()> {
        let mut tx = self.db.begin().await?;
        done(&mut tx, lease).await?;
        tx.commit().await
    }

    /// Hands an item back unharmed, as a worker does that is told to stop. It does not count as an attempt.
    ///
    /// # Errors
    /// [`Error::LeaseLost`].
    pub async fn release(&self, lease: &Lease) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE queue SET state = 'queued', attempts = attempts - 1, suspect = NULL,
                       run_at = (SELECT now FROM clock), lease_until = NULL, worker_id = NULL
                   WHERE id = $1 AND token = $2 AND state = 'leased'";
        fenced(tx.run(sql, values![lease.item_id, lease.token]).await?)?;
        tx.signal(Signal::Work);
        tx.commit().await
    }

    /// Says that an item failed for a reason that may pass, such as a storage that is away. It is tried
    /// again after a while; after [`MAX_FAILURES`] in a row its job fails, with the reason for the team to
    /// read.
    ///
    /// # Errors
    /// [`Error::LeaseLost`].
    pub async fn fail(&self, lease: &Lease, reason: &str) -> Result<AfterFailure> {
        let mut tx = self.db.begin().await?;
        lock_job_of(&mut tx, lease.job_id).await?;
        let sql = "UPDATE queue SET failures = failures + 1, reason = $3
                   WHERE id = $1 AND token = $2 AND state = 'leased' RETURNING failures";
        let row = tx.first(sql, values![lease.item_id, lease.token, reason]).await?;
        let failures: i64 = row.ok_or(Error::LeaseLost)?.get("failures")?;
        let after = if failures >= MAX_FAILURES {
            kill(&mut tx, lease.item_id, lease.job_id, reason).await?;
            AfterFailure::Dead
        } else {
            let wait = back_off(failures);
            let sql = "UPDATE queue SET state = 'queued', suspect = NULL, lease_until = NULL,
                           worker_id = NULL, run_at = (SELECT now FROM clock) + $2
                       WHERE id = $1";
            tx.run(sql, values![lease.item_id, micros(wait)]).await?;
            AfterFailure::Retry(wait)
        };
        tx.commit().await?;
        Ok(after)
    }

    /// Gives an item up for a reason that will not pass; its job fails.
    ///
    /// # Errors
    /// [`Error::LeaseLost`].
    pub async fn give_up(&self, lease: &Lease, reason: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        lock_job_of(&mut tx, lease.job_id).await?;
        fence(&mut tx, lease).await?;
        kill(&mut tx, lease.item_id, lease.job_id, reason).await?;
        tx.commit().await
    }
}

/// Locks the job of an item that is about to die, before the item: see the order of locks in
/// `catalogue::validation`.
pub(super) async fn lock_job_of(tx: &mut Tx, job_id: Option<i64>) -> Result<()> {
    if let Some(job_id) = job_id {
        match lock_job(tx, job_id).await {
            Err(Error::NotFound { .. }) => return Err(Error::LeaseLost),
            job => job?,
        };
    }
    Ok(())
}

/// Makes an item a dead letter; the job that needs it fails. The job is locked.
pub(super) async fn kill(tx: &mut Tx, item: i64, job: Option<i64>, reason: &str) -> Result<()> {
    let sql = "UPDATE queue SET state = 'dead', reason = $2, finished_at = (SELECT now FROM clock),
                   lease_until = NULL, worker_id = NULL, suspect = NULL
               WHERE id = $1";
    tx.run(sql, values![item, reason]).await?;
    if let Some(job) = job
        && lock_job(tx, job).await?.state.is_unfinished()
    {
        fail_job(tx, job, reason).await?;
    }
    Ok(())
}

/// Queues items; how many of them are new.
pub(crate) async fn add(tx: &mut Tx, items: &[NewItem]) -> Result<u64> {
    let mut added = 0;
    let mut teams: Vec<i64> = items.iter().map(|item| item.team_id).collect();
    teams.sort_unstable();
    teams.dedup();
    for team in teams {
        let sql = "INSERT INTO queue_turns (team_id) VALUES ($1) ON CONFLICT (team_id) DO NOTHING";
        tx.run(sql, values![team]).await?;
    }
    let now: i64 = match tx.first("SELECT now FROM clock", Vec::new()).await? {
        Some(row) => row.get("now")?,
        None => return Err(Error::corrupt("no clock")),
    };
    for batch in items.chunks(BATCH) {
        let mut all: Vec<Value> = Vec::with_capacity(batch.len() * 10);
        for item in batch {
            all.extend(values![
                item.team_id,
                item.job_id,
                item.kind,
                &*item.key,
                &*item.payload,
                item.priority,
                item.turn,
                ItemState::Queued,
                now,
                now,
            ]);
        }
        let sql = format!(
            "INSERT INTO queue (team_id, job_id, kind, item_key, payload, priority, turn, state,
                 run_at, created_at)
             VALUES {} ON CONFLICT (item_key) DO NOTHING",
            places(batch.len(), 10)
        );
        added += tx.run(AssertSqlSafe(sql), all).await?;
    }
    if added > 0 {
        tx.signal(Signal::Work);
    }
    Ok(added)
}

/// Ends an item well.
pub(crate) async fn done(tx: &mut Tx, lease: &Lease) -> Result<()> {
    let sql = "UPDATE queue SET state = 'done', finished_at = (SELECT now FROM clock),
                   lease_until = NULL, worker_id = NULL, suspect = NULL, reason = NULL
               WHERE id = $1 AND token = $2 AND state = 'leased'";
    fenced(tx.run(sql, values![lease.item_id, lease.token]).await?)
}

/// Makes sure that a lease is held, and stays so until the transaction ends.
pub(crate) async fn fence(tx: &mut Tx, lease: &Lease) -> Result<()> {
    let sql = format!(
        "SELECT id FROM queue WHERE id = $1 AND token = $2 AND state = 'leased'{}",
        tx.for_update()
    );
    let row = tx.first(AssertSqlSafe(sql), values![lease.item_id, lease.token]).await?;
    row.map(|_| ()).ok_or(Error::LeaseLost)
}

/// Notes which file a worker has in hand.
pub(crate) async fn suspect(tx: &mut Tx, lease: &Lease, path: &[u8]) -> Result<()> {
    let sql = "UPDATE queue SET suspect = $3 WHERE id = $1 AND token = $2 AND state = 'leased'";
    fenced(tx.run(sql, values![lease.item_id, lease.token, path]).await?)
}

/// Notes that no file is in hand; with headway, that what went wrong before is forgotten.
pub(crate) async fn out_of_hand(tx: &mut Tx, lease: &Lease, headway: bool) -> Result<()> {
    let sql = if headway {
        "UPDATE queue SET suspect = NULL, lapses = 0, failures = 0
         WHERE id = $1 AND (suspect IS NOT NULL OR lapses > 0 OR failures > 0)"
    } else {
        "UPDATE queue SET suspect = NULL WHERE id = $1 AND suspect IS NOT NULL"
    };
    tx.run(sql, values![lease.item_id]).await?;
    Ok(())
}

/// Cancels what is left of a job.
pub(crate) async fn cancel_items(tx: &mut Tx, job_id: i64) -> Result<()> {
    let sql = "UPDATE queue SET state = 'cancelled', finished_at = (SELECT now FROM clock),
                   lease_until = NULL, worker_id = NULL, suspect = NULL
               WHERE job_id = $1 AND state IN ('queued', 'leased')";
    tx.run(sql, values![job_id]).await?;
    Ok(())
}

fn fenced(rows: u64) -> Result<()> {
    if rows == 0 { Err(Error::LeaseLost) } else { Ok(()) }
}

pub(super) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
