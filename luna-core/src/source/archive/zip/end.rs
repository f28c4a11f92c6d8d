//! The end of a zip archive: where its central directory stands.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::io;

use super::super::bytes::{Bytes, u16_at, u32_at, u64_at};
use super::super::member::Index;
use crate::source::Defect;

const SIGNATURE: &[u8; 4] = b"PK\x05\x06";
const LOCATOR: &[u8; 4] = b"PK\x06\x07";
const ZIP64: &[u8; 4] = b"PK\x06\x06";
const CENTRAL: &[u8; 4] = b"PK\x01\x02";

const LENGTH: u64 = 22;
const LOCATOR_LENGTH: u64 = 20;
const ZIP64_LENGTH: u64 = 56;

/// How far from the end the record is searched for: its longest comment, and as much rubbish.
const SEARCHED: u64 = 2 * 65_535 + LENGTH;

/// What the end of the archive says.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    /// Where the first entry of the central directory stands.
    pub(super) directory: u64,
    /// Where the last one ends.
    pub(super) directory_end: u64,
    /// What all offsets in the archive are short of: bytes that were put before it.
    pub(super) base: u64,
    /// Number of entries.
    pub(super) entries: u64,
    /// Where the archive ends, comment and all.
    pub(super) end: u64,
    /// Where the end record (or the first of its zip64 kin) starts.
    pub(super) start: u64,
    /// True if it is one of several parts.
    pub(super) disks: bool,
    /// True if the directory stands where it should.
    plausible: bool,
}

/// Finds the record; says so if there could be two.
pub(super) fn find(bytes: &Bytes, index: &mut Index) -> io::Result<Option<Tail>> {
    let from = bytes.len().saturating_sub(SEARCHED);
    let tail = bytes.take(from, SEARCHED)?;
    let mut candidates: Vec<Tail> = Vec::new();
    for at in memchr::memmem::rfind_iter(&tail, SIGNATURE).take(64) {
        let record = tail.get(at..).unwrap_or_default();
        if let Some(end) = read(bytes, from.saturating_add(at as u64), record)? {
            candidates.push(end);
        }
    }
    let best = candidates.iter().position(|end| end.plausible && end.end == bytes.len());
    let best = best.or_else(|| candidates.iter().position(|end| end.plausible));
    let Some(chosen) = best.or(if candidates.is_empty() { None } else { Some(0) }) else {
        return Ok(None);
    };
    let chosen = candidates.swap_remove(chosen);
    // A stored archive among the last members has an end of its own, in its own data.
    let other = |end: &&Tail| end.plausible && end.start >= chosen.directory;
    if candidates.iter().find(other).is_some() {
        let reason = "There are two ends of a central directory, and programs choose differently";
        index.push_defect(Defect::ambiguous(reason));
    }
    Ok(Some(chosen))
}

/// Reads a candidate.
fn read(bytes: &Bytes, at: u64, record: &[u8]) -> io::Result<Option<Tail>> {
    let read = || -> Option<(Tail, u64)> {
        let disk = u16_at(record, 4)?;
        let entries = u16_at(record, 10)?;
        let size = u32_at(record, 12)?;
        let offset = u32_at(record, 16)?;
        let comment = u16_at(record, 20)?;
        let end = at.saturating_add(LENGTH).saturating_add(comment.into());
        let end = Tail {
            directory: u64::from(offset),
            directory_end: u64::from(offset).saturating_add(size.into()),
            base: 0,
            entries: entries.into(),
            end,
            start: at,
            disks: disk != 0 && disk != u16::MAX,
            plausible: false,
        };
        Some((end, u64::from(size)))
    };
    let Some((mut end, mut size)) = read().filter(|(end, _)| end.end <= bytes.len()) else {
        return Ok(None);
    };
    let mut declared = end.directory;
    if let Some((start, entries, wide_size, wide_offset)) = zip64(bytes, at)? {
        (end.start, end.entries, size, declared) = (start, entries, wide_size, wide_offset);
    }
    let Some(actual) = end.start.checked_sub(size) else { return Ok(Some(end)) };
    let at_declared = bytes.take(declared, 4)? == CENTRAL || (size == 0 && declared == actual);
    let at_actual = bytes.take(actual, 4)? == CENTRAL || (size == 0 && declared <= actual);
    end.plausible = at_declared || at_actual;
    if at_actual || !at_declared {
        end.directory = actual;
        end.base = actual.saturating_sub(declared);
    } else {
        end.directory = declared;
    }
    end.directory_end = end.directory.saturating_add(size).min(end.start);
    Ok(Some(end))
}

/// The zip64 record before an end record: where it starts, entries, size and offset of the directory.
fn zip64(bytes: &Bytes, end: u64) -> io::Result<Option<(u64, u64, u64, u64)>> {
    let Some(locator_at) = end.checked_sub(LOCATOR_LENGTH) else { return Ok(None) };
    let locator = bytes.take(locator_at, LOCATOR_LENGTH)?;
    if !locator.starts_with(LOCATOR) {
        return Ok(None);
    }
    let declared = u64_at(&locator, 8).unwrap_or(u64::MAX);
    let usual = locator_at.saturating_sub(ZIP64_LENGTH);
    for at in [usual, declared] {
        let record = bytes.take(at, ZIP64_LENGTH)?;
        if record.starts_with(ZIP64)
            && let (Some(entries), Some(size), Some(offset)) =
                (u64_at(&record, 32), u64_at(&record, 40), u64_at(&record, 48))
        {
            return Ok(Some((at, entries, size, offset)));
        }
    }
    Ok(None)
}
