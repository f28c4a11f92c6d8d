use super::*;

fn new(path: &str, key: &str, sha256: Option<&str>) -> NewFile {
    NewFile {
        path: path.into(),
        object_key: key.into(),
        content_type: "image/png".into(),
        size_bytes: 10,
        sha256: sha256.map(str::to_owned),
    }
}

async fn begun(bench: &Bench, team_id: i64) -> i64 {
    let new = NewDataset { team_id, name: "set".into(), ..NewDataset::default() };
    bench.catalogue.start_dataset(&new).await.unwrap().id
}

fn paths(files: &[File]) -> Vec<&str> {
    files.iter().map(|file| file.path.as_str()).collect()
}

#[test]
fn files_come_back_as_asked_and_are_listed_by_bytes() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        let set = begun(bench, bench.team("radiant").await).await;
        let names = ["b.png", "B.png", "ä.png", "a/'; DROP TABLE files; --.png", "a b.png"];
        let asked: Vec<NewFile> = names.iter().map(|name| new(name, name, None)).collect();
        let (files, orphans) = catalogue.add_files(set, &asked).await.unwrap();
        assert_eq!(paths(&files), names);
        assert!(orphans.is_empty());

        let mut sorted = names;
        sorted.sort_unstable();
        assert_eq!(paths(&catalogue.files(set, None, 10).await.unwrap()), sorted);
        assert_eq!(paths(&catalogue.files(set, Some(sorted[1]), 2).await.unwrap()), sorted[2..4]);
        let under = catalogue.files_under(set, "a", None, 10).await.unwrap();
        assert_eq!(paths(&under), ["a b.png", "a/'; DROP TABLE files; --.png"]);
        let under = catalogue.files_under(set, "a", Some("a b.png"), 10).await.unwrap();
        assert_eq!(paths(&under), ["a/'; DROP TABLE files; --.png"]);
        assert!(catalogue.files_under(set, "a%", None, 10).await.unwrap().is_empty());
        assert_eq!(catalogue.file(set, files[0].id).await.unwrap(), files[0]);
        assert!(matches!(catalogue.file(set + 1, files[0].id).await, Err(Error::NotFound { .. })));

        for bad in [vec![new("nul\0", "k", None)], vec![new("x", "k", None), new("x", "l", None)]] {
            let refused = catalogue.add_files(set, &bad).await;
            assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
        }
        let many: Vec<NewFile> =
            (0..1000).map(|n| new(&format!("{n:04}"), &format!("k{n}"), None)).collect();
        let (files, _) = catalogue.add_files(set, &many).await.unwrap();
        assert!(files.iter().zip(&many).all(|(file, asked)| file.path == asked.path));
        assert_eq!(catalogue.files(set, None, 2000).await.unwrap().len(), 1005);
    });
}

#[test]
fn what_went_past_us_is_noted_in_one_step() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        let team = bench.team("radiant").await;
        let (set, other) = (begun(bench, team).await, begun(bench, team).await);
        let asked = [new("a", "ka", Some("aa")), new("b", "kb", None), new("c", "kc", None)];
        catalogue.add_files(set, &asked).await.unwrap();
        catalogue.add_files(other, &[new("a", "other", None)]).await.unwrap();
        let object = |key: &str, size| (key.to_owned(), size);
        let found = [object("ka", 10), object("kb", 9), object("nobodys", 1), object("other", 10)];
        let arrived = catalogue.mark_found(set, &found).await.unwrap();
        assert_eq!(arrived, Arrived { files: 1, bytes: 10, unfit: vec!["kb".to_owned()] });
        assert_eq!(paths(&catalogue.missing_files(set, None, 10).await.unwrap()), ["b", "c"]);
        assert_eq!(paths(&catalogue.missing_files(other, None, 10).await.unwrap()), ["a"]);
        assert_eq!(catalogue.file(set, 1).await.unwrap().received_bytes, 10);
        let again = catalogue.mark_found(set, &found[..1]).await.unwrap();
        assert_eq!(again, Arrived::default());
        catalogue.complete(set).await.unwrap();
        let late = catalogue.mark_found(set, &[object("kc", 9)]).await.unwrap();
        assert_eq!(late, Arrived::default());
        assert_eq!(catalogue.count_files(set).await.unwrap(), (3, 1));
    });
}

