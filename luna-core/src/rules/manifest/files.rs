//! Are the files that the manifest lists there, all of them, and unchanged?

use std::collections::{BTreeMap, BTreeSet};

use super::{at, manifest};
use crate::finding::Severity;
use crate::names::folded;
use crate::record::{Kind, Record};
use crate::rules::{Case, Check, Draft, Rule, Scope, SetContext, Sink, Stage, Status};
use crate::table::{Column, Listed, Matched};
use crate::text::{counted, shown};

pub(super) static RULES: &[&Rule] =
    &[&ID_DUPLICATE, &FILE_MISSING, &FILE_UNLISTED, &CHECKSUM_MISMATCH];

static ID_DUPLICATE: Rule = Rule {
    code: "LM005",
    name: "id-duplicate",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Table,
    cases: &[Case::only(Severity::Error, Stage::Set)],
    options: &[],
    summary: "The manifest lists one file twice.",
    why: "The two rows may disagree, and the file counts twice in whatever is computed from the table.",
    measured: "Paths or image ids after `./` is dropped, Unicode NFC and lower-casing; also two \
               references that lead to one file.",
    how_to_fix: "Keep one row for each file.",
    references: &["NIH ChestX-ray14: several label file versions in circulation"],
    check: Check::Set(duplicates),
};

fn duplicates(cx: &SetContext<'_>, out: &mut Sink<'_>) {
    let Some(matched) = manifest(cx) else { return };
    let mut by_form: BTreeMap<String, &Listed> = BTreeMap::new();
    let mut by_file: BTreeMap<usize, &Listed> = BTreeMap::new();
    for (row, file) in matched.rows() {
        let Some(path) = row.get(Column::File) else { continue };
        let before = by_form.get(&folded(path)).or_else(|| by_file.get(&file?)).copied();
        if let Some(first) = before {
            let place = matched.table().place(first, Column::File);
            let message = format!("`{}` is listed before, in {place}.", shown(path));
            let draft = Draft::new(message).found(shown(path)).expected("each file once");
            out.fire("", at(matched, row, Column::File, draft));
            continue;
        }
        by_form.insert(folded(path), row);
        if let Some(file) = file {
            by_file.insert(file, row);
        }
    }
}

static FILE_MISSING: Rule = Rule {
    code: "LM006",
    name: "file-missing",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Table,
    cases: &[
        Case::new("", Severity::Error, Stage::Set, "the manifest lists it"),
        Case::new("announced", Severity::Error, Stage::Set, "an upload announced it"),
    ],
    options: &[],
    summary: "A file is not there that the manifest lists, or that was announced for upload.",
    why: "An upload or a download broke off, or the table belongs to another version of the set.",
    measured: "References are compared byte for byte with the names of the set. One without a folder \
               also means the only file of that name, or of that name without its ending. Silent if \
               the run was cut short. Hosts that take uploads say what was announced and never came.",
    how_to_fix: "Add the file, correct the path, or remove the row.",
    references: &["PadChest: 21 files missing, broken or truncated (torchxrayvision, datasets.py)"],
    check: Check::Set(missing),
};

fn missing(cx: &SetContext<'_>, out: &mut Sink<'_>) {
    for path in cx.absent {
        let message = format!("`{}` was announced, but did not arrive.", shown(path));
        let draft = Draft::new(message)
            .found("no such file")
            .help("Send it in a new version of the data set, or take it out of there.");
        out.fire("announced", draft.related([path.as_str()]));
    }
    let Some(matched) = manifest(cx).filter(|_| !cx.partial) else { return };
    // A hint costs a look at every name.
    let mut hints = 50;
    for (row, file) in matched.rows() {
        let Some(path) = row.get(Column::File).filter(|_| file.is_none()) else { continue };
        let near = if hints > 0 { matched.near(path) } else { None };
        hints = i32::max(hints - 1, 0);
        let hint = near.map_or(String::new(), |near| format!(" Is `{}` meant?", shown(near)));
        let message = format!("`{}` is listed, but not there.{hint}", shown(path));
        let mut draft = Draft::new(message).found("no such file");
        if let Some(near) = near {
            draft = draft.expected(shown(near));
        }
        out.fire("", at(matched, row, Column::File, draft));
    }
}

