//! JPEG-LS (ITU-T T.87): lossless and near-lossless, 2 to 16 bits, 1 to 4 components in any order,
//! with presets and restart markers. Written here because it must say to the line where a picture
//! stops; what is not there is not made up.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod bits;
mod header;
mod model;
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test may panic")]
mod tests;

use self::bits::BitReader;
use self::header::{Frame, Interleave, Presets, Refusal, Scan, Segment, segment};
use self::model::{Model, Parameters};
use super::Samples;
use crate::probe::{Flaw, Flaws, Rows};

/// A picture as a DICOM object holds it.
#[derive(Debug)]
pub(crate) struct Picture {
    /// Rows that are there for all components, from the first.
    pub(crate) rows: u32,
    /// Components interleaved by pixel, all rows; a byte each where the precision allows it.
    pub(crate) samples: Samples,
}

/// Decodes a whole JPEG-LS stream; the caller has checked its size against the budget. `None` if it
/// has no frame, or nothing of it can be decoded. The flaws' offsets count from the start of `bytes`.
pub(crate) fn decode(bytes: &[u8], flaws: &mut Flaws) -> Option<Picture> {
    let mut stream = Stream { bytes, frame: None, presets: Presets::default(), restart: 0 };
    let mut picture: Option<Canvas> = None;
    // SOI, which the caller has seen.
    let mut at = 2_usize;
    loop {
        let (next, after) = match segment(bytes, at) {
            Ok(read) => read,
            Err(refusal) => {
                let is_whole = picture.as_ref().is_some_and(Canvas::is_whole);
                flaws.push(flaw_of(refusal, bytes, at, is_whole));
                break;
            }
        };
        at = after;
        match next {
            Segment::Frame(frame) if stream.frame.is_none() => {
                picture = Canvas::new(&frame);
                stream.frame = Some(frame);
            }
            Segment::Presets(presets) => stream.presets = presets,
            Segment::Restart(lines) => stream.restart = lines,
            Segment::Scan(scan) => match picture.as_mut() {
                Some(canvas) => match stream.scan(&scan, at, canvas, flaws) {
                    Some(end) => at = end,
                    None => break,
                },
                None => return refused("a scan without a frame", at, flaws),
            },
            Segment::Frame(_) => return refused("a second frame header", at, flaws),
            Segment::End => {
                finish(bytes, at, picture.as_ref(), flaws);
                break;
            }
            Segment::Other => {}
        }
    }
    let canvas = picture?;
    let rows = canvas.rows();
    (rows > 0).then_some(Picture { rows, samples: canvas.samples })
}

/// EOI: is everything there, and nothing more?
fn finish(bytes: &[u8], at: usize, canvas: Option<&Canvas>, flaws: &mut Flaws) {
    if !canvas.is_some_and(Canvas::is_whole) {
        let reason = "JPEG-LS: a component of the picture is never coded".to_owned();
        flaws.push(Flaw::Decode { reason, offset: Some(at as u64), rows: None });
    }
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.iter().any(|byte| *byte != 0) {
        flaws.push(Flaw::Trailing { offset: at as u64, bytes: rest.len() as u64 });
    }
}

fn refused(reason: &str, at: usize, flaws: &mut Flaws) -> Option<Picture> {
    let reason = format!("JPEG-LS: {reason}");
    flaws.push(Flaw::Decode { reason, offset: Some(at as u64), rows: None });
    None
}

/// What a segment that cannot be used means for the file.
fn flaw_of(refusal: Refusal, bytes: &[u8], at: usize, is_whole: bool) -> Flaw {
    let offset = at as u64;
    let found = (bytes.len() as u64).saturating_sub(offset);
    match refusal {
        Refusal::Cut(_) if is_whole => Flaw::NoEndMarker { what: "EOI", offset },
        Refusal::Cut(expected) => Flaw::Truncated {
            what: "JPEG-LS segment".to_owned(),
            offset,
            expected: Some(expected),
            found,
            rows: None,
        },
        // Zeros to the end stand where the end marker should.
        Refusal::Wrong(_)
            if is_whole && bytes.get(at..).is_some_and(|rest| rest.iter().all(|b| *b == 0)) =>
        {
            Flaw::NoEndMarker { what: "EOI", offset }
        }
        Refusal::Wrong(reason) => {
            let reason = format!("JPEG-LS: {reason}");
            Flaw::Decode { reason, offset: Some(offset), rows: None }
        }
        Refusal::Unsupported(what) => {
            Flaw::Unsupported { encoding: format!("JPEG-LS with {what}") }
        }
    }
}