#[test]
fn what_arrives_is_what_was_announced() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        let set = begun(bench, bench.team("radiant").await).await;
        let asked = [new("a", "ka", Some("aa")), new("b", "kb", None)];
        let (files, _) = catalogue.add_files(set, &asked).await.unwrap();
        let (a, b) = (files[0].id, files[1].id);

        for (key, size, sha) in [("ka", 9, "aa"), ("ka", 10, "ab"), ("other", 10, "aa")] {
            let refused = catalogue.mark_received(set, a, key, size, Some(sha)).await;
            assert!(matches!(refused, Err(Error::Conflict { .. })), "{key} {size} {sha}");
        }
        assert_eq!(paths(&catalogue.missing_files(set, None, 10).await.unwrap()), ["a", "b"]);
        catalogue.mark_received(set, a, "ka", 10, Some("aa")).await.unwrap();
        assert_eq!(paths(&catalogue.missing_files(set, None, 10).await.unwrap()), ["b"]);

        // Of two who go on from the same offset, one is refused.
        let (one, two) = tokio::join!(
            catalogue.advance_file(b, "kb", 0, 4),
            catalogue.advance_file(b, "kb", 0, 6),
        );
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
        assert!(catalogue.advance_file(b, "kb", 0, 4).await.is_err());
        let reached = catalogue.file(set, b).await.unwrap().received_bytes;
        assert!(catalogue.advance_file(b, "kb", reached, 11).await.is_err());
        catalogue.advance_file(b, "kb", reached, 10).await.unwrap();
        catalogue.mark_received(set, b, "kb", 10, Some("bb")).await.unwrap();
        assert_eq!(catalogue.file(set, b).await.unwrap().sha256.as_deref(), Some("bb"));

        // Announced again: what is known by its SHA-256 stays, the rest is to be sent anew.
        let again = [new("a", "ka2", Some("aa")), new("b", "kb2", None), new("c", "kc", None)];
        let (files, orphans) = catalogue.add_files(set, &again).await.unwrap();
        let keys: Vec<&str> = files.iter().map(|file| file.object_key.as_str()).collect();
        assert_eq!(keys, ["ka", "kb2", "kc"]);
        assert_eq!(orphans, ["kb"]);
        assert_eq!(paths(&catalogue.missing_files(set, None, 10).await.unwrap()), ["b", "c"]);

        catalogue.complete(set).await.unwrap();
        catalogue.mark_received(set, a, "ka", 10, Some("aa")).await.unwrap();
        let late = catalogue.mark_received(set, files[2].id, "kc", 10, Some("cc")).await;
        assert!(matches!(late, Err(Error::Conflict { .. })));
        let late = catalogue.add_files(set, &again).await;
        assert!(matches!(late, Err(Error::Conflict { .. })));
    });
}

#[test]
fn complete_makes_one_job_however_often_it_is_called() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        let set = begun(bench, bench.team("radiant").await).await;
        let calls: Vec<_> = (0..8)
            .map(|_| {
                let catalogue = catalogue.clone();
                tokio::spawn(async move { catalogue.complete(set).await.unwrap() })
            })
            .collect();
        let mut answers = Vec::new();
        for call in calls {
            answers.push(call.await.unwrap());
        }
        assert_eq!(answers.iter().filter(|answer| answer.newly).count(), 1);
        assert!(answers.iter().all(|answer| answer.job_id == answers[0].job_id));
        assert_eq!(bench.count("SELECT COUNT(*) AS n FROM validation_jobs").await, 1);
        assert_eq!(bench.count("SELECT COUNT(*) AS n FROM queue").await, 1);
        assert!(matches!(catalogue.complete(99).await, Err(Error::NotFound { .. })));
    });
}

