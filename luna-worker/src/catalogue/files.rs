//! Files of a data set: what was announced, and what of it arrived.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sqlx::AssertSqlSafe;

use super::datasets::{lock_dataset, lock_uploading};
use super::engine::{Row, Tx, Value, places, values};
use super::people::one;
use super::tasks::joined;
use super::time::micros;
use super::usage::{self, Change};
use super::{Catalogue, Error, Moment, Result, cleanup};

/// Rows a statement: well below SQLite's 32,766 values.
const BATCH: usize = 500;

/// So often at most it is noted that a file of a data set goes on.
const SELDOM: Duration = Duration::from_hours(1);

/// A file as it was announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// Path inside the data set: data, never a path of a machine.
    pub path: String,
    /// Where its bytes will lie, made by the service.
    pub object_key: String,
    /// Media type.
    pub content_type: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256, hexadecimal, if the team gave it.
    pub sha256: Option<String>,
}

/// A file of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its number.
    pub id: i64,
    /// The data set.
    pub dataset_id: i64,
    /// Path inside the data set.
    pub path: String,
    /// Where its bytes lie, or will.
    pub object_key: String,
    /// Media type.
    pub content_type: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256, hexadecimal: as announced, and once it arrived, as computed.
    pub sha256: Option<String>,
    /// Bytes that are there already.
    pub received_bytes: u64,
    /// When it was there in full.
    pub received_at: Option<Moment>,
    /// The storage's name for its parts, if it is sent in parts.
    pub multipart_id: Option<String>,
}

/// What was found of files that went past us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrived {
    /// Files that had not been noted before.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects of another size than announced; they must go.
    pub unfit: Vec<String>,
}

const FILE: &str = "SELECT id, dataset_id, path, object_key, content_type, size_bytes, sha256,
    received_bytes, received_at, multipart_id FROM files";

impl Catalogue {
    /// Announces files, at most 1,000 a call are sensible. They come back in the order given, and after
    /// them the keys of objects that nothing needs any more.
    ///
    /// A file that is announced again as it was stays as it is, with its first key: one that arrived, or
    /// was taken over from an earlier version under the same SHA-256, need not be sent. No two files are
    /// announced with one key.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the data set is complete, [`Error::Invalid`] if a path is named twice.
    pub async fn add_files(
        &self,
        dataset_id: i64,
        files: &[NewFile],
    ) -> Result<(Vec<File>, Vec<String>)> {
        let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
        if paths.len() < files.len() {
            return Err(Error::Invalid { what: "a path is named twice" });
        }
        let mut tx = self.db.begin().await?;
        let team = lock_uploading(&mut tx, dataset_id).await?.team_id;
        let held = by_path(&mut tx, dataset_id, files).await?;
        let stays = |new: &&NewFile| held.get(&new.path).is_some_and(|old| is_same(old, new));
        let fresh: Vec<&NewFile> = files.iter().filter(|new| !stays(new)).collect();
        for batch in fresh.chunks(BATCH) {
            upsert(&mut tx, dataset_id, batch).await?;
        }
        let now = by_path(&mut tx, dataset_id, files).await?;
        touch(&mut tx, dataset_id).await?;
        let replaced: BTreeMap<&str, u64> = fresh
            .iter()
            .filter_map(|new| held.get(&new.path))
            .map(|old| (old.object_key.as_str(), old.size_bytes))
            .collect();
        let keys = replaced.keys().map(|key| (*key).to_owned()).collect();
        let orphans = cleanup::unreferenced(&mut tx, keys).await?;
        let mut change = Change::default();
        for new in &fresh {
            change.came(new.size_bytes);
        }
        for bytes in orphans.iter().filter_map(|key| replaced.get(key.as_str())) {
            change.went(*bytes);
        }
        usage::note(&mut tx, &BTreeMap::from([(team, change)])).await?;
        tx.commit().await?;
        let missing = || Error::corrupt("a file that was just added is not there");
        let found = |file: &NewFile| now.get(&file.path).cloned().ok_or_else(missing);
        Ok((files.iter().map(found).collect::<Result<_>>()?, orphans))
    }

