//! Brings the schema up to date, one process at a time, all of it or nothing.

use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::connect::Pool;
use super::engine::Db;
use super::error::Result;

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

const STEPS: [Step; 4] = [
    step!(1, "catalogue and queue", "0001_catalogue_and_queue.sql"),
    step!(2, "events and suspects", "0002_events_and_suspects.sql"),
    step!(3, "sessions and submissions", "0003_sessions_and_submissions.sql"),
    step!(4, "fingerprints", "0004_fingerprints.sql"),
];

/// The newest schema that this program knows.
pub(crate) const fn newest() -> i64 {
    STEPS[STEPS.len() - 1].0
}

/// Applies what is missing up to a version. Others who start meanwhile wait, and find it done.
pub(crate) async fn migrate(db: &Db, upto: i64) -> Result<()> {
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
