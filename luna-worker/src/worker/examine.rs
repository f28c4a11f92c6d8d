//! The second step of a job: records of one part of a data set, kept as they come.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use luna_core::conclude::Entry;
use luna_core::source::{Item, ItemPath};
use luna_core::{Finding, Kind, Severity, Validator};
use tokio::sync::mpsc;

use super::Work;
use super::dataset::Dataset;
use super::shard::Shard;
use super::trouble::{Trouble, patiently};
use crate::catalogue::StoredRecord;
use crate::metrics;

/// Records that are kept in one go, …
const BATCH: usize = 64;
/// … or what there is after this long.
const SOON: Duration = Duration::from_millis(400);
/// Findings of a shard that are told while the job runs.
const NEWS: usize = 200;

/// A file's record on its way to the catalogue.
struct Examined {
    record: StoredRecord,
    news: Vec<Finding>,
    /// `pass` or `fail` for a picture, `None` for anything else.
    verdict: Option<&'static str>,
}

/// What the files of a shard are examined with.
struct Means {
    dataset: Arc<Dataset>,
    validator: Arc<Validator>,
    md5: bool,
}

impl Work<'_> {
    pub(super) async fn examine(&self) -> Result<(), Trouble> {
        let catalogue = &self.shared.catalogue;
        let (job, validator) = self.job().await?;
        let shard: Shard = serde_json::from_str(&self.lease.payload).map_err(|_| {
            Trouble::lasting("a part of the data set is described in unknown words")
        })?;
        let dataset = Dataset::open_shard(self.shared, job.dataset_id, &shard, &validator).await?;
        let dataset = Arc::new(dataset);
        let items = super::blocking({
            let (dataset, shard) = (Arc::clone(&dataset), shard.clone());
            move || dataset.items_of(&shard)
        })
        .await?;
        let left = self.left(job.id, items, &validator).await?;
        let (began, files) = (Instant::now(), left.len());
        let means = Means { dataset, validator, md5: shard.md5() };
        if self.lease.is_careful() {
            self.one_by_one(left, &means).await?;
        } else {
            self.side_by_side(left, &means).await?;
        }
        if self.cancel.is_cancelled() {
            return Err(Trouble::Stopped);
        }
        metrics::SPEED.set(&[], files as f64 / began.elapsed().as_secs_f64().max(1e-3));
        patiently!(catalogue.shard_done(self.lease))?;
        Ok(())
    }

    /// What has no record yet; files that workers died of get theirs here.
    async fn left(
        &self,
        job_id: i64,
        items: Vec<Item>,
        validator: &Validator,
    ) -> Result<Vec<Item>, Trouble> {
        let catalogue = &self.shared.catalogue;
        let (Some(first), Some(last)) = (items.first(), items.last()) else { return Ok(items) };
        let recorded = catalogue.recorded_paths(job_id, &first.path, &last.path).await?;
        let recorded: BTreeSet<ItemPath> = recorded.into_iter().collect();
        let suspects = catalogue.suspects(job_id).await?;
        let deadly: BTreeMap<&ItemPath, u64> = suspects
            .iter()
            .filter(|suspect| suspect.is_set_aside())
            .map(|suspect| (&suspect.path, suspect.deaths))
            .collect();
        let (mut left, mut aside) = (Vec::new(), Vec::new());
        for item in items.into_iter().filter(|item| !recorded.contains(&item.path)) {
            match deadly.get(&item.path) {
                None => left.push(item),
                Some(deaths) => {
                    tracing::warn!(deaths, "a file that workers died of is set aside");
                    aside.push(examined(&validator.set_aside(item, *deaths))?);
                }
            }
        }
        self.keep_records(aside).await?;
        Ok(left)
    }

    /// Each file in hand, durably, before it is read: if this process dies, it is known of what.
    async fn one_by_one(&self, items: Vec<Item>, means: &Means) -> Result<(), Trouble> {
        let catalogue = &self.shared.catalogue;
        for item in items {
            if self.cancel.is_cancelled() {
                return Ok(());
            }
            patiently!(catalogue.take_in_hand(self.lease, &item.path))?;
            self.side_by_side(vec![item], means).await?;
        }
        Ok(())
    }

    /// On all threads; records are kept while the next are made.
    async fn side_by_side(&self, items: Vec<Item>, means: &Means) -> Result<(), Trouble> {
        let Means { dataset, validator, md5 } = means;
        let (out, mut records) = mpsc::channel::<Result<Examined, Trouble>>(2 * BATCH);
        let run = tokio::task::spawn_blocking({
            let (dataset, validator) = (Arc::clone(dataset), Arc::clone(validator));
            let (md5, cancel) = (*md5, self.cancel.clone());
            move || {
                let examined =
                    validator.examine_items(dataset.source(), &items, md5, &cancel, &|entry| {
                        let record = dataset.is_as_received(&entry).and_then(|()| examined(&entry));
                        // Who is gone has given the shard up.
                        if record.is_err() | out.blocking_send(record).is_err() {
                            cancel.cancel();
                        }
                    });
                examined.map_err(Trouble::from)
            }
        });
        let kept = self.keep_as_they_come(&mut records, dataset).await;
        if kept.is_err() {
            self.cancel.cancel();
        }
        records.close();
        while records.recv().await.is_some() {}
        let run = run.await.map_err(|_| Trouble::lasting("the engine stopped with a panic"))?;
        kept?;
        run?;
        dataset.is_sound()
    }

    async fn keep_as_they_come(
        &self,
        records: &mut mpsc::Receiver<Result<Examined, Trouble>>,
        dataset: &Dataset,
    ) -> Result<(), Trouble> {
        let mut told = 0;
        let mut open = true;
        while open {
            let mut batch = Vec::with_capacity(BATCH);
            let deadline = tokio::time::Instant::now() + SOON;
            while open && batch.len() < BATCH {
                match tokio::time::timeout_at(deadline, records.recv()).await {
                    Ok(Some(record)) => batch.push(record?),
                    Ok(None) => open = false,
                    Err(_) => break,
                }
            }
            // A file that could not be read because the storage is away has no record.
            dataset.is_sound()?;
            for record in &mut batch {
                record.news.truncate(NEWS.saturating_sub(told));
                told += record.news.len();
            }
            self.keep_records(batch).await?;
        }
        Ok(())
    }

    async fn keep_records(&self, batch: Vec<Examined>) -> Result<(), Trouble> {
        if batch.is_empty() {
            return Ok(());
        }
        let (mut records, mut news) = (Vec::with_capacity(batch.len()), Vec::new());
        let mut verdicts = Vec::new();
        for mut examined in batch {
            records.push(examined.record);
            news.append(&mut examined.news);
            verdicts.extend(examined.verdict);
        }
        let catalogue = &self.shared.catalogue;
        patiently!(catalogue.store_records(self.lease, &records, &news))?;
        for verdict in verdicts {
            metrics::IMAGES.add(&[verdict], 1);
        }
        Ok(())
    }
}

fn examined(entry: &Entry) -> Result<Examined, Trouble> {
    let path = entry.item.path.as_str();
    let weighty = |finding: &&Finding| finding.severity != Severity::Info;
    let news = entry.record.findings.iter().filter(weighty).map(|finding| {
        let mut finding = finding.clone();
        finding.place(Some(path));
        finding
    });
    let findings = &entry.record.findings;
    let is_bad = findings.iter().any(|finding| finding.severity == Severity::Error);
    let is_picture = entry.record.facts.kind == Kind::Image;
    Ok(Examined {
        record: StoredRecord::pack(entry)?,
        news: news.collect(),
        verdict: is_picture.then_some(if is_bad { "fail" } else { "pass" }),
    })
}
