use luna_core::source::ItemPath;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_same_key_is_queued_once() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        let new = item(1, "k");
        let (one, two) = tokio::join!(catalogue.enqueue(&new), catalogue.enqueue(&new));
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_eq!(one.0, two.0);
        assert!(one.1 != two.1);
        let lease = bench.claim().await;
        assert_eq!(catalogue.enqueue(&new).await.unwrap(), (lease.item_id, false));
        catalogue.chore_done(&lease).await.unwrap();
        assert_eq!(catalogue.enqueue(&new).await.unwrap(), (lease.item_id, false));
        assert_eq!(catalogue.claim(1, LEASE).await.unwrap(), None);
        let lost = catalogue.enqueue(&NewItem { job_id: Some(99), ..item(1, "x") }).await;
        assert!(matches!(lost, Err(Error::NotFound { .. })));
    });
}

#[test]
fn a_lease_that_ran_out_passes_on_and_its_holder_can_do_nothing() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        bench.stop_clock().await;
        let job = bench.planned(bench.team("radiant").await, 2, 1).await;
        let first = bench.claim().await;
        bench.advance(LEASE.saturating_sub(SECOND)).await;
        catalogue.heartbeat(&first, LEASE).await.unwrap();
        bench.advance(LEASE.saturating_sub(SECOND)).await;
        assert_eq!(catalogue.claim(2, LEASE).await.unwrap(), None);
        catalogue.store_records(&first, &records(&["a"]), &[]).await.unwrap();
        bench.advance(Duration::from_secs(2)).await;

        let second = catalogue.claim(2, LEASE).await.unwrap().unwrap();
        assert_eq!(second.item_id, first.item_id);
        assert!(second.token > first.token);
        assert!(!first.is_careful() && second.is_careful());
        let path = ItemPath::from("b");
        assert!(matches!(catalogue.heartbeat(&first, LEASE).await, Err(Error::LeaseLost)));
        assert!(matches!(catalogue.take_in_hand(&first, &path).await, Err(Error::LeaseLost)));
        let late = catalogue.store_records(&first, &records(&["b"]), &[]).await;
        assert!(matches!(late, Err(Error::LeaseLost)));
        assert!(matches!(catalogue.shard_done(&first).await, Err(Error::LeaseLost)));
        assert!(matches!(catalogue.release(&first).await, Err(Error::LeaseLost)));
        assert!(matches!(catalogue.fail(&first, "").await, Err(Error::LeaseLost)));
        assert!(matches!(catalogue.give_up(&first, "").await, Err(Error::LeaseLost)));
        assert_eq!(catalogue.job(job).await.unwrap().files_done, 1);
        catalogue.store_records(&second, &records(&["a", "b"]), &[]).await.unwrap();
        assert_eq!(catalogue.job(job).await.unwrap().files_done, 2);
        assert!(catalogue.shard_done(&second).await.unwrap());
    });
}

#[test]
fn what_is_handed_back_is_no_attempt_and_waits_for_nothing() {
    on_both(async |bench| {
        bench.catalogue.enqueue(&item(1, "a")).await.unwrap();
        let first = bench.claim().await;
        bench.catalogue.release(&first).await.unwrap();
        let second = bench.claim().await;
        assert_eq!((second.item_id, second.attempts), (first.item_id, 1));
        assert!(second.token > first.token);
    });
}

