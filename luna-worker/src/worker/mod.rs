//! The worker: takes items of the [queue](crate::queue) and works them until it is told to stop.
//!
//! `plan` lists a data set and cuts it into shards, `examine` makes the records of one, `conclude` makes the
//! report of all. What is found, and how it is told, is `luna_core`'s business. Whatever happens to a worker,
//! another goes on from the records that are stored.

mod conclude;
mod dataset;
mod examine;
pub mod health;
mod plan;
mod preview;
mod profiles;
mod resources;
mod shard;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use luna_core::{CancelToken, IdentityKey, Validator};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

pub use self::preview::Preview;
use self::profiles::Profiles;
use self::trouble::{Trouble, patiently};
use crate::catalogue::{Catalogue, Error, ValidationJob};
use crate::metrics;
use crate::queue::{AfterFailure, ItemKind, LEASE, Lease};
use crate::storage::Storage;

/// How often a worker asks for work though no bell rang: retries and leases that run out ring none.
const POLL: Duration = Duration::from_secs(1);
/// How often a worker says that it lives.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// Longest pause before the database is asked again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a worker may use, and how it ends.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its name in lists and logs; several may share one.
    pub name: String,
    /// Items that it works side by side.
    pub items: usize,
    /// Threads that examine pictures; one a core if `None`.
    pub threads: Option<usize>,
    /// Memory for files and pictures, in bytes; what the container allows if `None`.
    pub memory: Option<u64>,
    /// The key under which identities are hashed: the same for all workers of a catalogue.
    pub identity_key: IdentityKey,
    /// How long it may finish what it has in hand when it is told to stop.
    pub grace: Duration,
}

impl Options {
    /// One item at a time on all cores, 25 seconds of grace.
    pub fn new(name: String, identity_key: IdentityKey) -> Self {
        let grace = Duration::from_secs(25);
        Self { name, items: 1, threads: None, memory: None, identity_key, grace }
    }
}

/// Works items until it is told to stop.
#[derive(Clone, Debug)]
pub struct Worker {
    shared: Arc<Shared>,
}

/// What all items in work share.
#[derive(Debug)]
struct Shared {
    catalogue: Catalogue,
    storage: Storage,
    profiles: Profiles,
    options: Options,
}

impl Worker {
    /// A worker on this catalogue, with the data sets' files and the reports in this storage.
    pub fn new(catalogue: Catalogue, storage: Storage, options: Options) -> Self {
        // Items of different profiles have a validator each.
        let memory = options.memory.unwrap_or_else(resources::memory) / options.items.max(1) as u64;
        let profiles = Profiles::new(options.threads, memory, options.identity_key.clone());
        Self { shared: Arc::new(Shared { catalogue, storage, profiles, options }) }
    }

    /// Works until `stop`; then takes nothing new, and finishes or hands back what it has within the grace
    /// time.
    ///
    /// # Errors
    /// If the catalogue cannot be asked at the start. Later it waits until it can.
    pub async fn run(&self, stop: CancellationToken) -> Result<(), Error> {
        let shared = &self.shared;
        let id = shared.catalogue.register_worker(&shared.options.name).await?;
        tracing::info!(worker = id, "ready for work");
        let alive = tokio::spawn(Arc::clone(shared).signs_of_life(id));
        let tasks = TaskTracker::new();
        self.take_work(id, &stop, &tasks).await;
        tasks.close();
        if !tasks.is_empty() {
            tracing::info!(items = tasks.len(), "stopping: finishing what is in hand");
        }
        if tokio::time::timeout(shared.options.grace, tasks.wait()).await.is_err() {
            tracing::warn!(items = tasks.len(), "the grace time is over: others take what is left");
        }
        alive.abort();
        if let Err(error) = shared.catalogue.retire_worker(id).await {
            tracing::warn!(%error, "could not sign off");
        }
        tracing::info!(worker = id, "stopped");
        Ok(())
    }

