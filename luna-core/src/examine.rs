//! The first of the three functions: one file's bytes in, a [`Record`] out.

use crate::probe::probe;
use crate::record::Record;
use crate::settings::Settings;

/// Everything that can be known from one file alone.
pub fn examine(bytes: &[u8], settings: &Settings) -> Record {
    let found = probe(bytes, settings.limits());
    let mut record = Record::unknown(bytes.len() as u64);
    record.facts.format = found.format;
    record
}
