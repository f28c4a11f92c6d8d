//! Texts from outside: in names, labels, DICOM attributes and headers, on pages and in the log. Promise 15.

use luna_fixtures::Recipe;
use reqwest::blocking::{Client, Response};
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use crate::client::{Service, Upload, User};

/// Ends any text, tag or attribute that it may stand in.
const SCRIPT: &str = "<script>alert(1)</script>";
const EVIL: &str = "'\"><script>alert(1)</script><img src=x onerror=alert(2)>";

/// A set that says it in a picture's name, a DICOM attribute, a label and a column's name.
fn evil_set() -> Vec<Upload> {
    let name = format!("{EVIL}.png");
    let recipe = format!(
        "[[file]]\npath = \"cut.png\"\npicture = \"chest\"\nwidth = 256\nheight = 288\nformat = \"png\"\n\
         bits = 8\nbytes = [\"truncate 60%\"]\n\
         [[file]]\npath = \"one.dcm\"\npicture = \"chest\"\nwidth = 256\nheight = 288\nformat = \"dicom\"\n\
         [file.set]\nModality = {EVIL:?}\nPhotometricInterpretation = {EVIL:?}\n\
         SeriesDescription = {EVIL:?}\nBodyPartExamined = {EVIL:?}\n"
    );
    let folder = tempfile::tempdir().unwrap();
    Recipe::parse(&recipe).unwrap().write_to(folder.path()).unwrap();
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let quoted = EVIL.replace('"', "\"\"");
    let table = format!(
        "filename,\"{quoted}\",sha256\n\"{}\",\"{quoted}\",\"{quoted}\"\nmissing{EVIL}.png,x,y\n",
        name.replace('"', "\"\"")
    );
    vec![
        (name, read("cut.png")),
        ("one.dcm".to_owned(), read("one.dcm")),
        ("manifest.csv".to_owned(), table.into_bytes()),
    ]
}

/// What a browser would take for more than text.
fn is_harmless(answer: Response, what: &str) -> String {
    let header = |name: &str| {
        let value = answer.headers().get(name).map(|it| it.to_str().unwrap().to_owned());
        value.unwrap_or_default()
    };
    let (kind, policy) = (header("content-type"), header("content-security-policy"));
    assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
    assert!(
        policy.contains("default-src 'none'") || policy.contains("frame-ancestors 'none'"),
        "{what}: {policy:?}"
    );
    // Styles of a drawing may stand in it, where nothing else runs.
    let is_boxed = policy.contains("sandbox");
    assert!(is_boxed || !policy.contains("unsafe-"), "{what}: {policy}");
    let text = String::from_utf8_lossy(&answer.bytes().unwrap()).into_owned();
    if kind.starts_with("text/html") {
        let lower = text.to_lowercase();
        assert!(!lower.contains("<script>alert"), "{what} runs what it was given");
        assert!(!lower.contains("<img src=x"), "{what} loads what it was given");
        let own =
            if policy.contains("default-src 'none'") { "<script src=\"/" } else { "<script>" };
        assert_eq!(lower.matches("<script").count(), lower.matches(own).count(), "{what}");
        if own == "<script>" {
            assert!(
                lower.contains("default-src 'none'") && lower.contains("script-src 'sha256-"),
                "{what}"
            );
            assert_eq!(lower.matches("<script").count(), 1, "{what}");
        }
    } else {
        assert!(!kind.contains("xml") || !text.contains(SCRIPT), "{what}");
    }
    text
}

#[test]
fn what_is_written_in_names_and_files_stays_text() {
    let folder = tempfile::tempdir().unwrap();
    let (service, password) = Service::first(folder.path(), |_| {});
    let admin = service.user("admin", &password);
    let team = admin.made("/api/v1/teams", &json!({ "name": EVIL }));
    let user = json!({
        "team_id": team["team_id"], "username": EVIL, "password": "another password", "role": "organiser",
    });
    admin.made("/api/v1/users", &user);
    let user = service.user(EVIL, "another password");
    let dataset = user.upload(EVIL, &evil_set());
    user.completed(&dataset);
    let open =
        user.start(EVIL, &[(format!("{EVIL}.png"), b"never".to_vec())])["dataset_id"].clone();

    let encoded = reqwest::Url::parse_with_params(
        "http://x/",
        [("rule", EVIL), ("path", EVIL), ("next", EVIL)],
    );
    let query = encoded.unwrap().query().unwrap().to_owned();
    let shown = [
        "/".to_owned(),
        "/organiser".to_owned(),
        format!("/datasets/{dataset}"),
        format!("/datasets/{dataset}?{query}"),
        format!("/upload/{open}"),
        format!("/api/v1/validation/{dataset}/report?format=html"),
    ];
    for path in &shown {
        let text = is_harmless(by_browser(&user, path), path);
        assert!(
            text.contains("&lt;script&gt;alert(1)"),
            "{path} does not show it: the test sees nothing"
        );
    }
    nothing_shows_it_otherwise(&user, &dataset, &query);
    files_are_harmless(&user, &dataset);
    admin.made("/api/v1/teams", &json!({ "name": "=HYPERLINK(1)" }));
    let table = by_browser(&user, "/organiser.csv").text().unwrap();
    let begins = |sign: &str| table.contains(&format!("{sign}=HYPERLINK(1)"));
    assert!(
        table.contains("=HYPERLINK(1)") && !["\n", ",", "\""].into_iter().any(begins),
        "{table}"
    );
}

