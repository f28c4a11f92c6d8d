//! Brings the schema up to date, one process at a time, all of it or nothing.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, PgPool, Postgres, SqlSafeStr as _, SqlitePool, Transaction};

use super::connect::Pool;
use super::engine::Db;
use super::error::{Error, Result, is_busy};

/// Any number will do, as long as nobody else on the server takes it: "LUNA".
const ADVISORY_LOCK: i64 = 0x4c55_4e41;

/// How long all tables are waited for. PostgreSQL looks for circles of those who wait after a second
/// (`deadlock_timeout`), and may then end a request: we are gone by then.
const GRASP: Duration = Duration::from_millis(400);
/// Others work that long before tables are asked for again.
const PAUSE: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_mins(5);
/// How often a log says that it waits.
const REMINDER: Duration = Duration::from_secs(30);

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
    apply(db, &STEPS, upto).await
}

/// What a next version would do as it starts: the same with a step more, of one text for both engines.
pub(super) async fn migrate_beyond(db: &Db, sql: &'static str) -> Result<()> {
    let mut steps = STEPS.to_vec();
    steps.push((newest() + 1, "a next version's", sql, sql));
    apply(db, &steps, newest() + 1).await
}

async fn apply(db: &Db, steps: &[Step], upto: i64) -> Result<()> {
    let (started, mut reminded) = (Instant::now(), None::<Instant>);
    while !is_done(db, steps, upto).await? {
        let attempt = match db.pool() {
            Pool::Sqlite { writer, .. } => on_sqlite(writer, steps, upto).await?,
            Pool::Postgres(pool) => on_postgres(pool, steps, upto).await?,
        };
        let pause = match attempt {
            Attempt::Done => return Ok(()),
            Attempt::OtherMigrates => GRASP,
            Attempt::TablesInUse => PAUSE,
        };
        if started.elapsed() > PATIENCE {
            let reason = "others never let go of its tables: a backup, a vacuum, a long deletion";
            return Err(Error::unavailable(reason));
        }
        if reminded.is_none_or(|at| at.elapsed() > REMINDER) {
            tracing::info!("the schema is to be changed as soon as nobody uses its tables");
            reminded = Some(Instant::now());
        }
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

enum Attempt {
    Done,
    OtherMigrates,
    TablesInUse,
}

async fn on_sqlite(writer: &SqlitePool, steps: &[Step], upto: i64) -> Result<Attempt> {
    let mut tx = match writer.begin_with("BEGIN IMMEDIATE").await {
        // Others write one after another, and SQLite keeps no queue of those who wait.
        Err(sqlx::Error::Database(error)) if is_busy(error.as_ref()) => {
            return Ok(Attempt::TablesInUse);
        }
        tx => tx?,
    };
    migrator(steps, |step| step.2).run_direct(Some(upto), &mut *tx, false).await?;
    tx.commit().await?;
    Ok(Attempt::Done)
}

async fn on_postgres(pool: &PgPool, steps: &[Step], upto: i64) -> Result<Attempt> {
    let mut tx = pool.begin().await?;
    let is_alone: bool = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)")
        .bind(ADVISORY_LOCK)
        .fetch_one(&mut *tx)
        .await?;
    if !is_alone {
        tx.rollback().await?;
        return Ok(Attempt::OtherMigrates);
    }
    if !holds_all_tables(&mut tx).await? {
        tx.rollback().await?;
        return Ok(Attempt::TablesInUse);
    }
    migrator(steps, |step| step.3).run_direct(Some(upto), &mut *tx, false).await?;
    tx.commit().await?;
    Ok(Attempt::Done)
}

/// Takes all tables at once, or says that others have some. Who took one after the other, as the steps need them,
/// would sooner or later wait for a request that waits for him.
async fn holds_all_tables(tx: &mut Transaction<'_, Postgres>) -> Result<bool> {
    // Tables of somebody else are no matter.
    let tables: Option<String> = sqlx::query_scalar(
        "SELECT string_agg(oid::regclass::text, ', ' ORDER BY oid) FROM pg_class
         WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
           AND pg_has_role(relowner, 'USAGE')",
    )
    .fetch_one(&mut **tx)
    .await?;
    let Some(tables) = tables else { return Ok(true) };
    // Names come quoted from the database itself.
    let script = format!(
        "SET LOCAL statement_timeout = {}; LOCK TABLE {tables}; SET LOCAL statement_timeout = 0",
        GRASP.as_millis()
    );
    match sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut **tx).await {
        Ok(_) => Ok(true),
        // Query cancelled, lock not available, deadlock.
        Err(sqlx::Error::Database(error))
            if matches!(error.code().as_deref(), Some("57014" | "55P03" | "40P01")) =>
        {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// True if all is applied up to a version. What a newer program added since is no matter, unless it says that
/// this one is too old.
async fn is_done(db: &Db, steps: &[Step], upto: i64) -> Result<bool> {
    let (has_list, migrator) = match db.pool() {
        Pool::Sqlite { .. } => (
            "SELECT COUNT(*) AS n FROM sqlite_master WHERE name = '_sqlx_migrations'",
            migrator(steps, |step| step.2),
        ),
        Pool::Postgres(_) => (
            "SELECT COUNT(*) AS n FROM pg_class WHERE oid = to_regclass('_sqlx_migrations')",
            migrator(steps, |step| step.3),
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
    let newest = steps.last().map_or(0, |step| step.0);
    let mut known = migrator.iter().filter(|step| step.version <= upto);
    if !known.all(|step| applied.get(&step.version).is_some_and(|it| **it == *step.checksum)) {
        return Ok(false);
    }
    match applied.last_key_value() {
        Some((&found, _)) if found > newest => is_supported(db, found).await.map(|()| true),
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

fn migrator(steps: &[Step], text: impl Fn(&Step) -> &'static str) -> Migrator {
    let migration = |step: &Step| {
        let sql = text(step).into_sql_str();
        Migration::new(step.0, step.1.into(), MigrationType::Simple, sql, false)
    };
    let mut migrator = Migrator::with_migrations(steps.iter().map(migration).collect());
    // The transaction's own lock serves both engines; the library has none for SQLite.
    migrator.set_locking(false);
    migrator
}