    /// One file of a data set.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn file(&self, dataset_id: i64, id: i64) -> Result<File> {
        let sql = joined(FILE, "WHERE dataset_id = $1 AND id = $2");
        one("file", self.db.first(sql, values![dataset_id, id]).await?, file)
    }

    /// Those of these paths that are files of a data set, and arrived.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn files_at(&self, dataset_id: i64, paths: &[&str]) -> Result<Vec<File>> {
        let mut found = Vec::new();
        for batch in paths.chunks(BATCH) {
            let sql = format!(
                "{FILE} WHERE path IN {} AND dataset_id = ${} AND received_at IS NOT NULL",
                places(1, batch.len()),
                batch.len() + 1
            );
            let mut all: Vec<Value> = batch.iter().map(|path| Value::from(*path)).collect();
            all.push(Value::from(dataset_id));
            let rows = self.db.rows(AssertSqlSafe(sql), all).await?;
            for row in &rows {
                found.push(file(row)?);
            }
        }
        Ok(found)
    }

    /// Files of a data set in byte order of their paths, those after a path.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn files(
        &self,
        dataset_id: i64,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<File>> {
        self.files_under(dataset_id, "", after, limit).await
    }

    /// The same, of files whose path begins so.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn files_under(
        &self,
        dataset_id: i64,
        beginning: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<File>> {
        let sql = joined(
            FILE,
            "WHERE dataset_id = $1 AND path > $2 AND path >= $3 AND path < $4 ORDER BY path LIMIT $5",
        );
        // In byte order nothing that begins so comes after this.
        let end = format!("{beginning}{}", char::MAX);
        let after = after.unwrap_or_default();
        let values = values![dataset_id, after, beginning, end, i64::from(limit)];
        self.db.rows(sql, values).await?.iter().map(file).collect()
    }

    /// Files that were announced and are not there in full, in byte order of their paths.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn missing_files(
        &self,
        dataset_id: i64,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<File>> {
        let rest = "WHERE dataset_id = $1 AND path > $2 AND received_at IS NULL
                    ORDER BY path LIMIT $3";
        let values = values![dataset_id, after.unwrap_or_default(), i64::from(limit)];
        self.db.rows(joined(FILE, rest), values).await?.iter().map(file).collect()
    }

    /// Files of a data set that were announced, and those of them that arrived.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn count_files(&self, dataset_id: i64) -> Result<(u64, u64)> {
        // Each of the two is in an index.
        let sql = "SELECT COUNT(*) AS files,
                       (SELECT COUNT(*) FROM files WHERE dataset_id = $1 AND received_at IS NULL) AS missing
                   FROM files WHERE dataset_id = $1";
        one("data set", self.db.first(sql, values![dataset_id]).await?, |row| {
            let files = row.count("files")?;
            Ok((files, files.saturating_sub(row.count("missing")?)))
        })
    }

    /// Notes the storage's name for the parts of a file, in place of the one that the file came with. Of two at
    /// once the first holds; it comes back.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the file is to be sent elsewhere by now.
    pub async fn begin_parts(&self, file: &File, multipart_id: &str) -> Result<String> {
        let sql = "UPDATE files SET multipart_id =
                       CASE WHEN multipart_id IS NULL OR multipart_id = $4 THEN $3 ELSE multipart_id END
                   WHERE id = $1 AND object_key = $2 RETURNING multipart_id";
        let mut tx = self.db.begin().await?;
        let earlier = file.multipart_id.as_deref();
        let row = tx.first(sql, values![file.id, &*file.object_key, multipart_id, earlier]).await?;
        let id = one("file", row, |row| row.get("multipart_id"))?;
        tx.commit().await?;
        Ok(id)
    }

    /// Notes that so many bytes more of a file are durable. Of two writers who go on from the same offset,
    /// one is refused.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the file is not at that offset, or is to be sent elsewhere by now.
    pub async fn advance_file(
        &self,
        file_id: i64,
        object_key: &str,
        from: u64,
        to: u64,
    ) -> Result<()> {
        let mut tx = self.db.begin().await?;
        // A large file may take days: its data set is not given up meanwhile. Before the file is locked.
        let sql = "UPDATE datasets SET touched_at = (SELECT now FROM clock)
                   WHERE id = (SELECT dataset_id FROM files WHERE id = $1)
                     AND touched_at < (SELECT now FROM clock) - $2";
        tx.run(sql, values![file_id, micros(SELDOM)]).await?;
        let sql = "UPDATE files SET received_bytes = $4
                   WHERE id = $1 AND object_key = $2 AND received_bytes = $3
                     AND received_at IS NULL AND $4 <= size_bytes";
        match tx.run(sql, values![file_id, object_key, from, to]).await? {
            0 => Err(Error::Conflict { what: "the file goes on at another offset" }),
            _ => tx.commit().await,
        }
    }

    /// Notes that a file is there in full, durable, with this size and SHA-256 as computed; `None` for one
    /// that went past us to the storage, which has compared it. Saying so again changes nothing.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it is not what was announced, was announced anew meanwhile, or the data set
    /// is complete; then the object must go. [`Error::NotFound`] if there is no such file.
    pub async fn mark_received(
        &self,
        dataset_id: i64,
        file_id: i64,
        object_key: &str,
        size_bytes: u64,
        sha256: Option<&str>,
    ) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let dataset = lock_dataset(&mut tx, dataset_id).await?;
        let sql = joined(FILE, "WHERE dataset_id = $1 AND id = $2");
        let file = one("file", tx.first(sql, values![dataset_id, file_id]).await?, file)?;
        let as_announced = file.object_key == object_key
            && file.size_bytes == size_bytes
            && (sha256.is_none() || file.sha256.is_none() || file.sha256.as_deref() == sha256);
        if !as_announced {
            return Err(Error::Conflict { what: "what arrived is not what was announced" });
        }
        if file.received_at.is_some() {
            return Ok(());
        }
        if dataset.state == super::DatasetState::Complete {
            return Err(Error::Conflict { what: "the data set is complete" });
        }
        let sql = "UPDATE files SET received_bytes = size_bytes, sha256 = COALESCE($2, sha256),
                       received_at = (SELECT now FROM clock)
                   WHERE id = $1";
        tx.run(sql, values![file_id, sha256]).await?;
        touch(&mut tx, dataset_id).await?;
        tx.commit().await
    }

    /// Notes that files went past us to the storage, by keys and sizes of its objects, in one step for all of
    /// them. Others that no file waits for are passed over.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such data set.
    pub async fn mark_found(&self, dataset_id: i64, objects: &[(String, u64)]) -> Result<Arrived> {
        let mut arrived = Arrived::default();
        for batch in objects.chunks(BATCH) {
            let mut tx = self.db.begin().await?;
            if lock_dataset(&mut tx, dataset_id).await?.state == super::DatasetState::Complete {
                return Ok(arrived);
            }
            let rest = format!(
                "{} WHERE object_key IN {} AND dataset_id = ${} AND received_at IS NULL",
                self.db.by_index("files_by_object"),
                places(1, batch.len()),
                batch.len() + 1
            );
            let keys = batch.iter().map(|(key, _)| Value::from(key.as_str()));
            let values = keys.chain([Value::from(dataset_id)]).collect();
            let rows = tx.rows(AssertSqlSafe(format!("{FILE}{rest}")), values).await?;
            let waiting = rows.iter().map(file).collect::<Result<Vec<_>>>()?;
            let sizes: BTreeMap<&str, u64> =
                batch.iter().map(|(key, size)| (key.as_str(), *size)).collect();
            let (fit, other): (Vec<File>, Vec<File>) = waiting
                .into_iter()
                .partition(|it| sizes.get(it.object_key.as_str()) == Some(&it.size_bytes));
            arrived.unfit.extend(other.into_iter().map(|it| it.object_key));
            if fit.is_empty() {
                continue;
            }
            let sql = format!(
                "UPDATE files SET received_bytes = size_bytes,
                     received_at = (SELECT now FROM clock) WHERE id IN {}",
                places(1, fit.len())
            );
            tx.run(AssertSqlSafe(sql), fit.iter().map(|it| Value::from(it.id)).collect()).await?;
            touch(&mut tx, dataset_id).await?;
            tx.commit().await?;
            arrived.files += fit.len() as u64;
            arrived.bytes += fit.iter().map(|it| it.size_bytes).sum::<u64>();
        }
        Ok(arrived)
    }
}

