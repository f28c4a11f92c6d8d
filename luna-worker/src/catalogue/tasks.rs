//! Tasks (phases of a competition) and profiles (by what they judge). Both have versions that never
//! change: a data set stays bound to the one it was uploaded for.

use super::engine::{Row, Tx, values};
use super::people::one;
use super::{Catalogue, Moment, Result};

/// One version of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Number of this version.
    pub id: i64,
    /// Name, the same for all versions.
    pub name: String,
    /// 1 for the first.
    pub version: i64,
    /// The TOML, as it was checked.
    pub body: String,
    /// Hash of the resolved profile, as in reports.
    pub hash: String,
    /// When it was kept.
    pub created_at: Moment,
}

/// One version of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Number of this version.
    pub id: i64,
    /// Name, the same for all versions.
    pub name: String,
    /// 1 for the first.
    pub version: i64,
    /// By which profile it judges; the default one if `None`.
    pub profile_id: Option<i64>,
    /// From when it takes uploads.
    pub opens_at: Option<Moment>,
    /// Until when.
    pub closes_at: Option<Moment>,
    /// Quota, rules for manifests and labels, reference sets: JSON, as the HTTP service reads it.
    pub body: String,
    /// When it was kept.
    pub created_at: Moment,
}

/// What a version of a task is made of.
#[derive(Clone, Debug, Default)]
pub struct NewTask {
    /// Name; the next version if there is one of that name.
    pub name: String,
    /// By which profile it judges.
    pub profile_id: Option<i64>,
    /// From when it takes uploads.
    pub opens_at: Option<Moment>,
    /// Until when.
    pub closes_at: Option<Moment>,
    /// Everything else, as JSON.
    pub body: String,
}

const PROFILE: &str = "SELECT id, name, version, body, hash, created_at FROM profiles";
const TASK: &str =
    "SELECT id, name, version, profile_id, opens_at, closes_at, body, created_at FROM tasks";

impl Catalogue {
    /// Keeps the next version of a profile; the newest one again if nothing differs.
    ///
    /// # Errors
    /// [`Error::Conflict`](super::Error::Conflict) if somebody else kept one at the same moment.
    pub async fn keep_profile(&self, name: &str, body: &str, hash: &str) -> Result<Profile> {
        let mut tx = self.db.begin().await?;
        let newest = newest_profile(&mut tx, name).await?;
        if let Some(newest) = newest.as_ref().filter(|newest| newest.body == body) {
            return Ok(newest.clone());
        }
        let version = newest.map_or(1, |newest| newest.version + 1);
        let sql = "INSERT INTO profiles (name, version, body, hash, created_at)
                   VALUES ($1, $2, $3, $4, (SELECT now FROM clock))
                   RETURNING id, name, version, body, hash, created_at";
        let row = tx.first(sql, values![name, version, body, hash]).await?;
        let profile = one("profile", row, profile)?;
        tx.commit().await?;
        Ok(profile)
    }

    /// One version of a profile.
    ///
    /// # Errors
    /// [`Error::NotFound`](super::Error::NotFound).
    pub async fn profile(&self, id: i64) -> Result<Profile> {
        let sql = joined(PROFILE, "WHERE id = $1");
        one("profile", self.db.first(sql, values![id]).await?, profile)
    }

    /// All versions of a profile, newest first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn profile_versions(&self, name: &str) -> Result<Vec<Profile>> {
        let sql = joined(PROFILE, "WHERE name = $1 ORDER BY version DESC");
        self.db.rows(sql, values![name]).await?.iter().map(profile).collect()
    }

    /// The newest version of every profile, by name.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn profiles(&self) -> Result<Vec<Profile>> {
        let newest =
            "WHERE version = (SELECT MAX(version) FROM profiles p WHERE p.name = profiles.name)
                      ORDER BY name";
        self.db.rows(joined(PROFILE, newest), Vec::new()).await?.iter().map(profile).collect()
    }

    /// Keeps the next version of a task.
    ///
    /// # Errors
    /// [`Error::NotFound`](super::Error::NotFound) if there is no such profile;
    /// [`Error::Conflict`](super::Error::Conflict) if somebody else kept one at the same moment.
    pub async fn keep_task(&self, new: &NewTask) -> Result<Task> {
        let mut tx = self.db.begin().await?;
        let sql = "INSERT INTO tasks
                       (name, version, profile_id, opens_at, closes_at, body, created_at)
                   VALUES ($1, (SELECT COALESCE(MAX(version), 0) + 1 FROM tasks WHERE name = $1),
                           $2, $3, $4, $5, (SELECT now FROM clock))
                   RETURNING id, name, version, profile_id, opens_at, closes_at, body, created_at";
        let values = values![&*new.name, new.profile_id, new.opens_at, new.closes_at, &*new.body];
        let task = one("profile", tx.first(sql, values).await?, task)?;
        tx.commit().await?;
        Ok(task)
    }

    /// One version of a task.
    ///
    /// # Errors
    /// [`Error::NotFound`](super::Error::NotFound).
    pub async fn task(&self, id: i64) -> Result<Task> {
        one("task", self.db.first(joined(TASK, "WHERE id = $1"), values![id]).await?, task)
    }

    /// The newest version of a task.
    ///
    /// # Errors
    /// [`Error::NotFound`](super::Error::NotFound).
    pub async fn task_named(&self, name: &str) -> Result<Task> {
        let sql = joined(TASK, "WHERE name = $1 ORDER BY version DESC LIMIT 1");
        one("task", self.db.first(sql, values![name]).await?, task)
    }

    /// The newest version of every task, by name.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn tasks(&self) -> Result<Vec<Task>> {
        let newest = "WHERE version = (SELECT MAX(version) FROM tasks t WHERE t.name = tasks.name)
                      ORDER BY name";
        self.db.rows(joined(TASK, newest), Vec::new()).await?.iter().map(task).collect()
    }
}

async fn newest_profile(tx: &mut Tx, name: &str) -> Result<Option<Profile>> {
    let sql = joined(PROFILE, "WHERE name = $1 ORDER BY version DESC LIMIT 1");
    tx.first(sql, values![name]).await?.as_ref().map(profile).transpose()
}

/// A query out of two texts of this program.
pub(super) fn joined(select: &'static str, rest: &'static str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!("{select} {rest}"))
}

fn profile(row: &Row) -> Result<Profile> {
    Ok(Profile {
        id: row.get("id")?,
        name: row.get("name")?,
        version: row.get("version")?,
        body: row.get("body")?,
        hash: row.get("hash")?,
        created_at: row.moment("created_at")?,
    })
}

fn task(row: &Row) -> Result<Task> {
    Ok(Task {
        id: row.get("id")?,
        name: row.get("name")?,
        version: row.get("version")?,
        profile_id: row.get("profile_id")?,
        opens_at: row.maybe_moment("opens_at")?,
        closes_at: row.maybe_moment("closes_at")?,
        body: row.get("body")?,
        created_at: row.moment("created_at")?,
    })
}
