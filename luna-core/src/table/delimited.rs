//! CSV, TSV and their kin (RFC 4180, read strictly): bytes in, rows of texts out, and whatever is
//! wrong with row and column.
//!
//! Own code: the crate `csv` takes an open quote, a ragged row or a stray quote without a word.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::complaint::{About, Complaint, Complaints, row};
use crate::limits::Limits;
use crate::text::{bytes as size, counted, grouped};

const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A row: its number (the first of the file is 1, empty lines count), its cells.
pub(super) type Row = (u64, Vec<String>);

/// Reads all rows; those that are ragged are left out.
pub(super) fn read(bytes: &[u8], limits: &Limits, complaints: &mut Complaints) -> Vec<Row> {
    let body = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if body.starts_with(b"\xff\xfe") || body.starts_with(b"\xfe\xff") {
        complaints.push(
            Complaint::new(About::Broken, "Is written in UTF-16; save it as UTF-8.")
                .found("UTF-16")
                .expected("UTF-8"),
        );
        return Vec::new();
    }
    let mut reader = Reader {
        rest: body,
        separator: separator(body),
        row: 0,
        limits,
        complaints,
        ends: [0; 3],
        stopped: false,
    };
    let mut rows: Vec<Row> = Vec::new();
    while let Some(cells) = reader.record() {
        // An empty line is no row.
        if matches!(&cells[..], [only] if only.is_empty()) {
            continue;
        }
        if rows.is_empty() && cells.len() > limits.table_columns as usize {
            reader.over("table_columns", limits.table_columns.into(), cells.len() as u64);
            break;
        }
        if rows.len() > limits.table_rows as usize {
            reader.over("table_rows", limits.table_rows.into(), rows.len() as u64);
            break;
        }
        let wanted = rows.first().map_or(cells.len(), |(_, header)| header.len());
        if cells.len() == wanted {
            rows.push((reader.row, cells));
        } else {
            reader.ragged(cells.len(), wanted);
        }
        if reader.stopped {
            break;
        }
    }
    reader.mixed_ends();
    rows
}

/// The separator that stands most often in the first line, outside of quotes.
fn separator(body: &[u8]) -> u8 {
    let mut counts = [0_usize; SEPARATORS.len()];
    let mut quoted = false;
    for byte in body {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if quoted => {}
            byte => {
                for (count, separator) in counts.iter_mut().zip(SEPARATORS) {
                    *count = count.saturating_add(usize::from(*byte == separator));
                }
            }
        }
    }
    let mut best = (0, b',');
    for (count, separator) in counts.into_iter().zip(SEPARATORS) {
        if count > best.0 {
            best = (count, separator);
        }
    }
    best.1
}

struct Reader<'a> {
    rest: &'a [u8],
    separator: u8,
    row: u64,
    limits: &'a Limits,
    complaints: &'a mut Complaints,
    /// Lines that end in LF, CRLF, CR.
    ends: [u64; 3],
    stopped: bool,
}

/// How a cell ended.
#[derive(PartialEq)]
enum End {
    Cell,
    Row,
}

