//! Many teams with many files, made by arithmetic: the same numbers give the same catalogue on both engines.

use super::super::*;
use crate::catalogue::connect::Pool;
use crate::catalogue::engine::Value;

/// Bytes of a packed record; those of real pictures have 1,000 to 1,500.
const RECORD: usize = 1_000;

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
    let first = validated(bench, begun(bench, &new, files, files).await).await;
    let remove = (0..files / 50).map(path).collect();
    let next = NewDataset { replaces: Some(first.id), remove, ..new.clone() };
    let second = begun(bench, &next, files / 50, files / 50).await;
    let second = validated(bench, Set { files, ..second }).await;
    let twice = validated(bench, begun(bench, &new, files, files).await).await;
    let again = catalogue.rerun(twice.id, None, 0).await.unwrap();
    let twice = ended(bench, Set { job: again, ..twice }).await;
    let waits = validated(bench, begun(bench, &new, files, files).await).await;
    catalogue.rerun(waits.id, None, 0).await.unwrap();
    let open = begun(bench, &new, files / 4, files / 8).await;
    Holding { first, second, twice, waits, open }
}

pub(super) fn path(number: u64) -> String {
    format!("images/{:03}/{number:07}.png", number / 1_000)
}

/// The same of the number `i`, for a statement.
const PATH: &str = "'images/' || substr(CAST(1000 + i / 1000 AS TEXT), 2) || '/'
    || substr(CAST(10000000 + i AS TEXT), 2) || '.png'";

/// 32 letters that stand for a number, in no order.
fn scattered(number: &str) -> String {
    format!(
        "substr(CAST(10000000000 + ({number}) * 2654435761 % 4294967296 AS TEXT), 2)
         || substr(CAST(1000000000000 + ({number}) AS TEXT), 2) || '0123456789'"
    )
}

/// Runs a statement that has `i` from 0 to below a count in its table `n`, and names this count `$1`.
async fn fill_in(bench: &Bench, count: u64, insert: &str, values: Vec<Value>) {
    if count == 0 {
        return;
    }
    let bytes = match bench.catalogue.db.pool() {
        Pool::Sqlite { .. } => "BLOB",
        Pool::Postgres(_) => "BYTEA",
    };
    let sql = format!(
        "WITH RECURSIVE n(i) AS (
             SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $1) {insert}"
    );
    let sql = AssertSqlSafe(sql.replace("BYTES", bytes));
    let all = values![count].into_iter().chain(values).collect();
    assert_eq!(bench.catalogue.db.run(sql, all).await.unwrap(), count);
}

/// A data set with so many files, of which the first have come.
async fn begun(bench: &Bench, new: &NewDataset, count: u64, there: u64) -> Set {
    let set = bench.catalogue.start_dataset(new).await.unwrap();
    let key = scattered("i + 1000000 * $2");
    let insert = format!(
        "INSERT INTO files (dataset_id, path, object_key, content_type, size_bytes, sha256,
             received_bytes, received_at)
         SELECT $2, {PATH}, 'uploads/' || CAST($2 AS TEXT) || '/' || {key}, 'image/png',
             100000 + i * 7919 % 200000, {key} || {key}, 0, CASE WHEN i < $3 THEN 1 END FROM n"
    );
    fill_in(bench, count, &insert, values![set.id, there]).await;
    Set { team: new.team_id, id: set.id, files: count, job: 0 }
}

/// Completes and validates a data set.
async fn validated(bench: &Bench, set: Set) -> Set {
    let job = bench.catalogue.complete(set.id).await.unwrap().job_id;
    ended(bench, Set { job, ..set }).await
}

/// Ends the job of a data set as a worker does, with what it leaves.
async fn ended(bench: &Bench, set: Set) -> Set {
    let insert = format!(
        "INSERT INTO records (job_id, path, body) SELECT $2, CAST({PATH} AS BYTES), $3 FROM n"
    );
    fill_in(bench, set.files, &insert, values![set.job, vec![1_u8; RECORD]]).await;
    let insert = format!(
        "INSERT INTO findings (job_id, position, rule, severity, path, body)
         SELECT $2, i, 'LX0' || substr(CAST(100 + i % 40 AS TEXT), 2),
             CASE i % 3 WHEN 0 THEN 'error' WHEN 1 THEN 'warning' ELSE 'info' END, {PATH}, $3
         FROM n"
    );
    let report = report();
    let finding = report.all_findings().next().unwrap();
    let body = serde_json::to_string(finding).unwrap();
    fill_in(bench, set.files * 5 / 4, &insert, values![set.job, body]).await;
    let sql = "DELETE FROM fingerprints WHERE job_id IN (SELECT id FROM validation_jobs
                   WHERE dataset_id = $1)";
    bench.catalogue.db.run(sql, values![set.id]).await.unwrap();
    // One picture in twenty is everybody's, one shared by two teams; one in a thousand is all black.
    let content = scattered(
        "CASE WHEN i % 20 = 0 THEN i WHEN i % 20 = 1 THEN ($3 / 2 + 100) * 10000000 + i
              WHEN i % 1000 = 2 THEN 7 ELSE $3 * 10000000 + i END",
    );
    let insert = format!(
        "INSERT INTO fingerprints (job_id, path, content, file)
         SELECT $2, {PATH}, CAST({content} AS BYTES),
             CAST({content} || CASE WHEN i % 40 = 0 THEN CAST($2 AS TEXT) ELSE '' END AS BYTES)
         FROM n"
    );
    fill_in(bench, set.files, &insert, values![set.job, set.team]).await;
    for sql in [
        "UPDATE validation_jobs SET state = 'completed', files_total = $2, files_done = $2,
             started_at = created_at, completed_at = created_at WHERE id = $1",
        "UPDATE queue SET state = 'done', finished_at = created_at + 0 * $2 WHERE job_id = $1",
    ] {
        bench.catalogue.db.run(sql, values![set.job, set.files]).await.unwrap();
    }
    set
}
