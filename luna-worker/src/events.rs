//! What a job tells those who watch it: progress, findings, its end.
//!
//! Events are rows with growing numbers. Those of one job are written while its row is locked, so they
//! become visible in the order of their numbers, and a follower that asks for what is behind the last one it
//! saw misses nothing. What travels live is only the hint to look; who reads slowly holds nobody up.

use std::time::Duration;

use luna_core::text;
use sqlx::AssertSqlSafe;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::catalogue::engine::{Row, Signal, Tx, Value, places, values, words};
use crate::catalogue::{Catalogue, Error, Moment, Result};

/// Rows a statement, and a page of a follower.
const BATCH: usize = 500;
/// How often a follower looks though it heard nothing: other processes on an SQLite file ring no bell here,
/// and hints may be lost.
const LOOK: Duration = Duration::from_secs(1);

words! {
    /// What an event tells of.
    EventKind {
        /// So many files of so many have a record.
        Progress = "progress",
        /// Something was found.
        Finding = "finding",
        /// The job has ended; nothing follows, unless it is opened again.
        Done = "done",
    }
}

/// Something that happened in a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number: where a follower goes on (`Last-Event-ID`).
    pub id: i64,
    /// When.
    pub at: Moment,
    /// What it tells of.
    pub kind: EventKind,
    /// What it tells, as JSON.
    pub body: String,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Files that have a record.
    pub done: u64,
    /// Files in all.
    pub total: u64,
}

impl Progress {
    /// `{"done":3,"total":20}`
    pub fn to_json(self) -> String {
        format!(r#"{{"done":{},"total":{}}}"#, self.done, self.total)
    }
}

impl std::fmt::Display for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", text::grouped(self.done), text::grouped(self.total))
    }
}

/// Follows a job from an event on.
#[derive(Debug)]
pub struct Follower {
    catalogue: Catalogue,
    job_id: i64,
    after: i64,
    signals: broadcast::Receiver<Signal>,
}

impl Follower {
    /// The next events, in order, as soon as there are any. Dropped while it waits, nothing is lost.
    ///
    /// # Errors
    /// If the database fails; call again to go on.
    pub async fn next(&mut self) -> Result<Vec<Event>> {
        loop {
            // Hints that came before the look are answered by it.
            self.signals = self.signals.resubscribe();
            let events = self.catalogue.events(self.job_id, self.after, BATCH as u32).await?;
            if let Some(last) = events.last() {
                self.after = last.id;
                return Ok(events);
            }
            let _ = tokio::time::timeout(LOOK, self.hint()).await;
        }
    }

    async fn hint(&mut self) {
        loop {
            match self.signals.recv().await {
                Ok(Signal::Job(job)) if job == self.job_id => return,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return,
                // The catalogue is closing; the next look says so.
                Err(RecvError::Closed) => tokio::time::sleep(LOOK).await,
            }
        }
    }
}

impl Catalogue {
    /// Events of a job behind one, in order.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn events(&self, job_id: i64, after: i64, limit: u32) -> Result<Vec<Event>> {
        let sql = "SELECT id, at, kind, body FROM events WHERE job_id = $1 AND id > $2
                   ORDER BY id LIMIT $3";
        let rows = self.db.rows(sql, values![job_id, after, i64::from(limit)]).await?;
        let event = |row: &Row| {
            let (id, at) = (row.get("id")?, row.moment("at")?);
            Ok(Event { id, at, kind: row.word("kind")?, body: row.get("body")? })
        };
        rows.iter().map(event).collect()
    }

    /// Follows a job, from behind an event; from 0 tells everything that is still kept.
    pub fn follow(&self, job_id: i64, after: i64) -> Follower {
        Follower { catalogue: self.clone(), job_id, after, signals: self.db.signals() }
    }
}

/// Writes events of a job whose row the transaction has locked.
pub(crate) async fn append(tx: &mut Tx, job_id: i64, events: &[(EventKind, String)]) -> Result<()> {
    let now = match tx.first("SELECT now FROM clock", Vec::new()).await? {
        Some(row) => row.moment("now")?,
        None => return Err(Error::corrupt("no clock")),
    };
    for batch in events.chunks(BATCH) {
        let mut all: Vec<Value> = Vec::with_capacity(batch.len() * 4);
        for (kind, body) in batch {
            all.extend(values![job_id, now, *kind, &**body]);
        }
        let sql = format!(
            "INSERT INTO events (job_id, at, kind, body) VALUES {}",
            places(batch.len(), 4)
        );
        tx.run(AssertSqlSafe(sql), all).await?;
    }
    Ok(())
}
