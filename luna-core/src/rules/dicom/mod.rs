//! Family LD: DICOM headers, structure and the description of pixels.

mod codestream;
mod encapsulation;
mod objects;
mod pixel_data;
mod pixel_description;
mod structure;
mod transfer_syntax;

use super::Family;

/// The family.
pub(super) static FAMILY: Family = Family {
    prefix: "LD",
    title: "DICOM",
    topics: &[
        structure::RULES,
        transfer_syntax::RULES,
        objects::RULES,
        pixel_description::RULES,
        pixel_data::RULES,
        encapsulation::RULES,
        codestream::RULES,
    ],
};
