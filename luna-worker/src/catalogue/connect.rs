//! Connections to SQLite and PostgreSQL.

use std::str::FromStr as _;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};

use super::error::{Error, Result, is_busy};

/// How long a call waits for a connection, and SQLite for another process's transaction.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pools behind a catalogue.
#[derive(Debug)]
pub(crate) enum Pool {
    /// One connection writes, so that this process never waits for itself; some read.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

impl Pool {
    /// Connections that are in use, and that are idle.
    pub(crate) fn connections(&self) -> (u64, u64) {
        let of =
            |size: u32, idle: usize| (u64::from(size).saturating_sub(idle as u64), idle as u64);
        match self {
            Self::Sqlite { writer, readers } => {
                let (writing, resting) = of(writer.size(), writer.num_idle());
                let (reading, idle) = of(readers.size(), readers.num_idle());
                (writing + reading, resting + idle)
            }
            Self::Postgres(pool) => of(pool.size(), pool.num_idle()),
        }
    }

    /// Opens `sqlite://path` (made if it is not there) or `postgres://…`.
    pub(crate) async fn open(url: &str, connections: u32) -> Result<Self> {
        let malformed = |_| Error::Invalid { what: "the database URL is malformed" };
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => {
                let options = SqliteConnectOptions::from_str(url).map_err(malformed)?;
                open_sqlite(options, connections).await
            }
            Some("postgres" | "postgresql") => {
                let options = PgConnectOptions::from_str(url).map_err(malformed)?;
                let pool = PgPoolOptions::new()
                    // One of them listens.
                    .max_connections(connections.saturating_add(1).max(2))
                    .acquire_timeout(PATIENCE)
                    .connect_with(options.application_name("luna"));
                Ok(Self::Postgres(pool.await?))
            }
            _ => {
                let what = "a database URL begins with sqlite:// or postgres://";
                Err(Error::Invalid { what })
            }
        }
    }
}

async fn open_sqlite(options: SqliteConnectOptions, connections: u32) -> Result<Pool> {
    let options = options
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(PATIENCE);
    let writer = connect_sqlite(1, &options).await?;
    let readers = connect_sqlite(connections.max(1), &options.read_only(true)).await?;
    Ok(Pool::Sqlite { writer, readers })
}

/// SQLite does not wait, whatever its busy timeout says, while another process turns the log on or
/// clears it away; so we do.
async fn connect_sqlite(size: u32, options: &SqliteConnectOptions) -> Result<SqlitePool> {
    let end = Instant::now() + PATIENCE;
    loop {
        // Kept open for ever: whoever closes the last connection clears the log away.
        let pool = SqlitePoolOptions::new()
            .max_connections(size)
            .acquire_timeout(PATIENCE * 3)
            .idle_timeout(None)
            .max_lifetime(None);
        match pool.connect_with(options.clone()).await {
            Err(sqlx::Error::Database(error))
                if is_busy(error.as_ref()) && Instant::now() < end =>
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            pool => return Ok(pool?),
        }
    }
}
