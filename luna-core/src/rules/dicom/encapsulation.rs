//! LD018: encapsulated pixel data: offset tables, fragments, items, delimiters.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use dicom_dictionary_std::tags;

use super::structure::{is_in_pixel_data, place};
use crate::dicom::{AnomalyKind, Codec, DicomFile, EncapsulationProblem};
use crate::finding::{Location, Severity};
use crate::probe::{Flaw, Format};
use crate::rules::{Case, Check, Draft, FileContext, Rule, Scope, Sink, Stage, Status};
use crate::text::{counted, grouped};

pub(super) static RULES: &[&Rule] = &[&ENCAPSULATION];

static ENCAPSULATION: Rule = Rule {
    code: "LD018",
    name: "encapsulation",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::Format(Format::Dicom),
    cases: &[
        Case::new("offset-table", Severity::Error, Stage::File, "an offset table does not fit"),
        Case::new("fragments", Severity::Error, Stage::File, "fragments do not make the frames"),
        Case::new("empty-item", Severity::Error, Stage::File, "a fragment without bytes"),
        Case::new("delimiter", Severity::Error, Stage::File, "items and delimiters are wrong"),
    ],
    options: &[],
    summary: "Encapsulated pixel data are not made as they should be: offset tables, fragments, items, \
              delimiters.",
    why: "Readers find frames by the offset table or by counting fragments. Where the two disagree they \
          show another frame than was meant, half a frame, or nothing.",
    measured: "The first item is the basic offset table, empty or with one offset a frame; each offset \
               of it, or of the extended table, is where a fragment begins, the first is 0, and they \
               rise; only one of the two tables has entries. There are at least as many fragments as \
               frames, for RLE exactly as many; fragments are not empty, of even and defined length; \
               a sequence delimiter ends them. Fragments beyond the end of the file are LF004's.",
    how_to_fix: "Let a DICOM toolkit encapsulate the frames anew, one fragment a frame, with an empty or \
                 right offset table.",
    references: &[
        "DICOM PS3.5 A.4 (encapsulation of encoded pixel data), A.4.2 (RLE)",
        "DICOM PS3.3 C.7.6.3.1.8 (extended offset table)",
        "pydicom issue 1799 (frames and fragments)",
    ],
    check: Check::File(encapsulation),
};

fn encapsulation(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    let Some(file) = cx.dicom() else { return };
    for anomaly in file.anomalies.iter().filter(|own| is_in_pixel_data(file, own)) {
        let offset = grouped(anomaly.offset as u64);
        let tag = anomaly.tag;
        let message = match anomaly.kind {
            AnomalyKind::NoDelimiter => {
                "The pixel data end without a sequence delimiter".to_owned()
            }
            AnomalyKind::DelimiterLength { length } => {
                format!("The delimiter of the pixel data has a length of {length} instead of 0")
            }
            AnomalyKind::NotAnItem => format!("{tag} stands among the fragments"),
            AnomalyKind::UndefinedFragment => "A fragment has undefined length".to_owned(),
            _ => continue,
        };
        let message = format!("{message} (byte {offset}).");
        out.fire("delimiter", Draft::new(message).at(place(file, anomaly)));
    }
    let is_cut = cx.flaws.iter().any(|flaw| matches!(flaw, Flaw::Truncated { .. }));
    // Without the end of the file nothing can be said of its fragments.
    if is_cut {
        return;
    }
    let frames = file.pixel_description().map_or(1, |pixels| pixels.frames);
    let is_rle = file.codec() == Some(Codec::Rle);
    for problem in file.encapsulation_problems(frames, is_rle) {
        let (case, draft) = described(problem);
        out.fire(case, draft.at(spot(file, problem)));
    }
}

/// The fragment's item where it is one fragment, else the pixel data.
fn spot(file: &DicomFile<'_>, problem: EncapsulationProblem) -> Location {
    match problem {
        EncapsulationProblem::EmptyFragment { offset, .. }
        | EncapsulationProblem::OddFragment { offset, .. } => {
            Location::Byte { offset: offset as u64 }
        }
        _ => file.location_of(tags::PIXEL_DATA),
    }
}

fn described(problem: EncapsulationProblem) -> (&'static str, Draft) {
    table_draft(problem)
        .map(|draft| ("offset-table", draft))
        .or_else(|| fragment_draft(problem))
        .unwrap_or_else(|| {
            let message = "The pixel data have no items, not even an offset table.";
            ("fragments", Draft::new(message))
        })
}

/// What is wrong with an offset table.
fn table_draft(problem: EncapsulationProblem) -> Option<Draft> {
    let name = |extended| if extended { "extended" } else { "basic" };
    Some(match problem {
        EncapsulationProblem::TableLength { bytes } => {
            let found = counted(bytes as u64, "byte");
            let message = format!("The basic offset table has {found}, no multiple of 4.");
            Draft::new(message).found(found).expected("4 bytes a frame, or none")
        }
        EncapsulationProblem::TableEntries { extended, entries, frames } => {
            let (found, frames) = both(entries, "offset", frames);
            let message = format!("The {} offset table has {found} for {frames}.", name(extended));
            Draft::new(message).found(found).expected("one offset a frame")
        }
        EncapsulationProblem::TableOffset { extended, entry, offset } => {
            let (table, offset) = (name(extended), grouped(offset));
            let message = format!(
                "Offset {offset} of frame {entry} in the {table} offset table is not where its first \
                 fragment begins."
            );
            Draft::new(message).found(offset)
        }
        EncapsulationProblem::TableFrameLength { entry, said, is } => {
            let (said, is) = (counted(said, "byte"), counted(is, "byte"));
            let message = format!(
                "The extended offset table gives frame {entry} {said}, its fragment has {is}."
            );
            Draft::new(message).found(said).expected(is)
        }
        EncapsulationProblem::BothTables => {
            let message = "Both the basic and the extended offset table have entries.";
            Draft::new(message).expected("an empty basic offset table")
        }
        _ => return None,
    })
}

