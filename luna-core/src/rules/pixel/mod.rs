//! Family LP: what the pixels show. Frames of a multi-frame object: first, middle, last.

mod blur;
mod chest;
mod colour;
mod depth;
mod exposure;
mod geometry;
mod lossy;
mod panels;
mod place;
mod saturation;
mod spacing;
mod template;
#[cfg(test)]
mod tests;

use super::Family;

/// The family.
pub(super) static FAMILY: Family = Family {
    prefix: "LP",
    title: "Picture",
    topics: &[
        exposure::RULES,
        saturation::RULES,
        chest::RULES,
        panels::RULES,
        geometry::RULES,
        spacing::RULES,
        depth::RULES,
        colour::RULES,
        blur::RULES,
        lossy::RULES,
    ],
};
