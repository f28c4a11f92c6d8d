//! Blocks of a sequential scan (baseline and extended, T.81 F.2): coefficients in, samples out, one
//! block at a time.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "coefficient numbers up to 79, block numbers of an image of at most 65,535 a side"
)]

use super::bits::BitReader;
use super::dct;
use super::fault::Fault;
use super::huffman::{Class, Code, Entry, Table, Tables};
use super::plane::{Planes, Sample};
use super::quantisation::{Quantisers, Steps};
use super::scan::Blocks;
use crate::probe::jpeg::{FrameHeader, Scan};

/// Blocks of one component in an MCU.
struct Part<'a> {
    dc: &'a Table,
    ac: &'a Table,
    steps: &'a Steps,
    index: usize,
    across: u32,
    down: u32,
    /// DC coefficient of the block before.
    before: i32,
}

/// A sequential scan.
pub(super) struct Sequential<'a, S> {
    parts: Vec<Part<'a>>,
    planes: &'a mut Planes<S>,
    sizes: Sizes,
    block: dct::Block,
}

/// Bits that a value may have (T.81 tables F.1 and F.2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Of a DC difference.
    pub(super) dc: u8,
    /// Of an AC coefficient.
    pub(super) ac: u8,
}

impl Sizes {
    pub(super) const fn of(precision: u8) -> Self {
        if precision > 8 { Self { dc: 15, ac: 14 } } else { Self { dc: 11, ac: 10 } }
    }
}

impl<'a, S: Sample> Sequential<'a, S> {
    pub(super) fn new(
        frame: &FrameHeader,
        scan: &Scan,
        tables: &'a Tables,
        quantisers: &'a Quantisers,
        planes: &'a mut Planes<S>,
    ) -> Result<Self, Fault> {
        let single = scan.components.len() == 1;
        let mut parts = Vec::with_capacity(scan.components.len());
        for part in &scan.components {
            let component = frame.components.get(part.index).ok_or(Fault::Scan)?;
            let (across, down) = (u32::from(component.horizontal), u32::from(component.vertical));
            parts.push(Part {
                dc: tables.get(Class::Dc, part.dc)?,
                ac: tables.get(Class::Ac, part.ac)?,
                steps: quantisers.of(part.index)?,
                index: part.index,
                across: if single { 1 } else { across },
                down: if single { 1 } else { down },
                before: 0,
            });
        }
        // T.81 B.2.3: at most ten blocks in an MCU.
        if parts.iter().map(|part| part.across * part.down).sum::<u32>() > 10 {
            return Err(Fault::Scan);
        }
        Ok(Self { parts, planes, sizes: Sizes::of(frame.precision), block: [0; 64] })
    }
}

impl<S: Sample> Blocks for Sequential<'_, S> {
    #[inline]
    fn mcu(&mut self, reader: &mut BitReader<'_>, x: u32, y: u32) -> Result<(), Fault> {
        for part in &mut self.parts {
            let Some(plane) = self.planes.0.get_mut(part.index) else { continue };
            for down in 0..part.down {
                for across in 0..part.across {
                    let used = block(reader, part, self.sizes, &mut self.block)?;
                    let [dc, ..] = self.block;
                    // What chroma is where nothing is drawn.
                    if used == 0 && dc == 0 && part.index > 0 {
                        continue;
                    }
                    let mut samples = [S::default(); 64];
                    dct::samples(&self.block, used, &mut samples);
                    if used > 0 {
                        self.block = [0; 64];
                    }
                    plane.set_block(x * part.across + across, y * part.down + down, &samples);
                }
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Fault> {
        self.parts.iter_mut().for_each(|part| part.before = 0);
        Ok(())
    }
}

/// Reads a block whose coefficients are all zero so far, but for the first, which is overwritten.
/// Gives the union of the indices of those that are not zero.
#[inline(always)]
fn block(
    reader: &mut BitReader<'_>,
    part: &mut Part<'_>,
    sizes: Sizes,
    out: &mut dct::Block,
) -> Result<u32, Fault> {
    let mut own = *reader;
    let used = coefficients(&mut own, part, sizes, out);
    *reader = own;
    used
}

#[inline(always)]
fn coefficients(
    reader: &mut BitReader<'_>,
    part: &mut Part<'_>,
    sizes: Sizes,
    out: &mut dct::Block,
) -> Result<u32, Fault> {
    part.before = part.before.wrapping_add(part.dc.difference(reader, sizes.dc)?);
    if let Some(first) = out.first_mut() {
        *first = part.before.wrapping_mul(part.steps.first());
    }
    let (mut at, mut used) = (1_usize, 0_u32);
    while at < 64 {
        reader.fill();
        let entry = part.ac.look(reader);
        let mut value = i32::from(entry.value);
        if value != 0 {
            reader.skip(u32::from(entry.skip));
            at += usize::from(entry.run);
        } else if entry.run == Entry::END {
            reader.skip(u32::from(entry.skip));
            break;
        } else {
            let Code { symbol, length } = part.ac.code(reader)?;
            let (run, size) = (symbol >> 4, symbol & 15);
            at += usize::from(run);
            match (run, size) {
                (15, 0) => {
                    reader.skip(u32::from(length));
                    at += 1;
                    continue;
                }
                (0, 0) => {
                    reader.skip(u32::from(length));
                    break;
                }
                (_, 0) => return Err(Fault::Code),
                _ if size > sizes.ac => return Err(Fault::Code),
                _ => {}
            }
            value = reader.value_behind(u32::from(length), u32::from(size));
            reader.skip(u32::from(length) + u32::from(size));
        }
        let step = part.steps.at(at);
        if let Some(slot) = out.get_mut(step.index()) {
            *slot = value.wrapping_mul(step.factor());
        }
        used |= step.index() as u32;
        at += 1;
    }
    if at > 64 { Err(Fault::Overflow) } else { Ok(used) }
}
