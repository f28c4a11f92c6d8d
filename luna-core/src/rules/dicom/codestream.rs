//! LD019: what compressed frames say of themselves, against the header.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::ops::Range;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::dicom::codestream::{rle_segment_count, rle_segments};
use crate::dicom::{Codec, Codestream, DicomFile, Photometric, PixelDescription};
use crate::finding::{Location, Severity};
use crate::rules::{
    Case, Check, Draft, FileContext, ImageContext, Rule, Scope, Sink, Stage, Status,
};
use crate::text::counted;

pub(super) static RULES: &[&Rule] = &[&CODESTREAM_MISMATCH];

static CODESTREAM_MISMATCH: Rule = Rule {
    code: "LD019",
    name: "codestream-mismatch",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::DicomImage,
    cases: &[
        Case::new("", Severity::Error, Stage::File, "rows, columns, samples or byte planes differ"),
        Case::new("colour", Severity::Error, Stage::File, "the colour transform differs"),
        Case::new("values", Severity::Error, Stage::File, "values do not fit the stored bits"),
        Case::new(
            "precision",
            Severity::Warning,
            Stage::File,
            "more bits than stored, though values fit",
        ),
        Case::new(
            "lossy",
            Severity::Warning,
            Stage::File,
            "lossy coding that the header does not admit",
        ),
    ],
    options: &[],
    summary: "A compressed frame says of itself something else than the header: its size, its samples, \
              its bits, its colour model, or that it has lost something.",
    why: "Some readers believe the header and crop, pad or overflow, others believe the codestream. A \
          lossy picture that passes for an original spoils measurements and the training of models.",
    measured: "For every frame: JPEG and JPEG-LS frame headers, JPEG 2000 SIZ and COD segments, RLE \
               headers. Columns, rows and components equal the header's; RLE has SamplesPerPixel x \
               BitsAllocated / 8 segments. Colour: an Adobe marker or JPEG 2000's transform against \
               PhotometricInterpretation. Precision above BitsAllocated is an error; above BitsStored a \
               warning, an error where a decoded value exceeds what the stored bits hold, with a DCT \
               process by more than 1/64 of the range, as lossy coding overshoots at edges. Lossy: every \
               DCT process, JPEG-LS with NEAR > 0, JPEG 2000 with the 9-7 wavelet, against \
               LossyImageCompression (0028,2110) other than 01; a lossy past of lossless data cannot be \
               seen. Codestreams without a readable header are LF007's or LD003's. JPEG XL is not \
               looked at.",
    how_to_fix: "Decode a frame, compare it with the original, and correct the side that is wrong; set \
                 LossyImageCompression to 01 with its ratio and method where data are lossy.",
    references: &[
        "DICOM PS3.5 8.2 (native or encapsulated format encoding), annex G (RLE)",
        "DICOM PS3.3 C.7.6.1.1.5 (lossy image compression), C.7.6.3.1.2 (photometric interpretation)",
        "ITU-T T.81 B.2.2; ITU-T T.87 C.2; ITU-T T.800 A.5, A.6",
    ],
    check: Check::All(&[Check::File(codestream_mismatch), Check::Image(values_mismatch)]),
};

fn codestream_mismatch(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    let Some((file, pixels, codec)) = compressed(cx) else { return };
    let Some(frames) = file.frame_fragments(pixels.frames) else { return };
    let starts = || frames.iter().filter_map(|fragments| fragments.first());
    if codec == Codec::Rle {
        let wrong =
            starts().enumerate().find_map(|(frame, at)| rle_wrong(file, &pixels, frame, at));
        if let Some(draft) = wrong {
            out.fire("", draft);
        }
        return;
    }
    let headers: Vec<(u32, Codestream)> =
        (0..).zip(starts()).filter_map(|(n, at)| Some((n, file.codestream(codec, at)?))).collect();
    // One finding a kind: what is wrong with one frame is wrong with most.
    for check in [size_wrong, samples_wrong, colour_wrong, precision_wrong] {
        let wrong = headers.iter().find_map(|(frame, header)| {
            check(&Compared { file, pixels: &pixels, header, frame: *frame })
        });
        if let Some((case, draft)) = wrong {
            out.fire(case, draft);
        }
    }
    if headers.iter().any(|(_, header)| header.lossy == Some(true)) {
        lossy_unsaid(file, out);
    }
}

