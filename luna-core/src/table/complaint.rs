//! What is wrong inside a table: plain data that rules turn into findings.

use crate::finding::Location;

/// Complaints of one kind about one table beyond this number are counted, not kept.
const MOST: usize = 50;

/// Which rule, and which case of it, a complaint belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// The text breaks the rules of its format (LM002).
    Broken,
    /// The text is readable, but programs differ about it (LM002/odd).
    Odd,
    /// A column or key that must be there is not (LM003).
    Missing,
    /// A column that nobody asked for (LM003/unknown).
    Unknown,
    /// A key of `manifest.json` that there is not (LM003/key).
    UnknownKey,
    /// A value that its column does not allow (LM004).
    Invalid,
    /// A reference that must not be followed (LM004/reference).
    Reference,
    /// A cell that a spreadsheet would run (LM004/formula).
    Formula,
}

impl About {
    pub(crate) const ALL: [Self; 8] = [
        Self::Broken,
        Self::Odd,
        Self::Missing,
        Self::Unknown,
        Self::UnknownKey,
        Self::Invalid,
        Self::Reference,
        Self::Formula,
    ];
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Where it belongs.
    pub about: About,
    /// The place: a cell or a key.
    pub location: Option<Location>,
    /// What is wrong, as a sentence. Values that may identify a person are masked.
    pub message: String,
    /// What was found.
    pub found: Option<String>,
    /// What to write instead.
    pub expected: Option<String>,
}

impl Complaint {
    pub(super) fn new(about: About, message: impl Into<String>) -> Self {
        Self { about, location: None, message: message.into(), found: None, expected: None }
    }

    pub(super) fn at(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }

    pub(super) fn found(mut self, found: impl Into<String>) -> Self {
        self.found = Some(found.into());
        self
    }

    pub(super) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }
}

/// The complaints about one table, in order; of each kind only so many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Complaints {
    kept: Vec<Complaint>,
    counts: [usize; About::ALL.len()],
}

impl Complaints {
    pub(super) fn push(&mut self, complaint: Complaint) {
        let Some(count) = self.counts.get_mut(complaint.about as usize) else { return };
        *count = count.saturating_add(1);
        if *count <= MOST {
            self.kept.push(complaint);
        }
    }

    /// Those that are kept.
    pub fn iter(&self) -> impl Iterator<Item = &Complaint> {
        self.kept.iter()
    }

    /// How many of this kind there are beyond those that are kept.
    pub fn more(&self, about: About) -> usize {
        self.counts.get(about as usize).map_or(0, |count| count.saturating_sub(MOST))
    }

    /// True if something keeps the table from being read in full.
    pub fn is_broken(&self) -> bool {
        self.counts.get(About::Broken as usize).is_some_and(|count| *count > 0)
    }
}

/// A cell of a table.
pub(super) fn cell(row: u64, column: &str) -> Location {
    Location::Cell { row, column: Some(crate::text::shown(column)) }
}

/// A row of a table.
pub(super) const fn row(row: u64) -> Location {
    Location::Cell { row, column: None }
}
