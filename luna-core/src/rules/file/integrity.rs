//! Is the file whole, and is every byte of it what was written?

use super::archive;
use crate::finding::{Location, Severity};
use crate::probe::{Flaw, Rows};
use crate::rules::{Case, Check, Draft, FileContext, Rule, Scope, Sink, Stage, Status};
use crate::text::{counted, grouped};

pub(super) static RULES: &[&Rule] =
    &[&TRUNCATED_FILE, &CHECKSUM_BAD, &TRAILING_DATA, &DECODE_FAILED];

static TRUNCATED_FILE: Rule = Rule {
    code: "LF004",
    name: "truncated-file",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Any,
    cases: &[
        Case::new("", Severity::Error, Stage::File, "picture data or structure is missing"),
        Case::new(
            "eoi",
            Severity::Warning,
            Stage::File,
            "a JPEG lacks its end marker, but every block of it is there",
        ),
        Case::new(
            "member",
            Severity::Error,
            Stage::Name,
            "the data of an archive's member stop short",
        ),
        Case::new("source", Severity::Error, Stage::Set, "the archive itself stops short"),
    ],
    options: &[],
    summary: "The file stops before its end: coded data, a strip, an element or a fragment would go \
              on past the last byte, or the end marker is missing.",
    why: "Usual decoders fill the missing part with grey or black and say nothing. A model then \
          learns from half a lung.",
    measured: "Each format is walked by its own lengths: PNG chunks up to IEND, JPEG blocks up to the \
               last of the frame, TIFF strips and tiles, DICOM elements and fragments. The offset is \
               that of the first missing byte.",
    how_to_fix: "Copy or export it again; the original is probably whole.",
    references: &[
        "PNG (Third Edition), 5.6 Chunk ordering",
        "ITU-T T.81, B.1.1.3 Marker assignments (EOI)",
        "DICOM PS3.5, 7.1 Data Elements",
    ],
    check: Check::All(&[
        Check::File(truncated),
        Check::Name(archive::member),
        Check::Set(archive::source),
    ]),
};

fn truncated(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    for flaw in cx.flaws {
        match flaw {
            Flaw::Truncated { what, offset, expected, found, rows } => {
                let missing = expected.map(|expected| expected.saturating_sub(*found));
                let least = missing.map(|bytes| bytes.saturating_add(cx.bytes.len() as u64));
                let place = match rows {
                    Some(rows) => stops_in(*rows),
                    None => format!("Stops inside {what}"),
                };
                let size = least.map_or(String::new(), |n| format!(" of at least {}", grouped(n)));
                let message = format!("{place} (byte {}{size}).", grouped(*offset));
                let mut draft = Draft::new(message)
                    .at(Location::Byte { offset: *offset })
                    .found(format!("{} of {what}", counted(*found, "byte")));
                if let Some(expected) = expected {
                    draft = draft.expected(counted(*expected, "byte"));
                }
                out.fire("", draft);
            }
            Flaw::NoEndMarker { what, offset } => {
                let message = format!(
                    "All rows are there, but the end marker {what} is missing at byte {}.",
                    grouped(*offset)
                );
                let draft = Draft::new(message)
                    .at(Location::Byte { offset: *offset })
                    .expected(format!("the end marker {what}"))
                    .help("Save the picture again, or add the marker (bytes FF D9) at its end.");
                out.fire("eoi", draft);
            }
            _ => {}
        }
    }
}

fn stops_in(rows: Rows) -> String {
    let row = u64::from(rows.stopped.saturating_add(1).min(rows.of));
    format!("Stops in row {} of {}", grouped(row), grouped(rows.of.into()))
}

static CHECKSUM_BAD: Rule = Rule {
    code: "LF005",
    name: "checksum-bad",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Any,
    cases: &[
        Case::new("", Severity::Error, Stage::File, "what it covers is needed for the picture"),
        Case::new("ancillary", Severity::Warning, Stage::File, "an ancillary chunk"),
        Case::new("member", Severity::Error, Stage::Name, "the archive's checksum of a member"),
        Case::new("source", Severity::Error, Stage::Set, "the checksum of the archive itself"),
    ],
    options: &[],
    summary: "A checksum inside the file does not fit the bytes that it covers.",
    why: "Some bytes are not those that were written: a disk, a cable or an editor changed them. The \
          picture may still look right.",
    measured: "CRC-32 of every PNG chunk, Adler-32 of its compressed data. Lenient decoders skip \
               both. In archives: CRC-32 of zip members and gzip streams, checksums of tar headers \
               and Zstandard frames.",
    how_to_fix: "Copy the file again from the original and compare checksums.",
    references: &["PNG (Third Edition), 5.5 CRC algorithm", "RFC 1950, 2.2 (Adler-32)"],
    check: Check::All(&[
        Check::File(checksum),
        Check::Name(archive::member),
        Check::Set(archive::source),
    ]),
};

