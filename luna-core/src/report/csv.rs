//! Findings as a table: one a row, the place flattened into columns.
//!
//! Cells are safe to open in a spreadsheet: what begins like a formula gets a leading `'`, what
//! cannot be seen is escaped. Related paths are a JSON array, for a path may hold any separator.

use std::io::{self, Write};

use super::Report;
use super::flat::{COLUMNS, Place};
use crate::finding::Finding;
use crate::text::escaped;

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(COLUMNS)?;
    for finding in report.all_findings() {
        table.write_record(row(finding).map(|cell| safe(&cell)))?;
    }
    table.flush()
}

fn row(finding: &Finding) -> [String; COLUMNS.len()] {
    let at = Place::of(finding);
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let number = |value: Option<u64>| value.map(|number| number.to_string()).unwrap_or_default();
    let related = match finding.related.as_slice() {
        [] => String::new(),
        paths => serde_json::to_string(paths).unwrap_or_default(),
    };
    [
        finding.id.clone(),
        finding.rule.to_string(),
        finding.name.to_string(),
        finding.severity.to_string(),
        text(finding.path.as_deref()),
        finding.message.clone(),
        finding.help.to_string(),
        number(at.offset),
        text(at.tag),
        number(at.frame),
        number(at.row),
        text(at.column),
        number(at.x),
        number(at.y),
        number(at.width),
        number(at.height),
        text(at.pointer),
        text(finding.found.as_deref()),
        text(finding.expected.as_deref()),
        related,
        finding.excepted.to_string(),
    ]
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
