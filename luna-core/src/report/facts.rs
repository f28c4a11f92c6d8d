//! Facts in words and numbers for people; the text and the page say them alike.

use crate::record::{DicomFacts, Facts, Kind};
use crate::text::{grouped, six_digits};

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