#[test]
fn a_version_takes_over_what_arrived() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        let (team, other) = (bench.team("radiant").await, bench.team("other").await);
        let set = begun(bench, team).await;
        let asked = [
            new("a", "ka", Some("aa")),
            new("b", "kb", Some("bb")),
            new("c", "kc", Some("cc")),
            new("d", "kd", Some("dd")),
        ];
        let (files, _) = catalogue.add_files(set, &asked).await.unwrap();
        for file in &files[..3] {
            let sha256 = file.sha256.as_deref().unwrap();
            catalogue
                .mark_received(set, file.id, &file.object_key, 10, Some(sha256))
                .await
                .unwrap();
        }
        let stolen = NewDataset { team_id: other, replaces: Some(set), ..NewDataset::default() };
        assert!(matches!(catalogue.start_dataset(&stolen).await, Err(Error::NotFound { .. })));

        let next = NewDataset {
            team_id: team,
            replaces: Some(set),
            remove: vec!["c".into()],
            ..NewDataset::default()
        };
        let second = catalogue.start_dataset(&next).await.unwrap();
        assert_eq!((second.lineage, second.version), (set, 2));
        assert_eq!(paths(&catalogue.files(second.id, None, 9).await.unwrap()), ["a", "b"]);
        let asked = [new("a", "x", Some("aa")), new("b", "kb2", Some("b2"))];
        let (files, orphans) = catalogue.add_files(second.id, &asked).await.unwrap();
        assert_eq!((files[0].object_key.as_str(), files[1].object_key.as_str()), ("ka", "kb2"));
        assert!(files[0].received_at.is_some() && files[1].received_at.is_none());
        assert!(orphans.is_empty(), "the first version still has kb");
        let versions = catalogue.versions(set).await.unwrap();
        assert_eq!(versions.iter().map(|set| set.version).collect::<Vec<_>>(), [1, 2]);

        assert_eq!(catalogue.datasets(Some(team), None, 9).await.unwrap().len(), 2);
        assert_eq!(catalogue.datasets(None, Some(second.id), 9).await.unwrap()[0].id, set);
        assert!(matches!(catalogue.dataset(set, Some(other)).await, Err(Error::NotFound { .. })));
        assert_eq!(catalogue.dataset(set, Some(team)).await.unwrap().id, set);
        assert_eq!(catalogue.dataset(set, None).await.unwrap().id, set);

        let gone = catalogue.delete_dataset(set).await.unwrap();
        assert_eq!(gone.object_keys, ["kb", "kc", "kd"]);
        let gone = catalogue.delete_dataset(second.id).await.unwrap();
        assert_eq!(gone.object_keys, ["ka", "kb2"]);
        assert!(matches!(catalogue.delete_dataset(set).await, Err(Error::NotFound { .. })));
    });
}

#[test]
fn two_next_versions_at_once_are_two_versions() {
    on_both(async |bench| {
        let team = bench.team("radiant").await;
        let set = begun(bench, team).await;
        let calls: Vec<_> = (0..4)
            .map(|_| {
                let catalogue = bench.catalogue.clone();
                let next =
                    NewDataset { team_id: team, replaces: Some(set), ..NewDataset::default() };
                tokio::spawn(async move { catalogue.start_dataset(&next).await.unwrap().version })
            })
            .collect();
        let mut versions = Vec::new();
        for call in calls {
            versions.push(call.await.unwrap());
        }
        versions.sort_unstable();
        assert_eq!(versions, [2, 3, 4, 5]);
    });
}

#[test]
fn a_team_goes_with_all_it_had() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        let (team, other) = (bench.team("radiant").await, bench.team("other").await);
        catalogue.create_user(team, "ann", "", Role::User).await.unwrap();
        catalogue.create_api_key(team, "ci", "a", Scope::Read, None).await.unwrap();
        catalogue.create_invite(team, Role::User, "t", Moment(0)).await.unwrap();
        let set = begun(bench, team).await;
        catalogue.add_files(set, &[new("a", "ka", None)]).await.unwrap();
        let job = bench.planned(team, 1, 1).await;
        let lease = bench.claim().await;
        catalogue.store_records(&lease, &records(&["a"]), &[]).await.unwrap();
        catalogue.shard_done(&lease).await.unwrap();
        let report = report();
        let artifact = NewArtifact {
            name: "report.json".into(),
            object_key: "report".into(),
            content_type: "application/json".into(),
            size_bytes: 3,
            sha256: "ff".into(),
        };
        let outcome = Outcome { artifacts: vec![artifact], ..outcome(&report) };
        catalogue.finish_job(&bench.claim().await, &outcome).await.unwrap();
        bench.job_of(team).await;
        let kept = bench.job_of(other).await;

        let gone = catalogue.delete_team(team).await.unwrap();
        assert_eq!(gone.object_keys, ["ka", "report"]);
        assert_eq!(gone.datasets.len(), 3);
        assert!(matches!(catalogue.job(job).await, Err(Error::NotFound { .. })));
        assert!(catalogue.job(kept).await.is_ok());
        for (rows, sql) in [
            (0, "SELECT COUNT(*) AS n FROM users"),
            (0, "SELECT COUNT(*) AS n FROM api_keys"),
            (0, "SELECT COUNT(*) AS n FROM invites"),
            (0, "SELECT COUNT(*) AS n FROM records"),
            (0, "SELECT COUNT(*) AS n FROM findings"),
            (0, "SELECT COUNT(*) AS n FROM artifacts"),
            (0, "SELECT COUNT(*) AS n FROM events"),
            (1, "SELECT COUNT(*) AS n FROM queue"),
            (1, "SELECT COUNT(*) AS n FROM queue_turns"),
        ] {
            assert_eq!(bench.count(sql).await, rows, "{sql}");
        }
        assert!(matches!(catalogue.delete_team(team).await, Err(Error::NotFound { .. })));
    });
}

