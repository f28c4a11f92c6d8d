//! Data sets: begun, filled with files (see [`files`](super::files)), completed once; versions follow each
//! other in a lineage.

use super::engine::{Row, Tx, values, words};
use super::people::one;
use super::tasks::joined;
use super::{Catalogue, Error, Leftovers, Result, cleanup};
use crate::catalogue::Moment;

words! {
    /// How far a data set is.
    DatasetState {
        /// Files may still come.
        Uploading = "uploading",
        /// It is what it is.
        Complete = "complete",
    }
}

/// One version of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// Number of this version.
    pub id: i64,
    /// The team.
    pub team_id: i64,
    /// The version of the task that it was uploaded for.
    pub task_id: Option<i64>,
    /// Number of the first version.
    pub lineage: i64,
    /// 1 for the first.
    pub version: i64,
    /// What the team calls it.
    pub name: String,
    /// What the team says of it.
    pub description: String,
    /// How far it is.
    pub state: DatasetState,
    /// When it was begun.
    pub created_at: Moment,
    /// When something last arrived for it.
    pub touched_at: Moment,
    /// When the team said that this version counts.
    pub submitted_at: Option<Moment>,
    /// The data set's fingerprint in the report of then.
    pub fingerprint: Option<String>,
}

/// What a data set begins with.
#[derive(Clone, Debug, Default)]
pub struct NewDataset {
    /// The team.
    pub team_id: i64,
    /// The version of a task that it is for.
    pub task_id: Option<i64>,
    /// What the team calls it.
    pub name: String,
    /// What the team says of it.
    pub description: String,
    /// An earlier data set of the team: its files that arrived are this one's too.
    pub replaces: Option<i64>,
    /// Paths of files that are not taken over.
    pub remove: Vec<String>,
}

/// What became of a data set that was said to be complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completed {
    /// The validation job: the same, however often one asks.
    pub job_id: i64,
    /// False if it had been completed before.
    pub newly: bool,
}

pub(super) const DATASET: &str =
    "SELECT id, team_id, task_id, lineage, version, name, description, state,
    created_at, touched_at, submitted_at, fingerprint FROM datasets";

