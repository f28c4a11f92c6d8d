//! Stage 5, *check*: facts in, findings out. A rule is data plus one function ([`Rule`]).
//!
//! One folder a family, one file a topic. A topic file declares its rules as statics and lists them
//! in its `RULES`; a family lists its topics; [`FAMILIES`] lists the families. A new rule is a static
//! in a topic file and a name in that file's `RULES`; nothing else has to know it.

mod context;
mod cross;
mod dicom;
mod file;
mod identity;
mod manifest;
pub mod page;
mod pixel;
mod registry;
mod rule;
mod sink;
#[cfg(test)]
pub(crate) mod testing;

pub use self::context::{FileContext, ImageContext, NameContext, SetContext};
pub use self::registry::Registry;
pub use self::rule::{
    Case, Check, DefaultValue, FileCheck, ImageCheck, Rule, RuleOption, Scope, Stage, Status,
};
pub(crate) use self::sink::MOST_PER_RULE;
pub use self::sink::{Draft, Sink};

/// Rules that share a prefix.
#[derive(Debug)]
pub struct Family {
    /// First two letters of the codes.
    pub prefix: &'static str,
    /// What the family is about.
    pub title: &'static str,
    /// Its topics, each a list of rules.
    pub topics: &'static [&'static [&'static Rule]],
}

/// All families, in the order in which reports and pages list them.
pub static FAMILIES: &[&Family] = &[
    &file::FAMILY,
    &pixel::FAMILY,
    &dicom::FAMILY,
    &identity::FAMILY,
    &manifest::FAMILY,
    &cross::FAMILY,
];