fn checksum(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    for flaw in cx.flaws {
        if let Flaw::Checksum { what, offset, stored, computed, ancillary } = flaw {
            let message = format!("The checksum of {what} at byte {} is wrong.", grouped(*offset));
            let mut draft = Draft::new(message)
                .at(Location::Byte { offset: *offset })
                .found(format!("{stored:08x}"));
            if let Some(computed) = computed {
                draft = draft.expected(format!("{computed:08x}"));
            }
            out.fire(if *ancillary { "ancillary" } else { "" }, draft);
        }
    }
}

static TRAILING_DATA: Rule = Rule {
    code: "LF006",
    name: "trailing-data",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Any,
    cases: &[
        Case::new("", Severity::Warning, Stage::File, "behind the end of the picture"),
        Case::new(
            "source",
            Severity::Warning,
            Stage::Set,
            "bytes of an archive that belong to no member",
        ),
    ],
    options: &[],
    summary: "Bytes that belong to nothing follow the end of the picture.",
    why: "Something was appended: a second file, a thumbnail of a phone, notes, or a hiding place. \
          Nobody who looks at the picture sees it.",
    measured: "Bytes after IEND, EOI or the last element, unless all of them are zero (padding); \
               bytes before, between and behind the members of an archive.",
    how_to_fix: "Save the picture again with an image tool; it drops what does not belong to it.",
    references: &["PNG (Third Edition), 13.2", "DICOM PS3.10, 7.2 (DataSetTrailingPadding)"],
    check: Check::All(&[Check::File(trailing), Check::Set(archive::source)]),
};

fn trailing(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    for flaw in cx.flaws {
        if let Flaw::Trailing { offset, bytes } = flaw {
            let message = format!(
                "{} after the end of the picture (byte {}).",
                match bytes {
                    1 => "1 byte follows".to_owned(),
                    many => format!("{} bytes follow", grouped(*many)),
                },
                grouped(*offset)
            );
            let draft = Draft::new(message)
                .at(Location::Byte { offset: *offset })
                .found(counted(*bytes, "byte"))
                .expected("nothing");
            out.fire("", draft);
        }
    }
}

static DECODE_FAILED: Rule = Rule {
    code: "LF007",
    name: "decode-failed",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Any,
    cases: &[
        Case::new("", Severity::Error, Stage::File, "the bytes break the rules of their format"),
        Case::new("panic", Severity::Error, Stage::File, "the decoder stopped with a panic"),
        Case::new("timeout", Severity::Error, Stage::File, "the wall-clock guard tripped"),
        Case::new("killed", Severity::Error, Stage::File, "workers of a service died of it"),
        Case::new("member", Severity::Error, Stage::Name, "the packed data of an archive's member"),
        Case::new("source", Severity::Error, Stage::Set, "the archive itself"),
    ],
    options: &[],
    summary: "The picture cannot be decoded as its format demands, although the bytes are there.",
    why: "Another program may draw something from it, but not the same thing everywhere.",
    measured: "Strict decoders: an invalid code, length or combination is an error, never guessed at. \
               The guard against hanging is `limits.seconds`; when it trips the report is partial.",
    how_to_fix: "Export the picture again from its source. If several viewers show it without \
                 complaint, please tell the makers of LUNA.",
    references: &["ITU-T T.81", "PNG (Third Edition)", "TIFF Revision 6.0", "DICOM PS3.5"],
    check: Check::All(&[
        Check::File(decode_failed),
        Check::Name(archive::member),
        Check::Set(archive::source),
    ]),
};

fn decode_failed(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    for flaw in cx.flaws {
        match flaw {
            Flaw::Decode { reason, offset, rows } => {
                let mut message = format!("Cannot be decoded: {reason}.");
                if let Some(rows) = rows {
                    message = format!("{}: {reason}.", stops_in(*rows));
                }
                let draft = Draft::new(message).found(reason.clone());
                out.fire(
                    "",
                    match offset {
                        Some(offset) => draft.at(Location::Byte { offset: *offset }),
                        None => draft,
                    },
                );
            }
            Flaw::Panic => out.fire(
                "panic",
                Draft::new("The decoder gave up in a way that it never should.")
                    .help("Set the file aside, and please tell the makers of LUNA."),
            ),
            Flaw::Timeout { seconds } => out.fire(
                "timeout",
                Draft::new(format!(
                    "Took more than {}; it was set aside and the report is partial.",
                    counted((*seconds).into(), "second")
                ))
                .help("Validate it alone; if it is honest, raise `seconds` under `[limits]`."),
            ),
            Flaw::Killed { workers } => out.fire(
                "killed",
                Draft::new(format!(
                    "{} died while examining this file; it was set aside.",
                    counted(*workers, "worker")
                ))
                .help("Leave it out, or export it again; and please tell the makers of LUNA."),
            ),
            _ => {}
        }
    }
}
