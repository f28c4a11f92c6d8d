//! Passwords that are guessed, and browsers that are used.

use std::time::Instant;

use reqwest::blocking::{Client, Response};
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use crate::client::{Service, User};

fn code(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let problem: Value = answer.json().unwrap_or_default();
    (status, problem["code"].as_str().unwrap_or_default().to_owned())
}

fn wait(answer: &Response) -> u64 {
    answer.headers()["retry-after"].to_str().unwrap().parse().unwrap()
}

/// Promise 31.
#[test]
fn the_sixth_try_of_a_minute_is_refused_and_no_account_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (service, password) = Service::first(folder.path(), |_| {});
    let admin = service.user("admin", &password);
    admin.new_user(&service, "ann");
    let mut times = Vec::new();
    // `ann` is known; she signed in once already, of five.
    for name in ["ann", "nobody", "ann' OR '1'='1"] {
        let tries = if name == "ann" { 4 } else { 5 };
        let mut took = Vec::new();
        for _ in 0..tries {
            let began = Instant::now();
            let answer = service.login(name, "a guess");
            took.push(began.elapsed());
            assert_eq!(code(answer), (401, "wrong-login".to_owned()));
        }
        let sixth = service.login(name, "a guess");
        assert!((1..=60).contains(&wait(&sixth)), "{name}");
        assert_eq!(code(sixth), (429, "too-many-tries".to_owned()));
        took.sort();
        times.push(took[took.len() / 2]);
    }
    // One hashes a password like the other; without that, an unknown one takes a hundredth.
    assert!(times[1] > times[0] / 3 && times[0] > times[1] / 3, "{times:?}");
    assert_eq!(service.login("ann", "correct horse battery").status(), 429, "locked, not guessed");
    assert_eq!(service.login("admin", &password).status(), 200, "others are not");

    // The form of the browser counts to the same account.
    let form = [("username", "ann"), ("password", "correct horse battery")];
    let browser = Client::builder().redirect(Policy::none()).build().unwrap();
    let sign_in = browser.post(format!("{}/sign-in", service.url)).header("origin", &service.url);
    let answer = sign_in.form(&form).send().unwrap();
    assert_eq!((answer.status().as_u16(), wait(&answer) > 0), (429, true));
}

#[test]
fn an_address_is_not_another_one_because_it_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (service, _) = Service::first(folder.path(), |_| {});
    let client = Client::new();
    let tries = |number: usize| {
        let form = [("username", format!("name {number}")), ("password", "a guess".to_owned())];
        let call = client.post(format!("{}/api/v1/auth/login", service.url)).form(&form);
        let other = format!("203.0.113.{number}");
        call.header("x-forwarded-for", &other)
            .header("forwarded", format!("for={other}"))
            .header("x-real-ip", &other)
            .send()
            .unwrap()
            .status()
            .as_u16()
    };
    let answers: Vec<u16> = (0..40).map(tries).collect();
    let refused = answers.iter().filter(|status| **status == 429).count();
    // One comes free again every two seconds.
    assert!((5..=10).contains(&refused), "{answers:?}");
    assert!(answers[..30].iter().all(|status| *status == 401), "{answers:?}");
}

/// A browser that is signed in.
fn browser(service: &Service, password: &str) -> (Client, String) {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let form = [("username", "admin"), ("password", password)];
    let call =
        client.post(format!("{}/sign-in", service.url)).header("sec-fetch-site", "same-origin");
    let answer = call.form(&form).send().unwrap();
    assert_eq!(answer.status(), 303);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    for word in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    (client, cookie.split(';').next().unwrap().to_owned())
}

/// What other sites can make a browser send: headers of its requests, beside the cookie.
fn foreign(service: &Service) -> Vec<Vec<(&'static str, String)>> {
    let own = || ("origin", service.url.clone());
    let site = |text: &str| ("sec-fetch-site", text.to_owned());
    let origin = |text: &str| ("origin", text.to_owned());
    let port = service.url.rsplit_once(':').unwrap().1;
    vec![
        vec![],
        vec![site("cross-site")],
        vec![site("same-site")],
        vec![site("none")],
        vec![site("cross-site"), own()],
        vec![origin("https://evil.example")],
        vec![origin("null")],
        vec![origin("")],
        vec![origin(&format!("{}.evil.example", service.url))],
        vec![origin(&format!("http://127.0.0.1.evil.example:{port}"))],
        vec![origin("http://127.0.0.1:1")],
        vec![("referer", format!("{}/", service.url))],
    ]
}

/// Every call that changes something, with numbers in its path.
fn changing(service: &Service) -> Vec<(String, String)> {
    let document = serde_json::to_value(luna_http::openapi()).unwrap();
    let pages = [
        "/sign-out",
        "/datasets/1/rerun",
        "/datasets/1/cancel",
        "/datasets/1/submit",
        "/datasets/1/delete",
    ];
    let mut calls: Vec<(String, String)> =
        pages.map(|path| ("POST".to_owned(), format!("{}{path}", service.url))).into();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if method != "get" && operation["x-who"] != "anybody" {
                let parts = path.split('/').map(|it| if it.starts_with('{') { "1" } else { it });
                let path = parts.collect::<Vec<_>>().join("/");
                calls.push((method.to_uppercase(), format!("{}{path}", service.url)));
            }
        }
    }
    calls
}

#[test]
fn other_sites_change_nothing_through_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let (service, password) = Service::first(folder.path(), |_| {});
    let (client, cookie) = browser(&service, &password);
    let calls = changing(&service);
    assert!(calls.len() > 20, "{}", calls.len());
    for (method, url) in &calls {
        for headers in foreign(&service) {
            let call = client.request(method.parse().unwrap(), url).header("cookie", &cookie);
            let call = headers.iter().fold(call, |call, (name, value)| call.header(*name, value));
            let answer = call.json(&json!({ "name": "made by another site" })).send().unwrap();
            assert_eq!(answer.status(), 403, "{method} {url} {headers:?}");
            let text = answer.text().unwrap();
            assert!(text.contains("page of another site"), "{text}");
        }
    }
    let user = User {
        url: service.url.clone(),
        token: cookie.split_once('=').unwrap().1.to_owned(),
        client: client.clone(),
    };
    let teams = user.read("/api/v1/teams");
    assert_eq!(teams["items"].as_array().unwrap().len(), 1, "{teams}");

    let own = [vec![("sec-fetch-site", "same-origin")], vec![("origin", service.url.as_str())]];
    for (number, headers) in own.into_iter().enumerate() {
        let call = client.post(format!("{}/api/v1/teams", service.url)).header("cookie", &cookie);
        let call = headers.iter().fold(call, |call, (name, value)| call.header(*name, *value));
        let answer = call.json(&json!({ "name": format!("team {number}") })).send().unwrap();
        assert_eq!(answer.status(), 201);
    }
    // Signing somebody in from elsewhere is refused too; else uploads would go to the attacker's team.
    let form = [("username", "admin"), ("password", password.as_str()), ("token", "x")];
    for path in ["/sign-in", "/invite"] {
        let call = client.post(format!("{}{path}", service.url));
        let call = call.header("sec-fetch-site", "cross-site").form(&form);
        assert_eq!(call.send().unwrap().status(), 403, "{path}");
    }
    // With a token of its own a program needs no such header.
    assert_eq!(user.post("/api/v1/teams", &json!({ "name": "by a program" })).status(), 201);
}
