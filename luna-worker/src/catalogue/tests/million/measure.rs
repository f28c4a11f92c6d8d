//! Figures for `docs/performance.md`; no test. `.ci/servers cargo test -p luna-worker --lib million::measure --
//! --ignored --nocapture`; `LUNA_MEASURE_FILES` makes it another number of files,
//! `LUNA_MEASURE_ENGINE=sqlite` or `postgres` one engine. `LUNA_MEASURE_PAIRS=1` also
//! counts pairs as before, which has no end on SQLite.

use std::time::Instant;

use super::super::*;
use super::crowd::{self, Holding, path};
use super::plain;
use crate::catalogue::connect::Pool;

/// How often a question is asked.
const TIMES: usize = 5;

/// Asks some times; prints the first time and the median of all.
async fn ask<T>(what: &str, question: impl AsyncFn() -> Result<T>) {
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let start = Instant::now();
        question().await.unwrap();
        times.push(start.elapsed());
        if times[0] > Duration::from_secs(20) {
            break;
        }
    }
    let first = times[0];
    times.sort_unstable();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!("  {what:40} {:10.1} {:10.1}", ms(first), ms(times[times.len() / 2]));
}

/// Does something that changes, once; prints the time.
async fn once<T>(what: &str, work: impl Future<Output = Result<T>>) -> T {
    let start = Instant::now();
    let done = work.await.unwrap();
    println!("  {what:40} {:10.1}", start.elapsed().as_secs_f64() * 1e3);
    done
}

#[test]
#[ignore = "measures"]
fn a_million_files() {
    let files = std::env::var("LUNA_MEASURE_FILES").map_or(1_000_000, |it| it.parse().unwrap());
    let wanted = std::env::var("LUNA_MEASURE_ENGINE").ok();
    on_both(async |bench| {
        if wanted.as_deref().is_some_and(|wanted| wanted != engine(bench)) {
            return;
        }
        let start = Instant::now();
        let crowd = crowd::fill(bench, 24, files).await;
        println!("{} filled in {:.0} s", engine(bench), start.elapsed().as_secs_f64());
        sizes(bench).await;
        println!("  {:40} {:>10} {:>10}", "ms", "first", "median");
        as_before(bench, &crowd).await;
        questions_of_files(bench, &crowd[0]).await;
        questions_of_jobs(bench, &crowd).await;
        questions_of_all(bench).await;
        changes(bench, &crowd[0]).await;
    });
}

fn engine(bench: &Bench) -> &str {
    bench.url.split(':').next().unwrap()
}

/// Bytes of the database, and rows of the large tables.
async fn sizes(bench: &Bench) {
    let bytes = match bench.catalogue.db.pool() {
        Pool::Sqlite { .. } => {
            "SELECT page_count * page_size AS n FROM pragma_page_count, pragma_page_size"
        }
        Pool::Postgres(_) => "SELECT pg_database_size(current_database()) AS n",
    };
    println!("  {} MiB", bench.count(bytes).await >> 20);
    for (table, sql) in [
        ("files", "SELECT COUNT(*) AS n FROM files"),
        ("records", "SELECT COUNT(*) AS n FROM records"),
        ("findings", "SELECT COUNT(*) AS n FROM findings"),
        ("fingerprints", "SELECT COUNT(*) AS n FROM fingerprints"),
    ] {
        println!("  {} {table}", bench.count(sql).await);
    }
}

/// What was asked before schema 5, without its index.
async fn as_before(bench: &Bench, crowd: &[Holding]) {
    let catalogue = &bench.catalogue;
    let Holding { second, open, .. } = crowd[0];
    bench.sql("DROP INDEX files_missing").await;
    ask("before: usage", async || plain::usage(bench, second.team).await).await;
    ask("before: count_files", async || plain::counted(bench, second.id).await).await;
    ask("before: missing_files, none", async || {
        catalogue.missing_files(second.id, None, 200).await
    })
    .await;
    ask("before: missing_files, a page", async || {
        catalogue.missing_files(open.id, None, 200).await
    })
    .await;
    bench
        .sql("CREATE INDEX files_missing ON files (dataset_id, path) WHERE received_at IS NULL")
        .await;
    let last = catalogue.latest_job(crowd[crowd.len() - 1].waits.id).await.unwrap().id;
    ask("before: queue_place", async || plain::files_ahead(bench, last).await).await;
    ask("before: shared_pictures, first page", async || plain::shared(bench, "", 200).await).await;
    if std::env::var_os("LUNA_MEASURE_PAIRS").is_some() {
        ask("before: team_pairs", async || plain::pairs(bench, "").await).await;
    }
}