impl Reader<'_> {
    /// The cells of the next row; `None` at the end.
    fn record(&mut self) -> Option<Vec<String>> {
        if self.rest.is_empty() {
            return None;
        }
        self.row = self.row.saturating_add(1);
        let mut cells = Vec::new();
        loop {
            let column = cells.len().saturating_add(1);
            let (cell, end) = match self.rest.strip_prefix(b"\"") {
                Some(rest) => {
                    self.rest = rest;
                    self.quoted(column)
                }
                None => self.plain(column),
            };
            // Far more cells than any header may have: nothing is gained by keeping them.
            if cells.len() <= self.limits.table_columns as usize {
                cells.push(self.text(cell, column));
            }
            if end == End::Row {
                return Some(cells);
            }
        }
    }

    fn plain(&mut self, column: usize) -> (Vec<u8>, End) {
        let separator = self.separator;
        let stops = |byte: &u8| *byte == separator || matches!(byte, b'\n' | b'\r');
        let len = self.rest.iter().position(stops).unwrap_or(self.rest.len());
        let (cell, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, &[]));
        self.rest = rest;
        if cell.contains(&b'"') {
            self.odd_quote(column);
        }
        (cell.to_vec(), self.end())
    }

    /// A cell behind its opening quote.
    fn quoted(&mut self, column: usize) -> (Vec<u8>, End) {
        let mut cell = Vec::new();
        loop {
            let Some(len) = memchr::memchr(b'"', self.rest) else {
                let message = format!(
                    "A quote is opened in row {}, column {column} and never closed; everything behind \
                     it would be one cell.",
                    grouped(self.row)
                );
                self.complain(About::Broken, column, message, "a closing quote");
                self.rest = &[];
                self.stopped = true;
                return (Vec::new(), End::Row);
            };
            let (part, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, &[]));
            cell.extend_from_slice(part);
            self.rest = rest.get(1..).unwrap_or_default();
            match self.rest.first() {
                Some(b'"') => {
                    cell.push(b'"');
                    self.rest = self.rest.get(1..).unwrap_or_default();
                }
                Some(byte) if *byte != self.separator && !matches!(byte, b'\n' | b'\r') => {
                    self.odd_quote(column);
                    let (more, end) = self.plain(column);
                    cell.extend(more);
                    return (cell, end);
                }
                _ => return (cell, self.end()),
            }
        }
    }

    /// Goes past a separator or the end of a line.
    fn end(&mut self) -> End {
        let (len, kind) = match self.rest {
            [b'\r', b'\n', ..] => (2, Some(1)),
            [b'\n', ..] => (1, Some(0)),
            [b'\r', ..] => (1, Some(2)),
            [_, ..] => (1, None),
            [] => return End::Row,
        };
        self.rest = self.rest.get(len..).unwrap_or_default();
        match kind.and_then(|kind: usize| self.ends.get_mut(kind)) {
            Some(count) => {
                *count = count.saturating_add(1);
                End::Row
            }
            None => End::Cell,
        }
    }

    fn text(&mut self, cell: Vec<u8>, column: usize) -> String {
        if cell.len() as u64 > self.limits.text_bytes {
            let message = format!(
                "A cell has {} where `text_bytes` allows {}.",
                size(cell.len() as u64),
                size(self.limits.text_bytes)
            );
            self.complain(About::Broken, column, message, "a shorter cell");
            return String::new();
        }
        if cell.contains(&0) {
            let message = "A cell holds a NUL byte.".to_owned();
            self.complain(About::Broken, column, message, "text");
        }
        match String::from_utf8(cell) {
            Ok(text) => text,
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let byte = error.as_bytes().get(at).copied().unwrap_or_default();
                let message = format!(
                    "The cell is not UTF-8: byte {byte:02x} at its place {}. Save the table as UTF-8.",
                    at.saturating_add(1)
                );
                self.complain(About::Broken, column, message, "UTF-8");
                String::from_utf8_lossy(error.as_bytes()).into_owned()
            }
        }
    }

    fn odd_quote(&mut self, column: usize) {
        let message =
            "A quote stands inside a cell; write the whole cell in quotes, and \"\" for each \
                       quote in it."
                .to_owned();
        self.complain(About::Odd, column, message, "\"\" inside a quoted cell");
    }

    fn ragged(&mut self, found: usize, wanted: usize) {
        let message = format!(
            "Row {} has {}, the header {}.",
            grouped(self.row),
            counted(found as u64, "cell"),
            grouped(wanted as u64)
        );
        let complaint = Complaint::new(About::Broken, message)
            .at(row(self.row))
            .found(counted(found as u64, "cell"))
            .expected(counted(wanted as u64, "cell"));
        self.complaints.push(complaint);
    }

    fn over(&mut self, limit: &'static str, allowed: u64, seen: u64) {
        self.complaints.push(over(limit, allowed, seen).at(row(self.row)));
    }

    fn mixed_ends(&mut self) {
        let [lf, crlf, cr] = self.ends;
        if self.ends.iter().filter(|count| **count > 0).count() > 1 {
            let message = format!(
                "Lines end in different ways: {} LF, {} CRLF, {} CR.",
                grouped(lf),
                grouped(crlf),
                grouped(cr)
            );
            let complaint = Complaint::new(About::Odd, message).expected("one way for all lines");
            self.complaints.push(complaint);
        }
    }

    fn complain(&mut self, about: About, column: usize, message: String, expected: &str) {
        let place = super::complaint::cell(self.row, &column.to_string());
        self.complaints.push(Complaint::new(about, message).at(place).expected(expected));
    }
}

/// A limit that a table exceeds; what comes after is not read.
pub(super) fn over(limit: &'static str, allowed: u64, seen: u64) -> Complaint {
    let (allowed, seen) = match limit {
        "table_bytes" => (size(allowed), size(seen)),
        _ => (grouped(allowed), grouped(seen)),
    };
    let message = format!(
        "Has {seen} (or more) where `{limit}` allows {allowed}; what comes after was not read."
    );
    Complaint::new(About::Broken, message).found(seen).expected(format!("at most {allowed}"))
}
