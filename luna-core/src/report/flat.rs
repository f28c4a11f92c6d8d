//! A finding's place as columns: what the tables of findings (CSV, Parquet) have in common.

use crate::finding::{Finding, Location};

/// Columns of a table of findings, in order.
pub(super) const COLUMNS: [&str; 21] = [
    "id", "rule", "name", "severity", "path", "message", "help", "offset", "tag", "frame", "row",
    "column", "x", "y", "width", "height", "pointer", "found", "expected", "related", "excepted",
];

/// A location; what its kind does not have is `None`.
#[derive(Default)]
pub(super) struct Place<'a> {
    pub(super) offset: Option<u64>,
    pub(super) tag: Option<&'a str>,
    pub(super) frame: Option<u64>,
    pub(super) row: Option<u64>,
    pub(super) column: Option<&'a str>,
    pub(super) x: Option<u64>,
    pub(super) y: Option<u64>,
    pub(super) width: Option<u64>,
    pub(super) height: Option<u64>,
    pub(super) pointer: Option<&'a str>,
}

impl<'a> Place<'a> {
    pub(super) fn of(finding: &'a Finding) -> Self {
        let mut place = Self::default();
        match &finding.location {
            None => {}
            Some(Location::Byte { offset }) => place.offset = Some(*offset),
            Some(Location::Attribute { path, .. }) => place.tag = Some(path),
            Some(Location::Frame { frame }) => place.frame = Some(u64::from(*frame)),
            Some(Location::Box { x, y, width, height, frame }) => {
                [place.x, place.y, place.width, place.height, place.frame] =
                    [x, y, width, height, frame].map(|number| Some(u64::from(*number)));
            }
            Some(Location::Cell { row, column }) => {
                place.row = Some(*row);
                place.column = column.as_deref();
            }
            Some(Location::Key { pointer }) => place.pointer = Some(pointer),
        }
        place
    }
}