static FILE_UNLISTED: Rule = Rule {
    code: "LM007",
    name: "file-unlisted",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Table,
    cases: &[
        Case::new("", Severity::Warning, Stage::Set, "a picture, or what is no other kind"),
        Case::new("debris", Severity::Info, Stage::Set, "debris, a document or a table"),
    ],
    options: &[],
    summary: "A file is there that the manifest does not list.",
    why: "It has no label, split or checksum. It may have been left behind by mistake, or been added \
          after the manifest was written.",
    measured: "Every listed name but the tables that are read. Silent where the manifest gives no file \
               at all.",
    how_to_fix: "List the file, or remove it from the set.",
    references: &["ieee8023/covid-chestxray-dataset: files without a row"],
    check: Check::Set(unlisted),
};

fn unlisted(cx: &SetContext<'_>, out: &mut Sink<'_>) {
    let Some(matched) = manifest(cx) else { return };
    if !matched.rows().any(|(row, _)| row.get(Column::File).is_some()) {
        return;
    }
    let listed: BTreeSet<usize> = matched.rows().filter_map(|(_, file)| file).collect();
    let tables: Vec<&str> = cx
        .tables
        .iter()
        .filter(|it| !it.table().is_outside())
        .map(|it| it.table().name())
        .chain(cx.left.iter().map(String::as_str))
        .collect();
    for (number, entry) in cx.entries.iter().enumerate() {
        let path = entry.item.path.as_str();
        if listed.contains(&number) || tables.contains(&path) {
            continue;
        }
        let beside = matches!(entry.record.facts.kind, Kind::Debris | Kind::Document | Kind::Table);
        let name = shown(matched.table().name());
        let draft = Draft::new(format!("Is not listed in `{name}`.")).about(path);
        out.fire(if beside { "debris" } else { "" }, draft);
    }
}

static CHECKSUM_MISMATCH: Rule = Rule {
    code: "LM008",
    name: "checksum-mismatch",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Table,
    cases: &[Case::only(Severity::Error, Stage::Set)],
    options: &[],
    summary: "A file's SHA-256, MD5 or size is not the one that the manifest gives.",
    why: "Its bytes are not those that were published. Damage inside the coded data of a JPEG is seen \
          by nothing else: the picture decodes, and is wrong.",
    measured: "SHA-256, MD5 and size of the bytes as they were read. MD5 is computed only where the \
               manifest gives one; it finds accidents, no forgery.",
    how_to_fix: "Copy the file again from the original; if it was changed on purpose, write the \
                 manifest anew.",
    references: &["FIPS 180-4", "RFC 6151 (MD5 is no protection against forgery)"],
    check: Check::Set(checksums),
};

fn checksums(cx: &SetContext<'_>, out: &mut Sink<'_>) {
    let Some(matched) = manifest(cx) else { return };
    for (row, file) in matched.rows() {
        let Some(entry) = file.and_then(|file| cx.entries.get(file)) else { continue };
        compare(matched, row, entry.item.path.as_str(), &entry.record, out);
    }
}

fn compare(matched: &Matched<'_>, row: &Listed, path: &str, record: &Record, out: &mut Sink<'_>) {
    let facts = &record.facts;
    let size = facts.sha256.is_some().then(|| facts.size_bytes.to_string());
    for (column, what, found) in [
        (Column::Size, "size", size),
        (Column::Sha256, "SHA-256", facts.sha256.map(|sha256| sha256.to_string())),
        (Column::Md5, "MD5", record.md5.as_deref().map(str::to_owned)),
    ] {
        // What could not be read is another rule's.
        let (Some(given), Some(found)) = (row.get(column), found) else { continue };
        if given != found {
            let said = |text: &str| match text.parse() {
                Ok(bytes) if column == Column::Size => counted(bytes, "byte"),
                _ => shown(text),
            };
            let message = format!("The {what} of `{}` is not the one listed.", shown(path));
            let draft =
                Draft::new(message).found(said(&found)).expected(said(given)).related([path]);
            out.fire("", at(matched, row, column, draft));
        }
    }
}
