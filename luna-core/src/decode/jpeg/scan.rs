//! The way through one scan: MCU by MCU, restart by restart, to its exact end.
#![expect(clippy::arithmetic_side_effects, reason = "blocks of an image of at most 65,535 a side")]

use std::ops::Range;

use super::bits::BitReader;
use super::fault::Fault;
use crate::probe::jpeg::{FrameHeader, Scan};

/// What is done with the blocks of a scan.
pub(super) trait Blocks {
    /// Reads one MCU: column and row of the grid.
    fn mcu(&mut self, reader: &mut BitReader<'_>, x: u32, y: u32) -> Result<(), Fault>;

    /// Reads some MCUs of a row, between two restart markers. May go past the end of the data, but
    /// not far.
    #[inline]
    fn run(
        &mut self,
        reader: &mut BitReader<'_>,
        columns: Range<u32>,
        y: u32,
    ) -> Result<(), Fault> {
        for x in columns {
            self.mcu(reader, x, y)?;
            if reader.overrun() {
                break;
            }
        }
        Ok(())
    }

    /// Before a restart marker and at the end of the scan: no state may be left over, and none is
    /// kept.
    fn close(&mut self) -> Result<(), Fault>;
}

/// The MCUs of a scan: several components interleaved by their sampling factors, or single blocks
/// of one component (T.81 A.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    /// MCUs in a row.
    pub(super) columns: u32,
    /// Rows of MCUs.
    pub(super) rows: u32,
    /// Rows of the image to a row of MCUs.
    pub(super) row_height: u32,
}

impl Grid {
    /// The grid of a scan whose data units are `unit` samples a side.
    pub(super) fn new(frame: &FrameHeader, scan: &Scan, unit: u32) -> Self {
        let (horizontal, vertical) = frame.sampling();
        let single = match scan.components.as_slice() {
            [only] => frame.components.get(only.index),
            _ => None,
        };
        let (h, v) = single.map_or((horizontal, vertical), |component| {
            (u32::from(component.horizontal), u32::from(component.vertical))
        });
        if single.is_none() {
            return Self {
                columns: frame.width.div_ceil(unit * horizontal),
                rows: frame.height.div_ceil(unit * vertical),
                row_height: unit * vertical,
            };
        }
        Self {
            columns: (frame.width * h).div_ceil(horizontal).div_ceil(unit),
            rows: (frame.height * v).div_ceil(vertical).div_ceil(unit),
            row_height: (unit * vertical / v).max(1),
        }
    }
}

/// Where a walk stopped, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stopped {
    pub(super) fault: Fault,
    /// Row of MCUs.
    pub(super) row: u32,
    /// Offset within the scan's data.
    pub(super) offset: usize,
}

/// Walks through a scan. `starts` receives the offset of each row of MCUs.
pub(super) fn walk(
    data: &[u8],
    grid: Grid,
    interval: u32,
    starts: &mut Vec<usize>,
    blocks: &mut impl Blocks,
) -> Result<(), Stopped> {
    starts.clear();
    let mut reader = BitReader::new(data);
    let mut row = 0;
    let outcome = rows(&mut reader, grid, interval, starts, blocks, &mut row);
    outcome.map_err(|fault| {
        let fault = if reader.is_out() { at_the_end(&reader) } else { fault };
        Stopped { fault, row, offset: reader.offset() }
    })
}

fn rows(
    reader: &mut BitReader<'_>,
    grid: Grid,
    interval: u32,
    starts: &mut Vec<usize>,
    blocks: &mut impl Blocks,
    row: &mut u32,
) -> Result<(), Fault> {
    let (mut left, mut number) = (interval, 0);
    for y in 0..grid.rows {
        *row = y;
        starts.push(reader.offset());
        let mut x = 0;
        while x < grid.columns {
            if interval > 0 && left == 0 {
                restart(reader, number, blocks)?;
                (left, number) = (interval, (number + 1) & 7);
            }
            let rest = grid.columns - x;
            let count = if interval > 0 { rest.min(left) } else { rest };
            blocks.run(reader, x..x + count, y)?;
            if reader.overrun() {
                return Err(at_the_end(reader));
            }
            left = left.saturating_sub(count);
            x += count;
        }
    }
    *row = grid.rows;
    blocks.close()?;
    if reader.is_used_up() && reader.marker().is_none() { Ok(()) } else { Err(Fault::Surplus) }
}

fn restart(reader: &mut BitReader<'_>, number: u8, blocks: &mut impl Blocks) -> Result<(), Fault> {
    blocks.close()?;
    if !reader.is_used_up() {
        return Err(Fault::Restart);
    }
    match reader.marker() {
        Some(marker) if marker == 0xD0 | number => {
            reader.pass_marker();
            Ok(())
        }
        None => Err(Fault::Ended),
        Some(_) => Err(at_the_end(reader)),
    }
}

/// What it means that no data are left.
fn at_the_end(reader: &BitReader<'_>) -> Fault {
    match reader.marker() {
        None => Fault::Ended,
        Some(0xD0..=0xD7) => Fault::Restart,
        Some(_) => Fault::Marker,
    }
}
