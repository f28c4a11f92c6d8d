use luna_core::source::Defect;
use luna_core::{Measurements, Severity, examine};
use proptest::prelude::*;

use super::*;
use crate::events::{EventKind, Progress};

#[test]
fn records_come_back_as_they_were_and_none_twice() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        let job = bench.planned(bench.team("radiant").await, 1201, 1).await;
        let lease = bench.claim().await;
        let record = examine(b"no picture", &luna_core::Settings::default());
        let mut entry = entry(ItemPath::from_bytes(b"a/\xff\0.png".to_vec()), &record);
        entry.item.defects.push(Defect::Stray { place: "between".into(), offset: 1, bytes: 2 });
        let odd = StoredRecord::pack(&entry).unwrap();
        let names: Vec<String> = (0..1200).map(|number| format!("{number:04}")).collect();
        let all = records(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let progress = catalogue.store_records(&lease, &all[..700], &[]).await.unwrap();
        assert_eq!(progress, Progress { done: 700, total: 1201 });
        // A worker that took over does some again.
        catalogue.store_records(&lease, &all[500..], &[]).await.unwrap();
        let progress =
            catalogue.store_records(&lease, std::slice::from_ref(&odd), &[]).await.unwrap();
        assert_eq!(progress, Progress { done: 1201, total: 1201 });

        let mut pages = catalogue.records_of(job);
        let mut read = Vec::new();
        loop {
            let page = pages.next().await.unwrap();
            if page.is_empty() {
                break;
            }
            read.extend(page);
        }
        assert_eq!(read.len(), 1201);
        assert_eq!(read[..1200], all);
        assert_eq!(read[1200], odd);
        let unpacked = read[1200].unpack().unwrap();
        assert_eq!((unpacked.item, unpacked.record), (entry.item, entry.record));
        assert_eq!(read[1200].path().as_bytes(), b"a/\xff\0.png");

        let (first, last) = (ItemPath::from("0100"), ItemPath::from("0102"));
        let there = catalogue.recorded_paths(job, &first, &last).await.unwrap();
        assert_eq!(
            there.iter().map(ItemPath::as_str).collect::<Vec<_>>(),
            ["0100", "0101", "0102"]
        );

        // Three lines of one event each tell what came.
        let events = catalogue.events(job, 0, 9).await.unwrap();
        let told: Vec<&str> = events.iter().map(|event| event.body.as_str()).collect();
        let json = |done: u64| Progress { done, total: 1201 }.to_json();
        assert_eq!(told, [json(700), json(1200), json(1201)]);
    });
}

#[test]
fn a_damaged_record_is_said_to_be_one() {
    on_both(async |bench| {
        let job = bench.planned(bench.team("radiant").await, 1, 1).await;
        let lease = bench.claim().await;
        bench.catalogue.store_records(&lease, &records(&["a"]), &[]).await.unwrap();
        let sql = "UPDATE records SET body = $1";
        for body in [&[][..], &[9, 9], &[1, 255, 255]] {
            bench.catalogue.db.run(sql, values![body]).await.unwrap();
            let page = bench.catalogue.records_of(job).next().await.unwrap();
            assert!(matches!(page[0].unpack(), Err(Error::Corrupt { .. })));
        }
    });
}

