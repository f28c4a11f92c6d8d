//! SARIF 2.1.0, as code hosts and editors read it: a result a finding, a rule a rule that found any.
//!
//! Places become what SARIF has words for: byte offsets are regions, attributes, cells and keys logical
//! locations. Pixels (a box, a frame) have no word there; they stand in the properties of the result.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{RenderOptions, Report, json};
use crate::finding::{Finding, Location, Severity};
use crate::rules::{Registry, Rule};
use crate::text::escaped;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// Name of the fingerprint; its number changes if ids are made in another way.
const FINGERPRINT: &str = "lunaFindingId/v1";

pub(super) fn write(
    report: &Report,
    options: &RenderOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut rules: BTreeMap<&str, usize> =
        report.all_findings().map(|finding| (finding.rule.as_ref(), 0)).collect();
    rules.values_mut().enumerate().for_each(|(at, index)| *index = at);
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: tool(report, &rules, &options.registry),
            invocations: [json!({ "executionSuccessful": !report.partial })],
            results: Results { report, rules: &rules },
            properties: json!({
                "verdict": report.verdict,
                "edition": report.edition,
                "profile": report.profile,
                "dataset": report.dataset,
            }),
        }],
    };
    json::write_pretty(&log, out)
}

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
struct Run<'a> {
    tool: Value,
    invocations: [Value; 1],
    results: Results<'a>,
    properties: Value,
}

/// Results are made one by one while they are written: a report may hold very many.
struct Results<'a> {
    report: &'a Report,
    rules: &'a BTreeMap<&'a str, usize>,
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(self.report.all_findings().map(|finding| result(finding, self.rules)))
    }
}

fn tool(report: &Report, rules: &BTreeMap<&str, usize>, registry: &Registry) -> Value {
    let rules: Vec<Value> = rules
        .keys()
        .map(|code| registry.get(code).map_or_else(|| unknown_rule(code, report), described))
        .collect();
    json!({
        "driver": {
            "name": "LUNA",
            "version": escaped(&report.luna_version),
            "informationUri": env!("CARGO_PKG_REPOSITORY"),
            "rules": rules,
        }
    })
}

fn described(rule: &Rule) -> Value {
    let gravest = rule.cases.iter().map(|case| case.severity).min().unwrap_or(Severity::Info);
    let mut said = json!({
        "id": rule.code,
        "name": rule.name,
        "shortDescription": { "text": text(rule.summary) },
        "fullDescription": { "text": text(&sentences(&[rule.summary, rule.why])) },
        "help": { "text": text(&sentences(&[rule.why, rule.measured, rule.how_to_fix])) },
        "defaultConfiguration": { "level": level(gravest) },
    });
    if !rule.references.is_empty()
        && let Some(said) = said.as_object_mut()
    {
        said.insert("properties".to_owned(), json!({ "references": rule.references }));
    }
    said
}

/// A rule of another engine, of which only the findings are known.
fn unknown_rule(code: &str, report: &Report) -> Value {
    let first = report.all_findings().find(|finding| finding.rule == code);
    let name = first.map_or("", |finding| finding.name.as_ref());
    json!({ "id": escaped(code), "name": escaped(name), "shortDescription": { "text": text(name) } })
}

fn sentences(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("\n\n")
}

