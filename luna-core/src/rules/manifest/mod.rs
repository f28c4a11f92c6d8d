//! Family LM: does the manifest say what is there, and can it be read without doubt?

mod contents;
mod files;
mod headers;
mod presence;

use super::{Draft, Family, SetContext};
use crate::table::{Column, Listed, Matched, Role};

/// The family.
pub(super) static FAMILY: Family = Family {
    prefix: "LM",
    title: "Manifest",
    topics: &[presence::RULES, contents::RULES, files::RULES, headers::RULES],
};

/// The manifest that counts.
fn manifest<'a>(cx: &SetContext<'a>) -> Option<&'a Matched<'a>> {
    cx.tables.iter().find(|it| it.table().role() == Role::Manifest)
}

/// A finding about a cell, which stands under its table.
fn at(matched: &Matched<'_>, row: &Listed, column: Column, draft: Draft) -> Draft {
    let table = matched.table();
    draft.about(table.name()).at(table.place(row, column))
}
