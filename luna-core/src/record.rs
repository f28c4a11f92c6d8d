//! What is known of one file: a [`Record`], made by [`examine`](crate::examine()) from bytes alone.
//!
//! A record knows no path: the same bytes give the same record wherever they lie. [`Facts`] are the
//! part of it that stands in every report.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::finding::Finding;
use crate::probe::Format;
use crate::text::six_digits;

/// What a listed file is to a data set.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A picture, or what claims to be one.
    Image,
    /// A DICOM object that goes with pictures: structured report, presentation state, plan, …
    Companion,
    /// A readable table: CSV, TSV, JSON, Parquet.
    Table,
    /// A plain document such as a README or a licence.
    Document,
    /// What operating systems leave behind, and hidden files.
    Debris,
    /// Nothing that is known here.
    Unknown,
}

/// Everything a report says of one file, but for its path and findings. What is not known is `None`
/// (`null` in JSON).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Facts {
    /// What the file is to the data set.
    pub kind: Kind,
    /// Size in bytes.
    pub size_bytes: u64,
    /// SHA-256 of the bytes, hexadecimal; `null` if they could not be read.
    #[schemars(with = "Option<String>")]
    pub sha256: Option<Digest>,
    /// Format, told by the bytes.
    pub format: Option<Format>,
    /// DICOM transfer syntax UID.
    pub transfer_syntax: Option<Box<str>>,
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// Number of frames or pages.
    pub frames: Option<u32>,
    /// Samples a pixel, as measured: 1 grey or palette index, 2 grey and alpha, 3 RGB, 4 RGB and
    /// alpha.
    pub channels: Option<u8>,
    /// Bits that a sample takes in the file.
    pub bits_allocated: Option<u8>,
    /// Bits of a sample that carry the value.
    pub bits_stored: Option<u8>,
    /// True if samples are signed (two's complement) or floating point.
    pub signed: Option<bool>,
    /// DICOM photometric interpretation, as declared.
    pub photometric_interpretation: Option<Box<str>>,
    /// Numbers taken of the stored values.
    pub measurements: Option<Measurements>,
    /// Fingerprints of the picture.
    pub fingerprints: Fingerprints,
    /// What the DICOM header says; `null` for what is not DICOM.
    pub dicom: Option<Box<DicomFacts>>,
}

impl Facts {
    /// Facts of a file of which only its size is known.
    pub fn unknown(size_bytes: u64) -> Self {
        Self {
            kind: Kind::Unknown,
            size_bytes,
            sha256: None,
            format: None,
            transfer_syntax: None,
            width: None,
            height: None,
            frames: None,
            channels: None,
            bits_allocated: None,
            bits_stored: None,
            signed: None,
            photometric_interpretation: None,
            measurements: None,
            fingerprints: Fingerprints::default(),
            dicom: None,
        }
    }

    /// True if this is an image whose pixels were decoded and measured in full.
    pub fn is_decoded_image(&self) -> bool {
        self.kind == Kind::Image && self.measurements.is_some()
    }
}

/// Numbers taken of the stored values as decoded: before modality and VOI LUT, before polarity, over
/// all frames and samples (alpha excepted); YBR as RGB, palette images as their indices.
///
/// Formulas: [`measure`](crate::measure).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measurements {
    /// Lowest value.
    #[serde(serialize_with = "rounded")]
    pub min: f64,
    /// Highest value.
    #[serde(serialize_with = "rounded")]
    pub max: f64,
    /// Arithmetic mean.
    #[serde(serialize_with = "rounded")]
    pub mean: f64,
    /// Standard deviation (of the population).
    #[serde(serialize_with = "rounded")]
    pub std: f64,
    /// 1st percentile (nearest rank).
    #[serde(serialize_with = "rounded")]
    pub p01: f64,
    /// Median (nearest rank).
    #[serde(serialize_with = "rounded")]
    pub p50: f64,
    /// 99th percentile (nearest rank).
    #[serde(serialize_with = "rounded")]
    pub p99: f64,
    /// Shannon entropy of the histogram of values, in bits.
    #[serde(serialize_with = "rounded")]
    pub entropy_bits: f64,
    /// Share of samples at the lowest value that the stored bits can hold, 0 to 1.
    #[serde(serialize_with = "rounded")]
    pub clipped_low: f64,
    /// Share of samples at the highest value that the stored bits can hold, 0 to 1.
    #[serde(serialize_with = "rounded")]
    pub clipped_high: f64,
    /// Number of different values.
    pub distinct_values: u64,
    /// Mean absolute 4-neighbour Laplacian, in stored values.
    #[serde(serialize_with = "rounded")]
    pub sharpness: f64,
}

