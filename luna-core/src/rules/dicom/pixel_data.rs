//! LD017, LD018: the bytes of the pixel data: as many as the header needs, in the right fragments.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use dicom_dictionary_std::tags;

use super::structure::{is_in_pixel_data, place};
use crate::dicom::{
    AnomalyKind, Codec, DicomFile, Element, EncapsulationProblem, PixelDescription,
};
use crate::finding::{Location, Severity};
use crate::probe::{Flaw, Format};
use crate::rules::{Case, Check, Draft, FileContext, Rule, Scope, Sink, Stage, Status};
use crate::text::{counted, grouped};

pub(super) static RULES: &[&Rule] = &[&PIXEL_LENGTH, &ENCAPSULATION];

static PIXEL_LENGTH: Rule = Rule {
    code: "LD017",
    name: "pixel-length",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::DicomImage,
    cases: &[
        Case::new("missing", Severity::Error, Stage::File, "an image object without pixel data"),
        Case::new("short", Severity::Error, Stage::File, "fewer bytes than the header needs"),
        Case::new("surplus", Severity::Warning, Stage::File, "more bytes than the header needs"),
    ],
    options: &[],
    summary: "The pixel data have another length than rows, columns, frames, samples and bits ask for, \
              or are not there at all.",
    why: "Where bytes are missing, readers pad, repeat or stop, each in its own way. Surplus bytes mean \
          that a number of the header is wrong, or that something else is hidden behind the picture.",
    measured: "Native pixel data need Rows x Columns x NumberOfFrames x SamplesPerPixel x BitsAllocated \
               / 8 bytes, rounded up; YBR_FULL_422 counts two samples a pixel; one byte of padding is \
               allowed. What counts is the length in the element's header: a file that is cut is \
               LF004's. Silent if the description itself makes no sense (LD016), and on objects whose \
               pixels lie elsewhere (PixelDataProviderURL).",
    how_to_fix: "Export the object again from its source. Where only a number of the header is wrong \
                 (NumberOfFrames, PhotometricInterpretation after a conversion), correct that.",
    references: &[
        "DICOM PS3.5 8.1.1 (pixel data encoding of related data elements)",
        "DICOM PS3.3 C.7.6.3 (image pixel module)",
        "pydicom issue 599 (surplus bytes)",
    ],
    check: Check::File(pixel_length),
};

fn pixel_length(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    let Some(file) = cx.dicom() else { return };
    let Some(element) = file.pixel_element() else {
        let is_elsewhere = file.element(tags::PIXEL_DATA_PROVIDER_URL).is_some();
        let is_cut = cx
            .flaws
            .iter()
            .any(|flaw| matches!(flaw, Flaw::Truncated { .. } | Flaw::OverBudget { .. }));
        if !is_elsewhere && !is_cut {
            let message = "An image object without pixel data.";
            let place = file.location_of(tags::PIXEL_DATA);
            out.fire("missing", Draft::new(message).at(place).expected("PixelData (7FE0,0010)"));
        }
        return;
    };
    let Some(pixels) = file.pixel_description() else { return };
    if file.encapsulated.is_none() {
        native_length(file, element, &pixels, out);
    } else if file.codec() == Some(Codec::EncapsulatedNative) {
        framed_length(file, &pixels, out);
    }
}

fn native_length(
    file: &DicomFile<'_>,
    element: &Element,
    pixels: &PixelDescription,
    out: &mut Sink<'_>,
) {
    let (found, needed) = (u64::from(element.declared_length), pixels.native_bytes());
    // An encapsulating syntax over native data is LD003's; its header still tells the length.
    let case = if found < needed {
        "short"
    } else if found > needed.next_multiple_of(2) {
        "surplus"
    } else {
        return;
    };
    let (difference, direction) =
        (found.abs_diff(needed), if found < needed { "missing" } else { "too many" });
    let message = format!(
        "The pixel data have {}, but {} need {}: {} {direction}.{}",
        counted(found, "byte"),
        shape(pixels),
        grouped(needed),
        grouped(difference),
        hint(found, pixels),
    );
    out.fire(
        case,
        Draft::new(message)
            .at(file.location(element))
            .found(counted(found, "byte"))
            .expected(counted(needed, "byte")),
    );
}

