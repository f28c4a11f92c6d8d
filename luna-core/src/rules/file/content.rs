//! Is there anything in the file that acts, rather than shows?

use crate::finding::{Location, Severity};
use crate::names::active_because;
use crate::probe::Format;
use crate::record::DicomFacts;
use crate::rules::{
    Case, Check, Draft, FileContext, NameContext, Rule, Scope, Sink, Stage, Status,
};

pub(super) static RULES: &[&Rule] = &[&PREAMBLE_CONTENT, &ACTIVE_CONTENT];

/// Length of the DICOM preamble, in bytes.
const PREAMBLE: usize = 128;

static PREAMBLE_CONTENT: Rule = Rule {
    code: "LF013",
    name: "preamble-content",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Format(Format::Dicom),
    cases: &[
        Case::new("", Severity::Warning, Stage::File, "bytes that are no TIFF header"),
        Case::new("program", Severity::Error, Stage::File, "the beginning of a program or script"),
    ],
    options: &[],
    summary: "The 128 bytes before a DICOM object are neither empty nor a TIFF header.",
    why: "The preamble is free for use, and a file can be a picture and a program at once. Such files \
          have passed from archive to archive as images.",
    measured: "The first 128 bytes against zero, the TIFF signatures, and those of Windows programs \
               (MZ), Linux programs (ELF), macOS programs and scripts (#!).",
    how_to_fix: "Overwrite the first 128 bytes with zeros; the image does not need them.",
    references: &["DICOM PS3.10, 7.1 DICOM File Meta Information", "CVE-2019-11687"],
    check: Check::File(preamble),
};

fn preamble(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    let Some((head, rest)) = cx.bytes.split_at_checked(PREAMBLE) else { return };
    if !rest.starts_with(b"DICM") || head.iter().all(|byte| *byte == 0) {
        return;
    }
    let program: [(&[u8], &str); 5] = [
        (b"MZ", "a Windows program"),
        (b"\x7fELF", "a Linux program"),
        (b"\xcf\xfa\xed\xfe", "a macOS program"),
        (b"\xca\xfe\xba\xbe", "a macOS or Java program"),
        (b"#!", "a script"),
    ];
    let tiff = head.starts_with(b"II*\0") || head.starts_with(b"MM\0*");
    let tiff = tiff || head.starts_with(b"II+\0") || head.starts_with(b"MM\0+");
    let at = Location::Byte { offset: 0 };
    if let Some((_, what)) = program.iter().find(|(magic, _)| head.starts_with(magic)) {
        let message = format!("The 128 bytes before the DICOM object begin like {what}.");
        out.fire("program", Draft::new(message).at(at).found(*what).expected("128 zeros"));
    } else if !tiff {
        let message = "The 128 bytes before the DICOM object are not empty, nor a TIFF header.";
        out.fire("", Draft::new(message).at(at).expected("128 zeros"));
    }
}

static ACTIVE_CONTENT: Rule = Rule {
    code: "LF014",
    name: "active-content",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Any,
    cases: &[
        Case::new("name", Severity::Warning, Stage::Name, "in a file name"),
        Case::new("header", Severity::Warning, Stage::File, "in a header text that reports show"),
    ],
    options: &[],
    summary: "A name or header text holds markup, script or terminal escapes.",
    why: "LUNA escapes what it shows; the next program may not.",
    measured: "HTML tags, `javascript:`, event handlers and escape sequences in names and in the \
               header texts that stand in reports.",
    how_to_fix: "Replace the text by what it should say, and ask where it came from.",
    references: &["CWE-79: Cross-site Scripting", "CWE-150: Escape Sequences"],
    check: Check::All(&[Check::Name(active_name), Check::File(active_header)]),
};

fn active_name(cx: &NameContext<'_>, out: &mut Sink<'_>) {
    if let Some(what) = active_because(cx.item.path.as_str()) {
        out.fire("name", Draft::new(format!("The name holds {what}.")).found(what));
    }
}

fn active_header(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    let Some(dicom) = &cx.facts.dicom else { return };
    for (keyword, path, value) in shown_texts(dicom) {
        if let Some(what) = value.and_then(active_because) {
            let location =
                Location::Attribute { path: path.to_owned(), keyword: Some(keyword.to_owned()) };
            let message = format!("{keyword} {path} holds {what}.");
            out.fire("header", Draft::new(message).at(location).found(what));
        }
    }
}

/// Header texts that reports repeat.
fn shown_texts(dicom: &DicomFacts) -> [(&'static str, &'static str, Option<&str>); 9] {
    [
        ("Modality", "(0008,0060)", dicom.modality.as_deref()),
        ("Manufacturer", "(0008,0070)", dicom.manufacturer.as_deref()),
        ("ManufacturerModelName", "(0008,1090)", dicom.model.as_deref()),
        ("ImageType", "(0008,0008)", dicom.image_type.as_deref()),
        ("BodyPartExamined", "(0018,0015)", dicom.body_part.as_deref()),
        ("ViewPosition", "(0018,5101)", dicom.view_position.as_deref()),
        ("ImageLaterality", "(0020,0062)", dicom.laterality.as_deref()),
        ("PatientOrientation", "(0020,0020)", dicom.patient_orientation.as_deref()),
        ("PatientSex", "(0010,0040)", dicom.sex.as_deref()),
    ]
}
