//! Validation jobs: from `pending` through `processing` to exactly one end.
//!
//! A job is worked by items of the [queue](crate::queue): one `plan`, which lists what there is and cuts it
//! into shards, one `examine` a shard, one `conclude`. Whoever works an item holds a [`Lease`]; every
//! method that takes one does nothing if that lease is gone.
//!
//! Locks are taken in one order, the job's row before rows of the queue, so that nobody waits in a circle.

use luna_core::Report;
use luna_core::report::Verdict;
use luna_core::text::counted;

use super::datasets::{Dataset, lock_dataset};
use super::engine::{Row, Signal, Tx, Value, places, values, words};
use super::people::one;
use super::tasks::joined;
use super::{Catalogue, DatasetState, Error, LogLevel, Moment, Result};
use crate::events::{self, EventKind};
use crate::queue::{self, ItemKind, Lease, NewItem};

words! {
    /// How far a validation job is.
    JobState {
        /// Nobody has begun.
        Pending = "pending",
        /// It is being worked.
        Processing = "processing",
        /// It was run; whether the data set passed is its verdict.
        Completed = "completed",
        /// It could not be run.
        Failed = "failed",
        /// Somebody did not want it any more.
        Cancelled = "cancelled",
    }
}

impl JobState {
    /// True if something is still to come.
    pub const fn is_unfinished(self) -> bool {
        matches!(self, Self::Pending | Self::Processing)
    }
}

/// A validation job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationJob {
    /// Its number.
    pub id: i64,
    /// What it validates.
    pub dataset_id: i64,
    /// By which profile; the default one if `None`.
    pub profile_id: Option<i64>,
    /// How far it is.
    pub state: JobState,
    /// Files that were listed; 0 until then.
    pub files_total: u64,
    /// Files that have a record.
    pub files_done: u64,
    /// When it was queued.
    pub created_at: Moment,
    /// When it was begun.
    pub started_at: Option<Moment>,
    /// When it ended.
    pub completed_at: Option<Moment>,
    /// What it came to.
    pub verdict: Option<String>,
    /// The summary of the report, JSON.
    pub summary: Option<String>,
    /// Why it could not be run, in words for the team.
    pub error_message: Option<String>,
}

/// What a completed job leaves.
#[derive(Clone, Debug)]
pub struct Outcome<'a> {
    /// The report; its findings are kept as rows.
    pub report: &'a Report,
    /// The summary for lists and the status page, JSON.
    pub summary: String,
    /// Files that lie in the storage already.
    pub artifacts: Vec<NewArtifact>,
}

/// A file that a job made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewArtifact {
    /// What it is: `report.json`.
    pub name: String,
    /// Where it lies.
    pub object_key: String,
    /// Media type.
    pub content_type: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

/// A file that a job made, with its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Its number.
    pub id: i64,
    /// What it is and where.
    pub file: NewArtifact,
}

/// A part of a data set that one worker takes at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// What is in it, as the worker writes and reads it.
    pub payload: String,
}

/// Where a job stands among the unfinished ones. Teams take turns, so it is an estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueuePlace {
    /// 1 for the job that is worked next or now; 0 if it is finished.
    pub position: u64,
    /// Files of the jobs before it that have no record yet.
    pub files_ahead: u64,
    /// Workers that were seen lately.
    pub workers_alive: u64,
}

pub(super) const JOB: &str =
    "SELECT id, dataset_id, profile_id, state, files_total, files_done, created_at,
    started_at, completed_at, verdict, summary, error_message FROM validation_jobs";
const BATCH: usize = 500;

