//! What goes away: teams, old data sets, uploads nobody finished, and the small change of a long life.
//!
//! Rows go first, in one transaction; whoever called then deletes the objects. Killed in between, objects
//! are left that no row names, which a scrub of the storage finds; never a row without its object.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::AssertSqlSafe;

use super::engine::{Row, Tx, Value, places, values};
use super::people::changed;
use super::usage::{self, Change};
use super::{Catalogue, Moment, Result, Spent};

const BATCH: usize = 500;

/// What was removed, and what is to be deleted from the storage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Data sets whose rows are gone.
    pub datasets: Vec<i64>,
    /// Keys of objects that no row names any more.
    pub object_keys: Vec<String>,
}

/// Small rows that were removed because of their age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Events of jobs.
    pub events: u64,
    /// Items of the queue that were done or cancelled.
    pub items: u64,
    /// Workers that were not seen for long.
    pub workers: u64,
    /// Invites that were used or ran out.
    pub invites: u64,
    /// Sessions that ran out.
    pub sessions: u64,
    /// Kept answers to calls.
    pub answers: u64,
    /// What nobody reads any more, whatever its age.
    pub spent: Spent,
}

/// An upload for which nothing came for so long was given up.
pub const ABANDONED: Duration = Duration::from_hours(24);

impl Catalogue {
    /// Removes a team: users, keys, data sets, reports. The audit log stays.
    ///
    /// # Errors
    /// [`Error::NotFound`](super::Error::NotFound).
    pub async fn delete_team(&self, id: i64) -> Result<Leftovers> {
        let mut tx = self.db.begin().await?;
        let sql = "SELECT id FROM datasets WHERE team_id = $1 ORDER BY id";
        let datasets = ids(&tx.rows(sql, values![id]).await?)?;
        let leftovers = remove_datasets(&mut tx, datasets).await?;
        tx.run("DELETE FROM queue_turns WHERE team_id = $1", values![id]).await?;
        changed("team", tx.run("DELETE FROM teams WHERE id = $1", values![id]).await?)?;
        tx.commit().await?;
        Ok(leftovers)
    }

    /// Data sets for which nothing has come since a moment though they were never completed.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn abandoned_uploads(&self, since: Moment, limit: u32) -> Result<Vec<i64>> {
        let sql = "SELECT id FROM datasets WHERE state = 'uploading' AND touched_at < $1
                   ORDER BY touched_at LIMIT $2";
        ids(&self.db.rows(sql, values![since, i64::from(limit)]).await?)
    }

    /// Completed data sets that are older than a moment and have no job under way.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn old_datasets(&self, than: Moment, limit: u32) -> Result<Vec<i64>> {
        let sql = "SELECT id FROM datasets WHERE state = 'complete' AND touched_at < $1
                     AND NOT EXISTS (SELECT 1 FROM validation_jobs j WHERE j.dataset_id = datasets.id
                                     AND j.state IN ('pending', 'processing'))
                   ORDER BY id LIMIT $2";
        ids(&self.db.rows(sql, values![than, i64::from(limit)]).await?)
    }

    /// Removes data sets that [`abandoned_uploads`](Self::abandoned_uploads) or
    /// [`old_datasets`](Self::old_datasets) named, if that is still true of them.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn remove_if_untouched(&self, datasets: &[i64], since: Moment) -> Result<Leftovers> {
        let mut tx = self.db.begin().await?;
        let mut still = Vec::new();
        for id in datasets {
            let sql = format!(
                "SELECT id FROM datasets WHERE id = $1 AND touched_at < $2
                   AND NOT EXISTS (SELECT 1 FROM validation_jobs j WHERE j.dataset_id = datasets.id
                                   AND j.state IN ('pending', 'processing')){}",
                tx.for_update()
            );
            still.extend(ids(&tx.rows(AssertSqlSafe(sql), values![*id, since]).await?)?);
        }
        let leftovers = remove_datasets(&mut tx, still).await?;
        tx.commit().await?;
        Ok(leftovers)
    }

    /// Removes events, finished queue items, workers, invites, sessions and kept answers that are older than
    /// this, and what is [spent](Self::remove_spent); [counts](Self::recount_usage) what teams hold.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn expire(&self, age: Duration) -> Result<Expired> {
        let before = self.now().await?.before(age);
        let mut tx = self.db.begin().await?;
        let mut expired = Expired {
            // The end of a job is what a late follower waits for.
            events: tx
                .run("DELETE FROM events WHERE at < $1 AND kind <> 'done'", values![before])
                .await?,
            items: tx
                .run(
                    "DELETE FROM queue WHERE state IN ('done', 'cancelled') AND finished_at < $1
                       AND NOT EXISTS (SELECT 1 FROM validation_jobs j WHERE j.id = queue.job_id
                                       AND j.state IN ('pending', 'processing', 'failed'))",
                    values![before],
                )
                .await?,
            workers: tx.run("DELETE FROM workers WHERE seen_at < $1", values![before]).await?,
            invites: tx
                .run("DELETE FROM invites WHERE expires_at < $1 OR used_at < $1", values![before])
                .await?,
            sessions: tx.run("DELETE FROM sessions WHERE expires_at < $1", values![before]).await?,
            answers: tx
                .run("DELETE FROM idempotency WHERE created_at < $1", values![before])
                .await?,
            spent: Spent::default(),
        };
        tx.commit().await?;
        expired.spent = self.remove_spent().await?;
        self.recount_usage().await?;
        Ok(expired)
    }
}