/// What is known of a stream so far.
struct Stream<'a> {
    bytes: &'a [u8],
    frame: Option<Frame>,
    presets: Presets,
    /// Lines between restart markers; 0 is no such markers.
    restart: u32,
}

impl Stream<'_> {
    /// Decodes a scan; gives the offset after it, `None` if it is not whole.
    fn scan(
        &self,
        scan: &Scan,
        at: usize,
        canvas: &mut Canvas,
        flaws: &mut Flaws,
    ) -> Option<usize> {
        let wrong = |reason: &str, flaws: &mut Flaws| {
            let reason = format!("JPEG-LS: {reason}");
            flaws.push(Flaw::Decode { reason, offset: Some(at as u64), rows: None });
        };
        let frame = self.frame.as_ref()?;
        let Some(places) = canvas.places(&scan.components, frame) else {
            wrong("a scan of components that are not there or were there before", flaws);
            return None;
        };
        let Some(parameters) = Parameters::new(frame.precision, scan.near, self.presets) else {
            wrong("coding parameters that contradict each other", flaws);
            return None;
        };
        let mut work = Work::new(parameters, scan.interleave, frame.width, places.len());
        let mut bits = BitReader::new(self.bytes, at);
        let mut since = 0;
        for row in 0..frame.height {
            if self.restart > 0 && since == self.restart {
                let Some(next) = self.restarted(&mut bits, row.checked_div(self.restart)) else {
                    return self.stopped(&mut bits, frame, row, at, flaws);
                };
                bits = next;
                work.reset();
                since = 0;
            }
            since = since.saturating_add(1);
            work.line(&mut bits);
            if bits.overrun() {
                return self.stopped(&mut bits, frame, row, at, flaws);
            }
            canvas.write(row, &places, &work.lines);
        }
        let end = bits.end();
        if !bits.is_used_up() {
            let reason = "JPEG-LS: coded data are left over after the last line".to_owned();
            let offset = Some(bits.offset() as u64);
            flaws.push(Flaw::Decode { reason, offset, rows: None });
        }
        Some(end)
    }

    /// A reader after the restart marker that is due.
    fn restarted(&self, bits: &mut BitReader<'_>, count: Option<u32>) -> Option<BitReader<'_>> {
        let marker =
            u8::try_from(count?.checked_sub(1)?.checked_rem(8)?).ok()?.checked_add(0xD0)?;
        let at = bits.end();
        let is_due = bits.is_used_up() && self.bytes.get(at..)?.starts_with(&[0xFF, marker]);
        Some(BitReader::new(self.bytes, at.checked_add(2)?)).filter(|_| is_due)
    }

    /// Says that coded data stop in this row.
    fn stopped(
        &self,
        bits: &mut BitReader<'_>,
        frame: &Frame,
        row: u32,
        start: usize,
        flaws: &mut Flaws,
    ) -> Option<usize> {
        let rows = Some(Rows { stopped: row, of: frame.height });
        let end = bits.end();
        if bits.overrun() && end.saturating_add(1) >= self.bytes.len() {
            let found = self.bytes.len().saturating_sub(start) as u64;
            let (what, offset) = ("JPEG-LS scan".to_owned(), self.bytes.len() as u64);
            flaws.push(Flaw::Truncated { what, offset, expected: None, found, rows });
        } else {
            let reason = if bits.overrun() {
                "JPEG-LS: coded data stop before the last line"
            } else {
                "JPEG-LS: a restart marker is missing or out of order"
            };
            let offset = Some(bits.offset() as u64);
            flaws.push(Flaw::Decode { reason: reason.to_owned(), offset, rows });
        }
        None
    }
}

