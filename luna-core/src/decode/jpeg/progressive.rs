//! Blocks of a progressive scan (T.81 G.1.2 and G.2), walked with one bit a coefficient: whether it
//! is zero so far, on which the length of refining scans depends.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "coefficient numbers up to 79, runs up to 15 bits"
)]

use super::bits::BitReader;
use super::fault::Fault;
use super::huffman::{Class, Table, Tables};
use super::scan::Blocks;
use crate::probe::jpeg::{Component, FrameHeader, Scan};

/// What is known of one component after the scans so far.
struct Plane {
    /// Sampling factors.
    horizontal: u32,
    vertical: u32,
    /// Blocks in a row, with those that only pad an MCU.
    columns: u32,
    /// A bit for each coefficient of each block, in zigzag order: set if it is not zero.
    blocks: Vec<u64>,
    /// For each coefficient, the lowest bit that was coded; `None` for not coded at all.
    coded: [Option<u8>; 64],
}

impl Plane {
    fn new(component: Component, mcu_columns: u32, mcu_rows: u32) -> Self {
        let (horizontal, vertical) =
            (u32::from(component.horizontal), u32::from(component.vertical));
        let columns = mcu_columns * horizontal;
        let count = u64::from(columns) * u64::from(mcu_rows * vertical);
        Self {
            horizontal,
            vertical,
            columns,
            blocks: vec![0; usize::try_from(count).unwrap_or_default()],
            coded: [None; 64],
        }
    }

    fn block(&mut self, x: u32, y: u32) -> Result<&mut u64, Fault> {
        let index = u64::from(y) * u64::from(self.columns) + u64::from(x);
        self.blocks.get_mut(index as usize).ok_or(Fault::Scan)
    }
}

/// All components of a progressive image. A bit a coefficient is an eighth of the samples' bytes.
pub(super) struct Planes(Vec<Plane>);

impl Planes {
    pub(super) fn new(frame: &FrameHeader) -> Self {
        let (horizontal, vertical) = frame.sampling();
        let columns = frame.width.div_ceil(8 * horizontal);
        let rows = frame.height.div_ceil(8 * vertical);
        Self(frame.components.iter().map(|&part| Plane::new(part, columns, rows)).collect())
    }

    /// True if a component other than the first has a coefficient that is not zero.
    pub(super) fn coloured(&self) -> bool {
        self.0.iter().skip(1).any(|plane| plane.blocks.iter().any(|&block| block != 0))
    }

    /// True if every coefficient was coded to its last bit.
    pub(super) fn is_complete(&self) -> bool {
        self.0.iter().all(|plane| plane.coded.iter().all(|&bit| bit == Some(0)))
    }

    /// True if the DC coefficients of every component were coded.
    pub(super) fn has_all_dc(&self) -> bool {
        self.0.iter().all(|plane| matches!(plane.coded, [Some(_), ..]))
    }

    /// Prepares a scan: its header must continue the scans before it.
    pub(super) fn scan<'a>(
        &'a mut self,
        scan: &Scan,
        tables: &'a Tables,
    ) -> Result<Progressive<'a>, Fault> {
        let (first, last) = (usize::from(scan.first), usize::from(scan.last));
        let band_is_sound = if first == 0 {
            last == 0
        } else {
            (first..64).contains(&last) && scan.components.len() == 1
        };
        let before = if scan.high == 0 { None } else { Some(scan.high) };
        let step_is_sound = scan.low <= 13 && (scan.high == 0 || scan.high == scan.low + 1);
        if !band_is_sound || !step_is_sound {
            return Err(Fault::Scan);
        }
        let mut parts = Vec::with_capacity(scan.components.len());
        for part in &scan.components {
            let plane = self.0.get_mut(part.index).ok_or(Fault::Scan)?;
            for bit in plane.coded.get_mut(first..=last).unwrap_or_default() {
                if *bit != before {
                    return Err(Fault::Scan);
                }
                *bit = Some(scan.low);
            }
            let table = match (first, scan.high) {
                (0, 0) => Some(tables.get(Class::Dc, part.dc)?),
                (0, _) => None,
                _ => Some(tables.get(Class::Ac, part.ac)?),
            };
            parts.push((part.index, table));
        }
        let kind = match (first, scan.high) {
            (0, 0) => Kind::DcFirst,
            (0, _) => Kind::DcRefine,
            (_, 0) => Kind::AcFirst,
            _ => Kind::AcRefine,
        };
        Ok(Progressive { planes: self, parts, kind, first: scan.first, last: scan.last, run: 0 })
    }
}

#[derive(Clone, Copy)]
enum Kind {
    DcFirst,
    DcRefine,
    AcFirst,
    AcRefine,
}

