//! A service and those who call it.

use std::io::BufRead as _;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use luna_fixtures::Recipe;
use reqwest::blocking::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::started::Started;

/// A file of a data set: path and bytes.
pub(crate) type Upload = (String, Vec<u8>);

/// A service, killed when it is dropped.
pub(crate) struct Service {
    process: Child,
    pub(crate) url: String,
    log: Arc<Mutex<String>>,
}

impl Service {
    /// On an empty data folder, and whatever else is `set`; with the password that a first start says.
    pub(crate) fn first(folder: &Path, set: impl FnOnce(&mut Command)) -> (Self, String) {
        let mut started = Started::within(folder, set);
        let password = started.password();
        (Self::of(started), password)
    }

    /// Once more on a data folder.
    pub(crate) fn within(folder: &Path, set: impl FnOnce(&mut Command)) -> Self {
        Self::of(Started::within(folder, set))
    }

    /// Another program than the one under test.
    pub(crate) fn of_program(
        program: &Path,
        folder: &Path,
        set: impl FnOnce(&mut Command),
    ) -> Self {
        Self::of(Started::of(program, folder, set))
    }

    fn of(started: Started) -> Self {
        let Started { process, log: mut lines, address } = started;
        let log = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&log);
        // A full pipe would stop the service.
        thread::spawn(move || {
            let mut line = String::new();
            while lines.read_line(&mut line).unwrap_or(0) > 0 {
                kept.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        Self { process, url: format!("http://{address}"), log }
    }

    /// SIGKILL, while others talk to it.
    pub(crate) fn signal_kill(&self) {
        signal(&self.process, "-KILL");
    }

    /// SIGTERM; ends once it has answered everybody, and says that it ended well.
    pub(crate) fn drain(mut self) {
        drain(&mut self.process);
    }

    /// SIGKILL, and wait.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// What it logged.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn login(&self, username: &str, password: &str) -> Response {
        let form = [("username", username), ("password", password)];
        Client::new().post(format!("{}/api/v1/auth/login", self.url)).form(&form).send().unwrap()
    }

    /// Somebody who signed in.
    pub(crate) fn user(&self, username: &str, password: &str) -> User {
        let answer = self.login(username, password);
        assert_eq!(answer.status(), 200, "{}", self.log());
        let answer: Value = answer.json().unwrap();
        let token = answer["access_token"].as_str().unwrap().to_owned();
        User { url: self.url.clone(), token, client: Client::new() }
    }
}

fn signal(process: &Child, signal: &str) {
    let id = process.id().to_string();
    assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
}

/// As an orchestrator ends a process.
pub(crate) fn drain(process: &mut Child) {
    signal(process, "-TERM");
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Somebody with a token.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) url: String,
    pub(crate) token: String,
    pub(crate) client: Client,
}

impl User {
    /// The same one, at another process of the service.
    pub(crate) fn at(&self, service: &Service) -> Self {
        Self { url: service.url.clone(), ..self.clone() }
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.token).send().unwrap()
    }

    /// What must be there.
    pub(crate) fn read(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Response {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(&self.token);
        request.json(body).send().unwrap()
    }

    /// What must be made.
    pub(crate) fn made(&self, path: &str, body: &Value) -> Value {
        let answer = self.post(path, body);
        let status = answer.status();
        let answer: Value = answer.json().unwrap();
        assert!(status.is_success(), "{path}: {answer}");
        answer
    }

    /// A user of a team of its own.
    pub(crate) fn new_user(&self, service: &Service, name: &str) -> User {
        let team = self.made("/api/v1/teams", &json!({ "name": format!("team of {name}") }));
        let password = "correct horse battery";
        let user = json!({
            "team_id": team["team_id"], "username": name, "password": password, "role": "user",
        });
        self.made("/api/v1/users", &user);
        service.user(name, password)
    }

    pub(crate) fn start(&self, name: &str, files: &[Upload]) -> Value {
        let files: Vec<Value> = files.iter().map(announced).collect();
        let body = json!({ "dataset_name": name, "description": "", "files": files });
        self.made("/api/v1/upload/start", &body)
    }

    pub(crate) fn put(&self, target: &Value, bytes: &[u8]) -> Response {
        let request = self.client.put(target["upload_url"].as_str().unwrap());
        with_headers(request, target).body(bytes.to_vec()).send().unwrap()
    }

    pub(crate) fn complete(&self, dataset: &Value) -> Value {
        self.made("/api/v1/upload/complete", &json!({ "dataset_id": dataset }))
    }

    /// Starts, sends everything, completes; number of the data set.
    pub(crate) fn upload(&self, name: &str, files: &[Upload]) -> Value {
        let started = self.start(name, files);
        let targets = started["upload_urls"].as_array().unwrap();
        assert_eq!(targets.len(), files.len());
        for (target, (name, bytes)) in targets.iter().zip(files) {
            assert_eq!(target["filename"], json!(name));
            assert_eq!(self.put(target, bytes).status(), 200);
        }
        let dataset = started["dataset_id"].clone();
        assert_eq!(self.complete(&dataset)["status"], "queued");
        dataset
    }

    pub(crate) fn status(&self, dataset: &Value) -> Value {
        self.read(&format!("/api/v1/validation/{dataset}/status"))
    }

    /// Waits until a status will do.
    pub(crate) fn waits(&self, dataset: &Value, until: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + Duration::from_mins(3);
        loop {
            let status = self.status(dataset);
            if until(&status) {
                return status;
            }
            assert!(Instant::now() < end, "{status}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The status of a validation that must come to its end.
    pub(crate) fn completed(&self, dataset: &Value) -> Value {
        let is_over = |it: &Value| !matches!(it["status"].as_str(), Some("pending" | "processing"));
        let status = self.waits(dataset, is_over);
        assert_eq!(status["status"], "completed", "{status}");
        status
    }
}

pub(crate) fn with_headers(request: RequestBuilder, target: &Value) -> RequestBuilder {
    let headers = target["headers"].as_object().unwrap();
    headers.iter().fold(request, |it, (name, value)| it.header(name, value.as_str().unwrap()))
}

/// How often a stream of events says that a job is done.
pub(crate) fn ends(events: &str) -> usize {
    events.lines().filter(|line| matches!(*line, "event: done" | "event:done")).count()
}

pub(crate) fn announced((name, bytes): &Upload) -> Value {
    json!({
        "filename": name,
        "content_type": "application/octet-stream",
        "size_bytes": bytes.len(),
        "sha256": hex::encode(Sha256::digest(bytes)),
    })
}

/// Sound radiographs of so many patients.
pub(crate) fn pictures(count: usize) -> Vec<Upload> {
    let file = |number: usize| {
        format!(
            "[[file]]\npath = \"chest-{number:03}.png\"\npicture = \"chest\"\nseed = {number}\n\
             width = 512\nheight = 576\nformat = \"png\"\nbits = 8\n"
        )
    };
    let recipe: String = (1..=count).map(file).collect();
    let folder = tempfile::tempdir().unwrap();
    Recipe::parse(&recipe).unwrap().write_to(folder.path()).unwrap();
    let name = |number: usize| format!("chest-{number:03}.png");
    let read = |name: String| (name.clone(), std::fs::read(folder.path().join(&name)).unwrap());
    (1..=count).map(name).map(read).collect()
}

/// A folder that holds these files.
pub(crate) fn folder_of(files: &[Upload]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let place = folder.path().join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, bytes).unwrap();
    }
    folder
}