/// `2,048 rows x 1,024 columns of 16 bits`.
fn shape(pixels: &PixelDescription) -> String {
    let (rows, columns) =
        (counted(pixels.rows.into(), "row"), counted(pixels.columns.into(), "column"));
    let frames = match pixels.frames {
        1 => String::new(),
        frames => format!("{} x ", counted(frames.into(), "frame")),
    };
    let samples = match pixels.samples {
        1 => String::new(),
        samples => format!("{samples} samples of "),
    };
    format!("{frames}{rows} x {columns} of {samples}{} bits", pixels.bits_allocated)
}

/// What a length that fits another description points at.
fn hint(found: u64, pixels: &PixelDescription) -> String {
    let one = PixelDescription { frames: 1, ..*pixels }.native_bytes();
    let full = u64::from(pixels.rows)
        .saturating_mul(pixels.columns.into())
        .saturating_mul(pixels.frames.into())
        .saturating_mul(3);
    if pixels.is_subsampled() && found.next_multiple_of(2) == full.next_multiple_of(2) {
        return " That fits YBR_FULL: the chroma are not halved.".to_owned();
    }
    match found.checked_div(one).filter(|_| found.checked_rem(one) == Some(0)) {
        Some(frames) if frames > 0 && frames != u64::from(pixels.frames) => {
            format!(" That fits {}.", counted(frames, "frame"))
        }
        _ => String::new(),
    }
}

