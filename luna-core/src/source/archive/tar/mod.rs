//! Tar archives: ustar, GNU long names, PAX (POSIX.1-2017, pax), old ones without a magic number.
//!
//! One pass lists the members with their offsets; data are skipped, links and devices only named.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod header;
mod pax;

use std::io;

use self::header::Header;
use self::header::is_header;
pub(super) use self::header::is_likely;
use self::pax::Pax;
use super::Budget;
use super::member::{Index, Member, Place, item, listed_name};
use crate::source::{Defect, ItemKind};
use crate::text::{escaped, grouped};

const BLOCK: u64 = 512;

/// Longest name or PAX header that is read.
const MOST_TEXT: u64 = 1 << 20;

/// Bytes of a tar archive from front to back, as they are or unpacked on the way.
pub(super) trait Stream {
    /// Fills the buffer as far as there are bytes.
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
    /// Goes on by at most that many bytes; how many there were.
    fn skip(&mut self, count: u64) -> io::Result<u64>;
    /// Bytes so far.
    fn position(&self) -> u64;
    /// What ended the stream before its time.
    fn defect(&mut self) -> Option<Defect>;
}

/// Lists the archive.
pub(super) fn index(stream: &mut dyn Stream, budget: Budget) -> io::Result<Index> {
    let mut walk = Walk { stream, index: Index::default(), next: Next::default() };
    let (mut seen, mut unpacked) = (0_u64, 0_u64);
    while let Some(header) = walk.header()? {
        seen = seen.saturating_add(1);
        unpacked = unpacked.saturating_add(header.size);
        if let Some(defect) = budget.exceeded(seen, unpacked, u64::MAX) {
            walk.index.push_defect(defect);
            return Ok(walk.index);
        }
        if !walk.entry(&header)? {
            break;
        }
    }
    let defect = walk.stream.defect();
    let mut index = walk.index;
    if let Some(defect) = defect {
        // What follows from an early end is no news.
        if !matches!(defect, Defect::Checksum { .. } | Defect::Stray { .. }) {
            index.defects.retain(|other| !matches!(other, Defect::Truncated { .. }));
        }
        index.push_defect(defect);
    }
    index.check_folders();
    Ok(index)
}

/// What extension headers say of the next member.
#[derive(Debug, Default)]
struct Next {
    gnu_name: Option<Vec<u8>>,
    pax: Option<Pax>,
}

struct Walk<'a> {
    stream: &'a mut dyn Stream,
    index: Index,
    next: Next,
}

