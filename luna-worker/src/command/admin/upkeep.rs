//! What goes away, and whether what stays is still what it was.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use luna_core::text;
use sha2::{Digest as _, Sha256};

use super::ACTOR;
use crate::catalogue::{ABANDONED, Catalogue, DatasetState, LogLevel};
use crate::command::exit::{Exit, Failure};
use crate::command::service::Catalogued;
use crate::command::stdout;
use crate::storage::{Error, Storage};

/// Data sets that are removed in one go.
const BATCH: u32 = 100;
/// Rows that are read at once.
const PAGE: u32 = 1_000;
/// Objects that are deleted or read at the same time.
const AT_ONCE: usize = 8;
/// Bytes of an object that are hashed at a time.
const PART: u64 = 8 << 20;
/// Objects that are younger may belong to a row that is not written yet.
const SCRUB_HINT: &str =
    "run it while no upload is under way, or again later, before you delete any";

/// A number of days: `30d`, or `30`.
pub(super) fn days(text: &str) -> Result<Duration, String> {
    let number = text.trim().strip_suffix('d').unwrap_or(text.trim());
    let days: u32 = number.parse().map_err(|_| "a number of days, such as 30d".to_owned())?;
    Ok(Duration::from_hours(24 * u64::from(days)))
}

/// Deletes objects, several at the same time.
pub(super) async fn delete_objects(storage: &Storage, keys: &[String]) -> Result<(), Failure> {
    let deletions = futures_util::stream::iter(keys).map(Ok::<_, Error>);
    deletions.try_for_each_concurrent(AT_ONCE, async |key| storage.delete(key).await).await?;
    Ok(())
}

#[derive(Debug, clap::Args)]
pub(super) struct Cleanup {
    /// Remove data sets for which nothing has happened for so long, with their reports
    #[arg(long, value_name = "DAYS", value_parser = days)]
    older_than: Duration,

    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
}

