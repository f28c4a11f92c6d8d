//! Can the table be read, and is every cell of it what its column says?

use crate::finding::Severity;
use crate::rules::{Case, Check, Draft, Rule, Scope, SetContext, Sink, Stage, Status};
use crate::table::About;
use crate::text::grouped;

pub(super) static RULES: &[&Rule] = &[&MANIFEST_UNREADABLE, &COLUMN_MISSING, &CELL_INVALID];

static MANIFEST_UNREADABLE: Rule = Rule {
    code: "LM002",
    name: "manifest-unreadable",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Table,
    cases: &[
        Case::new("", Severity::Error, Stage::Set, "the text breaks the rules of its format"),
        Case::new("odd", Severity::Warning, Stage::Set, "an odd quote, or mixed line ends"),
    ],
    options: &[],
    summary: "A manifest or label table cannot be read without doubt: wrong encoding, an open quote, \
              ragged rows, equal or empty column names, JSON that is none, a key twice, too large.",
    why: "Programs guess, each in its own way: one drops the rest of the file behind an open quote, \
          another takes the last of two keys. Whoever scores may then use other rows than whoever \
          trained.",
    measured: "CSV and its kin by RFC 4180 (separator `,`, `;`, tab or `|`, told by the header; UTF-8 \
               with or without a byte order mark), JSON by RFC 8259, lists as `sha256sum` and `md5sum` \
               write them. Row 1 is the header, empty lines count. Budgets: `table_bytes`, \
               `table_rows`, `table_columns`, `text_bytes` a cell, `json_nesting`. Parquet is not read \
               by this version.",
    how_to_fix: "Write the table again with a CSV or JSON library, in UTF-8, and do not edit it by \
                 hand.",
    references: &["RFC 4180", "RFC 8259, sections 4 and 8.1", "GNU coreutils, sha2 utilities"],
    check: Check::Set(unreadable),
};

static COLUMN_MISSING: Rule = Rule {
    code: "LM003",
    name: "column-missing",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Table,
    cases: &[
        Case::new("", Severity::Error, Stage::Set, "a column or key that must be there is not"),
        Case::new(
            "key",
            Severity::Error,
            Stage::Set,
            "`manifest.json` has a key that there is not",
        ),
        Case::new(
            "unknown",
            Severity::Info,
            Stage::Set,
            "a manifest has a column of no known name",
        ),
    ],
    options: &[],
    summary: "A table lacks a column that it needs, or has one that nobody asked for.",
    why: "A misspelt column is not looked at: its checks do not run, and nobody is told.",
    measured: "A column for the file is always needed (`file`, `path`, `filename`, `image`, `image_id`, \
               in any case); the profile's `[manifest] require` asks for more, `columns` renames. In \
               `manifest.json`, `version`, `files` and each file's `path` are needed, and a key that is \
               not in its schema is an error.",
    how_to_fix: "Add or rename the column, or tell the profile how it is called: `[manifest] columns`.",
    references: &["`luna schema manifest`"],
    check: Check::Set(columns),
};

static CELL_INVALID: Rule = Rule {
    code: "LM004",
    name: "cell-invalid",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Table,
    cases: &[
        Case::new("", Severity::Error, Stage::Set, "a value of the wrong type or out of range"),
        Case::new("reference", Severity::Error, Stage::Set, "a path that leaves the set, or a URL"),
        Case::new("formula", Severity::Warning, Stage::Set, "a cell that a spreadsheet would run"),
    ],
    options: &[],
    summary: "A cell does not hold what its column says, refers to something outside the set, or \
              begins like a formula.",
    why: "A value that is no value is dropped or becomes zero in silence. A reference that leaves the \
          set may read or overwrite other files. A formula runs on the machine of whoever opens the \
          table.",
    measured: "Sizes, rows and columns are whole numbers, checksums hexadecimal digits of their length, \
               sex is M, F or O, laterality L, R, B or U, an age 0 to 150 years. Absolute paths, `..` \
               and URLs are never opened. A formula begins with =, +, -, @ or a tab; a plain negative \
               number is none.",
    how_to_fix: "Correct the cell; write a missing value as an empty cell.",
    references: &[
        "CWE-22: Path Traversal",
        "CWE-1236: Improper Neutralization of Formula Elements",
    ],
    check: Check::Set(cells),
};

fn unreadable(cx: &SetContext<'_>, out: &mut Sink<'_>) {
    say(cx, out, &[(About::Broken, ""), (About::Odd, "odd")]);
}

fn columns(cx: &SetContext<'_>, out: &mut Sink<'_>) {
    say(cx, out, &[(About::Missing, ""), (About::UnknownKey, "key"), (About::Unknown, "unknown")]);
}

fn cells(cx: &SetContext<'_>, out: &mut Sink<'_>) {
    say(
        cx,
        out,
        &[(About::Invalid, ""), (About::Reference, "reference"), (About::Formula, "formula")],
    );
}

/// Complaints of these kinds, each as its case.
fn say(cx: &SetContext<'_>, out: &mut Sink<'_>, kinds: &[(About, &str)]) {
    for matched in cx.tables {
        let table = matched.table();
        for (about, case) in kinds {
            let mut all = table.complaints().iter().filter(|it| it.about == *about).peekable();
            let more = table.complaints().more(*about);
            while let Some(complaint) = all.next() {
                let mut message = complaint.message.clone();
                if all.peek().is_none() && more > 0 {
                    let more = grouped(more as u64);
                    message = format!("{message} And {more} more of this kind in this table.");
                }
                let mut draft = Draft::new(message).about(table.name());
                if let Some(location) = &complaint.location {
                    draft = draft.at(location.clone());
                }
                if let Some(found) = &complaint.found {
                    draft = draft.found(found.clone());
                }
                if let Some(expected) = &complaint.expected {
                    draft = draft.expected(expected.clone());
                }
                out.fire(case, draft);
            }
        }
    }
}