#[test]
fn a_file_that_kills_is_blamed_and_set_aside_and_its_neighbours_are_not() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        bench.stop_clock().await;
        let job = bench.planned(bench.team("radiant").await, 3, 1).await;
        // The first attempt takes all at once; nobody is blamed for its death.
        bench.claim().await;
        bench.advance(LEASE * 2).await;
        let poison = ItemPath::from("b");
        for death in 0..3 {
            assert!(catalogue.suspects(job).await.unwrap().iter().all(|s| !s.is_set_aside()));
            let lease = bench.claim().await;
            assert!(lease.is_careful());
            if death == 0 {
                catalogue.take_in_hand(&lease, &ItemPath::from("a")).await.unwrap();
                catalogue.store_records(&lease, &records(&["a"]), &[]).await.unwrap();
            }
            catalogue.take_in_hand(&lease, &poison).await.unwrap();
            bench.advance(LEASE * 2).await;
        }
        let lease = bench.claim().await;
        let suspects = catalogue.suspects(job).await.unwrap();
        assert_eq!(suspects.len(), 1);
        assert_eq!((&suspects[0].path, suspects[0].deaths), (&poison, 3));
        assert!(suspects[0].is_set_aside());
        // Handed back or failed with a file in hand is no death.
        catalogue.take_in_hand(&lease, &ItemPath::from("c")).await.unwrap();
        catalogue.release(&lease).await.unwrap();
        let lease = bench.claim().await;
        catalogue.take_in_hand(&lease, &ItemPath::from("c")).await.unwrap();
        catalogue.fail(&lease, "storage away").await.unwrap();
        bench.advance(LEASE * 2).await;
        bench.claim().await;
        bench.advance(LEASE * 2).await;
        bench.claim().await;
        assert_eq!(catalogue.suspects(job).await.unwrap(), suspects);
    });
}

#[test]
fn deaths_alone_end_an_item_only_without_headway() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        bench.stop_clock().await;
        let job = bench.planned(bench.team("radiant").await, 100, 1).await;
        for number in 0..MAX_LAPSES * 2 {
            let lease = bench.claim().await;
            let path = format!("{number:03}");
            catalogue.store_records(&lease, &records(&[&path]), &[]).await.unwrap();
            bench.advance(LEASE * 2).await;
        }
        // The last of those made headway before it died: one lapse.
        for _ in 0..MAX_LAPSES - 1 {
            bench.claim().await;
            bench.advance(LEASE * 2).await;
        }
        assert_eq!(catalogue.job(job).await.unwrap().state, JobState::Processing);
        assert_eq!(catalogue.claim(1, LEASE).await.unwrap(), None);
        let job = catalogue.job(job).await.unwrap();
        assert_eq!(job.state, JobState::Failed);
        assert!(job.error_message.unwrap().contains("12 workers in a row"));
    });
}

#[test]
fn a_plan_that_kills_is_given_up_too() {
    on_both(async |bench| {
        bench.stop_clock().await;
        let job = bench.job_of(bench.team("radiant").await).await;
        for _ in 0..MAX_LAPSES {
            let lease = bench.claim().await;
            bench.catalogue.begin_job(&lease).await.unwrap();
            bench.advance(LEASE * 2).await;
        }
        assert_eq!(bench.catalogue.claim(1, LEASE).await.unwrap(), None);
        assert_eq!(bench.catalogue.job(job).await.unwrap().state, JobState::Failed);
    });
}

#[test]
fn what_fails_waits_longer_each_time_then_dies_and_can_be_raised() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        bench.stop_clock().await;
        let job = bench.planned(bench.team("radiant").await, 9, 2).await;
        let mut waits = Vec::new();
        let dead = loop {
            // The other shard stays with its worker all the time.
            let Some(lease) = catalogue.claim(1, LEASE * 1000).await.unwrap() else { panic!() };
            if lease.payload == "1" {
                continue;
            }
            match catalogue.fail(&lease, "the storage is away").await.unwrap() {
                AfterFailure::Dead => break lease,
                AfterFailure::Retry(wait) => {
                    waits.push(wait.as_secs());
                    bench.advance(wait.saturating_sub(SECOND)).await;
                    if wait > SECOND {
                        let early = catalogue.claim(1, LEASE * 1000).await.unwrap();
                        assert!(early.is_none_or(|lease| lease.payload == "1"));
                    }
                    bench.advance(SECOND).await;
                }
            }
        };
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        let failed = catalogue.job(job).await.unwrap();
        assert_eq!(failed.state, JobState::Failed);
        assert_eq!(failed.error_message.as_deref(), Some("the storage is away"));
        assert_eq!(catalogue.claim(1, LEASE).await.unwrap(), None, "the other shard went with it");
        let letters = catalogue.dead_letters(0, 9).await.unwrap();
        assert_eq!(letters.len(), 1);
        assert_eq!(
            (letters[0].item_id, letters[0].reason.as_str()),
            (dead.item_id, "the storage is away")
        );
        assert_eq!(catalogue.queue_stats().await.unwrap().dead, 1);

        catalogue.retry(dead.item_id).await.unwrap();
        assert!(matches!(catalogue.retry(dead.item_id).await, Err(Error::NotFound { .. })));
        assert_eq!(catalogue.job(job).await.unwrap().state, JobState::Processing);
        for last in [false, true] {
            let lease = bench.claim().await;
            assert_eq!(catalogue.shard_done(&lease).await.unwrap(), last);
        }
        assert_eq!(bench.claim().await.kind, ItemKind::Conclude);
    });
}

