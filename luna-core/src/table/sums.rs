//! Lists as `sha256sum` and `md5sum` write them: digits, a space, a space or `*`, a name.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::complaint::{About, Complaint, Complaints, row};
use super::delimited::over;
use crate::limits::Limits;
use crate::text::grouped;

/// A line: its number, the digits in lower case, the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) line: u64,
    pub(super) digits: String,
    pub(super) path: String,
}

/// True if the first line that says something is one of such a list.
pub(super) fn looks_like(bytes: &[u8]) -> bool {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !is_blank(line));
    let first = lines.take(1).next().unwrap_or_default();
    let text = String::from_utf8_lossy(first);
    [32, 64].iter().any(|digits| parsed(text.trim_end(), *digits).is_some())
}

fn is_blank(line: &[u8]) -> bool {
    line.trim_ascii().is_empty() || line.starts_with(b"#")
}

/// Reads all lines; `digits` is the length of a checksum, told by the first line unless known.
pub(super) fn read(
    bytes: &[u8],
    digits: Option<usize>,
    limits: &Limits,
    complaints: &mut Complaints,
) -> Vec<Sum> {
    let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut sums = Vec::new();
    let mut digits = digits;
    for (number, line) in body.split(|byte| *byte == b'\n').enumerate() {
        let number = (number as u64).saturating_add(1);
        if is_blank(line) {
            continue;
        }
        if sums.len() >= limits.table_rows as usize {
            complaints.push(
                over("table_rows", limits.table_rows.into(), sums.len() as u64).at(row(number)),
            );
            break;
        }
        let mut complain = |message: String, expected: &str| {
            let complaint = Complaint::new(About::Broken, message).at(row(number));
            complaints.push(complaint.expected(expected));
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Ok(text) = std::str::from_utf8(line) else {
            complain(format!("Line {} is not UTF-8.", grouped(number)), "UTF-8");
            continue;
        };
        let found = match digits {
            Some(digits) => parsed(text, digits),
            None => parsed(text, 64).or_else(|| parsed(text, 32)),
        };
        let Some((sum, path)) = found else {
            let wanted = digits.unwrap_or(64);
            let message = format!("Line {} is no checksum with a name.", grouped(number));
            complain(message, &format!("{wanted} hexadecimal digits, two spaces, a path"));
            continue;
        };
        digits = Some(sum.len());
        sums.push(Sum { line: number, digits: sum, path });
    }
    sums
}

/// Digits and name of a line; a backslash before the digits says that the name is escaped.
fn parsed(line: &str, digits: usize) -> Option<(String, String)> {
    let (line, escaped) = match line.strip_prefix('\\') {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    let (sum, rest) = line.split_at_checked(digits)?;
    if !sum.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let name = rest.strip_prefix(' ')?.strip_prefix([' ', '*'])?;
    let name = if escaped { unescaped(name)? } else { name.to_owned() };
    (!name.is_empty()).then(|| (sum.to_ascii_lowercase(), name))
}

fn unescaped(name: &str) -> Option<String> {
    let mut out = String::new();
    let mut letters = name.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => out.push(match letters.next()? {
                'n' => '\n',
                'r' => '\r',
                '\\' => '\\',
                _ => return None,
            }),
            letter => out.push(letter),
        }
    }
    Some(out)
}
