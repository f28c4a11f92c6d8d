//! Against a service that answers as it is told, and remembers what it was asked.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::PathBuf;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use luna_core::CancelToken;
use tempfile::TempDir;

use super::*;
use crate::progress::When;

/// A request as it came.
#[derive(Clone, Debug)]
struct Seen {
    /// `PUT /to/1`.
    what: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

type Answer = (u16, Vec<(&'static str, &'static str)>, Value);

fn ok(body: Value) -> Answer {
    (200, Vec::new(), body)
}

fn no(status: u16, code: &str) -> Answer {
    (
        status,
        vec![("content-type", "application/problem+json")],
        json!({ "code": code, "detail": code }),
    )
}

/// The service, gone with the test.
struct Stub {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    _runtime: tokio::runtime::Runtime,
}

impl Stub {
    /// Answers by the request and the number of those like it before; `None` is the usual answer.
    fn answering(
        script: impl Fn(&str, &Seen, usize) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (base, log, script) = (url.clone(), Arc::clone(&seen), Arc::new(script));
        let handler = async move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let request = Seen { what: format!("{method} {uri}"), headers, body: body.to_vec() };
            let before = {
                let mut log = log.lock().unwrap();
                log.push(request.clone());
                log.iter().filter(|seen| seen.what == request.what).count() - 1
            };
            let answer = script(&base, &request, before);
            let (status, headers, body) = answer.unwrap_or_else(|| usual(&base, &request));
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(HeaderName::from_static(name), value.parse().unwrap());
            }
            (StatusCode::from_u16(status).unwrap(), map, body.to_string())
        };
        let app =
            axum::Router::new().fallback(handler).layer(axum::extract::DefaultBodyLimit::disable());
        runtime.spawn(async { axum::serve(listener, app).await });
        Self { url, seen, _runtime: runtime }
    }

    fn seen(&self, what: &str) -> Vec<Seen> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .filter(|seen| seen.what.starts_with(what))
            .cloned()
            .collect()
    }
}

/// What a service answers that takes everything: data set 7, a file's number is its place in the call.
fn usual(base: &str, seen: &Seen) -> Answer {
    match seen.what.as_str() {
        "POST /api/v1/upload/start" | "POST /api/v1/upload/7/files" => {
            let body = seen.json();
            let targets = body["files"].as_array().unwrap().iter().zip(1..);
            let targets: Value =
                targets.map(|(file, id)| target(base, id, &file["path"])).collect();
            ok(json!({ "dataset_id": 7, "upload_urls": targets, "expires_in": 3_600 }))
        }
        "POST /api/v1/upload/complete" => ok(json!({ "dataset_id": 7, "status": "queued" })),
        what if what.starts_with("PUT /to/") => ok(Value::Null),
        _ => no(404, "not-found"),
    }
}

fn target(base: &str, id: u64, name: &Value) -> Value {
    json!({
        "file_id": id, "filename": name, "upload_url": format!("{base}/to/{id}"), "s3_key": "x",
        "method": "PUT", "headers": { "Content-Type": "image/png" },
    })
}

/// Files that are handed in to a stub.
struct Set {
    folder: TempDir,
    local: Local,
    intent: Intent,
    state: TempDir,
}

impl Set {
    fn of(files: &[(&str, Vec<u8>)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, contents) in files {
            fs::write(folder.path().join(path), contents).unwrap();
        }
        let mut local = Local::list(folder.path()).unwrap();
        local.hash(&CancelToken::default()).unwrap();
        let intent = Intent {
            dataset_name: "set".to_owned(),
            description: String::new(),
            team_id: None,
            task: None,
            replaces: None,
            remove: Vec::new(),
        };
        Self { folder, local, intent, state: tempfile::tempdir().unwrap() }
    }

    fn memory(&self) -> PathBuf {
        self.state.path().join("set.json")
    }

    fn push(&self, stub: &Stub) -> Result<i64> {
        self.push_to(&asked(stub))
    }

    fn push_to(&self, server: &Server) -> Result<i64> {
        let watch = Arc::new(Watch::new(When::Never));
        let memory = Some(Memory::at(self.memory()));
        let (watch, local, intent) = (&watch, &self.local, &self.intent);
        Push { server, watch, local, intent, jobs: 3, memory }.send()
    }
}