/// The object, what it says of its pixels, and its codec, if pixels are compressed.
fn compressed<'a>(
    cx: &FileContext<'a>,
) -> Option<(&'a crate::dicom::DicomFile<'a>, PixelDescription, Codec)> {
    let file = cx.dicom()?;
    file.encapsulated.as_ref()?;
    Some((file, file.pixel_description()?, file.codec()?))
}

/// A codestream beside what the header says.
struct Compared<'a> {
    file: &'a DicomFile<'a>,
    pixels: &'a PixelDescription,
    header: &'a Codestream,
    frame: u32,
}

type Wrong = Option<(&'static str, Draft)>;

impl Compared<'_> {
    /// `Frame 3`, or `The codestream` of a single frame.
    fn subject(&self) -> String {
        subject(self.pixels, self.frame)
    }

    fn place(&self, tag: Tag) -> Location {
        match self.pixels.frames {
            1 => self.file.location_of(tag),
            _ => Location::Frame { frame: self.frame },
        }
    }
}

fn subject(pixels: &PixelDescription, frame: u32) -> String {
    match pixels.frames {
        1 => "The codestream".to_owned(),
        _ => format!("The codestream of frame {frame}"),
    }
}

fn size_wrong(own: &Compared<'_>) -> Wrong {
    let (width, height) = own.header.size?;
    let due = (own.pixels.columns, own.pixels.rows);
    // A height of 0 stands later in the codestream.
    if (width, height) == due || (height == 0 && width == due.0) {
        return None;
    }
    let found = format!("{width} x {height}");
    let expected = format!("{} x {}", due.0, due.1);
    let message = format!(
        "{} is {found} pixels (columns x rows), the header says {expected}.",
        own.subject()
    );
    let tag = if width == due.0 { tags::ROWS } else { tags::COLUMNS };
    Some(("", Draft::new(message).at(own.place(tag)).found(found).expected(expected)))
}

fn samples_wrong(own: &Compared<'_>) -> Wrong {
    let components = own.header.components?;
    let due = u16::from(own.pixels.samples);
    if components == due {
        return None;
    }
    let found = counted(components.into(), "component");
    let message = format!("{} has {found}, SamplesPerPixel is {due}.", own.subject());
    let place = own.place(tags::SAMPLES_PER_PIXEL);
    Some(("", Draft::new(message).at(place).found(found).expected(due.to_string())))
}