fn nothing_shows_it_otherwise(user: &User, dataset: &Value, query: &str) {
    let others = [
        "/rules".to_owned(),
        "/rules/LF004".to_owned(),
        "/upload".to_owned(),
        format!("/sign-in?{query}"),
        format!("/rules/{query}"),
        format!("/nothing?{query}"),
        format!("/datasets/{query}"),
        "/organiser.csv".to_owned(),
        format!("/invite?token={query}"),
        "/health".to_owned(),
        "/metrics".to_owned(),
        "/openapi.json".to_owned(),
        "/api/v1/nothing".to_owned(),
        "/api/v1/datasets".to_owned(),
        "/api/v1/audit".to_owned(),
        format!("/api/v1/validation/{dataset}/status"),
        format!("/api/v1/validation/{dataset}/findings"),
        format!("/api/v1/validation/{dataset}/findings?{query}"),
        format!("/api/v1/validation/{dataset}/report?format={query}"),
        format!("/api/v1/validation/{dataset}/events"),
    ];
    let formats = ["json", "jsonl", "csv", "junit", "sarif"];
    let reports = formats.map(|it| format!("/api/v1/validation/{dataset}/report?format={it}"));
    for path in others.iter().chain(&reports) {
        is_harmless(by_browser(user, path), path);
    }
}

fn files_are_harmless(user: &User, dataset: &Value) {
    let files = user.read(&format!("/api/v1/validation/{dataset}/files"));
    for file in files["items"].as_array().unwrap() {
        let path = format!("/api/v1/validation/{dataset}/files/{}/content", file["file_id"]);
        let answer = by_browser(user, &path);
        let name = answer.headers()["content-disposition"].to_str().unwrap();
        assert!(name.starts_with("attachment; ") && !name.contains('<'), "{name}");
        is_harmless(answer, &path);
        let path = path.replace("/content", "/thumbnail");
        is_harmless(by_browser(user, &path), &path);
    }
}

fn by_browser(user: &User, path: &str) -> Response {
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let call = client.get(format!("{}{path}", user.url)).header("accept", "text/html,*/*");
    call.header("cookie", format!("luna_session={}", user.token)).send().unwrap()
}

/// A line of its own, colours, a text that runs backwards, and an end of it.
const ODD: &str = "x\n{\"level\":\"ERROR\",\"message\":\"forged\"}\r\n\u{1b}[31mred\u{7}\u{202e}gnp.exe\u{2066}\u{0085}\u{2028}";

#[test]
fn nobody_writes_lines_into_the_log_and_no_secret_stands_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let (service, password) = Service::first(folder.path(), |command| {
        command.env("LUNA_LOG", "trace");
    });
    let admin = service.user("admin", &password);
    let signed_in: Value = service.login("admin", &password).json().unwrap();
    service.login(ODD, ODD);
    // Control characters are refused there; what stays may still turn a line around.
    assert_eq!(admin.post("/api/v1/teams", &json!({ "name": ODD })).status(), 422);
    let name: String = ODD.chars().filter(|letter| !letter.is_control()).collect();
    let user = admin.new_user(&service, &name);
    let key = user.made("/api/v1/api-keys", &json!({ "name": name, "scope": "read" }));
    let invite = admin.made("/api/v1/invites", &json!({ "team_id": 1, "role": "user" }));
    let files = [(format!("{ODD}.png"), ODD.as_bytes().to_vec())];
    let started = user.start(ODD, &files);
    let target = &started["upload_urls"][0];
    assert_eq!(user.put(target, b"lies").status(), 422);
    assert_eq!(user.put(target, &files[0].1).status(), 200);
    user.complete(&started["dataset_id"]);
    user.completed(&started["dataset_id"]);
    for (name, value) in [
        ("user-agent", "a\u{9b}31m"),
        ("x-request-id", "chosen-by-the-client"),
        ("traceparent", "00-{}"),
        ("x-forwarded-for", "\u{202e}"),
    ] {
        let call =
            user.client.get(format!("{}/api/v1/auth/me", service.url)).bearer_auth(&user.token);
        let value = reqwest::header::HeaderValue::from_bytes(value.as_bytes()).unwrap();
        let answer = call.header(name, value).send().unwrap();
        assert_eq!(answer.status(), 200);
        assert_ne!(answer.headers()["x-request-id"], "chosen-by-the-client");
    }
    let unknown = format!("{}/nothing/%0a%1b[31m%e2%80%ae?{}", service.url, "token=x%0d%0a");
    assert_eq!(user.client.get(unknown).send().unwrap().status(), 404);

    let log = service.log();
    assert!(log.lines().count() > 20, "{log}");
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line:?}"));
        assert!(line.is_object() && line["message"] != "forged", "{line}");
    }
    let is_odd = |letter: char| {
        (letter.is_control() && letter != '\n')
            || ('\u{2028}'..='\u{202e}').contains(&letter)
            || ('\u{2066}'..='\u{2069}').contains(&letter)
    };
    assert!(!log.contains(is_odd), "{:?}", log.lines().find(|line| line.contains(is_odd)));
    assert!(!log.contains("chosen-by-the-client"));
    let signature = target["upload_url"].as_str().unwrap().split_once("signature=").unwrap().1;
    let (_, token) = user.token.rsplit_once('.').unwrap();
    let secrets = [&password, "correct horse battery", signature, token];
    let values = [&signed_in["refresh_token"], &key["key"], &invite["token"]];
    let values = values.map(|it| it.as_str().unwrap());
    for secret in secrets.into_iter().chain(values) {
        assert!(secret.len() > 15 && !log.contains(secret), "{secret} stands in the log");
    }
}