fn result(finding: &Finding, rules: &BTreeMap<&str, usize>) -> Value {
    let mut said = Map::new();
    let mut put = |key: &str, value: Value| said.insert(key.to_owned(), value);
    put("ruleId", escaped(&finding.rule).into());
    put("ruleIndex", rules.get(finding.rule.as_ref()).copied().unwrap_or_default().into());
    put("level", level(finding.severity).into());
    put("message", json!({ "text": text(&sentences(&[&finding.message, &finding.help])) }));
    // Without a place of its own a finding stands at the first file that takes part, for hosts show
    // no result without a place.
    let own = finding.path.as_deref().or(finding.related.first().map(String::as_str));
    if let Some(path) = own {
        put("locations", json!([location(path, finding.location.as_ref())]));
    }
    let others: Vec<Value> = finding
        .related
        .iter()
        .filter(|path| Some(path.as_str()) != own)
        .zip(1_u64..)
        .map(|(path, id)| related(path, id))
        .collect();
    if !others.is_empty() {
        put("relatedLocations", others.into());
    }
    put("partialFingerprints", json!({ FINGERPRINT: finding.id }));
    if finding.excepted {
        let why = "an exception of the profile";
        put("suppressions", json!([{ "kind": "external", "justification": why }]));
    }
    put("properties", properties(finding));
    Value::Object(said)
}

fn properties(finding: &Finding) -> Value {
    let mut said = Map::new();
    for (key, value) in [("found", &finding.found), ("expected", &finding.expected)] {
        if let Some(value) = value {
            said.insert(key.to_owned(), escaped(value).into());
        }
    }
    if let Some(place @ (Location::Box { .. } | Location::Frame { .. })) = &finding.location {
        said.insert("place".to_owned(), json!(place));
    }
    said.insert("name".to_owned(), finding.name.as_ref().into());
    Value::Object(said)
}

fn location(path: &str, place: Option<&Location>) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(path) } });
    let logical = match place {
        Some(Location::Byte { offset }) => {
            if let Some(physical) = physical.as_object_mut() {
                let region = json!({ "byteOffset": offset, "byteLength": 0 });
                physical.insert("region".to_owned(), region);
            }
            None
        }
        Some(Location::Attribute { path, keyword }) => {
            let name = keyword.as_deref().unwrap_or(path);
            Some(json!({ "name": name, "fullyQualifiedName": path, "kind": "element" }))
        }
        Some(place @ Location::Cell { .. }) => {
            Some(json!({ "fullyQualifiedName": place.to_string(), "kind": "member" }))
        }
        Some(Location::Key { pointer }) => {
            Some(json!({ "fullyQualifiedName": pointer, "kind": "member" }))
        }
        Some(Location::Box { .. } | Location::Frame { .. }) | None => None,
    };
    let mut said = json!({ "physicalLocation": physical });
    if let (Some(logical), Some(said)) = (logical, said.as_object_mut()) {
        said.insert("logicalLocations".to_owned(), json!([logical]));
    }
    said
}

fn related(path: &str, id: u64) -> Value {
    json!({
        "id": id,
        "physicalLocation": { "artifactLocation": { "uri": uri(path) } },
        "message": { "text": text(path) },
    })
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// A path as a relative URI (RFC 3986): all but unreserved characters and `/` percent-encoded, so that
/// no path looks like a scheme or a query.
fn uri(path: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Text in which nothing is a link or a placeholder to a reader of SARIF (3.11.5, 3.11.6), and nothing
/// invisible; only line feeds stay.
fn text(said: &str) -> String {
    let mut out = said.lines().map(escaped).collect::<Vec<_>>().join("\n");
    if out.contains("](") {
        out = out.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
    }
    let is_placeholder = |rest: &str| {
        rest.split_once('}').is_some_and(|(number, _)| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    if out.split('{').skip(1).any(is_placeholder) {
        out = out.replace('{', "{{").replace('}', "}}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_no_scheme_and_no_query() {
        assert_eq!(uri("images/0001.dcm"), "images/0001.dcm");
        assert_eq!(uri("c:\\a b?#%.png"), "c%3A%5Ca%20b%3F%23%25.png");
        assert_eq!(uri("\u{e4}\n"), "%C3%A4%0A");
    }

    #[test]
    fn text_holds_neither_links_nor_placeholders() {
        assert_eq!(text("a [b](c)"), "a \\[b\\](c)");
        assert_eq!(text("a {0} b"), "a {{0}} b");
        assert_eq!(text("a [0] {b}\nc\u{202e}"), "a [0] {b}\nc\\u{202e}");
    }
}