    async fn take_work(&self, id: i64, stop: &CancellationToken, tasks: &TaskTracker) {
        let shared = &self.shared;
        let slots = Arc::new(Semaphore::new(shared.options.items.max(1)));
        let mut pause = POLL;
        while !stop.is_cancelled() {
            let slot = tokio::select! {
                slot = Arc::clone(&slots).acquire_owned() => slot,
                () = stop.cancelled() => return,
            };
            let Ok(slot) = slot else { return };
            // Never dropped half-way: a claim that was made must be worked.
            match shared.catalogue.claim(id, LEASE).await {
                Ok(Some(lease)) => {
                    pause = POLL;
                    let span = tracing::info_span!(
                        "item",
                        job = lease.job_id,
                        item = lease.item_id,
                        kind = lease.kind.as_str(),
                        attempt = lease.attempts
                    );
                    let work = Arc::clone(shared).work(lease, stop.clone());
                    tasks.spawn(async move { (work.await, drop(slot)) }.instrument(span));
                }
                Ok(None) => {
                    pause = POLL;
                    tokio::select! {
                        () = shared.catalogue.wait_for_work(POLL) => {}
                        () = stop.cancelled() => return,
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot ask for work; trying again");
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = stop.cancelled() => return,
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }
}

/// An item in work.
struct Work<'a> {
    shared: &'a Shared,
    lease: &'a Lease,
    /// Set once the lease is lost, or the worker is to stop.
    cancel: &'a CancelToken,
}

impl Work<'_> {
    /// The job that it is part of, and the validator for its profile.
    async fn job(&self) -> Result<(ValidationJob, Arc<Validator>), Trouble> {
        let catalogue = &self.shared.catalogue;
        let id = self.lease.job_id.ok_or_else(|| Trouble::lasting("the item belongs to no job"))?;
        let job = catalogue.job(id).await?;
        let validator = self.shared.profiles.validator(catalogue, job.profile_id).await?;
        Ok((job, validator))
    }
}

impl Shared {
    async fn signs_of_life(self: Arc<Self>, id: i64) {
        loop {
            tokio::time::sleep(SIGN_OF_LIFE).await;
            if let Err(error) = self.catalogue.worker_seen(id).await {
                tracing::debug!(%error, "no sign of life could be given");
            }
        }
    }

    /// Works one item, whatever comes of it.
    async fn work(self: Arc<Self>, lease: Lease, stop: CancellationToken) {
        let cancel = CancelToken::default();
        let keeper = tokio::spawn(Arc::clone(&self).keep(lease.clone(), cancel.clone()));
        let stopper = tokio::spawn({
            let cancel = cancel.clone();
            async move {
                stop.cancelled().await;
                cancel.cancel();
            }
        });
        let work = Work { shared: &self, lease: &lease, cancel: &cancel };
        let outcome = match lease.kind {
            ItemKind::Plan => work.plan().await,
            ItemKind::Examine => work.examine().await,
            ItemKind::Conclude => work.conclude().await,
            ItemKind::Chore => Err(Trouble::lasting("this worker does not know the chore")),
        };
        if let Err(trouble) = outcome {
            self.settle(&lease, trouble).await;
        }
        stopper.abort();
        keeper.abort();
    }

    /// Renews a lease until it is lost. While the database is away it is not: nobody can take it.
    async fn keep(self: Arc<Self>, lease: Lease, cancel: CancelToken) {
        loop {
            tokio::time::sleep(LEASE / 3).await;
            match self.catalogue.heartbeat(&lease, LEASE).await {
                Ok(()) => {}
                Err(error) if error.is_temporary() => {
                    tracing::warn!(%error, "the lease could not be renewed; trying again");
                }
                Err(_) => return cancel.cancel(),
            }
        }
    }

    /// Takes note of how long a job took, for whoever watches.
    async fn note_end(&self, job_id: Option<i64>, status: &str) {
        let Some(job_id) = job_id else { return };
        if let Ok(job) = self.catalogue.job(job_id).await
            && let (Some(began), Some(ended)) = (job.started_at, job.completed_at)
        {
            metrics::DURATION.took(&[status], ended.since(began));
        }
    }

    /// Ends an item that did not end well.
    async fn settle(&self, lease: &Lease, trouble: Trouble) {
        let catalogue = &self.catalogue;
        let settled = match &trouble {
            Trouble::Lost => {
                tracing::info!("the lease is gone: cancelled, or another has it");
                return;
            }
            Trouble::Stopped => {
                tracing::info!("handed back");
                patiently!(catalogue.release(lease))
            }
            Trouble::Passing(reason) => {
                let after = patiently!(catalogue.fail(lease, reason));
                match &after {
                    Ok(AfterFailure::Retry(wait)) => {
                        metrics::RETRIES.add(&[], 1);
                        tracing::warn!(
                            reason,
                            seconds = wait.as_secs(),
                            "failed; to be tried again"
                        );
                    }
                    Ok(AfterFailure::Dead) => self.note_end(lease.job_id, "failed").await,
                    Err(_) => {}
                }
                after.map(|_| ())
            }
            Trouble::Lasting(reason) => {
                tracing::error!(reason, "failed for good");
                let given_up = patiently!(catalogue.give_up(lease, reason));
                self.note_end(lease.job_id, "failed").await;
                given_up
            }
        };
        match settled {
            Ok(()) | Err(Error::LeaseLost) => {}
            Err(error) => {
                tracing::error!(%error, "the item could not be ended; its lease runs out");
            }
        }
    }
}

/// Runs what takes long, or waits for the storage, on a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Trouble> + Send + 'static,
) -> Result<T, Trouble> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Trouble::lasting("the engine stopped with a panic")))
}
