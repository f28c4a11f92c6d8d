//! Who may call, how often, and how slowly.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::blocking::RequestBuilder;
use serde_json::{Value, json};

use super::started::BINARY;
use super::{Service, problem};

#[test]
fn pages_of_named_origins_may_call_the_api_and_no_others() {
    let service = Service::start(|command| {
        command.env("LUNA_CORS_ORIGINS", "https://app.example,https://two.example");
    });
    let preflight = |service: &Service, path: &str, origin: &str| {
        let request = service.client.request(Method::OPTIONS, format!("{}{path}", service.url));
        let request = request.header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        let asked = request.header("access-control-request-headers", "authorization,content-type");
        asked.send().unwrap().headers().clone()
    };
    for origin in ["https://app.example", "https://two.example"] {
        let head = preflight(&service, "/api/v1/upload/start", origin);
        assert_eq!(head["access-control-allow-origin"], origin);
        assert!(head["access-control-allow-methods"].to_str().unwrap().contains("POST"));
        let headers = head["access-control-allow-headers"].to_str().unwrap();
        assert!(headers.contains("authorization") && headers.contains("content-type"));
        assert!(!head.contains_key("access-control-allow-credentials"));
    }
    let other = preflight(&service, "/api/v1/upload/start", "https://evil.example");
    assert!(!other.contains_key("access-control-allow-origin"));
    let page = preflight(&service, "/sign-in", "https://app.example");
    assert!(!page.contains_key("access-control-allow-origin"));
    // A script learns why it is refused, too.
    let refused = service.get("/api/v1/datasets").header("origin", "https://app.example").send();
    let refused = refused.unwrap();
    assert_eq!(refused.headers()["access-control-allow-origin"], "https://app.example");
    let exposed = refused.headers()["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.contains("x-request-id"), "{exposed}");
    problem(refused, 401, "no-token");

    let closed = Service::start(|_| {});
    let head = preflight(&closed, "/api/v1/upload/start", "https://app.example");
    assert!(!head.contains_key("access-control-allow-origin"));
}

#[test]
fn an_origin_that_is_none_is_refused_at_the_start() {
    for origin in ["app.example", "https://app.example/path", "*"] {
        let mut command = Command::new(BINARY);
        command.args(["serve", "--cors-origins", origin]).env("LUNA_DATA_DIR", "nowhere");
        let output = command.output().unwrap();
        assert!(!output.status.success(), "{origin}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("cors-origins"));
    }
}

#[test]
fn a_team_that_calls_too_fast_is_told_to_wait_and_slows_no_other() {
    let service = Service::start(|command| {
        command.env("LUNA_RATE_PER_SECOND", "1");
    });
    let admin = service.admin();
    let post = |path: &str, body: &Value| -> Value {
        service.post(path).bearer_auth(&admin).json(body).send().unwrap().json().unwrap()
    };
    let team = post("/api/v1/teams", &json!({ "name": "radiant" }));
    post(
        "/api/v1/users",
        &json!({ "username": "ada", "password": "a long password", "team_id": team["team_id"], "role": "user" }),
    );
    let ada = service.token("ada", "a long password");
    let (_, target) = service.announced(&ada, 5);
    let asked = || service.get("/api/v1/datasets").bearer_auth(&ada);
    let until_refused = |request: &dyn Fn() -> RequestBuilder| {
        let mut answers = std::iter::repeat_with(|| request().send().unwrap()).take(200);
        answers.find(|answer| answer.status() == 429).unwrap()
    };
    let refused = until_refused(&asked);
    let seconds: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=2).contains(&seconds), "{seconds}");
    problem(refused, 429, "too-many-calls");
    // Under an idempotency key too.
    let again = until_refused(&|| {
        let request = service.post("/api/v1/upload/start").bearer_auth(&ada);
        request.header("idempotency-key", "one").json(&json!({}))
    });
    problem(again, 429, "too-many-calls");
    // What is signed is sent without counting, or uploads would be slow.
    let put = service.client.put(target["upload_url"].as_str().unwrap());
    assert_eq!(put.header("content-type", "image/png").body("12345").send().unwrap().status(), 200);
    // Others go on.
    let other = service.get("/api/v1/datasets").bearer_auth(&admin).send().unwrap();
    assert_eq!(other.status(), 200);
    std::thread::sleep(Duration::from_secs(seconds));
    assert_eq!(asked().send().unwrap().status(), 200);
}

