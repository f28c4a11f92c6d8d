//! LD016: attributes that describe the pixels and contradict each other.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::dicom::{Codec, DicomFile, keyword, sop_class};
use crate::finding::Severity;
use crate::rules::{Case, Check, Draft, FileContext, Rule, Scope, Sink, Stage, Status};
use crate::text::shown;

pub(super) static RULES: &[&Rule] = &[&PIXEL_DESCRIPTION];

static PIXEL_DESCRIPTION: Rule = Rule {
    code: "LD016",
    name: "pixel-description",
    status: Status::Stable { since: "0.1.0" },
    scope: Scope::DicomImage,
    cases: &[
        Case::new(
            "",
            Severity::Error,
            Stage::File,
            "attributes contradict each other or the standard",
        ),
        Case::new("dx", Severity::Error, Stage::File, "legal, but not for DX, MG and IO objects"),
        Case::new(
            "not-accepted",
            Severity::Error,
            Stage::File,
            "a photometric interpretation that the profile does not accept",
        ),
    ],
    options: &[],
    summary: "The attributes that say how a pixel is stored contradict each other: more bits stored \
              than allocated, a high bit elsewhere than below the stored bits, three samples in a \
              monochrome picture.",
    why: "Every reader guesses differently when they disagree, and most guess silently: the same file \
          gives other grey values in two toolkits, shifted by some bits or with the sign lost.",
    measured: "BitsAllocated is 1 or a multiple of 8 up to 64 (32 and 64 for float pixel data), 8 with \
               JPEG baseline; BitsStored is 1 to BitsAllocated; HighBit is BitsStored - 1; \
               PixelRepresentation is 0 or 1, and 0 with JPEG baseline and extended; \
               SamplesPerPixel is what PhotometricInterpretation needs (1 for MONOCHROME1, \
               MONOCHROME2 and PALETTE COLOR, 3 for RGB, YBR_* and HSV, 4 for ARGB and CMYK); \
               PlanarConfiguration is 0 or 1, and 0 with YBR_FULL_422; YBR_ICT and YBR_RCT stand in \
               JPEG 2000 only, XYB in JPEG XL only, YBR_PARTIAL_420 in video only. DX, MG and IO \
               objects (case dx) have one unsigned sample of 6 to 16 stored bits in 8 or 16, \
               MONOCHROME1 or MONOCHROME2. Absent attributes are LD011's. Old editions of the \
               standard let HighBit lie elsewhere; it is an error here all the same, because common \
               readers pay no attention to it.",
    how_to_fix: "Compare a decoded picture with the original, correct the attribute that is wrong, and \
                 mend the program that wrote it.",
    references: &[
        "DICOM PS3.5 8.1.1 (pixel data encoding of related data elements)",
        "DICOM PS3.5 8.2 (native or encapsulated format encoding)",
        "DICOM PS3.3 C.7.6.3 (image pixel module), C.7.6.3.1.2 (photometric interpretation)",
        "DICOM PS3.3 C.8.11.3 (DX image module)",
    ],
    check: Check::File(pixel_description),
};

/// The attributes, as far as they are there and readable.
struct Description {
    photometric: Option<String>,
    samples: Option<i64>,
    planar: Option<i64>,
    allocated: Option<i64>,
    stored: Option<i64>,
    high: Option<i64>,
    representation: Option<i64>,
    codec: Option<Codec>,
    /// Bits that float or double float pixel data need.
    float_bits: Option<i64>,
}

/// An attribute that does not fit: what it says, and what it should.
struct Contradiction {
    tag: Tag,
    found: String,
    expected: String,
}

fn pixel_description(cx: &FileContext<'_>, out: &mut Sink<'_>) {
    let Some(file) = cx.dicom() else { return };
    let described = Description::of(file);
    let wrong = described.contradictions();
    let class = file.text(tags::SOP_CLASS_UID).and_then(|uid| sop_class(&uid));
    if class.is_some_and(|class| matches!(class.iod, "DX" | "MG" | "IO")) {
        for own in described.beyond_dx() {
            // What is wrong anyhow is not said a second time.
            if wrong.iter().all(|other| other.tag != own.tag) {
                out.fire("dx", own.draft(file));
            }
        }
    }
    for own in wrong {
        out.fire("", own.draft(file));
    }
    let accepted = &cx.settings.profile().accept.photometric_interpretations;
    let photometric = described.photometric.unwrap_or_default();
    if !accepted.is_empty() && !photometric.is_empty() && !accepted.contains(&photometric) {
        let expected = format!("{} (accepted by the profile)", accepted.join(", "));
        let own =
            Contradiction::new(tags::PHOTOMETRIC_INTERPRETATION, shown(&photometric), expected);
        out.fire("not-accepted", own.draft(file));
    }
}

