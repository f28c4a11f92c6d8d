//! Folders, a row each: how many files, and what is found in them. On a page that is gathered so.

use maud::{Markup, html};

use super::{Page, full_list, severity, shown, some_of};
use crate::report::folders::folders;
use crate::text::grouped;

/// Rows of the table.
const MOST_ROWS: usize = 500;
/// Rules that a row names.
const MOST_RULES: usize = 12;

impl Page<'_> {
    pub(super) fn folders(&self) -> Markup {
        let folders = folders(self.report);
        let shown_rows = folders.len().min(MOST_ROWS);
        html! {
            section #folders aria-labelledby="folders-title" {
                h2 #folders-title { "Folders" }
                div.scroll tabindex="0" role="group" aria-label="Table of folders" {
                    table {
                        caption {
                            (some_of(shown_rows, folders.len())) " folders"
                            @if shown_rows < folders.len() { ". " (full_list()) }
                        }
                        thead { tr {
                            th scope="col" { "Folder" }
                            th.number scope="col" { "Files" }
                            th.number scope="col" { "Errors" }
                            th.number scope="col" { "Warnings" }
                            th.number scope="col" { "Infos" }
                            th scope="col" { "Rules, with the files they speak of" }
                        } }
                        tbody {
                            @for (path, folder) in folders.iter().take(MOST_ROWS) {
                                tr {
                                    th scope="row" { span.path { (shown(path)) "/" } }
                                    td.number { (grouped(folder.files)) }
                                    td.number { (grouped(folder.error)) }
                                    td.number { (grouped(folder.warning)) }
                                    td.number { (grouped(folder.info)) }
                                    td {
                                        ul { @for ((level, rule, name), files) in folder.rules.iter().take(MOST_RULES) {
                                            li {
                                                (severity(*level)) " " b.code { (shown(rule)) } " "
                                                (shown(name)) ": " (grouped(*files))
                                            }
                                        } }
                                        @if folder.rules.len() > MOST_RULES {
                                            p.quiet { (some_of(MOST_RULES, folder.rules.len())) " rules shown." }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
