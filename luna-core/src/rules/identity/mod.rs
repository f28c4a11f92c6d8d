//! Family LI.

use super::Family;

/// The family.
pub(super) static FAMILY: Family = Family { prefix: "LI", title: "Identity", topics: &[] };