impl Walk<'_> {
    /// The next header; `None` at the end, whatever kind of end it is.
    fn header(&mut self) -> io::Result<Option<Header>> {
        let mut zeros = 0_u32;
        loop {
            let at = self.stream.position();
            let mut block = [0; BLOCK as usize];
            let filled = self.stream.fill(&mut block)?;
            if filled < block.len() {
                if filled > 0 || zeros == 0 {
                    let what = if filled == 0 { "the end marker" } else { "a header" };
                    let missing = BLOCK.checked_sub(filled as u64).filter(|_| filled > 0);
                    self.cut(what, at.saturating_add(filled as u64), missing);
                }
                return Ok(None);
            }
            if block.iter().all(|byte| *byte == 0) {
                zeros = zeros.saturating_add(1);
                if zeros == 2 {
                    self.behind()?;
                    return Ok(None);
                }
                continue;
            }
            if zeros > 0 {
                self.index.push_defect(Defect::ambiguous(format!(
                    "A block of zeros stands before byte {}, where some programs stop reading",
                    grouped(at)
                )));
            }
            return Ok(match Header::read(&block, at) {
                Ok(header) => Some(header),
                Err(defect) => {
                    self.index.push_defect(defect);
                    None
                }
            });
        }
    }

    /// What follows the end marker.
    fn behind(&mut self) -> io::Result<()> {
        let from = self.stream.position();
        let mut block = [0; BLOCK as usize];
        let mut stray: Option<(u64, bool)> = None;
        loop {
            let at = self.stream.position();
            let filled = self.stream.fill(&mut block)?;
            let found = block.get(..filled).unwrap_or_default();
            if stray.is_none() && found.iter().any(|byte| *byte != 0) {
                stray = Some((at, is_header(found)));
            }
            if filled < block.len() {
                break;
            }
        }
        match stray {
            Some((at, true)) => self.index.push_defect(Defect::ambiguous(format!(
                "Another archive begins at byte {}, behind the end marker; some programs read on",
                grouped(at)
            ))),
            Some((at, false)) => self.index.push_defect(Defect::Stray {
                place: "behind the end marker".into(),
                offset: at,
                bytes: self.stream.position().saturating_sub(at.max(from)),
            }),
            None => {}
        }
        Ok(())
    }

    fn cut(&mut self, what: &str, offset: u64, missing: Option<u64>) {
        self.index.push_defect(Defect::Truncated { what: what.to_owned(), offset, missing });
    }

    /// Takes a header with what follows it; false if nothing more can be read.
    fn entry(&mut self, header: &Header) -> io::Result<bool> {
        match header.kind {
            b'L' | b'x' | b'g' => self.extension(header),
            b'K' | b'V' => self.data(header.size),
            _ => self.member(header),
        }
    }

    /// A header about the next one (or, `g`, about all that follow).
    fn extension(&mut self, header: &Header) -> io::Result<bool> {
        if header.size > MOST_TEXT {
            self.index.push_defect(Defect::OverBudget {
                limit: "text_bytes".into(),
                allowed: MOST_TEXT,
                seen: header.size,
            });
            return Ok(false);
        }
        let mut text = vec![0; header.size as usize];
        let filled = self.stream.fill(&mut text)?;
        if filled < text.len() {
            let missing = text.len().saturating_sub(filled) as u64;
            self.cut("an extended header", self.stream.position(), Some(missing));
            return Ok(false);
        }
        if !self.pad(header.size)? {
            return Ok(false);
        }
        match header.kind {
            b'L' => {
                let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
                text.truncate(end);
                self.next.gnu_name = Some(text);
            }
            kind => {
                let pax = Pax::read(&text);
                if kind == b'g' {
                    if pax.path.is_some() || pax.size.is_some() || pax.link {
                        self.index.push_defect(Defect::ambiguous(
                            "A PAX header for all members gives a name or a size, which programs \
                             take differently",
                        ));
                    }
                } else if self.next.pax.replace(pax).is_some() {
                    let reason = "A member has two PAX headers, of which programs take one";
                    self.index.push_defect(Defect::ambiguous(reason));
                }
            }
        }
        Ok(true)
    }

    fn member(&mut self, header: &Header) -> io::Result<bool> {
        let Next { gnu_name, pax } = std::mem::take(&mut self.next);
        let pax = pax.unwrap_or_default();
        let mut defects = pax.defects(header, gnu_name.as_deref());
        let size = pax.size.unwrap_or(header.size);
        let raw = pax.path.or(gnu_name).unwrap_or_else(|| header.name.clone());
        let folder =
            matches!(header.kind, b'5' | b'D') || (header.is_plain() && raw.ends_with(b"/"));
        let kind = match header.kind {
            _ if pax.sparse => ItemKind::Special,
            // Folders are not listed; the kind is of no interest.
            b'0' | b'7' | 0 | b'5' | b'D' => ItemKind::File,
            b'1' | b'2' => ItemKind::Link,
            b'3' | b'4' | b'6' | b'S' | b'M' => ItemKind::Special,
            _ => {
                let kind = char::from(header.kind).escape_default();
                let reason = format!("Is of the unknown type `{kind}`");
                defects.push(Defect::ambiguous(reason));
                ItemKind::Special
            }
        };
        if header.kind == b'S' && header.extended && !self.sparse_map()? {
            return Ok(false);
        }
        let holds_data = !matches!(header.kind, b'1'..=b'6');
        if !holds_data && size > 0 {
            defects.push(Defect::ambiguous(format!(
                "Is no plain file, but declares {} bytes of data, which programs skip or do not",
                grouped(size)
            )));
        }
        let offset = self.stream.position();
        let skipped = if holds_data { self.stream.skip(size)? } else { 0 };
        let cut = holds_data && skipped < size;
        if cut {
            let what = "the data of the member".to_owned();
            let at = offset.saturating_add(skipped);
            let missing = Some(size.saturating_sub(skipped));
            self.cut("a member", at, missing);
            defects.push(Defect::Truncated { what, offset: at, missing });
        }
        let path = listed_name(&raw);
        if path.as_bytes().is_empty() && !folder {
            self.index.push_defect(Defect::ambiguous("A member has no name"));
        } else if folder {
            if let Some(defect) = defects.into_iter().next() {
                let path = escaped(path.as_str());
                let reason = match defect {
                    Defect::Ambiguous { reason } => reason,
                    _ => "Is cut".to_owned(),
                };
                self.index.push_defect(Defect::ambiguous(format!("Folder `{path}`: {reason}")));
            }
        } else {
            let plain = kind == ItemKind::File && !cut;
            let place = if plain { Place::Plain { offset } } else { Place::None };
            self.index.push(Member { item: item(path, kind, size, defects), place });
        }
        if cut { Ok(false) } else { self.pad(if holds_data { size } else { 0 }) }
    }

    /// Skips the rest of a sparse file's map.
    fn sparse_map(&mut self) -> io::Result<bool> {
        let mut block = [0; BLOCK as usize];
        loop {
            if self.stream.fill(&mut block)? < block.len() {
                self.cut("the map of a sparse member", self.stream.position(), None);
                return Ok(false);
            }
            if block.get(504).is_none_or(|more| *more == 0) {
                return Ok(true);
            }
        }
    }

    /// Skips data that are of no interest, with their padding.
    fn data(&mut self, size: u64) -> io::Result<bool> {
        let skipped = self.stream.skip(size)?;
        if skipped < size {
            let missing = size.saturating_sub(skipped);
            self.cut("an extended header", self.stream.position(), Some(missing));
            return Ok(false);
        }
        self.pad(size)
    }

    /// Skips what fills the last block.
    fn pad(&mut self, size: u64) -> io::Result<bool> {
        let padding = size.checked_next_multiple_of(BLOCK).map_or(0, |full| full.abs_diff(size));
        let skipped = self.stream.skip(padding)?;
        if skipped < padding {
            let missing = padding.saturating_sub(skipped);
            self.cut("the padding of a member", self.stream.position(), Some(missing));
            return Ok(false);
        }
        Ok(true)
    }
}
