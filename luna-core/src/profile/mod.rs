//! A profile: an organiser's whole will, in TOML.
//!
//! Text in, a checked [`Profile`] out. A file is read strictly (`parse`), held against the shape of
//! these types (`shape`: unknown keys, types, ranges), laid over what it `extends`, and then checked
//! against the rules that an engine knows (`check`). The types here are the only list of keys: the
//! schema, the hints and the guide follow from them.

mod check;
mod parse;
mod schema;
mod shape;
mod suggest;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

pub(crate) use self::check::Exceptions;
pub use self::parse::Places;
use crate::finding::Severity;
use crate::limits::Limits;
use crate::probe::Format;
use crate::rules::{FAMILIES, Rule, Status};
use crate::table::Column;

/// Edition of the rules that this engine holds.
pub const EDITION: &str = "2026.1";

/// Which rules run, how grave they are, what is accepted, and the budgets.
///
/// ```
/// use luna_core::Profile;
/// let profile = Profile::parse("[rules.LP012]\nseverity = \"error\"", "ours.toml")?;
/// assert_eq!(profile.name, "ours");
/// assert_eq!(profile.rules.select, Profile::default().rules.select);
///
/// let error = Profile::parse("[rules]\nselct = [\"LF\"]", "ours.toml").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "profile ours.toml, line 2: unknown key `selct` in [rules]; did you mean `select`?"
/// );
/// # Ok::<(), luna_core::ProfileError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default = "Profile::bare", deny_unknown_fields)]
pub struct Profile {
    /// Name that stands in reports; the file's name without its ending if it is not given.
    pub name: String,
    /// The profile it is laid over: a built-in name, or a path relative to this file. Tables are
    /// merged, lists and values replaced. Without it, `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
    /// Edition of the rules it was written for.
    pub edition: String,
    /// What the set may hold.
    pub accept: Accept,
    /// Which rules run, and their settings.
    pub rules: RuleSelection,
    /// Findings that were seen and are kept without weight.
    pub exceptions: Vec<Exception>,
    /// The policy of de-identification.
    pub identity: IdentityPolicy,
    /// What is expected of the manifest.
    pub manifest: ManifestPolicy,
    /// Budgets.
    pub limits: Limits,
    /// Where in which file its keys stand; no part of what it says.
    #[serde(skip)]
    #[schemars(skip)]
    pub places: Places,
}

/// What the set may hold; an empty list allows everything.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Accept {
    /// Formats, such as `dicom`, `png`.
    pub formats: Vec<Format>,
    /// DICOM transfer syntax UIDs.
    #[schemars(inner(regex(pattern = r"^[0-9]+(\.[0-9]+)+$"), length(max = 64)))]
    pub transfer_syntaxes: Vec<String>,
    /// DICOM modalities, such as `DX`.
    #[schemars(inner(regex(pattern = r"^[A-Z0-9_ ]{1,16}$")))]
    pub modalities: Vec<String>,
    /// DICOM SOP class UIDs.
    #[schemars(inner(regex(pattern = r"^[0-9]+(\.[0-9]+)+$"), length(max = 64)))]
    pub sop_classes: Vec<String>,
    /// DICOM photometric interpretations, such as `MONOCHROME2`.
    #[schemars(inner(regex(pattern = r"^[A-Z0-9_ ]{1,16}$")))]
    pub photometric_interpretations: Vec<String>,
}

/// Which rules run, and their settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RuleSelection {
    /// Codes or prefixes of rules that run.
    pub select: Vec<String>,
    /// Codes or prefixes of rules that do not.
    pub ignore: Vec<String>,
    /// True to run preview rules too.
    pub preview: bool,
    /// Settings of single rules: `[rules.LP012]`.
    #[serde(flatten)]
    pub each: BTreeMap<String, RuleSettings>,
}

/// Severity and options of one rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RuleSettings {
    /// Replaces the severity of all cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Options by key.
    #[serde(flatten)]
    pub options: BTreeMap<String, OptionValue>,
}

/// A value of a rule's option.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OptionValue {
    /// A number.
    Number(#[serde(serialize_with = "plainly")] f64),
    /// A list of texts.
    Texts(Vec<String>),
}

/// Findings that were seen and are kept, marked, without weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Codes or prefixes of rules.
    #[schemars(length(min = 1))]
    pub rules: Vec<String>,
    /// Globs over paths, such as `film/**`; `*` stops at `/`.
    #[schemars(length(min = 1))]
    pub paths: Vec<String>,
    /// Why.
    #[schemars(length(min = 1))]
    pub reason: String,
    /// Last day, `YYYY-MM-DD`; from then on the command reminds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub until: Option<String>,
}

