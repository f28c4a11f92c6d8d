//! LD017: the bytes of the pixel data are as many as the header needs.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use dicom_dictionary_std::tags;

use crate::dicom::{Codec, DicomFile, Element, PixelDescription};
use crate::finding::{Location, Severity};
use crate::probe::Flaw;
use crate::rules::{Case, Check, Draft, FileContext, Rule, Scope, Sink, Stage, Status};
use crate::text::{counted, grouped};

pub(super) static RULES: &[&Rule] = &[&PIXEL_LENGTH];

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dicom::testing::{Described, GREY, part10};
    use crate::rules::testing::findings_in;
    use crate::settings::Settings;

    fn messages(bytes: &[u8]) -> Vec<String> {
        let found = findings_in(&PIXEL_LENGTH, bytes, &Settings::default());
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
            assert_eq!(messages(&bytes), Vec::<String>::new());
        }
    }

    #[test]
    fn short_and_surplus_lengths_say_both_numbers() {
        assert_eq!(
            messages(&GREY.native(&[0; 4])),
            [
                "The pixel data have 4 bytes, but 2 rows x 3 columns of 8 bits need 6: 2 missing. (LD017/short)"
            ]
        );
        assert_eq!(
            messages(&GREY.native(&[0; 12])),
            [
                "The pixel data have 12 bytes, but 2 rows x 3 columns of 8 bits need 6: 6 too many. That fits 2 frames. (LD017/surplus)"
            ]
        );
        let half = Described { samples: 3, photometric: "YBR_FULL_422", columns: 2, ..GREY };
        let full = messages(&half.native(&[0; 12]));
        assert!(full[0].contains("the chroma are not halved"), "{full:?}");
    }

    #[test]
    fn an_image_without_pixels_is_said_unless_the_file_is_cut() {
        let bytes = part10("1.2.840.10008.1.2.1", &GREY.header());
        assert_eq!(messages(&bytes), ["An image object without pixel data. (LD017/missing)"]);
        assert!(messages(&bytes[..bytes.len() - 1]).is_empty());
    }
}
