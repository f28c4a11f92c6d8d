//! Blocks of a progressive scan (T.81 G.1.2 and G.2): coefficients are kept, a bit more of them with
//! each scan, until they become samples together.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "coefficient numbers up to 79, runs up to 15 bits, block numbers of 65,535 a side"
)]

use super::bits::BitReader;
use super::dct;
use super::fault::Fault;
use super::huffman::{Class, Code, Entry, Table, Tables};
use super::plane::{Plane, Sample};
use super::quantisation::Steps;
use super::scan::Blocks;
use super::sequential::Sizes;
use crate::probe::jpeg::{Component, FrameHeader, Scan};

/// A block: its coefficients in the order of the zigzag.
type Coefficients = [i16; 64];

/// What is known of one component after the scans so far.
struct Layer {
    /// Sampling factors.
    horizontal: u32,
    vertical: u32,
    /// Blocks in a row, with those that only pad an MCU.
    columns: u32,
    blocks: Vec<Coefficients>,
    /// A bit for each coefficient but the first of each block: set if it is not zero.
    known: Vec<u64>,
    /// For each coefficient, the lowest bit that was coded; `None` for not coded at all.
    coded: [Option<u8>; 64],
}

impl Layer {
    fn new(component: Component, mcu_columns: u32, mcu_rows: u32) -> Self {
        let (horizontal, vertical) =
            (u32::from(component.horizontal), u32::from(component.vertical));
        let columns = mcu_columns * horizontal;
        let count = u64::from(columns) * u64::from(mcu_rows * vertical);
        let count = usize::try_from(count).unwrap_or_default();
        Self {
            horizontal,
            vertical,
            columns,
            blocks: vec![[0; 64]; count],
            known: vec![0; count],
            coded: [None; 64],
        }
    }

    fn block(&mut self, x: u32, y: u32) -> Result<Block<'_>, Fault> {
        let index = (u64::from(y) * u64::from(self.columns) + u64::from(x)) as usize;
        let values = self.blocks.get_mut(index).ok_or(Fault::Scan)?;
        Ok(Block { values, known: self.known.get_mut(index).ok_or(Fault::Scan)? })
    }
}

/// One block, to be read further.
struct Block<'a> {
    values: &'a mut Coefficients,
    known: &'a mut u64,
}

impl Block<'_> {
    fn set(&mut self, at: u8, value: i32) {
        *self.known |= 1 << (at & 63);
        if let Some(slot) = self.values.get_mut(usize::from(at & 63)) {
            *slot = value as i16;
        }
    }

    fn first(&mut self) -> &mut i16 {
        let [first, ..] = self.values;
        first
    }

    /// Reads a bit more of each coefficient that is in `which`.
    fn correct(&mut self, reader: &mut BitReader<'_>, mut which: u64, low: u8) {
        let bit = 1_i16.wrapping_shl(low.into());
        while which != 0 {
            let count = which.count_ones().min(15);
            let bits = reader.take(count);
            for place in (0..count).rev() {
                let at = which.trailing_zeros() as usize;
                which &= which - 1;
                if let Some(value) = self.values.get_mut(at).filter(|_| bits >> place & 1 == 1) {
                    *value = value.wrapping_add(if *value < 0 { bit.wrapping_neg() } else { bit });
                }
            }
        }
    }
}

/// The coefficients of all components of a progressive image.
pub(super) struct Layers {
    layers: Vec<Layer>,
    sizes: Sizes,
}

impl Layers {
    pub(super) fn new(frame: &FrameHeader) -> Self {
        let (horizontal, vertical) = frame.sampling();
        let columns = frame.width.div_ceil(8 * horizontal);
        let rows = frame.height.div_ceil(8 * vertical);
        let layers = frame.components.iter().map(|&part| Layer::new(part, columns, rows));
        Self { layers: layers.collect(), sizes: Sizes::of(frame.precision) }
    }

