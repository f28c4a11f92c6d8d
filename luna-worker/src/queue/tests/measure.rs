//! Figures for `docs/performance.md`; no test. `cargo test --release -p luna-worker --lib queue::tests::measure
//! -- --ignored --nocapture`.

use std::time::Instant;

use super::*;

/// Microseconds at the 50th, 95th and 100th percentile.
fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_micros();
    format!("p50 {} us, p95 {} us, max {} us", at(50), at(95), at(100))
}

#[test]
#[ignore = "measures"]
fn ten_thousand_items() {
    on_both(async |bench| {
        for team in 1..=24 {
            fill(bench, team, 10_000 / 24).await;
        }
        let (mut claims, mut enqueues, mut ends, mut stats) = (vec![], vec![], vec![], vec![]);
        for number in 0..1000 {
            let start = Instant::now();
            let lease = bench.claim().await;
            claims.push(start.elapsed());
            let start = Instant::now();
            bench
                .catalogue
                .enqueue(&item(number % 24 + 1, &format!("new {number}")))
                .await
                .unwrap();
            enqueues.push(start.elapsed());
            if number % 10 != 0 {
                let start = Instant::now();
                bench.catalogue.chore_done(&lease).await.unwrap();
                ends.push(start.elapsed());
            }
            if number % 20 == 0 {
                let start = Instant::now();
                bench.catalogue.queue_stats().await.unwrap();
                stats.push(start.elapsed());
            }
        }
        let mut crowd = Vec::new();
        for worker in 0..8 {
            let catalogue = bench.catalogue.clone();
            crowd.push(tokio::spawn(async move {
                let mut times = Vec::new();
                for _ in 0..100 {
                    let start = Instant::now();
                    let lease = catalogue.claim(worker, LEASE).await.unwrap();
                    times.push(start.elapsed());
                    if let Some(lease) = lease {
                        catalogue.chore_done(&lease).await.unwrap();
                    }
                }
                times
            }));
        }
        let mut crowded = Vec::new();
        for worker in crowd {
            crowded.extend(worker.await.unwrap());
        }
        println!("{}", bench.url.split(':').next().unwrap());
        println!("  claim    {}", percentiles(claims));
        println!("  claim, 8 at once  {}", percentiles(crowded));
        println!("  enqueue  {}", percentiles(enqueues));
        println!("  done     {}", percentiles(ends));
        println!("  stats    {}", percentiles(stats));
    });
}

#[test]
#[ignore = "measures"]
fn ten_thousand_records() {
    on_both(async |bench| {
        let job = bench.planned(bench.team("radiant").await, 10_000, 1).await;
        let lease = bench.claim().await;
        let names: Vec<String> =
            (0..10_000).map(|number| format!("images/{number:05}.png")).collect();
        let mut record = luna_core::Record::unknown(1);
        let values: Vec<u8> = (0..1024u32).map(|n| (n * n % 251) as u8).collect();
        record.descriptor = luna_core::Descriptor::new(&values);
        let start = Instant::now();
        let all: Vec<_> =
            names.iter().map(|n| crate::catalogue::tests::packed(n, &record)).collect();
        println!("  pack     {} us a record", start.elapsed().as_micros() / 10_000);
        let start = Instant::now();
        for batch in all.chunks(100) {
            bench.catalogue.store_records(&lease, batch, &[]).await.unwrap();
        }
        println!("  store    {} us a record", start.elapsed().as_micros() / 10_000);
        let start = Instant::now();
        let (mut pages, mut read) = (bench.catalogue.records_of(job), 0);
        loop {
            let page = pages.next().await.unwrap();
            if page.is_empty() {
                break;
            }
            read += page.iter().filter(|record| record.unpack().is_ok()).count();
        }
        assert_eq!(read, 10_000);
        println!("  read     {} us a record", start.elapsed().as_micros() / 10_000);
    });
}
