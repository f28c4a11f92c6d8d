//! What reports say of a DICOM object, and what only the engine keeps: kind, age, keyed identity.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::{DicomFile, SopClass, SopKind, sop_class};
use crate::record::{DicomFacts, KeyedIdentity, Kind, Record};
use crate::settings::IdentityKey;
use crate::text::six_digits;

/// Characters of a text that a report repeats; LO has 64, ImageType a few words.
const LONGEST_FACT: usize = 128;

/// Writes all that the header tells into a record.
pub(crate) fn fill(record: &mut Record, file: &DicomFile<'_>, key: &IdentityKey) {
    record.facts.kind = kind(file);
    record.facts.transfer_syntax = file.transfer_syntax.as_deref().map(Box::from);
    record.facts.photometric_interpretation = short(file, tags::PHOTOMETRIC_INTERPRETATION);
    record.age_years = age_years(file);
    record.identity = identity(file, key).boxed();
    record.facts.dicom = Some(Box::new(facts(file)));
}

/// What reports repeat of the header. Patient, study and series get their names when the set is known.
pub fn facts(file: &DicomFile<'_>) -> DicomFacts {
    DicomFacts {
        sop_class_uid: sop_class_uid(file).map(Box::from),
        modality: short(file, tags::MODALITY),
        presentation_intent: short(file, tags::PRESENTATION_INTENT_TYPE),
        image_type: short(file, tags::IMAGE_TYPE),
        body_part: short(file, tags::BODY_PART_EXAMINED),
        view_position: short(file, tags::VIEW_POSITION),
        laterality: short(file, tags::IMAGE_LATERALITY).or_else(|| short(file, tags::LATERALITY)),
        patient_orientation: short(file, tags::PATIENT_ORIENTATION),
        imager_pixel_spacing_mm: pair(file, tags::IMAGER_PIXEL_SPACING),
        pixel_spacing_mm: pair(file, tags::PIXEL_SPACING),
        window: both(file, tags::WINDOW_CENTER, tags::WINDOW_WIDTH),
        rescale: both(file, tags::RESCALE_SLOPE, tags::RESCALE_INTERCEPT),
        burned_in_annotation: short(file, tags::BURNED_IN_ANNOTATION),
        lossy_compression: short(file, tags::LOSSY_IMAGE_COMPRESSION),
        manufacturer: short(file, tags::MANUFACTURER),
        model: short(file, tags::MANUFACTURER_MODEL_NAME),
        sex: short(file, tags::PATIENT_SEX),
        age_group: age_years(file).map(|years| age_group(years).into()),
        patient: None,
        study: None,
        series: None,
    }
}

/// A text as far as reports repeat it.
fn short(file: &DicomFile<'_>, tag: Tag) -> Option<Box<str>> {
    let mut text = file.text(tag)?;
    if let Some((end, _)) = text.char_indices().nth(LONGEST_FACT) {
        text.truncate(end);
    }
    Some(text.into())
}

/// SOPClassUID of the data set, else of the file meta.
pub(super) fn sop_class_uid(file: &DicomFile<'_>) -> Option<String> {
    file.text(tags::SOP_CLASS_UID).or_else(|| file.text(tags::MEDIA_STORAGE_SOP_CLASS_UID))
}

/// What the object is to the set: by its SOP class; where that is missing or unknown, a picture if
/// it has pixels or claims to.
pub fn kind(file: &DicomFile<'_>) -> Kind {
    match file.sop_class().map(|class| class.kind) {
        Some(SopKind::XRay | SopKind::OtherImage) => Kind::Image,
        Some(SopKind::Companion) => Kind::Companion,
        None if file.pixel_element().is_some() || file.element(tags::ROWS).is_some() => Kind::Image,
        None => Kind::Unknown,
    }
}

impl DicomFile<'_> {
    /// The SOP class, if it is given and known.
    pub fn sop_class(&self) -> Option<&'static SopClass> {
        sop_class(&sop_class_uid(self)?)
    }
}

/// The first two values of a number attribute.
fn pair(file: &DicomFile<'_>, tag: Tag) -> Option<[f64; 2]> {
    match file.numbers(tag)[..] {
        [first, second, ..] if first.is_finite() && second.is_finite() => {
            Some(rounded([first, second]))
        }
        _ => None,
    }
}

/// The first values of two number attributes.
fn both(file: &DicomFile<'_>, first: Tag, second: Tag) -> Option<[f64; 2]> {
    let first = file.numbers(first).first().copied().filter(|value| value.is_finite())?;
    let second = file.numbers(second).first().copied().filter(|value| value.is_finite())?;
    Some(rounded([first, second]))
}

/// As reports write numbers.
fn rounded(pair: [f64; 2]) -> [f64; 2] {
    pair.map(six_digits)
}

/// PatientAge (0010,1010) in years: `061Y`, `018M`, `003W`, `012D`; without a unit, years.
pub fn age_years(file: &DicomFile<'_>) -> Option<f32> {
    let text = file.text(tags::PATIENT_AGE)?;
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u16 = digits.parse().ok()?;
    let days = match text.get(digits.len()..)? {
        "" | "Y" | "y" => return Some(f32::from(number)),
        "M" => 30.4375,
        "W" => 7.0,
        "D" => 1.0,
        _ => return None,
    };
    Some(f32::from(number) * days / 365.25)
}

/// The bin in which reports say an age.
pub fn age_group(years: f32) -> &'static str {
    match years {
        years if years < 18.0 => "0-17",
        years if years < 65.0 => "18-64",
        years if years < 90.0 => "65-89",
        _ => "90+",
    }
}

/// Keyed hashes of who and what the object belongs to.
fn identity(file: &DicomFile<'_>, key: &IdentityKey) -> KeyedIdentity {
    let hashed = |level: &str, tag: Tag| Some(key.hash(&[level, &file.text(tag)?]));
    let issuer = file.text(tags::ISSUER_OF_PATIENT_ID).unwrap_or_default();
    KeyedIdentity {
        patient: file.text(tags::PATIENT_ID).map(|id| key.hash(&["patient", &issuer, &id])),
        patient_id: hashed("patient-id", tags::PATIENT_ID),
        study: hashed("study", tags::STUDY_INSTANCE_UID),
        series: hashed("series", tags::SERIES_INSTANCE_UID),
        instance: hashed("instance", tags::SOP_INSTANCE_UID),
    }
}