fn framed_length(file: &DicomFile<'_>, pixels: &PixelDescription, out: &mut Sink<'_>) {
    let needed = PixelDescription { frames: 1, ..*pixels }.native_bytes();
    for (frame, fragments) in file.frame_fragments(pixels.frames).into_iter().flatten().enumerate()
    {
        let found: u64 = fragments.iter().map(|fragment| fragment.len() as u64).sum();
        let case = if found < needed {
            "short"
        } else if found > needed.next_multiple_of(2) {
            "surplus"
        } else {
            continue;
        };
        let message =
            format!("Frame {frame} has {}, but needs {}.", counted(found, "byte"), grouped(needed));
        let frame = u32::try_from(frame).unwrap_or(u32::MAX);
        let draft = Draft::new(message).at(Location::Frame { frame });
        out.fire(case, draft.found(counted(found, "byte")).expected(counted(needed, "byte")));
    }
}

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
    let table = |extended| if extended { "extended" } else { "basic" };
    let numbers =
        |found: u64, noun, frames: u32| (counted(found, noun), counted(frames.into(), "frame"));
    match problem {
        EncapsulationProblem::NoItems => {
            ("fragments", Draft::new("The pixel data have no items, not even an offset table."))
        }
        EncapsulationProblem::TableLength { bytes } => {
            let found = counted(bytes as u64, "byte");
            let message = format!("The basic offset table has {found}, no multiple of 4.");
            ("offset-table", Draft::new(message).found(found).expected("4 bytes a frame, or none"))
        }
        EncapsulationProblem::TableEntries { extended, entries, frames } => {
            let (found, expected) = numbers(entries as u64, "offset", frames);
            let table = table(extended);
            let message = format!("The {table} offset table has {found} for {expected}.");
            ("offset-table", Draft::new(message).found(found).expected("one offset a frame"))
        }
        EncapsulationProblem::TableOffset { extended, entry, offset } => {
            let (table, offset) = (table(extended), grouped(offset));
            let message = format!(
                "Offset {offset} of frame {entry} in the {table} offset table is not where its first fragment begins."
            );
            ("offset-table", Draft::new(message).found(offset))
        }
        EncapsulationProblem::TableFrameLength { entry, said, is } => {
            let (said, is) = (counted(said, "byte"), counted(is, "byte"));
            let message = format!(
                "The extended offset table gives frame {entry} {said}, its fragment has {is}."
            );
            ("offset-table", Draft::new(message).found(said).expected(is))
        }
        EncapsulationProblem::BothTables => {
            let message = "Both the basic and the extended offset table have entries.";
            ("offset-table", Draft::new(message).expected("an empty basic offset table"))
        }
        EncapsulationProblem::EmptyFragment { fragment, .. } => {
            ("empty-item", Draft::new(format!("Fragment {fragment} of the pixel data is empty.")))
        }
        EncapsulationProblem::OddFragment { fragment, bytes, .. } => {
            let found = counted(bytes as u64, "byte");
            let message = format!("Fragment {fragment} of the pixel data has {found}.");
            ("fragments", Draft::new(message).found(found).expected("an even number of bytes"))
        }
        EncapsulationProblem::FewFragments { fragments, frames } => {
            let (found, expected) = numbers(fragments as u64, "fragment", frames);
            let message = format!("The pixel data have {found} for {expected}.");
            ("fragments", Draft::new(message).found(found).expected("at least one a frame"))
        }
        EncapsulationProblem::NoGrouping { fragments, frames } => {
            let (found, expected) = numbers(fragments as u64, "fragment", frames);
            let message = format!(
                "The pixel data have {found} for {expected}, and neither an offset table nor a \
                 codestream's start tells which belong together."
            );
            ("fragments", Draft::new(message).found(found).expected("an offset table"))
        }
        EncapsulationProblem::RleFragments { fragments, frames } => {
            let (found, expected) = numbers(fragments as u64, "fragment", frames);
            let message = format!("The RLE pixel data have {found} for {expected}.");
            ("fragments", Draft::new(message).found(found).expected("exactly one a frame"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dicom::testing::{Described, GREY, encapsulated, item, long, part10};
    use crate::rules::testing::findings_in;
    use crate::settings::Settings;

    const JPEG_LS: &str = "1.2.840.10008.1.2.4.80";
    const RLE: &str = "1.2.840.10008.1.2.5";

    fn messages(rule: &Rule, bytes: &[u8]) -> Vec<String> {
        let found = findings_in(rule, bytes, &Settings::default());
        found.into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn the_right_length_is_silent_with_and_without_padding() {
        let odd = Described { rows: 1, ..GREY };
        let half = Described { samples: 3, photometric: "YBR_FULL_422", columns: 2, ..GREY };
        let bits = Described { bits: [1, 1, 0, 0], ..GREY };
        for bytes in [
            GREY.native(&[0; 6]),
            odd.native(&[0; 4]),
            half.native(&[0; 8]),
            bits.native(&[0; 2]),
            Described { frames: 2, ..GREY }.native(&[0; 12]),
        ] {
            assert_eq!(messages(&PIXEL_LENGTH, &bytes), Vec::<String>::new());
        }
    }

    #[test]
    fn short_and_surplus_lengths_say_both_numbers() {
        assert_eq!(
            messages(&PIXEL_LENGTH, &GREY.native(&[0; 4])),
            [
                "The pixel data have 4 bytes, but 2 rows x 3 columns of 8 bits need 6: 2 missing. (LD017/short)"
            ]
        );
        assert_eq!(
            messages(&PIXEL_LENGTH, &GREY.native(&[0; 12])),
            [
                "The pixel data have 12 bytes, but 2 rows x 3 columns of 8 bits need 6: 6 too many. That fits 2 frames. (LD017/surplus)"
            ]
        );
        let half = Described { samples: 3, photometric: "YBR_FULL_422", columns: 2, ..GREY };
        let full = messages(&PIXEL_LENGTH, &half.native(&[0; 12]));
        assert!(full[0].contains("the chroma are not halved"), "{full:?}");
    }

    #[test]
    fn an_image_without_pixels_is_said_unless_the_file_is_cut() {
        let bytes = part10("1.2.840.10008.1.2.1", &GREY.header());
        assert_eq!(
            messages(&PIXEL_LENGTH, &bytes),
            ["An image object without pixel data. (LD017/missing)"]
        );
        assert!(messages(&PIXEL_LENGTH, &bytes[..bytes.len() - 1]).is_empty());
    }

    fn encapsulation_cases(bytes: &[u8]) -> Vec<String> {
        let cases = messages(&ENCAPSULATION, bytes).into_iter();
        cases.map(|own| own.rsplit(['/', ')']).nth(1).unwrap().to_owned()).collect()
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
            assert_eq!(encapsulation_cases(&bytes), Vec::<String>::new());
        }
    }

    #[test]
    fn each_defect_of_encapsulation_has_its_case() {
        let two = Described { frames: 2, ..GREY };
        let open = [item(0xE000, 0, b""), item(0xE000, 2, b"ab")].concat();
        for (described, syntax, pixels, cases) in [
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
            let found = messages(&ENCAPSULATION, &bytes);
            assert_eq!(encapsulation_cases(&bytes), cases, "{found:?}");
        }
    }
}
