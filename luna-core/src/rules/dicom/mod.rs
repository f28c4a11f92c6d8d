//! Family LD: DICOM headers, structure and the description of pixels.

mod objects;
mod pixel_description;

use super::Family;

/// The family.
pub(super) static FAMILY: Family =
    Family { prefix: "LD", title: "DICOM", topics: &[objects::RULES, pixel_description::RULES] };
