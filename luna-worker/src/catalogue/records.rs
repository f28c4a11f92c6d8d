//! Records of a job, kept as they come, so that a job that is taken over goes on; and the files that
//! workers died over.

use std::borrow::Cow;
use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use luna_core::conclude::Entry;
use luna_core::source::{Defect, Item, ItemKind, ItemPath};
use luna_core::{Finding, Record};
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;

use super::engine::{Signal, Tx, Value, places, values};
use super::people::one;
use super::validation::held;
use super::{Catalogue, Error, Result};
use crate::events::{self, EventKind, Progress};
use crate::queue::{self, Lease};

/// Rows a statement.
const BATCH: usize = 200;
/// Rows that are held at once when records are read back.
const PAGE: i64 = 500;
/// No record is larger, written out; more than this is damage.
const RECORD_BYTES: u64 = 64 << 20;
/// First byte of a body: JSON, deflated.
const DEFLATED_JSON: u8 = 1;
/// After so many deaths a file is set aside.
const DEATHS: i64 = 3;

/// A record ready to be kept: path and packed body. Packing takes CPU time; do it where the pictures are
/// examined, not in the async runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    path: Vec<u8>,
    body: Vec<u8>,
}

impl StoredRecord {
    /// Packs an entry: the record, and what the source said of the name.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it cannot be written as JSON.
    pub fn pack(entry: &Entry) -> Result<Self> {
        let Entry { item: Item { path, kind, size_bytes, defects }, record } = entry;
        let body = Body {
            kind: *kind,
            size_bytes: *size_bytes,
            defects: Cow::Borrowed(defects),
            record: Cow::Borrowed(record),
        };
        let unfit = || Error::Invalid { what: "a record cannot be written" };
        let json = serde_json::to_vec(&body).map_err(|_| unfit())?;
        let mut out = DeflateEncoder::new(vec![DEFLATED_JSON], Compression::fast());
        out.write_all(&json).map_err(|_| unfit())?;
        let body = out.finish().map_err(|_| unfit())?;
        Ok(Self { path: path.as_bytes().to_vec(), body })
    }

    /// The path.
    pub fn path(&self) -> ItemPath {
        ItemPath::from_bytes(self.path.clone())
    }

    /// Unpacks the entry.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if it is not as it was packed.
    pub fn unpack(&self) -> Result<Entry> {
        let damaged = || Error::corrupt("a record is not as it was written");
        let Some((&DEFLATED_JSON, deflated)) = self.body.split_first() else {
            return Err(damaged());
        };
        let mut json = Vec::new();
        let mut bounded = DeflateDecoder::new(deflated).take(RECORD_BYTES);
        bounded.read_to_end(&mut json).map_err(|_| damaged())?;
        let body: Body<'_> = serde_json::from_slice(&json).map_err(|_| damaged())?;
        let Body { kind, size_bytes, defects, record } = body;
        let item = Item { path: self.path(), kind, size_bytes, defects: defects.into_owned() };
        Ok(Entry { item, record: Box::new(record.into_owned()) })
    }
}

/// What a body holds.
#[derive(Serialize, Deserialize)]
struct Body<'a> {
    kind: ItemKind,
    size_bytes: u64,
    defects: Cow<'a, [Defect]>,
    record: Cow<'a, Record>,
}

/// A file that a worker died over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// The file.
    pub path: ItemPath,
    /// How many workers died with it in hand.
    pub deaths: u64,
}

impl Suspect {
    /// True if it is not to be touched again: its record says that it kills.
    pub fn is_set_aside(&self) -> bool {
        self.deaths >= DEATHS as u64
    }
}

/// Records of a job, a page at a time, in byte order of their paths. No transaction is held between pages.
#[derive(Debug)]
pub struct RecordPages<'a> {
    catalogue: &'a Catalogue,
    job_id: i64,
    /// Last path of the page before; `None` before the first.
    after: Option<Vec<u8>>,
}

impl RecordPages<'_> {
    /// The next page; empty at the end.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn next(&mut self) -> Result<Vec<StoredRecord>> {
        let db = &self.catalogue.db;
        let rows = match &self.after {
            None => {
                let sql = "SELECT path, body FROM records WHERE job_id = $1 ORDER BY path LIMIT $2";
                db.rows(sql, values![self.job_id, PAGE]).await?
            }
            Some(after) => {
                let sql = "SELECT path, body FROM records WHERE job_id = $1 AND path > $2
                           ORDER BY path LIMIT $3";
                db.rows(sql, values![self.job_id, after.clone(), PAGE]).await?
            }
        };
        let record = |row: &super::engine::Row| {
            Ok(StoredRecord { path: row.get("path")?, body: row.get("body")? })
        };
        let page = rows.iter().map(record).collect::<Result<Vec<_>>>()?;
        if let Some(last) = page.last() {
            self.after = Some(last.path.clone());
        }
        Ok(page)
    }
}

