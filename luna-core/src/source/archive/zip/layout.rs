//! Who owns which bytes of a zip archive: members that overlap, bytes that belong to nobody.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::io;

use super::super::bytes::Bytes;
use super::super::member::Index;
use super::end::Tail;
use crate::source::{Defect, ItemPath};
use crate::text::{escaped, grouped};

/// The parts of an archive.
#[derive(Debug)]
pub(super) struct Layout {
    /// Start, end and name of each member, header and all.
    spans: Vec<(u64, u64, ItemPath)>,
    directory: u64,
    directory_end: u64,
    end_record: u64,
    end: u64,
    len: u64,
}

impl Layout {
    pub(super) fn new(end: &Tail, len: u64) -> Self {
        Self {
            spans: Vec::new(),
            directory: end.directory,
            directory_end: end.directory_end,
            end_record: end.start,
            end: end.end,
            len,
        }
    }

    pub(super) fn push(&mut self, start: u64, end: u64, path: ItemPath) {
        self.spans.push((start, end, path));
    }

    /// Adds what is found to members and archive.
    pub(super) fn check(mut self, bytes: &Bytes, index: &mut Index) -> io::Result<()> {
        self.spans.sort_unstable();
        let mut at = 0;
        let mut owner: Option<&ItemPath> = None;
        for (start, end, path) in &self.spans {
            if *start < at {
                if let Some(owner) = owner {
                    overlap(index, path, owner);
                }
            } else {
                let place = if owner.is_none() { BEFORE } else { BETWEEN };
                stray(bytes, index, place, at, *start)?;
            }
            if *end > at {
                (at, owner) = (*end, Some(path));
            }
        }
        stray(bytes, index, BETWEEN, at, self.directory)?;
        stray(bytes, index, BEHIND_DIRECTORY, self.directory_end, self.end_record)?;
        stray(bytes, index, BEHIND, self.end, self.len)
    }
}

const BEFORE: &str = "before the first member";
const BETWEEN: &str = "between the members";
const BEHIND_DIRECTORY: &str = "behind the central directory";
const BEHIND: &str = "behind the end of the archive";

fn overlap(index: &mut Index, path: &ItemPath, owner: &ItemPath) {
    let reason = |other: &ItemPath| {
        Defect::ambiguous(format!("Shares bytes with the member `{}`", escaped(other.as_str())))
    };
    for (one, other) in [(path, owner), (owner, path)] {
        if let Some(member) = index.get_mut(one) {
            let reason = reason(other);
            // A bomb may overlap a thousand times; once is enough.
            let known = |it: &Defect| matches!(it, Defect::Ambiguous { reason } if reason.starts_with("Shares bytes"));
            if !member.item.defects.iter().any(known) {
                member.item.defects.push(reason);
            }
        }
    }
}

/// Bytes that belong to no member: a member that only some programs see, or rubbish.
fn stray(
    bytes: &Bytes,
    index: &mut Index,
    place: &'static str,
    from: u64,
    to: u64,
) -> io::Result<()> {
    if from >= to || bytes.are_zero(from, to)? {
        return Ok(());
    }
    let begins = bytes.take(from, 4)?;
    if begins == b"PK\x03\x04" || begins == b"PK\x01\x02" {
        index.push_defect(Defect::ambiguous(format!(
            "A member at byte {} is missing in the central directory; programs that read from the \
             front find it",
            grouped(from)
        )));
        return Ok(());
    }
    let known = index.defects.iter_mut().find_map(|defect| match defect {
        Defect::Stray { place: other, bytes, .. } if other == place => Some(bytes),
        _ => None,
    });
    let count = to.saturating_sub(from);
    match known {
        Some(bytes) => *bytes = bytes.saturating_add(count),
        None => {
            index.push_defect(Defect::Stray { place: place.into(), offset: from, bytes: count });
        }
    }
    Ok(())
}
