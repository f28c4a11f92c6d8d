//! Who gets what next; and what becomes of leases that ran out.

use std::time::Duration;

use sqlx::AssertSqlSafe;

use super::items::{kill, lock_job_of, micros};
use super::{Lease, MAX_LAPSES};
use crate::catalogue::engine::{Row, Signal, Tx, values};
use crate::catalogue::{Catalogue, Error, Result};

/// Leases that one claim takes back at most; the next goes on.
const TAKEN_BACK: i64 = 16;
/// Teams that are asked in one claim before it gives up: others have just taken what they had.
const TEAMS_ASKED: i64 = 8;

/// Teams that have something to do, in the order of their turns.
const TURNS: &str = "SELECT team_id FROM (
        SELECT t.team_id, t.served,
            (SELECT q.priority FROM queue q
             WHERE q.team_id = t.team_id AND q.state = 'queued'
               AND q.run_at <= (SELECT now FROM clock)
             ORDER BY q.priority DESC, q.turn, q.id LIMIT 1) AS head,
            (SELECT COUNT(*) FROM queue r
             WHERE r.state = 'leased' AND r.team_id = t.team_id) AS running
        FROM queue_turns t) turns
    WHERE head IS NOT NULL
    ORDER BY head DESC, running, served, team_id LIMIT $1";

impl Catalogue {
    /// Takes the next item on lease for so long, if there is one. No two calls get the same lease.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn claim(&self, worker_id: i64, time: Duration) -> Result<Option<Lease>> {
        self.take_back_leases().await?;
        let teams = self.db.rows(TURNS, values![TEAMS_ASKED]).await?;
        if teams.is_empty() {
            return Ok(None);
        }
        let mut tx = self.db.begin().await?;
        for team in teams {
            let team_id: i64 = team.get("team_id")?;
            let Some(lease) = take(&mut tx, team_id, worker_id, time).await? else { continue };
            note_turn(&mut tx, team_id).await?;
            tx.commit().await?;
            return Ok(Some(lease));
        }
        Ok(None)
    }

    /// Waits until there may be something to claim, at most so long: retries and leases that run out ring
    /// no bell.
    pub async fn wait_for_work(&self, at_most: Duration) {
        let mut signals = self.db.signals();
        let heard = async {
            while !matches!(
                signals.recv().await,
                Ok(Signal::Work) | Err(tokio::sync::broadcast::error::RecvError::Lagged(_))
            ) {}
        };
        let _ = tokio::time::timeout(at_most, heard).await;
    }

    /// Puts items back whose leases ran out, and blames the files that were in hand.
    async fn take_back_leases(&self) -> Result<()> {
        let sql = "SELECT id, job_id FROM queue
                   WHERE state = 'leased' AND lease_until < (SELECT now FROM clock)
                   ORDER BY lease_until LIMIT $1";
        for row in self.db.rows(sql, values![TAKEN_BACK]).await? {
            let mut tx = self.db.begin().await?;
            match take_back(&mut tx, row.get("id")?, row.get("job_id")?).await {
                Ok(()) => tx.commit().await?,
                // Its job was removed meanwhile.
                Err(Error::LeaseLost) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

async fn take_back(tx: &mut Tx, id: i64, job_id: Option<i64>) -> Result<()> {
    lock_job_of(tx, job_id).await?;
    // A heartbeat may have come, or another taker.
    let sql = format!(
        "SELECT suspect, lapses FROM queue
         WHERE id = $1 AND state = 'leased' AND lease_until < (SELECT now FROM clock){}",
        tx.for_update_skip_locked()
    );
    let Some(row) = tx.first(AssertSqlSafe(sql), values![id]).await? else { return Ok(()) };
    let (suspect, lapses): (Option<Vec<u8>>, i64) = (row.get("suspect")?, row.get("lapses")?);
    if let (Some(path), Some(job_id)) = (suspect, job_id) {
        let sql = "INSERT INTO suspects (job_id, path, deaths) VALUES ($1, $2, 1)
                   ON CONFLICT (job_id, path) DO UPDATE SET deaths = suspects.deaths + 1";
        tx.run(sql, values![job_id, path]).await?;
    }
    if lapses + 1 >= MAX_LAPSES {
        let reason = format!("{MAX_LAPSES} workers in a row were lost while they worked on this");
        return kill(tx, id, job_id, &reason).await;
    }
    let sql = "UPDATE queue SET state = 'queued', lapses = lapses + 1, suspect = NULL,
                   lease_until = NULL, worker_id = NULL, run_at = (SELECT now FROM clock)
               WHERE id = $1";
    tx.run(sql, values![id]).await?;
    Ok(())
}

/// The first item of a team that nobody else is taking at this moment.
async fn take(tx: &mut Tx, team: i64, worker: i64, time: Duration) -> Result<Option<Lease>> {
    let sql = format!(
        "UPDATE queue SET state = 'leased', token = token + 1, attempts = attempts + 1,
             worker_id = $2, lease_until = (SELECT now FROM clock) + $3
         WHERE id = (SELECT id FROM queue
                     WHERE team_id = $1 AND state = 'queued' AND run_at <= (SELECT now FROM clock)
                     ORDER BY priority DESC, turn, id LIMIT 1{})
         RETURNING id, token, team_id, job_id, kind, payload, priority, attempts",
        tx.for_update_skip_locked()
    );
    let row = tx.first(AssertSqlSafe(sql), values![team, worker, micros(time)]).await?;
    row.as_ref().map(lease).transpose()
}

/// Puts a team behind all others. If somebody is doing so at this moment, that will do.
async fn note_turn(tx: &mut Tx, team: i64) -> Result<()> {
    let sql = format!(
        "UPDATE queue_turns SET served = (SELECT MAX(served) + 1 FROM queue_turns)
         WHERE team_id = (SELECT team_id FROM queue_turns WHERE team_id = $1{})",
        tx.for_update_skip_locked()
    );
    tx.run(AssertSqlSafe(sql), values![team]).await?;
    Ok(())
}

fn lease(row: &Row) -> Result<Lease> {
    Ok(Lease {
        item_id: row.get("id")?,
        token: row.get("token")?,
        team_id: row.get("team_id")?,
        job_id: row.get("job_id")?,
        kind: row.word("kind")?,
        payload: row.get("payload")?,
        priority: row.get("priority")?,
        attempts: row.get("attempts")?,
    })
}
