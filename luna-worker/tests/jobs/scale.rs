//! What sharing costs: `cargo test -p luna-worker --test jobs -- --ignored --nocapture scale`. It measures and
//! prints; times decide nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::bench::{Service, expected, same, slow_set};

const IMAGES: usize = 10_000;

#[test]
#[ignore = "measures for some minutes"]
fn one_set_of_ten_thousand_images_by_one_and_by_two_workers() {
    let files = slow_set(IMAGES, 1);
    let report = {
        let began = Instant::now();
        let before = ended_children_seconds();
        let report = expected(&files);
        let (took, cpu) = (began.elapsed().as_secs_f64(), ended_children_seconds() - before);
        println!("luna validate, all threads: {took:.1} s, {cpu:.1} s of CPU time");
        report
    };
    for workers in [1, 2] {
        let service = Service::alone();
        let job = service.upload(service.team(), &files);
        let running: Vec<_> = (0..workers).map(|_| service.worker(&["--jobs", "1"])).collect();
        service.completed(job, Duration::from_mins(20));
        let ended = service.job(job);
        let took = ended.completed_at.unwrap().since(ended.started_at.unwrap());
        println!("{workers} workers: {:.1} s, CPU time by thread:", took.as_secs_f64());
        let mut cpu = BTreeMap::<String, f64>::new();
        for (thread, seconds) in running.iter().flat_map(|it| cpu_by_thread(it.child.id())) {
            *cpu.entry(thread).or_default() += seconds;
        }
        for (thread, seconds) in cpu.iter().filter(|(_, seconds)| **seconds >= 0.05) {
            println!("    {thread}: {seconds:.1} s");
        }
        let all = running
            .iter()
            .map(|it| seconds(&PathBuf::from(format!("/proc/{}/stat", it.child.id())), [14, 15]));
        println!("    all, with threads that have ended: {:.1} s", all.sum::<f64>());
        same(&service.report(job), &report, "a shared set");
    }
}

/// CPU time of the threads of a running process so far. `luna-0` examines; `luna-storage` reads; the others
/// are queue and catalogue.
fn cpu_by_thread(process: u32) -> Vec<(String, f64)> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let thread = |path: PathBuf| {
        let name = std::fs::read_to_string(path.join("comm")).unwrap().trim().to_owned();
        (name, seconds(&path.join("stat"), [14, 15]))
    };
    threads.map(|it| thread(it.unwrap().path())).collect()
}

/// CPU time of this process's children that have ended.
fn ended_children_seconds() -> f64 {
    seconds(Path::new("/proc/self/stat"), [16, 17])
}

/// Fields of a `stat` file, counted from 1 as in proc(5).
fn seconds(file: &Path, fields: [usize; 2]) -> f64 {
    let stat = std::fs::read_to_string(file).unwrap();
    // What follows the name in parentheses, which may hold spaces, begins with field 3.
    let rest: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields.into_iter().map(|field| rest[field - 3].parse::<f64>().unwrap()).sum::<f64>() / 100.0
}