    /// True if every coefficient was coded to its last bit.
    pub(super) fn is_complete(&self) -> bool {
        self.layers.iter().all(|layer| layer.coded.iter().all(|&bit| bit == Some(0)))
    }

    /// True if the DC coefficients of every component were coded.
    pub(super) fn has_all_dc(&self) -> bool {
        self.layers.iter().all(|layer| matches!(layer.coded, [Some(_), ..]))
    }

    /// Makes samples of a component, and forgets its coefficients.
    pub(super) fn draw<S: Sample>(&mut self, index: usize, steps: &Steps, plane: &mut Plane<S>) {
        let Some(layer) = self.layers.get_mut(index) else { return };
        let (blocks, known) = (std::mem::take(&mut layer.blocks), std::mem::take(&mut layer.known));
        let mut block = [0; 64];
        let columns = (layer.columns as usize).max(1);
        for (y, (row, known)) in (0..).zip(blocks.chunks(columns).zip(known.chunks(columns))) {
            for (x, (values, &known)) in (0..).zip(row.iter().zip(known)) {
                let [dc, ..] = *values;
                if known == 0 && dc == 0 && index > 0 {
                    continue;
                }
                let used = dequantise(values, known, steps, &mut block);
                let mut samples = [S::default(); 64];
                dct::samples(&block, used, &mut samples);
                if used > 0 {
                    block = [0; 64];
                }
                plane.set_block(x, y, &samples);
            }
        }
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
            let layer = self.layers.get_mut(part.index).ok_or(Fault::Scan)?;
            for bit in layer.coded.get_mut(first..=last).unwrap_or_default() {
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
            parts.push(Part { index: part.index, table, before: 0 });
        }
        let kind = match (first, scan.high) {
            (0, 0) => Kind::DcFirst,
            (0, _) => Kind::DcRefine,
            (_, 0) => Kind::AcFirst,
            _ => Kind::AcRefine,
        };
        let band = Band { first: scan.first, last: scan.last, low: scan.low, sizes: self.sizes };
        Ok(Progressive { layers: self, parts, kind, band, run: 0 })
    }
}

/// Writes the coefficients of a block in place, multiplied; gives the union of their indices.
#[inline]
fn dequantise(values: &Coefficients, mut known: u64, steps: &Steps, block: &mut dct::Block) -> u32 {
    let mut used = 0;
    let mut place = |at: usize| {
        let step = steps.at(at);
        let value = values.get(at).copied().unwrap_or_default();
        if let Some(slot) = block.get_mut(step.index()) {
            *slot = i32::from(value).wrapping_mul(step.factor());
        }
        used |= step.index() as u32;
    };
    place(0);
    while known != 0 {
        place(known.trailing_zeros() as usize);
        known &= known - 1;
    }
    used
}

/// A component's part in a scan.
struct Part<'a> {
    index: usize,
    /// The Huffman table, but for refined DC coefficients.
    table: Option<&'a Table>,
    /// DC coefficient of the block before, as this scan codes it.
    before: i32,
}

/// What a scan codes of each block.
#[derive(Clone, Copy)]
struct Band {
    first: u8,
    last: u8,
    low: u8,
    sizes: Sizes,
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
    layers: &'a mut Layers,
    parts: Vec<Part<'a>>,
    kind: Kind,
    band: Band,
    /// Blocks still to come whose band ends at once.
    run: u32,
}

