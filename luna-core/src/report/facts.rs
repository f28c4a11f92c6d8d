//! Facts in words and numbers for people; the text and the page say them alike.

use std::fmt::Write as _;

use crate::dicom::describe;
use crate::record::{DicomFacts, Facts, Kind, Measurements};
use crate::text::{bytes, counted, grouped, six_digits};

/// What a kind of file is called.
pub(crate) const fn kind_title(kind: Kind) -> &'static str {
    match kind {
        Kind::Image => "image",
        Kind::Companion => "companion",
        Kind::Table => "table",
        Kind::Document => "document",
        Kind::Debris => "debris",
        Kind::Unknown => "unknown",
    }
}

/// Six significant digits, thousands grouped: `1,320.41`.
pub(crate) fn number(value: f64) -> String {
    let digits = six_digits(value.abs()).to_string();
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), grouped);
    let sign = if value < 0.0 { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

/// Three significant digits, or a whole number.
pub(crate) fn brief(value: f64) -> String {
    if value.fract() == 0.0 {
        return number(value);
    }
    number(format!("{value:.2e}").parse().unwrap_or(value))
}

/// A share from 0 to 1 as `12.3 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", six_digits((share * 10_000.0).round() / 100.0))
}

/// `12 of 16 bits`.
pub(crate) fn depth(facts: &Facts) -> Option<String> {
    let (stored, allocated) = (facts.bits_stored?, facts.bits_allocated?);
    let said = if stored == allocated {
        format!("{stored} bits")
    } else {
        format!("{stored} of {allocated} bits")
    };
    Some(said)
}

/// `2,500 x 2,000`.
pub(crate) fn size(facts: &Facts) -> Option<String> {
    Some(format!("{} x {}", grouped(facts.width?.into()), grouped(facts.height?.into())))
}

/// `0.15 mm`, or `0.15 x 0.2 mm`.
pub(crate) fn spacing(dicom: &DicomFacts) -> Option<String> {
    let [row, column] = dicom.imager_pixel_spacing_mm.or(dicom.pixel_spacing_mm)?;
    let (row, column) = (number(row), number(column));
    Some(if row == column { format!("{row} mm") } else { format!("{row} x {column} mm") })
}

/// What is known, a row a subject; rows of which nothing is known are left out.
pub(crate) fn in_words(facts: &Facts) -> Vec<(&'static str, String)> {
    let format = facts.format.map_or("format unknown", |format| format.title());
    let mut rows = vec![(
        "file",
        format!("{}, {format}, {}", kind_title(facts.kind), bytes(facts.size_bytes)),
    )];
    rows.extend(picture(facts).map(|value| ("picture", value)));
    rows.extend(facts.transfer_syntax.as_deref().map(|uid| ("encoding", describe(uid))));
    rows.extend(facts.dicom.as_ref().map(|dicom| ("DICOM", header(dicom))));
    rows.extend(facts.measurements.iter().flat_map(measured));
    let hashes = [
        ("sha256", facts.sha256),
        ("pixels", facts.fingerprints.pixels),
        ("perceptual", facts.fingerprints.perceptual),
    ];
    rows.extend(hashes.into_iter().filter_map(|(name, hash)| Some((name, hash?.to_string()))));
    rows
}

fn picture(facts: &Facts) -> Option<String> {
    let (width, height) = (facts.width?, facts.height?);
    let mut said = format!("{} x {} pixels", grouped(width.into()), grouped(height.into()));
    let frames = facts.frames.map(|n| counted(n.into(), "frame"));
    let channels = facts.channels.map(|n| counted(n.into(), "channel"));
    let signed = facts.signed.map(|signed| if signed { "signed" } else { "unsigned" }.to_owned());
    let photometric = facts.photometric_interpretation.as_deref().map(str::to_owned);
    for part in [frames, channels, depth(facts), signed, photometric].into_iter().flatten() {
        let _ = write!(said, ", {part}");
    }
    Some(said)
}

fn header(dicom: &DicomFacts) -> String {
    let texts = [
        ("", &dicom.modality),
        ("", &dicom.presentation_intent),
        ("", &dicom.body_part),
        ("view ", &dicom.view_position),
        ("laterality ", &dicom.laterality),
        ("image type ", &dicom.image_type),
        ("burned-in annotation ", &dicom.burned_in_annotation),
        ("lossy compression ", &dicom.lossy_compression),
        ("by ", &dicom.manufacturer),
        ("", &dicom.model),
        ("sex ", &dicom.sex),
        ("age ", &dicom.age_group),
        ("", &dicom.patient),
        ("", &dicom.study),
        ("", &dicom.series),
        ("SOP class ", &dicom.sop_class_uid),
    ];
    let mut parts: Vec<_> = texts
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}{}", value.as_ref()?)))
        .collect();
    parts.extend(spacing(dicom).map(|said| format!("spacing {said}")));
    let window = dicom.window.map(|[c, w]| format!("window {} / {}", number(c), number(w)));
    let rescale =
        dicom.rescale.map(|[s, i]| format!("rescale slope {}, intercept {}", number(s), number(i)));
    parts.extend(window.into_iter().chain(rescale));
    parts.join(", ")
}

fn measured(m: &Measurements) -> [(&'static str, String); 2] {
    let values = [
        ("min", m.min),
        ("p01", m.p01),
        ("median", m.p50),
        ("mean", m.mean),
        ("p99", m.p99),
        ("max", m.max),
        ("std", m.std),
    ];
    let values = values.map(|(name, value)| format!("{name} {}", number(value))).join(", ");
    let texture = format!(
        "{}, entropy {} bits, clipped {} low and {} high, sharpness {}",
        counted(m.distinct_values, "different value"),
        number(m.entropy_bits),
        percent(m.clipped_low),
        percent(m.clipped_high),
        number(m.sharpness),
    );
    [("values", values), ("texture", texture)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_keep_six_digits() {
        let said = [0.0, -1024.0, 1_320.412_345, 0.000_123_456_78, 1_234_567.0].map(number);
        assert_eq!(said, ["0", "-1,024", "1,320.41", "0.000123457", "1,234,570"]);
        assert_eq!(percent(0.001), "0.1 %");
    }
}
