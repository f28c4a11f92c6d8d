//! Whether the entropy-coded data of a whole JPEG are really there, to the last bit.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "offsets within the file, rows within the image"
)]

use super::fault::Fault;
use super::huffman::Tables;
use super::progressive::Planes;
use super::scan::{Grid, Stopped, walk};
use super::sequential::Sequential;
use crate::probe::jpeg::{FrameHeader, JpegHeader, Process, Scan, Step};
use crate::probe::{Flaw, Flaws, Rows};

/// Zeros at the end of a file that are taken for data that were never written.
const ZERO_TAIL: usize = 16;

/// What a walk through all scans found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Coded {
    /// Rows that are certain, from the top: all of them if nothing is wrong.
    pub(super) rows: u32,
    /// True if every coefficient of the second and third component is zero.
    pub(super) neutral: bool,
}

/// Walks through all scans and says what is missing or wrong.
pub(super) fn check(bytes: &[u8], header: &JpegHeader, flaws: &mut Flaws) -> Coded {
    let Some(frame) = &header.frame else { return Coded::default() };
    let mut check = Check {
        bytes,
        header,
        frame,
        tables: Tables::default(),
        interval: 0,
        scans: 0,
        starts: Vec::new(),
    };
    let outcome = if frame.process == Process::Progressive {
        check.progressive()
    } else {
        check.sequential()
    };
    match outcome {
        Ok(neutral) if header.broken => Coded { rows: 0, neutral },
        Ok(neutral) => {
            if header.end.is_none() {
                flaws.push(Flaw::NoEndMarker { what: "EOI", offset: check.data_end() });
            }
            Coded { rows: frame.height, neutral }
        }
        Err(Broken { flaw, rows }) => {
            flaws.extend(flaw);
            Coded { rows, neutral: false }
        }
    }
}

/// Why coded data are not sound, and how many rows are all the same.
struct Broken {
    /// `None` if the walk through the segments has said it already.
    flaw: Option<Flaw>,
    rows: u32,
}

struct Check<'a> {
    bytes: &'a [u8],
    header: &'a JpegHeader,
    frame: &'a FrameHeader,
    tables: Tables,
    /// MCUs between restart markers; 0 for none.
    interval: u32,
    /// Scans begun so far.
    scans: usize,
    /// Offsets of the rows of MCUs of the scan at hand.
    starts: Vec<usize>,
}

impl<'a> Check<'a> {
    fn sequential(&mut self) -> Result<bool, Broken> {
        let header = self.header;
        let mut done = [false; 4];
        let mut coloured = false;
        for step in &header.steps {
            let Some(scan) = self.next(step)? else { continue };
            for part in &scan.components {
                if done.get(part.index) != Some(&false) {
                    let flaw = decode(Fault::Scan, scan.data.start as u64, None);
                    return Err(Broken { flaw: Some(flaw), rows: 0 });
                }
                done.iter_mut().skip(part.index).take(1).for_each(|done| *done = true);
            }
            let grid = Grid::new(self.frame, scan);
            let data = self.bytes.get(scan.data.clone()).unwrap_or_default();
            let outcome = match Sequential::new(self.frame, scan, &self.tables) {
                Ok(mut blocks) => {
                    let walked = walk(data, grid, self.interval, &mut self.starts, &mut blocks);
                    coloured |= blocks.coloured;
                    walked
                }
                Err(fault) => Err(Stopped { fault, row: 0, offset: 0 }),
            };
            outcome.map_err(|stopped| self.stopped(scan, grid, stopped))?;
        }
        if done.iter().take(self.frame.components.len()).all(|&done| done) {
            Ok(!coloured)
        } else {
            Err(self.unfinished())
        }
    }

    fn progressive(&mut self) -> Result<bool, Broken> {
        let header = self.header;
        let mut planes = Planes::new(self.frame);
        for step in &header.steps {
            let Some(scan) = self.next(step)? else { continue };
            let grid = Grid::new(self.frame, scan);
            let data = self.bytes.get(scan.data.clone()).unwrap_or_default();
            let outcome = match planes.scan(scan, &self.tables) {
                Ok(mut blocks) => walk(data, grid, self.interval, &mut self.starts, &mut blocks),
                Err(fault) => Err(Stopped { fault, row: 0, offset: 0 }),
            };
            outcome.map_err(|stopped| self.stopped(scan, grid, stopped))?;
        }
        // An encoder may leave bits away on purpose; a file that merely stops has lost them.
        let enough = if header.end.is_some() { planes.has_all_dc() } else { planes.is_complete() };
        if enough { Ok(!planes.coloured()) } else { Err(self.unfinished()) }
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
            Step::RestartInterval(interval) => self.interval = u32::from(*interval),
            Step::Scan(scan) => {
                self.scans += 1;
                return Ok(Some(scan));
            }
        }
        Ok(None)
    }

    /// A scan that stops early, goes on too long, or makes no sense.
    fn stopped(&self, scan: &Scan, grid: Grid, stopped: Stopped) -> Broken {
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

fn decode(fault: Fault, offset: u64, rows: Option<Rows>) -> Flaw {
    Flaw::Decode { reason: fault.reason().to_owned(), offset: Some(offset), rows }
}
