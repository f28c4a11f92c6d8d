//! One suite, run on SQLite and on the PostgreSQL that `LUNA_TEST_POSTGRES` names.

mod fingerprints;
mod jobs;
mod migrations;
mod million;
mod people;
mod spent;
mod uploads;
mod usage;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use luna_core::conclude::Entry;
use luna_core::source::{Item, ItemPath, Memory};
use luna_core::{Record, Report, Validator};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::engine::values;
use super::*;
use crate::queue::{ItemKind, LEASE, Lease};

/// A catalogue of its own on one of the engines.
pub(crate) struct Bench {
    pub(crate) catalogue: Catalogue,
    pub(crate) url: String,
}

/// Runs a test on each engine there is.
pub(crate) fn on_both(test: impl AsyncFn(&Bench)) {
    on_each_url(async |url| {
        let catalogue = Catalogue::open(url, 6).await.unwrap();
        let bench = Bench { catalogue, url: url.to_owned() };
        test(&bench).await;
        bench.catalogue.close().await;
    });
}

/// Runs a test on an empty database of each engine there is.
pub(crate) fn on_each_url(test: impl AsyncFn(&str)) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("luna.db");
    runtime.block_on(test(&format!("sqlite://{}", file.display())));
    if let Ok(server) = std::env::var("LUNA_TEST_POSTGRES") {
        runtime.block_on(on_postgres(&server, test));
    } else {
        let must = std::env::var("LUNA_TEST_SERVERS").is_ok_and(|all| all == "1");
        assert!(!must, "LUNA_TEST_SERVERS=1, but LUNA_TEST_POSTGRES names no server");
        eprintln!("NOT TESTED on PostgreSQL: LUNA_TEST_POSTGRES names no server");
    }
}

async fn on_postgres(server: &str, test: impl AsyncFn(&str)) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("luna_test_{}_{number}", std::process::id());
    let mut connection = PgConnection::connect(server).await.unwrap();
    let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::query(create).execute(&mut connection).await.unwrap();
    let (before, query) = server.split_once('?').map_or((server, None), |(a, b)| (a, Some(b)));
    let base = before.rsplit_once('/').filter(|(base, _)| base.contains("//")).unwrap().0;
    let base = if base.ends_with('/') { before } else { base };
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    test(&format!("{base}/{name}{query}")).await;
    let drop = AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
    sqlx::query(drop).execute(&mut connection).await.unwrap();
}

impl Bench {
    /// Replaces the database's clock by one that only [`advance`](Self::advance) moves.
    pub(crate) async fn stop_clock(&self) {
        self.sql("DROP VIEW clock").await;
        self.sql("CREATE TABLE clock (now BIGINT NOT NULL)").await;
        self.sql("INSERT INTO clock VALUES (1000000000000)").await;
    }

    pub(crate) async fn advance(&self, time: Duration) {
        let micros = i64::try_from(time.as_micros()).unwrap();
        let sql = "UPDATE clock SET now = now + $1";
        self.catalogue.db.run(sql, values![micros]).await.unwrap();
    }

    pub(crate) async fn sql(&self, sql: &'static str) {
        self.catalogue.db.run(sql, Vec::new()).await.unwrap();
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        self.catalogue.db.first(sql, Vec::new()).await.unwrap().unwrap().get("n").unwrap()
    }

    /// A completed data set of a team, with its job, and nothing in it.
    pub(crate) async fn job_of(&self, team_id: i64) -> i64 {
        let new = NewDataset { team_id, name: "set".into(), ..NewDataset::default() };
        let dataset = self.catalogue.start_dataset(&new).await.unwrap();
        self.catalogue.complete(dataset.id).await.unwrap().job_id
    }

    pub(crate) async fn team(&self, name: &str) -> i64 {
        self.catalogue.create_team(name).await.unwrap().id
    }

    /// Takes the next item, which must be there.
    pub(crate) async fn claim(&self) -> Lease {
        self.catalogue.claim(1, LEASE).await.unwrap().expect("an item")
    }

    /// A job with shards, begun and planned.
    pub(crate) async fn planned(&self, team_id: i64, files: u64, shards: usize) -> i64 {
        let job = self.job_of(team_id).await;
        let lease = self.claim().await;
        assert_eq!((lease.kind, lease.job_id), (ItemKind::Plan, Some(job)));
        self.catalogue.begin_job(&lease).await.unwrap();
        let shards: Vec<Shard> =
            (0..shards).map(|number| Shard { payload: number.to_string() }).collect();
        self.catalogue.plan_done(&lease, files, &shards).await.unwrap();
        job
    }
}

/// Records of files that are no pictures, each another.
pub(crate) fn records(paths: &[&str]) -> Vec<StoredRecord> {
    paths.iter().map(|path| packed(path, &Record::unknown(path.len() as u64))).collect()
}

pub(crate) fn entry(path: ItemPath, record: &Record) -> Entry {
    Entry { item: Item::file(path, record.facts.size_bytes), record: Box::new(record.clone()) }
}

pub(crate) fn packed(path: &str, record: &Record) -> StoredRecord {
    StoredRecord::pack(&entry(ItemPath::from(path), record)).unwrap()
}

/// A report with a finding a file.
pub(crate) fn report() -> Report {
    let files = Memory::single("b/scan.png", b"no picture".to_vec());
    Validator::default().validate(&files).unwrap()
}

pub(crate) fn outcome(report: &Report) -> Outcome<'_> {
    Outcome { report, summary: r#"{"valid":false}"#.into(), artifacts: Vec::new() }
}

#[test]
fn whoever_cannot_be_reached_is_said_so_without_secrets() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for url in [
        "postgres://luna:hunter2@127.0.0.1:1/luna",
        "postgres://luna:hunter2@[::1/luna",
        "sqlite:///no/such/folder/hunter2.db",
        "mysql://luna:hunter2@127.0.0.1/luna",
    ] {
        let error = runtime.block_on(Catalogue::open(url, 2)).unwrap_err();
        assert!(
            matches!(error, Error::Unavailable { .. } | Error::Invalid { .. }),
            "{url}: {error:?}"
        );
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}
