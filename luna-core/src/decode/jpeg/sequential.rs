//! Blocks of a sequential scan (baseline and extended, T.81 F.2), walked without keeping a value.

use super::bits::BitReader;
use super::fault::Fault;
use super::huffman::{Class, END_OF_BLOCK, Table, Tables};
use super::scan::Blocks;
use crate::probe::jpeg::{FrameHeader, Scan};

/// Blocks of one component in an MCU.
struct Part<'a> {
    dc: &'a Table,
    ac: &'a Table,
    blocks: u32,
    /// Not the first component of the frame.
    chroma: bool,
}

/// A sequential scan.
pub(super) struct Sequential<'a> {
    parts: Vec<Part<'a>>,
    /// True once a block of another component than the first has a coefficient that is not zero.
    pub(super) coloured: bool,
}

impl<'a> Sequential<'a> {
    pub(super) fn new(frame: &FrameHeader, scan: &Scan, tables: &'a Tables) -> Result<Self, Fault> {
        let single = scan.components.len() == 1;
        let mut parts = Vec::with_capacity(scan.components.len());
        for part in &scan.components {
            let component = frame.components.get(part.index).ok_or(Fault::Scan)?;
            let blocks =
                u32::from(component.horizontal).saturating_mul(u32::from(component.vertical));
            parts.push(Part {
                dc: tables.get(Class::Dc, part.dc)?,
                ac: tables.get(Class::Ac, part.ac)?,
                blocks: if single { 1 } else { blocks },
                chroma: part.index > 0,
            });
        }
        // T.81 B.2.3: at most ten blocks in an MCU.
        if parts.iter().map(|part| part.blocks).sum::<u32>() > 10 {
            return Err(Fault::Scan);
        }
        Ok(Self { parts, coloured: false })
    }
}

impl Blocks for Sequential<'_> {
    #[inline]
    fn mcu(&mut self, reader: &mut BitReader<'_>, _x: u32, _y: u32) -> Result<(), Fault> {
        for part in &self.parts {
            for _ in 0..part.blocks {
                let empty = block(reader, part.dc, part.ac)?;
                self.coloured |= part.chroma && !empty;
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}

/// Walks through a block; true if all its coefficients (the DC difference for the first) are zero.
#[inline]
fn block(reader: &mut BitReader<'_>, dc: &Table, ac: &Table) -> Result<bool, Fault> {
    reader.fill();
    let code = dc.peek(reader)?;
    reader.skip(u32::from(code.skip));
    let mut at = 1_u8;
    while at < 48 {
        reader.fill();
        let pair = ac.peek_pair(reader)?;
        reader.skip(u32::from(pair.skip));
        at = at.wrapping_add(pair.step);
    }
    while at < 64 {
        reader.fill();
        let code = ac.peek(reader)?;
        reader.skip(u32::from(code.skip));
        at = at.wrapping_add(code.step);
    }
    if at > 64 && at < END_OF_BLOCK {
        return Err(Fault::Overflow);
    }
    Ok(code.symbol == 0 && at == END_OF_BLOCK.wrapping_add(1))
}