/// Removes data sets with all that hangs on them.
pub(super) async fn remove_datasets(tx: &mut Tx, datasets: Vec<i64>) -> Result<Leftovers> {
    let mut keys = BTreeMap::new();
    for id in &datasets {
        // Reports do not count as what a team holds.
        let sql = "SELECT f.object_key, f.size_bytes, d.team_id FROM files f
                   JOIN datasets d ON d.id = f.dataset_id WHERE f.dataset_id = $1
                   UNION ALL SELECT a.object_key, a.size_bytes, NULL FROM artifacts a
                   JOIN validation_jobs j ON j.id = a.job_id WHERE j.dataset_id = $1";
        for row in tx.rows(sql, values![*id]).await? {
            let held: (u64, Option<i64>) = (row.count("size_bytes")?, row.get("team_id")?);
            keys.insert(row.get::<String>("object_key")?, held);
        }
    }
    for id in &datasets {
        tx.run("DELETE FROM datasets WHERE id = $1", values![*id]).await?;
    }
    let object_keys = unreferenced(tx, keys.keys().cloned().collect()).await?;
    let mut changes: BTreeMap<i64, Change> = BTreeMap::new();
    for (bytes, team) in object_keys.iter().filter_map(|key| keys.get(key)) {
        if let Some(team) = team {
            changes.entry(*team).or_default().went(*bytes);
        }
    }
    usage::note(tx, &changes).await?;
    Ok(Leftovers { datasets, object_keys })
}

/// Those of these keys that no file has.
pub(super) async fn unreferenced(tx: &mut Tx, mut keys: Vec<String>) -> Result<Vec<String>> {
    let mut used = std::collections::BTreeSet::new();
    for batch in keys.chunks(BATCH) {
        let sql = format!(
            "SELECT DISTINCT object_key FROM files WHERE object_key IN {}",
            places(1, batch.len())
        );
        let all: Vec<Value> = batch.iter().map(|key| Value::from(&**key)).collect();
        for row in tx.rows(AssertSqlSafe(sql), all).await? {
            used.insert(row.get::<String>("object_key")?);
        }
    }
    keys.retain(|key| !used.contains(key));
    Ok(keys)
}

fn ids(rows: &[Row]) -> Result<Vec<i64>> {
    rows.iter().map(|row| row.get("id")).collect()
}
