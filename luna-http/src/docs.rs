//! The API's description as a page, drawn from the OpenAPI document alone: it works offline, and tells of no
//! call that there is not.

use std::sync::Arc;

use axum::Router;
use axum::extract::State as Shared;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};
use serde_json::{Map, Value};

use crate::{Service, State, api, pages};

/// Depth to which an example is drawn.
const DEEPEST: usize = 6;

pub(crate) fn routes() -> Router<Arc<Service>> {
    // It never changes while the service runs.
    let document = Arc::new(serde_json::to_value(api::openapi()).unwrap_or_default());
    let page = async move |Shared(service): State| page(&service, &document);
    Router::new().route("/docs", get(page))
}

fn page(service: &Service, document: &Value) -> Response {
    pages::for_everybody(service, "API", &Document(document).drawn(&service.public_url))
}

/// The OpenAPI document.
#[derive(Clone, Copy)]
struct Document<'a>(&'a Value);

/// One call of it.
struct Call<'a> {
    method: &'a str,
    path: &'a str,
    about: &'a Value,
}

impl<'a> Document<'a> {
    fn drawn(self, url: &str) -> Markup {
        html! {
            section {
                h1 { "API" }
                p {
                    "Sign in with " code { "POST /api/v1/auth/login" } " and send the token with every call, as "
                    code { "Authorization: Bearer TOKEN" } "; scripts send a key of their team as "
                    code { "x-api-key: KEY" } ". For programs, the same is at "
                    a href="/openapi.json" { "/openapi.json" } " (OpenAPI 3.1)."
                }
                p {
                    "Lists come a page at a time: " code { "next_cursor" } " goes into the next call's "
                    code { "cursor" } ". A " code { "POST" } " that carries an " code { "Idempotency-Key" }
                    " may be sent again and is done once. Calls beyond a team's rate are answered with 429 and "
                    code { "Retry-After" } "."
                }
                ul.links {
                    @for (name, _) in self.tags() { li { a href={ "#" (name) } { (name) } } }
                    li { a href="#forms" { "forms" } }
                }
            }
            @for (name, description) in self.tags() {
                section id=(name) {
                    h2 { (description) }
                    @for call in self.calls(name) { (self.call(&call, url)) }
                }
            }
            section #forms {
                h2 { "Forms" }
                @for (name, schema) in map(&self.0["components"]["schemas"]) { (self.form(name, schema)) }
            }
        }
    }

    fn tags(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        list(&self.0["tags"]).map(|tag| (text(&tag["name"]), text(&tag["description"])))
    }

    fn calls(self, tag: &str) -> Vec<Call<'a>> {
        let paths = map(&self.0["paths"]).flat_map(|(path, item)| {
            map(item).map(move |(method, about)| Call { method, path, about })
        });
        paths.filter(|call| list(&call.about["tags"]).any(|it| it == tag)).collect()
    }

    fn call(self, call: &Call<'a>, url: &str) -> Markup {
        let about = call.about;
        let method = call.method.to_uppercase();
        html! {
            article {
                h3 { code { (method) " " (call.path) } }
                p { (text(&about["summary"])) " For " (who(text(&about["x-who"]))) "." }
                @if !text(&about["description"]).is_empty() { p { (text(&about["description"])) } }
                @let parameters = list(&about["parameters"]).collect::<Vec<_>>();
                @if !parameters.is_empty() {
                    table {
                        thead { tr { th { "parameter" } th { "in" } th { "form" } th { "meaning" } } }
                        tbody {
                            @for it in parameters {
                                tr {
                                    td { code { (text(&it["name"])) } }
                                    td { (text(&it["in"])) }
                                    td { (kind(&it["schema"])) }
                                    td { (text(&it["description"])) }
                                }
                            }
                        }
                    }
                }
                @for (media, content) in map(&about["requestBody"]["content"]) {
                    p { "Body: " (kind(&content["schema"])) " as " code { (media) } }
                }
                @for (status, answer) in map(&about["responses"]) {
                    p {
                        @if status == "default" { "Else" } @else { b { (status) } } ": "
                        @if map(&answer["content"]).next().is_none() { "no body" }
                        @for (media, content) in map(&answer["content"]) {
                            (kind(&content["schema"])) " as " code { (media) } " "
                        }
                    }
                }
                pre { code { (self.curl(call, &method, url)) } }
            }
        }
    }

    /// A command that makes the call.
    fn curl(self, call: &Call<'a>, method: &str, url: &str) -> String {
        let mut command = vec!["curl".to_owned()];
        if method != "GET" {
            command.push(format!("-X {method}"));
        }
        let parts = call.path.split('/').map(|part| match part.strip_prefix('{') {
            Some(name) => format!("${}", name.trim_end_matches('}').to_uppercase()),
            None => part.to_owned(),
        });
        command.push(format!("{url}{}", parts.collect::<Vec<_>>().join("/")));
        if text(&call.about["x-who"]) != "anybody" {
            command.push("\\\n  -H \"Authorization: Bearer $TOKEN\"".to_owned());
        }
        for (media, content) in map(&call.about["requestBody"]["content"]) {
            let example = self.example(&content["schema"], DEEPEST);
            if media.ends_with("json") {
                command.push(format!("\\\n  -H \"Content-Type: {media}\" \\\n  -d '{example}'"));
            } else {
                let field =
                    |(name, value)| format!("\\\n  --data-urlencode {name}={}", text(value));
                command.extend(map(&example).map(field));
            }
        }
        command.join(" ")
    }

    fn form(self, name: &str, schema: &'a Value) -> Markup {
        let required: Vec<&str> = list(&schema["required"]).map(text).collect();
        let is_required = |field: &str| required.contains(&field);
        html! {
            article id={ "form-" (name) } {
                h3 { code { (name) } }
                @if !text(&schema["description"]).is_empty() { p { (text(&schema["description"])) } }
                table {
                    thead { tr { th { "field" } th { "form" } th { "meaning" } } }
                    tbody {
                        @for (field, about) in self.fields(schema) {
                            tr {
                                td { code { (field) } @if !is_required(field) { " (optional)" } }
                                td { (kind(about)) }
                                td { (text(&about["description"])) }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Fields of a form, those of the forms that it is made of among them.
    fn fields(self, schema: &'a Value) -> Vec<(&'a str, &'a Value)> {
        let parts = list(&schema["allOf"]).flat_map(|part| self.fields(self.resolved(part)));
        parts.chain(map(&schema["properties"])).collect()
    }

    fn resolved(self, schema: &'a Value) -> &'a Value {
        let name = text(&schema["$ref"]).strip_prefix("#/components/schemas/");
        name.map_or(schema, |name| &self.0["components"]["schemas"][name])
    }

    /// A value of this form.
    fn example(self, schema: &'a Value, depth: usize) -> Value {
        let schema = self.resolved(schema);
        if let Some(example) = schema.get("example") {
            return example.clone();
        }
        if let Some(one) = list(&schema["oneOf"]).find(|it| it["type"] != "null") {
            return self.example(one, depth);
        }
        let word = match &schema["type"] {
            Value::Array(words) => words.first().map_or("", text),
            word => text(word),
        };
        match word {
            _ if depth == 0 => Value::Null,
            "array" => Value::from(vec![self.example(&schema["items"], depth - 1)]),
            "integer" => Value::from(1),
            "boolean" => Value::from(true),
            "string" => Value::from("…"),
            _ => {
                let is_needed = |field: &str| list(&schema["required"]).any(|it| it == field);
                let fields = self.fields(schema).into_iter();
                let fields =
                    fields.filter(|(name, _)| is_needed(name) || schema.get("allOf").is_some());
                let pair = |(name, about): (&str, &'a Value)| {
                    (name.to_owned(), self.example(about, depth - 1))
                };
                Value::Object(fields.map(pair).collect::<Map<String, Value>>())
            }
        }
    }
}

/// The form of a value in a word, with a link where it has more to it.
fn kind(schema: &Value) -> Markup {
    if let Some(name) = text(&schema["$ref"]).strip_prefix("#/components/schemas/") {
        return html! { a href={ "#form-" (name) } { (name) } };
    }
    let others: Vec<&Value> = list(&schema["oneOf"]).chain(list(&schema["allOf"])).collect();
    if !others.is_empty() {
        return html! {
            @for (at, other) in others.into_iter().enumerate() {
                @if at > 0 { " or " } (kind(other))
            }
        };
    }
    let words: Vec<&str> = match &schema["type"] {
        Value::Array(words) => words.iter().map(text).collect(),
        word => vec![text(word)],
    };
    if words.contains(&"array") {
        return html! { "list of " (kind(&schema["items"])) };
    }
    html! { (words.join(" or ")) }
}

/// Who may make a call, in words.
fn who(word: &str) -> &str {
    match word {
        "anybody" => "everybody, signed in or not",
        "team" => "members and keys of the team",
        "person" => "people who signed in",
        "organiser" => "organisers",
        "admin" => "administrators",
        other => other,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn map(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_a_body_that_the_call_would_read() {
        let document = serde_json::to_value(api::openapi()).unwrap();
        let document = Document(&document);
        let schema = &document.0["components"]["schemas"]["Start"];
        let example = document.example(schema, DEEPEST);
        assert!(example["files"][0]["size_bytes"].is_u64(), "{example}");
        let call = document.calls("auth").into_iter().find(|call| call.path.ends_with("login"));
        let curl = document.curl(&call.unwrap(), "POST", "http://127.0.0.1:8000");
        assert!(curl.contains("--data-urlencode password=…"), "{curl}");
        assert!(!curl.contains("Authorization"), "{curl}");
        let call = document.calls("upload").into_iter().find(|call| call.path.ends_with("urls"));
        let curl = document.curl(&call.unwrap(), "POST", "http://127.0.0.1:8000");
        assert!(curl.contains("8000/api/v1/upload/$DATASET_ID/urls \\\n"), "{curl}");
    }
}
