//! TIFF: pixels. Strips and tiles are decompressed one by one and put in their place; samples keep
//! their depth and polarity. What the probe has found out about their places is not found again here.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod jpeg;
mod sample;
mod unpack;

use self::sample::{Sample, sample_at};
use super::{Display, Image, OutOfBits, Samples};
use crate::limits::Limits;
use crate::probe::tiff::ifd::Tiff;
use crate::probe::tiff::layout::Chunk;
use crate::probe::tiff::page::Compression;
use crate::probe::tiff::{SampleKind, TiffPage};
use crate::probe::{Flaw, Flaws, Geometry, Rows, TiffHeader};

pub(super) fn decode(
    bytes: &[u8],
    header: &TiffHeader,
    limits: &Limits,
    flaws: &mut Flaws,
) -> Option<Image> {
    let page = header.pages.first()?;
    let (tiff, _) = Tiff::open(bytes)?;
    let mut job = Job { bytes, tiff, pages: &header.pages, limits, flaws, rows: page.height };
    let samples = match (page.kind, page.bits) {
        (SampleKind::Unsigned, ..=8) => Samples::U8(job.run()?),
        (SampleKind::Unsigned, ..=16) => Samples::U16(job.run()?),
        (SampleKind::Unsigned, _) => Samples::U32(job.run()?),
        (SampleKind::Signed, ..=16) => Samples::I16(job.run()?),
        (SampleKind::Signed, _) => Samples::I32(job.run()?),
        (SampleKind::Float, ..=32) => Samples::F32(job.run()?),
        (SampleKind::Float, _) => Samples::F64(job.run()?),
    };
    let rows_decoded = job.rows;
    let display = if !page.palette.is_empty() {
        Display::Palette(page.palette.clone())
    } else if page.bits <= 8 && page.kind == SampleKind::Unsigned {
        Display::AsStored
    } else {
        Display::Percentiles
    };
    Some(Image {
        geometry: Geometry { frames: header.pages.len() as u32, ..page.geometry() },
        samples,
        has_alpha: page.has_alpha(),
        display,
        inverted: page.white_is_zero,
        rows_decoded,
        out_of_bits: OutOfBits::default(),
    })
}

struct Job<'a> {
    bytes: &'a [u8],
    tiff: Tiff<'a>,
    pages: &'a [TiffPage],
    limits: &'a Limits,
    flaws: &'a mut Flaws,
    /// Rows that are good on every page.
    rows: u32,
}

impl Job<'_> {
    fn run<T: Sample>(&mut self) -> Option<Vec<T>> {
        let first = self.pages.first()?;
        let one = usize::try_from(first.geometry().samples()).ok()?;
        let mut out = vec![T::default(); one.checked_mul(self.pages.len())?];
        for (page, target) in self.pages.iter().zip(out.chunks_exact_mut(one)) {
            self.page(page, target)?;
        }
        Some(out)
    }

    fn page<T: Sample>(&mut self, page: &TiffPage, out: &mut [T]) -> Option<()> {
        let row_bytes = page.row_bytes()?;
        for chunk in page.layout(&self.tiff) {
            let packed = self.packed(&chunk);
            let full = if page.chunks.tiled { page.chunks.height } else { chunk.rows };
            let size = row_bytes.checked_mul(full as usize)?;
            // A tile may claim to be larger than its picture.
            if size as u64 > self.limits.decoded_bytes {
                let (allowed, seen) = (self.limits.decoded_bytes, size as u64);
                self.flaws.push(Flaw::OverBudget { limit: "decoded_bytes", allowed, seen });
                return None;
            }
            let mut data = vec![0; size];
            let good = if matches!(page.compression, Compression::Jpeg { .. }) {
                self.jpeg(page, &chunk, &mut data)
            } else {
                unpack::decompress(page.compression, packed, &mut data)
            };
            if good < size {
                let whole_rows = if page.chunks.tiled { 0 } else { good.checked_div(row_bytes)? };
                self.incomplete(page, &chunk, whole_rows as u32);
            }
            unpack::undo_predictor(page, row_bytes, &mut data);
            place(page, &chunk, row_bytes, &data, out)?;
        }
        Some(())
    }

    /// Decodes a strip or tile that is a JPEG; gives the bytes that are good.
    fn jpeg(&mut self, page: &TiffPage, chunk: &Chunk, out: &mut [u8]) -> usize {
        let tables = page.tables.map(|entry| self.tiff.raw(entry)).unwrap_or_default();
        let packed = self.packed(chunk);
        let (good, found) = jpeg::decompress(page, chunk, tables, packed, self.limits, out);
        // What the probe has said of this strip it knows better.
        if self.flaws.is_empty() {
            self.flaws.extend(found);
        }
        good
    }

    /// The bytes of a strip or tile, as far as they are there.
    fn packed(&self, chunk: &Chunk) -> &[u8] {
        let from = usize::try_from(chunk.offset).ok().and_then(|from| self.bytes.get(from..));
        let from = from.filter(|_| chunk.offset >= 8).unwrap_or_default();
        usize::try_from(chunk.length).ok().and_then(|length| from.get(..length)).unwrap_or(from)
    }

    /// Says that a strip or tile does not hold all its rows, unless the probe has said so.
    fn incomplete(&mut self, page: &TiffPage, chunk: &Chunk, whole_rows: u32) {
        let stopped = chunk.y.saturating_add(whole_rows);
        self.rows = self.rows.min(stopped);
        let at = Rows { stopped, of: page.height };
        let known = self.flaws.iter_mut().find_map(|flaw| match flaw {
            Flaw::Truncated { rows, .. } | Flaw::Decode { rows, .. } => Some(rows),
            _ => None,
        });
        if let Some(rows) = known {
            // The probe knows the first row of the strip; here it is known how far the strip goes.
            if rows.is_none_or(|rows| rows.stopped == chunk.y) {
                *rows = Some(at);
            }
        } else {
            let reason = format!("{} does not hold all its rows", page.name(chunk));
            self.flaws.push(Flaw::Decode { reason, offset: Some(chunk.offset), rows: Some(at) });
        }
    }
}

/// Puts the samples of a strip or tile where they belong.
fn place<T: Sample>(
    page: &TiffPage,
    chunk: &Chunk,
    row_bytes: usize,
    data: &[u8],
    out: &mut [T],
) -> Option<()> {
    let in_chunk = usize::from(page.chunk_samples());
    let samples = usize::from(page.samples);
    let columns = page.width.saturating_sub(chunk.x).min(page.chunks.width) as usize;
    let line = (page.width as usize).checked_mul(samples)?;
    let first = (chunk.y as usize).checked_mul(line)?;
    let left = (chunk.x as usize).checked_mul(samples)?;
    let lines = out.get_mut(first..)?.chunks_exact_mut(line).take(chunk.rows as usize);
    for (row, target) in data.chunks_exact(row_bytes).zip(lines) {
        let pixels = target.get_mut(left..)?.chunks_exact_mut(samples).take(columns);
        for (x, pixel) in pixels.enumerate() {
            let index = x.checked_mul(in_chunk)?;
            if page.planar {
                *pixel.get_mut(usize::from(chunk.plane))? = sample_at(page, row, index);
            } else {
                for (s, sample) in pixel.iter_mut().enumerate() {
                    *sample = sample_at(page, row, index.checked_add(s)?);
                }
            }
        }
    }
    Some(())
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test may panic")]
mod tests;
