//! TIFF and BigTIFF: a walk over directories of our own. Bytes in; pages, their layout and every
//! strip or tile that is not where it should be out. No pixel is decompressed here.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

pub(crate) mod ifd;
pub(crate) mod layout;
pub(crate) mod page;

use std::collections::BTreeSet;

use self::ifd::{Directory, Tiff};
pub use self::page::{SampleKind, TiffPage};
use super::{Flaw, Flaws, Format, Geometry, Header, Probe};
use crate::limits::Limits;

const NEW_SUBFILE_TYPE: u16 = 254;
const SUBFILE_TYPE: u16 = 255;

/// What a TIFF says of its pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TiffHeader {
    /// Pages that can be decoded, without reduced-resolution ones; only as many as are alike.
    pub pages: Vec<TiffPage>,
}

pub(super) fn probe<'a>(bytes: &'a [u8], limits: &Limits) -> Probe<'a> {
    let mut found = Probe::named(Some(Format::Tiff));
    let Some((tiff, first)) = Tiff::open(bytes) else {
        let what = "header".to_owned();
        found.flaws.push(cut(what, bytes.len(), None));
        return found;
    };
    let directories = directories(&tiff, first, bytes.len(), limits, &mut found.flaws);
    let pages: Vec<&Directory> =
        directories.iter().filter(|directory| !is_reduced(&tiff, directory)).collect();
    if pages.len() > 1 {
        found.flaws.push(Flaw::ManyImages { count: pages.len() as u32, what: "pages" });
    }
    let mut header = TiffHeader::default();
    for (number, directory) in pages.into_iter().enumerate() {
        let page = match page::read(&tiff, directory) {
            Ok(page) => page,
            Err(flaw) => {
                found.flaws.push(flaw);
                break;
            }
        };
        layout::check(&tiff, &page, bytes.len(), &mut found.flaws);
        if header.pages.first().is_some_and(|first| first.geometry() != page.geometry()) {
            break;
        }
        if header.pages.len() == number {
            header.pages.push(page);
        }
    }
    if let Some(first) = header.pages.first() {
        let frames = header.pages.len() as u32;
        found.geometry = Some(Geometry { frames, ..first.geometry() });
    }
    found.header = Header::Tiff(header);
    found
}

/// All directories of the main chain.
fn directories(
    tiff: &Tiff<'_>,
    first: u64,
    length: usize,
    limits: &Limits,
    flaws: &mut Flaws,
) -> Vec<Directory> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut offset = first;
    while offset != 0 {
        let number = found.len().saturating_add(1);
        if !seen.insert(offset) {
            let reason = "the chain of directories (IFD) runs in a circle".to_owned();
            flaws.push(Flaw::Decode { reason, offset: Some(offset), rows: None });
            break;
        }
        if number > limits.frames as usize {
            let (allowed, seen) = (u64::from(limits.frames), number as u64);
            flaws.push(Flaw::OverBudget { limit: "frames", allowed, seen });
            break;
        }
        let Some(directory) = tiff.directory(offset) else {
            let missing = offset.saturating_sub(length as u64).saturating_add(1);
            flaws.push(cut(format!("directory {number}"), length, Some(missing)));
            break;
        };
        if let Some((tag, start, size)) = directory.beyond {
            let there = (length as u64).saturating_sub(start);
            flaws.push(Flaw::Truncated {
                what: format!("the value of tag {tag}"),
                offset: length as u64,
                expected: Some(size),
                found: there.min(size),
                rows: None,
            });
        }
        offset = directory.next;
        found.push(directory);
    }
    if found.is_empty() && flaws.is_empty() {
        let reason = "there is no directory (IFD)".to_owned();
        flaws.push(Flaw::Decode { reason, offset: Some(0), rows: None });
    }
    found
}

/// A smaller copy or a mask of another page.
fn is_reduced(tiff: &Tiff<'_>, directory: &Directory) -> bool {
    let new = tiff.number(directory, NEW_SUBFILE_TYPE).unwrap_or(0);
    new & 0b101 != 0 || tiff.number(directory, SUBFILE_TYPE) == Some(2)
}

/// Bytes are missing at the end.
fn cut(what: String, length: usize, expected: Option<u64>) -> Flaw {
    Flaw::Truncated { what, offset: length as u64, expected, found: 0, rows: None }
}

#[cfg(test)]
mod tests;
