//! The JSON Schema of profiles: the shape of the types, and beside it what the rules add.

use serde_json::{Map, Value, json};

use super::Profile;
use super::shape::SHAPE;
use crate::rules::{DefaultValue, Registry, Rule, RuleOption};

impl Profile {
    /// The JSON Schema (draft 2020-12) of a profile, with every rule's options and every default.
    ///
    /// ```
    /// let schema = luna_core::Profile::schema();
    /// assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    /// assert_eq!(schema["$defs"]["Limits"]["properties"]["side"]["default"], 65_535);
    /// ```
    pub fn schema() -> Value {
        let mut schema = json!({
            "$schema": null,
            "title": "LUNA profile",
            "description": "Which rules run, how grave they are, what is accepted, and the budgets.",
        });
        if let (Some(own), Some(shape)) = (schema.as_object_mut(), SHAPE.as_object()) {
            let rest = shape.iter().filter(|(key, _)| *key != "description");
            own.extend(rest.map(|(key, value)| (key.clone(), value.clone())));
        }
        let registry = Registry::default();
        let rules: Map<String, Value> =
            registry.rules().iter().map(|rule| (rule.code.to_owned(), of_rule(rule))).collect();
        let selection = &mut schema["$defs"]["RuleSelection"];
        if let Some(properties) = selection["properties"].as_object_mut() {
            properties.extend(rules);
        }
        selection["additionalProperties"] = Value::from(false);
        if let Some(defs) = schema["$defs"].as_object_mut() {
            defs.remove("RuleSettings");
            defs.remove("OptionValue");
        }
        let defaults = serde_json::to_value(Self::default()).unwrap_or_default();
        set_defaults(&mut schema, &defaults, "");
        schema
    }
}

/// Gives each property the value that it has in the profile `default`.
fn set_defaults(schema: &mut Value, defaults: &Value, at: &str) {
    let Some(Value::Object(properties)) = schema.pointer(&format!("{at}/properties")) else {
        return;
    };
    let keys: Vec<String> = properties.keys().cloned().collect();
    for key in keys {
        let place = format!("{at}/properties/{key}");
        let Some(property) = schema.pointer_mut(&place) else { continue };
        let Some(default) = defaults.get(&key) else {
            if let Some(property) = property.as_object_mut() {
                property.remove("default");
            }
            continue;
        };
        let below = property.get("$ref").and_then(Value::as_str).map(|at| at[1..].to_owned());
        match (below, default) {
            (Some(below), Value::Object(_)) => {
                if let Some(property) = property.as_object_mut() {
                    property.remove("default");
                }
                set_defaults(schema, default, &below);
            }
            _ => property["default"] = default.clone(),
        }
    }
}

fn of_rule(rule: &Rule) -> Value {
    let mut properties = Map::new();
    properties.insert(
        "severity".to_owned(),
        json!({ "$ref": "#/$defs/Severity", "description": "Replaces the severity of all cases." }),
    );
    properties.extend(rule.options.iter().map(|option| (option.key.to_owned(), of_option(option))));
    json!({
        "description": format!("{}: {}", rule.name, rule.summary),
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn of_option(option: &RuleOption) -> Value {
    let about = match option.unit {
        "" => option.about.to_owned(),
        unit => format!("{} Unit: {unit}.", option.about),
    };
    match option.default {
        DefaultValue::Number { value, least, most } => json!({
            "description": about,
            "type": "number",
            "minimum": plain(least),
            "maximum": plain(most),
            "default": plain(value),
        }),
        DefaultValue::Texts(values) => json!({
            "description": about,
            "type": "array",
            "items": { "type": "string" },
            "default": values,
        }),
    }
}

/// Whole numbers are written as such.
fn plain(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9.0e15 {
        Value::from(value as i64)
    } else {
        Value::from(value)
    }
}
