//! Family LX: findings that need several files.

mod duplicates;

use super::Family;

/// The family.
pub(super) static FAMILY: Family =
    Family { prefix: "LX", title: "Across images", topics: &[duplicates::RULES] };
