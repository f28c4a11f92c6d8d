//! The service through its binary: signing in, uploading, reading the verdict.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod started;

use std::io::{BufReader, Read as _};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use luna_fixtures::Recipe;
use luna_worker::catalogue::{Catalogue, Role};
use luna_worker::secrets;
use luna_worker::storage::Storage;
use reqwest::blocking::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use self::started::{BINARY, Started};

struct Service {
    process: Child,
    folder: TempDir,
    url: String,
    password: String,
    client: Client,
    log: Option<BufReader<std::process::ChildStderr>>,
}

impl Service {
    fn start() -> Self {
        Self::within(tempfile::tempdir().unwrap(), None)
    }

    /// On a data folder; with the password of an earlier start, if there was one.
    fn within(folder: TempDir, known: Option<String>) -> Self {
        Self::set_up(folder, known, |_| {})
    }

    fn set_up(folder: TempDir, known: Option<String>, set: impl FnOnce(&mut Command)) -> Self {
        let mut started = Started::within(folder.path(), set);
        let password = known.unwrap_or_else(|| started.password());
        let Started { process, log, address } = started;
        let (url, client) = (format!("http://{address}"), Client::new());
        Self { process, folder, url, password, client, log: Some(log) }
    }

    fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.url)).send().unwrap()
    }

    fn login(&self, username: &str, password: &str) -> Response {
        let form = [("username", username), ("password", password)];
        self.client.post(format!("{}/api/v1/auth/login", self.url)).form(&form).send().unwrap()
    }

    fn token(&self) -> String {
        let answer: Value = self.login("admin", &self.password).json().unwrap();
        assert_eq!(
            (&answer["token_type"], &answer["expires_in"]),
            (&json!("bearer"), &json!(3_600))
        );
        answer["access_token"].as_str().unwrap().to_owned()
    }

    fn post(&self, token: &str, path: &str, body: &Value) -> Response {
        self.client
            .post(format!("{}{path}", self.url))
            .bearer_auth(token)
            .json(body)
            .send()
            .unwrap()
    }

    fn upload(&self, token: &str, files: &Value) -> Value {
        let body = json!({ "dataset_name": "set", "description": "", "files": files });
        let answer = self.post(token, "/api/v1/upload/start", &body);
        assert_eq!(answer.status(), 200);
        answer.json().unwrap()
    }

    fn put(&self, target: &Value, bytes: &[u8]) -> Response {
        let request = self.client.put(target["upload_url"].as_str().unwrap());
        with_headers(request, target).body(bytes.to_vec()).send().unwrap()
    }

    fn report(&self, token: &str, dataset: &Value, format: &str) -> Response {
        let path = format!("{}/api/v1/validation/{dataset}/report?format={format}", self.url);
        self.client.get(path).bearer_auth(token).send().unwrap()
    }

    fn thumbnail(&self, token: &str, dataset: &Value, target: &Value) -> Response {
        let id = &target["file_id"];
        let path = format!("/api/v1/validation/{dataset}/files/{id}/thumbnail?rule=LF004");
        self.client.get(format!("{}{path}", self.url)).bearer_auth(token).send().unwrap()
    }

    fn ended(&self, token: &str, dataset: &Value) -> Value {
        let end = Instant::now() + Duration::from_mins(1);
        loop {
            let path = format!("{}/api/v1/validation/{dataset}/status", self.url);
            let status: Value =
                self.client.get(path).bearer_auth(token).send().unwrap().json().unwrap();
            if !matches!(status["status"].as_str(), Some("pending" | "processing")) {
                return status;
            }
            assert!(Instant::now() < end, "{status}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn stop(mut self) -> (TempDir, String, String) {
        let stopped = Command::new("kill").arg("-TERM").arg(self.process.id().to_string()).status();
        assert!(stopped.unwrap().success());
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
        let mut rest = String::new();
        self.log.take().unwrap().read_to_string(&mut rest).unwrap();
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        (folder, std::mem::take(&mut self.password), rest)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn with_headers(request: RequestBuilder, target: &Value) -> RequestBuilder {
    target["headers"]
        .as_object()
        .unwrap()
        .iter()
        .fold(request, |request, (name, value)| request.header(name, value.as_str().unwrap()))
}

fn problem(answer: Response, status: u16, code: &str) -> Value {
    assert_eq!(answer.status(), status);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let problem: Value = answer.json().unwrap();
    assert_eq!(problem["code"], code, "{problem}");
    assert_eq!((&problem["status"], &problem["request_id"]), (&json!(status), &json!(id)));
    problem
}

fn announced(name: &str, bytes: &[u8]) -> Value {
    json!({
        "filename": name,
        "content_type": "application/octet-stream",
        "size_bytes": bytes.len(),
        "sha256": hex::encode(Sha256::digest(bytes)),
    })
}

/// A sound picture, and one that was cut short.
fn pictures() -> Vec<(String, Vec<u8>)> {
    let recipe = "[[file]]\npath = \"a/whole.png\"\npicture = \"chest\"\nwidth = 640\nheight = 720\n\
                  format = \"png\"\nbits = 8\n";
    let folder = tempfile::tempdir().unwrap();
    Recipe::parse(recipe).unwrap().write_to(folder.path()).unwrap();
    let whole = std::fs::read(folder.path().join("a/whole.png")).unwrap();
    let cut = whole[..whole.len() / 2].to_vec();
    vec![("a/whole.png".to_owned(), whole), ("a/cut.png".to_owned(), cut)]
}

#[test]
fn a_data_set_is_uploaded_validated_and_read() {
    let service = Service::start();
    let token = service.token();
    let files = pictures();
    let mut list: Vec<Value> = files.iter().map(|(name, bytes)| announced(name, bytes)).collect();
    list.push(announced("a/never-sent.png", b"never sent"));
    let started = service.upload(&token, &json!(list));
    let (dataset, targets) = (&started["dataset_id"], started["upload_urls"].as_array().unwrap());
    assert_eq!(targets.len(), 3);
    for (target, (name, bytes)) in targets.iter().zip(&files) {
        assert_eq!((&target["filename"], &target["method"]), (&json!(name), &json!("PUT")));
        assert!(!target["s3_key"].as_str().unwrap().contains("whole"), "names are no places");
        assert_eq!(service.put(target, bytes).status(), 200);
    }
    let done = json!({ "dataset_id": dataset });
    let first: Value = service.post(&token, "/api/v1/upload/complete", &done).json().unwrap();
    let again: Value = service.post(&token, "/api/v1/upload/complete", &done).json().unwrap();
    assert_eq!(
        (&first["status"], &again["status"]),
        (&json!("queued"), &json!("already_completed"))
    );
    assert_eq!(first["validation_job_id"], again["validation_job_id"]);

    let status = service.ended(&token, dataset);
    assert_eq!((&status["status"], &status["verdict"]), (&json!("completed"), &json!("fail")));
    assert_eq!(status["error_message"], Value::Null);
    let logs = status["validation_logs"].as_array().unwrap();
    let logs: Vec<&str> = logs.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(logs, ["2 files to look at", "All files were looked at; verdict: fail"]);
    let results = &status["validation_results"];
    assert_eq!(
        (&results["valid"], &results["files_checked"], &results["files_failed"]),
        (&json!(false), &json!(2), &json!(1))
    );
    assert!(status["completed_at"].as_str().unwrap().ends_with('Z'));

    let report = |format: &str| service.report(&token, dataset, format);
    let json: Value = report("json").json().unwrap();
    let cut =
        json["files"].as_array().unwrap().iter().find(|it| it["path"] == "a/cut.png").unwrap();
    assert_eq!(cut["findings"][0]["rule"], "LF004");
    assert_eq!(
        (&json["counts"]["error"], &json["findings"][0]["rule"]),
        (&json!(2), &json!("LM006"))
    );
    assert_eq!(json["findings"][0]["related"], json!(["a/never-sent.png"]));
    let html = report("html");
    assert!(html.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(html.text().unwrap().contains("LF004"));
    problem(report("exe"), 422, "invalid-query");
    for (target, is_cut) in targets.iter().zip([false, true]) {
        let answer = service.thumbnail(&token, dataset, target);
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "image/svg+xml");
        let svg = answer.text().unwrap();
        assert!(svg.contains("href=\"data:image/jpeg;base64,/9j/"), "{svg:.300}");
        assert_eq!(svg.contains("<rect class=\"undecoded\""), is_cut);
    }
    problem(service.thumbnail(&token, dataset, &targets[2]), 404, "no-picture");
}

#[test]
fn another_teams_things_are_not_there() {
    let service = Service::start();
    let login = |name: &str| {
        let answer: Value = service.login(name, "correct horse battery").json().unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    };
    let database = format!("sqlite://{}", service.folder.path().join("luna.db").display());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let team_of_bo = runtime.block_on(async {
        let catalogue = Catalogue::open(&database, 1).await.unwrap();
        let hash = secrets::hashed("correct horse battery").unwrap();
        let mut teams = Vec::new();
        for (name, role) in [("ann", Role::User), ("bo", Role::User), ("olga", Role::Organiser)] {
            let team = catalogue.create_team(&format!("team of {name}")).await.unwrap();
            catalogue.create_user(team.id, name, &hash, role).await.unwrap();
            teams.push(team.id);
        }
        catalogue.close().await;
        teams[1]
    });
    let (ann, bo, olga) = (login("ann"), login("bo"), login("olga"));
    let dataset = service.upload(&ann, &json!([announced("a.bin", b"one")]))["dataset_id"].clone();
    let complete = |token: &str| {
        service.post(token, "/api/v1/upload/complete", &json!({ "dataset_id": dataset }))
    };
    problem(complete(&bo), 404, "not-found");
    problem(complete(&olga), 404, "not-found");
    assert_eq!(complete(&ann).status(), 200);
    service.ended(&ann, &dataset);
    let get = |token: &str, what: &str| {
        let path = format!("{}/api/v1/validation/{dataset}/{what}", service.url);
        service.client.get(path).bearer_auth(token).send().unwrap()
    };
    for what in ["status", "report"] {
        problem(get(&bo, what), 404, "not-found");
        assert_eq!(get(&ann, what).status(), 200, "{what}");
        assert_eq!(get(&olga, what).status(), 200, "organisers see every team's");
    }
    let start = |more: Value| {
        let mut body = json!({ "dataset_name": "set", "files": [] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let foreign = [json!({ "team_id": team_of_bo }), json!({ "replaces": dataset })];
    problem(
        service.post(&ann, "/api/v1/upload/start", &start(foreign[0].clone())),
        404,
        "not-found",
    );
    problem(
        service.post(&bo, "/api/v1/upload/start", &start(foreign[1].clone())),
        404,
        "not-found",
    );
    let admins = service.token();
    let for_bo = service.post(&admins, "/api/v1/upload/start", &start(foreign[0].clone()));
    assert_eq!(for_bo.status(), 200, "an admin may name any team");
}

#[test]
fn what_is_not_what_was_announced_is_not_kept() {
    let service = Service::start();
    let token = service.token();
    let bytes = b"exactly these bytes";
    let started = service.upload(&token, &json!([announced("a.bin", bytes)]));
    let target = &started["upload_urls"][0];
    problem(service.put(target, b"exactly these bytez"), 422, "other-checksum");
    problem(service.put(target, b"fewer bytes"), 422, "other-size");
    problem(service.put(target, b"exactly these bytes and more"), 422, "other-size");
    let chunked = reqwest::blocking::Body::new(std::io::Cursor::new(vec![7; 1 << 20]));
    let request = service.client.put(target["upload_url"].as_str().unwrap());
    let answer = with_headers(request, target).body(chunked).send();
    // The answer may come while the client still sends, and then the connection is closed on it.
    if let Ok(answer) = answer {
        problem(answer, 422, "other-size");
    }
    let kept = |folder: &str| {
        let folder = service.folder.path().join("objects").join(folder);
        std::fs::read_dir(folder).map_or(0, Iterator::count)
    };
    assert_eq!((kept("uploads"), kept(".luna-parts")), (0, 0));

    assert_eq!(service.put(target, bytes).status(), 200);
    assert_eq!(service.put(target, bytes).status(), 200, "again, as after a lost answer");
    problem(service.put(target, b"exactly these bytez"), 422, "other-checksum");
    assert_eq!(kept(&format!("uploads/{}", started["dataset_id"])), 1);
}

#[test]
fn urls_are_good_for_what_they_were_made_for() {
    let service = Service::start();
    let token = service.token();
    let files = json!([announced("a.bin", b"one"), announced("b.bin", b"two")]);
    let started = service.upload(&token, &files);
    let (a, b) = (&started["upload_urls"][0], &started["upload_urls"][1]);
    let of = |target: &Value| target["upload_url"].as_str().unwrap().to_owned();
    let query = of(a).split_once('?').unwrap().1.to_owned();
    let swapped = format!("{}?{query}", of(b).split_once('?').unwrap().0);
    let (_, signature) = query.split_once("signature=").unwrap();
    let bare = of(a).split_once('?').unwrap().0.to_owned();
    for url in [
        bare.clone(),
        swapped,
        format!("{bare}?expires=1&signature={signature}"),
        format!("{bare}?expires=99999999999&signature={signature}"),
        format!("{}/upload/999/999?{query}", service.url),
    ] {
        let target = json!({ "upload_url": url, "headers": a["headers"] });
        problem(service.put(&target, b"one"), 403, "bad-signature");
    }
    let typed = json!({ "upload_url": of(a), "headers": { "Content-Type": "text/html" } });
    problem(service.put(&typed, b"one"), 422, "other-type");
}

#[test]
fn nobody_gets_in_without_a_password_or_with_anothers_token() {
    let service = Service::start();
    problem(service.get("/api/v1/validation/1/status"), 401, "no-token");
    for token in ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
        let answer = service.client.get(format!("{}/api/v1/auth/me", service.url));
        problem(answer.bearer_auth(token).send().unwrap(), 401, "bad-token");
    }
    let unknown = problem(service.login("nobody", "guess"), 401, "wrong-login");
    let known = problem(service.login("admin", "guess"), 401, "wrong-login");
    assert_eq!(unknown["detail"], known["detail"]);
    for _ in 0..4 {
        problem(service.login("admin", "guess"), 401, "wrong-login");
    }
    // Five tries a minute are over, also for the right password.
    let refused = service.login("admin", &service.password);
    assert!(refused.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
    problem(refused, 429, "too-many-tries");
}

#[test]
fn what_is_unknown_malformed_or_missing_is_said_alike() {
    let service = Service::start();
    let token = service.token();
    let get = |path: &str| {
        service.client.get(format!("{}{path}", service.url)).bearer_auth(&token).send().unwrap()
    };
    for path in [
        "/api/v1/validation/1/status",
        "/api/v1/validation/x/status",
        "/api/v1/validation/-1/report",
        "/api/v1/nothing",
        "/nothing",
    ] {
        problem(get(path), 404, "not-found");
    }
    problem(get("/api/v1/upload/start"), 405, "method-not-allowed");
    let start = |body: Value| service.post(&token, "/api/v1/upload/start", &body);
    let bad = json!({
        "dataset_name": " ",
        "files": [
            { "filename": "a", "content_type": "image/png", "size_bytes": 1, "sha256": "12" },
            { "filename": "", "content_type": "image/png", "size_bytes": 1 },
        ],
    });
    let problem_of_fields = problem(start(bad), 422, "invalid-fields");
    let pointers: Vec<&Value> =
        problem_of_fields["errors"].as_array().unwrap().iter().map(|it| &it["pointer"]).collect();
    assert_eq!(pointers, ["/dataset_name", "/files/0/sha256", "/files/1/filename"]);
    let extra = json!({ "dataset_name": "a", "files": [], "state": "complete" });
    problem(start(extra), 422, "invalid-fields");
    let twice = json!([announced("a.bin", b"one"), announced("a.bin", b"two")]);
    problem(start(json!({ "dataset_name": "a", "files": twice })), 422, "invalid-fields");
}

#[test]
fn health_is_asked_for_and_sessions_survive_a_restart() {
    let service = Service::start();
    let health: Value = service.get("/health").json().unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let expected = json!({ "status": "ok", "database": "ok", "s3": "ok", "version": version });
    assert_eq!(health, expected);
    assert_eq!(service.get("/liveness").status(), 200);
    assert!(service.get("/metrics").text().unwrap().contains("validation_job_retries_total 0"));
    let token = service.token();

    let objects = service.folder.path().join("objects");
    std::fs::rename(&objects, service.folder.path().join("away")).unwrap();
    let unready = service.get("/readiness");
    assert_eq!(unready.status(), 503);
    assert_eq!(unready.json::<Value>().unwrap()["s3"], "unavailable");
    std::fs::rename(service.folder.path().join("away"), objects).unwrap();

    let (folder, password, log) = service.stop();
    assert!(log.lines().last().unwrap().contains("stopped"), "{log}");
    assert!(!log.contains(&password) && !log.contains(&token));
    let again = Service::within(folder, Some(password));
    let me = again.client.get(format!("{}/api/v1/auth/me", again.url)).bearer_auth(&token);
    let me: Value = me.send().unwrap().json().unwrap();
    assert_eq!((&me["username"], &me["role"]), (&json!("admin"), &json!("admin")));
}

#[test]
fn unsafe_settings_are_refused_with_what_to_do() {
    let refused = |arguments: &[&str], secret: Option<&str>| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(BINARY);
        command.arg("serve").args(arguments).env("LUNA_DATA_DIR", folder.path());
        command.env_remove("LUNA_JWT_SECRET").env("RUST_BACKTRACE", "1");
        let ended = command.envs(secret.map(|it| ("LUNA_JWT_SECRET", it))).output().unwrap();
        assert_eq!(ended.status.code(), Some(1));
        assert!(ended.stdout.is_empty(), "a password is said by a service that starts");
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(said.starts_with("error: ") && said.lines().count() == 1, "{said}");
        said
    };
    assert!(refused(&["--bind", "0.0.0.0:0"], None).contains("LUNA_JWT_SECRET"));
    assert!(refused(&["--bind", "0.0.0.0:0"], Some("short")).contains("32 bytes"));
    let elsewhere = refused(&["--bind", "127.0.0.1:0", "--storage-url", "memory://x"], None);
    assert!(elsewhere.contains("folder"), "{elsewhere}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert!(refused(&["--bind", &address], None).contains(&address));
    assert!(refused(&["--bind", "127.0.0.1:0", "--log", "x=y=z"], None).contains("--log"));
}

/// Bodies that would do, by route.
fn bodies(dataset: &Value, file: &Value) -> Value {
    json!({
        "/api/v1/upload/complete": { "dataset_id": dataset },
        "/api/v1/upload/{dataset_id}/files": { "files": [] },
        "/api/v1/upload/{dataset_id}/urls": { "file_ids": [file] },
        "/api/v1/upload/{dataset_id}/files/{file_id}/parts": { "parts": [] },
        "/api/v1/upload/start": { "dataset_name": "x", "files": [], "team_id": 1 },
        "/api/v1/tasks": { "name": "x" },
        "/api/v1/profiles": { "name": "x", "body": "" },
        "/api/v1/teams": { "name": "x" },
        "/api/v1/users": { "team_id": 1, "username": "x", "password": "another password", "role": "user" },
        "/api/v1/invites": { "team_id": 1, "role": "admin" },
        "/api/v1/api-keys": { "name": "x", "scope": "write", "team_id": 1 },
    })
}

#[test]
fn every_route_asks_who_and_hides_what_is_anothers() {
    let service = Service::start();
    let token = service.token();
    let started = service.upload(&token, &json!([announced("a.bin", b"one")]));
    let (dataset, file) = (&started["dataset_id"], &started["upload_urls"][0]["file_id"]);
    let made = service.post(&token, "/api/v1/teams", &json!({ "name": "other" }));
    assert_eq!(made.status(), 201);
    let other = made.json::<Value>().unwrap()["team_id"].clone();
    let user = json!({
        "team_id": other, "username": "eve", "password": "another password", "role": "user",
    });
    assert_eq!(service.post(&token, "/api/v1/users", &user).status(), 201);
    let eve: Value = service.login("eve", "another password").json().unwrap();
    let eve = eve["access_token"].as_str().unwrap();

    let bodies = bodies(dataset, file);
    let document = serde_json::to_value(luna_http::openapi()).unwrap();
    let mut seen = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let who = operation["x-who"].as_str().unwrap();
            let filled = path
                .replace("{dataset_id}", &dataset.to_string())
                .replace("{file_id}", &file.to_string())
                .replace("{team_id}", "1");
            let url =
                format!("{}{}", service.url, filled.replace("_id}", "}").replace(['{', '}'], ""));
            let call = |token: Option<&str>| {
                let method = method.to_uppercase().parse().unwrap();
                let mut request = service.client.request(method, &url);
                if let Some(token) = token {
                    request = request.bearer_auth(token);
                }
                if operation.get("requestBody").is_some() {
                    request = request.json(bodies.get(path).unwrap_or(&json!({})));
                }
                request.send().unwrap()
            };
            if who != "anybody" {
                problem(call(None), 401, "no-token");
                seen += 1;
            }
            let named = operation.get("requestBody").and(bodies.get(path));
            let names_anothers =
                |body: &Value| body.get("team_id").is_some() || body.get("dataset_id").is_some();
            let is_hidden = matches!(who, "admin" | "organiser")
                || path.contains('{') && !path.contains("/tasks") && !path.contains("/profiles")
                || named.is_some_and(names_anothers);
            if is_hidden && who != "anybody" {
                problem(call(Some(eve)), 404, "not-found");
            }
        }
    }
    assert!(seen > 30, "{seen}");
}

#[test]
fn sessions_and_keys_end_when_they_are_ended() {
    let service = Service::start();
    let signed_in: Value = service.login("admin", &service.password).json().unwrap();
    let refresh = |token: &Value| {
        let url = format!("{}/api/v1/auth/refresh", service.url);
        service.client.post(url).json(&json!({ "refresh_token": token })).send().unwrap()
    };
    let me = |name: &str, value: &str| {
        let url = format!("{}/api/v1/auth/me", service.url);
        service.client.get(url).header(name, value).send().unwrap()
    };
    let fresh: Value = refresh(&signed_in["refresh_token"]).json().unwrap();
    let token = fresh["access_token"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    assert_eq!(me("authorization", &bearer).status(), 200);

    let new = json!({ "name": "script", "scope": "read" });
    let key: Value = service.post(&token, "/api/v1/api-keys", &new).json().unwrap();
    let secret = key["key"].as_str().unwrap();
    let who: Value = me("x-api-key", secret).json().unwrap();
    assert_eq!((&who["team"], &who["role"]), (&json!("admin"), &json!("user")));
    let start = json!({ "dataset_name": "x", "files": [] });
    let url = format!("{}/api/v1/upload/start", service.url);
    let refused = service.client.post(url).header("x-api-key", secret).json(&start).send().unwrap();
    problem(refused, 403, "read-only-key");
    let url = format!("{}/api/v1/api-keys/{}", service.url, key["key_id"]);
    assert_eq!(service.client.delete(url).bearer_auth(&token).send().unwrap().status(), 204);
    problem(me("x-api-key", secret), 401, "bad-key");

    // The first refresh token comes again: somebody else has it.
    problem(refresh(&signed_in["refresh_token"]), 401, "bad-token");
    problem(me("authorization", &bearer), 401, "bad-token");
    problem(refresh(&fresh["refresh_token"]), 401, "bad-token");
}

#[test]
fn a_file_goes_on_where_it_stopped() {
    let service = Service::start();
    let token = service.token();
    let started = service.upload(&token, &json!([announced("a.bin", b"chest")]));
    let target = &started["upload_urls"][0];
    let put = |range: &str, bytes: &[u8]| {
        let request = service.client.put(target["upload_url"].as_str().unwrap());
        let request = with_headers(request, target).header("content-range", range);
        request.body(bytes.to_vec()).send().unwrap()
    };
    let left = || -> Value {
        let url = format!("{}/api/v1/upload/{}", service.url, started["dataset_id"]);
        service.client.get(url).bearer_auth(&token).send().unwrap().json().unwrap()
    };
    problem(put("bytes 2-4/5", b"est"), 416, "wrong-offset");
    assert_eq!(put("bytes 0-1/5", b"ch").status(), 202);
    assert_eq!(left()["files"]["items"][0]["received_bytes"], 2);
    problem(put("bytes 0-1/5", b"ch"), 416, "wrong-offset");
    problem(put("bytes 2-4/6", b"est"), 422, "other-size");
    // What came is lost behind the catalogue's back: it begins anew, and is not told to wait.
    for part in std::fs::read_dir(service.folder.path().join("objects/.luna-parts")).unwrap() {
        std::fs::remove_file(part.unwrap().path()).unwrap();
    }
    problem(put("bytes 2-4/5", b"est"), 416, "wrong-offset");
    assert_eq!(left()["files"]["items"][0]["received_bytes"], 0);
    assert_eq!(put("bytes 0-1/5", b"ch").status(), 202);
    assert_eq!(put("bytes 2-4/5", b"est").status(), 200);
    assert_eq!((&left()["received"], &left()["missing"]), (&json!(1), &json!(0)));
}

#[test]
fn a_call_under_one_key_is_made_once() {
    let service = Service::start();
    let token = service.token();
    let post = |path: &str, key: &str, body: &Value| {
        let request = service.client.post(format!("{}{path}", service.url)).bearer_auth(&token);
        request.header("idempotency-key", key).json(body).send().unwrap()
    };
    let (start, path) = (json!({ "dataset_name": "x", "files": [] }), "/api/v1/upload/start");
    let first: Value = post(path, "k", &start).json().unwrap();
    assert_eq!(post(path, "k", &start).json::<Value>().unwrap(), first);
    let other = json!({ "dataset_name": "y", "files": [] });
    problem(post(path, "k", &other), 422, "key-used");
    let bad = json!({ "dataset_name": "", "files": [] });
    problem(post(path, "bad", &bad), 422, "invalid-fields");
    assert_eq!(post(path, "bad", &start).status(), 200, "what was refused may be tried again");
    let key = json!({ "name": "script", "scope": "read" });
    assert_eq!(post("/api/v1/api-keys", "a", &key).status(), 201);
    problem(post("/api/v1/api-keys", "a", &key), 409, "made-before");
}

/// A service whose files go to a bucket, and where they do, if the tests have a server.
fn with_bucket(name: &str) -> Option<(Service, String)> {
    let Ok(bucket) = std::env::var("LUNA_TEST_S3") else {
        assert!(std::env::var("LUNA_TEST_SERVERS").is_err(), "run the tests under .ci/servers");
        return None;
    };
    let (place, options) = bucket.split_once('?').unwrap();
    let uri = format!("{place}/{name}-{}?{options}", std::process::id());
    let set = |command: &mut Command| {
        command.env("LUNA_STORAGE_URL", &uri);
    };
    Some((Service::set_up(tempfile::tempdir().unwrap(), None, set), uri))
}

#[test]
fn parts_that_a_bucket_forgot_begin_anew() {
    let Some((service, uri)) = with_bucket("forgets") else {
        eprintln!("NOT TESTED on S3: LUNA_TEST_S3 names no server");
        return;
    };
    let token = service.token();
    let large = vec![0x5a_u8; (64 << 20) + 7];
    let started = service.upload(&token, &json!([announced("large.bin", &large)]));
    let (dataset, first) = (&started["dataset_id"], &started["upload_urls"][0]);
    let upload_of = |target: &Value| {
        let url = reqwest::Url::parse(target["parts"][0]["url"].as_str().unwrap()).unwrap();
        url.query_pairs().find(|(name, _)| name == "uploadId").unwrap().1.into_owned()
    };
    let again = || {
        let path = format!("/api/v1/upload/{dataset}/urls");
        let fresh = service.post(&token, &path, &json!({ "file_ids": [first["file_id"]] }));
        let fresh: Value = fresh.json().unwrap();
        fresh["upload_urls"][0].clone()
    };
    assert_eq!(upload_of(&again()), upload_of(first), "what the bucket knows goes on");

    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let signer = Storage::open(&uri).unwrap().signer(None).await.unwrap();
        let key = first["s3_key"].as_str().unwrap();
        signer.drop_parts(key, &upload_of(first)).await.unwrap();
    });
    let anew = again();
    assert_ne!(upload_of(&anew), upload_of(first));
    let last = anew["parts"][1].clone();
    let sent = service.client.put(last["url"].as_str().unwrap()).body(large[64 << 20..].to_vec());
    assert_eq!(sent.send().unwrap().status(), 200);
    assert_eq!(upload_of(&again()), upload_of(&anew));
}

#[test]
fn a_bucket_takes_files_past_the_service() {
    let Some((service, _)) = with_bucket("http") else {
        eprintln!("NOT TESTED on S3: LUNA_TEST_S3 names no server");
        return;
    };
    assert_eq!(service.get("/readiness").status(), 200);
    let token = service.token();
    let mut large = vec![0x5a_u8; (64 << 20) + 7];
    large[..8].copy_from_slice(b"no image");
    let (name, picture) = pictures().swap_remove(0);
    let never = announced("never.bin", b"never");
    let files = json!([announced(&name, &picture), announced("large.bin", &large), never]);
    let started = service.upload(&token, &files);
    let (small, parted) = (&started["upload_urls"][0], &started["upload_urls"][1]);
    assert!(!small["upload_url"].as_str().unwrap().starts_with(&service.url));

    let other: Vec<u8> = picture.iter().map(|byte| byte ^ 1).collect();
    assert!(!service.put(small, &other).status().is_success(), "another checksum");
    assert!(!service.put(small, b"shorter").status().is_success(), "another length");
    let typed =
        json!({ "upload_url": small["upload_url"], "headers": { "Content-Type": "text/html" } });
    assert!(!service.put(&typed, &picture).status().is_success(), "another type");
    assert_eq!(service.put(small, &picture).status(), 200);

    let mut tags = Vec::new();
    for part in parted["parts"].as_array().unwrap() {
        let from = part["offset"].as_u64().unwrap() as usize;
        let bytes = large[from..from + part["size_bytes"].as_u64().unwrap() as usize].to_vec();
        let sent = service.client.put(part["url"].as_str().unwrap()).body(bytes).send().unwrap();
        assert_eq!(sent.status(), 200);
        let tag = sent.headers()["etag"].to_str().unwrap().to_owned();
        tags.push(json!({ "number": part["number"], "etag": tag }));
    }
    assert_eq!(tags.len(), 2);
    let (dataset, file) = (&started["dataset_id"], &parted["file_id"]);
    let path = format!("/api/v1/upload/{dataset}/files/{file}/parts");
    assert_eq!(service.post(&token, &path, &json!({ "parts": tags })).status(), 204);
    let url = format!("{}/api/v1/upload/{dataset}", service.url);
    let left: Value = service.client.get(url).bearer_auth(&token).send().unwrap().json().unwrap();
    assert_eq!((&left["received"], &left["missing"]), (&json!(2), &json!(1)));
    assert_eq!(left["files"]["items"][0]["path"], "never.bin");

    let complete = json!({ "dataset_id": dataset });
    assert_eq!(service.post(&token, "/api/v1/upload/complete", &complete).status(), 200);
    let ended = service.ended(&token, dataset);
    assert_eq!(ended["status"], "completed", "{ended}");
    assert_eq!(ended["validation_results"]["files_checked"], 2);
}
