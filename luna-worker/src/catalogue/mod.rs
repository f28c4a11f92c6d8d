//! The catalogue: who takes part, what was uploaded, what was found, and the jobs in between, in an SQLite
//! file or a PostgreSQL database.
//!
//! Its methods speak the words of the domain; SQL stays in here. What is acknowledged is durable. Every
//! method either does all it says or nothing.

mod audit;
mod cleanup;
mod connect;
mod datasets;
pub(crate) mod engine;
mod error;
mod files;
mod findings;
mod fingerprints;
mod idempotency;
mod logs;
mod migrations;
mod overview;
mod people;
mod records;
mod sessions;
mod spent;
mod tasks;
#[cfg(test)]
pub(crate) mod tests;
mod time;
mod usage;
mod validation;

use self::engine::Db;
pub(crate) use self::validation::{fail_job, lock_job, reopen_job};

pub use self::audit::AuditEntry;
pub use self::cleanup::{ABANDONED, Expired, Leftovers};
pub use self::datasets::{Completed, Dataset, DatasetState, NewDataset};
pub use self::error::{Error, Result, failed, failures};
pub use self::files::{Arrived, File, NewFile};
pub use self::findings::{FindingFilter, StoredFinding};
pub use self::fingerprints::{SharedPicture, SharedPlace, TeamPair};
pub use self::idempotency::Repeated;
pub use self::logs::{LogLevel, LogLine};
pub use self::overview::Arrivals;
pub use self::people::{ApiKey, Invite, Role, Scope, Team, User};
pub use self::records::{RecordPages, StoredRecord, Suspect};
pub use self::sessions::Session;
pub use self::spent::Spent;
pub use self::tasks::{NewTask, Profile, Task};
pub use self::time::Moment;
pub use self::usage::Usage;
pub use self::validation::{
    Artifact, JobState, NewArtifact, Outcome, QueuePlace, Shard, ValidationJob,
};

/// The catalogue; cheap to clone, used from any task.
///
/// ```
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// use luna_worker::catalogue::{Catalogue, Error};
/// let folder = tempfile::tempdir()?;
/// let url = format!("sqlite://{}", folder.path().join("luna.db").display());
/// let catalogue = Catalogue::open(&url, 4).await?;
/// let team = catalogue.create_team("radiant").await?;
/// assert_eq!(catalogue.team(team.id).await?.name, "radiant");
/// assert!(matches!(catalogue.create_team("radiant").await, Err(Error::Conflict { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Catalogue {
    pub(crate) db: Db,
}

impl Catalogue {
    /// Opens `sqlite://path` (the file is made if it is not there) or `postgres://user@host/name`, with so
    /// many connections, and brings its schema up to date.
    ///
    /// # Errors
    /// [`Error::TooNew`] if a newer version of LUNA has been here; [`Error::Unavailable`] if the database
    /// cannot be reached.
    pub async fn open(url: &str, connections: u32) -> Result<Self> {
        Self::open_at(url, connections, migrations::newest()).await
    }

    /// Changes the schema as a next version of LUNA would when it starts, for tests of upgrades: one text that
    /// both engines understand.
    ///
    /// # Errors
    /// As [`Catalogue::open`].
    #[doc(hidden)]
    pub async fn upgrade(url: &str, sql: &'static str) -> Result<()> {
        let db = Db::open(url, 1).await?;
        migrations::migrate_beyond(&db, sql).await?;
        db.close().await;
        Ok(())
    }

    async fn open_at(url: &str, connections: u32, schema: i64) -> Result<Self> {
        let db = Db::open(url, connections).await?;
        migrations::migrate(&db, schema).await?;
        Ok(Self { db })
    }

    /// Does nothing but ask the database, for readiness and the clock of `doctor`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if it does not answer.
    pub async fn now(&self) -> Result<Moment> {
        let row = self.db.first("SELECT now FROM clock", Vec::new()).await?;
        row.ok_or_else(|| Error::corrupt("no clock"))?.moment("now")
    }

    /// Connections to the database that this process has: how many are in use, and how many wait for work.
    pub fn connections(&self) -> (u64, u64) {
        self.db.pool().connections()
    }

    /// Finishes what runs and closes all connections.
    pub async fn close(&self) {
        self.db.close().await;
    }
}
