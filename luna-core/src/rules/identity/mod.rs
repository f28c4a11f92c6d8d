//! Family LI: what may tell who the patient is.

mod claims;
mod metadata;
mod names;
mod person;

use super::Family;

/// The family.
pub(super) static FAMILY: Family = Family {
    prefix: "LI",
    title: "Identity",
    topics: &[person::RULES, claims::RULES, metadata::RULES],
};
