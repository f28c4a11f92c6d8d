//! The door to SQLite and PostgreSQL: one text, numbers, texts and bytes in, rows out.
//!
//! Everything above speaks SQL that both understand. What they do not share is in this file (locks on
//! rows, how signals travel), in how they are [connected](super::connect) and in the migrations (the clock,
//! types).

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgListener, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Decode, PgPool, Postgres, Row as _, SqlSafeStr, Sqlite, Transaction, Type};
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

use super::connect::Pool;
use super::error::{Error, Result};

/// PostgreSQL's name for our signals.
const CHANNEL: &str = "luna";
/// Signals are hints: who falls this far behind looks at the tables anyway.
const SIGNALS_KEPT: usize = 256;

/// Something was committed that others may wait for. Carries no data, may be lost or doubled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// The queue has something to take.
    Work,
    /// A job has new events.
    Job(i64),
}

/// The database; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Db(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: Pool,
    signals: broadcast::Sender<Signal>,
    listener: Option<JoinHandle<()>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
    }
}

impl Db {
    /// Opens `sqlite://path` (made if it is not there) or `postgres://…`.
    pub(crate) async fn open(url: &str, connections: u32) -> Result<Self> {
        let (signals, _) = broadcast::channel(SIGNALS_KEPT);
        let pool = Pool::open(url, connections).await?;
        let listener = match &pool {
            Pool::Sqlite { .. } => None,
            Pool::Postgres(pool) => Some(tokio::spawn(forward(pool.clone(), signals.clone()))),
        };
        Ok(Self(Arc::new(Inner { pool, signals, listener })))
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.0.pool
    }

    pub(crate) fn signals(&self) -> broadcast::Receiver<Signal> {
        self.0.signals.subscribe()
    }

    /// What makes SQLite ask an index of the table before it. It keeps no figures of what is in a table, and would
    /// go through all rows of a job; PostgreSQL does.
    pub(crate) fn by_index(&self, index: &str) -> String {
        match self.pool() {
            Pool::Sqlite { .. } => format!(" INDEXED BY {index}"),
            Pool::Postgres(_) => String::new(),
        }
    }

