//! What ended validations leave that nobody reads any more. Records are three quarters of a catalogue, and only
//! the worker that concludes a job reads them.

use super::engine::values;
use super::{Catalogue, Result};

/// Rows that one transaction removes: on SQLite it holds up everybody who writes.
const BATCH: i64 = 5_000;

/// Jobs whose records nobody will read: they ended, and cannot be taken up again; or they failed, and a later
/// validation of the same data set succeeded.
const SPENT_RECORDS: &str = "SELECT id FROM validation_jobs j
    WHERE (state IN ('completed', 'cancelled')
        OR (state = 'failed' AND EXISTS (
            SELECT 1 FROM validation_jobs later WHERE later.dataset_id = j.dataset_id
                AND later.id > j.id AND later.state = 'completed')))
        AND EXISTS (SELECT 1 FROM records r WHERE r.job_id = j.id)
    ORDER BY id";
/// Jobs whose findings nobody will ask for: the pages show those of the newest job that succeeded.
const SPENT_FINDINGS: &str = "SELECT id FROM validation_jobs j
    WHERE EXISTS (
            SELECT 1 FROM validation_jobs later WHERE later.dataset_id = j.dataset_id
                AND later.id > j.id AND later.state = 'completed')
        AND EXISTS (SELECT 1 FROM findings f WHERE f.job_id = j.id)
    ORDER BY id";

/// Rows that were removed since nobody reads them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Records of jobs that ended.
    pub records: u64,
    /// Findings of jobs that a later one replaced.
    pub findings: u64,
}

impl Catalogue {
    /// Removes the records of jobs that ended, and the findings of those that a later one replaced, some
    /// thousand rows at a time. Reports stay, as do the records of a failed job: it may be tried again.
    ///
    /// # Errors
    /// If the database fails. What was removed until then stays so.
    pub async fn remove_spent(&self) -> Result<Spent> {
        self.remove_spent_by(BATCH).await
    }

    pub(super) async fn remove_spent_by(&self, batch: i64) -> Result<Spent> {
        let mut spent = Spent::default();
        for row in self.db.rows(SPENT_RECORDS, Vec::new()).await? {
            spent.records += self.remove_records(row.get("id")?, batch).await?;
        }
        for row in self.db.rows(SPENT_FINDINGS, Vec::new()).await? {
            spent.findings += self.remove_findings(row.get("id")?, batch).await?;
        }
        Ok(spent)
    }

    async fn remove_records(&self, job_id: i64, batch: i64) -> Result<u64> {
        let (mut removed, mut after) = (0, Vec::new());
        loop {
            // On from where the one before ended: what was removed there is still in the way for a while.
            let sql = "SELECT path FROM records WHERE job_id = $1 AND path >= $2
                       ORDER BY path LIMIT 1 OFFSET $3";
            let Some(row) = self.db.first(sql, values![job_id, after.clone(), batch]).await? else {
                let sql = "DELETE FROM records WHERE job_id = $1 AND path >= $2";
                return Ok(removed + self.db.run(sql, values![job_id, after]).await?);
            };
            let end: Vec<u8> = row.get("path")?;
            let sql = "DELETE FROM records WHERE job_id = $1 AND path >= $2 AND path < $3";
            removed += self.db.run(sql, values![job_id, after, end.clone()]).await?;
            after = end;
        }
    }

    async fn remove_findings(&self, job_id: i64, batch: i64) -> Result<u64> {
        let sql = "SELECT MAX(position) AS last FROM findings WHERE job_id = $1";
        let row = self.db.first(sql, values![job_id]).await?;
        let last: Option<i64> = row.map_or(Ok(None), |row| row.get("last"))?;
        let (mut removed, mut from) = (0, 0);
        while last.is_some_and(|last| from <= last) {
            let sql = "DELETE FROM findings WHERE job_id = $1 AND position >= $2 AND position < $3";
            removed += self.db.run(sql, values![job_id, from, from + batch]).await?;
            from += batch;
        }
        Ok(removed)
    }
}
