//! The worker's port: health and figures.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::bench::{RUNTIME, Service, set};

const SOON: Duration = Duration::from_mins(1);

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A free port.
fn free() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn a_worker_says_that_it_is_well_and_what_it_did() {
    let service = Service::alone();
    let address = free();
    let healthcheck = |address: &str| {
        let output =
            service.command(&["worker", "healthcheck", "--bind", address]).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, words) = healthcheck(&address);
    assert_eq!(code, Some(1));
    assert!(words.starts_with("no worker answers at 127.0.0.1:"), "{words}");

    let mut worker = service.worker(&["--bind", &address]);
    worker.says("ready for work", SOON);
    assert_eq!(healthcheck(&address), (Some(0), String::new()));
    assert!(get(&address, "/liveness").starts_with("HTTP/1.1 200"));
    let before = get(&address, "/metrics");
    for zero in [
        "validation_images_total{verdict=\"pass\"} 0",
        "validation_job_retries_total 0",
        "database_errors_total 0",
        "storage_errors_total{operation=\"read\"} 0",
    ] {
        assert!(before.contains(zero), "{zero}:\n{before}");
    }
    let job = service.upload(service.team(), &set(25, 31));
    service.completed(job, SOON);
    let after = get(&address, "/metrics");
    assert!(after.contains("validation_images_total{verdict=\"fail\"} "), "{after}");
    assert!(!after.contains("validation_images_total{verdict=\"pass\"} 0"), "{after}");
    let summary = RUNTIME.block_on(service.catalogue.job(job)).unwrap().summary.unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    let found = summary["counts"]["by_rule"].as_object().unwrap();
    assert!(found.contains_key("LF004") && found.len() > 1, "{summary}");
    for (rule, times) in found {
        let line = format!("validation_findings_total{{rule=\"{rule}\"}} {times}\n");
        let end = Instant::now() + SOON;
        // They are counted once the report stands.
        while !get(&address, "/metrics").contains(&line) {
            assert!(Instant::now() < end, "{line}{}", get(&address, "/metrics"));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    assert_eq!(worker.stop(SOON), Some(0));
    for line in std::fs::read_to_string(&worker.log).unwrap().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["level"].is_string());
    }
}