impl Catalogue {
    /// A job by its number.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn job(&self, id: i64) -> Result<ValidationJob> {
        one("job", self.db.first(joined(JOB, "WHERE id = $1"), values![id]).await?, job)
    }

    /// The newest job of a data set.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it was never completed.
    pub async fn latest_job(&self, dataset_id: i64) -> Result<ValidationJob> {
        let sql = joined(JOB, "WHERE dataset_id = $1 ORDER BY id DESC LIMIT 1");
        one("job", self.db.first(sql, values![dataset_id]).await?, job)
    }

    /// All jobs of a data set, newest first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn jobs_of(&self, dataset_id: i64) -> Result<Vec<ValidationJob>> {
        let sql = joined(JOB, "WHERE dataset_id = $1 ORDER BY id DESC");
        self.db.rows(sql, values![dataset_id]).await?.iter().map(job).collect()
    }

    /// Where a job stands.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn queue_place(&self, job_id: i64) -> Result<QueuePlace> {
        let workers_alive = self.workers_alive().await?;
        if !self.job(job_id).await?.state.is_unfinished() {
            return Ok(QueuePlace { workers_alive, ..QueuePlace::default() });
        }
        // A job that was not listed yet counts with what its data set announced: as counted when it was queued,
        // unless a version of LUNA queued it that did not count yet.
        let sql = "SELECT COUNT(*) AS ahead, CAST(COALESCE(SUM(CASE WHEN files_total > 0
                       THEN files_total - files_done
                       ELSE COALESCE(files_announced,
                           (SELECT COUNT(*) FROM files f WHERE f.dataset_id = j.dataset_id))
                   END), 0) AS BIGINT) AS files
                   FROM validation_jobs j WHERE state IN ('pending', 'processing') AND id < $1";
        let row = self.db.first(sql, values![job_id]).await?;
        one("job", row, |row| {
            let (position, files_ahead) = (row.count("ahead")? + 1, row.count("files")?);
            Ok(QueuePlace { position, files_ahead, workers_alive })
        })
    }

    /// Queues a data set once more, by a profile of choice; behind everything else if `priority` is
    /// negative.
    ///
    /// # Errors
    /// [`Error::Conflict`] if a job of it is unfinished, or it is not complete.
    pub async fn rerun(
        &self,
        dataset_id: i64,
        profile_id: Option<i64>,
        priority: i64,
    ) -> Result<i64> {
        let mut tx = self.db.begin().await?;
        let dataset = lock_dataset(&mut tx, dataset_id).await?;
        if dataset.state == DatasetState::Uploading {
            return Err(Error::Conflict { what: "the data set is not complete" });
        }
        let job_id = match new_job(&mut tx, &dataset, priority).await {
            Err(Error::Conflict { .. }) => {
                return Err(Error::Conflict { what: "the data set is being validated" });
            }
            job => job?,
        };
        if profile_id.is_some() {
            let sql = "UPDATE validation_jobs SET profile_id = $2 WHERE id = $1";
            tx.run(sql, values![job_id, profile_id]).await?;
        }
        tx.commit().await?;
        Ok(job_id)
    }

    /// Ends a job that nobody wants any more. Workers notice at their next step.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] if it has ended otherwise.
    pub async fn cancel(&self, job_id: i64) -> Result<()> {
        let mut tx = self.db.begin().await?;
        match lock_job(&mut tx, job_id).await?.state {
            JobState::Cancelled => return Ok(()),
            state if !state.is_unfinished() => {
                return Err(Error::Conflict { what: "the job has ended" });
            }
            _ => {}
        }
        end_job(&mut tx, job_id, JobState::Cancelled, None).await?;
        tx.commit().await
    }

    /// Begins a job: the first thing its `plan` item does. Again after a take-over.
    ///
    /// # Errors
    /// [`Error::LeaseLost`].
    pub async fn begin_job(&self, lease: &Lease) -> Result<ValidationJob> {
        let mut tx = self.db.begin().await?;
        let job_id = held(&mut tx, lease).await?.id;
        let sql = "UPDATE validation_jobs SET state = 'processing',
                       started_at = COALESCE(started_at, (SELECT now FROM clock))
                   WHERE id = $1";
        tx.run(sql, values![job_id]).await?;
        let row = tx.first(joined(JOB, "WHERE id = $1"), values![job_id]).await?;
        let job = one("job", row, job)?;
        tx.commit().await?;
        Ok(job)
    }

    /// Ends the `plan` item: so many files are there, in these shards. With none, the job is concluded.
    ///
    /// # Errors
    /// [`Error::LeaseLost`].
    pub async fn plan_done(&self, lease: &Lease, files: u64, shards: &[Shard]) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let job_id = held(&mut tx, lease).await?.id;
        let sql = "UPDATE validation_jobs SET files_total = $2, shards_open = $3 WHERE id = $1";
        tx.run(sql, values![job_id, files, shards.len()]).await?;
        let item = |(turn, shard): (usize, &Shard)| NewItem {
            key: format!("examine:{job_id}:{turn}"),
            payload: shard.payload.clone(),
            turn: turn as i64,
            ..follow_up(lease, ItemKind::Examine, job_id)
        };
        let mut items: Vec<NewItem> = shards.iter().enumerate().map(item).collect();
        if items.is_empty() {
            items.push(follow_up(lease, ItemKind::Conclude, job_id));
        }
        queue::add(&mut tx, &items).await?;
        queue::done(&mut tx, lease).await?;
        let line = format!("{} to look at", counted(files, "file"));
        super::logs::add(&mut tx, job_id, LogLevel::Info, &line).await?;
        tx.commit().await
    }

    /// Ends an `examine` item. The last of a job queues its `conclude`, whichever it is: true then.
    ///
    /// # Errors
    /// [`Error::LeaseLost`].
    pub async fn shard_done(&self, lease: &Lease) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        let job = held(&mut tx, lease).await?;
        // The job's row is locked: nobody else counts meanwhile.
        let last = job.shards_open <= 1;
        let sql = "UPDATE validation_jobs SET shards_open = shards_open - 1 WHERE id = $1";
        tx.run(sql, values![job.id]).await?;
        if last {
            queue::add(&mut tx, &[follow_up(lease, ItemKind::Conclude, job.id)]).await?;
        }
        queue::done(&mut tx, lease).await?;
        tx.commit().await?;
        Ok(last)
    }

    /// Ends a job with its report: verdict, summary, findings, artifacts, the last event, all at once and
    /// once only.
    ///
    /// # Errors
    /// [`Error::LeaseLost`]: somebody else concludes it, or has. The objects of this call must go then,
    /// unless [`artifacts`](Self::artifacts) names them.
    pub async fn finish_job(&self, lease: &Lease, outcome: &Outcome<'_>) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let job_id = held(&mut tx, lease).await?.id;
        let verdict = outcome.report.verdict;
        let sql = "UPDATE validation_jobs SET verdict = $2, summary = $3 WHERE id = $1";
        tx.run(sql, values![job_id, verdict.as_str(), &*outcome.summary]).await?;
        super::findings::insert(&mut tx, job_id, outcome.report).await?;
        super::fingerprints::insert(&mut tx, job_id, outcome.report).await?;
        for batch in outcome.artifacts.chunks(BATCH) {
            insert_artifacts(&mut tx, job_id, batch).await?;
        }
        queue::done(&mut tx, lease).await?;
        let line = format!("All files were looked at; verdict: {}", verdict.as_str());
        super::logs::add(&mut tx, job_id, LogLevel::Info, &line).await?;
        end_job(&mut tx, job_id, JobState::Completed, Some(verdict)).await?;
        tx.commit().await
    }

    /// Files that a job made, by name.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn artifacts(&self, job_id: i64) -> Result<Vec<Artifact>> {
        let sql = "SELECT id, name, object_key, content_type, size_bytes, sha256 FROM artifacts
                   WHERE job_id = $1 ORDER BY name";
        self.db.rows(sql, values![job_id]).await?.iter().map(artifact).collect()
    }
}