impl Measurements {
    /// With the digits that reports give them, so that a record that was stored is the record that was.
    pub(crate) fn rounded(&self) -> Self {
        Self {
            min: six_digits(self.min),
            max: six_digits(self.max),
            mean: six_digits(self.mean),
            std: six_digits(self.std),
            p01: six_digits(self.p01),
            p50: six_digits(self.p50),
            p99: six_digits(self.p99),
            entropy_bits: six_digits(self.entropy_bits),
            clipped_low: six_digits(self.clipped_low),
            clipped_high: six_digits(self.clipped_high),
            distinct_values: self.distinct_values,
            sharpness: six_digits(self.sharpness),
        }
    }
}

/// Whole numbers are written as such, others with six significant digits.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn rounded<S: serde::Serializer>(value: &f64, out: S) -> Result<S::Ok, S::Error> {
    let value = six_digits(*value);
    if value.fract() == 0.0 && value.abs() < 9.0e15 {
        return out.serialize_i64(value as i64);
    }
    out.serialize_f64(value)
}

/// Both with six significant digits.
#[expect(clippy::ref_option, reason = "serde passes the field by reference")]
fn rounded_pair<S: serde::Serializer>(pair: &Option<[f64; 2]>, out: S) -> Result<S::Ok, S::Error> {
    pair.map(|values| values.map(six_digits)).serialize(out)
}

/// Fingerprints by which pictures are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fingerprints {
    /// BLAKE3 over the canonical pixels (`luna-px-1`), hexadecimal; `null` for constant images.
    #[schemars(with = "Option<String>")]
    pub pixels: Option<Digest>,
    /// 255-bit DCT hash of the content box, hexadecimal; `null` for constant images.
    #[schemars(with = "Option<String>")]
    pub perceptual: Option<Digest>,
}

/// What a DICOM header says, as far as a report repeats it. No value here names a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DicomFacts {
    /// SOPClassUID (0008,0016).
    pub sop_class_uid: Option<Box<str>>,
    /// Modality (0008,0060).
    pub modality: Option<Box<str>>,
    /// PresentationIntentType (0008,0068).
    pub presentation_intent: Option<Box<str>>,
    /// ImageType (0008,0008), values separated by `\`.
    pub image_type: Option<Box<str>>,
    /// BodyPartExamined (0018,0015).
    pub body_part: Option<Box<str>>,
    /// ViewPosition (0018,5101).
    pub view_position: Option<Box<str>>,
    /// ImageLaterality (0020,0062), else Laterality (0020,0060).
    pub laterality: Option<Box<str>>,
    /// PatientOrientation (0020,0020), values separated by `\`.
    pub patient_orientation: Option<Box<str>>,
    /// ImagerPixelSpacing (0018,1164): row spacing, column spacing, in mm.
    #[serde(serialize_with = "rounded_pair")]
    pub imager_pixel_spacing_mm: Option<[f64; 2]>,
    /// PixelSpacing (0028,0030): row spacing, column spacing, in mm.
    #[serde(serialize_with = "rounded_pair")]
    pub pixel_spacing_mm: Option<[f64; 2]>,
    /// First WindowCenter and WindowWidth (0028,1050), (0028,1051).
    #[serde(serialize_with = "rounded_pair")]
    pub window: Option<[f64; 2]>,
    /// RescaleSlope and RescaleIntercept (0028,1053), (0028,1052).
    #[serde(serialize_with = "rounded_pair")]
    pub rescale: Option<[f64; 2]>,
    /// BurnedInAnnotation (0028,0301).
    pub burned_in_annotation: Option<Box<str>>,
    /// LossyImageCompression (0028,2110).
    pub lossy_compression: Option<Box<str>>,
    /// Manufacturer (0008,0070).
    pub manufacturer: Option<Box<str>>,
    /// ManufacturerModelName (0008,1090).
    pub model: Option<Box<str>>,
    /// PatientSex (0010,0040).
    pub sex: Option<Box<str>>,
    /// Age in bins: `0-17`, `18-64`, `65-89`, `90+`.
    pub age_group: Option<Box<str>>,
    /// `patient-17`: patients of this set, numbered in path order.
    pub patient: Option<Box<str>>,
    /// `study-17`: studies of this set, numbered in path order.
    pub study: Option<Box<str>>,
    /// `series-17`: series of this set, numbered in path order.
    pub series: Option<Box<str>>,
}

