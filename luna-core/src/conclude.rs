//! The second of the three functions: all records in, a report out.

use crate::record::Record;
use crate::source::Item;

/// A listed name with what is known of its bytes.
///
/// ```
/// use luna_core::{Record, conclude::Entry, source::Item};
/// let entry = Entry { item: Item::file("a.png", 0), record: Record::unknown(0) };
/// ```
#[derive(Clone, Debug)]
pub struct Entry {
    /// The name.
    pub item: Item,
    /// What is known.
    pub record: Record,
}
