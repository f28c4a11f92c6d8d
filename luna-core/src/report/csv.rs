//! Findings as a table: one a row, the place flattened into columns.
//!
//! Cells are safe to open in a spreadsheet: what begins like a formula gets a leading `'`, what
//! cannot be seen is escaped. Related paths are a JSON array, for a path may hold any separator.

use std::io::{self, Write};

use super::Report;
use crate::finding::{Finding, Location};
use crate::text::escaped;

const COLUMNS: [&str; 21] = [
    "id", "rule", "name", "severity", "path", "message", "help", "offset", "tag", "frame", "row",
    "column", "x", "y", "width", "height", "pointer", "found", "expected", "related", "excepted",
];

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(COLUMNS)?;
    let of_files = report.files.iter().flat_map(|file| &file.findings);
    for finding in of_files.chain(&report.findings) {
        table.write_record(row(finding).map(|cell| safe(&cell)))?;
    }
    table.flush()
}

fn row(finding: &Finding) -> [String; COLUMNS.len()] {
    let at = Place::of(finding.location.as_ref());
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let related = match finding.related.as_slice() {
        [] => String::new(),
        paths => serde_json::to_string(paths).unwrap_or_default(),
    };
    [
        finding.id.clone(),
        finding.rule.clone(),
        finding.name.clone(),
        finding.severity.to_string(),
        text(&finding.path),
        finding.message.clone(),
        finding.help.clone(),
        at.offset,
        at.tag,
        at.frame,
        at.row,
        at.column,
        at.x,
        at.y,
        at.width,
        at.height,
        at.pointer,
        text(&finding.found),
        text(&finding.expected),
        related,
        finding.excepted.to_string(),
    ]
}

/// A location, a text a column.
#[derive(Default)]
struct Place {
    offset: String,
    tag: String,
    frame: String,
    row: String,
    column: String,
    x: String,
    y: String,
    width: String,
    height: String,
    pointer: String,
}

impl Place {
    fn of(location: Option<&Location>) -> Self {
        let mut place = Self::default();
        match location {
            None => {}
            Some(Location::Byte { offset }) => place.offset = offset.to_string(),
            Some(Location::Attribute { path, .. }) => place.tag.clone_from(path),
            Some(Location::Frame { frame }) => place.frame = frame.to_string(),
            Some(Location::Box { x, y, width, height, frame }) => {
                [place.x, place.y, place.width, place.height, place.frame] =
                    [x, y, width, height, frame].map(ToString::to_string);
            }
            Some(Location::Cell { row, column }) => {
                place.row = row.to_string();
                place.column = column.clone().unwrap_or_default();
            }
            Some(Location::Key { pointer }) => place.pointer.clone_from(pointer),
        }
        place
    }
}

/// A cell that no spreadsheet takes for a formula.
fn safe(cell: &str) -> String {
    let shown = escaped(cell);
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{shown}") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_begin_like_a_formula_are_defused() {
        for start in ["=", "+", "-", "@", "\t", "\r"] {
            let cell = safe(&format!("{start}HYPERLINK(1)"));
            assert!(cell.starts_with('\''), "{cell}");
        }
        assert_eq!(safe("a=b"), "a=b");
        assert_eq!(safe("a\u{202e}\nb"), "a\\u{202e}\\nb");
    }
}