impl Cleanup {
    pub(super) async fn run(
        self,
        catalogue: &Catalogue,
        catalogued: &Catalogued,
    ) -> Result<Exit, Failure> {
        let now = catalogue.now().await?;
        let (old, stale) = (now.before(self.older_than), now.before(ABANDONED));
        if self.dry_run {
            let old = catalogue.old_datasets(old, u32::MAX).await?;
            let stale = catalogue.abandoned_uploads(stale, u32::MAX).await?;
            stdout::line(&format!(
                "Would remove {} and {}{}",
                text::counted(old.len() as u64, "old data set"),
                text::counted(stale.len() as u64, "unfinished upload"),
                if old.len() + stale.len() == 0 { "." } else { ":" }
            ))?;
            for id in old.iter().chain(&stale) {
                let dataset = catalogue.dataset(*id, None).await?;
                let (name, since) = (text::escaped(&dataset.name), dataset.touched_at);
                stdout::line(&format!("  {id}  {name}, untouched since {since}"))?;
            }
            return Ok(Exit::Clean);
        }
        let storage = catalogued.storage()?;
        let (mut datasets, mut objects) = (0, 0);
        for (since, is_old) in [(old, true), (stale, false)] {
            loop {
                let found = if is_old {
                    catalogue.old_datasets(since, BATCH).await?
                } else {
                    catalogue.abandoned_uploads(since, BATCH).await?
                };
                let leftovers = catalogue.remove_if_untouched(&found, since).await?;
                if leftovers.datasets.is_empty() {
                    break;
                }
                delete_objects(&storage, &leftovers.object_keys).await?;
                datasets += leftovers.datasets.len();
                objects += leftovers.object_keys.len();
            }
        }
        let expired = catalogue.expire(self.older_than).await?;
        let detail = serde_json::json!({ "datasets": datasets, "objects": objects });
        catalogue.audit(ACTOR, None, "cleanup", "data sets", &detail.to_string()).await?;
        stdout::line(&format!(
            "Removed {} with {}, and {}.",
            text::counted(datasets as u64, "data set"),
            text::counted(objects as u64, "object"),
            text::counted(
                expired.events + expired.items + expired.spent.records + expired.spent.findings,
                "spent row"
            )
        ))?;
        Ok(Exit::Clean)
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Scrub {
    /// Also delete objects that nothing needs
    #[arg(long)]
    delete_orphans: bool,
}

/// What a scrub found.
#[derive(Debug, Default)]
struct Found {
    read: u64,
    changed: u64,
    gone: u64,
    needed: BTreeSet<String>,
}

impl Scrub {
    pub(super) async fn run(
        self,
        catalogue: &Catalogue,
        catalogued: &Catalogued,
    ) -> Result<Exit, Failure> {
        let storage = catalogued.storage()?;
        let mut found = Found::default();
        let mut before = None;
        loop {
            let page = catalogue.datasets(None, before, BATCH).await?;
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            for dataset in page {
                let is_whole = dataset.state == DatasetState::Complete;
                scrub_files(catalogue, &storage, dataset.id, is_whole, &mut found).await?;
                for job in catalogue.jobs_of(dataset.id).await? {
                    let artifacts = catalogue.artifacts(job.id).await?;
                    found.needed.extend(artifacts.into_iter().map(|it| it.file.object_key));
                }
            }
        }
        let orphans = orphans(&storage, &found.needed).await?;
        stdout::line(&format!(
            "Read {}: {} changed, {} gone.",
            text::counted(found.read, "object"),
            found.changed,
            found.gone
        ))?;
        if self.delete_orphans {
            delete_objects(&storage, &orphans).await?;
            let deleted = text::counted(orphans.len() as u64, "object");
            stdout::line(&format!("Deleted {deleted} that nothing needed."))?;
        } else if !orphans.is_empty() {
            let many = text::counted(orphans.len() as u64, "object");
            stdout::line(&format!("{many} that nothing needs ({SCRUB_HINT}):"))?;
            for key in &orphans {
                stdout::line(&format!("  {}", text::escaped(key)))?;
            }
        }
        let detail = serde_json::json!({
            "read": found.read, "changed": found.changed, "gone": found.gone,
            "orphans": orphans.len(), "deleted": self.delete_orphans,
        });
        catalogue.audit(ACTOR, None, "scrub", "storage", &detail.to_string()).await?;
        let is_sound = found.changed + found.gone == 0;
        Ok(if is_sound { Exit::Clean } else { Exit::Findings })
    }
}

/// Compares the files of a data set with what was received.
async fn scrub_files(
    catalogue: &Catalogue,
    storage: &Storage,
    dataset_id: i64,
    is_whole: bool,
    found: &mut Found,
) -> Result<(), Failure> {
    let mut after: Option<String> = None;
    loop {
        let page = catalogue.files(dataset_id, after.as_deref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.path.clone());
        found.needed.extend(page.iter().map(|file| file.object_key.clone()));
        let received = page.into_iter().filter(|file| file.received_at.is_some());
        let sums = futures_util::stream::iter(received).map(async |file| {
            let sum = sum(storage, &file.object_key, file.size_bytes).await;
            (file, sum)
        });
        let mut sums = std::pin::pin!(sums.buffered(AT_ONCE));
        while let Some((file, sum)) = sums.next().await {
            found.read += 1;
            let what = match sum {
                Ok(sum) if file.sha256.as_ref().is_none_or(|received| *received == sum) => continue,
                Ok(_) | Err(Error::Changed { .. }) => {
                    found.changed += 1;
                    "is no longer what was uploaded (its SHA-256 differs)"
                }
                Err(Error::NotFound { .. }) => {
                    found.gone += 1;
                    "is gone"
                }
                Err(error) => return Err(error.into()),
            };
            let path = text::escaped(&file.path);
            let words = format!("the stored copy of {path} {what}: upload the data set again");
            stdout::line(&format!("data set {dataset_id}: {words}"))?;
            if is_whole && let Ok(job) = catalogue.latest_job(dataset_id).await {
                catalogue.log(job.id, LogLevel::Error, &words).await?;
            }
        }
    }
}

/// SHA-256 of an object, read part by part.
async fn sum(storage: &Storage, key: &str, size_bytes: u64) -> Result<String, Error> {
    let mut sum = Sha256::new();
    let actual = storage.stat(key).await?.size_bytes;
    if actual != size_bytes {
        return Err(Error::Changed { place: storage.shown(key) });
    }
    let mut at = 0;
    while at < size_bytes {
        let count = PART.min(size_bytes - at);
        sum.update(storage.read_range(key, at, count, None).await?);
        at += count;
    }
    Ok(hex::encode(sum.finalize()))
}

/// Objects that no row names.
async fn orphans(storage: &Storage, needed: &BTreeSet<String>) -> Result<Vec<String>, Failure> {
    let mut orphans = Vec::new();
    let mut listing = match storage.list().await {
        Ok(listing) => listing,
        Err(Error::NotFound { .. }) => return Ok(orphans),
        Err(error) => return Err(error.into()),
    };
    while let Some(stored) = listing.next().await? {
        if !needed.contains(&stored.key) {
            orphans.push(stored.key);
        }
    }
    orphans.sort();
    Ok(orphans)
}
