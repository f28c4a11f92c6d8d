//! Family LD.

use super::Family;

/// The family.
pub(super) static FAMILY: Family = Family { prefix: "LD", title: "DICOM", topics: &[] };
