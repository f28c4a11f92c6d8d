//! Brings the schema up to date, one process at a time, all of it or nothing.

use std::collections::BTreeMap;

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::connect::Pool;
use super::engine::Db;
use super::error::{Error, Result};

/// Any number will do, as long as nobody else on the server takes it: "LUNA".
const ADVISORY_LOCK: i64 = 0x4c55_4e41;

/// Version, name, SQLite's text, PostgreSQL's text.
type Step = (i64, &'static str, &'static str, &'static str);

macro_rules! step {
    ($version:literal, $name:literal, $file:literal) => {
        (
            $version,
            $name,
            include_str!(concat!("../../migrations/sqlite/", $file)),
            include_str!(concat!("../../migrations/postgres/", $file)),
        )
    };
}

const STEPS: [Step; 5] = [
    step!(1, "catalogue and queue", "0001_catalogue_and_queue.sql"),
    step!(2, "events and suspects", "0002_events_and_suspects.sql"),
    step!(3, "sessions and submissions", "0003_sessions_and_submissions.sql"),
    step!(4, "fingerprints", "0004_fingerprints.sql"),
    step!(5, "holdings", "0005_holdings.sql"),
];

/// The newest schema that this program knows.
pub(crate) const fn newest() -> i64 {
    STEPS[STEPS.len() - 1].0
}

/// Applies what is missing up to a version. Others who start meanwhile wait, and find it done. Where nothing
/// is missing, nothing is written: a role that may not create tables is enough then.
pub(crate) async fn migrate(db: &Db, upto: i64) -> Result<()> {
    if is_done(db, upto).await? {
        return Ok(());
    }
    match db.pool() {
        Pool::Sqlite { writer, .. } => {
            let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
            migrator(|step| step.2).run_direct(Some(upto), &mut *tx, false).await?;
            tx.commit().await?;
        }
        Pool::Postgres(pool) => {
            let mut tx = pool.begin().await?;
            sqlx::query("SELECT pg_advisory_xact_lock($1)")
                .bind(ADVISORY_LOCK)
                .execute(&mut *tx)
                .await?;
            migrator(|step| step.3).run_direct(Some(upto), &mut *tx, false).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

/// True if all is applied up to a version. What a newer program added since is no matter, unless it says that
/// this one is too old.
async fn is_done(db: &Db, upto: i64) -> Result<bool> {
    let (has_list, migrator) = match db.pool() {
        Pool::Sqlite { .. } => (
            "SELECT COUNT(*) AS n FROM sqlite_master WHERE name = '_sqlx_migrations'",
            migrator(|step| step.2),
        ),
        Pool::Postgres(_) => (
            "SELECT COUNT(*) AS n FROM pg_class WHERE oid = to_regclass('_sqlx_migrations')",
            migrator(|step| step.3),
        ),
    };
    let lists = db.first(has_list, Vec::new()).await?;
    if lists.map_or(Ok(0), |row| row.count("n"))? == 0 {
        return Ok(false);
    }
    let mut applied = BTreeMap::new();
    let sql = "SELECT version, checksum FROM _sqlx_migrations WHERE success";
    for row in db.rows(sql, Vec::new()).await? {
        applied.insert(row.get::<i64>("version")?, row.get::<Vec<u8>>("checksum")?);
    }
    let mut known = migrator.iter().filter(|step| step.version <= upto);
    if !known.all(|step| applied.get(&step.version).is_some_and(|it| **it == *step.checksum)) {
        return Ok(false);
    }
    match applied.last_key_value() {
        Some((&found, _)) if found > newest() => is_supported(db, found).await.map(|()| true),
        _ => Ok(true),
    }
}

/// That the newer program which made schema `found` left this one what it needs.
async fn is_supported(db: &Db, found: i64) -> Result<()> {
    let row = db.first("SELECT oldest FROM schema_floor", Vec::new()).await?;
    let oldest: i64 = row.ok_or_else(|| Error::corrupt("no floor of the schema"))?.get("oldest")?;
    if oldest > newest() {
        return Err(Error::TooNew { found, known: newest() });
    }
    Ok(())
}

fn migrator(text: impl Fn(&Step) -> &'static str) -> Migrator {
    let migration = |step: &Step| {
        let sql = text(step).into_sql_str();
        Migration::new(step.0, step.1.into(), MigrationType::Simple, sql, false)
    };
    let mut migrator = Migrator::with_migrations(STEPS.iter().map(migration).collect());
    // The transaction's own lock serves both engines; the library has none for SQLite.
    migrator.set_locking(false);
    migrator
}