fn colour_wrong(own: &Compared<'_>) -> Wrong {
    let is_transformed = own.header.colour_transform?;
    let is_wavelet = own.header.process.is_none();
    let due = match own.pixels.photometric {
        Photometric::Rgb => false,
        // JPEG 2000 has its own names for its own transforms.
        Photometric::YbrJpeg2000 if is_wavelet => true,
        Photometric::YbrFull | Photometric::YbrFull422 if is_wavelet => false,
        Photometric::YbrFull | Photometric::YbrFull422 => true,
        _ => return None,
    };
    if is_transformed == due {
        return None;
    }
    let said = own.file.text(tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default();
    let (found, expected) = match (is_transformed, is_wavelet) {
        (true, true) => ("a colour transform", "YBR_RCT or YBR_ICT"),
        (true, false) => ("luma and chroma (YCbCr)", "YBR_FULL_422 or YBR_FULL"),
        (false, _) => ("no colour transform", "RGB"),
    };
    let message =
        format!("{} has {found}, but PhotometricInterpretation is {said}.", own.subject());
    let place = own.place(tags::PHOTOMETRIC_INTERPRETATION);
    Some(("colour", Draft::new(message).at(place).found(said).expected(expected)))
}

fn precision_wrong(own: &Compared<'_>) -> Wrong {
    let bits = own.header.precision?;
    let (stored, allocated) = (own.pixels.bits_stored, own.pixels.bits_allocated);
    let (case, limit, name) = if bits > allocated {
        ("", allocated, "BitsAllocated")
    } else if bits > stored {
        ("precision", stored, "BitsStored")
    } else {
        return None;
    };
    let message = format!("{} has {bits} bits a sample, {name} is {limit}.", own.subject());
    let place = own.place(tags::BITS_STORED);
    let draft = Draft::new(message).at(place).found(format!("{bits} bits"));
    Some((case, draft.expected(format!("at most {limit} bits"))))
}

fn lossy_unsaid(file: &DicomFile<'_>, out: &mut Sink<'_>) {
    let said = file.text(tags::LOSSY_IMAGE_COMPRESSION);
    if said.as_deref() == Some("01") {
        return;
    }
    let state = match &said {
        Some(said) => format!("is {}", crate::text::shown(said)),
        None => "is missing or empty".to_owned(),
    };
    let message = format!("The pixels are lossily compressed, but LossyImageCompression {state}.");
    let draft = Draft::new(message).at(file.location_of(tags::LOSSY_IMAGE_COMPRESSION));
    let found = said.map_or_else(|| "no value".to_owned(), |said| crate::text::shown(&said));
    out.fire("lossy", draft.found(found).expected("01"));
}

fn rle_wrong(
    file: &DicomFile<'_>,
    pixels: &PixelDescription,
    frame: usize,
    fragment: &Range<usize>,
) -> Option<Draft> {
    let bytes = file.data.get(fragment.clone())?;
    let due =
        u32::from(pixels.samples).saturating_mul(u32::from(pixels.bits_allocated).div_ceil(8));
    let count = rle_segment_count(bytes).unwrap_or_default();
    let frame = u32::try_from(frame).ok()?;
    let (message, found) = if count != due {
        let found = counted(count.into(), "segment");
        (format!("{} has {found}, the header needs {due}.", subject(pixels, frame)), found)
    } else if rle_segments(bytes).is_none() {
        let found = "offsets outside of the fragment, or out of order".to_owned();
        (format!("{} has RLE segments with {found}.", subject(pixels, frame)), found)
    } else {
        return None;
    };
    let place = match pixels.frames {
        1 => file.location_of(tags::PIXEL_DATA),
        _ => Location::Frame { frame },
    };
    Some(Draft::new(message).at(place).found(found).expected(counted(due.into(), "segment")))
}

fn values_mismatch(cx: &ImageContext<'_>, out: &mut Sink<'_>) {
    let Some((file, pixels, _)) = compressed(cx.file) else { return };
    let above = cx.image.out_of_bits.above_bits_stored;
    if above == 0 {
        return;
    }
    let found = counted(above, "sample");
    let message = format!(
        "{found} of the codestream exceed what {} stored bits can hold.",
        pixels.bits_stored
    );
    let place = file.location_of(tags::BITS_STORED);
    out.fire("values", Draft::new(message).at(place).found(found));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dicom::testing::{Described, GREY, encapsulated};
    use crate::rules::testing::findings_in;
    use crate::settings::Settings;

    const BASELINE: &str = "1.2.840.10008.1.2.4.50";
    const LOSSLESS: &str = "1.2.840.10008.1.2.4.57";
    const RLE: &str = "1.2.840.10008.1.2.5";
    const WAVELET: &str = "1.2.840.10008.1.2.4.90";

    fn messages(bytes: &[u8]) -> Vec<String> {
        let found = findings_in(&CODESTREAM_MISMATCH, bytes, &Settings::default());
        found.into_iter().map(|finding| finding.message).collect()
    }

    /// A JPEG as far as its frame header.
    fn jpeg(marker: u8, precision: u8, [rows, columns]: [u8; 2], components: u8) -> Vec<u8> {
        let mut bytes = vec![0xFF, 0xD8, 0xFF, marker, 0, components.strict_mul(3).strict_add(8)];
        bytes.extend([precision, 0, rows, 0, columns, components]);
        bytes.extend((1..=components).flat_map(|id| [id, 0x11, 0]));
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        bytes
    }

    #[test]
    fn a_codestream_like_its_header_is_silent() {
        let frame = jpeg(0xC3, 8, [2, 3], 1);
        let bytes = GREY.file(LOSSLESS, &encapsulated(&[], &[&frame]));
        assert_eq!(messages(&bytes), Vec::<String>::new());
    }

    #[test]
    fn size_samples_and_precision_are_compared() {
        for (frame, said) in [
            (jpeg(0xC3, 8, [9, 3], 1), "is 3 x 9 pixels (columns x rows), the header says 3 x 2."),
            (jpeg(0xC3, 8, [2, 3], 3), "has 3 components, SamplesPerPixel is 1."),
            (jpeg(0xC3, 12, [2, 3], 1), "has 12 bits a sample, BitsAllocated is 8."),
        ] {
            let found = messages(&GREY.file(LOSSLESS, &encapsulated(&[], &[&frame])));
            assert_eq!(found, [format!("The codestream {said}")]);
        }
        let deep = Described { bits: [16, 10, 9, 0], ..GREY };
        let frame = jpeg(0xC3, 12, [2, 3], 1);
        let found = messages(&deep.file(LOSSLESS, &encapsulated(&[], &[&frame])));
        assert_eq!(
            found,
            ["The codestream has 12 bits a sample, BitsStored is 10. (LD019/precision)"]
        );
    }

    #[test]
    fn the_first_wrong_frame_is_named() {
        let two = Described { frames: 2, ..GREY };
        let (good, bad) = (jpeg(0xC3, 8, [2, 3], 1), jpeg(0xC3, 8, [3, 2], 1));
        let found = messages(&two.file(LOSSLESS, &encapsulated(&[], &[&good, &bad])));
        assert!(
            found.len() == 1 && found[0].starts_with("The codestream of frame 1 is"),
            "{found:?}"
        );
    }

    #[test]
    fn lossy_coding_must_be_admitted() {
        let frame = jpeg(0xC0, 8, [2, 3], 1);
        let found = messages(&GREY.file(BASELINE, &encapsulated(&[], &[&frame])));
        assert_eq!(
            found,
            [
                "The pixels are lossily compressed, but LossyImageCompression is missing or empty. (LD019/lossy)"
            ]
        );
    }

    #[test]
    fn an_adobe_marker_against_the_header_is_a_wrong_colour_transform() {
        let colour = Described { samples: 3, photometric: "RGB", ..GREY };
        let mut frame = b"\xFF\xD8\xFF\xEE\x00\x0EAdobe\x00\x64\x00\x00\x00\x00\x01".to_vec();
        frame.extend(&jpeg(0xC0, 8, [2, 3], 3)[2..21]);
        frame.extend(b"\xFF\xDA\x00\x0C\x03\x01\x00\x02\x00\x03\x00\x00\x3F\x00");
        let found = messages(&colour.file(BASELINE, &encapsulated(&[], &[&frame])));
        assert!(
            found[0].ends_with("PhotometricInterpretation is RGB. (LD019/colour)"),
            "{found:?}"
        );
        let right = Described { photometric: "YBR_FULL_422", ..colour };
        let found = messages(&right.file(BASELINE, &encapsulated(&[], &[&frame])));
        assert!(found.iter().all(|own| !own.contains("colour")), "{found:?}");
    }

    #[test]
    fn rle_has_a_segment_for_each_byte_of_a_pixel() {
        let fragment = |count: u8, offset: u8| {
            let mut bytes = vec![0; 66];
            (bytes[0], bytes[4]) = (count, offset);
            bytes
        };
        let said = |fragment: &[u8]| messages(&GREY.file(RLE, &encapsulated(&[], &[fragment])));
        assert!(said(&fragment(1, 64)).is_empty());
        assert_eq!(said(&fragment(2, 64)), ["The codestream has 2 segments, the header needs 1."]);
        assert!(said(&fragment(1, 200))[0].contains("offsets outside of the fragment"));
    }

    #[test]
    fn a_jpeg_2000_transform_needs_its_own_photometric_interpretation() {
        let mut frame = b"\xFF\x4F\xFF\x51\x00\x2F\x00\x00".to_vec();
        for number in [3_u32, 2, 0, 0, 3, 2, 0, 0] {
            frame.extend(number.to_be_bytes());
        }
        frame.extend(b"\x00\x03\x07\x01\x01\x07\x01\x01\x07\x01\x01");
        frame.extend(b"\xFF\x52\x00\x0C\x00\x00\x00\x01\x01\x05\x04\x04\x00\x01\x00");
        let with = |photometric| {
            let colour = Described { samples: 3, photometric, ..GREY };
            messages(&colour.file(WAVELET, &encapsulated(&[], &[&frame])))
        };
        assert_eq!(with("YBR_RCT"), Vec::<String>::new());
        assert_eq!(
            with("RGB"),
            [
                "The codestream has a colour transform, but PhotometricInterpretation is RGB. (LD019/colour)"
            ]
        );
    }
}
