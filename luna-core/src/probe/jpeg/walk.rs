//! The walk from marker to marker.

use std::ops::Range;

use super::blocks;
use super::frame::{FrameHeader, Process, Scan};
use super::{JpegHeader, Step, quality, quantisation};
use crate::limits::Limits;
use crate::probe::{Flaw, Flaws};

/// Segments of one file; real ones have some dozens, 255 pieces of an ICC profile at most.
const MAX_SEGMENTS: u32 = 16_384;

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DQT: u8 = 0xDB;
const DHT: u8 = 0xC4;
const DNL: u8 = 0xDC;
const DRI: u8 = 0xDD;
const DAC: u8 = 0xCC;
const APP14: u8 = 0xEE;

pub(super) struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    max_scans: u32,
    scans: u32,
    header: JpegHeader,
    adobe_transform: Option<u8>,
    /// Quantisation tables as last defined, in zigzag order.
    tables: [Option<quantisation::Table>; 4],
    flaws: Flaws,
}

/// The walk ends here: with `Some`, because of this flaw.
type Stop = Option<Flaw>;

fn corrupt<T>(reason: &str, offset: usize) -> Result<T, Stop> {
    Err(Some(Flaw::Decode { reason: reason.to_owned(), offset: Some(offset as u64), rows: None }))
}

impl<'a> Walk<'a> {
    pub(super) fn new(bytes: &'a [u8], limits: &Limits) -> Self {
        Self {
            bytes,
            at: 0,
            max_scans: limits.scans,
            scans: 0,
            header: JpegHeader::default(),
            adobe_transform: None,
            tables: [None; 4],
            flaws: Flaws::new(),
        }
    }

    /// Walks until EOI, the end of the file, or a segment that cannot be passed.
    pub(super) fn run(&mut self) {
        let mut segments = 0_u32;
        let end = loop {
            if segments > MAX_SEGMENTS {
                break corrupt("more than 16,384 segments", self.at);
            }
            segments = segments.saturating_add(1);
            match self.segment() {
                Ok(()) => {}
                Err(stop) => break Err(stop),
            }
        };
        if let Err::<(), _>(Some(flaw)) = end {
            self.header.broken = true;
            self.flaws.push(flaw);
        }
        self.header.stop = self.at;
    }

    pub(super) fn finish(mut self) -> (JpegHeader, Flaws) {
        if let Some(end) = self.header.end {
            let rest = self.bytes.get(end..).unwrap_or_default();
            if rest.iter().any(|&byte| byte != 0) {
                self.flaws.push(Flaw::Trailing { offset: end as u64, bytes: rest.len() as u64 });
            }
        }
        (self.header, self.flaws)
    }

    /// One marker with its segment.
    fn segment(&mut self) -> Result<(), Stop> {
        let (marker, offset) = self.marker()?;
        match marker {
            SOI if offset == 0 => return Ok(()),
            EOI if self.scans > 0 => {
                self.header.end = Some(self.at);
                return Err(None);
            }
            EOI => return corrupt("end of image before any scan", offset),
            SOI => return corrupt("second start of image", offset),
            0x00..=0xBF => return corrupt("undefined marker between segments", offset),
            0xD0..=0xD7 => return corrupt("restart marker outside of a scan", offset),
            _ => {}
        }
        let payload = self.payload(marker, offset)?;
        let data = self.bytes.get(payload.clone()).unwrap_or_default();
        match marker {
            DQT => {
                self.quantisation(data, offset)?;
                self.header.steps.push(Step::Quantisation(payload));
                Ok(())
            }
            DHT => {
                self.header.steps.push(Step::Huffman(payload));
                Ok(())
            }
            DRI => self.restart_interval(data, offset),
            SOS => self.scan(data, offset),
            DNL if self.scans > 0 => Ok(()),
            DAC | 0xDF | 0xF0..=0xF6 | 0xF8..=0xFD | 0xC8 => Ok(()),
            APP14 => {
                if let Some(transform) = adobe_transform(data) {
                    self.adobe_transform = Some(transform);
                }
                Ok(())
            }
            0xE0..=0xEF | 0xFE => {
                let start = payload.start;
                blocks::collect(marker, data, start, offset, &mut self.header.blocks);
                Ok(())
            }
            _ => match Process::of(marker) {
                Some(process) => self.frame(process, data, offset),
                None => corrupt("marker that may not stand here", offset),
            },
        }
    }

