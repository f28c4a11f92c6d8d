//! All scans of a JPEG, read once: the samples that they code, and whether every bit of them is there.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "offsets within the file, rows within the image"
)]

use super::fault::Fault;
use super::huffman::Tables;
use super::lossless::Lossless;
use super::plane::{Planes, Sample};
use super::progressive::Layers;
use super::quantisation::Quantisers;
use super::scan::{Blocks, Grid, Stopped, walk};
use super::sequential::Sequential;
use crate::probe::jpeg::{FrameHeader, JpegHeader, Process, Scan, Step};
use crate::probe::{Flaw, Flaws, Rows};

/// Zeros at the end of a file that are taken for data that were never written.
const ZERO_TAIL: usize = 16;

/// What the scans of a JPEG hold.
#[derive(Debug)]
pub(super) struct Coded<S> {
    /// Rows that are certain, from the top: all of them if nothing is wrong.
    pub(super) rows: u32,
    pub(super) planes: Planes<S>,
}

/// Reads all scans and says what is missing or wrong. `None` without a frame.
pub(super) fn read<S: Sample>(
    bytes: &[u8],
    header: &JpegHeader,
    flaws: &mut Flaws,
) -> Option<Coded<S>> {
    let frame = header.frame.as_ref()?;
    let unit = if frame.process == Process::Lossless { 1 } else { 8 };
    let mut check = Check {
        bytes,
        header,
        frame,
        unit,
        tables: Tables::default(),
        quantisers: Quantisers::default(),
        planes: Planes::new(frame, unit),
        interval: 0,
        scans: 0,
        starts: Vec::new(),
    };
    let outcome = if frame.process == Process::Progressive {
        check.progressive()
    } else {
        check.sequential()
    };
    let rows = match outcome {
        Ok(()) if header.broken => 0,
        Ok(()) => {
            if header.end.is_none() {
                flaws.push(Flaw::NoEndMarker { what: "EOI", offset: check.data_end() });
            }
            frame.height
        }
        Err(Broken { flaw, rows }) => {
            flaws.extend(flaw);
            rows
        }
    };
    Some(Coded { rows, planes: check.planes })
}

/// Why coded data are not sound, and how many rows are all the same.
struct Broken {
    /// `None` if the walk through the segments has said it already.
    flaw: Option<Flaw>,
    rows: u32,
}

impl Broken {
    /// The row at which the scan at hand stops, if the flaw tells it.
    fn stopped_row(&self) -> Option<u32> {
        match &self.flaw {
            Some(Flaw::Truncated { rows, .. } | Flaw::Decode { rows, .. }) => {
                rows.map(|rows| rows.stopped)
            }
            _ => None,
        }
    }
}

struct Check<'a, S> {
    bytes: &'a [u8],
    header: &'a JpegHeader,
    frame: &'a FrameHeader,
    /// Side of a data unit, in samples.
    unit: u32,
    tables: Tables,
    quantisers: Quantisers,
    planes: Planes<S>,
    /// MCUs between restart markers; 0 for none.
    interval: u32,
    /// Scans begun so far.
    scans: usize,
    /// Offsets of the rows of MCUs of the scan at hand.
    starts: Vec<usize>,
}

impl<'a, S: Sample> Check<'a, S> {
    fn sequential(&mut self) -> Result<(), Broken> {
        let header = self.header;
        let mut done = [false; 4];
        for step in &header.steps {
            let Some(scan) = self.next(step)? else { continue };
            for part in &scan.components {
                if done.get(part.index) != Some(&false) {
                    let flaw = decode(Fault::Scan, scan.data.start as u64, None);
                    return Err(Broken { flaw: Some(flaw), rows: 0 });
                }
                done.iter_mut().skip(part.index).take(1).for_each(|done| *done = true);
            }
            let (frame, tables, planes) = (self.frame, &self.tables, &mut self.planes);
            let mut starts = std::mem::take(&mut self.starts);
            let outcome = if frame.process == Process::Lossless {
                let blocks = Lossless::new(frame, scan, tables, planes);
                through(self.bytes, self.frame, scan, self.interval, &mut starts, blocks)
            } else {
                let blocks = Sequential::new(frame, scan, tables, &self.quantisers, planes);
                through(self.bytes, self.frame, scan, self.interval, &mut starts, blocks)
            };
            self.starts = starts;
            outcome.map_err(|stopped| self.stopped(scan, stopped))?;
        }
        if done.iter().take(self.frame.components.len()).all(|&done| done) {
            Ok(())
        } else {
            Err(self.unfinished())
        }
    }

