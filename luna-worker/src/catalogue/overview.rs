//! What lists show of many data sets at once: one question for all of them, not one each.

use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;

use super::datasets::{DATASET, dataset};
use super::engine::{Value, places};
use super::tasks::joined;
use super::validation::{JOB, job};
use super::{Catalogue, Dataset, Result, ValidationJob};

/// Data sets a statement.
const BATCH: usize = 500;

/// How much of a data set is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrivals {
    /// Files that were announced.
    pub announced: u64,
    /// Files of these that arrived in full.
    pub received: u64,
}

impl Catalogue {
    /// The newest job of each of these data sets that has one, by the data set's number.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn latest_jobs(&self, dataset_ids: &[i64]) -> Result<BTreeMap<i64, ValidationJob>> {
        let mut jobs = BTreeMap::new();
        for batch in dataset_ids.chunks(BATCH) {
            let sql = format!(
                "{JOB} WHERE id IN (SELECT MAX(id) FROM validation_jobs WHERE dataset_id IN {}
                 GROUP BY dataset_id)",
                places(1, batch.len())
            );
            let ids = batch.iter().map(|id| Value::from(*id)).collect();
            for row in self.db.rows(AssertSqlSafe(sql), ids).await? {
                let job = job(&row)?;
                jobs.insert(job.dataset_id, job);
            }
        }
        Ok(jobs)
    }

    /// How much of a data set is there; nothing of one that is not.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn arrivals(&self, dataset_id: i64) -> Result<Arrivals> {
        let (announced, received) = self.count_files(dataset_id).await?;
        Ok(Arrivals { announced, received })
    }

    /// The newest data set of every team that has one, in order of the teams' numbers.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn newest_datasets(&self) -> Result<Vec<Dataset>> {
        let newest = "WHERE id IN (SELECT MAX(id) FROM datasets GROUP BY team_id) ORDER BY team_id";
        self.db.rows(joined(DATASET, newest), Vec::new()).await?.iter().map(dataset).collect()
    }
}
