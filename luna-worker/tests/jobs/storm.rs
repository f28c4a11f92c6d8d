//! Workers are killed, one a second, and nothing is lost. `LUNA_TEST_STORM=120` makes it two minutes and 40
//! data sets; else it is short.

use std::time::{Duration, Instant};

use luna_worker::catalogue::JobState;

use super::bench::{Service, Worker, expected, same, set};

const WORKERS: usize = 4;
/// A lease has to run out, perhaps twice, after the last kill.
const AFTERWARDS: Duration = Duration::from_mins(5);

struct Storm {
    seconds: u64,
    sets: usize,
}

fn storm() -> Storm {
    match std::env::var("LUNA_TEST_STORM").ok().and_then(|seconds| seconds.parse().ok()) {
        Some(seconds) => Storm { seconds, sets: 40 },
        None => Storm { seconds: 12, sets: 6 },
    }
}

#[test]
fn killed_workers_lose_nothing_on_sqlite_and_a_folder() {
    rage(&Service::alone(), &storm());
}

#[test]
fn killed_workers_lose_nothing_on_postgresql_and_s3() {
    if let Some(service) = Service::on_servers() {
        rage(&service, &storm());
    }
}

fn rage(service: &Service, storm: &Storm) {
    let teams: Vec<i64> = (0..3).map(|_| service.team()).collect();
    let sets: Vec<_> = (0..storm.sets).map(|number| set(10 + number * 37 % 191, number)).collect();
    let jobs: Vec<i64> = sets
        .iter()
        .enumerate()
        .map(|(number, files)| service.upload(teams[number % teams.len()], files))
        .collect();
    let start = || service.worker(&["--jobs", "1"]);
    let mut workers: Vec<Worker> = (0..WORKERS).map(|_| start()).collect();
    let end = Instant::now() + Duration::from_secs(storm.seconds);
    let (mut number, mut kills) = (0, 0);
    while Instant::now() < end {
        std::thread::sleep(Duration::from_secs(1));
        number = (number * 7 + 3) % WORKERS;
        workers[number].kill();
        workers[number] = start();
        kills += 1;
    }
    for job in &jobs {
        service.completed(*job, AFTERWARDS);
    }
    let mut objects: Vec<String> = Vec::new();
    for (job, files) in jobs.iter().zip(&sets) {
        let ended = service.job(*job);
        assert_eq!(ended.state, JobState::Completed);
        assert_eq!(ended.files_total, files.len() as u64);
        same(&service.report(*job), &expected(files), &format!("job {job}"));
        let records = format!("SELECT COUNT(*) FROM records WHERE job_id = {job}");
        assert_eq!(service.count(&records), files.len() as i64);
        let ends = format!("SELECT COUNT(*) FROM events WHERE job_id = {job} AND kind = 'done'");
        assert_eq!(service.count(&ends), 1);
        objects.extend(["html", "json"].map(|ending| format!("reports/{job}/report.{ending}")));
    }
    objects.sort();
    let found: Vec<String> =
        service.objects().into_iter().filter(|key| !key.starts_with("uploads/")).collect();
    assert_eq!(found, objects, "no object without a job, none missing");
    let open = "SELECT COUNT(*) FROM queue WHERE state IN ('queued', 'leased', 'dead')";
    assert_eq!(service.count(open), 0, "{}", service.logs());
    println!("{kills} kills, {} data sets", sets.len());
}