    fn progressive(&mut self) -> Result<(), Broken> {
        let mut layers = Layers::new(self.frame);
        let outcome = self.layered(&mut layers);
        if outcome.as_ref().map_or_else(|broken| broken.rows > 0, |()| true) {
            for (index, plane) in self.planes.0.iter_mut().enumerate() {
                // A component without a scan has no table.
                if let Ok(steps) = self.quantisers.of(index) {
                    layers.draw(index, steps, plane);
                }
            }
        }
        outcome
    }

    fn layered(&mut self, layers: &mut Layers) -> Result<(), Broken> {
        let header = self.header;
        // A picture that is coarse is there as far as its DC coefficients are, and not complete.
        let coarse = self.frame.height.saturating_sub(1);
        for step in &header.steps {
            let Some(scan) = self.next(step)? else { continue };
            let had_dc = layers.has_all_dc();
            let mut starts = std::mem::take(&mut self.starts);
            let blocks = layers.scan(scan, &self.tables);
            let outcome = through(self.bytes, self.frame, scan, self.interval, &mut starts, blocks);
            self.starts = starts;
            outcome.map_err(|stopped| {
                let broken = self.stopped(scan, stopped);
                let rows = match broken.stopped_row() {
                    // All is there but the end marker.
                    _ if broken.rows > 0 => broken.rows,
                    _ if had_dc => coarse,
                    Some(row) if layers.has_all_dc() => row.min(coarse),
                    _ => 0,
                };
                Broken { rows, ..broken }
            })?;
        }
        // An encoder may leave bits away on purpose; a file that merely stops has lost them.
        let enough = if header.end.is_some() { layers.has_all_dc() } else { layers.is_complete() };
        if enough {
            return Ok(());
        }
        let rows = if layers.has_all_dc() { coarse } else { 0 };
        Err(Broken { rows, ..self.unfinished() })
    }

