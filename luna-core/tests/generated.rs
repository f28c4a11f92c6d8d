//! What is generated from the code: rule pages, their index, the profile's schema and its guide.
//! `LUNA_BLESS=1 cargo test -p luna-core --test generated` writes them anew; without it a file that
//! is stale, missing or surplus fails.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may say so")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use luna_core::Profile;
use luna_core::rules::{Registry, page};
use serde_json::Value;

fn docs() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// Writes the files, or compares them with those that are there.
fn bless_or_compare(wanted: &BTreeMap<String, String>) {
    let mut stale = Vec::new();
    for (name, text) in wanted {
        let path = docs().join(name);
        if std::env::var_os("LUNA_BLESS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        } else if fs::read_to_string(&path).ok().as_ref() != Some(text) {
            stale.push(name.as_str());
        }
    }
    assert!(
        stale.is_empty(),
        "stale: {}; run LUNA_BLESS=1 cargo test -p luna-core --test generated",
        stale.join(", ")
    );
}

#[test]
fn rule_pages_are_what_the_rules_say() {
    let registry = Registry::default();
    let mut wanted: BTreeMap<String, String> = registry
        .rules()
        .iter()
        .map(|rule| (format!("rules/{}.md", rule.code), page::markdown(rule)))
        .collect();
    wanted.insert("rules/README.md".to_owned(), page::index(&registry));
    bless_or_compare(&wanted);

    let folder = fs::read_dir(docs().join("rules")).unwrap();
    let there: BTreeSet<String> =
        folder.map(|it| format!("rules/{}", it.unwrap().file_name().to_string_lossy())).collect();
    let surplus: Vec<&String> = there.iter().filter(|name| !wanted.contains_key(*name)).collect();
    assert!(surplus.is_empty(), "surplus: {surplus:?}");
}

#[test]
fn the_profile_schema_and_guide_are_what_the_types_say() {
    let schema = Profile::schema();
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    let wanted = BTreeMap::from([
        ("profile.schema.json".to_owned(), text),
        ("profile.md".to_owned(), guide(&schema)),
    ]);
    bless_or_compare(&wanted);
}

#[test]
fn every_key_of_the_schema_stands_in_the_guide() {
    fn keys(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(table) => {
                if let Some(Value::Object(properties)) = table.get("properties") {
                    found.extend(properties.keys().cloned());
                }
                table.values().for_each(|below| keys(below, found));
            }
            Value::Array(items) => items.iter().for_each(|below| keys(below, found)),
            _ => {}
        }
    }
    let schema = Profile::schema();
    let guide = guide(&schema);
    let mut all = BTreeSet::new();
    keys(&schema, &mut all);
    let registry = Registry::default();
    let missing: Vec<&String> = all
        .iter()
        .filter(|key| registry.get(key).is_none_or(|rule| !rule.options.is_empty()))
        .filter(|key| !guide.contains(&format!("`{key}`")) && !guide.contains(&format!("[{key}]")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The guide to profiles: prose, and every key with its default.
fn guide(schema: &Value) -> String {
    let mut page = include_str!("profile-guide.md").to_owned();
    table(&mut page, schema, schema, "");
    let properties = schema["properties"].as_object().unwrap();
    for (key, property) in properties {
        let about = property["description"].as_str().unwrap_or_default();
        if let Some(below) = resolved(schema, property).filter(|it| it.get("properties").is_some())
        {
            let _ = write!(page, "\n## [{key}]\n\n{about}\n\n");
            table(&mut page, schema, below, key);
        } else if let Some(item) = property.get("items").and_then(|it| resolved(schema, it))
            && item.get("properties").is_some()
        {
            let _ = write!(page, "\n## [[{key}]]\n\n{about}\n\n");
            table(&mut page, schema, item, key);
        }
    }
    page.push_str(
        "\n## [rules.CODE]\n\n`severity` (`error`, `warning` or `info`) replaces the severity of all \
         cases of a rule. The other keys are the rule's own:\n\n\
         | Rule | Key | Default | Range | What it does |\n|---|---|---|---|---|\n",
    );
    for rule in Registry::default().rules() {
        let options = &schema["$defs"]["RuleSelection"]["properties"][rule.code]["properties"];
        for (key, option) in
            options.as_object().unwrap().iter().filter(|(key, _)| *key != "severity")
        {
            let range = match (&option["minimum"], &option["maximum"]) {
                (Value::Null, _) => "list of texts".to_owned(),
                (least, most) => format!("{least} to {most}"),
            };
            let about = cell(option["description"].as_str().unwrap_or_default());
            let _ = writeln!(
                page,
                "| [{0}](rules/{0}.md) | `{key}` | `{1}` | {range} | {about} |",
                rule.code, option["default"]
            );
        }
    }
    page
}

/// The keys of one table that are no tables themselves.
fn table(page: &mut String, root: &Value, schema: &Value, name: &str) {
    let registry = Registry::default();
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    page.push_str("| Key | Type | Default | What it says |\n|---|---|---|---|\n");
    for (key, property) in schema["properties"].as_object().unwrap() {
        let shape = resolved(root, property).unwrap_or(property);
        let items = property.get("items").and_then(|it| resolved(root, it));
        let is_table = shape.get("properties").is_some()
            || items.is_some_and(|it| it.get("properties").is_some());
        if is_table || (name == "rules" && registry.get(key).is_some()) {
            continue;
        }
        let default = match &property["default"] {
            Value::Null if required.contains(&Value::from(key.as_str())) => "required".to_owned(),
            Value::Null => "none".to_owned(),
            value => format!("`{value}`"),
        };
        let about = cell(property["description"].as_str().unwrap_or_default());
        let _ = writeln!(page, "| `{key}` | {} | {default} | {about} |", kind(root, property));
    }
}

/// Follows a reference.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> Option<&'a Value> {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(pointer) => root.pointer(pointer.strip_prefix('#')?),
        None => Some(schema),
    }
}

/// The type of a key, for people.
fn kind(root: &Value, schema: &Value) -> String {
    let schema = resolved(root, schema).unwrap_or(schema);
    if let Some(several) = schema.get("anyOf").and_then(Value::as_array) {
        let each: Vec<String> =
            several.iter().map(|it| kind(root, it)).filter(|it| it != "null").collect();
        return each.join(" or ");
    }
    let words: Vec<String> = match (schema.get("enum"), schema.get("oneOf")) {
        (Some(Value::Array(words)), _) => words.iter().map(|it| format!("`{it}`")).collect(),
        (_, Some(Value::Array(branches))) => {
            branches.iter().map(|it| format!("`{}`", it["const"])).collect()
        }
        _ => Vec::new(),
    };
    if !words.is_empty() {
        return words.join(", ");
    }
    let name = match &schema["type"] {
        Value::Array(several) => several[0].as_str().unwrap_or_default(),
        one => one.as_str().unwrap_or_default(),
    };
    match name {
        "array" => format!("list of {}", kind(root, &schema["items"])),
        "integer" => "whole number".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        "string" => "text".to_owned(),
        other => other.to_owned(),
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ")
}