/// True if nothing need be sent anew: it was announced just so, and either has not arrived or is known
/// by its SHA-256.
fn is_same(old: &File, new: &NewFile) -> bool {
    let sure = old.received_at.is_none() || new.sha256.is_some();
    sure && old.size_bytes == new.size_bytes
        && old.sha256 == new.sha256
        && old.content_type == new.content_type
}

async fn upsert(tx: &mut Tx, dataset_id: i64, files: &[&NewFile]) -> Result<()> {
    let mut all = Vec::with_capacity(files.len() * 6);
    for file in files {
        all.extend(values![
            dataset_id,
            &*file.path,
            &*file.object_key,
            &*file.content_type,
            file.size_bytes,
            file.sha256.as_deref(),
        ]);
    }
    let sql = format!(
        "INSERT INTO files (dataset_id, path, object_key, content_type, size_bytes, sha256)
         VALUES {}
         ON CONFLICT (dataset_id, path) DO UPDATE SET object_key = excluded.object_key,
             content_type = excluded.content_type, size_bytes = excluded.size_bytes,
             sha256 = excluded.sha256, received_bytes = 0, received_at = NULL,
             multipart_id = NULL",
        places(files.len(), 6),
    );
    tx.run(AssertSqlSafe(sql), all).await?;
    Ok(())
}

