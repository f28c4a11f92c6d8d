//! One clear message each, in bounded time, with no secret in it.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use luna_worker::storage::{Operation, Storage, failures};

use crate::command::{luna, run, stderr};
use crate::server::{Response, Server, s3_error, s3_uri};
use crate::{on_server, wait};

const SECRET: &str = "Zm9yZ2V0dGhpc3NlY3JldA";

/// What the command says about a place, and its exit code; ports are left out.
fn says(place: &str, environment: &[(&str, &str)]) -> String {
    let started = Instant::now();
    let output = luna(&["validate", place]).envs(environment.iter().copied()).output().unwrap();
    assert!(started.elapsed() < Duration::from_secs(20), "{place}: {:?}", started.elapsed());
    assert!(output.stdout.is_empty());
    let message = stderr(&output);
    assert!(!message.contains(SECRET), "{message}");
    let code = output.status.code().unwrap_or_default();
    format!("{code}: {}", without_ports(message.trim_end()))
}

fn without_ports(text: &str) -> String {
    let mut parts = text.split("127.0.0.1:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        let _ = write!(out, "127.0.0.1:PORT{rest}");
    }
    out
}

#[test]
fn what_cannot_be_reached_is_said_in_one_message() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let server = |status, code: &'static str| Server::start(move |_| s3_error(status, code));
    let expired = server(400, "ExpiredToken");
    let slow = server(503, "SlowDown");
    let broken = Server::start(|_| Response::new(500, format!("<html>{SECRET}</html>")));
    let secret = format!("&access_key_id=x&secret_access_key={SECRET}");
    let of = |port: u16| s3_uri(port, "set").replace("&anonymous=true", &secret);
    let said = [
        says("s4://bucket/set", &[]),
        says(&format!("s3://bucket/set?secret={SECRET}"), &[]),
        says(&of(closed), &[]),
        says(
            &format!("s3://bucket/set?endpoint=http://no-such-host.invalid&region=x{secret}"),
            &[],
        ),
        says(&of(expired.port), &[]),
        says(&of(slow.port), &[]),
        says(&of(broken.port), &[]),
        says(&format!("http://user:{SECRET}@127.0.0.1:{}/set.zip", broken.port), &[]),
        says(&format!("http://user:{SECRET}@127.0.0.1:{closed}/"), &[]),
        says("azblob://container/set", &[("AZURE_STORAGE_ACCOUNT", "")]),
    ];
    insta::assert_snapshot!(said.join("\n"));
    assert_eq!(expired.asked(), 2, "looked at, and asked for words; never again");
    assert_eq!(slow.asked(), 4, "what may pass is tried four times");
}

#[test]
fn a_real_server_refuses_in_one_message() {
    let wrong = [("AWS_SECRET_ACCESS_KEY", SECRET), ("AZURE_STORAGE_KEY", "d3Jvbmc=")];
    let unknown = [("AWS_ACCESS_KEY_ID", "GK000000000000000000000000"), wrong[0]];
    let mut said = Vec::new();
    for server in ["LUNA_TEST_S3", "LUNA_TEST_AZBLOB"] {
        let Some(uri) = on_server(server, "set") else { return };
        let (_, other) = uri.split_once("luna-tests").unwrap();
        let scheme = uri.split("luna-tests").next().unwrap();
        said.push(says(&uri, &wrong));
        said.push(says(&uri, &[]));
        said.push(says(&format!("{scheme}no-such-place{other}"), &[]));
        if server == "LUNA_TEST_S3" {
            said.push(says(&uri, &unknown));
            said.push(says(&uri.replace("region=garage", "region=elsewhere"), &[]));
        }
    }
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_report_that_cannot_be_written_is_said_before_the_work() {
    let set = tempfile::tempdir().unwrap();
    std::fs::write(set.path().join("a.png"), "1").unwrap();
    let place = set.path().to_str().unwrap();
    let expired = Server::start(|_| s3_error(400, "ExpiredToken"));
    let writes = |out: &str| {
        let output = run(&["validate", place, "-o", out]);
        assert!(output.stdout.is_empty(), "nothing was validated");
        (output.status.code(), without_ports(stderr(&output).trim_end()))
    };
    let said = [
        writes(&s3_uri(expired.port, "report.json")),
        writes("http://127.0.0.1:1/report.json"),
        writes("s4://bucket/report.json"),
        writes(&s3_uri(expired.port, "report.docx")),
    ];
    let lines: Vec<String> =
        said.into_iter().map(|(code, text)| format!("{}: {text}", code.unwrap_or(0))).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

/// Collects a log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn no_log_and_no_error_holds_a_secret() {
    let log = Log::default();
    let writer = log.clone();
    // The most that anybody can ask for, also through the older `log`.
    tracing_subscriber::fmt()
        .with_env_filter(luna_worker::logs::filter("trace").unwrap())
        .with_writer(move || writer.clone())
        .init();
    let server = Server::start(|_| s3_error(503, "SlowDown"));
    let before = failures(Operation::Read);
    let options = [
        format!(
            "s3://bucket/x?endpoint=http://127.0.0.1:{}&region=x&access_key_id=k&secret_access_key={SECRET}&session_token={SECRET}",
            server.port
        ),
        format!(
            "azblob://container/x?endpoint=http://127.0.0.1:{}&account=a&sas_token=sig={SECRET}",
            server.port
        ),
        format!(
            "azblob://container/x?endpoint=http://127.0.0.1:{}&account=a&account_key={SECRET}==",
            server.port
        ),
        format!("gs://bucket/x?endpoint=http://127.0.0.1:{}&token={SECRET}", server.port),
        format!("http://user:{SECRET}@127.0.0.1:{}/x", server.port),
    ];
    for uri in options {
        let storage = Storage::open(&uri).unwrap();
        let error = wait(storage.read("a.png", 100)).unwrap_err();
        assert!(error.is_temporary(), "{error}");
        let shown = format!("{error} {error:?} {storage:?}");
        assert!(!shown.contains(SECRET), "{shown}");
    }
    // Other tests of this process may count as well; each of four tries would make 20.
    let counted = failures(Operation::Read) - before;
    assert!((5..20).contains(&counted), "{counted}: once each, however often it was tried");
    let text = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(text.contains("the storage is asked again"), "there is a log");
    let leaks: Vec<&str> = text.lines().filter(|line| line.contains(SECRET)).collect();
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}