impl Catalogue {
    /// Keeps records of an item's job, and tells followers. What is there already stays as it is.
    ///
    /// `news` are findings worth showing while the job runs, with their paths. The lease's suspect is
    /// cleared: with its record, a file is no longer in hand.
    ///
    /// # Errors
    /// [`Error::LeaseLost`]; nothing is kept then.
    pub async fn store_records(
        &self,
        lease: &Lease,
        records: &[StoredRecord],
        news: &[Finding],
    ) -> Result<Progress> {
        let mut tx = self.db.begin().await?;
        let job_id = held(&mut tx, lease).await?.id;
        let mut added = 0;
        for batch in records.chunks(BATCH) {
            added += insert(&mut tx, job_id, batch).await?;
        }
        queue::out_of_hand(&mut tx, lease, added > 0).await?;
        let sql = "UPDATE validation_jobs SET files_done = files_done + $2 WHERE id = $1
                   RETURNING files_done, files_total";
        let row = tx.first(sql, values![job_id, added]).await?;
        let progress = one("job", row, |row| {
            Ok(Progress { done: row.count("files_done")?, total: row.count("files_total")? })
        })?;
        let mut told = Vec::with_capacity(news.len() + 1);
        // A call that is made again, since nobody heard the answer to the first, tells nothing twice.
        for finding in news.iter().filter(|_| added > 0) {
            let body = serde_json::to_string(finding)
                .map_err(|_| Error::Invalid { what: "a finding cannot be written as JSON" })?;
            told.push((EventKind::Finding, body));
        }
        if added > 0 {
            told.push((EventKind::Progress, progress.to_json()));
        }
        events::append(&mut tx, job_id, &told).await?;
        tx.signal(Signal::Job(job_id));
        tx.commit().await?;
        Ok(progress)
    }

    /// All records of a job.
    pub fn records_of(&self, job_id: i64) -> RecordPages<'_> {
        RecordPages { catalogue: self, job_id, after: None }
    }

    /// Paths from `first` to `last`, both included, that have a record already.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn recorded_paths(
        &self,
        job_id: i64,
        first: &ItemPath,
        last: &ItemPath,
    ) -> Result<Vec<ItemPath>> {
        let sql = "SELECT path FROM records WHERE job_id = $1 AND path >= $2 AND path <= $3
                   ORDER BY path";
        let rows = self.db.rows(sql, values![job_id, first.as_bytes(), last.as_bytes()]).await?;
        rows.iter().map(|row| Ok(ItemPath::from_bytes(row.get("path")?))).collect()
    }

    /// Notes, durably, which file a careful worker takes in hand now. If it dies, that file is blamed.
    ///
    /// # Errors
    /// [`Error::LeaseLost`].
    pub async fn take_in_hand(&self, lease: &Lease, path: &ItemPath) -> Result<()> {
        let mut tx = self.db.begin().await?;
        queue::suspect(&mut tx, lease, path.as_bytes()).await?;
        tx.commit().await
    }

    /// Files of a job that workers died over, in byte order of their paths.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn suspects(&self, job_id: i64) -> Result<Vec<Suspect>> {
        let sql = "SELECT path, deaths FROM suspects WHERE job_id = $1 ORDER BY path";
        let suspect = |row: &super::engine::Row| {
            let path = ItemPath::from_bytes(row.get("path")?);
            Ok(Suspect { path, deaths: row.count("deaths")? })
        };
        self.db.rows(sql, values![job_id]).await?.iter().map(suspect).collect()
    }
}

async fn insert(tx: &mut Tx, job_id: i64, records: &[StoredRecord]) -> Result<u64> {
    let mut all: Vec<Value> = Vec::with_capacity(records.len() * 3);
    for record in records {
        all.extend(values![job_id, &*record.path, &*record.body]);
    }
    let sql = format!(
        "INSERT INTO records (job_id, path, body) VALUES {}
         ON CONFLICT (job_id, path) DO NOTHING",
        places(records.len(), 3)
    );
    tx.run(AssertSqlSafe(sql), all).await
}
