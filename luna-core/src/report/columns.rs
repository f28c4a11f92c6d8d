//! The columns of both tables: a name and a way to its value, a line a column.

use super::FileEntry;
use super::facts::kind_title;
use super::flat::Place;
use crate::digest::Digest;
use crate::finding::{Finding, Severity};
use crate::record::{DicomFacts, Measurements};
use crate::text::six_digits;

/// A column of a table whose rows are of type `T`.
#[derive(Debug)]
pub struct Column<T: 'static> {
    /// Its name: `snake_case`, with the unit where there is one.
    pub name: &'static str,
    /// How the value of a row is had, and so the column's type.
    pub get: Get<T>,
}

/// How the value of a row is had; `None` is what is not known.
#[derive(Debug)]
#[non_exhaustive]
pub enum Get<T: 'static> {
    /// A text as it is, not escaped.
    Text(for<'a> fn(&'a T) -> Option<&'a str>),
    /// A fingerprint, hexadecimal where it is written.
    Digest(fn(&T) -> Option<Digest>),
    /// A whole number, not negative.
    Whole(fn(&T) -> Option<u64>),
    /// A number.
    Number(fn(&T) -> Option<f64>),
    /// Yes or no.
    Flag(fn(&T) -> Option<bool>),
    /// Any number of texts.
    Texts(for<'a> fn(&'a T) -> &'a [String]),
}

const fn column<T>(name: &'static str, get: Get<T>) -> Column<T> {
    Column { name, get }
}

/// The table of findings, one a row: the columns of CSV and Parquet.
///
/// ```
/// use luna_core::report::FINDING_COLUMNS;
/// assert_eq!(FINDING_COLUMNS[1].name, "rule");
/// ```
pub const FINDING_COLUMNS: &[Column<Finding>] = &[
    column("id", Get::Text(|finding| Some(&finding.id))),
    column("rule", Get::Text(|finding| Some(&finding.rule))),
    column("name", Get::Text(|finding| Some(&finding.name))),
    column("severity", Get::Text(|finding| Some(finding.severity.as_str()))),
    column("path", Get::Text(|finding| finding.path.as_deref())),
    column("message", Get::Text(|finding| Some(&finding.message))),
    column("help", Get::Text(|finding| Some(&finding.help))),
    column("offset", Get::Whole(|finding| Place::of(finding).offset)),
    column("tag", Get::Text(|finding| Place::of(finding).tag)),
    column("frame", Get::Whole(|finding| Place::of(finding).frame)),
    column("row", Get::Whole(|finding| Place::of(finding).row)),
    column("column", Get::Text(|finding| Place::of(finding).column)),
    column("x", Get::Whole(|finding| Place::of(finding).x)),
    column("y", Get::Whole(|finding| Place::of(finding).y)),
    column("width", Get::Whole(|finding| Place::of(finding).width)),
    column("height", Get::Whole(|finding| Place::of(finding).height)),
    column("pointer", Get::Text(|finding| Place::of(finding).pointer)),
    column("found", Get::Text(|finding| finding.found.as_deref())),
    column("expected", Get::Text(|finding| finding.expected.as_deref())),
    column("related", Get::Texts(|finding| &finding.related)),
    column("excepted", Get::Flag(|finding| Some(finding.excepted))),
];