    /// Takes over tables; gives the scan if the step is one.
    fn next(&mut self, step: &'a Step) -> Result<Option<&'a Scan>, Broken> {
        match step {
            Step::Huffman(range) => {
                let payload = self.bytes.get(range.clone()).unwrap_or_default();
                if let Err(fault) = self.tables.define(payload) {
                    let flaw = decode(fault, range.start as u64, None);
                    return Err(Broken { flaw: Some(flaw), rows: 0 });
                }
            }
            Step::Quantisation(range) => {
                self.quantisers.define(self.bytes.get(range.clone()).unwrap_or_default());
            }
            Step::RestartInterval(interval) => self.interval = u32::from(*interval),
            Step::Scan(scan) => {
                self.scans += 1;
                for part in &scan.components {
                    if let Some(component) = self.frame.components.get(part.index) {
                        self.quantisers.take(part.index, usize::from(component.quantisation));
                    }
                }
                return Ok(Some(scan));
            }
        }
        Ok(None)
    }

    /// A scan that stops early, goes on too long, or makes no sense.
    fn stopped(&self, scan: &Scan, stopped: Stopped) -> Broken {
        let grid = Grid::new(self.frame, scan, self.unit);
        // Zeros can be good data; they are taken for bytes that were never written only where the
        // walk failed among them.
        if let Some(zeros) = self.zero_tail(scan).filter(|&zeros| zeros < stopped.offset) {
            let row = self.starts.partition_point(|&start| start < zeros).saturating_sub(1) as u32;
            return self.truncated(scan, grid, scan.data.start + zeros, row);
        }
        let Stopped { fault, row, offset } = stopped;
        let offset = scan.data.start + offset;
        match fault {
            // Zeros behind the last block are nothing that was cut.
            Fault::Surplus if self.zero_tail(scan).is_some() => Broken {
                flaw: Some(Flaw::NoEndMarker { what: "EOI", offset: offset as u64 }),
                rows: if self.is_last(scan) { self.frame.height } else { 0 },
            },
            Fault::Ended if self.ends_here(scan) => self.truncated(scan, grid, scan.data.end, row),
            Fault::Surplus => Broken { flaw: Some(decode(fault, offset as u64, None)), rows: 0 },
            _ => {
                let rows = self.rows(grid, row);
                let flaw = decode(fault, offset as u64, Some(rows));
                Broken { flaw: Some(flaw), rows: self.certain(scan, rows) }
            }
        }
    }

    fn truncated(&self, scan: &Scan, grid: Grid, end: usize, row: u32) -> Broken {
        let rows = self.rows(grid, row);
        let flaw = Flaw::Truncated {
            what: self.scan_name(),
            offset: end as u64,
            expected: None,
            found: (end - scan.data.start) as u64,
            rows: Some(rows),
        };
        Broken { flaw: Some(flaw), rows: self.certain(scan, rows) }
    }

    /// All scans are sound, but some are missing.
    fn unfinished(&self) -> Broken {
        let offset = self.header.stop as u64;
        let flaw = match self.header.end {
            // The segment that could not be passed hides what follows.
            _ if self.header.broken => None,
            Some(_) => Some(decode(Fault::Unfinished, offset, None)),
            None => Some(Flaw::Truncated {
                what: format!("scan {}", self.scans + 1),
                offset,
                expected: None,
                found: 0,
                rows: None,
            }),
        };
        Broken { flaw, rows: 0 }
    }

    /// `scan`, with its number where there are several.
    fn scan_name(&self) -> String {
        match self.scans {
            1 if self.frame.process != Process::Progressive => "scan".to_owned(),
            number => format!("scan {number}"),
        }
    }

    fn rows(&self, grid: Grid, row: u32) -> Rows {
        let of = self.frame.height;
        Rows { stopped: row.saturating_mul(grid.row_height).min(of), of }
    }

    /// Rows that no later data would change: those of the one scan of a sequential file.
    fn certain(&self, scan: &Scan, rows: Rows) -> u32 {
        let whole = scan.components.len() == self.frame.components.len();
        if whole && self.frame.process != Process::Progressive { rows.stopped } else { 0 }
    }

    fn is_last(&self, scan: &Scan) -> bool {
        self.header.scans().last() == Some(scan)
    }

    /// True if a scan is followed by EOI or by nothing.
    fn ends_here(&self, scan: &Scan) -> bool {
        let rest = self.bytes.get(scan.data.end..).unwrap_or_default();
        matches!(rest.iter().find(|&&byte| byte != 0xFF), None | Some(0xD9))
    }

    /// Where the zeros begin at which a file without EOI ends, within the scan's data.
    fn zero_tail(&self, scan: &Scan) -> Option<usize> {
        let data = self.bytes.get(scan.data.clone())?;
        let zeros = data.iter().rev().take_while(|&&byte| byte == 0).count();
        (self.header.end.is_none() && scan.data.end == self.bytes.len() && zeros >= ZERO_TAIL)
            .then(|| data.len() - zeros)
    }

    fn data_end(&self) -> u64 {
        self.header.scans().last().map_or(self.header.stop, |scan| scan.data.end) as u64
    }
}

/// Walks through a scan with what reads its blocks, if that could be made.
fn through(
    bytes: &[u8],
    frame: &FrameHeader,
    scan: &Scan,
    interval: u32,
    starts: &mut Vec<usize>,
    blocks: Result<impl Blocks, Fault>,
) -> Result<(), Stopped> {
    let data = bytes.get(scan.data.clone()).unwrap_or_default();
    let unit = if frame.process == Process::Lossless { 1 } else { 8 };
    let mut blocks = blocks.map_err(|fault| Stopped { fault, row: 0, offset: 0 })?;
    walk(data, Grid::new(frame, scan, unit), interval, starts, &mut blocks)
}

fn decode(fault: Fault, offset: u64, rows: Option<Rows>) -> Flaw {
    Flaw::Decode { reason: fault.reason().to_owned(), offset: Some(offset), rows }
}