/// What is wrong with fragments.
fn fragment_draft(problem: EncapsulationProblem) -> Option<(&'static str, Draft)> {
    Some(match problem {
        EncapsulationProblem::EmptyFragment { fragment, .. } => {
            ("empty-item", Draft::new(format!("Fragment {fragment} of the pixel data is empty.")))
        }
        EncapsulationProblem::OddFragment { fragment, bytes, .. } => {
            let found = counted(bytes as u64, "byte");
            let message = format!("Fragment {fragment} of the pixel data has {found}.");
            ("fragments", Draft::new(message).found(found).expected("an even number of bytes"))
        }
        EncapsulationProblem::FewFragments { fragments, frames } => {
            let (found, frames) = both(fragments, "fragment", frames);
            let message = format!("The pixel data have {found} for {frames}.");
            ("fragments", Draft::new(message).found(found).expected("at least one a frame"))
        }
        EncapsulationProblem::NoGrouping { fragments, frames } => {
            let (found, frames) = both(fragments, "fragment", frames);
            let message = format!(
                "The pixel data have {found} for {frames}, and neither an offset table nor a \
                 codestream's start tells which belong together."
            );
            ("fragments", Draft::new(message).found(found).expected("an offset table"))
        }
        EncapsulationProblem::RleFragments { fragments, frames } => {
            let (found, frames) = both(fragments, "fragment", frames);
            let message = format!("The RLE pixel data have {found} for {frames}.");
            ("fragments", Draft::new(message).found(found).expected("exactly one a frame"))
        }
        _ => return None,
    })
}

/// `3 fragments`, `2 frames`.
fn both(found: usize, noun: &str, frames: u32) -> (String, String) {
    (counted(found as u64, noun), counted(frames.into(), "frame"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dicom::testing::{Described, GREY, encapsulated, item, long};
    use crate::rules::testing::findings_in;
    use crate::settings::Settings;

    const JPEG_LS: &str = "1.2.840.10008.1.2.4.80";
    const RLE: &str = "1.2.840.10008.1.2.5";

    fn messages(bytes: &[u8]) -> Vec<String> {
        let found = findings_in(&ENCAPSULATION, bytes, &Settings::default());
        found.into_iter().map(|finding| finding.message).collect()
    }

    fn cases(bytes: &[u8]) -> Vec<String> {
        let found = messages(bytes).into_iter();
        found.map(|own| own.rsplit(['/', ')']).nth(1).unwrap().to_owned()).collect()
    }

    #[test]
    fn sound_fragments_are_silent() {
        let two = Described { frames: 2, ..GREY };
        for (described, syntax, pixels) in [
            (GREY, JPEG_LS, encapsulated(&[], &[b"ab"])),
            (GREY, JPEG_LS, encapsulated(&[0], &[b"ab", b"cd"])),
            (two, JPEG_LS, encapsulated(&[0, 20], &[b"ab", b"cd", b"ef"])),
            (two, RLE, encapsulated(&[0, 10], &[b"ab", b"cd"])),
        ] {
            let bytes = described.file(syntax, &pixels);
            assert_eq!(cases(&bytes), Vec::<String>::new());
        }
    }

    #[test]
    fn each_defect_of_encapsulation_has_its_case() {
        let two = Described { frames: 2, ..GREY };
        let open = [item(0xE000, 0, b""), item(0xE000, 2, b"ab")].concat();
        for (described, syntax, pixels, expected) in [
            (GREY, JPEG_LS, encapsulated(&[0, 10], &[b"ab", b"cd"]), vec!["offset-table"]),
            (two, JPEG_LS, encapsulated(&[0, 9], &[b"ab", b"cd"]), vec!["offset-table"]),
            (two, JPEG_LS, encapsulated(&[10, 0], &[b"ab", b"cd"]), vec!["offset-table"; 2]),
            (two, JPEG_LS, encapsulated(&[], &[b"ab"]), vec!["fragments"]),
            (two, JPEG_LS, encapsulated(&[], &[b"ab", b"cd", b"ef"]), vec!["fragments"]),
            (GREY, RLE, encapsulated(&[], &[b"ab", b"cd"]), vec!["fragments"]),
            (GREY, JPEG_LS, encapsulated(&[], &[b"abc"]), vec!["fragments"]),
            (GREY, JPEG_LS, encapsulated(&[], &[b"ab", b""]), vec!["empty-item"]),
            (GREY, JPEG_LS, long(tags::PIXEL_DATA, "OB", u32::MAX, &open), vec!["delimiter"]),
            (
                GREY,
                JPEG_LS,
                long(tags::PIXEL_DATA, "OB", u32::MAX, &item(0xE0DD, 0, b"")),
                vec!["fragments"],
            ),
        ] {
            let bytes = described.file(syntax, &pixels);
            let found = messages(&bytes);
            assert_eq!(cases(&bytes), expected, "{found:?}");
        }
    }
}
