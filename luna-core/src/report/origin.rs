//! Where a report comes from.

use serde::{Deserialize, Serialize};

use super::{Dataset, ProfileIdentity, Report, RulesRun};

/// Engine, profile and rules that made a report, and the data set it is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Version of the engine.
    pub luna_version: String,
    /// Version of the report's shape.
    pub schema_version: u32,
    /// The profile in force.
    pub profile: ProfileIdentity,
    /// Edition of the rules.
    pub edition: String,
    /// The data set.
    pub dataset: Dataset,
    /// Rules, by what they did.
    pub rules: RulesRun,
    /// Findings without weight.
    pub excepted: u64,
    /// True if the work was cut short.
    pub partial: bool,
}

impl Origin {
    pub(super) fn of(report: &Report) -> Self {
        Self {
            luna_version: report.luna_version.clone(),
            schema_version: report.schema_version,
            profile: report.profile.clone(),
            edition: report.edition.clone(),
            dataset: report.dataset.clone(),
            rules: report.rules.clone(),
            excepted: report.counts.excepted,
            partial: report.partial,
        }
    }
}
