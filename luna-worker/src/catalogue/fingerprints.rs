//! Pictures that several teams handed in. Only those who run a competition may learn of them.

use std::collections::BTreeMap;

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
/// `$1` is the name of a task; the empty name stands for all. The cast gives the column a type, without which SQLite
/// makes no index of it.
const NEWEST: &str = "WITH newest AS (
    SELECT d.team_id, d.id AS dataset_id, CAST(MAX(j.id) AS BIGINT) AS job_id
    FROM datasets d JOIN validation_jobs j ON j.dataset_id = d.id AND j.state = 'completed'
    WHERE ($1 = '' OR d.task_id IN (SELECT id FROM tasks WHERE name = $1))
        AND NOT EXISTS (
            SELECT 1 FROM datasets later
            JOIN validation_jobs done ON done.dataset_id = later.id AND done.state = 'completed'
            WHERE later.lineage = d.lineage AND later.version > d.version)
    GROUP BY d.team_id, d.id)";

/// Rows of the index by content that are compared at once: few when a page is wanted that fills soon, ever more
/// where little is shared. So neither engine sorts all pictures for one answer, and PostgreSQL does without its disk.
const FIRST_STRETCH: i64 = 10_000;
const LONGEST_STRETCH: i64 = 40_000;

/// Pictures of those data sets in a stretch. Written so that SQLite begins with the index by content: it takes
/// the few data sets for a better beginning, and reads all pictures of each.
const STRETCH: &str = "fingerprints f CROSS JOIN newest n
    WHERE n.job_id = f.job_id AND f.content > $2 AND f.content <= $3";

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
            "{NEWEST}
             SELECT f.content FROM {STRETCH}
             GROUP BY f.content HAVING MIN(n.team_id) < MAX(n.team_id) ORDER BY f.content"
        );
        let mut stretches = self.stretches(after);
        let mut contents: Vec<Vec<u8>> = Vec::new();
        while contents.len() < limit as usize
            && let Some((after, end)) = stretches.next().await?
        {
            let all = values![task.unwrap_or_default(), after, end];
            for row in self.db.rows(AssertSqlSafe(sql.clone()), all).await? {
                contents.push(row.get("content")?);
            }
        }
        contents.truncate(limit as usize);
        let mut pictures = Vec::with_capacity(contents.len());
        for batch in contents.chunks(BATCH) {
            pictures.append(&mut self.places_of(task, batch).await?);
        }
        Ok(pictures)
    }

    /// How many pictures each two teams share, where they share any.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn team_pairs(&self, task: Option<&str>) -> Result<Vec<TeamPair>> {
        // Few sets of teams share many pictures: the sets are counted there, the pairs in each here.
        let sql = format!(
            "{NEWEST}, shared AS (
                SELECT string_agg(CAST(n.team_id AS TEXT), ',') AS teams
                FROM {STRETCH}
                GROUP BY f.content HAVING MIN(n.team_id) < MAX(n.team_id))
             SELECT teams, COUNT(*) AS pictures FROM shared GROUP BY teams"
        );
        let mut pairs: BTreeMap<(i64, i64), u64> = BTreeMap::new();
        let mut stretches = self.stretches(Vec::new());
        while let Some((after, end)) = stretches.next().await? {
            let all = values![task.unwrap_or_default(), after, end];
            for row in self.db.rows(AssertSqlSafe(sql.clone()), all).await? {
                let pictures = row.count("pictures")?;
                let teams = sorted(&row.get::<String>("teams")?)?;
                for (place, first) in teams.iter().enumerate() {
                    for second in &teams[place + 1..] {
                        *pairs.entry((*first, *second)).or_default() += pictures;
                    }
                }
            }
        }
        let pair = |((first, second), pictures)| TeamPair { first, second, pictures };
        Ok(pairs.into_iter().map(pair).collect())
    }

    /// Where these pictures lie.
    async fn places_of(&self, task: Option<&str>, batch: &[Vec<u8>]) -> Result<Vec<SharedPicture>> {
        let wanted: Vec<String> = (2..batch.len() + 2).map(|place| format!("${place}")).collect();
        let sql = format!(
            "{NEWEST}
             SELECT f.content, f.file, n.team_id, n.dataset_id, f.path
             FROM fingerprints f JOIN newest n ON n.job_id = f.job_id
             WHERE f.content IN ({})
             ORDER BY f.content, n.team_id, n.dataset_id, f.path",
            wanted.join(", ")
        );
        let mut all = values![task.unwrap_or_default()];
        all.extend(batch.iter().map(|content| Value::from(content.clone())));
        gathered(&self.db.rows(AssertSqlSafe(sql), all).await?)
    }

    fn stretches(&self, after: Vec<u8>) -> Stretches<'_> {
        Stretches { catalogue: self, after: Some(after), rows: FIRST_STRETCH }
    }
}

/// Ranges of contents that follow each other, each a stretch of the index. All places of one content are in
/// one of them.
struct Stretches<'a> {
    catalogue: &'a Catalogue,
    /// The end of the one before; `None` after the last.
    after: Option<Vec<u8>>,
    rows: i64,
}

impl Stretches<'_> {
    /// The next range: behind the first bytes, up to the second and with these.
    async fn next(&mut self) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        let Some(after) = self.after.take() else { return Ok(None) };
        let db = &self.catalogue.db;
        let sql = "SELECT content FROM fingerprints WHERE content > $1
                   ORDER BY content LIMIT 1 OFFSET $2";
        let end = db.first(sql, values![after.clone(), self.rows]).await?;
        self.rows = (self.rows * 2).min(LONGEST_STRETCH);
        if let Some(row) = end {
            let end: Vec<u8> = row.get("content")?;
            self.after = Some(end.clone());
            return Ok(Some((after, end)));
        }
        let sql = "SELECT content FROM fingerprints WHERE content > $1
                   ORDER BY content DESC LIMIT 1";
        let last = db.first(sql, values![after.clone()]).await?;
        let last: Option<Vec<u8>> = last.map(|row| row.get("content")).transpose()?;
        Ok(last.map(|last| (after, last)))
    }
}

/// The numbers of a list with commas, in order, each once.
fn sorted(list: &str) -> Result<Vec<i64>> {
    let numbers: std::result::Result<Vec<i64>, _> = list.split(',').map(str::parse).collect();
    let mut numbers = numbers.map_err(|_| Error::corrupt("a list of teams is none"))?;
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
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