/// The table of files, one a row: facts, measurements, fingerprints, the DICOM header, and how many findings
/// weigh. `path` joins it with the findings.
///
/// ```
/// # use luna_core::{Validator, source::Memory};
/// use luna_core::report::{FILE_COLUMNS, Get};
/// let report = Validator::default().validate(&Memory::single("a.png", Vec::new()))?;
/// let Get::Text(path) = &FILE_COLUMNS[0].get else { panic!("a path is text") };
/// assert_eq!(path(&report.files[0]), Some("a.png"));
/// # Ok::<(), luna_core::Error>(())
/// ```
pub const FILE_COLUMNS: &[Column<FileEntry>] = &[
    column("path", Get::Text(|file| Some(&file.path))),
    column("kind", Get::Text(|file| Some(kind_title(file.facts.kind)))),
    column("size_bytes", Get::Whole(|file| Some(file.facts.size_bytes))),
    column("sha256", Get::Digest(|file| file.facts.sha256)),
    column("format", Get::Text(|file| file.facts.format.map(crate::Format::id))),
    column("transfer_syntax", Get::Text(|file| file.facts.transfer_syntax.as_deref())),
    column("width", Get::Whole(|file| file.facts.width.map(u64::from))),
    column("height", Get::Whole(|file| file.facts.height.map(u64::from))),
    column("frames", Get::Whole(|file| file.facts.frames.map(u64::from))),
    column("channels", Get::Whole(|file| file.facts.channels.map(u64::from))),
    column("bits_allocated", Get::Whole(|file| file.facts.bits_allocated.map(u64::from))),
    column("bits_stored", Get::Whole(|file| file.facts.bits_stored.map(u64::from))),
    column("signed", Get::Flag(|file| file.facts.signed)),
    column(
        "photometric_interpretation",
        Get::Text(|file| file.facts.photometric_interpretation.as_deref()),
    ),
    column("min", Get::Number(|file| measured(file, |own| own.min))),
    column("max", Get::Number(|file| measured(file, |own| own.max))),
    column("mean", Get::Number(|file| measured(file, |own| own.mean))),
    column("std", Get::Number(|file| measured(file, |own| own.std))),
    column("p01", Get::Number(|file| measured(file, |own| own.p01))),
    column("p50", Get::Number(|file| measured(file, |own| own.p50))),
    column("p99", Get::Number(|file| measured(file, |own| own.p99))),
    column("entropy_bits", Get::Number(|file| measured(file, |own| own.entropy_bits))),
    column("clipped_low", Get::Number(|file| measured(file, |own| own.clipped_low))),
    column("clipped_high", Get::Number(|file| measured(file, |own| own.clipped_high))),
    column(
        "distinct_values",
        Get::Whole(|file| file.facts.measurements.as_ref().map(|own| own.distinct_values)),
    ),
    column("sharpness", Get::Number(|file| measured(file, |own| own.sharpness))),
    column("pixels", Get::Digest(|file| file.facts.fingerprints.pixels)),
    column("perceptual", Get::Digest(|file| file.facts.fingerprints.perceptual)),
    column("sop_class_uid", Get::Text(|file| header(file)?.sop_class_uid.as_deref())),
    column("modality", Get::Text(|file| header(file)?.modality.as_deref())),
    column("presentation_intent", Get::Text(|file| header(file)?.presentation_intent.as_deref())),
    column("image_type", Get::Text(|file| header(file)?.image_type.as_deref())),
    column("body_part", Get::Text(|file| header(file)?.body_part.as_deref())),
    column("view_position", Get::Text(|file| header(file)?.view_position.as_deref())),
    column("laterality", Get::Text(|file| header(file)?.laterality.as_deref())),
    column("patient_orientation", Get::Text(|file| header(file)?.patient_orientation.as_deref())),
    column(
        "imager_pixel_spacing_row_mm",
        Get::Number(|file| first(file, |own| own.imager_pixel_spacing_mm)),
    ),
    column(
        "imager_pixel_spacing_column_mm",
        Get::Number(|file| second(file, |own| own.imager_pixel_spacing_mm)),
    ),
    column("pixel_spacing_row_mm", Get::Number(|file| first(file, |own| own.pixel_spacing_mm))),
    column("pixel_spacing_column_mm", Get::Number(|file| second(file, |own| own.pixel_spacing_mm))),
    column("window_center", Get::Number(|file| first(file, |own| own.window))),
    column("window_width", Get::Number(|file| second(file, |own| own.window))),
    column("rescale_slope", Get::Number(|file| first(file, |own| own.rescale))),
    column("rescale_intercept", Get::Number(|file| second(file, |own| own.rescale))),
    column("burned_in_annotation", Get::Text(|file| header(file)?.burned_in_annotation.as_deref())),
    column("lossy_compression", Get::Text(|file| header(file)?.lossy_compression.as_deref())),
    column("manufacturer", Get::Text(|file| header(file)?.manufacturer.as_deref())),
    column("model", Get::Text(|file| header(file)?.model.as_deref())),
    column("sex", Get::Text(|file| header(file)?.sex.as_deref())),
    column("age_group", Get::Text(|file| header(file)?.age_group.as_deref())),
    column("patient", Get::Text(|file| header(file)?.patient.as_deref())),
    column("study", Get::Text(|file| header(file)?.study.as_deref())),
    column("series", Get::Text(|file| header(file)?.series.as_deref())),
    column("errors", Get::Whole(|file| Some(weighing(file, Severity::Error)))),
    column("warnings", Get::Whole(|file| Some(weighing(file, Severity::Warning)))),
    column("infos", Get::Whole(|file| Some(weighing(file, Severity::Info)))),
];

fn header(file: &FileEntry) -> Option<&DicomFacts> {
    file.facts.dicom.as_deref()
}

/// A measurement with the digits that JSON gives it.
fn measured(file: &FileEntry, get: fn(&Measurements) -> f64) -> Option<f64> {
    file.facts.measurements.as_ref().map(|own| six_digits(get(own)))
}

fn first(file: &FileEntry, get: fn(&DicomFacts) -> Option<[f64; 2]>) -> Option<f64> {
    header(file).and_then(get).map(|[one, _]| six_digits(one))
}

fn second(file: &FileEntry, get: fn(&DicomFacts) -> Option<[f64; 2]>) -> Option<f64> {
    header(file).and_then(get).map(|[_, two]| six_digits(two))
}

/// Findings of a severity, excepted ones left out.
fn weighing(file: &FileEntry, severity: Severity) -> u64 {
    let weighs = |finding: &&Finding| finding.severity == severity && !finding.excepted;
    file.findings.iter().filter(weighs).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tables_have_the_columns_that_others_promise() {
        let names: Vec<_> = FINDING_COLUMNS.iter().map(|column| column.name).collect();
        assert_eq!(names, crate::report::flat::COLUMNS);
        // Every fact of the JSON is a column, or several.
        let sample = crate::report::sample::one_file();
        let json = serde_json::to_value(&sample.files[0].facts).unwrap();
        let has = |key: &str| {
            FILE_COLUMNS
                .iter()
                .any(|own| own.name == key || own.name.starts_with(key.trim_end_matches("_mm")))
        };
        for (key, value) in json.as_object().unwrap() {
            let parts = ["measurements", "fingerprints", "dicom"].contains(&key.as_str());
            match value.as_object().filter(|_| parts) {
                Some(inner) => inner.keys().for_each(|key| assert!(has(key), "{key}")),
                None => assert!(has(key), "{key}"),
            }
        }
    }
}
