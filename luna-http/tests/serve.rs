//! The real binary on a free port, asked over TCP.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::{Value, json};

struct Service {
    process: Child,
    log: BufReader<ChildStderr>,
    address: SocketAddr,
}

impl Service {
    fn start() -> Self {
        let mut process = Command::new(assert_cmd::cargo::cargo_bin!("luna-http"))
            .args(["serve", "--bind", "127.0.0.1:0"])
            .env_remove("LUNA_LOG")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let listening = log_line(&mut log);
        let address = listening["fields"]["address"].as_str().unwrap().parse().unwrap();
        Self { process, log, address }
    }

    fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: luna\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn log_line(log: &mut BufReader<ChildStderr>) -> Value {
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

#[test]
fn health_claims_only_what_is_there() {
    let service = Service::start();
    let (status, body) = service.get("/health");
    assert_eq!(status, 200);
    assert_eq!(
        serde_json::from_str::<Value>(&body).unwrap(),
        json!({
            "status": "ok",
            "database": "not configured",
            "s3": "not configured",
            "version": env!("CARGO_PKG_VERSION"),
        })
    );
    assert_eq!(service.get("/liveness").0, 200);
    assert_eq!(service.get("/readiness").0, 200);
    assert_eq!(service.get("/api/v1/upload/start").0, 404);
}

#[cfg(unix)]
#[test]
fn sigterm_ends_it_in_order() {
    let mut service = Service::start();
    let terminated =
        Command::new("kill").args(["-TERM", &service.process.id().to_string()]).status().unwrap();
    assert!(terminated.success());
    assert_eq!(log_line(&mut service.log)["fields"]["message"], "stopped");
    assert_eq!(service.process.wait().unwrap().code(), Some(0));
}
