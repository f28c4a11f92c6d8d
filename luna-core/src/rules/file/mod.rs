//! Family LF: is it a file that can be opened, of the kind it claims, whole, and harmless?

mod access;
mod archive;
mod content;
mod encoding;
mod integrity;
mod names;
#[cfg(test)]
mod tests;

use super::Family;

/// The family.
pub(super) static FAMILY: Family = Family {
    prefix: "LF",
    title: "File",
    topics: &[access::RULES, integrity::RULES, encoding::RULES, names::RULES, content::RULES],
};