impl Blocks for Progressive<'_> {
    fn mcu(&mut self, reader: &mut BitReader<'_>, x: u32, y: u32) -> Result<(), Fault> {
        let (kind, band) = (self.kind, self.band);
        let single = self.parts.len() == 1;
        for part in &mut self.parts {
            let layer = self.layers.layers.get_mut(part.index).ok_or(Fault::Scan)?;
            let (across, down) = if single { (1, 1) } else { (layer.horizontal, layer.vertical) };
            for dy in 0..down {
                for dx in 0..across {
                    let mut block = layer.block(x * across + dx, y * down + dy)?;
                    match (kind, part.table) {
                        (Kind::DcFirst, Some(table)) => {
                            let difference = table.difference(reader, band.sizes.dc)?;
                            part.before = part.before.wrapping_add(difference);
                            *block.first() = part.before.wrapping_shl(band.low.into()) as i16;
                        }
                        (Kind::AcFirst, Some(table)) => {
                            ac_first(reader, table, band, &mut self.run, &mut block)?;
                        }
                        (Kind::AcRefine, Some(table)) => {
                            ac_refine(reader, table, band, &mut self.run, &mut block)?;
                        }
                        _ => {
                            let bit = reader.take(1) as i16;
                            *block.first() |= bit.wrapping_shl(band.low.into());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Fault> {
        self.parts.iter_mut().for_each(|part| part.before = 0);
        if self.run == 0 { Ok(()) } else { Err(Fault::Overflow) }
    }
}

/// Length of a run of empty blocks, this one included (T.81 table G.1).
fn end_of_band_run(reader: &mut BitReader<'_>, bits: u8) -> u32 {
    (1 << bits) + if bits > 0 { reader.take(u32::from(bits)) } else { 0 }
}

fn ac_first(
    reader: &mut BitReader<'_>,
    table: &Table,
    band: Band,
    run: &mut u32,
    block: &mut Block<'_>,
) -> Result<(), Fault> {
    if *run > 0 {
        *run -= 1;
        return Ok(());
    }
    let mut at = band.first;
    while at <= band.last {
        reader.fill();
        let entry = table.look(reader);
        let mut value = i32::from(entry.value);
        if value != 0 {
            reader.skip(u32::from(entry.skip));
            at += entry.run;
        } else if entry.run == Entry::END {
            reader.skip(u32::from(entry.skip));
            return Ok(());
        } else {
            let Code { symbol, length } = table.code(reader)?;
            let (zeros, size) = (symbol >> 4, symbol & 15);
            if size == 0 {
                reader.skip(u32::from(length));
                if zeros < 15 {
                    *run = end_of_band_run(reader, zeros) - 1;
                    return Ok(());
                }
                at += 16;
                if at > band.last + 1 {
                    return Err(Fault::Overflow);
                }
                continue;
            }
            if size > band.sizes.ac {
                return Err(Fault::Overflow);
            }
            value = reader.value_behind(u32::from(length), u32::from(size));
            reader.skip(u32::from(length) + u32::from(size));
            at += zeros;
        }
        if at > band.last {
            return Err(Fault::Overflow);
        }
        block.set(at, value.wrapping_shl(band.low.into()));
        at += 1;
    }
    Ok(())
}

fn ac_refine(
    reader: &mut BitReader<'_>,
    table: &Table,
    band: Band,
    run: &mut u32,
    block: &mut Block<'_>,
) -> Result<(), Fault> {
    // What was zero before this scan, and what was not and so gets a correction bit.
    let known = *block.known;
    let corrections = |from: u8, past: u8| {
        let below = |end: u8| if end >= 64 { u64::MAX } else { (1_u64 << end) - 1 };
        known & below(past) & !below(from)
    };
    let mut at = band.first;
    while at <= band.last && *run == 0 {
        let symbol = table.take(reader)?;
        let (zeros, size) = (symbol >> 4, symbol & 15);
        if size == 0 && zeros < 15 {
            *run = end_of_band_run(reader, zeros);
            break;
        }
        if size > 1 {
            return Err(Fault::Code);
        }
        let positive = size == 1 && reader.take(1) == 1;
        let place = nth_zero(known, at, zeros).filter(|&place| place <= band.last);
        let place = place.ok_or(Fault::Overflow)?;
        block.correct(reader, corrections(at, place), band.low);
        if size == 1 {
            let value = 1_i32.wrapping_shl(band.low.into());
            block.set(place, if positive { value } else { -value });
        }
        at = place + 1;
    }
    if *run > 0 {
        block.correct(reader, corrections(at, band.last + 1), band.low);
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
