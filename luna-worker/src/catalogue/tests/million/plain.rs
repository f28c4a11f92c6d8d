//! The questions as one would ask them without a thought for time, and that the quick ones answer the same.

use super::super::*;
use super::crowd::{self, Holding};
use crate::catalogue::engine::Row;

/// Files and bytes of a team, each object once.
pub(in super::super) async fn usage(bench: &Bench, team: i64) -> Result<(u64, u64)> {
    let sql = "SELECT COUNT(*) AS files, CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) AS bytes
               FROM (SELECT DISTINCT f.object_key, f.size_bytes FROM files f
                     JOIN datasets d ON d.id = f.dataset_id WHERE d.team_id = $1) held";
    let row = bench.catalogue.db.first(sql, values![team]).await?.unwrap();
    Ok((row.count("files")?, row.count("bytes")?))
}

/// Files that were announced, and that came.
pub(super) async fn counted(bench: &Bench, dataset: i64) -> Result<(u64, u64)> {
    let sql = "SELECT COUNT(*) AS files, COUNT(received_at) AS received FROM files
               WHERE dataset_id = $1";
    let row = bench.catalogue.db.first(sql, values![dataset]).await?.unwrap();
    Ok((row.count("files")?, row.count("received")?))
}

/// Files before a job that have no record.
pub(super) async fn files_ahead(bench: &Bench, job: i64) -> Result<u64> {
    let sql = "SELECT CAST(COALESCE(SUM(CASE WHEN files_total > 0 THEN files_total - files_done
                   ELSE (SELECT COUNT(*) FROM files f WHERE f.dataset_id = j.dataset_id)
               END), 0) AS BIGINT) AS files
               FROM validation_jobs j WHERE state IN ('pending', 'processing') AND id < $1";
    bench.catalogue.db.first(sql, values![job]).await?.unwrap().count("files")
}

const NEWEST: &str = "WITH newest AS (
    SELECT d.team_id, d.id AS dataset_id, MAX(j.id) AS job_id
    FROM datasets d JOIN validation_jobs j ON j.dataset_id = d.id AND j.state = 'completed'
    WHERE ($1 = '' OR d.task_id IN (SELECT id FROM tasks WHERE name = $1))
        AND NOT EXISTS (
            SELECT 1 FROM datasets later
            JOIN validation_jobs done ON done.dataset_id = later.id AND done.state = 'completed'
            WHERE later.lineage = d.lineage AND later.version > d.version)
    GROUP BY d.team_id, d.id)";

/// Places of pictures that several teams have, as they are told: content, team, data set, path.
pub(super) type Place = (String, i64, i64, String);

pub(super) async fn shared(bench: &Bench, task: &str, limit: i64) -> Result<Vec<Place>> {
    let sql = format!(
        "{NEWEST}, shared AS (
            SELECT f.content FROM fingerprints f JOIN newest n ON n.job_id = f.job_id
            GROUP BY f.content HAVING COUNT(DISTINCT n.team_id) > 1
            ORDER BY f.content LIMIT $2)
         SELECT f.content, n.team_id, n.dataset_id, f.path
         FROM shared s JOIN fingerprints f ON f.content = s.content
         JOIN newest n ON n.job_id = f.job_id
         ORDER BY f.content, n.team_id, n.dataset_id, f.path"
    );
    let place = |row: &Row| {
        let content = hex::encode(row.get::<Vec<u8>>("content")?);
        Ok((content, row.get("team_id")?, row.get("dataset_id")?, row.get("path")?))
    };
    let rows = bench.catalogue.db.rows(AssertSqlSafe(sql), values![task, limit]).await?;
    rows.iter().map(place).collect()
}

/// Pairs of teams, counted by joining all that each has with all that the others have.
pub(super) async fn pairs(bench: &Bench, task: &str) -> Result<Vec<TeamPair>> {
    let sql = format!(
        "{NEWEST}, held AS (
            SELECT DISTINCT n.team_id, f.content
            FROM fingerprints f JOIN newest n ON n.job_id = f.job_id)
         SELECT a.team_id AS first, b.team_id AS second, COUNT(*) AS pictures
         FROM held a JOIN held b ON b.content = a.content AND b.team_id > a.team_id
         GROUP BY a.team_id, b.team_id ORDER BY a.team_id, b.team_id"
    );
    let pair = |row: &Row| {
        let (first, second) = (row.get("first")?, row.get("second")?);
        Ok(TeamPair { first, second, pictures: row.count("pictures")? })
    };
    bench.catalogue.db.rows(AssertSqlSafe(sql), values![task]).await?.iter().map(pair).collect()
}

fn flat(shared: &[SharedPicture]) -> Vec<Place> {
    let place = |picture: &SharedPicture| {
        let content = picture.content.clone();
        let of =
            move |it: &SharedPlace| (content.clone(), it.team_id, it.dataset_id, it.path.clone());
        picture.places.iter().map(of).collect::<Vec<_>>()
    };
    shared.iter().flat_map(place).collect()
}

#[test]
fn quick_questions_are_answered_as_plain_ones() {
    on_both(async |bench| {
        let crowd = crowd::fill(bench, 5, 20_000).await;
        let catalogue = &bench.catalogue;
        for (task, asked) in [("", None), ("even", Some("even")), ("none", Some("none"))] {
            let pairs = catalogue.team_pairs(asked).await.unwrap();
            assert_eq!(pairs, self::pairs(bench, task).await.unwrap());
            let all = catalogue.shared_pictures(asked, None, 100_000).await.unwrap();
            assert_eq!(flat(&all), shared(bench, task, 100_000).await.unwrap());
            assert_eq!((pairs.len() > 2, all.len() > 30), (task != "none", task != "none"));
            let mut pages = Vec::new();
            loop {
                let after = pages.last().map(|it: &SharedPicture| it.content.clone());
                let page = catalogue.shared_pictures(asked, after.as_deref(), 37).await.unwrap();
                if page.is_empty() {
                    break;
                }
                pages.extend(page);
            }
            assert_eq!(pages, all);
        }
        for Holding { first, second, open, waits, .. } in crowd {
            for set in [first, second, open] {
                let plain = counted(bench, set.id).await.unwrap();
                assert_eq!(catalogue.count_files(set.id).await.unwrap(), plain);
                assert_eq!(plain.0, set.files);
            }
            let waiting = catalogue.latest_job(waits.id).await.unwrap().id;
            let plain = files_ahead(bench, waiting).await.unwrap();
            assert_eq!(catalogue.queue_place(waiting).await.unwrap().files_ahead, plain);
        }
    });
}
