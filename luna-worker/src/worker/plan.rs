//! The first step of a job: what is there, and who examines which part of it.

use luna_core::source::Item;
use luna_core::table::Tables;

use super::Work;
use super::dataset::Dataset;
use super::shard::{Shard, cut};
use super::trouble::{Trouble, patiently};
use crate::catalogue::Shard as QueuedShard;

impl Work<'_> {
    pub(super) async fn plan(&self) -> Result<(), Trouble> {
        let catalogue = &self.shared.catalogue;
        let job = patiently!(catalogue.begin_job(self.lease))?;
        let validator = self.shared.profiles.validator(catalogue, job.profile_id).await?;
        let dataset = Dataset::open(self.shared, job.dataset_id, &validator).await?;
        let (dataset, items, md5) = super::blocking(move || {
            let items = dataset.items()?;
            let tables = Tables::of(dataset.source(), &items, None, validator.settings());
            Ok((dataset, items, tables.want_md5()))
        })
        .await?;
        dataset.is_sound()?;
        let shards = shards(&dataset, &items, md5)?;
        let files = items.len() as u64;
        tracing::info!(files, shards = shards.len(), "planned");
        patiently!(catalogue.plan_done(self.lease, files, &shards))?;
        Ok(())
    }
}

fn shards(dataset: &Dataset, items: &[Item], md5: bool) -> Result<Vec<QueuedShard>, Trouble> {
    let parts = if dataset.is_stream() {
        vec![(0, items.len())]
    } else {
        cut(items.iter().map(|item| item.size_bytes))
    };
    let path = |at: usize| items.get(at).map(|item| item.path.as_str().to_owned());
    let shard = |(begin, end): (usize, usize)| {
        let shard = if dataset.is_archive() {
            Shard::Members { begin, end, md5 }
        } else {
            let after = begin.checked_sub(1).and_then(path);
            let last = path(end.saturating_sub(1)).unwrap_or_default();
            Shard::Files { after, last, md5 }
        };
        serde_json::to_string(&shard)
            .map(|payload| QueuedShard { payload })
            .map_err(|_| Trouble::lasting("a part of the data set cannot be queued"))
    };
    parts.into_iter().filter(|(begin, end)| end > begin).map(shard).collect()
}
