//! Family LP.

use super::Family;

/// The family.
pub(super) static FAMILY: Family = Family { prefix: "LP", title: "Picture", topics: &[] };
