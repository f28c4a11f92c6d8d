//! LD003: the transfer syntax, and whether the bytes are encoded as it says.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use dicom_dictionary_std::tags;

use super::structure::encoding_name;
use crate::dicom::codestream::Signature;
use crate::dicom::{DicomFile, STANDARD_ROOT, TransferSyntax, describe};
use crate::finding::{Location, Severity};
use crate::probe::Format;
use crate::rules::{Case, Check, Draft, FileContext, Rule, Scope, Sink, Stage, Status};
use crate::text::shown;

pub(super) static RULES: &[&Rule] = &[&TRANSFER_SYNTAX_BAD];

static TRANSFER_SYNTAX_BAD: Rule = Rule {
    code: "LD003",
    name: "transfer-syntax-bad",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Format(Format::Dicom),
    cases: &[
        Case::new("", Severity::Error, Stage::File, "the UID is missing, malformed or unknown"),
        Case::new(
            "misdeclared",
            Severity::Error,
            Stage::File,
            "the bytes are encoded otherwise than declared",
        ),
        Case::new("retired", Severity::Warning, Stage::File, "the standard retired it"),
        Case::new("not-accepted", Severity::Error, Stage::File, "the profile does not accept it"),
    ],
    options: &[],
    summary: "The transfer syntax UID is missing or malformed, is retired, or the file is not encoded as \
              it says.",
    why: "The transfer syntax is the only word on how to read the rest of the file. Readers that believe \
          a wrong one show noise or stop; readers that guess hide the defect until another one is used.",
    measured: "(0002,0010) is a UID (at most 64 characters, digits and dots, no leading zeros) and, under \
               the root 1.2.840.10008, one of the standard's transfer syntaxes. The first twelve elements \
               are read in every encoding; another one is named only if it reads without fault where \
               the declared one does not. Encapsulated and native pixel data, and the first \
               codestream's own marker (JPEG process, JPEG-LS, JPEG 2000), are compared with what the \
               syntax asks for. A well-formed private syntax is LF010's.",
    how_to_fix: "Transcode the file with a DICOM toolkit, or, if only the word is wrong, write the right \
                 TransferSyntaxUID (0002,0010).",
    references: &[
        "DICOM PS3.5 10 (transfer syntax)",
        "DICOM PS3.6 annex A (registry of UIDs)",
        "DICOM PS3.5 9.1 (UID encoding rules)",
    ],
    check: Check::File(transfer_syntax_bad),
};

fn transfer_syntax_bad(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    let Some(file) = cx.dicom() else { return };
    let place = file.location_of(tags::TRANSFER_SYNTAX_UID);
    let Some(uid) = file.transfer_syntax.as_deref() else {
        // A file without any file meta is LD001's.
        if file.meta.is_some() {
            let read = encoding_name(file.encoding);
            let message = format!("TransferSyntaxUID is missing or empty; read as {read}.");
            out.fire("", Draft::new(message).at(place).expected("a transfer syntax UID"));
        }
        return;
    };
    let accepted = &cx.settings.profile().accept.transfer_syntaxes;
    if !accepted.is_empty() && !accepted.iter().any(|own| own == uid) {
        let message = format!("The profile does not accept transfer syntax {}.", describe(uid));
        let expected = accepted.join(", ");
        let draft = Draft::new(message).at(place.clone()).found(shown(uid)).expected(expected);
        out.fire("not-accepted", draft);
    }
    match file.syntax() {
        Some(syntax) => check_known(file, syntax, &place, out),
        None => check_unknown(uid, place, out),
    }
}

fn check_unknown(uid: &str, place: Location, out: &mut Sink<'_>) {
    let is_standard = uid.starts_with(STANDARD_ROOT);
    let what = match (is_uid(uid), is_standard) {
        (false, _) => "no well-formed UID",
        (true, true) => "no transfer syntax of the standard",
        (true, false) => return,
    };
    let found = shown(uid);
    let message = format!("TransferSyntaxUID is `{found}`, {what}.");
    out.fire("", Draft::new(message).at(place).found(found).expected("a transfer syntax UID"));
}

fn check_known(
    file: &DicomFile<'_>,
    syntax: &TransferSyntax,
    place: &Location,
    out: &mut Sink<'_>,
) {
    if syntax.retired {
        let message = format!("Transfer syntax {} is retired.", describe(syntax.uid));
        let help = "Transcode the file: explicit VR little endian instead of big endian, a current \
                    JPEG process instead of a retired one.";
        let draft = Draft::new(message).at(place.clone()).found(syntax.uid).help(help);
        out.fire("retired", draft);
    }
    let Some(found) = otherwise(file, syntax) else { return };
    let message = format!("Declared as {}, but is {found}.", describe(syntax.uid));
    let draft = Draft::new(message).at(place.clone()).found(found).expected(syntax.name);
    out.fire("misdeclared", draft);
}

