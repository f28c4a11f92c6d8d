//! Many teams with many files, made by arithmetic: the same numbers give the same catalogue on both engines.

use sha2::{Digest as _, Sha256};
use sqlx::AssertSqlSafe;

use super::super::*;
use crate::catalogue::connect::Pool;
use crate::catalogue::engine::{Tx, Value, places};

/// Rows a statement.
const BATCH: usize = 500;
/// Bytes of a packed record; those of real pictures have 1,000 to 1,500.
const RECORD: usize = 1_000;
/// What every table of a crowd is filled with.
const FILES: &str =
    "INSERT INTO files (dataset_id, path, object_key, content_type, size_bytes, sha256,
    received_bytes, received_at) VALUES ";
const FINGERPRINTS: &str = "INSERT INTO fingerprints (job_id, path, content, file) VALUES ";
const FINDINGS: &str =
    "INSERT INTO findings (job_id, position, rule, severity, path, body) VALUES ";
const RECORDS: &str = "INSERT INTO records (job_id, path, body) VALUES ";

/// A data set of a crowd.
#[derive(Clone, Copy, Debug)]
pub(super) struct Set {
    pub(super) team: i64,
    pub(super) id: i64,
    pub(super) files: u64,
    /// Its completed job; 0 if it has none.
    pub(super) job: i64,
}

/// What a team has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holding {
    /// Validated, then replaced by `second`, which took its files over.
    pub(super) first: Set,
    pub(super) second: Set,
    /// Validated twice.
    pub(super) twice: Set,
    /// Validated, and its second validation waits.
    pub(super) waits: Set,
    /// Being uploaded; half of its files are there.
    pub(super) open: Set,
}

/// Fills a catalogue: so many teams, and about so many files in all. The first team has a quarter of them.
pub(super) async fn fill(bench: &Bench, teams: u64, files: u64) -> Vec<Holding> {
    let tasks = [None, Some(task(bench).await)];
    let mut crowd = Vec::new();
    for number in 0..teams {
        let team = bench.team(&format!("team {number:02}")).await;
        let share = if number == 0 { files / 4 } else { files * 3 / 4 / (teams - 1) };
        let task_id = tasks[usize::from(number % 2 == 0)];
        crowd.push(holding(bench, team, task_id, share / 4).await);
    }
    // Rows were made behind the catalogue's back.
    bench.catalogue.recount_usage().await.unwrap();
    if let Pool::Postgres(pool) = bench.catalogue.db.pool() {
        // The server does so by itself after a while.
        sqlx::query("VACUUM ANALYZE").execute(pool).await.unwrap();
    }
    crowd
}

async fn task(bench: &Bench) -> i64 {
    let task = NewTask { name: "even".into(), ..NewTask::default() };
    bench.catalogue.keep_task(&task).await.unwrap().id
}

async fn holding(bench: &Bench, team: i64, task_id: Option<i64>, files: u64) -> Holding {
    let catalogue = &bench.catalogue;
    let new = NewDataset { team_id: team, task_id, name: "set".into(), ..NewDataset::default() };
    let first = validated(bench, begun(bench, &new, 0, files, files).await).await;
    let remove = (0..files / 50).map(path).collect();
    let next = NewDataset { replaces: Some(first.id), remove, ..new.clone() };
    let second = begun(bench, &next, files, files / 50, files / 50).await;
    let second = validated(bench, Set { files, ..second }).await;
    let twice = validated(bench, begun(bench, &new, 0, files, files).await).await;
    let again = catalogue.rerun(twice.id, None, 0).await.unwrap();
    let twice = ended(bench, Set { job: again, ..twice }).await;
    let waits = validated(bench, begun(bench, &new, 0, files, files).await).await;
    catalogue.rerun(waits.id, None, 0).await.unwrap();
    let open = begun(bench, &new, 0, files / 4, files / 8).await;
    Holding { first, second, twice, waits, open }
}

pub(super) fn path(number: u64) -> String {
    format!("images/{:03}/{number:07}.png", number / 1_000)
}

/// 64 digits that no other words give.
fn sum(words: &str) -> [u8; 32] {
    Sha256::digest(words.as_bytes()).into()
}