async fn questions_of_files(bench: &Bench, held: &Holding) {
    let catalogue = &bench.catalogue;
    let (whole, open) = (held.second, held.open);
    let middle = path(whole.files / 2);
    ask("usage", async || catalogue.usage(whole.team).await).await;
    ask("count_files", async || catalogue.count_files(whole.id).await).await;
    ask("arrivals", async || catalogue.arrivals(whole.id).await).await;
    ask("files, a page", async || catalogue.files(whole.id, Some(&middle), 200).await).await;
    ask("files_under, a page", async || {
        catalogue.files_under(whole.id, "images/005/", None, 200).await
    })
    .await;
    let paths: Vec<String> = (0..1_000).map(|number| path(number * 7)).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    ask("files_at, 1,000", async || catalogue.files_at(whole.id, &paths).await).await;
    ask("missing_files, none", async || catalogue.missing_files(whole.id, None, 200).await).await;
    ask("missing_files, a page", async || catalogue.missing_files(open.id, None, 200).await).await;
    ask("rules_at, 1,000", async || catalogue.rules_at(whole.job, &paths).await).await;
}

async fn questions_of_jobs(bench: &Bench, crowd: &[Holding]) {
    let catalogue = &bench.catalogue;
    let job = crowd[0].second.job;
    let filter = FindingFilter::default();
    let of_rule = FindingFilter { rule: Some("LX039".into()), ..filter.clone() };
    let severe = FindingFilter {
        severity: Some(luna_core::Severity::Error),
        after: Some(9_000),
        ..filter.clone()
    };
    let of_file = FindingFilter { path: Some(path(77)), ..filter.clone() };
    for (what, filter) in [
        ("findings, a page", &filter),
        ("findings of a rule", &of_rule),
        ("findings of a severity", &severe),
        ("findings of a file", &of_file),
    ] {
        ask(what, async || catalogue.findings(job, filter, 200).await).await;
    }
    let waits = crowd[crowd.len() - 1].waits.id;
    let waiting = catalogue.latest_job(waits).await.unwrap();
    ask("queue_place", async || catalogue.queue_place(waiting.id).await).await;
    ask("queue_stats", async || catalogue.queue_stats().await).await;
    let ids: Vec<i64> = crowd.iter().flat_map(|it| [it.first.id, it.twice.id]).collect();
    ask("latest_jobs", async || catalogue.latest_jobs(&ids).await).await;
    ask("newest_datasets", async || catalogue.newest_datasets().await).await;
    ask("datasets, a page", async || catalogue.datasets(None, None, 50).await).await;
    ask("records, a page", async || catalogue.records_of(job).next().await).await;
    let now = catalogue.now().await.unwrap();
    ask("old_datasets", async || catalogue.old_datasets(now, 100).await).await;
    ask("abandoned_uploads", async || catalogue.abandoned_uploads(now, 100).await).await;
}

async fn questions_of_all(bench: &Bench) {
    let catalogue = &bench.catalogue;
    let page = catalogue.shared_pictures(None, None, 200).await.unwrap();
    let last = page.last().unwrap().content.clone();
    ask("shared_pictures, first page", async || catalogue.shared_pictures(None, None, 200).await)
        .await;
    ask("shared_pictures, next page", async || {
        catalogue.shared_pictures(None, Some(&last), 200).await
    })
    .await;
    ask("shared_pictures, last page", async || {
        catalogue.shared_pictures(None, Some("ff"), 200).await
    })
    .await;
    ask("shared_pictures of a task", async || {
        catalogue.shared_pictures(Some("even"), None, 200).await
    })
    .await;
    ask("team_pairs", async || catalogue.team_pairs(None).await).await;
}

async fn changes(bench: &Bench, held: &Holding) {
    let catalogue = &bench.catalogue;
    let fresh: Vec<NewFile> = (0..1_000)
        .map(|number| NewFile {
            path: format!("more/{number}.png"),
            object_key: format!("uploads/more/{number}"),
            content_type: "image/png".into(),
            size_bytes: 1_000,
            sha256: Some("00".into()),
        })
        .collect();
    once("add_files, 1,000", catalogue.add_files(held.open.id, &fresh)).await;
    once("add_files, the same", catalogue.add_files(held.open.id, &fresh)).await;
    let keys: Vec<(String, u64)> =
        fresh.iter().map(|file| (file.object_key.clone(), file.size_bytes)).collect();
    once("mark_found, 1,000", catalogue.mark_found(held.open.id, &keys)).await;
    once("complete", catalogue.complete(held.open.id)).await;
    let next = NewDataset {
        team_id: held.second.team,
        replaces: Some(held.second.id),
        ..NewDataset::default()
    };
    let next = once("start_dataset, the next version", catalogue.start_dataset(&next)).await;
    once("delete_dataset, the same", catalogue.delete_dataset(next.id)).await;
    once("delete_dataset, validated", catalogue.delete_dataset(held.twice.id)).await;
    once("claim", catalogue.claim(1, LEASE)).await;
    once("recount_usage", catalogue.recount_usage()).await;
    let spent = once("remove_spent", catalogue.remove_spent()).await;
    println!("  {spent:?}");
    once("expire", catalogue.expire(Duration::ZERO)).await;
    sizes(bench).await;
}