#[test]
fn a_job_ends_once_with_its_report() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        bench.stop_clock().await;
        let job = bench.planned(bench.team("radiant").await, 1, 1).await;
        let shard = bench.claim().await;
        let report = report();
        catalogue.store_records(&shard, &records(&["a"]), &report.files[0].findings).await.unwrap();
        assert!(catalogue.shard_done(&shard).await.unwrap());
        assert!(matches!(catalogue.shard_done(&shard).await, Err(Error::LeaseLost)));

        let slow = bench.claim().await;
        assert_eq!(slow.kind, ItemKind::Conclude);
        bench.advance(LEASE * 2).await;
        let quick = bench.claim().await;
        assert_eq!(quick.item_id, slow.item_id);
        let refused = catalogue.finish_job(&slow, &outcome(&report)).await;
        assert!(matches!(refused, Err(Error::LeaseLost)));
        assert!(catalogue.findings(job, &FindingFilter::default(), 9).await.unwrap().is_empty());
        let file = NewArtifact {
            name: "report.json".into(),
            object_key: "k".into(),
            content_type: "application/json".into(),
            size_bytes: 5,
            sha256: "00".into(),
        };
        let full = Outcome { artifacts: vec![file.clone()], ..outcome(&report) };
        catalogue.finish_job(&quick, &full).await.unwrap();
        assert!(matches!(catalogue.finish_job(&quick, &full).await, Err(Error::LeaseLost)));

        let ended = catalogue.job(job).await.unwrap();
        assert_eq!((ended.state, ended.verdict.as_deref()), (JobState::Completed, Some("fail")));
        assert!(ended.started_at.is_some() && ended.completed_at.is_some());
        assert_eq!(catalogue.artifacts(job).await.unwrap()[0].file, file);
        assert_eq!(catalogue.latest_job(ended.dataset_id).await.unwrap(), ended);
        let kinds: Vec<EventKind> =
            catalogue.events(job, 0, 99).await.unwrap().iter().map(|event| event.kind).collect();
        assert_eq!(kinds.last(), Some(&EventKind::Done));
        assert_eq!(kinds.iter().filter(|kind| **kind == EventKind::Done).count(), 1);
        assert!(kinds.contains(&EventKind::Finding) && kinds.contains(&EventKind::Progress));
        assert_eq!(catalogue.claim(1, LEASE).await.unwrap(), None);
    });
}

#[test]
fn findings_are_found_by_rule_severity_path_and_page() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        let job = bench.planned(bench.team("radiant").await, 0, 0).await;
        let mut report = report();
        let one = report.all_findings().next().unwrap().clone();
        report.files.clear();
        report.findings = (0..1200)
            .map(|number| {
                let mut finding = one.clone();
                finding.rule = format!("LX{:03}", number % 3).into();
                finding.severity = Severity::ALL[number % 2];
                finding.path = (number != 7).then(|| format!("{}.png", number / 2).into());
                finding.message = "a \0 and a ' in it".to_owned();
                finding
            })
            .collect();
        catalogue.finish_job(&bench.claim().await, &outcome(&report)).await.unwrap();

        let all = catalogue.findings(job, &FindingFilter::default(), 2000).await.unwrap();
        let positions = |found: &[StoredFinding]| -> Vec<u64> {
            found.iter().map(|finding| finding.position).collect()
        };
        assert_eq!(positions(&all), (0..1200).collect::<Vec<_>>());
        assert!(all.iter().map(|stored| &stored.finding).eq(&report.findings));
        let filter = FindingFilter {
            rule: Some("LX001".into()),
            severity: Some(Severity::Error),
            ..FindingFilter::default()
        };
        let page = catalogue.findings(job, &filter, 2).await.unwrap();
        assert_eq!(positions(&page), [4, 10]);
        let next = FindingFilter { after: Some(10), ..filter };
        assert_eq!(positions(&catalogue.findings(job, &next, 2).await.unwrap()), [16, 22]);
        let of_file = FindingFilter { path: Some("3.png".into()), ..FindingFilter::default() };
        assert_eq!(positions(&catalogue.findings(job, &of_file, 9).await.unwrap()), [6]);
        let rules = catalogue.rules_at(job, &["4.png", "3.png", "none.png"]).await.unwrap();
        let rules: Vec<_> = rules.into_iter().collect();
        let [first, second, _] = Severity::ALL;
        assert_eq!(
            rules,
            [
                ("3.png".to_owned(), [(first, "LX000".to_owned())].into()),
                ("4.png".to_owned(), [(first, "LX002".into()), (second, "LX000".into())].into()),
            ]
        );
    });
}

