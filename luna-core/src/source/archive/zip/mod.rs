//! Zip archives (APPNOTE 6.3.10): listed by the central directory, held against the local headers.
//!
//! Own code, since the point is to see where two programs would disagree: crates read one of the two
//! headers and believe it.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod end;
mod header;
mod layout;
mod member;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use self::end::Tail;
use self::header::{Central, Local};
use self::layout::Layout;
pub(super) use self::member::read;
use super::bytes::{Bytes, Range};
use super::member::{Index, Member, Place, item, listed_name};
use super::{Budget, RATIO_COUNTS_ABOVE};
use crate::source::{Defect, ItemKind};
use crate::text::{counted, escaped};

/// Bit 0: encrypted. Bit 6 and method 99 are other ways to say so.
const ENCRYPTED: u16 = 1 | 1 << 6;
/// Bit 3: sizes and checksum follow the data.
const DESCRIPTOR: u16 = 1 << 3;
/// Bit 11: the name is UTF-8.
const UTF8: u16 = 1 << 11;
/// Entries that are read ahead of their local headers, which may lie far away.
const AHEAD: usize = 64;
/// About as long as a local header is.
const HEADER_ABOUT: u64 = 128;
/// Flags in which the two headers must agree.
const COMPARED: u16 = ENCRYPTED | DESCRIPTOR | UTF8;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// Lists the archive.
pub(super) fn index(bytes: &Arc<Bytes>, budget: Budget) -> io::Result<Index> {
    let mut index = Index::default();
    let Some(end) = end::find(bytes, &mut index)? else {
        let offset = bytes.len();
        let what = "the central directory".to_owned();
        index.push_defect(Defect::Truncated { what, offset, missing: None });
        return Ok(index);
    };
    if end.disks {
        let encoding = "a zip archive in several parts".to_owned();
        index.push_defect(Defect::Unsupported { encoding });
        return Ok(index);
    }
    let mut layout = Layout::new(&end, bytes.len());
    let mut input = Range::new(bytes, end.directory, end.directory_end);
    let (mut seen, mut unpacked) = (0_u64, 0_u64);
    let (mut announced, mut broken) = (VecDeque::new(), None);
    loop {
        while announced.len() < AHEAD && broken.is_none() && input.left() > 0 {
            let at = input.position();
            match Central::read(&mut input)? {
                Some(central) => {
                    bytes.will_read(central.offset.saturating_add(end.base), HEADER_ABOUT);
                    announced.push_back(central);
                }
                None => broken = Some(at),
            }
        }
        let Some(central) = announced.pop_front() else {
            if let Some(at) = broken {
                broken_directory(&mut index, &end, seen, at);
            }
            break;
        };
        seen = seen.saturating_add(1);
        unpacked = unpacked.saturating_add(central.size);
        if let Some(defect) = budget.exceeded(seen, unpacked, bytes.len()) {
            index.push_defect(defect);
            return Ok(index);
        }
        add(bytes, &end, central, &mut layout, &mut index)?;
    }
    if seen != end.entries && index.defects.is_empty() {
        index.push_defect(Defect::ambiguous(format!(
            "The central directory lists {}, its end declares {}",
            counted(seen, "member"),
            counted(end.entries, "member")
        )));
    }
    layout.check(bytes, &mut index)?;
    index.check_folders();
    Ok(index)
}

fn broken_directory(index: &mut Index, end: &Tail, seen: u64, at: u64) {
    let reason = format!(
        "the central directory breaks off after {} of {}",
        seen,
        counted(end.entries, "member")
    );
    index.push_defect(Defect::Undecodable { reason, offset: at });
}

/// Adds the member that an entry of the central directory describes.
fn add(
    bytes: &Bytes,
    end: &Tail,
    central: Central,
    layout: &mut Layout,
    index: &mut Index,
) -> io::Result<()> {
    let path = listed_name(&central.name);
    let mut defects = central.defects();
    let header_at = central.offset.saturating_add(end.base);
    let mut place = Place::None;
    match Local::read(bytes, header_at)? {
        None => defects
            .push(Defect::ambiguous("No local header stands where the central directory says")),
        Some(local) => {
            defects.extend(local.disagreement(&central));
            let data = header_at.saturating_add(local.len);
            let data_end = data.saturating_add(central.packed);
            let after = member::end(bytes, &central, data_end)?;
            if after.is_none() {
                defects.push(Defect::ambiguous(
                    "What stands behind the data gives other sizes or another checksum",
                ));
            }
            if data_end > end.directory {
                defects.push(Defect::Truncated {
                    what: "the data of the member".to_owned(),
                    offset: end.directory.max(data),
                    missing: Some(data_end.saturating_sub(end.directory.max(data))),
                });
            } else {
                let Central { packed, method, crc, .. } = central;
                place = Place::Zip { offset: data, packed, method, crc };
            }
            layout.push(header_at, after.unwrap_or(data_end), path.clone());
        }
    }
    if central.is_folder() {
        if central.size > 0 {
            index.push_defect(Defect::ambiguous(format!(
                "The folder `{}` holds {}",
                escaped(path.as_str()),
                counted(central.size, "byte")
            )));
        }
        return Ok(());
    }
    let kind = central.kind();
    if kind != ItemKind::File {
        place = Place::None;
    }
    if central.is_encrypted() {
        (place, defects) = (Place::None, [vec![Defect::Encrypted], defects].concat());
    } else if let Some(encoding) = central.unsupported() {
        place = Place::None;
        defects.push(Defect::Unsupported { encoding });
    } else if central.method == STORED && central.packed != central.size {
        place = Place::None;
        defects.push(Defect::ambiguous(format!(
            "Is stored as it is, but with {} of {}",
            central.packed,
            counted(central.size, "byte")
        )));
    }
    index.push(Member { item: item(path, kind, central.size, defects), place });
    Ok(())
}

/// True if so many bytes cannot come out of so few by deflate (at most 1,032 to 1).
fn is_impossible(packed: u64, size: u64) -> bool {
    size > RATIO_COUNTS_ABOVE && size / 1_040 > packed
}
