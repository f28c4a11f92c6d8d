//! Text: mark-up, JSON, tables, or none of them.

use serde::de::IgnoredAny;

use super::Format;

/// Lines of a table that are compared.
const LINES: usize = 32;
/// Longest name of a column that is believed, in bytes.
const COLUMN_NAME: usize = 64;

/// The kind of text; `None` if the bytes are no text. `cut` says that the file goes on.
pub(super) fn sniff(head: &[u8], cut: bool) -> Option<Format> {
    if is_utf16(head) {
        return Some(Format::Text);
    }
    let body = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    if !is_text(body, cut) {
        return None;
    }
    let body = body.trim_ascii_start();
    if body.starts_with(b"%PDF-") {
        return Some(Format::Pdf);
    }
    markup(body)
        .or_else(|| json(body).then_some(Format::Json))
        .or_else(|| table(body, cut))
        .or(Some(Format::Text))
}

/// UTF-8 without control characters that no text has; or, where it is no UTF-8 (tables saved as
/// Latin-1), at least mostly ASCII.
fn is_text(body: &[u8], cut: bool) -> bool {
    let is_control = |byte: &u8| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f);
    if body.is_empty() || body.iter().any(is_control) {
        return false;
    }
    match std::str::from_utf8(body) {
        Ok(_) => true,
        Err(error) if cut && error.error_len().is_none() => true,
        Err(_) => {
            let ascii = body.iter().filter(|byte| byte.is_ascii()).count();
            ascii >= body.len().saturating_sub(body.len() / 4)
        }
    }
}

/// Begins with a byte order mark of UTF-16 and holds its characters.
fn is_utf16(head: &[u8]) -> bool {
    let read: fn([u8; 2]) -> u16 = match head {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return false,
    };
    let units = head.as_chunks::<2>().0.iter().skip(1).map(|pair| read(*pair));
    let mut seen = 0_usize;
    let all_text = char::decode_utf16(units).take(512).all(|c| {
        seen = seen.saturating_add(1);
        c.is_ok_and(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r'))
    });
    all_text && seen > 0
}

fn markup(body: &[u8]) -> Option<Format> {
    let mut rest = body;
    let mut is_xml = false;
    // Declarations and comments before the root element; each turn takes some bytes away.
    while let [b'<', second, ..] = rest {
        let end: &[u8] = match second {
            b'?' => b"?>",
            b'!' if rest.starts_with(b"<!--") => b"-->",
            b'!' if starts_with_word(rest, b"<!doctype html") => return Some(Format::Html),
            b'!' => b">",
            _ => break,
        };
        is_xml |= rest.starts_with(b"<?xml");
        let at = rest.windows(end.len()).position(|window| window == end);
        let next = at.map_or(rest.len(), |at| at.saturating_add(end.len()));
        rest = rest.get(next..).unwrap_or_default().trim_ascii_start();
    }
    let is = |tags: &[&[u8]]| tags.iter().any(|tag| starts_with_word(rest, tag));
    if is(&[b"<svg", b"<svg:svg"]) {
        Some(Format::Svg)
    } else if is(&[b"<html", b"<head", b"<body", b"<script", b"<table", b"<title"]) {
        Some(Format::Html)
    } else {
        let is_tag = matches!(rest, [b'<', c, ..] if c.is_ascii_alphabetic());
        (is_xml || (is_tag && rest.contains(&b'>'))).then_some(Format::Xml)
    }
}

fn starts_with_word(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
        && text.get(word.len()).is_none_or(|next| !next.is_ascii_alphanumeric())
}

/// One or more JSON values, the first an object or a list; what is cut off is not judged.
fn json(body: &[u8]) -> bool {
    if !matches!(body.first(), Some(b'{' | b'[')) {
        return false;
    }
    let values = serde_json::Deserializer::from_slice(body).into_iter::<IgnoredAny>();
    match values.take(LINES).find_map(Result::err) {
        None => true,
        Some(error) => error.is_eof(),
    }
}

/// Lines that have the same number of separators.
fn table(body: &[u8], cut: bool) -> Option<Format> {
    [(b'\t', Format::Tsv), (b',', Format::Csv), (b';', Format::Csv)]
        .into_iter()
        .find(|(separator, _)| is_table(body, *separator, cut))
        .map(|(_, format)| format)
}

fn is_table(body: &[u8], separator: u8, cut: bool) -> bool {
    let mut counts = separators(body, separator);
    // The last line may be cut in the middle.
    if cut && counts.len() > 1 && counts.len() < LINES {
        counts.pop();
    }
    let Some((header, rows)) = counts.split_first() else { return false };
    if *header == 0 {
        return false;
    }
    let same = rows.iter().filter(|count| *count == header).count();
    // A ragged row or two are the table's defect, not another format.
    let alike = same.saturating_mul(4) >= rows.len().saturating_mul(3);
    let certain = *header >= 2 && rows.len() >= 2;
    alike && (certain || (same == rows.len() && has_column_names(body, separator)))
}

/// Separators in each of the first lines, outside of quotes; empty lines do not count.
fn separators(body: &[u8], separator: u8) -> Vec<usize> {
    let mut counts = Vec::new();
    let (mut count, mut quoted, mut blank) = (0_usize, false, true);
    for byte in body.iter().copied().chain([b'\n']) {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => {
                if !blank {
                    counts.push(count);
                }
                (count, blank) = (0, true);
                if counts.len() == LINES {
                    break;
                }
            }
            byte if byte == separator && !quoted => count = count.saturating_add(1),
            _ => {}
        }
        blank &= byte.is_ascii_whitespace() && byte != separator;
    }
    counts
}

/// Short cells without a space at their start: column names, not a sentence with commas.
fn has_column_names(body: &[u8], separator: u8) -> bool {
    let line = body.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    line.split(|byte| *byte == separator)
        .all(|cell| (1..=COLUMN_NAME).contains(&cell.len()) && !cell.starts_with(b" "))
}
