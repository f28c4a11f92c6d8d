//! Samples of a lossless scan (T.81 annex H): each is predicted from its neighbours, the difference is
//! coded.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "predictions are sums of 17 bits, places lie in an image of at most 65,535 a side"
)]

use std::ops::Range;

use super::bits::BitReader;
use super::fault::Fault;
use super::huffman::{Class, Table, Tables};
use super::plane::{Planes, Sample};
use super::scan::Blocks;
use crate::probe::jpeg::{FrameHeader, Scan};

/// Samples of one component in an MCU.
struct Part<'a> {
    table: &'a Table,
    index: usize,
    across: usize,
    down: usize,
}

/// A lossless scan.
pub(super) struct Lossless<'a, S> {
    parts: Vec<Part<'a>>,
    planes: &'a mut Planes<S>,
    predictor: u8,
    /// Lowest bits that are not coded.
    low: u32,
    /// What the very first sample is predicted as, without its lowest bits.
    middle: i32,
    /// Row of MCUs that is predicted as the first of the picture is.
    start: Option<u32>,
}

impl<'a, S: Sample> Lossless<'a, S> {
    pub(super) fn new(
        frame: &FrameHeader,
        scan: &Scan,
        tables: &'a Tables,
        planes: &'a mut Planes<S>,
    ) -> Result<Self, Fault> {
        let single = scan.components.len() == 1;
        let mut parts = Vec::with_capacity(scan.components.len());
        for part in &scan.components {
            let component = frame.components.get(part.index).ok_or(Fault::Scan)?;
            let size = |factor: u8| if single { 1 } else { usize::from(factor) };
            parts.push(Part {
                table: tables.get(Class::Dc, part.dc)?,
                index: part.index,
                across: size(component.horizontal),
                down: size(component.vertical),
            });
        }
        let is_sound = (1..=7).contains(&scan.first) && scan.low < frame.precision;
        if !is_sound || parts.iter().map(|part| part.across * part.down).sum::<usize>() > 10 {
            return Err(Fault::Scan);
        }
        let low = u32::from(scan.low);
        let middle = 1 << (u32::from(frame.precision) - 1 - low);
        Ok(Self { parts, planes, predictor: scan.first, low, middle, start: None })
    }

    /// One component, sample by sample: the usual case.
    fn row<const PREDICTOR: u8>(
        &mut self,
        outer: &mut BitReader<'_>,
        columns: Range<usize>,
        y: usize,
    ) -> Result<(), Fault> {
        let [part] = self.parts.as_slice() else { return Err(Fault::Scan) };
        let plane = self.planes.0.get_mut(part.index).ok_or(Fault::Scan)?;
        let (above, own) = plane.two_rows(y).ok_or(Fault::Scan)?;
        let (above, own) = (above.get(columns.clone()), own.get_mut(columns));
        let (Some(above), Some(own)) = (above, own) else { return Err(Fault::Scan) };
        let value = |sample: &S| -> i32 { (*sample).into() >> self.low };
        let first = above.first().map(value).unwrap_or_default();
        let (mut left, mut corner) = (first, first);
        let mut reader = *outer;
        let mut fault = None;
        for (at, (slot, up)) in own.iter_mut().zip(above).enumerate() {
            let up = value(up);
            let predicted = if at == 0 { up } else { predict(PREDICTOR, left, up, corner) };
            match part.table.difference(&mut reader, 16) {
                Ok(difference) => left = (predicted + difference) & 0xFFFF,
                Err(found) => {
                    fault = Some(found);
                    break;
                }
            }
            corner = up;
            *slot = S::low(left << self.low);
        }
        *outer = reader;
        fault.map_or(Ok(()), Err)
    }

    /// One sample, wherever it stands.
    fn sample(
        &mut self,
        reader: &mut BitReader<'_>,
        number: usize,
        (x, y): (usize, usize),
        is_first_row: bool,
    ) -> Result<(), Fault> {
        let part = self.parts.get(number).ok_or(Fault::Scan)?;
        let plane = self.planes.0.get_mut(part.index).ok_or(Fault::Scan)?;
        let (above, own) = plane.two_rows(y).ok_or(Fault::Scan)?;
        let before = x.checked_sub(1);
        let of = |row: &[S], at: usize| -> i32 {
            row.get(at).map_or(0, |sample| (*sample).into() >> self.low)
        };
        let predicted = match (before, is_first_row) {
            (None, true) => self.middle,
            (Some(before), true) => of(own, before),
            (None, false) => of(above, x),
            (Some(before), false) => {
                predict(self.predictor, of(own, before), of(above, x), of(above, before))
            }
        };
        let value = (predicted + part.table.difference(reader, 16)?) & 0xFFFF;
        *own.get_mut(x).ok_or(Fault::Scan)? = S::low(value << self.low);
        Ok(())
    }
}

/// A prediction from the samples to the left, above, and above left (T.81 table H.1).
#[inline(always)]
fn predict(predictor: u8, left: i32, above: i32, corner: i32) -> i32 {
    match predictor {
        1 => left,
        2 => above,
        3 => corner,
        4 => left + above - corner,
        5 => left + ((above - corner) >> 1),
        6 => above + ((left - corner) >> 1),
        _ => (left + above) >> 1,
    }
}

impl<S: Sample> Blocks for Lossless<'_, S> {
    fn mcu(&mut self, reader: &mut BitReader<'_>, x: u32, y: u32) -> Result<(), Fault> {
        let starts = *self.start.get_or_insert(y) == y;
        for number in 0..self.parts.len() {
            let Some(&Part { across, down, .. }) = self.parts.get(number) else { continue };
            for dy in 0..down {
                for dx in 0..across {
                    let place = (x as usize * across + dx, y as usize * down + dy);
                    self.sample(reader, number, place, starts && dy == 0)?;
                }
            }
        }
        Ok(())
    }

    fn run(
        &mut self,
        reader: &mut BitReader<'_>,
        columns: Range<u32>,
        y: u32,
    ) -> Result<(), Fault> {
        let is_start = *self.start.get_or_insert(y) == y;
        // Where a restart falls within a row, what is left of it has no neighbours to the left.
        if is_start && columns.start > 0 {
            return Err(Fault::Interval);
        }
        if self.parts.len() > 1 || is_start {
            for x in columns {
                self.mcu(reader, x, y)?;
            }
            return Ok(());
        }
        let (columns, y) = (columns.start as usize..columns.end as usize, y as usize);
        match self.predictor {
            1 => self.row::<1>(reader, columns, y),
            2 => self.row::<2>(reader, columns, y),
            3 => self.row::<3>(reader, columns, y),
            4 => self.row::<4>(reader, columns, y),
            5 => self.row::<5>(reader, columns, y),
            6 => self.row::<6>(reader, columns, y),
            _ => self.row::<7>(reader, columns, y),
        }
    }

    fn close(&mut self) -> Result<(), Fault> {
        self.start = None;
        Ok(())
    }
}