#[test]
fn tries_are_counted_by_the_client_that_a_trusted_proxy_names() {
    // Too short a password is refused at once, and counts.
    let try_from = |service: &Service, forwarded: &str| {
        let body = json!({ "token": "none", "username": "eve", "password": "short" });
        let request = service.post("/api/v1/invites/accept").header("x-forwarded-for", forwarded);
        request.json(&body).send().unwrap().status().as_u16()
    };
    let is_ever_refused = |service: &Service, from: &dyn Fn(usize) -> String| {
        // Twice the limit: nobody reads the log, and a full pipe would stop the service.
        (0..60).any(|number| try_from(service, &from(number)) == 429)
    };
    let service = Service::start(|command| {
        command.env("LUNA_TRUSTED_PROXIES", "127.0.0.0/8,10.0.0.0/8");
    });
    assert!(!is_ever_refused(&service, &|number| format!("198.51.100.{number}")));
    let made_up = |number: usize| format!("192.0.2.{number}, 203.0.113.1, 10.0.0.7");
    assert!(is_ever_refused(&service, &made_up));
    assert_eq!(try_from(&service, "203.0.113.2"), 422);

    let alone = Service::start(|_| {});
    assert!(is_ever_refused(&alone, &|number| format!("198.51.100.{number}")), "nobody vouches");
}

/// Sends these bytes as they are, and reads what comes until the line is closed.
fn raw(service: &Service, pieces: &[&[u8]]) -> (String, Duration) {
    let mut line = TcpStream::connect(service.started.address).unwrap();
    line.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let began = Instant::now();
    for piece in pieces {
        // Whoever is refused early may not get rid of the rest.
        let _ = line.write_all(piece);
    }
    let mut answer = Vec::new();
    let _ = line.read_to_end(&mut answer);
    (String::from_utf8_lossy(&answer).into_owned(), began.elapsed())
}

/// A request with so many headers.
fn head(headers: usize) -> String {
    let mut head = String::from("GET /liveness HTTP/1.1\r\nhost: a\r\n");
    for at in 0..headers {
        let _ = write!(head, "x-{at}: a\r\n");
    }
    head + "\r\n"
}

#[test]
fn senders_that_are_slow_or_lie_are_refused_and_others_served() {
    let service = Service::start(|command| {
        command.env("LUNA_SENDER_TIMEOUT", "1");
    });
    let token = service.admin();
    let (dataset, target) = service.announced(&token, 1 << 20);
    let path = target["upload_url"].as_str().unwrap().strip_prefix(&service.url).unwrap();
    let before = memory(&service);
    let quick = Duration::from_secs(5);

    // A head that stops, has too many headers, or never ends.
    let (answer, took) = raw(&service, &[b"GET /liveness HTTP/1.1\r\nhost: a\r\nx-a"]);
    assert!(answer.is_empty() && took < quick, "{answer} {took:?}");
    let (answer, took) = raw(&service, &[head(200).as_bytes()]);
    assert!(answer.starts_with("HTTP/1.1 431 ") && took < quick, "{answer} {took:?}");
    let endless = [b"GET /liveness HTTP/1.1\r\nx-a: ".as_slice(), &vec![b'a'; 8 << 20]].concat();
    for bytes in [head(10_000).as_bytes(), &endless] {
        let (answer, took) = raw(&service, &[bytes]);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
        assert!(took < quick, "{took:?}");
    }

    // A document and a file that stop, or are shorter than they say.
    let document = format!(
        "POST /api/v1/upload/start HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\
         content-length: 4000\r\n\r\n{{"
    );
    let login = "POST /api/v1/auth/login HTTP/1.1\r\nhost: a\r\ncontent-length: 90\r\n\
                 content-type: application/x-www-form-urlencoded\r\n\r\nusername=";
    let file = format!(
        "PUT {path} HTTP/1.1\r\nhost: a\r\ncontent-type: image/png\r\ncontent-length: 1048576\r\n\r\n"
    );
    for (head, rest) in [(&*document, 1), (login, 1), (&*file, 100_000)] {
        let (answer, took) = raw(&service, &[head.as_bytes(), &vec![b' '; rest]]);
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains("too-slow") && took < quick, "{answer} {took:?}");
    }
    // What came of the file is there, to go on with.
    let state = service.get(&format!("/api/v1/upload/{dataset}")).bearer_auth(&token).send();
    let state: Value = state.unwrap().json().unwrap();
    assert_eq!(state["files"]["items"][0]["received_bytes"], 100_000, "{state}");

    // Bytes in time do not help a document that takes for ever.
    let mut line = TcpStream::connect(service.started.address).unwrap();
    line.write_all(document.as_bytes()).unwrap();
    let began = Instant::now();
    while line.write_all(b" ").is_ok() && began.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!((3..10).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());

    // A document that is too large is refused before it is held.
    let large = format!(
        "POST /api/v1/upload/start HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\
         transfer-encoding: chunked\r\n\r\n"
    );
    let chunk = [b"100000\r\n".as_slice(), &vec![b' '; 1 << 20], b"\r\n"].concat();
    let pieces: Vec<&[u8]> =
        std::iter::once(large.as_bytes()).chain(std::iter::repeat_n(&*chunk, 64)).collect();
    let (answer, _) = raw(&service, &pieces);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413 "), "{answer}");

    assert_eq!(service.get("/liveness").send().unwrap().status(), 200);
    let grown = memory(&service).saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KiB");
}

/// What a service holds in memory, in KiB.
fn memory(service: &Service) -> u64 {
    let status = format!("/proc/{}/status", service.started.process.id());
    let status = std::fs::read_to_string(status).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
