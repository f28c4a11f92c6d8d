use super::*;
use crate::catalogue::Catalogue;
use crate::events::EventKind;

#[test]
fn a_follower_hears_what_another_process_writes() {
    on_both(async |bench| {
        let job = bench.planned(bench.team("radiant").await, 40, 1).await;
        let lease = bench.claim().await;
        let writer = Catalogue::open(&bench.url, 2).await.unwrap();
        let mut follower = bench.catalogue.follow(job, 0);
        let writing = tokio::spawn(async move {
            for number in 0..40 {
                let path = format!("{number:02}");
                writer.store_records(&lease, &records(&[&path]), &[]).await.unwrap();
            }
            writer.cancel(job).await.unwrap();
            writer.close().await;
        });
        let mut heard = Vec::new();
        while heard.last().is_none_or(|event: &crate::events::Event| event.kind != EventKind::Done)
        {
            heard.extend(follower.next().await.unwrap());
        }
        writing.await.unwrap();
        assert_eq!(heard.len(), 41);
        assert!(heard.is_sorted_by(|a, b| a.id < b.id));

        // From the middle on, as with `Last-Event-ID`.
        let rest = bench.catalogue.follow(job, heard[29].id).next().await.unwrap();
        assert_eq!(rest, heard[30..]);
    });
}

#[test]
fn one_who_waits_for_work_is_woken() {
    on_both(async |bench| {
        let catalogue = bench.catalogue.clone();
        let waiting = tokio::spawn(async move {
            loop {
                // Far longer than any test: only the bell ends it, or finding the item at once.
                if let Some(lease) = catalogue.claim(1, LEASE).await.unwrap() {
                    return lease;
                }
                catalogue.wait_for_work(Duration::from_millis(500)).await;
            }
        });
        bench.catalogue.enqueue(&item(1, "a")).await.unwrap();
        assert_eq!(waiting.await.unwrap().team_id, 1);
    });
}

/// PostgreSQL alone has connections that can break.
#[test]
fn broken_connections_are_made_anew() {
    on_both(async |bench| {
        if bench.url.starts_with("sqlite") {
            return;
        }
        let catalogue = &bench.catalogue;
        let job = bench.planned(bench.team("radiant").await, 1, 1).await;
        let lease = bench.claim().await;
        let mut follower = catalogue.follow(job, 0);
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        catalogue.db.rows(sql, Vec::new()).await.unwrap();

        // A call may be told that the connection broke; it is worth another try, and that is enough.
        let mut tries = 0;
        while let Err(error) = catalogue.store_records(&lease, &records(&["a"]), &[]).await {
            assert!(error.is_temporary(), "{error:?}");
            tries += 1;
            assert!(tries < 20, "{error}");
        }
        let events = follower.next().await.unwrap();
        assert_eq!(events[0].body, r#"{"done":1,"total":1}"#);
    });
}