#[test]
fn what_is_given_up_fails_its_job_at_once() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        let job = bench.planned(bench.team("radiant").await, 9, 2).await;
        let (first, second) = (bench.claim().await, bench.claim().await);
        catalogue.give_up(&first, "profile 3 is no profile").await.unwrap();
        let failed = catalogue.job(job).await.unwrap();
        assert_eq!(failed.state, JobState::Failed);
        assert!(matches!(catalogue.shard_done(&second).await, Err(Error::LeaseLost)));
        let again = catalogue.rerun(failed.dataset_id, None, 0).await.unwrap();
        let clash = catalogue.retry(first.item_id).await;
        assert!(matches!(clash, Err(Error::Conflict { .. })), "{clash:?}");
        assert_eq!(catalogue.job(again).await.unwrap().state, JobState::Pending);
    });
}

#[test]
fn the_last_of_many_shards_that_end_at_once_concludes_once() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        let job = bench.planned(bench.team("radiant").await, 12, 12).await;
        let mut leases = Vec::new();
        for _ in 0..12 {
            leases.push(bench.claim().await);
        }
        let ends: Vec<_> = leases
            .into_iter()
            .map(|lease| {
                let catalogue = catalogue.clone();
                tokio::spawn(async move {
                    let path = format!("file {}", lease.payload);
                    catalogue.store_records(&lease, &records(&[&path]), &[]).await.unwrap();
                    catalogue.shard_done(&lease).await.unwrap()
                })
            })
            .collect();
        let mut last = 0;
        for end in ends {
            last += usize::from(end.await.unwrap());
        }
        assert_eq!(last, 1);
        assert_eq!(catalogue.job(job).await.unwrap().files_done, 12);
        assert_eq!(bench.claim().await.kind, ItemKind::Conclude);
        assert_eq!(catalogue.claim(1, LEASE).await.unwrap(), None);
        // Events of one job are in the order in which they were written.
        let events = catalogue.events(job, 0, 99).await.unwrap();
        let told: Vec<&str> = events.iter().map(|event| event.body.as_str()).collect();
        let expected: Vec<String> =
            (1..=12).map(|done| format!(r#"{{"done":{done},"total":12}}"#)).collect();
        assert_eq!(told, expected);
    });
}

#[test]
fn the_queue_is_told_in_numbers() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        bench.stop_clock().await;
        assert_eq!(catalogue.queue_stats().await.unwrap(), Stats::default());
        bench.planned(bench.team("radiant").await, 9, 3).await;
        bench.claim().await;
        let worker = catalogue.register_worker("one").await.unwrap();
        catalogue.register_worker("two").await.unwrap();
        bench.advance(ALIVE).await;
        catalogue.worker_seen(worker).await.unwrap();
        let expected = Stats {
            queued: 2,
            leased: 1,
            dead: 0,
            unfinished_jobs: 1,
            oldest_job: Some(ALIVE),
            workers_alive: 1,
        };
        assert_eq!(catalogue.queue_stats().await.unwrap(), expected);
        catalogue.retire_worker(worker).await.unwrap();
        assert_eq!(catalogue.workers_alive().await.unwrap(), 0);
    });
}