/// One picture in twenty is everybody's, one shared by two teams; one in a thousand is all black.
fn picture(set: &Set, number: u64) -> [u8; 32] {
    match (number % 20, number % 1_000) {
        (0, _) => sum(&format!("all {number}")),
        (1, _) => sum(&format!("two {} {number}", set.team / 2)),
        (_, 2) => sum("black"),
        _ => sum(&format!("own {} {number}", set.team)),
    }
}

/// A data set in which files number `from` to `from + count` are announced, and `there` of these have come.
async fn begun(bench: &Bench, new: &NewDataset, from: u64, count: u64, there: u64) -> Set {
    let (team, db) = (new.team_id, &bench.catalogue.db);
    let id = bench.catalogue.start_dataset(new).await.unwrap().id;
    let row = |number: u64| {
        let key = format!("uploads/{id}/{}", hex::encode(&sum(&format!("{id} {number}"))[..16]));
        let (size, is_there) = (100_000 + number * 7_919 % 200_000, number < from + there);
        values![
            id,
            path(number - from),
            key,
            "image/png",
            size,
            hex::encode(sum(&format!("file {team} {number}"))),
            if is_there { size } else { 0 },
            is_there.then_some(1_i64),
        ]
    };
    let mut tx = db.begin().await.unwrap();
    insert(&mut tx, FILES, (from..from + count).map(row)).await;
    tx.commit().await.unwrap();
    Set { team, id, files: count, job: 0 }
}

/// Completes and validates a data set.
async fn validated(bench: &Bench, set: Set) -> Set {
    let job = bench.catalogue.complete(set.id).await.unwrap().job_id;
    ended(bench, Set { job, ..set }).await
}

/// Ends the job of a data set as a worker does, with what it leaves.
async fn ended(bench: &Bench, set: Set) -> Set {
    let mut tx = bench.catalogue.db.begin().await.unwrap();
    let job = set.job;
    let record = |number: u64| {
        let seed = sum(&format!("{job} {number}"));
        let body: Vec<u8> = seed.iter().copied().cycle().take(RECORD).collect();
        values![job, path(number).into_bytes(), body]
    };
    insert(&mut tx, RECORDS, (0..set.files).map(record)).await;
    let finding = |number: u64| {
        let message = "the picture is smaller than the others of its set".repeat(4);
        let body = format!(r#"{{"rule":"LX{:03}","message":"{message}"}}"#, number % 40);
        let severity = Severity::ALL[(number % 3) as usize].as_str();
        values![job, number, format!("LX{:03}", number % 40), severity, path(number / 2), body]
    };
    insert(&mut tx, FINDINGS, (0..set.files * 5 / 4).map(finding)).await;
    let sql = "DELETE FROM fingerprints WHERE job_id IN (SELECT id FROM validation_jobs
                   WHERE dataset_id = $1)";
    tx.run(sql, values![set.id]).await.unwrap();
    let print = |number: u64| {
        let content = picture(&set, number);
        let file = if number % 40 == 0 { sum(&format!("{} {number}", set.id)) } else { content };
        values![job, path(number), content.to_vec(), file.to_vec()]
    };
    insert(&mut tx, FINGERPRINTS, (0..set.files).map(print)).await;
    for sql in [
        "UPDATE validation_jobs SET state = 'completed', files_total = $2, files_done = $2,
             started_at = created_at, completed_at = created_at WHERE id = $1",
        "UPDATE queue SET state = 'done', finished_at = created_at + 0 * $2 WHERE job_id = $1",
    ] {
        tx.run(sql, values![job, set.files]).await.unwrap();
    }
    tx.commit().await.unwrap();
    set
}

async fn insert(tx: &mut Tx, sql: &str, rows: impl Iterator<Item = Vec<Value>>) {
    let mut rows = rows.peekable();
    while rows.peek().is_some() {
        let batch: Vec<Vec<Value>> = rows.by_ref().take(BATCH).collect();
        let text = format!("{sql}{}", places(batch.len(), batch[0].len()));
        let all = batch.into_iter().flatten().collect();
        tx.run(AssertSqlSafe(text), all).await.unwrap();
    }
}
