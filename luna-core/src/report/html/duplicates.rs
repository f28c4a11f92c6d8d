//! Files that are one picture, side by side: what differs, which to keep, and why.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::{Page, full_list, severity, shown, some_of};
use crate::report::copies::COPIES;
use crate::report::{Copies, CopyGroup, CopyMember, RuleGroup};
use crate::text::escaped;

/// How a page shows a file: its picture, if it has one, and its name.
struct Files<'a> {
    picture: &'a dyn Fn(&str) -> Option<Markup>,
    name: &'a dyn Fn(&str) -> Markup,
}

impl Page<'_> {
    pub(super) fn duplicates(&self) -> Markup {
        self.copies.markup(&Files {
            picture: &|path| self.pictures.plain(path),
            name: &|path| self.file_link(path),
        })
    }
}

impl Page<'_> {
    /// The first groups alone, for where there is less room.
    pub(super) fn some_duplicates(&self, most: usize) -> Markup {
        let picture = |path: &str| self.pictures.plain(path);
        let name = |path: &str| self.file_link(path);
        let files = Files { picture: &picture, name: &name };
        let groups = &self.copies.groups;
        html! {
            @if !groups.is_empty() {
                div.duplicates { @for it in groups.iter().take(most) { (group(it, &files)) } }
                @if most < self.copies.all as usize {
                    p.quiet { (some_of(groups.len().min(most), self.copies.all as usize)) " groups of copies." }
                }
            }
        }
    }
}

impl Copies {
    /// The section of a page that shows them; empty if there are none. `picture` is the address of a file's
    /// small picture, `link` the one that its name leads to.
    ///
    /// ```
    /// # use luna_core::report::Copies;
    /// assert_eq!(Copies::default().to_html(&|_| None, &|path| format!("/files/{path}")), "");
    /// ```
    pub fn to_html(
        &self,
        picture: &dyn Fn(&str) -> Option<String>,
        link: &dyn Fn(&str) -> String,
    ) -> String {
        let drawn = |path: &str| {
            picture(path).map(|it| html! { img.picture src=(it) alt="" loading="lazy"; })
        };
        let named = |path: &str| html! { a.path href=(link(path)) { (shown(path)) } };
        self.markup(&Files { picture: &drawn, name: &named }).into_string()
    }

    fn markup(&self, files: &Files<'_>) -> Markup {
        html! {
            @if !self.groups.is_empty() {
                section #duplicates aria-labelledby="duplicates-title" {
                    h2 #duplicates-title { "Duplicates" }
                    p.quiet {
                        (some_of(self.groups.len(), self.all as usize))
                        @if self.all == 1 { " group" } @else { " groups" } ", side by side."
                        @if (self.groups.len() as u64) < self.all { " " (full_list()) }
                    }
                    div.duplicates { @for it in &self.groups { (group(it, files)) } }
                    (self.keep_list())
                }
            }
        }
    }

    /// Which to keep and which to drop, as a table to copy.
    fn keep_list(&self) -> Markup {
        let mut list = "keep,drop\n".to_owned();
        for (keep, drop) in &self.drop {
            let _ = writeln!(list, "{},{}", cell(keep), cell(drop));
        }
        html! {
            details.keep-list {
                summary { "Which to keep, as a table (" (some_of(self.drop.len(), self.all_drop as usize))
                    @if self.all_drop == 1 { " row)" } @else { " rows)" } }
                textarea readonly rows="8" aria-label="Table of files to keep and to drop" { (list) }
                p.tools hidden data-script {
                    button type="button" data-copy=(list) { "Copy the table" }
                }
            }
        }
    }
}

fn group(group: &CopyGroup, files: &Files<'_>) -> Markup {
    html! {
        article.duplicate data-item tabindex="-1" {
            p {
                (severity(group.severity)) " " b.code { (shown(&group.rule)) } " "
                (shown(&group.message))
            }
            ul.members {
                @for it in &group.members {
                    @let reason = group.keep.as_ref().filter(|(path, _)| *path == it.path);
                    li.kept[reason.is_some()] {
                        (member(it, files))
                        @if let Some((_, reason)) = reason { p.badge { "✓ keep: " (shown(reason)) } }
                    }
                }
            }
            @if (group.members.len() as u64) < group.files {
                p.quiet { (some_of(group.members.len(), group.files as usize)) " files shown." }
            }
        }
    }
}

fn member(member: &CopyMember, files: &Files<'_>) -> Markup {
    html! {
        figure {
            @if let Some(drawing) = (files.picture)(&member.path) { (drawing) }
            figcaption {
                ((files.name)(&member.path))
                @if !member.about.is_empty() { span.quiet { (shown(&member.about)) } }
            }
        }
    }
}

/// True if the section of duplicates shows the pictures of this rule.
pub(super) fn is_side_by_side(group: &RuleGroup<'_>) -> bool {
    COPIES.contains(&group.rule) && group.places.iter().all(|place| place.entry.is_none())
}

/// A cell that no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let defused = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{defused}{}\"", escaped(text).replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_and_defused() {
        assert_eq!(cell("=a\"b"), "\"'=a\"\"b\"");
    }
}
