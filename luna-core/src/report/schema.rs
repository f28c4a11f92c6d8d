//! The published shape of the JSON report.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema as _, Schema};
use serde_json::Value;

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
    let generator =
        SchemaSettings::draft2020_12().for_serialize().with_transform(close).into_generator();
    let mut schema = generator.into_root_schema_for::<Report>();
    schema.insert("title".to_owned(), Value::from("LUNA report"));
    debug_assert_eq!(Report::schema_name(), "Report");
    schema.into()
}