#[test]
fn a_cancelled_job_is_lost_to_who_works_it_and_can_be_run_again() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        let team = bench.team("radiant").await;
        let job = bench.planned(team, 2, 2).await;
        let dataset = catalogue.job(job).await.unwrap().dataset_id;
        let lease = bench.claim().await;
        assert!(matches!(catalogue.rerun(dataset, None, 0).await, Err(Error::Conflict { .. })));
        catalogue.cancel(job).await.unwrap();
        catalogue.cancel(job).await.unwrap();
        let path = ItemPath::from("a");
        assert!(matches!(catalogue.heartbeat(&lease, LEASE).await, Err(Error::LeaseLost)));
        assert!(matches!(catalogue.take_in_hand(&lease, &path).await, Err(Error::LeaseLost)));
        assert!(matches!(
            catalogue.store_records(&lease, &records(&["a"]), &[]).await,
            Err(Error::LeaseLost)
        ));
        assert!(matches!(catalogue.shard_done(&lease).await, Err(Error::LeaseLost)));
        assert!(matches!(catalogue.fail(&lease, "x").await, Err(Error::LeaseLost)));
        assert!(matches!(catalogue.release(&lease).await, Err(Error::LeaseLost)));
        assert_eq!(catalogue.claim(1, LEASE).await.unwrap(), None);
        assert_eq!(catalogue.job(job).await.unwrap().state, JobState::Cancelled);
        let done = catalogue.events(job, 0, 9).await.unwrap();
        assert_eq!(done.last().unwrap().body, r#"{"status":"cancelled","verdict":null}"#);

        let profile = catalogue.keep_profile("p", "", "h").await.unwrap();
        let again = catalogue.rerun(dataset, Some(profile.id), 0).await.unwrap();
        let both = catalogue.jobs_of(dataset).await.unwrap();
        assert_eq!(both.iter().map(|job| job.id).collect::<Vec<_>>(), [again, job]);
        assert_eq!(both[0].profile_id, Some(profile.id));
        assert_eq!(bench.claim().await.job_id, Some(again));
        let open = NewDataset { team_id: team, ..NewDataset::default() };
        let open = catalogue.start_dataset(&open).await.unwrap().id;
        assert!(matches!(catalogue.rerun(open, None, 0).await, Err(Error::Conflict { .. })));
    });
}

#[test]
fn a_team_is_told_where_it_stands() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        let team = bench.team("radiant").await;
        catalogue.register_worker("w").await.unwrap();
        let first = bench.planned(team, 5, 1).await;
        let second = bench.job_of(team).await;
        let lease = bench.claim().await;
        assert_eq!(lease.job_id, Some(first), "its shard is older than the other plan");
        catalogue.store_records(&lease, &records(&["a", "b"]), &[]).await.unwrap();
        let place = catalogue.queue_place(second).await.unwrap();
        assert_eq!(place, QueuePlace { position: 2, files_ahead: 3, workers_alive: 1 });
        assert_eq!(catalogue.queue_place(first).await.unwrap().position, 1);
        catalogue.cancel(second).await.unwrap();
        assert_eq!(catalogue.queue_place(second).await.unwrap().position, 0);

        catalogue.log(first, LogLevel::Info, "It goes on").await.unwrap();
        let lines = catalogue.logs(first, 9).await.unwrap();
        let lines: Vec<&str> = lines.iter().map(|line| line.message.as_str()).collect();
        assert_eq!(lines, ["5 files to look at", "It goes on"]);
        assert!(matches!(catalogue.log(99, LogLevel::Info, "").await, Err(Error::NotFound { .. })));
    });
}

proptest! {
    /// So the report of a job that was taken over is that of one that was not, byte for byte.
    #[test]
    fn a_record_that_was_packed_is_written_as_before(
        numbers in prop::collection::vec(prop_oneof![any::<f32>().prop_map(f64::from), -1e6..1e6f64], 11),
        years in prop::option::of(0f32..120.0),
        descriptor in prop::option::of(prop::collection::vec(any::<u8>(), 1024)),
    ) {
        prop_assume!(numbers.iter().all(|number| number.is_finite()));
        let mut record = Record::unknown(7);
        record.facts.measurements = Some(Measurements {
            min: numbers[0],
            max: numbers[1],
            mean: numbers[2],
            std: numbers[3],
            p01: numbers[4],
            p50: numbers[5],
            p99: numbers[6],
            entropy_bits: numbers[7],
            clipped_low: numbers[8],
            clipped_high: numbers[9],
            distinct_values: 9,
            sharpness: numbers[10],
        });
        record.age_years = years;
        record.descriptor = descriptor.and_then(|values| luna_core::Descriptor::new(&values));
        let again = packed("a", &record).unpack().unwrap().record;
        prop_assert_eq!(again.age_years, record.age_years);
        prop_assert_eq!(
            serde_json::to_string(&again).unwrap(),
            serde_json::to_string(&record).unwrap()
        );
    }
}
