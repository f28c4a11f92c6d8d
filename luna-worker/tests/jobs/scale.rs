//! What sharing costs: `cargo test -p luna-worker --test jobs -- --ignored --nocapture scale`. It measures and
//! prints; times decide nothing.

use std::time::{Duration, Instant};

use super::bench::{Service, expected, same, slow_set};

const IMAGES: usize = 10_000;

#[test]
#[ignore = "measures for some minutes"]
fn one_set_of_ten_thousand_images_by_one_and_by_two_workers() {
    let files = slow_set(IMAGES, 1);
    let report = {
        let began = Instant::now();
        let report = expected(&files);
        println!("luna validate, all threads: {:.1} s", began.elapsed().as_secs_f64());
        report
    };
    for workers in [1, 2] {
        let service = Service::alone();
        let job = service.upload(service.team(), &files);
        let running: Vec<_> = (0..workers).map(|_| service.worker(&["--jobs", "1"])).collect();
        service.completed(job, Duration::from_mins(20));
        let ended = service.job(job);
        let took = ended.completed_at.unwrap().since(ended.started_at.unwrap());
        let cpu: f64 = running.iter().map(|worker| cpu_seconds(worker.child.id())).sum();
        println!("{workers} workers: {:.1} s, {cpu:.1} s of CPU time", took.as_secs_f64());
        same(&service.report(job), &report, "a shared set");
    }
}

/// CPU time of a running process so far (proc(5)).
fn cpu_seconds(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|it| it.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(12) + ticks(13)) / 100.0
}
