//! Where strips and tiles lie, and whether all of each is there.

use super::ifd::Tiff;
use super::page::{Compression, TiffPage};
use crate::probe::{Flaw, Flaws, Rows};

/// A strip or tile: what it covers, and where its bytes are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk {
    /// Number, from 1, for people.
    pub(crate) number: usize,
    /// Sample that it holds, if samples are kept apart.
    pub(crate) plane: u8,
    /// Left column.
    pub(crate) x: u32,
    /// Top row.
    pub(crate) y: u32,
    /// Rows of it that are rows of the picture.
    pub(crate) rows: u32,
    /// Offset of its bytes.
    pub(crate) offset: u64,
    /// Number of its bytes.
    pub(crate) length: u64,
}

impl TiffPage {
    /// `strip 3`, for messages.
    pub(crate) fn name(&self, chunk: &Chunk) -> String {
        format!("{} {}", if self.chunks.tiled { "tile" } else { "strip" }, chunk.number)
    }

    /// Samples of a pixel in one strip or tile.
    pub(crate) fn chunk_samples(&self) -> u8 {
        if self.planar { 1 } else { self.samples }
    }

    /// Bytes of one row of a strip or tile, decompressed.
    pub(crate) fn row_bytes(&self) -> Option<usize> {
        let bits = u64::from(self.chunks.width)
            .checked_mul(u64::from(self.chunk_samples()))?
            .checked_mul(u64::from(self.bits))?;
        usize::try_from(bits.div_ceil(8)).ok()
    }

    /// All strips or tiles of a page, in file order.
    pub(crate) fn layout(&self, tiff: &Tiff<'_>) -> Vec<Chunk> {
        let across = self.width.div_ceil(self.chunks.width.max(1));
        let down = self.height.div_ceil(self.chunks.height.max(1));
        let planes = if self.planar { self.samples } else { 1 };
        let lengths = self.chunks.lengths.into_iter().flat_map(|entry| tiff.numbers(entry));
        // Old writers leave out the lengths of what is not compressed.
        let default = self.row_bytes().unwrap_or(0).saturating_mul(self.chunks.height as usize);
        let missing = if self.compression == Compression::None && self.chunks.lengths.is_none() {
            default as u64
        } else {
            0
        };
        let lengths = lengths.chain(std::iter::repeat(missing));
        let places = (0..planes).flat_map(move |plane| {
            (0..down).flat_map(move |row| (0..across).map(move |column| (plane, row, column)))
        });
        let offsets = tiff.numbers(self.chunks.offsets);
        places
            .zip(offsets.zip(lengths))
            .enumerate()
            .map(|(index, ((plane, row, column), (offset, length)))| {
                let y = row.saturating_mul(self.chunks.height);
                Chunk {
                    number: index.saturating_add(1),
                    plane,
                    x: column.saturating_mul(self.chunks.width),
                    y,
                    rows: self.height.saturating_sub(y).min(self.chunks.height),
                    offset,
                    length,
                }
            })
            .collect()
    }

    /// Strips or tiles that the page needs.
    fn needed(&self) -> u64 {
        let across = u64::from(self.width.div_ceil(self.chunks.width.max(1)));
        let down = u64::from(self.height.div_ceil(self.chunks.height.max(1)));
        let planes = u64::from(if self.planar { self.samples } else { 1 });
        across.saturating_mul(down).saturating_mul(planes)
    }
}

/// Finds the first strip or tile that is cut, missing or in the place of another.
pub(super) fn check(tiff: &Tiff<'_>, page: &TiffPage, length: usize, flaws: &mut Flaws) {
    let layout = page.layout(tiff);
    if (layout.len() as u64) < page.needed() {
        let kind = if page.chunks.tiled { "tiles" } else { "strips" };
        let reason = format!("{} of {} {kind} are listed", layout.len(), page.needed());
        flaws.push(Flaw::Decode { reason, offset: None, rows: None });
        return;
    }
    if let Some(flaw) = layout.iter().find_map(|chunk| misplaced(page, chunk, length as u64)) {
        flaws.push(flaw);
        return;
    }
    let mut ranges: Vec<&Chunk> = layout.iter().collect();
    ranges.sort_by_key(|chunk| (chunk.offset, chunk.length));
    let overlap = ranges.iter().zip(ranges.iter().skip(1)).find(|(one, other)| {
        // The same bytes for equal strips are a saving, not a fault.
        let same = (one.offset, one.length) == (other.offset, other.length);
        !same && one.offset.saturating_add(one.length) > other.offset
    });
    if let Some((one, other)) = overlap {
        let reason = format!("{} and {} overlap", page.name(one), page.name(other));
        flaws.push(Flaw::Decode { reason, offset: Some(other.offset), rows: None });
    }
}

fn misplaced(page: &TiffPage, chunk: &Chunk, length: u64) -> Option<Flaw> {
    let what = page.name(chunk);
    let rows = Some(Rows { stopped: chunk.y, of: page.height });
    if chunk.offset < 8 || chunk.length == 0 {
        let reason =
            format!("{what} has no bytes (offset {}, length {})", chunk.offset, chunk.length);
        return Some(Flaw::Decode { reason, offset: None, rows });
    }
    let there = length.saturating_sub(chunk.offset).min(chunk.length);
    if there < chunk.length {
        let (offset, expected) = (length, Some(chunk.length));
        return Some(Flaw::Truncated { what, offset, expected, found: there, rows });
    }
    let full = if page.chunks.tiled { page.chunks.height } else { chunk.rows };
    let needed = (page.row_bytes()? as u64).saturating_mul(u64::from(full));
    if page.compression == Compression::None && chunk.length < needed {
        let offset = chunk.offset.saturating_add(chunk.length);
        return Some(Flaw::Truncated { what, offset, expected: Some(needed), found: there, rows });
    }
    None
}
