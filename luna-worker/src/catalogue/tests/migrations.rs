use super::*;
use crate::catalogue::connect::Pool;

async fn count(catalogue: &Catalogue, sql: &'static str) -> i64 {
    catalogue.db.first(sql, Vec::new()).await.unwrap().unwrap().get("n").unwrap()
}

#[test]
fn the_second_schema_keeps_what_the_first_held() {
    on_each_url(async |url| {
        let before = Catalogue::open_at(url, 2, 1).await.unwrap();
        for sql in [
            "INSERT INTO teams (name, created_at) VALUES ('radiant', 1)",
            "INSERT INTO datasets (team_id, lineage, version, name, description, state, created_at,
                 touched_at) VALUES (1, 1, 1, 'set', '', 'complete', 1, 1)",
            "INSERT INTO validation_jobs (dataset_id, state, created_at, completed_at)
                 VALUES (1, 'completed', 1, 5)",
            "INSERT INTO validation_jobs (dataset_id, state, created_at) VALUES (1, 'pending', 6)",
            "INSERT INTO queue_turns (team_id) VALUES (1)",
            "INSERT INTO queue (team_id, job_id, kind, item_key, payload, priority, turn, state,
                 run_at, created_at) VALUES (1, 2, 'plan', 'plan:2', '', 0, 0, 'queued', 6, 6)",
        ] {
            before.db.run(sql, Vec::new()).await.unwrap();
        }
        before.close().await;

        let after = Catalogue::open(url, 2).await.unwrap();
        let events = after.events(1, 0, 9).await.unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].body, r#"{"status":"completed"}"#);
        assert!(after.events(2, 0, 9).await.unwrap().is_empty());
        let lease = after.claim(1, LEASE).await.unwrap().unwrap();
        assert_eq!((lease.kind, lease.job_id), (ItemKind::Plan, Some(2)));
        after.begin_job(&lease).await.unwrap();
        after.close().await;

        // Once more: nothing happens twice.
        let again = Catalogue::open(url, 2).await.unwrap();
        assert_eq!(count(&again, "SELECT COUNT(*) AS n FROM events").await, 1);
        again.close().await;
    });
}

/// A migration that this program does not know.
async fn from_the_future(catalogue: &Catalogue) {
    let sql = "INSERT INTO _sqlx_migrations (version, description, success, checksum,
                   execution_time) SELECT 9, 'from the future', success, checksum, 1
               FROM _sqlx_migrations WHERE version = 1";
    catalogue.db.run(sql, Vec::new()).await.unwrap();
}

#[test]
fn a_newer_schema_that_only_added_is_worked_on() {
    on_each_url(async |url| {
        let catalogue = Catalogue::open(url, 2).await.unwrap();
        from_the_future(&catalogue).await;
        catalogue.close().await;
        let catalogue = Catalogue::open(url, 2).await.unwrap();
        catalogue.create_team("radiant").await.unwrap();
        catalogue.close().await;
    });
}

#[test]
fn a_newer_schema_that_took_something_away_is_refused() {
    on_each_url(async |url| {
        let catalogue = Catalogue::open(url, 2).await.unwrap();
        from_the_future(&catalogue).await;
        for sql in [
            "DROP VIEW schema_floor",
            "CREATE VIEW schema_floor AS SELECT CAST(9 AS BIGINT) AS oldest",
        ] {
            catalogue.db.run(sql, Vec::new()).await.unwrap();
        }
        catalogue.close().await;
        let error = Catalogue::open(url, 2).await.unwrap_err();
        assert!(matches!(error, Error::TooNew { found: 9, known: 5 }), "{error:?}");
        let text =
            "the database has schema 9, this version of LUNA knows 5; start the newer version";
        assert_eq!(error.to_string(), text);
    });
}

#[test]
fn a_migration_that_is_another_one_is_refused() {
    on_each_url(async |url| {
        let catalogue = Catalogue::open(url, 2).await.unwrap();
        let sql = "UPDATE _sqlx_migrations SET checksum = $1 WHERE version = 3";
        catalogue.db.run(sql, values![vec![1_u8]]).await.unwrap();
        catalogue.close().await;
        let error = Catalogue::open(url, 2).await.unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
    });
}

#[test]
fn a_role_that_may_create_nothing_is_enough_once_all_is_there() {
    on_each_url(async |url| {
        let owner = Catalogue::open(url, 2).await.unwrap();
        let Pool::Postgres(pool) = owner.db.pool() else { return owner.close().await };
        let role = format!("luna_plain_{}", std::process::id());
        for sql in [
            format!("CREATE ROLE {role} LOGIN"),
            format!(
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
            ),
        ] {
            sqlx::query(AssertSqlSafe(sql)).execute(pool).await.unwrap();
        }
        let (_, place) = url.split_once('@').unwrap();
        let plain = Catalogue::open(&format!("postgres://{role}@{place}"), 2).await.unwrap();
        plain.create_team("radiant").await.unwrap();
        let made = plain.db.run("CREATE TABLE more (id BIGINT)", Vec::new()).await;
        assert!(made.is_err(), "the role may create tables: this shows nothing");
        plain.close().await;
        for sql in [format!("DROP OWNED BY {role}"), format!("DROP ROLE {role}")] {
            sqlx::query(AssertSqlSafe(sql)).execute(pool).await.unwrap();
        }
        owner.close().await;
    });
}

#[test]
fn processes_that_start_at_once_migrate_once() {
    on_each_url(async |url| {
        let starts: Vec<_> = (0..16)
            .map(|_| {
                let url = url.to_owned();
                tokio::spawn(async move { Catalogue::open(&url, 2).await.unwrap() })
            })
            .collect();
        for start in starts {
            let catalogue = start.await.unwrap();
            assert_eq!(count(&catalogue, "SELECT COUNT(*) AS n FROM _sqlx_migrations").await, 5);
            catalogue.close().await;
        }
    });
}

/// Begins with the table that the migration comes to last.
async fn request(catalogue: &Catalogue) -> Result<()> {
    let mut tx = catalogue.db.begin().await?;
    tx.run("UPDATE validation_jobs SET completed_at = 1", Vec::new()).await?;
    tokio::time::sleep(Duration::from_millis(10)).await;
    tx.run("UPDATE files SET received_at = 1", Vec::new()).await?;
    tx.commit().await
}

#[test]
fn a_migration_of_several_tables_ends_no_request() {
    on_each_url(async |url| {
        let catalogue = Catalogue::open(url, 4).await.unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let requests: Vec<_> = (0..3)
            .map(|_| {
                let (catalogue, is_over) = (catalogue.clone(), is_over.clone());
                tokio::spawn(async move {
                    while !is_over.load(Ordering::SeqCst) {
                        request(&catalogue).await?;
                        tokio::time::sleep(Duration::from_millis(60)).await;
                    }
                    request(&catalogue).await
                })
            })
            .collect();
        let sql = "ALTER TABLE files ADD COLUMN of_the_next TEXT;
                   ALTER TABLE teams ADD COLUMN of_the_next TEXT;
                   ALTER TABLE validation_jobs ADD COLUMN of_the_next TEXT;";
        Catalogue::upgrade(url, sql).await.unwrap();
        is_over.store(true, Ordering::SeqCst);
        for request in requests {
            request.await.unwrap().unwrap();
        }
        let sql = "SELECT COUNT(of_the_next) AS n FROM validation_jobs";
        assert_eq!(count(&catalogue, sql).await, 0);
        catalogue.close().await;
    });
}
