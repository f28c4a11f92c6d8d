//! The service through its binary, as its operators see it: figures, logs, settings, limits.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod docs;
mod figures;
mod limits;
#[path = "../psql/mod.rs"]
mod psql;
mod settings;
#[path = "../started/mod.rs"]
mod started;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::process::Command;

use reqwest::blocking::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

use self::started::Started;

/// A service that ends with its test.
struct Service {
    started: Started,
    folder: TempDir,
    url: String,
    password: String,
    client: Client,
}

impl Service {
    fn start(set: impl FnOnce(&mut Command)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut started = Started::within(folder.path(), set);
        let (url, password) = (format!("http://{}", started.address), started.password());
        Self { started, folder, url, password, client: Client::new() }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url))
    }

    fn token(&self, username: &str, password: &str) -> String {
        let form = [("username", username), ("password", password)];
        let answer = self.post("/api/v1/auth/login").form(&form).send().unwrap();
        let answer: Value = answer.json().unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    fn admin(&self) -> String {
        self.token("admin", &self.password)
    }

    /// Announces a file of so many bytes; the number of its data set, and where it goes.
    fn announced(&self, token: &str, bytes: usize) -> (Value, Value) {
        let file = json!({
            "filename": "Müller^Eva.png", "content_type": "image/png", "size_bytes": bytes,
        });
        let body = json!({ "dataset_name": "set", "description": "", "files": [file] });
        let answer = self.post("/api/v1/upload/start").bearer_auth(token).json(&body).send();
        let answer: Value = answer.unwrap().json().unwrap();
        (answer["dataset_id"].clone(), answer["upload_urls"][0].clone())
    }

    fn figures(&self) -> BTreeMap<String, f64> {
        figures(self.get("/metrics").send().unwrap())
    }

    /// Ends it; what it logged.
    fn stop(mut self) -> Vec<Value> {
        let process = &mut self.started.process;
        let told = Command::new("kill").arg("-TERM").arg(process.id().to_string()).status();
        assert!(told.unwrap().success());
        assert_eq!(process.wait().unwrap().code(), Some(0));
        let mut log = String::new();
        self.started.log.read_to_string(&mut log).unwrap();
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.started.process.kill();
        let _ = self.started.process.wait();
    }
}

/// Each series with its value.
fn figures(answer: Response) -> BTreeMap<String, f64> {
    assert_eq!(answer.status(), 200);
    let text = answer.text().unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pair = |line: &str| {
        let (series, value) = line.rsplit_once(' ').unwrap();
        (series.to_owned(), value.parse().unwrap())
    };
    lines.map(pair).collect()
}

fn problem(answer: Response, status: u16, code: &str) -> Value {
    assert_eq!(answer.status(), status);
    let problem: Value = answer.json().unwrap();
    assert_eq!(problem["code"], code, "{problem}");
    problem
}
