//! Jobs come to their end, with the report of the command.

use std::fs;
use std::time::Duration;

use luna_worker::catalogue::JobState;

use super::bench::{RUNTIME, Service, expected, same, set, validated};

const SOON: Duration = Duration::from_secs(90);

#[test]
fn a_job_gives_the_report_of_the_command() {
    for service in Service::each() {
        let files = set(300, 1);
        let job = service.upload(service.team(), &files);
        let mut worker = service.worker(&[]);
        service.completed(job, SOON);
        same(&service.report(job), &expected(&files), &service.database_url);
        let summary = service.job(job).summary.unwrap();
        assert!(summary.contains(r#""files_checked":300"#), "{summary}");
        let html = service.objects().iter().filter(|key| key.ends_with("report.html")).count();
        assert_eq!(html, 1);
        assert_eq!(worker.stop(SOON), Some(0));
    }
}

#[test]
fn an_empty_data_set_and_an_archive_are_validated_as_what_they_are() {
    let service = Service::alone();
    let team = service.team();
    let empty = service.upload(team, &[]);
    let folder = tempfile::tempdir().unwrap();
    let mut archives = Vec::new();
    for name in ["set.tar", "set.tar.gz"] {
        let place = folder.path().join(name);
        archive(&place);
        let bytes = fs::read(&place).unwrap();
        archives.push((service.upload(team, &[(name.to_owned(), bytes)]), place));
    }
    let _worker = service.worker(&[]);
    service.completed(empty, SOON);
    same(&service.report(empty), &expected(&[]), "empty");
    for (job, place) in archives {
        service.completed(job, SOON);
        same(&service.report(job), &validated(&place), &place.display().to_string());
    }
}

/// Packs a data set by the system's `tar`.
fn archive(place: &std::path::Path) {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in set(60, 2) {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, bytes).unwrap();
    }
    let packed = std::process::Command::new("tar")
        .args(["--sort=name", "-caf"])
        .args([place, std::path::Path::new("-C"), folder.path(), std::path::Path::new(".")])
        .status()
        .unwrap();
    assert!(packed.success());
}

#[test]
fn told_to_stop_a_worker_hands_back_and_ends_with_0() {
    let service = Service::alone();
    let files = set(3_000, 3);
    let job = service.upload(service.team(), &files);
    let mut first = service.worker(&["--jobs", "1"]);
    while service.job(job).files_done == 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let second = service.upload(service.team(), &set(5, 4));
    assert_eq!(first.stop(Duration::from_secs(25)), Some(0), "{}", service.logs());
    let log = fs::read_to_string(&first.log).unwrap();
    assert!(log.contains("told to stop"), "{log}");
    let handed_back = service.count("SELECT COUNT(*) FROM queue WHERE state = 'leased'");
    assert_eq!(handed_back, 0, "nothing waits for a lease to run out");
    assert!(service.job(second).state.is_unfinished());
    let _worker = service.worker(&[]);
    service.completed(job, SOON);
    service.completed(second, SOON);
    same(&service.report(job), &expected(&files), "after a stop");
}

#[test]
fn a_cancelled_job_is_dropped_and_leaves_no_report() {
    let service = Service::alone();
    let job = service.upload(service.team(), &set(3_000, 5));
    let other = service.upload(service.team(), &set(5, 6));
    let mut worker = service.worker(&["--jobs", "1"]);
    while service.job(job).files_done == 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    RUNTIME.block_on(service.catalogue.cancel(job)).unwrap();
    service.completed(other, SOON);
    assert_eq!(service.job(job).state, JobState::Cancelled);
    assert_eq!(worker.stop(SOON), Some(0));
    let reports = service.objects().into_iter().filter(|key| key.starts_with("reports/"));
    assert_eq!(reports.count(), 3, "those of the other job");
}

#[test]
fn the_file_that_workers_die_of_is_named_and_the_rest_is_judged() {
    let mut service = Service::alone();
    let files = set(20, 7);
    let deadly = &files[11];
    let sum = {
        use sha2::Digest as _;
        hex::encode(sha2::Sha256::digest(&deadly.1))
    };
    service.environment.push(("LUNA_TEST_ABORT_ON_SHA256".to_owned(), sum.clone()));
    let copies = files.iter().filter(|(_, bytes)| *bytes == deadly.1).count();
    let job = service.upload(service.team(), &files);
    let healthy = service.upload(service.team(), &set(5, 8));
    let end = std::time::Instant::now() + Duration::from_secs(400);
    let mut workers = Vec::new();
    // A supervisor that starts what died.
    while service.job(job).state.is_unfinished() {
        assert!(std::time::Instant::now() < end, "{}", service.logs());
        workers.retain_mut(|worker: &mut super::bench::Worker| {
            worker.child.try_wait().unwrap().is_none()
        });
        if workers.len() < 2 {
            workers.push(service.worker(&["--jobs", "1"]));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    service.completed(healthy, SOON);
    service.completed(job, SOON);
    let report: serde_json::Value = serde_json::from_slice(&service.report(job)).unwrap();
    let killed: Vec<&serde_json::Value> = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|file| {
            file["findings"]
                .as_array()
                .unwrap()
                .iter()
                .any(|finding| finding["message"].as_str().unwrap().ends_with("(LF007/killed)"))
        })
        .collect();
    assert_eq!(killed.len(), copies);
    assert!(killed.iter().any(|file| file["path"] == deadly.0.as_str()));
    let judged: serde_json::Value = serde_json::from_slice(&expected(&files)).unwrap();
    for (found, expected) in
        report["files"].as_array().unwrap().iter().zip(judged["files"].as_array().unwrap())
    {
        if !killed.iter().any(|file| file["path"] == found["path"]) {
            assert_eq!(found["measurements"], expected["measurements"]);
        }
    }
}