impl Catalogue {
    /// Begins a data set, or the next version of one.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such team or task, or what it replaces is not the team's.
    pub async fn start_dataset(&self, new: &NewDataset) -> Result<Dataset> {
        let mut tx = self.db.begin().await?;
        let (lineage, version) = match new.replaces {
            None => (None, 1),
            Some(earlier) => {
                let lineage = lock_lineage(&mut tx, earlier, new.team_id).await?;
                let sql = "SELECT MAX(version) AS newest FROM datasets WHERE lineage = $1";
                let row = tx.first(sql, values![lineage]).await?;
                let newest: Option<i64> = one("data set", row, |row| row.get("newest"))?;
                (Some(lineage), newest.unwrap_or(0) + 1)
            }
        };
        let sql =
            "INSERT INTO datasets (team_id, task_id, lineage, version, name, description, state,
                       created_at, touched_at)
                   VALUES ($1, $2, $3, $4, $5, $6, 'uploading',
                       (SELECT now FROM clock), (SELECT now FROM clock))
                   RETURNING id";
        let values =
            values![new.team_id, new.task_id, lineage, version, &*new.name, &*new.description];
        let id = tx.insert(sql, values).await?;
        if lineage.is_none() {
            tx.run("UPDATE datasets SET lineage = id WHERE id = $1", values![id]).await?;
        }
        if let Some(earlier) = new.replaces {
            super::files::carry_over(&mut tx, earlier, id, &new.remove).await?;
        }
        let row = tx.first(joined(DATASET, "WHERE id = $1"), values![id]).await?;
        let dataset = one("data set", row, dataset)?;
        tx.commit().await?;
        Ok(dataset)
    }

    /// A data set by its number; with a team, only if it is that team's.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn dataset(&self, id: i64, team_id: Option<i64>) -> Result<Dataset> {
        let sql = joined(DATASET, "WHERE id = $1 AND ($2 IS NULL OR team_id = $2)");
        one("data set", self.db.first(sql, values![id, team_id]).await?, dataset)
    }

    /// Data sets, newest first, of a team or of all; those with smaller numbers than `before`.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn datasets(
        &self,
        team_id: Option<i64>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Dataset>> {
        let before = before.unwrap_or(i64::MAX);
        // One text for each, so that a team's index is used.
        let (rest, values) = if let Some(team) = team_id {
            let rest = "WHERE team_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
            (rest, values![team, before, i64::from(limit)])
        } else {
            ("WHERE id < $1 ORDER BY id DESC LIMIT $2", values![before, i64::from(limit)])
        };
        let rows = self.db.rows(joined(DATASET, rest), values).await?;
        rows.iter().map(dataset).collect()
    }

    /// All versions of a data set, first to last.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn versions(&self, lineage: i64) -> Result<Vec<Dataset>> {
        let sql = joined(DATASET, "WHERE lineage = $1 ORDER BY version");
        self.db.rows(sql, values![lineage]).await?.iter().map(dataset).collect()
    }

    /// Says that a data set is all there, and queues its validation. Any number of calls, also at once,
    /// make one job.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn complete(&self, dataset_id: i64) -> Result<Completed> {
        let mut tx = self.db.begin().await?;
        let dataset = lock_dataset(&mut tx, dataset_id).await?;
        let sql = "SELECT MAX(id) AS id FROM validation_jobs WHERE dataset_id = $1";
        let row = tx.first(sql, values![dataset_id]).await?;
        let earlier: Option<i64> = one("job", row, |row| row.get("id"))?;
        if let Some(job_id) = earlier {
            return Ok(Completed { job_id, newly: false });
        }
        let sql = "UPDATE datasets SET state = 'complete', touched_at = (SELECT now FROM clock)
                   WHERE id = $1";
        tx.run(sql, values![dataset_id]).await?;
        let job_id = super::validation::new_job(&mut tx, &dataset, 0).await?;
        tx.commit().await?;
        Ok(Completed { job_id, newly: true })
    }

    /// Says that this version counts, and keeps its fingerprint. Said again, the first word holds.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn submit_dataset(&self, id: i64, fingerprint: &str) -> Result<Dataset> {
        let mut tx = self.db.begin().await?;
        lock_dataset(&mut tx, id).await?;
        let sql = "UPDATE datasets SET submitted_at = (SELECT now FROM clock), fingerprint = $2
                   WHERE id = $1 AND submitted_at IS NULL";
        tx.run(sql, values![id, fingerprint]).await?;
        let dataset = lock_dataset(&mut tx, id).await?;
        tx.commit().await?;
        Ok(dataset)
    }

    /// Removes a data set: rows, records, findings, jobs that run.
    ///
    /// Its objects are still there: delete those whose keys come back. Keys that another version uses too
    /// are not among them.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_dataset(&self, id: i64) -> Result<Leftovers> {
        let mut tx = self.db.begin().await?;
        lock_dataset(&mut tx, id).await?;
        let leftovers = cleanup::remove_datasets(&mut tx, vec![id]).await?;
        tx.commit().await?;
        Ok(leftovers)
    }
}

/// The data set, and nobody else changes it until the transaction ends.
pub(super) async fn lock_dataset(tx: &mut Tx, id: i64) -> Result<Dataset> {
    let sql = format!("{DATASET} WHERE id = $1{}", tx.for_update());
    one("data set", tx.first(sqlx::AssertSqlSafe(sql), values![id]).await?, dataset)
}

/// The lineage of a team's data set, to which nobody else adds a version until the transaction ends.
async fn lock_lineage(tx: &mut Tx, id: i64, team_id: i64) -> Result<i64> {
    let sql = "SELECT lineage FROM datasets WHERE id = $1 AND team_id = $2";
    let row = tx.first(sql, values![id, team_id]).await?;
    let lineage = one("data set", row, |row| row.get("lineage"))?;
    let sql = format!("SELECT id FROM datasets WHERE lineage = $1 ORDER BY id{}", tx.for_update());
    for row in tx.rows(sqlx::AssertSqlSafe(sql), values![lineage]).await? {
        if row.get::<i64>("id")? == id {
            return Ok(lineage);
        }
    }
    // It was removed while this waited for it.
    Err(Error::NotFound { what: "data set" })
}

/// The data set, if files may still come.
pub(super) async fn lock_uploading(tx: &mut Tx, id: i64) -> Result<Dataset> {
    let dataset = lock_dataset(tx, id).await?;
    match dataset.state {
        DatasetState::Uploading => Ok(dataset),
        DatasetState::Complete => Err(Error::Conflict { what: "the data set is complete" }),
    }
}

pub(super) fn dataset(row: &Row) -> Result<Dataset> {
    Ok(Dataset {
        id: row.get("id")?,
        team_id: row.get("team_id")?,
        task_id: row.get("task_id")?,
        lineage: row.get("lineage")?,
        version: row.get("version")?,
        name: row.get("name")?,
        description: row.get("description")?,
        state: row.word("state")?,
        created_at: row.moment("created_at")?,
        touched_at: row.moment("touched_at")?,
        submitted_at: row.maybe_moment("submitted_at")?,
        fingerprint: row.get("fingerprint")?,
    })
}