#[test]
fn files_are_announced_a_thousand_a_call_and_the_key_goes_to_the_service_alone() {
    let names: Vec<String> = (0..1_001).map(|number| format!("{number:04}.png")).collect();
    let files: Vec<(&str, Vec<u8>)> =
        names.iter().map(|name| (&**name, name.clone().into_bytes())).collect();
    let (set, stub) = (Set::of(&files), Stub::answering(|_, _, _| None));
    assert_eq!(set.push(&stub).unwrap(), 7);
    let calls = |what| -> Vec<usize> {
        stub.seen(what).iter().map(|it| it.json()["files"].as_array().unwrap().len()).collect()
    };
    assert_eq!(calls("POST /api/v1/upload/start"), [1_000]);
    assert_eq!(calls("POST /api/v1/upload/7/files"), [1]);
    let puts = stub.seen("PUT ");
    assert_eq!(puts.len(), 1_001);
    let all = stub.seen("");
    assert!(all.iter().all(|it| it.what.starts_with("PUT") != it.header("x-api-key").is_some()));
    let mut bodies: Vec<&[u8]> = puts.iter().map(|put| &*put.body).collect();
    bodies.sort_unstable();
    assert!(bodies.iter().zip(&names).all(|(body, name)| *body == name.as_bytes()));
    assert_eq!(all.last().unwrap().what, "POST /api/v1/upload/complete");
}

#[test]
fn an_address_that_is_not_good_any_more_is_replaced() {
    let set = Set::of(&[("a.png", b"one".to_vec())]);
    let stub = Stub::answering(|base, seen, _| match seen.what.as_str() {
        "PUT /to/1" => Some(no(403, "bad-signature")),
        "POST /api/v1/upload/7/urls" => {
            let mut fresh = target(base, 2, &json!("a.png"));
            fresh["file_id"] = json!(1);
            Some(ok(json!({ "upload_urls": [fresh] })))
        }
        _ => None,
    });
    set.push(&stub).unwrap();
    assert_eq!(stub.seen("POST /api/v1/upload/7/urls")[0].json(), json!({ "file_ids": [1] }));
    assert_eq!(stub.seen("PUT /to/2")[0].body, b"one");
}

#[test]
fn an_address_that_never_is_good_ends_it() {
    let set = Set::of(&[("a.png", b"one".to_vec())]);
    let stub = Stub::answering(|base, seen, _| match seen.what.as_str() {
        "PUT /to/1" => Some(no(403, "bad-signature")),
        "POST /api/v1/upload/7/urls" => {
            Some(ok(json!({ "upload_urls": [target(base, 1, &json!("a.png"))] })))
        }
        _ => None,
    });
    let error = set.push(&stub).unwrap_err();
    assert_eq!(error.refusal().unwrap().status, 403);
    assert_eq!(stub.seen("PUT /to/1").len(), 3);
    assert!(stub.seen("POST /api/v1/upload/complete").is_empty());
}

#[test]
fn what_may_pass_is_repeated_as_the_service_asks() {
    let set = Set::of(&[("a.png", b"one".to_vec())]);
    let stub = Stub::answering(|_, seen, before| match seen.what.as_str() {
        "POST /api/v1/upload/start" | "PUT /to/1" if before < 2 => {
            Some((503, vec![("retry-after", "0")], Value::Null))
        }
        _ => None,
    });
    set.push(&stub).unwrap();
    let starts = stub.seen("POST /api/v1/upload/start");
    assert_eq!((starts.len(), stub.seen("PUT /to/1").len()), (3, 3));
    let keys: Vec<Option<&str>> = starts.iter().map(|it| it.header("idempotency-key")).collect();
    assert!(keys[0].is_some() && keys.iter().all(|key| *key == keys[0]), "one data set, not three");
}

/// A set that was announced before, of which `big.png` lies at the service in part.
fn half_sent_set() -> Set {
    let set = Set::of(&[("big.png", (0..=255).collect()), ("small.png", b"two".to_vec())]);
    let intent = serde_json::to_value(&set.intent).unwrap();
    let unfinished = Unfinished::new(7, intent, &set.local);
    Memory::at(set.memory()).write(&unfinished).unwrap();
    set
}

