//! Pictures that several teams handed in. Only those who run a competition may learn of them.

use luna_core::report::FileEntry;
use luna_core::{Kind, Report};
use sqlx::AssertSqlSafe;

use super::engine::{Row, Tx, Value, places, values};
use super::findings::without_nul;
use super::{Catalogue, Error, Result};

/// Rows a statement.
const BATCH: usize = 500;

/// One picture in the data sets of several teams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedPicture {
    /// What is the same, hexadecimal: the cursor of the next page.
    pub content: String,
    /// True if the files are the same, byte for byte; else their pixels are.
    pub is_same_file: bool,
    /// Where it lies, by team, data set and path.
    pub places: Vec<SharedPlace>,
}

/// Where a shared picture lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedPlace {
    /// The team.
    pub team_id: i64,
    /// Its data set.
    pub dataset_id: i64,
    /// Path inside the data set.
    pub path: String,
}

/// Two teams, and how many pictures they share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TeamPair {
    /// The team with the lower number.
    pub first: i64,
    /// The other.
    pub second: i64,
    /// Pictures that both have.
    pub pictures: u64,
}

/// Data sets that are compared, each with its newest report: those that no later, validated version replaced.
/// `$1` is the name of a task; the empty name stands for all.
const NEWEST: &str = "WITH newest AS (
    SELECT d.team_id, d.id AS dataset_id, MAX(j.id) AS job_id
    FROM datasets d JOIN validation_jobs j ON j.dataset_id = d.id AND j.state = 'completed'
    WHERE ($1 = '' OR d.task_id IN (SELECT id FROM tasks WHERE name = $1))
        AND NOT EXISTS (
            SELECT 1 FROM datasets later
            JOIN validation_jobs done ON done.dataset_id = later.id AND done.state = 'completed'
            WHERE later.lineage = d.lineage AND later.version > d.version)
    GROUP BY d.team_id, d.id)";

impl Catalogue {
    /// Pictures that more than one team has, those after a `content`, at most so many.
    ///
    /// # Errors
    /// If the database fails; [`Error::Invalid`] if `after` is no cursor.
    pub async fn shared_pictures(
        &self,
        task: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<SharedPicture>> {
        let after = hex::decode(after.unwrap_or_default())
            .map_err(|_| Error::Invalid { what: "the cursor is none" })?;
        let sql = format!(
            "{NEWEST}, shared AS (
                SELECT f.content FROM fingerprints f JOIN newest n ON n.job_id = f.job_id
                WHERE f.content > $2
                GROUP BY f.content HAVING COUNT(DISTINCT n.team_id) > 1
                ORDER BY f.content LIMIT $3)
             SELECT f.content, f.file, n.team_id, n.dataset_id, f.path
             FROM shared s JOIN fingerprints f ON f.content = s.content
             JOIN newest n ON n.job_id = f.job_id
             ORDER BY f.content, n.team_id, n.dataset_id, f.path"
        );
        let all = values![task.unwrap_or_default(), &*after, i64::from(limit)];
        gathered(&self.db.rows(AssertSqlSafe(sql), all).await?)
    }

    /// How many pictures each two teams share, where they share any.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn team_pairs(&self, task: Option<&str>) -> Result<Vec<TeamPair>> {
        let sql = format!(
            "{NEWEST}, held AS (
                SELECT DISTINCT n.team_id, f.content
                FROM fingerprints f JOIN newest n ON n.job_id = f.job_id)
             SELECT a.team_id AS first, b.team_id AS second, COUNT(*) AS pictures
             FROM held a JOIN held b ON b.content = a.content AND b.team_id > a.team_id
             GROUP BY a.team_id, b.team_id ORDER BY a.team_id, b.team_id"
        );
        let pair = |row: &Row| {
            let (first, second) = (row.get("first")?, row.get("second")?);
            Ok(TeamPair { first, second, pictures: row.count("pictures")? })
        };
        let all = values![task.unwrap_or_default()];
        self.db.rows(AssertSqlSafe(sql), all).await?.iter().map(pair).collect()
    }
}

fn gathered(rows: &[Row]) -> Result<Vec<SharedPicture>> {
    let mut pictures: Vec<SharedPicture> = Vec::new();
    let mut first_file = Vec::new();
    for row in rows {
        let content = hex::encode(row.get::<Vec<u8>>("content")?);
        let file: Vec<u8> = row.get("file")?;
        let place = SharedPlace {
            team_id: row.get("team_id")?,
            dataset_id: row.get("dataset_id")?,
            path: row.get("path")?,
        };
        if let Some(last) = pictures.last_mut().filter(|last| last.content == content) {
            last.is_same_file &= file == first_file;
            last.places.push(place);
        } else {
            first_file = file;
            pictures.push(SharedPicture { content, is_same_file: true, places: vec![place] });
        }
    }
    Ok(pictures)
}

/// Keeps what the pictures of a report are, and no longer what they were in earlier ones.
pub(super) async fn insert(tx: &mut Tx, job_id: i64, report: &Report) -> Result<()> {
    let sql = "DELETE FROM fingerprints WHERE job_id IN (
                   SELECT id FROM validation_jobs WHERE id <> $1 AND dataset_id = (
                       SELECT dataset_id FROM validation_jobs WHERE id = $1))";
    tx.run(sql, values![job_id]).await?;
    let is_picture =
        |file: &&FileEntry| file.facts.kind == Kind::Image && file.facts.sha256.is_some();
    let pictures: Vec<&FileEntry> = report.files.iter().filter(is_picture).collect();
    for batch in pictures.chunks(BATCH) {
        let mut all: Vec<Value> = Vec::with_capacity(batch.len() * 4);
        for picture in batch {
            let Some(file) = &picture.facts.sha256 else { continue };
            let content = picture.facts.fingerprints.pixels.as_ref().unwrap_or(file);
            let (content, file) = (content.as_bytes().as_slice(), file.as_bytes().as_slice());
            all.extend(values![job_id, without_nul(&picture.path), content, file]);
        }
        // Of names that differ in what a text column cannot hold, one is enough.
        let sql = format!(
            "INSERT INTO fingerprints (job_id, path, content, file) VALUES {}
             ON CONFLICT (job_id, path) DO NOTHING",
            places(batch.len(), 4)
        );
        tx.run(AssertSqlSafe(sql), all).await?;
    }
    Ok(())
}