/// What the file is instead of what its transfer syntax says.
fn otherwise(file: &DicomFile<'_>, syntax: &TransferSyntax) -> Option<String> {
    if file.misdeclared {
        return Some(if syntax.is_deflated() && !file.inflated {
            format!("{}, not deflated", encoding_name(file.encoding))
        } else {
            encoding_name(file.encoding).to_owned()
        });
    }
    file.element(tags::PIXEL_DATA)?;
    let Some(items) = &file.encapsulated else {
        return syntax.is_encapsulated().then(|| "native pixel data, not encapsulated".to_owned());
    };
    let first = items.fragments().first().and_then(|at| file.data.get(at.clone()));
    let seen = first.and_then(Signature::of);
    match seen {
        Some(seen) if !seen.fits(syntax.codec) => Some(format!("{} inside", seen.name())),
        None if !syntax.is_encapsulated() => Some("encapsulated pixel data".to_owned()),
        _ => None,
    }
}

/// The form of a UID (PS3.5 9.1).
fn is_uid(text: &str) -> bool {
    let is_component = |part: &str| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits && (part == "0" || !part.starts_with('0'))
    };
    text.len() <= 64 && text.split('.').all(is_component)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dicom::testing::{GREY, deflated, encapsulated, long, part10, short};
    use crate::rules::testing::{findings_in, settings};
    use crate::settings::Settings;

    fn messages(bytes: &[u8]) -> Vec<String> {
        let found = findings_in(&TRANSFER_SYNTAX_BAD, bytes, &Settings::default());
        found.into_iter().map(|finding| finding.message).collect()
    }

    fn data_set() -> Vec<u8> {
        let name = short(tags::PATIENT_NAME, "PN", b"A^B ");
        [name, short(tags::PATIENT_ID, "LO", b"1 ")].concat()
    }

    #[test]
    fn sound_and_private_syntaxes_are_silent() {
        for uid in ["1.2.840.10008.1.2.1", "1.2.840.113619.5.2"] {
            assert_eq!(messages(&part10(uid, &data_set())), Vec::<String>::new(), "{uid}");
        }
        assert!(messages(&deflated(&data_set())).is_empty());
        assert!(messages(&data_set()).is_empty(), "LD001 says it");
    }

    #[test]
    fn malformed_unknown_and_retired_uids_are_told_apart() {
        for (uid, said) in [
            ("1.2.840.10008.1.2.999", "no transfer syntax of the standard."),
            ("1.2.840.10008.5.1.4.1.1.7", "no transfer syntax of the standard."),
            ("1.2..3", "no well-formed UID."),
            ("JPEG", "no well-formed UID."),
            ("", "missing or empty; read as explicit VR little endian."),
        ] {
            let found = messages(&part10(uid, &data_set()));
            assert!(found.len() == 1 && found[0].ends_with(said), "{uid}: {found:?}");
        }
        let retired = part10("1.2.840.10008.1.2.4.55", &data_set());
        assert!(messages(&retired)[0].ends_with("is retired. (LD003/retired)"));
    }

    #[test]
    fn bytes_that_are_encoded_otherwise_are_said_to_be() {
        let jpeg = b"\xFF\xD8\xFF\xC3\x00\x0B\x08\x00\x02\x00\x03\x01\x01\x11\x00\xFF\xD9\x00";
        let wrapped = encapsulated(&[], &[jpeg]);
        let native = long(tags::PIXEL_DATA, "OW", 6, &[0; 6]);
        for (bytes, said) in [
            (part10("1.2.840.10008.1.2", &data_set()), "is explicit VR little endian."),
            (part10("1.2.840.10008.1.2.1.99", &data_set()), "not deflated."),
            (GREY.file("1.2.840.10008.1.2.4.50", &wrapped), "is JPEG lossless (SOF3) inside."),
            (
                GREY.file("1.2.840.10008.1.2.4.50", &native),
                "is native pixel data, not encapsulated.",
            ),
            (GREY.file("1.2.840.10008.1.2.1", &wrapped), "is JPEG lossless (SOF3) inside."),
        ] {
            let found = messages(&bytes);
            let end = format!("{said} (LD003/misdeclared)");
            assert!(found.len() == 1 && found[0].ends_with(&end), "{said}: {found:?}");
        }
        assert!(messages(&GREY.file("1.2.840.10008.1.2.4.57", &wrapped)).is_empty());
    }

    #[test]
    fn a_syntax_outside_of_the_profiles_list_is_refused() {
        let settings = settings("[accept]\ntransfer_syntaxes = [\"1.2.840.10008.1.2\"]");
        let bytes = part10("1.2.840.10008.1.2.1", &data_set());
        let found = findings_in(&TRANSFER_SYNTAX_BAD, &bytes, &settings);
        assert!(found[0].message.ends_with("(LD003/not-accepted)"), "{found:?}");
    }
}
