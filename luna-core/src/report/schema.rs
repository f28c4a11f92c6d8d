//! The published shape of the JSON report.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::{Map, Value};

use super::Report;

/// The JSON Schema (2020-12) of a report: every key is required, no other is allowed.
///
/// ```
/// let schema = luna_core::report::report_schema();
/// assert_eq!(schema["title"], "LUNA report");
/// ```
pub fn report_schema() -> Value {
    let close = RecursiveTransform(|schema: &mut Schema| {
        if schema.get("properties").is_some() {
            schema.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
    });
    let settings = SchemaSettings::draft2020_12().for_serialize().with_transform(close);
    let mut schema = settings.into_generator().into_root_schema_for::<Report>();
    // What it is stands before what it says.
    let mut whole = Map::new();
    whole.extend(schema.remove("$schema").map(|dialect| ("$schema".to_owned(), dialect)));
    whole.insert("title".to_owned(), Value::from("LUNA report"));
    for (key, value) in schema.as_object().into_iter().flatten() {
        whole.entry(key).or_insert_with(|| value.clone());
    }
    Value::Object(whole)
}
