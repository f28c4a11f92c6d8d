//! Family LX: findings that need several files.

use super::Family;

/// The family.
pub(super) static FAMILY: Family = Family { prefix: "LX", title: "Across images", topics: &[] };
