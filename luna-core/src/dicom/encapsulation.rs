//! Encapsulated pixel data: which fragments make which frame, and what contradicts that (PS3.5,
//! annex A.4).
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::ops::Range;

use dicom_dictionary_std::tags;

use super::{DicomFile, Encapsulated};

/// Bytes of an item's tag and length.
const ITEM_HEADER: usize = 8;

/// Where the fragments of one frame lie.
pub type FrameFragments = Vec<Range<usize>>;

/// Something that does not fit in encapsulated pixel data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncapsulationProblem {
    /// Not even the item of the basic offset table is there.
    NoItems,
    /// The basic offset table is no whole number of 4-byte offsets.
    TableLength {
        /// Its length in bytes.
        bytes: usize,
    },
    /// An offset table has entries, but not one a frame.
    TableEntries {
        /// True for the extended offset table.
        extended: bool,
        /// Entries in it.
        entries: usize,
        /// Frames of the image.
        frames: u32,
    },
    /// An entry of an offset table points at no fragment.
    TableOffset {
        /// True for the extended offset table.
        extended: bool,
        /// The entry, from 0.
        entry: usize,
        /// The offset it holds.
        offset: u64,
    },
    /// A frame's length in the extended offset table is not the length of its fragment.
    TableFrameLength {
        /// The entry, from 0.
        entry: usize,
        /// What the table says.
        said: u64,
        /// What the fragment has.
        is: u64,
    },
    /// Both offset tables have entries.
    BothTables,
    /// A fragment without bytes.
    EmptyFragment {
        /// Its number, from 0.
        fragment: usize,
        /// Offset of its item.
        offset: usize,
    },
    /// A fragment of odd length.
    OddFragment {
        /// Its number, from 0.
        fragment: usize,
        /// Offset of its item.
        offset: usize,
        /// Its length in bytes.
        bytes: usize,
    },
    /// Fewer fragments than frames.
    FewFragments {
        /// Fragments there are.
        fragments: usize,
        /// Frames of the image.
        frames: u32,
    },
    /// More fragments than frames, and nothing that tells which belong together.
    NoGrouping {
        /// Fragments there are.
        fragments: usize,
        /// Frames of the image.
        frames: u32,
    },
    /// RLE: not exactly one fragment a frame.
    RleFragments {
        /// Fragments there are.
        fragments: usize,
        /// Frames of the image.
        frames: u32,
    },
}

/// Offsets of an offset table, from the first byte of the first fragment's item.
struct Tables {
    basic: Vec<u64>,
    extended: Vec<u64>,
    /// Frame lengths beside the extended offsets.
    lengths: Vec<u64>,
}

impl Tables {
    fn of(file: &DicomFile<'_>, items: &Encapsulated) -> Self {
        let table = file.data.get(items.offset_table()).unwrap_or_default();
        let basic = table.as_chunks().0.iter().map(|own| u64::from(u32::from_le_bytes(*own)));
        let wide = |tag| -> Vec<u64> {
            let bytes = file.element(tag).map(|own| file.bytes_of(own)).unwrap_or_default();
            bytes.as_chunks().0.iter().map(|own| u64::from_le_bytes(*own)).collect()
        };
        Self {
            basic: basic.collect(),
            extended: wide(tags::EXTENDED_OFFSET_TABLE),
            lengths: wide(tags::EXTENDED_OFFSET_TABLE_LENGTHS),
        }
    }
}

/// The number of the fragment at this offset of a table.
fn fragment_at(fragments: &[Range<usize>], offset: u64) -> Option<usize> {
    let base = fragments.first()?.start;
    let start = usize::try_from(offset).ok()?.checked_add(base)?;
    fragments.binary_search_by_key(&start, |fragment| fragment.start).ok()
}

