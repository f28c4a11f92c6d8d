//! Can the file be read, and does it fit the budgets?

use super::archive;
use crate::finding::Severity;
use crate::probe::Flaw;
use crate::record::Kind;
use crate::rules::{
    Case, Check, Draft, FileContext, NameContext, Rule, Scope, SetContext, Sink, Stage, Status,
};
use crate::source::ItemKind;
use crate::text::{bytes, counted, grouped};

pub(super) static RULES: &[&Rule] = &[&UNREADABLE_FILE, &DECOMPRESSION_BOMB, &FILE_TOO_LARGE];

static UNREADABLE_FILE: Rule = Rule {
    code: "LF001",
    name: "unreadable-file",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Any,
    cases: &[
        Case::new("", Severity::Error, Stage::Name, "the file cannot be read, or holds no bytes"),
        Case::new("nothing", Severity::Error, Stage::Set, "there is nothing to validate at all"),
    ],
    options: &[],
    summary: "A file or folder cannot be opened, a file holds no bytes, or there is no file at all.",
    why: "What cannot be read cannot be validated, trained on or scored. Empty files are usually what \
          is left of a copy or an upload that broke off.",
    measured: "The system refuses to open or read the file, or its size is 0. Files above the size \
               limit are LF009.",
    how_to_fix: "Copy the file again, or mend its permissions; if the original is empty too, remove \
                 it and its row in the tables.",
    references: &["POSIX.1-2017, open() and read()"],
    check: Check::All(&[Check::Name(unreadable), Check::Set(nothing)]),
};

fn unreadable(cx: &NameContext<'_>, out: &mut Sink<'_>) {
    let facts = &cx.record.facts;
    let too_large = facts.size_bytes > cx.settings.limits().file_bytes;
    // What keeps an archive's member, or a file that workers died of, from being read is said by others.
    let is_said = !cx.item.defects.is_empty()
        || cx.record.findings.iter().any(|finding| finding.rule == "LF007");
    match cx.item.kind {
        ItemKind::UnreadableFolder => out.fire("", Draft::new("This folder cannot be listed.")),
        ItemKind::File if facts.sha256.is_none() && !too_large && !is_said => {
            out.fire("", Draft::new("Cannot be read."));
        }
        ItemKind::File if facts.size_bytes == 0 => {
            out.fire("", Draft::new("Holds no bytes.").found("0 bytes"));
        }
        _ => {}
    }
}

fn nothing(cx: &SetContext<'_>, out: &mut Sink<'_>) {
    let beside = |kind| matches!(kind, Kind::Table | Kind::Document | Kind::Debris);
    if cx.entries.iter().all(|entry| beside(entry.record.facts.kind)) {
        let help = "Check the path: it should lead to the folder that holds the images.";
        out.fire("nothing", Draft::new("There is nothing to validate here.").help(help));
    }
}

static DECOMPRESSION_BOMB: Rule = Rule {
    code: "LF008",
    name: "decompression-bomb",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Any,
    cases: &[
        Case::new("", Severity::Error, Stage::File, "a picture asks for too much"),
        Case::new(
            "source",
            Severity::Error,
            Stage::Set,
            "an archive holds too many members, or unpacks to too much",
        ),
    ],
    options: &[],
    summary: "Decoding the file would take more than its budget: too many pixels, bytes, frames, \
              scans or elements. Nothing was decoded.",
    why: "A few kilobytes can claim gigabytes. A training job that trusts the header dies of it, and \
          so does a viewer.",
    measured: "The header's claim is compared with the budgets under `[limits]` before anything is \
               allocated. The ratio of decoded to stored bytes counts only above 256 MiB decoded: a \
               blank 16-bit PNG honestly reaches 1,026, a blank JPEG 2000 27,881. An archive is listed up to \
               `archive_entries`, and up to `archive_ratio` once 100 MiB are unpacked.",
    how_to_fix: "If the picture is honest, raise the named limit in the profile; else remove the file.",
    references: &["CWE-409: Improper Handling of Highly Compressed Data"],
    check: Check::All(&[Check::File(bomb), Check::Set(archive::source)]),
};

fn bomb(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    for flaw in cx.flaws {
        if let Flaw::OverBudget { limit, allowed, seen } = flaw
            && *limit != "file_bytes"
        {
            let (seen, allowed) = match *limit {
                "decoded_bytes" | "text_bytes" => (bytes(*seen), bytes(*allowed)),
                _ => (grouped(*seen), grouped(*allowed)),
            };
            let message = format!("Asks for {seen} where `{limit}` allows {allowed}; not decoded.");
            out.fire("", Draft::new(message).found(seen).expected(format!("at most {allowed}")));
        }
    }
}

static FILE_TOO_LARGE: Rule = Rule {
    code: "LF009",
    name: "file-too-large",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Any,
    cases: &[Case::only(Severity::Error, Stage::File)],
    options: &[],
    summary: "The file is larger than `limits.file_bytes`; it was not read.",
    why: "One file must not take the memory of all others. No radiograph comes near the default.",
    measured: "Size in bytes against `limits.file_bytes`, 1 GiB by default.",
    how_to_fix: "Check that it is a single image; if it is, raise `file_bytes` under `[limits]`.",
    references: &["CWE-400: Uncontrolled Resource Consumption"],
    check: Check::File(too_large),
};

fn too_large(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    for flaw in cx.flaws {
        if let Flaw::OverBudget { limit: "file_bytes", allowed, seen } = flaw {
            let message = format!(
                "Has {}, more than the {} that `limits.file_bytes` allows; it was not read.",
                counted(*seen, "byte"),
                grouped(*allowed)
            );
            let expected = format!("at most {}", counted(*allowed, "byte"));
            out.fire("", Draft::new(message).found(counted(*seen, "byte")).expected(expected));
        }
    }
}