/// What is locked of a job while a transaction changes it.
pub(crate) struct LockedJob {
    pub(crate) id: i64,
    pub(crate) state: JobState,
    pub(crate) shards_open: i64,
}

/// The job, and nobody else changes it until the transaction ends.
pub(crate) async fn lock_job(tx: &mut Tx, id: i64) -> Result<LockedJob> {
    let sql = format!(
        "SELECT id, state, shards_open FROM validation_jobs WHERE id = $1{}",
        tx.for_update()
    );
    let row = tx.first(sqlx::AssertSqlSafe(sql), values![id]).await?;
    one("job", row, |row| {
        let (state, shards_open) = (row.word("state")?, row.get("shards_open")?);
        Ok(LockedJob { id, state, shards_open })
    })
}

/// The unfinished job of a lease that is still held, both locked.
pub(crate) async fn held(tx: &mut Tx, lease: &Lease) -> Result<LockedJob> {
    let id = lease.job_id.ok_or(Error::Invalid { what: "the item belongs to no job" })?;
    let job = match lock_job(tx, id).await {
        Err(Error::NotFound { .. }) => return Err(Error::LeaseLost),
        job => job?,
    };
    if !job.state.is_unfinished() {
        return Err(Error::LeaseLost);
    }
    queue::fence(tx, lease).await?;
    Ok(job)
}