#[test]
fn old_things_go_and_new_things_stay() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        bench.stop_clock().await;
        let team = bench.team("radiant").await;
        let abandoned = begun(bench, team).await;
        catalogue.add_files(abandoned, &[new("a", "ka", None)]).await.unwrap();
        let job = bench.planned(team, 0, 0).await;
        catalogue.finish_job(&bench.claim().await, &outcome(&report())).await.unwrap();
        let old = catalogue.job(job).await.unwrap().dataset_id;
        let running = catalogue.job(bench.job_of(team).await).await.unwrap().dataset_id;
        catalogue.create_invite(team, Role::User, "t", Moment(0)).await.unwrap();
        let worker = catalogue.register_worker("w").await.unwrap();
        bench.advance(Duration::from_secs(100)).await;
        let touched = begun(bench, team).await;
        let before = catalogue.now().await.unwrap().before(Duration::from_secs(50));

        assert_eq!(catalogue.abandoned_uploads(before, 9).await.unwrap(), [abandoned]);
        assert_eq!(catalogue.old_datasets(before, 9).await.unwrap(), [old]);
        let named = [abandoned, old, running, touched];
        let gone = catalogue.remove_if_untouched(&named, before).await.unwrap();
        assert_eq!(gone.datasets, [abandoned, old]);
        assert_eq!(gone.object_keys, ["ka"]);

        assert!(catalogue.worker_seen(worker).await.is_ok());
        let expired = catalogue.expire(Duration::from_secs(50)).await.unwrap();
        assert_eq!(expired, Expired { invites: 1, ..Expired::default() });
        bench.advance(Duration::from_secs(100)).await;
        assert_eq!(catalogue.expire(Duration::from_secs(50)).await.unwrap().workers, 1);
        assert!(matches!(catalogue.worker_seen(worker).await, Err(Error::NotFound { .. })));
    });
}

#[test]
fn usage_counts_what_versions_share_once() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        let team = bench.team("radiant").await;
        let first = begun(bench, team).await;
        let asked = [new("a", "ka", Some("aa")), new("b", "kb", None)];
        let (files, _) = catalogue.add_files(first, &asked).await.unwrap();
        catalogue.mark_received(first, files[0].id, "ka", 10, Some("aa")).await.unwrap();
        assert_eq!(catalogue.count_files(first).await.unwrap(), (2, 1));
        let next = NewDataset { team_id: team, replaces: Some(first), ..NewDataset::default() };
        catalogue.start_dataset(&next).await.unwrap();
        let other = begun(bench, bench.team("other").await).await;
        catalogue.add_files(other, &[new("c", "kc", None)]).await.unwrap();
        let usage = catalogue.usage(team).await.unwrap();
        assert_eq!(usage, Usage { files: 2, bytes: 20, open_uploads: 2 });
        assert_eq!(catalogue.usage(99).await.unwrap(), Usage::default());
    });
}

#[test]
fn the_first_name_of_a_files_parts_holds_and_a_submission_too() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        bench.stop_clock().await;
        let set = begun(bench, bench.team("radiant").await).await;
        let (files, _) = catalogue.add_files(set, &[new("a", "ka", None)]).await.unwrap();
        assert_eq!(catalogue.begin_parts(&files[0], "one").await.unwrap(), "one");
        assert_eq!(catalogue.begin_parts(&files[0], "two").await.unwrap(), "one");
        let forgotten = File { multipart_id: Some("one".to_owned()), ..files[0].clone() };
        assert_eq!(catalogue.begin_parts(&forgotten, "three").await.unwrap(), "three");
        assert_eq!(catalogue.begin_parts(&forgotten, "four").await.unwrap(), "three");
        let elsewhere = File { object_key: "kb".into(), ..files[0].clone() };
        assert!(catalogue.begin_parts(&elsewhere, "three").await.is_err());
        catalogue.add_files(set, &[new("a", "kc", Some("aa"))]).await.unwrap();
        assert_eq!(catalogue.file(set, files[0].id).await.unwrap().multipart_id, None);

        let submitted = catalogue.submit_dataset(set, "print").await.unwrap();
        assert_eq!(submitted.fingerprint.as_deref(), Some("print"));
        bench.advance(Duration::from_secs(1)).await;
        assert_eq!(catalogue.submit_dataset(set, "other").await.unwrap(), submitted);
        assert!(catalogue.submit_dataset(99, "print").await.is_err());
    });
}
