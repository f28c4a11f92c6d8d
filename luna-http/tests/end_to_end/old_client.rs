//! A client of the old service, whose conversation lies in `old_client.json`, and the one of the README.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

use super::client::{Service, Upload, pictures};

/// A client that knows what the conversation says and no more.
struct OldClient {
    url: String,
    files: BTreeMap<&'static str, Vec<u8>>,
    /// What was kept of answers, by name.
    kept: BTreeMap<String, Value>,
}

impl OldClient {
    /// A text with what was kept in it; a text that is nothing else becomes it.
    fn filled(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                let whole = text.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
                if let Some(kept) = whole.and_then(|name| self.kept.get(name)) {
                    return kept.clone();
                }
                json!(self.kept.iter().fold(text.clone(), |text, (name, kept)| {
                    let kept = kept.as_str().map_or_else(|| kept.to_string(), str::to_owned);
                    text.replace(&format!("{{{name}}}"), &kept)
                }))
            }
            Value::Array(items) => items.iter().map(|it| self.filled(it)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, it)| (name.clone(), self.filled(it))).collect()
            }
            other => other.clone(),
        }
    }

    fn request(&self, request: &Value) -> RequestBuilder {
        let request = self.filled(request);
        let text = |name: &str| request[name].as_str();
        let url = text("url").map(str::to_owned);
        let url = url.unwrap_or_else(|| format!("{}{}", self.url, text("path").unwrap()));
        let mut call = Client::new().request(text("method").unwrap().parse().unwrap(), url);
        let token = self.kept.get("token").filter(|_| text("path").is_some());
        if let Some(token) = token.filter(|_| request["anonymous"] != true) {
            call = call.bearer_auth(token.as_str().unwrap());
        }
        if let Some(kind) = text("type") {
            call = call.header("content-type", kind);
        }
        if let Some(file) = text("file") {
            call = call.body(self.files[file].clone());
        }
        if let Some(form) = request.get("form") {
            call = call.form(form);
        }
        if let Some(json) = request.get("json") {
            call = call.json(json);
        }
        call
    }

    /// Makes a call and looks at its answer as the old client did.
    fn calls(&mut self, call: &Value) {
        let what = call["what"].as_str().unwrap();
        let end = Instant::now() + Duration::from_mins(1);
        let (status, text) = loop {
            let answer: Response = self.request(&call["request"]).send().unwrap();
            let (status, text) = (answer.status().as_u16(), answer.text().unwrap());
            let body: Value = serde_json::from_str(&text).unwrap_or_default();
            let wants_again = call["again_while"].as_object().is_some_and(|again| {
                again.iter().all(|(at, words)| {
                    let said = body.pointer(at);
                    words.as_array().unwrap().iter().any(|word| Some(word) == said)
                })
            });
            if !wants_again {
                break (status, text);
            }
            assert!(Instant::now() < end, "{what}: {text}");
            thread::sleep(Duration::from_millis(50));
        };
        assert_eq!(json!(status), call["status"], "{what}: {text}");
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        if let Some(shape) = call.get("answer") {
            has_shape(&body, shape, what);
        }
        for (at, said) in call["says"].as_object().into_iter().flatten() {
            assert_eq!(body.pointer(at), Some(&self.filled(said)), "{what}: {at} of {text}");
        }
        for name in call["names"].as_array().into_iter().flatten() {
            assert!(text.contains(name.as_str().unwrap()), "{what}: no {name}");
        }
        for (name, at) in call["keep"].as_object().into_iter().flatten() {
            let value = body.pointer(at.as_str().unwrap()).unwrap().clone();
            self.kept.insert(name.clone(), value);
        }
    }
}

/// That a value has the fields and types that a shape names.
fn has_shape(value: &Value, shape: &Value, at: &str) {
    match shape {
        Value::Object(fields) => {
            for (name, shape) in fields {
                let field = value.get(name).unwrap_or_else(|| panic!("{at}: no {name} in {value}"));
                has_shape(field, shape, &format!("{at}/{name}"));
            }
        }
        Value::Array(shapes) => {
            let items = value.as_array().unwrap_or_else(|| panic!("{at}: no list: {value}"));
            assert!(!items.is_empty(), "{at} is empty");
            for item in items {
                has_shape(item, &shapes[0], at);
            }
        }
        Value::String(kind) => {
            let is_one = match kind.as_str() {
                "string" => value.is_string(),
                "integer" => value.is_i64() || value.is_u64(),
                "boolean" => value.is_boolean(),
                "object" => value.is_object(),
                "array" => value.is_array(),
                "null" => value.is_null(),
                other => panic!("{at}: no type: {other}"),
            };
            assert!(is_one, "{at} is no {kind}: {value}");
        }
        other => panic!("{at}: no shape: {other}"),
    }
}

fn picture() -> Upload {
    pictures(1).swap_remove(0)
}

#[test]
fn a_client_of_the_old_service_needs_no_change() {
    let folder = tempfile::tempdir().unwrap();
    let (service, password) = Service::first(folder.path(), |_| {});
    let whole = picture().1;
    let cut = whole[..whole.len() / 2].to_vec();
    let mut client = OldClient {
        url: service.url.clone(),
        kept: BTreeMap::from([
            ("username".to_owned(), json!("admin")),
            ("password".to_owned(), json!(password)),
            ("size of whole.png".to_owned(), json!(whole.len())),
            ("size of cut.png".to_owned(), json!(cut.len())),
        ]),
        files: BTreeMap::from([("whole.png", whole), ("cut.png", cut)]),
    };
    let conversation: Value = serde_json::from_str(include_str!("old_client.json")).unwrap();
    for call in conversation["calls"].as_array().unwrap() {
        client.calls(call);
    }
}

/// Command lines of the console blocks in a section of the README.
fn console(section: &str) -> Vec<String> {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let (_, rest) = readme.split_once(&format!("\n## {section}\n")).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let blocks = section.split("```console\n").skip(1);
    let lines = blocks.flat_map(|block| block.split("```").next().unwrap().lines());
    lines.filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned).collect()
}

#[test]
fn the_readme_works_as_printed() {
    let folder = tempfile::tempdir().unwrap();
    let (service, password) = Service::first(&folder.path().join("data"), |_| {});
    fs::write(folder.path().join("a.png"), picture().1).unwrap();
    let mut lines = console("As a service");
    // The service runs already, at another address, and said its password.
    assert!(lines.remove(0).ends_with("serve"));
    assert!(lines.len() > 8, "{lines:?}");
    let script = format!("set -euo pipefail\n{}\n", lines.join("\n"));
    for printed in ["U=http://127.0.0.1:8000\n", "password=… "] {
        assert_eq!(script.matches(printed).count(), 1, "{printed}");
    }
    let script = script
        .replace("http://127.0.0.1:8000", &service.url)
        .replace("password=… ", &format!("password={password} "));
    let ran = Command::new("bash").args(["-c", &script]).current_dir(&folder).output().unwrap();
    let (out, said) =
        (String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap());
    assert!(ran.status.success(), "{script}\n{out}\n{said}");
    assert!(out.contains("\"status\":\"queued\"") && out.contains("\"verdict\":\"pass\""), "{out}");
    let report = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(report.starts_with("<!DOCTYPE html>") && report.contains("a.png"), "{report}");
}
