//! Many objects: memory, overlap, what happens when they change on the way.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use luna_core::report::Verdict;
use luna_core::{CancelToken, Finding, Observer, Source as _, Validator};
use luna_worker::storage::Storage;

use crate::server::{Response, Server, s3_error, s3_page, s3_uri};
use crate::{on_server, put, source, wait};

/// Memory of this process in bytes.
#[cfg(target_os = "linux")]
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[cfg(target_os = "linux")]
#[test]
fn a_million_keys_take_less_than_two_kilobytes_each() {
    const KEYS: u64 = 1_000_000;
    let server = Server::start(|request| {
        s3_page(request, KEYS as usize, |number| format!("images/patient-{number:07}/0001.dcm"))
    });
    let source = source(&s3_uri(server.port, "")).unwrap();
    let (before, started) = (resident(), Instant::now());
    let items = source.items().unwrap();
    assert_eq!(items.len() as u64, KEYS);
    let each = resident().saturating_sub(before) / KEYS;
    println!("{each} bytes a key, {:.1} s", started.elapsed().as_secs_f64());
    assert!(each < 2 << 10, "{each} bytes a key");
}

#[test]
fn answers_that_take_long_are_waited_for_together() {
    const FILES: usize = 64;
    let (now, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let server = Server::start(move |request| {
        if request.path.trim_end_matches('/') == "/bucket" {
            return s3_page(request, FILES, |number| format!("{number}.png"));
        }
        seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(100));
        now.fetch_sub(1, Ordering::SeqCst);
        Response::new(200, "0123456789")
    });
    let source = source(&s3_uri(server.port, "")).unwrap();
    let validator = Validator::builder().threads(1).build().unwrap();
    let report = validator.validate(&source).unwrap();
    assert_eq!(report.files.len(), FILES);
    let most = most.load(Ordering::SeqCst);
    assert!(
        most >= 8,
        "one thread examines, and at most {most} files were asked for at the same time"
    );
}

/// Changes the storage as soon as it is listed.
struct Meanwhile<F: Fn() + Sync>(F, Mutex<Vec<String>>);

impl<F: Fn() + Sync + Send> Observer for Meanwhile<F> {
    fn listed(&self, _files: u64, _bytes: u64) {
        (self.0)();
    }

    fn examined(&self, path: &str, _size_bytes: u64, _findings: &[Finding]) {
        self.1.lock().unwrap().push(path.to_owned());
    }
}

#[test]
fn an_object_that_vanishes_or_changes_is_a_finding_and_the_run_goes_on() {
    for uri in crate::writable("vanishes") {
        put(&uri, [("a.png", &b"1"[..]), ("b.png", b"2"), ("c.png", b"3")]);
        let source = source(&uri).unwrap();
        let meanwhile = Meanwhile(
            || {
                wait(async {
                    let storage = Storage::open(&uri).unwrap();
                    storage.delete("a.png").await.unwrap();
                    storage.write("b.png", b"other".to_vec()).await.unwrap();
                });
            },
            Mutex::default(),
        );
        let validator = Validator::default();
        let report = validator.validate_with(&source, &meanwhile, &CancelToken::default()).unwrap();
        let unreadable: Vec<_> = report
            .files
            .iter()
            .filter(|file| file.findings.iter().any(|finding| finding.rule == "LF001"))
            .map(|file| file.path.as_str())
            .collect();
        assert_eq!(unreadable, ["a.png", "b.png"], "{uri}");
        assert!(!report.partial && report.verdict == Verdict::Fail);
    }
}

#[test]
fn a_storage_that_goes_away_ends_the_run_with_one_message() {
    const FILES: usize = 2_000;
    for (status, code, says) in [
        (503, "ServiceUnavailable", "does not answer (ServiceUnavailable)"),
        (503, "SlowDown", "asks for fewer requests"),
        (400, "ExpiredToken", "have expired"),
        (403, "AccessDenied", "access was refused (AccessDenied)"),
    ] {
        let gone = std::sync::atomic::AtomicBool::new(false);
        let server = Server::start(move |request| {
            use std::sync::atomic::Ordering::Relaxed;
            if request.path.trim_end_matches('/') == "/bucket" && !gone.load(Relaxed) {
                return s3_page(request, FILES, |number| format!("{number}.png"));
            }
            gone.store(true, Relaxed);
            s3_error(status, code)
        });
        let source = source(&s3_uri(server.port, "")).unwrap();
        let (started, listing) = (Instant::now(), FILES / 1_000);
        let error = Validator::default().validate(&source).unwrap_err();
        assert!(matches!(error, luna_core::Error::Source(_)));
        let message = error.to_string();
        assert!(message.contains(says), "{message}");
        // 32 objects are asked for at once, each four times at most.
        let asked = server.asked() - listing;
        assert!(asked <= 32 * 4 + 2 * 32, "{code}: {asked} requests");
        assert!(started.elapsed() < Duration::from_secs(15));
    }
}

#[test]
fn an_object_of_its_own_permissions_is_a_finding() {
    let server = Server::start(|request| match request.path.trim_end_matches('/') {
        "/bucket" => s3_page(request, 3, |number| format!("{number}.png")),
        "/bucket/1.png" => s3_error(403, "AccessDenied"),
        _ => Response::new(200, "0123456789"),
    });
    let report = Validator::default().validate(&source(&s3_uri(server.port, "")).unwrap()).unwrap();
    let of = |number: usize| report.files[number].findings.iter().any(|f| f.rule == "LF001");
    assert!(!of(0) && of(1) && !of(2));
}

#[test]
fn large_objects_are_written_in_parts_and_read_in_ranges() {
    let Some(uri) = on_server("LUNA_TEST_S3", "large") else { return };
    let bytes: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 251) as u8).collect();
    wait(async {
        let storage = Storage::open(&uri).unwrap();
        let mut writer = storage.writer("20mb").await.unwrap();
        for part in bytes.chunks(3_000_000) {
            writer.write(part.to_vec()).await.unwrap();
        }
        assert!(storage.stat("20mb").await.is_err(), "not there before it is whole");
        writer.close().await.unwrap();
        assert!(storage.read("20mb", 30_000_000).await.unwrap() == bytes);
        let part = storage.read_range("20mb", 9_999_990, 20, None).await.unwrap();
        assert_eq!(part, bytes[9_999_990..10_000_010]);
        assert!(storage.read("20mb", 19_999_999).await.is_err());
        let mut writer = storage.writer("never").await.unwrap();
        writer.write(vec![0; 9_000_000]).await.unwrap();
        writer.abort().await.unwrap();
        assert!(storage.stat("never").await.is_err());
        storage.delete("20mb").await.unwrap();
        storage.delete("20mb").await.unwrap();
    });
}