impl Contradiction {
    fn new(tag: Tag, found: impl ToString, expected: impl Into<String>) -> Self {
        Self { tag, found: found.to_string(), expected: expected.into() }
    }

    fn draft(self, file: &DicomFile<'_>) -> Draft {
        let name = keyword(self.tag).unwrap_or_default();
        Draft::new(format!("{name} is {}, expected {}.", self.found, self.expected))
            .at(file.location_of(self.tag))
            .found(self.found)
            .expected(self.expected)
    }
}

impl Description {
    fn of(file: &DicomFile<'_>) -> Self {
        Self {
            photometric: file.text(tags::PHOTOMETRIC_INTERPRETATION),
            samples: file.integer(tags::SAMPLES_PER_PIXEL),
            planar: file.integer(tags::PLANAR_CONFIGURATION),
            allocated: file.integer(tags::BITS_ALLOCATED),
            stored: file.integer(tags::BITS_STORED),
            high: file.integer(tags::HIGH_BIT),
            representation: file.integer(tags::PIXEL_REPRESENTATION),
            codec: file.syntax().map(|syntax| syntax.codec),
            float_bits: [(tags::FLOAT_PIXEL_DATA, 32), (tags::DOUBLE_FLOAT_PIXEL_DATA, 64)]
                .into_iter()
                .find_map(|(tag, bits)| file.element(tag).map(|_| bits)),
        }
    }

