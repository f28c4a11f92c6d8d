//! Text from outside, made safe to print, and values that may name a person, masked.

use std::fmt::Write as _;

/// Longest piece of foreign text that a message repeats, in characters.
const SHOWN: usize = 80;

/// Escapes what a terminal, a log or a page must not receive raw: control characters, bidirectional
/// and zero-width marks, line and paragraph separators. Everything else stays as it is.
///
/// ```
/// assert_eq!(luna_core::text::escaped("a\u{202e}b\n"), "a\\u{202e}b\\n");
/// ```
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unsafe(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// True for characters that change how the text around them is shown, or that cannot be seen.
pub fn is_unsafe(c: char) -> bool {
    c.is_control() || is_bidi(c) || is_zero_width(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Bidirectional formatting characters (Unicode TR 9).
pub fn is_bidi(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters that take no room: zero-width spaces and joiners, the byte order mark, tags.
pub fn is_zero_width(c: char) -> bool {
    matches!(c, '\u{00ad}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Longest path, name or message on a page, in characters.
const CLIPPED: usize = 240;

/// Foreign text for a page: escaped and, beyond 240 characters, cut in the middle, for the end of a path tells more.
///
/// ```
/// let path = format!("{}/7.png", "a".repeat(500));
/// let shown = luna_core::text::clipped(&path);
/// assert!(shown.contains('…') && shown.ends_with("/7.png"));
/// ```
pub fn clipped(text: &str) -> String {
    let text = escaped(text);
    let length = text.chars().count();
    if length <= CLIPPED {
        return text;
    }
    let head: String = text.chars().take(CLIPPED / 2).collect();
    let tail: String = text.chars().skip(length - CLIPPED / 2).collect();
    format!("{head}…{tail}")
}

/// Foreign text for a message: escaped and cut to 80 characters.
///
/// Only for what cannot name a person (format names, keywords, code strings); see [`masked`].
///
/// ```
/// assert_eq!(luna_core::text::shown("FOR\u{7}PRESENTATION"), "FOR\\u{7}PRESENTATION");
/// ```
pub fn shown(text: &str) -> String {
    let text = escaped(text.trim());
    if text.chars().count() <= SHOWN {
        return text;
    }
    let cut: String = text.chars().take(SHOWN).collect();
    format!("{cut}…")
}

/// A value that may identify a person, without the value.
///
/// ```
/// assert_eq!(luna_core::text::masked("DOE^JANE"), "*** (8 characters)");
/// assert_eq!(luna_core::text::masked("X"), "*** (1 character)");
/// ```
pub fn masked(value: &str) -> String {
    match value.trim().chars().count() {
        1 => "*** (1 character)".to_owned(),
        n => format!("*** ({} characters)", grouped(n as u64)),
    }
}

/// A whole number with its digits in groups of three: `81,920`.
///
/// ```
/// assert_eq!(luna_core::text::grouped(1_048_576), "1,048,576");
/// ```
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun: `1 file`, `2 files`.
///
/// ```
/// assert_eq!(luna_core::text::counted(2_048, "row"), "2,048 rows");
/// ```
pub fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(n), if n == 1 { "" } else { "s" })
}

/// A size in bytes for people: `10.0 MB` (powers of 1,000 below, exact bytes under 10,000).
///
/// ```
/// assert_eq!(luna_core::text::bytes(10_001_234), "10.0 MB");
/// ```
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if n < 10_000 {
        return counted(n, "byte");
    }
    let mut value = n as f64 / 1000.0;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A finite number rounded to six significant digits, as every report writes it.
///
/// ```
/// assert_eq!(luna_core::text::six_digits(1320.412_345), 1320.41);
/// ```
pub fn six_digits(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// True for a day of the Gregorian calendar.
pub(crate) fn is_day(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// The candidate that resembles `word` most, if any is near enough for a hint.
///
/// ```
/// assert_eq!(luna_core::text::nearest("selct", ["ignore", "select"]), Some("select"));
/// assert_eq!(luna_core::text::nearest("zebra", ["ignore", "select"]), None);
/// ```
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        // Of two that are equally near, the first.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_seen_whole_or_cut_in_the_middle() {
        assert_eq!(clipped("a\u{202e}b"), "a\\u{202e}b");
        let whole = "é".repeat(CLIPPED);
        assert_eq!(clipped(&whole), whole);
        let cut = clipped(&format!("{whole}.pdf"));
        assert!(cut.ends_with("é.pdf") && cut.chars().count() == CLIPPED + 1, "{cut}");
    }
}
