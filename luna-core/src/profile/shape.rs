//! A profile's document held against the shape of the profile's types: a small reading of their JSON
//! Schema that names key, line and nearest known key. What passes here, serde takes.

use std::sync::LazyLock;

use regex::Regex;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value};

use super::Profile;
use super::parse::Places;
use super::suggest::{hint, kind, kind_of, unknown_key, value as shown_value};
use crate::error::ProfileError;

/// The schema of the types, without what the registry adds.
pub(super) static SHAPE: LazyLock<Value> = LazyLock::new(|| {
    let generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
    generator.into_root_schema_for::<Profile>().to_value()
});

/// Refuses the first key or value that does not fit.
pub(super) fn fits(document: &Value, places: &Places) -> Result<(), ProfileError> {
    Shape { root: &SHAPE, places }.fits(document, &SHAPE, "")
}

struct Shape<'a> {
    root: &'a Value,
    places: &'a Places,
}

impl<'a> Shape<'a> {
    /// Follows `$ref`, and `anyOf` with a single alternative beside null.
    fn resolved(&self, schema: &'a Value) -> &'a Value {
        if let Some(pointer) = schema.get("$ref").and_then(Value::as_str) {
            let target = pointer.strip_prefix('#').and_then(|at| self.root.pointer(at));
            return target.map_or(schema, |target| self.resolved(target));
        }
        let null = |it: &&Value| it.get("type").and_then(Value::as_str) == Some("null");
        match schema.get("anyOf").and_then(Value::as_array).map(Vec::as_slice) {
            Some([one, other]) if null(&other) => self.resolved(one),
            _ => schema,
        }
    }

    fn fits(&self, value: &Value, schema: &'a Value, path: &str) -> Result<(), ProfileError> {
        let schema = self.resolved(schema);
        if let Some(alternatives) = schema.get("anyOf").and_then(Value::as_array) {
            return self.fits_any(value, alternatives, path);
        }
        if let Some(known) = words(schema) {
            return self.fits_word(value, &known, path);
        }
        let types = types(schema);
        if !types.is_empty() && !types.iter().any(|name| is_a(value, name)) {
            return Err(self.mismatch(value, &types, path));
        }
        self.fits_range(value, schema, path)?;
        self.fits_pattern(value, schema, path)?;
        match value {
            Value::Object(table) => self.fits_table(table, schema, path),
            Value::Array(items) => match schema.get("items") {
                Some(each) => items
                    .iter()
                    .enumerate()
                    .try_for_each(|(at, item)| self.fits(item, each, &format!("{path}[{at}]"))),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn fits_table(
        &self,
        table: &Map<String, Value>,
        schema: &'a Value,
        path: &str,
    ) -> Result<(), ProfileError> {
        let none = Map::new();
        let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let others = schema.get("additionalProperties");
        for (key, value) in table {
            let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let unknown = || {
                self.places
                    .invalid(&below, unknown_key(key, path, known.keys().map(String::as_str)))
            };
            match (known.get(key), others) {
                (Some(own), _) => self.fits(value, own, &below)?,
                (None, Some(Value::Bool(false))) => return Err(unknown()),
                (None, Some(each)) => self.fits(value, each, &below).map_err(|error| {
                    let near = crate::text::nearest(key, known.keys().map(String::as_str));
                    if near.is_some() { unknown() } else { error }
                })?,
                (None, None) => {}
            }
        }
        let required = schema.get("required").and_then(Value::as_array).map(Vec::as_slice);
        let missing = required
            .unwrap_or_default()
            .iter()
            .filter_map(Value::as_str)
            .find(|key| !table.contains_key(*key));
        match missing {
            Some(key) => Err(self.places.invalid(path, format!("[{path}] lacks the key `{key}`"))),
            None => Ok(()),
        }
    }

    fn fits_any(
        &self,
        value: &Value,
        alternatives: &'a [Value],
        path: &str,
    ) -> Result<(), ProfileError> {
        let fitting = alternatives.iter().find(|alternative| {
            let types = types(self.resolved(alternative));
            types.is_empty() || types.iter().any(|name| is_a(value, name))
        });
        if let Some(alternative) = fitting {
            return self.fits(value, alternative, path);
        }
        let all: Vec<&str> =
            alternatives.iter().flat_map(|alternative| types(self.resolved(alternative))).collect();
        Err(self.mismatch(value, &all, path))
    }

    fn fits_word(&self, value: &Value, known: &[&str], path: &str) -> Result<(), ProfileError> {
        match value.as_str() {
            Some(word) if known.contains(&word) => Ok(()),
            Some(word) => Err(self.places.invalid(
                path,
                format!(
                    "`{path}`: unknown value {}{}",
                    shown_value(value),
                    hint(word, known.iter().copied())
                ),
            )),
            None => Err(self.mismatch(value, &["string"], path)),
        }
    }

    fn fits_range(&self, value: &Value, schema: &Value, path: &str) -> Result<(), ProfileError> {
        let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
        let (size, unit) = match value {
            Value::Number(number) => (number.as_f64().unwrap_or(f64::NAN), ""),
            Value::Array(items) => (items.len() as f64, " entries"),
            Value::String(text) => (text.chars().count() as f64, " characters"),
            _ => return Ok(()),
        };
        let (least, most) = match value {
            Value::Number(_) => (bound("minimum"), bound("maximum")),
            Value::Array(_) => (bound("minItems"), bound("maxItems")),
            _ => (bound("minLength"), bound("maxLength")),
        };
        let limit = match (least, most) {
            (Some(least), _) if size < least => format!("at least {least}"),
            (_, Some(most)) if size > most => format!("at most {most}"),
            _ => return Ok(()),
        };
        Err(self.places.invalid(path, format!("`{path}` is {size}{unit}, expected {limit}{unit}")))
    }

    fn fits_pattern(&self, value: &Value, schema: &Value, path: &str) -> Result<(), ProfileError> {
        let (Some(pattern), Some(text)) =
            (schema.get("pattern").and_then(Value::as_str), value.as_str())
        else {
            return Ok(());
        };
        if Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text)) {
            return Ok(());
        }
        let about = schema.get("description").and_then(Value::as_str);
        let expected = about.map_or_else(|| format!("text like {pattern}"), str::to_owned);
        let expected = expected.trim_end_matches('.');
        Err(self.places.invalid(
            path,
            format!("`{path}`: {} will not do; expected: {expected}", shown_value(value)),
        ))
    }

    fn mismatch(&self, value: &Value, types: &[&str], path: &str) -> ProfileError {
        let mut expected: Vec<&str> =
            types.iter().filter(|name| **name != "null").map(|name| kind_of(name)).collect();
        expected.dedup();
        let expected = expected.join(" or ");
        self.places.invalid(path, format!("`{path}` is {}, expected {expected}", kind(value)))
    }
}

/// The JSON types that a schema allows.
fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_a(value: &Value, schema_type: &str) -> bool {
    match schema_type {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// The words of an enumeration, if the schema is one.
fn words(schema: &Value) -> Option<Vec<&str>> {
    if let Some(list) = schema.get("enum").and_then(Value::as_array) {
        return list.iter().map(Value::as_str).collect();
    }
    let branches = schema.get("oneOf").and_then(Value::as_array)?;
    let mut words = Vec::new();
    for branch in branches {
        match (branch.get("const"), branch.get("enum").and_then(Value::as_array)) {
            (Some(word), _) => words.push(word.as_str()?),
            (None, Some(list)) => words.extend(list.iter().filter_map(Value::as_str)),
            (None, None) => return None,
        }
    }
    Some(words)
}