    /// Contradictions in any object, at most one an attribute.
    fn contradictions(&self) -> Vec<Contradiction> {
        [
            self.samples_wrong(),
            self.photometric_wrong(),
            self.planar_wrong(),
            self.allocated_wrong(),
            self.stored_wrong(),
            self.high_bit_wrong(),
            self.representation_wrong(),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn photometric(&self) -> &str {
        self.photometric.as_deref().unwrap_or_default()
    }

    fn samples_wrong(&self) -> Option<Contradiction> {
        let samples = self.samples?;
        let needed = match self.photometric() {
            "MONOCHROME1" | "MONOCHROME2" | "PALETTE COLOR" => 1,
            "RGB" | "HSV" | "YBR_FULL" | "YBR_FULL_422" | "YBR_PARTIAL_422" | "YBR_PARTIAL_420"
            | "YBR_ICT" | "YBR_RCT" | "XYB" => 3,
            "ARGB" | "CMYK" => 4,
            _ if samples == 0 => {
                return Some(Contradiction::new(tags::SAMPLES_PER_PIXEL, 0, "at least 1"));
            }
            // LD014 says that the term is unknown.
            _ => return None,
        };
        (samples != needed).then(|| {
            let expected = format!("{needed} with {}", self.photometric());
            Contradiction::new(tags::SAMPLES_PER_PIXEL, samples, expected)
        })
    }

    /// Colour models that belong to one kind of codestream.
    fn photometric_wrong(&self) -> Option<Contradiction> {
        let (home, name) = match self.photometric() {
            "YBR_ICT" | "YBR_RCT" => (Codec::Jpeg2000, "JPEG 2000"),
            "XYB" => (Codec::JpegXl, "JPEG XL"),
            "YBR_PARTIAL_420" => (Codec::Video, "video"),
            _ => return None,
        };
        (self.codec? != home).then(|| {
            let expected =
                format!("a colour model of this transfer syntax (that one is for {name})");
            Contradiction::new(tags::PHOTOMETRIC_INTERPRETATION, self.photometric(), expected)
        })
    }

    fn planar_wrong(&self) -> Option<Contradiction> {
        let planar = self.planar.filter(|_| self.samples.is_some_and(|samples| samples > 1))?;
        let expected = match (planar, self.photometric()) {
            (1, "YBR_FULL_422" | "YBR_PARTIAL_422" | "YBR_PARTIAL_420") => {
                format!("0 with {}", self.photometric())
            }
            (0 | 1, _) => return None,
            _ => "0 or 1".to_owned(),
        };
        Some(Contradiction::new(tags::PLANAR_CONFIGURATION, planar, expected))
    }

    fn allocated_wrong(&self) -> Option<Contradiction> {
        let allocated = self.allocated?;
        let whole =
            allocated == 1 || ((8..=64).contains(&allocated) && allocated.rem_euclid(8) == 0);
        let expected = match (self.float_bits, self.codec) {
            (Some(bits), _) if allocated != bits => format!("{bits} with float pixel data"),
            (None, Some(Codec::JpegBaseline)) if allocated != 8 => {
                "8 with JPEG baseline".to_owned()
            }
            _ if !whole => "1, or a multiple of 8 up to 64".to_owned(),
            _ => return None,
        };
        Some(Contradiction::new(tags::BITS_ALLOCATED, allocated, expected))
    }

    fn stored_wrong(&self) -> Option<Contradiction> {
        let (stored, allocated) = (self.stored?, self.allocated?);
        (stored < 1 || stored > allocated).then(|| {
            let expected = format!("1 to {allocated} (BitsAllocated)");
            Contradiction::new(tags::BITS_STORED, stored, expected)
        })
    }

    fn high_bit_wrong(&self) -> Option<Contradiction> {
        let high = self.high?;
        let due = self.stored?.checked_sub(1)?;
        (high != due)
            .then(|| Contradiction::new(tags::HIGH_BIT, high, format!("{due} (BitsStored - 1)")))
    }

    fn representation_wrong(&self) -> Option<Contradiction> {
        let representation = self.representation?;
        let expected = match (representation, self.codec) {
            (1, Some(Codec::JpegBaseline | Codec::JpegExtended)) => "0 (unsigned) with lossy JPEG",
            (0 | 1, _) => return None,
            _ => "0 (unsigned) or 1 (signed)",
        };
        Some(Contradiction::new(tags::PIXEL_REPRESENTATION, representation, expected))
    }

    /// What is legal in general, but not in a DX, MG or IO object (PS3.3 C.8.11.3).
    fn beyond_dx(&self) -> Vec<Contradiction> {
        let outside = |tag, value: Option<i64>, allowed: &[i64], expected: &str| {
            let value = value.filter(|value| !allowed.contains(value))?;
            Some(Contradiction::new(tag, value, expected))
        };
        let photometric = self
            .photometric
            .as_deref()
            .filter(|own| !matches!(*own, "MONOCHROME1" | "MONOCHROME2"))
            .map(|own| {
                let expected = "MONOCHROME1 or MONOCHROME2";
                Contradiction::new(tags::PHOTOMETRIC_INTERPRETATION, shown(own), expected)
            });
        let stored: Vec<i64> = (6..=16).collect();
        [
            photometric,
            outside(tags::SAMPLES_PER_PIXEL, self.samples, &[1], "1"),
            outside(tags::BITS_ALLOCATED, self.allocated, &[8, 16], "8 or 16"),
            outside(tags::BITS_STORED, self.stored, &stored, "6 to 16"),
            outside(tags::PIXEL_REPRESENTATION, self.representation, &[0], "0 (unsigned)"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Finding;
    use crate::rules::testing::{DataSet, findings, findings_in, settings};
    use crate::settings::Settings;
    use dicom_core::VR;

    const DX: &str = "1.2.840.10008.5.1.4.1.1.1.1";
    const SC: &str = "1.2.840.10008.5.1.4.1.1.7";
    const LITTLE: &str = "1.2.840.10008.1.2.1";
    const BASELINE: &str = "1.2.840.10008.1.2.4.50";

    struct Pixel {
        class: &'static str,
        photometric: &'static str,
        samples: u16,
        planar: Option<u16>,
        bits: [u16; 4],
    }

    /// A good 12-bit grey picture.
    const GREY: Pixel = Pixel {
        class: SC,
        photometric: "MONOCHROME2",
        samples: 1,
        planar: None,
        bits: [16, 12, 11, 0],
    };

    impl Pixel {
        fn data_set(&self) -> DataSet {
            let [allocated, stored, high, representation] = self.bits;
            let start = DataSet::new()
                .text(tags::SOP_CLASS_UID, VR::UI, self.class)
                .number(tags::SAMPLES_PER_PIXEL, self.samples)
                .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, self.photometric);
            self.planar
                .into_iter()
                .fold(start, |set, planar| set.number(tags::PLANAR_CONFIGURATION, planar))
                .number(tags::BITS_ALLOCATED, allocated)
                .number(tags::BITS_STORED, stored)
                .number(tags::HIGH_BIT, high)
                .number(tags::PIXEL_REPRESENTATION, representation)
        }

        fn findings(&self, syntax: &str) -> Vec<Finding> {
            let bytes = self.data_set().file(syntax);
            findings_in(&PIXEL_DESCRIPTION, &bytes, &Settings::default())
        }

        fn messages(&self, syntax: &str) -> Vec<String> {
            self.findings(syntax).into_iter().map(|finding| finding.message).collect()
        }
    }

    #[test]
    fn sound_descriptions_are_silent() {
        let colour =
            Pixel { photometric: "RGB", samples: 3, planar: Some(1), bits: [8, 8, 7, 0], ..GREY };
        for pixel in [
            GREY,
            Pixel { class: DX, ..GREY },
            Pixel { bits: [16, 16, 15, 1], ..GREY },
            Pixel { bits: [1, 1, 0, 0], ..GREY },
            Pixel { bits: [32, 32, 31, 1], ..GREY },
            Pixel { photometric: "PALETTE COLOR", bits: [8, 8, 7, 0], ..GREY },
            colour,
        ] {
            assert_eq!(pixel.messages(LITTLE), Vec::<String>::new(), "{}", pixel.photometric);
        }
        let jpeg = Pixel {
            photometric: "YBR_FULL_422",
            samples: 3,
            planar: Some(0),
            bits: [8, 8, 7, 0],
            ..GREY
        };
        assert!(jpeg.messages(BASELINE).is_empty());
        let wavelet = Pixel { photometric: "YBR_ICT", ..jpeg };
        assert!(wavelet.messages("1.2.840.10008.1.2.4.91").is_empty());
    }

    #[test]
    fn each_contradiction_is_named_with_what_was_expected() {
        for (pixel, syntax, message) in [
            (
                Pixel { bits: [16, 12, 15, 0], ..GREY },
                LITTLE,
                "HighBit is 15, expected 11 (BitsStored - 1).",
            ),
            (
                Pixel { bits: [8, 12, 11, 0], ..GREY },
                LITTLE,
                "BitsStored is 12, expected 1 to 8 (BitsAllocated).",
            ),
            (
                Pixel { bits: [12, 12, 11, 0], ..GREY },
                LITTLE,
                "BitsAllocated is 12, expected 1, or a multiple of 8 up to 64.",
            ),
            (
                Pixel { bits: [16, 12, 11, 2], ..GREY },
                LITTLE,
                "PixelRepresentation is 2, expected 0 (unsigned) or 1 (signed).",
            ),
            (
                Pixel { samples: 3, ..GREY },
                LITTLE,
                "SamplesPerPixel is 3, expected 1 with MONOCHROME2.",
            ),
            (
                Pixel { photometric: "RGB", ..GREY },
                LITTLE,
                "SamplesPerPixel is 1, expected 3 with RGB.",
            ),
            (
                Pixel { photometric: "RGB", samples: 3, planar: Some(2), ..GREY },
                LITTLE,
                "PlanarConfiguration is 2, expected 0 or 1.",
            ),
            (
                Pixel { photometric: "YBR_FULL_422", samples: 3, planar: Some(1), ..GREY },
                LITTLE,
                "PlanarConfiguration is 1, expected 0 with YBR_FULL_422.",
            ),
            (
                Pixel { photometric: "YBR_RCT", samples: 3, planar: Some(0), ..GREY },
                LITTLE,
                "PhotometricInterpretation is YBR_RCT, expected a colour model of this transfer syntax (that one is for JPEG 2000).",
            ),
            (
                Pixel { bits: [16, 8, 7, 0], ..GREY },
                BASELINE,
                "BitsAllocated is 16, expected 8 with JPEG baseline.",
            ),
            (
                Pixel { bits: [8, 8, 7, 1], ..GREY },
                BASELINE,
                "PixelRepresentation is 1, expected 0 (unsigned) with lossy JPEG.",
            ),
        ] {
            assert_eq!(pixel.messages(syntax), [message]);
        }
        assert_eq!(Pixel { bits: [16, 0, 0, 0], ..GREY }.messages(LITTLE).len(), 2);
    }

    #[test]
    fn dx_objects_are_held_to_their_own_rules_and_nothing_is_said_twice() {
        let signed = Pixel { class: DX, bits: [16, 12, 11, 1], ..GREY }.messages(LITTLE);
        assert_eq!(signed, ["PixelRepresentation is 1, expected 0 (unsigned). (LD016/dx)"]);
        let odd = Pixel { class: DX, bits: [16, 12, 11, 3], ..GREY }.messages(LITTLE);
        assert_eq!(odd, ["PixelRepresentation is 3, expected 0 (unsigned) or 1 (signed)."]);
        let shallow = Pixel { class: DX, bits: [8, 4, 3, 0], ..GREY }.messages(LITTLE);
        assert_eq!(shallow, ["BitsStored is 4, expected 6 to 16. (LD016/dx)"]);
    }

    #[test]
    fn absent_attributes_are_left_to_ld011() {
        assert!(findings(&PIXEL_DESCRIPTION, &DataSet::new()).is_empty());
        let only = DataSet::new().number(tags::HIGH_BIT, 3);
        assert!(findings(&PIXEL_DESCRIPTION, &only).is_empty());
    }

    #[test]
    fn a_photometric_interpretation_outside_the_profiles_list_is_refused() {
        let settings = settings("[accept]\nphotometric_interpretations = [\"MONOCHROME1\"]");
        let bytes = GREY.data_set().file(LITTLE);
        let findings = findings_in(&PIXEL_DESCRIPTION, &bytes, &settings);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].message.ends_with("(LD016/not-accepted)"), "{}", findings[0].message);
    }
}