/// What is expected of the manifest, and how its columns are called.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ManifestPolicy {
    /// True if a set without a manifest is not to pass.
    pub required: bool,
    /// Columns that the manifest must have, each with a value in every row.
    pub require: Vec<Column>,
    /// Names of columns that are called otherwise: `{ file = "dicom_path", split = "cv" }`.
    pub columns: BTreeMap<String, String>,
}

/// The policy of de-identification (PS3.15 Annex E).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IdentityPolicy {
    /// Options under which attributes may be kept.
    pub retain: Vec<Retain>,
    /// Regular expression that pseudonyms (PatientID, PatientName, AccessionNumber) match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pseudonym: Option<String>,
    /// True to judge by the HIPAA safe harbour: ages of 91 and more are errors.
    pub hipaa: bool,
}

/// An option of the Basic Application Level Confidentiality Profile (PS3.15 E.3) under which
/// attributes are kept or cleaned rather than removed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Retain {
    /// Safe private attributes (E.3.10).
    SafePrivate,
    /// UIDs (E.3.9).
    Uids,
    /// Identity of the device (E.3.8).
    DeviceIdentity,
    /// Identity of the institution (E.3.11).
    InstitutionIdentity,
    /// Characteristics of the patient, such as sex, age and size (E.3.7).
    PatientCharacteristics,
    /// Dates and times as they were (E.3.6).
    FullDates,
    /// Dates and times, moved (E.3.6).
    ModifiedDates,
    /// Cleaned descriptive texts (E.3.5).
    CleanDescriptors,
    /// Cleaned structured content (E.3.4).
    CleanStructuredContent,
    /// Cleaned graphics (E.3.3).
    CleanGraphics,
}

/// Whole numbers are written as such.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn plainly<S: Serializer>(value: &f64, out: S) -> Result<S::Ok, S::Error> {
    if value.fract() == 0.0 && value.abs() < 9.0e15 {
        return out.serialize_i64(*value as i64);
    }
    out.serialize_f64(*value)
}

impl Default for IdentityPolicy {
    /// What fits properly de-identified public data.
    fn default() -> Self {
        Self {
            retain: vec![
                Retain::Uids,
                Retain::DeviceIdentity,
                Retain::PatientCharacteristics,
                Retain::ModifiedDates,
            ],
            pseudonym: None,
            hipaa: false,
        }
    }
}

impl Default for Profile {
    /// The built-in profile `default`.
    fn default() -> Self {
        static DEFAULT: LazyLock<Profile> = LazyLock::new(|| {
            Profile::builtin("default").unwrap_or_else(|_| {
                let mut profile = Profile::bare();
                profile.rules.select = FAMILIES.iter().map(|it| it.prefix.to_owned()).collect();
                profile
            })
        });
        DEFAULT.clone()
    }
}

impl Profile {
    /// A profile that says nothing: no rule runs, everything is accepted.
    fn bare() -> Self {
        Self {
            name: "default".to_owned(),
            extends: None,
            edition: EDITION.to_owned(),
            accept: Accept::default(),
            rules: RuleSelection::default(),
            exceptions: Vec::new(),
            identity: IdentityPolicy::default(),
            manifest: ManifestPolicy::default(),
            limits: Limits::default(),
            places: Places::default(),
        }
    }

    /// True if the rule runs under this profile: it is selected, not ignored, and not a preview
    /// unless asked for (`preview = true`, or its full code in `select`).
    ///
    /// ```
    /// use luna_core::{Profile, rules::Registry};
    /// let profile = Profile::parse("[rules]\nselect = [\"LX\"]", "x")?;
    /// let registry = Registry::default();
    /// let runs: Vec<_> = registry.rules().iter().filter(|rule| profile.selects(rule)).collect();
    /// assert!(runs.iter().all(|rule| rule.code.starts_with("LX")));
    /// # Ok::<(), luna_core::ProfileError>(())
    /// ```
    pub fn selects(&self, rule: &Rule) -> bool {
        let matches =
            |list: &[String]| list.iter().any(|prefix| rule.code.starts_with(prefix.as_str()));
        let by_code = self.rules.select.iter().any(|code| code == rule.code);
        let previewed =
            self.rules.preview || by_code || !matches!(rule.status, Status::Preview { .. });
        matches(&self.rules.select) && !matches(&self.rules.ignore) && previewed
    }
}

#[cfg(test)]
mod tests;