/// The lines that a scan is at.
struct Work {
    model: Model,
    interleave: Interleave,
    is_plain: bool,
    above: Vec<Vec<u16>>,
    lines: Vec<Vec<u16>>,
    runs: Vec<usize>,
}

impl Work {
    fn new(parameters: Parameters, interleave: Interleave, width: u32, count: usize) -> Self {
        let line = vec![0; (width as usize).saturating_add(2)];
        Self {
            is_plain: parameters.is_plain(),
            model: Model::new(parameters),
            interleave,
            above: vec![line.clone(); count],
            lines: vec![line; count],
            runs: vec![0; count],
        }
    }

    fn reset(&mut self) {
        self.model.reset();
        self.runs.fill(0);
        self.lines.iter_mut().for_each(|line| line.fill(0));
    }

    /// Decodes the next line of each component into `lines`.
    fn line(&mut self, bits: &mut BitReader<'_>) {
        std::mem::swap(&mut self.above, &mut self.lines);
        let Self { model, above, lines, runs, .. } = self;
        if self.interleave == Interleave::Sample {
            if let Some(run) = runs.first_mut() {
                model.line_of_pixels(bits, above, lines, run);
            }
            return;
        }
        for ((above, line), run) in above.iter().zip(lines).zip(runs) {
            if self.is_plain {
                model.line::<true>(bits, above, line, run);
            } else {
                model.line::<false>(bits, above, line, run);
            }
        }
    }
}

/// The picture as far as it is decoded.
struct Canvas {
    width: usize,
    height: u32,
    /// Rows done, by component.
    done: Vec<u32>,
    samples: Samples,
}

impl Canvas {
    fn new(frame: &Frame) -> Option<Self> {
        let width = usize::try_from(frame.width).ok()?;
        let height = usize::try_from(frame.height).ok()?;
        let count = width.checked_mul(height)?.checked_mul(frame.components.len())?;
        let samples = if frame.precision <= 8 {
            Samples::U8(vec![0; count])
        } else {
            Samples::U16(vec![0; count])
        };
        Some(Self { width, height: frame.height, done: vec![0; frame.components.len()], samples })
    }

    fn is_whole(&self) -> bool {
        self.rows() == self.height
    }

    fn rows(&self) -> u32 {
        self.done.iter().copied().min().unwrap_or_default()
    }

    /// The places of these components in a pixel, if each is there and new.
    fn places(&self, wanted: &[u8], frame: &Frame) -> Option<Vec<usize>> {
        let place = |id: &u8| {
            let at = frame.components.iter().position(|own| own == id)?;
            (self.done.get(at) == Some(&0)).then_some(at)
        };
        let places: Vec<usize> = wanted.iter().map(place).collect::<Option<_>>()?;
        let is_new = |at: &usize| places.iter().filter(|other| *other == at).count() == 1;
        places.iter().all(is_new).then_some(places)
    }

    fn write(&mut self, row: u32, places: &[usize], lines: &[Vec<u16>]) {
        let count = self.done.len();
        let length = self.width.saturating_mul(count);
        let start = length.saturating_mul(row as usize);
        let range = start..start.saturating_add(length);
        for (place, line) in places.iter().zip(lines) {
            let line = line.iter().skip(1).take(self.width);
            match &mut self.samples {
                Samples::U8(all) => {
                    let out = all.get_mut(range.clone()).unwrap_or_default();
                    let out = out.iter_mut().skip(*place).step_by(count);
                    out.zip(line).for_each(|(out, value)| *out = *value as u8);
                }
                Samples::U16(all) => {
                    let out = all.get_mut(range.clone()).unwrap_or_default();
                    let out = out.iter_mut().skip(*place).step_by(count);
                    out.zip(line).for_each(|(out, value)| *out = *value);
                }
                _ => {}
            }
            if let Some(done) = self.done.get_mut(*place) {
                *done = row.saturating_add(1);
            }
        }
    }
}
