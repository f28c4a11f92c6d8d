//! Workers are killed, one a second, and nothing is lost. `LUNA_TEST_STORM=120` makes it two minutes and 40
//! data sets; else it is short.

use std::time::{Duration, Instant};

use luna_worker::catalogue::JobState;

use super::bench::{Service, Upload, Worker, expected, same, slow_set};

const WORKERS: usize = 4;
/// A lease has to run out, perhaps twice, after the last kill.
const AFTERWARDS: Duration = Duration::from_mins(5);
/// What a job leaves in the storage.
const NAMES: [&str; 3] = ["digest.json", "report.html", "report.json"];

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

/// Data sets come over half the time of the storm, so that there is work while workers die.
fn upload(service: &Service, teams: &[i64], storm: &Storm) -> (Vec<Vec<Upload>>, Vec<i64>) {
    let begun = Instant::now();
    let pace = Duration::from_secs(storm.seconds) / 2 / storm.sets as u32;
    let (mut sets, mut jobs) = (Vec::new(), Vec::new());
    for number in 0..storm.sets {
        std::thread::sleep((pace * number as u32).saturating_sub(begun.elapsed()));
        let files = slow_set(10 + number * 37 % 191, number);
        jobs.push(service.upload(teams[number % teams.len()], &files));
        sets.push(files);
    }
    (sets, jobs)
}

/// The place among the workers of one that has something in hand.
fn at_work(service: &Service, workers: &[(usize, Worker)]) -> Option<usize> {
    let alive: Vec<String> = workers.iter().map(|(number, _)| format!("'{number}'")).collect();
    let found = service.count(&format!(
        "SELECT COALESCE(MAX(CAST(workers.name AS BIGINT)), -1) FROM queue \
         JOIN workers ON workers.id = queue.worker_id \
         WHERE queue.state = 'leased' AND workers.name IN ({})",
        alive.join(", ")
    ));
    workers.iter().position(|(number, _)| i64::try_from(*number) == Ok(found))
}

fn rage(service: &Service, storm: &Storm) {
    let teams: Vec<i64> = (0..3).map(|_| service.team()).collect();
    let start = |number: usize| service.worker(&["--jobs", "1", "--name", &number.to_string()]);
    // Each has a number of its own, so that whoever is at work is found.
    let mut workers: Vec<(usize, Worker)> = (0..WORKERS).map(|it| (it, start(it))).collect();
    let mut kills = 0;
    let (sets, jobs) = std::thread::scope(|scope| {
        let uploads = scope.spawn(|| upload(service, &teams, storm));
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(storm.seconds) {
            std::thread::sleep(Duration::from_millis(500));
            // A quick machine is done between two kills: each waits until somebody works, and hits him.
            let victim = loop {
                let found = at_work(service, &workers);
                if found.is_some() || begun.elapsed().as_secs() >= storm.seconds {
                    break found.unwrap_or_default();
                }
                std::thread::sleep(Duration::from_millis(20));
            };
            workers[victim].1.kill();
            kills += 1;
            let number = WORKERS - 1 + kills;
            workers[victim] = (number, start(number));
        }
        uploads.join().unwrap()
    });
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
        objects.extend(NAMES.map(|name| format!("reports/{job}/{name}")));
    }
    objects.sort();
    let found: Vec<String> =
        service.objects().into_iter().filter(|key| !key.starts_with("uploads/")).collect();
    assert_eq!(found, objects, "no object without a job, none missing");
    let open = "SELECT COUNT(*) FROM queue WHERE state IN ('queued', 'leased', 'dead')";
    assert_eq!(service.count(open), 0, "{}", service.logs());
    let again = service.count("SELECT COUNT(*) FROM queue WHERE attempts > 1");
    assert!(again > 0, "no kill hit anybody at work");
    println!("{kills} kills, {} data sets, {again} items taken over", sets.len());
}