async fn by_path(
    tx: &mut Tx,
    dataset_id: i64,
    files: &[NewFile],
) -> Result<BTreeMap<String, File>> {
    let mut found = BTreeMap::new();
    for batch in files.chunks(BATCH) {
        let list = places(1, batch.len());
        let sql = format!("{FILE} WHERE path IN {list} AND dataset_id = ${}", batch.len() + 1);
        let mut all: Vec<Value> = batch.iter().map(|file| Value::from(&*file.path)).collect();
        all.extend(values![dataset_id]);
        for row in tx.rows(AssertSqlSafe(sql), all).await? {
            let file = file(&row)?;
            found.insert(file.path.clone(), file);
        }
    }
    Ok(found)
}

/// Gives a new version what arrived for an earlier one.
pub(super) async fn carry_over(
    tx: &mut Tx,
    earlier: i64,
    new: i64,
    remove: &[String],
) -> Result<()> {
    let sql = "INSERT INTO files (dataset_id, path, object_key, content_type, size_bytes, sha256,
                   received_bytes, received_at)
               SELECT $2, path, object_key, content_type, size_bytes, sha256, received_bytes,
                   received_at
               FROM files WHERE dataset_id = $1 AND received_at IS NOT NULL ORDER BY path";
    tx.run(sql, values![earlier, new]).await?;
    for batch in remove.chunks(BATCH) {
        let list = places(1, batch.len());
        let sql =
            format!("DELETE FROM files WHERE path IN {list} AND dataset_id = ${}", batch.len() + 1);
        let mut all: Vec<Value> = batch.iter().map(|path| Value::from(&**path)).collect();
        all.extend(values![new]);
        tx.run(AssertSqlSafe(sql), all).await?;
    }
    Ok(())
}

async fn touch(tx: &mut Tx, dataset_id: i64) -> Result<()> {
    let sql = "UPDATE datasets SET touched_at = (SELECT now FROM clock) WHERE id = $1";
    tx.run(sql, values![dataset_id]).await?;
    Ok(())
}

fn file(row: &Row) -> Result<File> {
    Ok(File {
        id: row.get("id")?,
        dataset_id: row.get("dataset_id")?,
        path: row.get("path")?,
        object_key: row.get("object_key")?,
        content_type: row.get("content_type")?,
        size_bytes: row.count("size_bytes")?,
        sha256: row.get("sha256")?,
        received_bytes: row.count("received_bytes")?,
        received_at: row.maybe_moment("received_at")?,
        multipart_id: row.get("multipart_id")?,
    })
}