/// A progressive scan.
pub(super) struct Progressive<'a> {
    planes: &'a mut Planes,
    /// Component and Huffman table.
    parts: Vec<(usize, Option<&'a Table>)>,
    kind: Kind,
    first: u8,
    last: u8,
    /// Blocks still to come whose band ends at once.
    run: u32,
}

impl Blocks for Progressive<'_> {
    fn mcu(&mut self, reader: &mut BitReader<'_>, x: u32, y: u32) -> Result<(), Fault> {
        let (kind, band) = (self.kind, (self.first, self.last));
        let single = self.parts.len() == 1;
        for &(index, table) in &self.parts {
            let plane = self.planes.0.get_mut(index).ok_or(Fault::Scan)?;
            let (across, down) = if single { (1, 1) } else { (plane.horizontal, plane.vertical) };
            for dy in 0..down {
                for dx in 0..across {
                    let block = plane.block(x * across + dx, y * down + dy)?;
                    match (kind, table) {
                        (Kind::DcFirst, Some(table)) => dc_first(reader, table, block)?,
                        (Kind::AcFirst, Some(table)) => {
                            ac_first(reader, table, band, &mut self.run, block)?;
                        }
                        (Kind::AcRefine, Some(table)) => {
                            ac_refine(reader, table, band, &mut self.run, block)?;
                        }
                        _ => *block |= u64::from(reader.take(1)),
                    }
                }
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Fault> {
        if self.run == 0 { Ok(()) } else { Err(Fault::Overflow) }
    }
}

fn dc_first(reader: &mut BitReader<'_>, table: &Table, block: &mut u64) -> Result<(), Fault> {
    let size = table.take(reader)?;
    if size > 11 {
        return Err(Fault::Code);
    }
    reader.skip_many(u32::from(size));
    // A difference of zero may stand for a coefficient that is not; then an earlier one was not.
    *block |= u64::from(size > 0);
    Ok(())
}

/// Length of a run of empty blocks, this one included (T.81 table G.1).
fn end_of_band_run(reader: &mut BitReader<'_>, bits: u8) -> u32 {
    (1 << bits) + if bits > 0 { reader.take(u32::from(bits)) } else { 0 }
}

fn ac_first(
    reader: &mut BitReader<'_>,
    table: &Table,
    (first, last): (u8, u8),
    run: &mut u32,
    block: &mut u64,
) -> Result<(), Fault> {
    if *run > 0 {
        *run -= 1;
        return Ok(());
    }
    let mut at = first;
    while at <= last {
        let symbol = table.take(reader)?;
        let (zeros, size) = (symbol >> 4, symbol & 15);
        if size == 0 && zeros < 15 {
            *run = end_of_band_run(reader, zeros) - 1;
            return Ok(());
        }
        at += zeros;
        if at > last || size > 10 {
            return Err(Fault::Overflow);
        }
        if size > 0 {
            *block |= 1 << at;
            reader.skip_many(u32::from(size));
        }
        at += 1;
    }
    Ok(())
}

fn ac_refine(
    reader: &mut BitReader<'_>,
    table: &Table,
    (first, last): (u8, u8),
    run: &mut u32,
    block: &mut u64,
) -> Result<(), Fault> {
    // What was zero before this scan, and what was not and so gets a correction bit.
    let known = *block;
    let corrections = |from: u8, past: u8| {
        let below = |end: u8| if end >= 64 { u64::MAX } else { (1_u64 << end) - 1 };
        (known & below(past) & !below(from)).count_ones()
    };
    let mut at = first;
    while at <= last && *run == 0 {
        let symbol = table.take(reader)?;
        let (zeros, size) = (symbol >> 4, symbol & 15);
        if size == 0 && zeros < 15 {
            *run = end_of_band_run(reader, zeros);
            break;
        }
        if size > 1 {
            return Err(Fault::Code);
        }
        reader.skip_many(u32::from(size));
        let place = nth_zero(known, at, zeros).filter(|&place| place <= last);
        let place = place.ok_or(Fault::Overflow)?;
        reader.skip_many(corrections(at, place));
        *block |= u64::from(size) << place;
        at = place + 1;
    }
    if *run > 0 {
        reader.skip_many(corrections(at, last + 1));
        *run -= 1;
    }
    Ok(())
}

/// The coefficient at or after `from` that is zero with `count` others before it.
fn nth_zero(known: u64, from: u8, count: u8) -> Option<u8> {
    let mut zeros = !known & u64::MAX.checked_shl(u32::from(from))?;
    for _ in 0..count {
        zeros &= zeros.checked_sub(1)?;
    }
    (zeros != 0).then(|| zeros.trailing_zeros() as u8)
}