/// Makes a job of a complete data set and queues its plan.
pub(super) async fn new_job(tx: &mut Tx, dataset: &Dataset, priority: i64) -> Result<i64> {
    let sql =
        "INSERT INTO validation_jobs (dataset_id, profile_id, state, created_at, files_announced)
               VALUES ($1, (SELECT profile_id FROM tasks WHERE id = $2), 'pending',
                   (SELECT now FROM clock), (SELECT COUNT(*) FROM files WHERE dataset_id = $1))
               RETURNING id";
    let job_id = tx.insert(sql, values![dataset.id, dataset.task_id]).await?;
    let plan = NewItem {
        team_id: dataset.team_id,
        job_id: Some(job_id),
        kind: ItemKind::Plan,
        key: format!("plan:{job_id}"),
        payload: String::new(),
        priority,
        turn: 0,
    };
    queue::add(tx, &[plan]).await?;
    Ok(job_id)
}

fn follow_up(lease: &Lease, kind: ItemKind, job_id: i64) -> NewItem {
    NewItem {
        team_id: lease.team_id,
        job_id: Some(job_id),
        kind,
        key: format!("{kind}:{job_id}"),
        payload: String::new(),
        priority: lease.priority,
        turn: 0,
    }
}

/// Ends a locked, unfinished job, and what is left of it in the queue.
pub(crate) async fn end_job(
    tx: &mut Tx,
    job_id: i64,
    state: JobState,
    verdict: Option<Verdict>,
) -> Result<()> {
    let sql = "UPDATE validation_jobs SET state = $2, completed_at = (SELECT now FROM clock)
               WHERE id = $1";
    tx.run(sql, values![job_id, state]).await?;
    queue::cancel_items(tx, job_id).await?;
    let body = serde_json::json!({ "status": state.as_str(), "verdict": verdict });
    events::append(tx, job_id, &[(EventKind::Done, body.to_string())]).await?;
    tx.signal(Signal::Job(job_id));
    Ok(())
}

/// Ends a locked, unfinished job that cannot be run.
pub(crate) async fn fail_job(tx: &mut Tx, job_id: i64, reason: &str) -> Result<()> {
    let sql = "UPDATE validation_jobs SET error_message = $2 WHERE id = $1";
    tx.run(sql, values![job_id, reason]).await?;
    super::logs::add(tx, job_id, LogLevel::Error, reason).await?;
    end_job(tx, job_id, JobState::Failed, None).await
}

/// Takes a failed, locked job up again.
pub(crate) async fn reopen_job(tx: &mut Tx, job_id: i64) -> Result<()> {
    let sql = "UPDATE validation_jobs SET completed_at = NULL, error_message = NULL,
                   state = CASE WHEN started_at IS NULL THEN 'pending' ELSE 'processing' END
               WHERE id = $1";
    match tx.run(sql, values![job_id]).await {
        Err(Error::Conflict { .. }) => {
            Err(Error::Conflict { what: "the data set is being validated by another job" })
        }
        done => done.map(|_| ()),
    }
}

async fn insert_artifacts(tx: &mut Tx, job_id: i64, artifacts: &[NewArtifact]) -> Result<()> {
    let mut all: Vec<Value> = Vec::with_capacity(artifacts.len() * 6);
    for file in artifacts {
        all.extend(values![
            job_id,
            &*file.name,
            &*file.object_key,
            &*file.content_type,
            file.size_bytes,
            &*file.sha256,
        ]);
    }
    let sql = format!(
        "INSERT INTO artifacts (job_id, name, object_key, content_type, size_bytes, sha256)
         VALUES {}",
        places(artifacts.len(), 6)
    );
    tx.run(sqlx::AssertSqlSafe(sql), all).await?;
    Ok(())
}

pub(super) fn job(row: &Row) -> Result<ValidationJob> {
    Ok(ValidationJob {
        id: row.get("id")?,
        dataset_id: row.get("dataset_id")?,
        profile_id: row.get("profile_id")?,
        state: row.word("state")?,
        files_total: row.count("files_total")?,
        files_done: row.count("files_done")?,
        created_at: row.moment("created_at")?,
        started_at: row.maybe_moment("started_at")?,
        completed_at: row.maybe_moment("completed_at")?,
        verdict: row.get("verdict")?,
        summary: row.get("summary")?,
        error_message: row.get("error_message")?,
    })
}

fn artifact(row: &Row) -> Result<Artifact> {
    Ok(Artifact {
        id: row.get("id")?,
        file: NewArtifact {
            name: row.get("name")?,
            object_key: row.get("object_key")?,
            content_type: row.get("content_type")?,
            size_bytes: row.count("size_bytes")?,
            sha256: row.get("sha256")?,
        },
    })
}