    /// The next marker and its offset. Fill bytes (FF) before it are legal.
    fn marker(&mut self) -> Result<(u8, usize), Stop> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let fill = rest.iter().take_while(|&&byte| byte == 0xFF).count();
        let Some(&marker) = rest.get(fill) else { return Err(self.out_of_bytes()) };
        let Some(fill) = fill.checked_sub(1) else {
            return corrupt("bytes between two segments", self.at);
        };
        let offset = self.at.saturating_add(fill);
        self.at = offset.saturating_add(2);
        Ok((marker, offset))
    }

    /// The file ended where a marker should stand. After a scan only decoding knows what is missing.
    fn out_of_bytes(&self) -> Stop {
        (self.scans == 0).then(|| Flaw::Truncated {
            what: "header".to_owned(),
            offset: self.at as u64,
            expected: None,
            found: 0,
            rows: None,
        })
    }

    /// The payload of a segment, whose length field comes next.
    fn payload(&mut self, marker: u8, offset: usize) -> Result<Range<usize>, Stop> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.first_chunk::<2>().map(|&field| usize::from(u16::from_be_bytes(field)));
        if length.is_some_and(|length| length < 2) {
            return corrupt("segment shorter than its own length field", offset);
        }
        match length.filter(|&length| length <= rest.len()) {
            Some(length) => {
                let end = self.at.saturating_add(length);
                let start = self.at.saturating_add(2);
                self.at = end;
                Ok(start..end)
            }
            None => Err(Some(Flaw::Truncated {
                what: format!("segment {}", segment_name(marker)),
                offset: offset as u64,
                expected: length.map(|length| length.saturating_add(2) as u64),
                found: rest.len().saturating_add(2) as u64,
                rows: None,
            })),
        }
    }

    fn quantisation(&mut self, data: &[u8], offset: usize) -> Result<(), Stop> {
        for table in quantisation::tables(data) {
            match table {
                Some((number, table)) => {
                    self.tables
                        .iter_mut()
                        .skip(number)
                        .take(1)
                        .for_each(|slot| *slot = Some(table));
                }
                None => return corrupt("malformed quantisation table", offset),
            }
        }
        Ok(())
    }

    fn restart_interval(&mut self, data: &[u8], offset: usize) -> Result<(), Stop> {
        let &[high, low] = data else {
            return corrupt("restart interval segment of a wrong length", offset);
        };
        self.header.steps.push(Step::RestartInterval(u16::from_be_bytes([high, low])));
        Ok(())
    }

    fn frame(&mut self, process: Process, data: &[u8], offset: usize) -> Result<(), Stop> {
        match &self.header.frame {
            // The frames of a pyramid.
            Some(first) if first.process == Process::Hierarchical => return Ok(()),
            Some(_) => return corrupt("second frame header", offset),
            None => {}
        }
        match FrameHeader::parse(process, data) {
            Ok(frame) => {
                self.header.frame = Some(frame);
                Ok(())
            }
            Err(reason) => corrupt(reason, offset),
        }
    }

    fn scan(&mut self, data: &[u8], offset: usize) -> Result<(), Stop> {
        let Some(frame) = &mut self.header.frame else {
            return corrupt("scan before the frame header", offset);
        };
        if self.scans == 0 {
            frame.adobe_transform = self.adobe_transform;
            let luma = frame.components.first().map(|first| usize::from(first.quantisation));
            let table = luma.and_then(|number| self.tables.get(number)).and_then(Option::as_ref);
            self.header.quality = table.filter(|_| frame.process.is_dct()).map(quality::estimate);
        }
        self.scans = self.scans.saturating_add(1);
        if self.scans > self.max_scans {
            self.header.refused = true;
            return Err(Some(Flaw::OverBudget {
                limit: "scans",
                allowed: u64::from(self.max_scans),
                seen: u64::from(self.scans),
            }));
        }
        let process = frame.process;
        match Scan::parse(data, frame) {
            Ok(mut scan) => {
                let end = self.entropy_end(process == Process::JpegLs);
                scan.data = self.at..end;
                self.at = end;
                self.header.steps.push(Step::Scan(scan));
                Ok(())
            }
            // The components of a pyramid's frames are not kept.
            Err(_) if process == Process::Hierarchical => {
                self.at = self.entropy_end(false);
                Ok(())
            }
            Err(reason) => corrupt(reason, offset),
        }
    }

    /// The end of the entropy-coded data that begin here: the next marker that is neither a stuffed
    /// FF nor a restart. (JPEG-LS stuffs a bit: there, FF followed by less than 80 is data.)
    fn entropy_end(&self, jpeg_ls: bool) -> usize {
        let mut at = self.at;
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            let Some(next) = memchr::memchr(0xFF, rest) else {
                return self.bytes.len();
            };
            at = at.saturating_add(next);
            match self.bytes.get(at.saturating_add(1)) {
                None => return self.bytes.len(),
                Some(0xFF) => at = at.saturating_add(1),
                Some(0x00 | 0xD0..=0xD7) => at = at.saturating_add(2),
                Some(0x01..0x80) if jpeg_ls => at = at.saturating_add(2),
                Some(_) => return at,
            }
        }
    }
}

/// The transform byte of an Adobe segment.
fn adobe_transform(payload: &[u8]) -> Option<u8> {
    payload.strip_prefix(b"Adobe").and_then(|rest| rest.get(6).copied())
}

/// The name by which the standard calls a segment.
fn segment_name(marker: u8) -> String {
    match marker {
        DHT => "DHT".to_owned(),
        DQT => "DQT".to_owned(),
        DRI => "DRI".to_owned(),
        SOS => "SOS".to_owned(),
        DNL => "DNL".to_owned(),
        DAC => "DAC".to_owned(),
        0xFE => "COM".to_owned(),
        0xE0..=0xEF => format!("APP{}", marker & 15),
        0xF7 => "SOF55".to_owned(),
        0xC0..=0xCF => format!("SOF{}", marker & 15),
        other => format!("FF{other:02X}"),
    }
}