    /// Begins to write. Dropped without [`Tx::commit`], nothing was.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        let inner = match self.pool() {
            // At once as a writer: a reader that turns writer may be refused with no way to wait.
            Pool::Sqlite { writer, .. } => {
                TxInner::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)
            }
            Pool::Postgres(pool) => TxInner::Postgres(pool.begin().await?),
        };
        Ok(Tx { inner, signals: Vec::new(), sender: self.0.signals.clone() })
    }

    /// Reads outside any transaction.
    pub(crate) async fn rows(&self, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<Vec<Row>> {
        Ok(match self.pool() {
            Pool::Sqlite { readers, .. } => {
                let rows = sqlite(sql, values)?.fetch_all(readers).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Pool::Postgres(pool) => {
                let rows = postgres(sql, values)?.fetch_all(pool).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The first row, if there is one.
    pub(crate) async fn first(
        &self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<Option<Row>> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// Writes by one statement.
    pub(crate) async fn run(&self, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<u64> {
        let mut tx = self.begin().await?;
        let changed = tx.run(sql, values).await?;
        tx.commit().await?;
        Ok(changed)
    }

    pub(crate) async fn close(&self) {
        match self.pool() {
            Pool::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pool::Postgres(pool) => pool.close().await,
        }
    }
}

/// Passes PostgreSQL's notifications on, for ever; a broken connection is made anew.
async fn forward(pool: PgPool, signals: broadcast::Sender<Signal>) {
    loop {
        if let Ok(mut listener) = PgListener::connect_with(&pool).await
            && listener.listen(CHANNEL).await.is_ok()
        {
            while let Ok(note) = listener.recv().await {
                let signal = note.payload().parse().map_or(Signal::Work, Signal::Job);
                // No receiver: nobody waits.
                let _ = signals.send(signal);
            }
        }
        if pool.is_closed() {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// A transaction that writes.
pub(crate) struct Tx {
    inner: TxInner,
    signals: Vec<Signal>,
    sender: broadcast::Sender<Signal>,
}

enum TxInner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    /// Runs a statement; the number of rows that it changed.
    pub(crate) async fn run(&mut self, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<u64> {
        Ok(match &mut self.inner {
            TxInner::Sqlite(tx) => sqlite(sql, values)?.execute(&mut **tx).await?.rows_affected(),
            TxInner::Postgres(tx) => {
                postgres(sql, values)?.execute(&mut **tx).await?.rows_affected()
            }
        })
    }

    /// All rows of a query, or of a statement with `RETURNING`.
    pub(crate) async fn rows(
        &mut self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<Vec<Row>> {
        Ok(match &mut self.inner {
            TxInner::Sqlite(tx) => {
                let rows = sqlite(sql, values)?.fetch_all(&mut **tx).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            TxInner::Postgres(tx) => {
                let rows = postgres(sql, values)?.fetch_all(&mut **tx).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The first row, if there is one.
    pub(crate) async fn first(
        &mut self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<Option<Row>> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// The id that a single `INSERT … RETURNING id` gave.
    pub(crate) async fn insert(&mut self, sql: &'static str, values: Vec<Value>) -> Result<i64> {
        let row = self.first(sql, values).await?;
        row.ok_or_else(|| Error::corrupt("no id for a new row"))?.get("id")
    }

    /// What locks the rows of a `SELECT` until the transaction ends. SQLite has but one writer.
    pub(crate) fn for_update(&self) -> &'static str {
        match self.inner {
            TxInner::Sqlite(_) => "",
            TxInner::Postgres(_) => " FOR UPDATE",
        }
    }

    /// The same, passing over rows that somebody else has locked.
    pub(crate) fn for_update_skip_locked(&self) -> &'static str {
        match self.inner {
            TxInner::Sqlite(_) => "",
            TxInner::Postgres(_) => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// Tells those who wait, once this is committed.
    pub(crate) fn signal(&mut self, signal: Signal) {
        if !self.signals.contains(&signal) {
            self.signals.push(signal);
        }
    }

    /// Makes it durable.
    pub(crate) async fn commit(mut self) -> Result<()> {
        match self.inner {
            TxInner::Sqlite(tx) => {
                tx.commit().await?;
                for signal in self.signals {
                    let _ = self.sender.send(signal);
                }
            }
            TxInner::Postgres(mut tx) => {
                for signal in self.signals.drain(..) {
                    let payload = match signal {
                        Signal::Work => String::new(),
                        Signal::Job(id) => id.to_string(),
                    };
                    let note = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(payload);
                    note.execute(&mut *tx).await?;
                }
                tx.commit().await?;
            }
        }
        Ok(())
    }
}

/// What goes into a statement.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

macro_rules! value_from {
    ($($from:ty => $value:ident($convert:expr)),* $(,)?) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                let convert: fn($from) -> _ = $convert;
                Self::$value(Some(convert(value)))
            }
        }
        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Self {
                let convert: fn($from) -> _ = $convert;
                Self::$value(value.map(convert))
            }
        }
    )*};
}

value_from! {
    i64 => Int(|value| value),
    u64 => Int(|value| i64::try_from(value).unwrap_or(i64::MAX)),
    usize => Int(|value| i64::try_from(value).unwrap_or(i64::MAX)),
    super::time::Moment => Int(|value| value.0),
    &str => Text(str::to_owned),
    String => Text(|value| value),
    &[u8] => Bytes(<[u8]>::to_vec),
    Vec<u8> => Bytes(|value| value),
}

/// Values of a statement, in order.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::catalogue::engine::Value::from($value)),*] };
}
pub(crate) use values;

fn sqlite(
    sql: impl SqlSafeStr,
    values: Vec<Value>,
) -> Result<Query<'static, Sqlite, SqliteArguments>> {
    let mut query = sqlx::query(sql);
    for value in values {
        query = match value {
            Value::Int(value) => query.bind(value),
            Value::Text(Some(text)) if text.contains('\0') => {
                return Err(Error::Invalid { what: "a text holds a NUL character" });
            }
            Value::Text(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
        };
    }
    Ok(query)
}

fn postgres(
    sql: impl SqlSafeStr,
    values: Vec<Value>,
) -> Result<Query<'static, Postgres, PgArguments>> {
    let mut query = sqlx::query(sql);
    for value in values {
        query = match value {
            Value::Int(value) => query.bind(value),
            Value::Text(Some(text)) if text.contains('\0') => {
                return Err(Error::Invalid { what: "a text holds a NUL character" });
            }
            Value::Text(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
        };
    }
    Ok(query)
}

/// A row that came out.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// A column by its name.
    pub(crate) fn get<T>(&self, column: &str) -> Result<T>
    where
        T: for<'r> Decode<'r, Sqlite>
            + Type<Sqlite>
            + for<'r> Decode<'r, Postgres>
            + Type<Postgres>,
    {
        let value = match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        };
        value.map_err(|_| Error::corrupt(format!("column {column} is not as it was written")))
    }

    /// A number that is never negative.
    pub(crate) fn count(&self, column: &str) -> Result<u64> {
        let number: i64 = self.get(column)?;
        u64::try_from(number).map_err(|_| Error::corrupt(format!("column {column} is negative")))
    }

    /// A point in time.
    pub(crate) fn moment(&self, column: &str) -> Result<super::time::Moment> {
        self.get(column).map(super::time::Moment)
    }

    /// A point in time that may be missing.
    pub(crate) fn maybe_moment(&self, column: &str) -> Result<Option<super::time::Moment>> {
        Ok(self.get::<Option<i64>>(column)?.map(super::time::Moment))
    }

    /// A word of a closed list.
    pub(crate) fn word<T>(&self, column: &str) -> Result<T>
    where
        T: Word,
    {
        let text: String = self.get(column)?;
        T::of(&text).ok_or_else(|| Error::corrupt(format!("column {column} has an unknown word")))
    }
}

/// A closed list of words that columns hold.
pub(crate) trait Word: Sized + Copy + 'static {
    const ALL: &'static [Self];
    fn word(self) -> &'static str;
    fn of(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|word| word.word() == text)
    }
}

/// Declares an enum whose variants are words of a column.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// The word that stands for it everywhere.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::catalogue::Error;
            fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
                use $crate::catalogue::engine::Word as _;
                let what = concat!("one of these words is meant:" $(, " ", $word)*);
                Self::of(text).ok_or($crate::catalogue::Error::Invalid { what })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, out: S) -> std::result::Result<S::Ok, S::Error> {
                out.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(input: D) -> std::result::Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(input)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl $crate::catalogue::engine::Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)*];
            fn word(self) -> &'static str { self.as_str() }
        }

        impl From<$name> for $crate::catalogue::engine::Value {
            fn from(value: $name) -> Self { Self::from(value.as_str()) }
        }
    };
}
pub(crate) use words;

/// `($1, $2), ($3, $4)`: places for so many rows of so many columns.
pub(crate) fn places(rows: usize, columns: usize) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            let comma = if column == 0 { "" } else { ", " };
            let _ = write!(text, "{comma}${}", row * columns + column + 1);
        }
        text.push(')');
    }
    text
}