impl DicomFile<'_> {
    /// The fragments of each frame; `None` if nothing tells which belong together.
    pub fn frame_fragments(&self, frames: u32) -> Option<Vec<FrameFragments>> {
        let items = self.encapsulated.as_ref()?;
        let fragments = items.fragments();
        let count = usize::try_from(frames).ok()?;
        if count == 1 {
            return (!fragments.is_empty()).then(|| vec![fragments.to_vec()]);
        }
        if fragments.len() == count {
            return Some(fragments.iter().map(|fragment| vec![fragment.clone()]).collect());
        }
        let tables = Tables::of(self, items);
        [tables.extended, tables.basic]
            .into_iter()
            .find_map(|table| by_table(fragments, &table, count))
            .or_else(|| self.by_codestream(fragments, count))
    }

    /// Frames begin where a codestream begins.
    fn by_codestream(
        &self,
        fragments: &[Range<usize>],
        frames: usize,
    ) -> Option<Vec<FrameFragments>> {
        let begins = |fragment: &Range<usize>| {
            let bytes = self.data.get(fragment.clone()).unwrap_or_default();
            bytes.starts_with(&[0xFF, 0xD8, 0xFF]) || bytes.starts_with(&[0xFF, 0x4F, 0xFF, 0x51])
        };
        let starts: Vec<usize> = fragments
            .iter()
            .enumerate()
            .filter(|(_, fragment)| begins(fragment))
            .map(|(at, _)| at)
            .collect();
        split_at(fragments, &starts, frames)
    }

    /// What does not fit; delimiters and lengths of items are among the
    /// [`anomalies`](DicomFile::anomalies).
    pub fn encapsulation_problems(&self, frames: u32, is_rle: bool) -> Vec<EncapsulationProblem> {
        let Some(items) = &self.encapsulated else { return Vec::new() };
        if items.items.is_empty() {
            return vec![EncapsulationProblem::NoItems];
        }
        let mut found = Vec::new();
        self.check_tables(items, frames, &mut found);
        check_fragments(items.fragments(), frames, is_rle, &mut found);
        let fragments = items.fragments().len();
        let enough = !is_rle && fragments as u64 > u64::from(frames);
        if enough && self.frame_fragments(frames).is_none() {
            found.push(EncapsulationProblem::NoGrouping { fragments, frames });
        }
        found
    }

    fn check_tables(
        &self,
        items: &Encapsulated,
        frames: u32,
        found: &mut Vec<EncapsulationProblem>,
    ) {
        let bytes = items.offset_table().len();
        if !bytes.is_multiple_of(4) {
            found.push(EncapsulationProblem::TableLength { bytes });
        }
        let tables = Tables::of(self, items);
        if !tables.basic.is_empty() && !tables.extended.is_empty() {
            found.push(EncapsulationProblem::BothTables);
        }
        let fragments = items.fragments();
        for (extended, table) in [(false, &tables.basic), (true, &tables.extended)] {
            let entries = table.len();
            if entries > 0 && u32::try_from(entries) != Ok(frames) {
                found.push(EncapsulationProblem::TableEntries { extended, entries, frames });
            }
            let mut before = None;
            for (entry, offset) in table.iter().copied().enumerate() {
                let at = fragment_at(fragments, offset);
                if at.is_none() || at <= before || (entry == 0 && at != Some(0)) {
                    found.push(EncapsulationProblem::TableOffset { extended, entry, offset });
                }
                before = at.or(before);
            }
        }
        for (entry, (offset, said)) in tables.extended.iter().zip(&tables.lengths).enumerate() {
            let fragment = fragment_at(fragments, *offset).and_then(|at| fragments.get(at));
            let Some(is) = fragment.map(|fragment| fragment.len() as u64) else { continue };
            // Frames of odd length are padded in their item, not in the table.
            if is != *said && is != said.saturating_add(1) {
                found.push(EncapsulationProblem::TableFrameLength { entry, said: *said, is });
            }
        }
    }
}

fn check_fragments(
    fragments: &[Range<usize>],
    frames: u32,
    is_rle: bool,
    found: &mut Vec<EncapsulationProblem>,
) {
    let count = fragments.len();
    if is_rle && u32::try_from(count) != Ok(frames) {
        found.push(EncapsulationProblem::RleFragments { fragments: count, frames });
    } else if (count as u64) < u64::from(frames) {
        found.push(EncapsulationProblem::FewFragments { fragments: count, frames });
    }
    for (fragment, range) in fragments.iter().enumerate() {
        let offset = range.start.saturating_sub(ITEM_HEADER);
        if range.is_empty() {
            found.push(EncapsulationProblem::EmptyFragment { fragment, offset });
        } else if !range.len().is_multiple_of(2) {
            let bytes = range.len();
            found.push(EncapsulationProblem::OddFragment { fragment, offset, bytes });
        }
    }
}

fn by_table(
    fragments: &[Range<usize>],
    table: &[u64],
    frames: usize,
) -> Option<Vec<FrameFragments>> {
    let starts: Option<Vec<usize>> =
        table.iter().map(|offset| fragment_at(fragments, *offset)).collect();
    split_at(fragments, &starts?, frames)
}

/// Cuts the fragments into frames at these numbers, if they are as many and rise.
fn split_at(
    fragments: &[Range<usize>],
    starts: &[usize],
    frames: usize,
) -> Option<Vec<FrameFragments>> {
    if starts.len() != frames || starts.first() != Some(&0) {
        return None;
    }
    let ends = starts.iter().skip(1).copied().chain([fragments.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| fragments.get(*start..end).filter(|own| !own.is_empty()))
        .map(|own| own.map(<[Range<usize>]>::to_vec))
        .collect()
}