fn half(received: u64) -> Answer {
    let items =
        json!([{ "file_id": 1, "path": "big.png", "size_bytes": 256, "received_bytes": received }]);
    ok(json!({
        "dataset_id": 7, "state": "uploading", "received": 1, "missing": 1,
        "files": { "items": items, "next_cursor": null },
    }))
}

#[test]
fn a_half_sent_file_goes_on_where_it_stopped() {
    let set = half_sent_set();
    let stub = Stub::answering(|base, seen, _| match seen.what.as_str() {
        what if what.starts_with("GET /api/v1/upload/7") => Some(half(100)),
        // The service holds the other file: no address for it.
        "POST /api/v1/upload/7/files" => Some(ok(json!({
            "dataset_id": 7, "upload_urls": [target(base, 1, &json!("big.png"))],
        }))),
        _ => None,
    });
    assert_eq!(set.push(&stub).unwrap(), 7);
    assert!(stub.seen("POST /api/v1/upload/start").is_empty());
    let puts = stub.seen("PUT ");
    assert_eq!(puts.len(), 1);
    assert_eq!(puts[0].header("content-range"), Some("bytes 100-255/256"));
    assert_eq!(puts[0].body, (100..=255).collect::<Vec<u8>>());
}

#[test]
fn a_file_that_goes_on_elsewhere_than_thought_is_sent_anew() {
    let set = half_sent_set();
    let stub = Stub::answering(|_, seen, before| match seen.what.as_str() {
        what if what.starts_with("GET /api/v1/upload/7") => Some(half(100)),
        "PUT /to/1" if before == 0 => Some(no(409, "other-offset")),
        _ => None,
    });
    set.push(&stub).unwrap();
    let puts = stub.seen("PUT /to/1");
    assert_eq!(puts.len(), 2);
    assert_eq!((puts[1].header("content-range"), puts[1].body.len()), (None, 256));
}

#[test]
fn an_upload_that_is_gone_is_begun_anew() {
    let set = half_sent_set();
    let stub = Stub::answering(|_, _, _| None);
    set.push(&stub).unwrap();
    assert_eq!(stub.seen("POST /api/v1/upload/start").len(), 1);
    assert_eq!(stub.seen("PUT ").len(), 2);
}

#[test]
fn one_that_is_complete_is_only_waited_for_unless_files_changed() {
    let complete = |_: &str, seen: &Seen, _| {
        let is_asked = seen.what.starts_with("GET /api/v1/upload/7");
        is_asked.then(|| ok(json!({ "state": "complete", "received": 2, "missing": 0 })))
    };
    let (mut set, stub) = (half_sent_set(), Stub::answering(complete));
    assert_eq!(set.push(&stub).unwrap(), 7);
    assert!(stub.seen("POST ").is_empty());

    fs::write(set.folder.path().join("small.png"), "other").unwrap();
    set.local = Local::list(set.folder.path()).unwrap();
    set.local.hash(&CancelToken::default()).unwrap();
    set.push(&stub).unwrap();
    assert_eq!(stub.seen("POST /api/v1/upload/start").len(), 1);
}

#[test]
fn a_large_file_is_sent_in_parts_whose_tags_are_told() {
    let set = Set::of(&[("big.png", (0..=255).collect())]);
    let stub = Stub::answering(|base, seen, _| match seen.what.as_str() {
        "POST /api/v1/upload/start" => {
            let part = |number: u64, offset, size| json!({ "number": number, "offset": offset, "size_bytes": size, "url": format!("{base}/part/{number}"), "headers": {} });
            Some(ok(json!({ "dataset_id": 7, "upload_urls": [{
                "file_id": 5, "filename": "big.png", "s3_key": "x", "method": "PUT", "headers": {},
                "parts": [part(1, 0, 200), part(2, 200, 56)],
            }]})))
        }
        "PUT /part/1" => Some((200, vec![("etag", "\"first\"")], Value::Null)),
        "PUT /part/2" => Some((200, vec![("etag", "\"second\"")], Value::Null)),
        "POST /api/v1/upload/7/files/5/parts" => Some((204, Vec::new(), Value::Null)),
        _ => None,
    });
    set.push(&stub).unwrap();
    assert_eq!(stub.seen("PUT /part/2")[0].body, (200..=255).collect::<Vec<u8>>());
    assert_eq!(
        stub.seen("POST /api/v1/upload/7/files/5/parts")[0].json(),
        json!({ "parts": [{ "number": 1, "etag": "\"first\"" }, { "number": 2, "etag": "\"second\"" }] })
    );
}

