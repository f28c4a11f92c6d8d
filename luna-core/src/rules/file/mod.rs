//! Family LF.

use super::Family;

/// The family.
pub(super) static FAMILY: Family = Family { prefix: "LF", title: "File", topics: &[] };