/// Keyed hashes (HMAC-SHA-256, hexadecimal) of who and what a DICOM object belongs to. They never
/// stand in a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedIdentity {
    /// Issuer and PatientID.
    pub patient: Option<Digest>,
    /// PatientID alone, as a table gives it.
    #[serde(default)]
    pub patient_id: Option<Digest>,
    /// StudyInstanceUID.
    pub study: Option<Digest>,
    /// SeriesInstanceUID.
    pub series: Option<Digest>,
    /// SOPInstanceUID.
    pub instance: Option<Digest>,
}

/// A box that is there only if something is in it; written as if it always were.
mod boxed {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::KeyedIdentity;

    #[expect(clippy::ref_option, reason = "serde passes the field by reference")]
    pub(super) fn serialize<S: Serializer>(
        identity: &Option<Box<KeyedIdentity>>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        match identity {
            Some(identity) => identity.serialize(out),
            None => KeyedIdentity::default().serialize(out),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Option<Box<KeyedIdentity>>, D::Error> {
        KeyedIdentity::deserialize(input).map(KeyedIdentity::boxed)
    }
}

impl KeyedIdentity {
    /// `None` if nothing is known.
    pub(crate) fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

/// All that one file's bytes can tell; at most 2 KiB beside its findings.
///
/// ```
/// let settings = luna_core::Settings::default();
/// let record = luna_core::examine(b"%PDF-1.7", &settings);
/// assert_eq!(record.facts.format, Some(luna_core::Format::Pdf));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What reports say of the file; in a place of its own, so that the report takes it over as it lies.
    pub facts: Box<Facts>,
    /// Findings about the file alone; their `path` and `id` are set when the record meets its path.
    pub findings: Vec<Finding>,
    /// Enough to compare two pictures without their pixels; `None` for what has no picture.
    pub descriptor: Option<Descriptor>,
    /// Keyed hashes of the identity, if any is known.
    #[serde(with = "boxed")]
    pub identity: Option<Box<KeyedIdentity>>,
    /// PatientAge in years.
    pub age_years: Option<f32>,
    /// MD5 of the bytes, hexadecimal; computed only where a table gives one.
    #[serde(default)]
    pub md5: Option<Box<str>>,
    /// True if the wall-clock guard cut the work short.
    pub partial: bool,
}

impl Record {
    /// A record of a file of which nothing but its size is known.
    pub fn unknown(size_bytes: u64) -> Self {
        Self {
            facts: Box::new(Facts::unknown(size_bytes)),
            findings: Vec::new(),
            descriptor: None,
            identity: None,
            age_years: None,
            md5: None,
            partial: false,
        }
    }
}
