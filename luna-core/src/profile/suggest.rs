//! Words for what is wrong with a profile: the nearest known key, the expected type.

use serde_json::Value;

use crate::text::{nearest, shown};

/// `; did you mean …?` if a candidate resembles the word, else the candidates if they are few.
pub(super) fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    const FEW: usize = 12;
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let folded = word.to_ascii_lowercase();
    let same = candidates.iter().copied().find(|known| known.eq_ignore_ascii_case(word));
    match same
        .or_else(|| nearest(word, candidates.iter().copied()))
        .or_else(|| nearest(&folded, candidates.iter().copied()))
    {
        Some(known) => format!("; did you mean `{known}`?"),
        None if (1..=FEW).contains(&candidates.len()) => {
            let known: Vec<String> = candidates.iter().map(|known| format!("`{known}`")).collect();
            format!("; known: {}", known.join(", "))
        }
        None => String::new(),
    }
}

/// `unknown key `selct` in [rules]; did you mean `select`?`
pub(super) fn unknown_key<'a>(
    key: &str,
    table: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> String {
    let place = if table.is_empty() { String::new() } else { format!(" in [{}]", shown(table)) };
    format!("unknown key `{}`{place}{}", shown(key), hint(key, known))
}

/// The kind of a value, for people.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "a whole number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

/// The kind that a JSON Schema type stands for.
pub(super) fn kind_of(schema_type: &str) -> &'static str {
    match schema_type {
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a text",
        "array" => "a list",
        "object" => "a table",
        _ => "nothing",
    }
}

/// A value as a message repeats it.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{}`", shown(text)),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        other => kind(other).to_owned(),
    }
}