#[test]
fn a_file_that_changes_under_way_ends_it_and_says_so() {
    let set = Set::of(&[("a.png", b"one".to_vec())]);
    let stub =
        Stub::answering(|_, seen, _| (seen.what == "PUT /to/1").then(|| no(422, "other-checksum")));
    let error = set.push(&stub).unwrap_err();
    assert!(matches!(error, Error::Changed { .. }), "{error}");
    assert!(stub.seen("POST /api/v1/upload/complete").is_empty());
}

#[test]
fn a_redirect_is_not_followed_with_the_key() {
    let set = Set::of(&[("a.png", b"one".to_vec())]);
    let stub = Stub::answering(|_, _, _| {
        Some((307, vec![("location", "https://elsewhere.example/?k=s3cret")], Value::Null))
    });
    let error = set.push(&stub).unwrap_err().to_string();
    assert!(error.contains("it points to https://elsewhere.example") && !error.contains("s3cret"));
    assert_eq!(stub.seen("").len(), 1);
}

fn asked(stub: &Stub) -> Server {
    Server::new(&stub.url, Credential::ApiKey("key-of-the-team".to_owned()), false).unwrap()
}

#[test]
fn all_pages_of_the_data_sets_are_asked_for() {
    let stub = Stub::answering(|_, seen, _| match seen.what.as_str() {
        "GET /api/v1/datasets?limit=1000" => {
            Some(ok(json!({ "items": [{ "dataset_id": 2 }], "next_cursor": "1&2" })))
        }
        "GET /api/v1/datasets?limit=1000&cursor=1%262" => {
            Some(ok(json!({ "items": [{ "dataset_id": 1 }], "next_cursor": null })))
        }
        _ => None,
    });
    let listed = asked(&stub).datasets().unwrap();
    assert_eq!(listed, [json!({ "dataset_id": 2 }), json!({ "dataset_id": 1 })]);
}

#[test]
fn a_report_of_another_version_is_not_half_read() {
    let stub = Stub::answering(|_, seen, _| {
        (seen.what == "GET /api/v1/validation/7/report?format=json")
            .then(|| ok(json!({ "schema_version": 7, "luna_version": "9.1.0" })))
    });
    let error = asked(&stub).report(7).unwrap_err();
    assert!(matches!(error, Error::Report { dataset_id: 7, .. }), "{error:?}");
    assert!(error.in_short().contains("written by luna 9.1.0"), "{}", error.in_short());
}

#[test]
fn what_is_stopped_sends_no_more_and_its_copies_go_on() {
    let set = Set::of(&[("a.png", b"one".to_vec())]);
    let stop = CancelToken::default();
    let stopped = stop.clone();
    let stub = Stub::answering(move |_, seen, _| {
        if seen.what == "POST /api/v1/upload/start" {
            stop.cancel();
        }
        None
    });
    let server = asked(&stub);
    assert!(matches!(set.push_to(&server.stopped_by(&stopped)), Err(Error::Interrupted)));
    assert!(stub.seen("PUT ").is_empty());
    assert_eq!(set.push_to(&server).unwrap(), 7);
}

#[test]
fn a_wait_says_what_it_waits_for() {
    let stage = |status: Value| serde_json::from_value::<Status>(status).unwrap().stage();
    assert_eq!(
        stage(json!({
            "status": "pending",
            "queue": { "position": 3, "files_ahead": 1_200, "workers_alive": 0 },
        })),
        "waiting to be validated, number 3 in the queue, 1,200 files ahead; no worker is up at the moment"
    );
    let processing = json!({ "status": "processing", "progress": { "done": 12, "total": 4_000 } });
    assert_eq!(stage(processing), "validating: 12 of 4,000 files");
}

#[test]
fn the_first_failure_is_told() {
    let failed = Failed::default();
    failed.note(Ok(()));
    assert!(!failed.is_set());
    failed.note(Err(Error::Unfit("first".to_owned())));
    failed.note(Err(Error::Unfit("second".to_owned())));
    assert_eq!(failed.into_result().unwrap_err().to_string(), "first");
}
