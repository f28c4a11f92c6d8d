//! PNG: pixels, by the `png` crate, with the checksum of the compressed data on. What the chunk walk
//! of the probe has found (CRCs, order, cuts) is not found again here.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod salvage;
mod stream;

use std::io::Cursor;

use png::{DecodeOptions, Decoder, Transformations};

use self::salvage::{Cause, Salvaged, salvage};
use super::{Display, Image, OutOfBits, Samples};
use crate::limits::Limits;
use crate::probe::{Flaw, Flaws, PngColour, PngHeader, Rows};

pub(super) fn decode(
    bytes: &[u8],
    header: &PngHeader,
    limits: &Limits,
    flaws: &mut Flaws,
) -> Option<Image> {
    let first = header.image_data?;
    if !header.interlaced {
        let (packed, _, error) = read(stream::essential(bytes, header, first), header, limits)?;
        if error.is_none() {
            return Some(finish(header, packed, header.height));
        }
    }
    let (packed, rows) = read_carefully(bytes, header, first, limits, flaws)?;
    Some(finish(header, packed, rows))
}

/// Rows as they stand in the file (packed, 16 bits in big-endian order), how many of them are good,
/// and why it stopped, if it did.
type Outcome = (Vec<u8>, u32, Option<String>);

fn read(stream: Vec<u8>, header: &PngHeader, limits: &Limits) -> Option<Outcome> {
    let line = stream::line_bytes(header, header.width)?;
    let height = usize::try_from(header.height).ok()?;
    let mut packed = vec![0; line.checked_mul(height)?];
    let mut rows = 0;
    let error = read_rows(stream, header, limits, &mut packed, line, &mut rows).err();
    Some((packed, rows, error))
}

fn read_rows(
    stream: Vec<u8>,
    header: &PngHeader,
    limits: &Limits,
    packed: &mut [u8],
    line: usize,
    rows: &mut u32,
) -> Result<(), String> {
    let mut options = DecodeOptions::default();
    options.set_ignore_adler32(false);
    options.set_ignore_crc(true);
    let mut decoder = Decoder::new_with_options(Cursor::new(stream), options);
    let bytes = usize::try_from(limits.decoded_bytes).unwrap_or(usize::MAX);
    decoder.set_limits(png::Limits { bytes });
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(|error| error.to_string())?;
    if header.interlaced {
        reader.next_frame(packed).map_err(|error| error.to_string())?;
        *rows = header.height;
        return Ok(());
    }
    for row in packed.chunks_exact_mut(line) {
        reader.read_row(row).map_err(|error| error.to_string())?;
        *rows = rows.saturating_add(1);
    }
    match reader.read_row(&mut vec![0; line]) {
        Ok(_) => Err("there are more rows than the header says".to_owned()),
        // The crate keeps its kinds to itself; its debug text names them.
        Err(error) if format!("{error:?}").contains("NoMoreImageData") => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// The rows that are good, and the flaw that says what is wrong with the others, unless the probe
/// knows the cause: then only the row is added.
fn read_carefully(
    bytes: &[u8],
    header: &PngHeader,
    first: usize,
    limits: &Limits,
    flaws: &mut Flaws,
) -> Option<(Vec<u8>, u32)> {
    let Salvaged { raw, good, cause } = salvage(bytes, header, first)?;
    let (packed, unfiltered, error) = read(stream::stored(&raw, header), header, limits)?;
    let broken_chunk =
        flaws.iter().any(|flaw| matches!(flaw, Flaw::Checksum { ancillary: false, .. }));
    let rows = match cause {
        // A chunk is damaged, and nobody can say which of its bytes.
        Cause::Checksum { .. } if broken_chunk => 0,
        _ => stream::rows_in(header, good)?.min(unfiltered),
    };
    let stopped = (rows < header.height && !header.interlaced)
        .then_some(Rows { stopped: rows, of: header.height });
    let offset = first as u64;
    let flaw = match (cause, error) {
        (Cause::None, None) => return Some((packed, rows)),
        (Cause::Checksum { stored, computed }, _) => {
            let (what, computed) = ("the zlib stream".to_owned(), Some(computed));
            Flaw::Checksum { what, offset, stored, computed, ancillary: false }
        }
        (Cause::EndsEarly { offset, found }, _) => {
            let what = "compressed data".to_owned();
            Flaw::Truncated { what, offset, expected: None, found, rows: stopped }
        }
        (Cause::Damaged(reason), _) => {
            Flaw::Decode { reason: reason.to_owned(), offset: Some(offset), rows: stopped }
        }
        (Cause::None, Some(reason)) => Flaw::Decode { reason, offset: Some(offset), rows: stopped },
    };
    if !explained(flaws, stopped) {
        flaws.push(flaw);
    }
    Some((packed, rows))
}

/// True if the probe has found something that breaks pixels.
fn explained(flaws: &mut Flaws, stopped: Option<Rows>) -> bool {
    let mut known = false;
    for flaw in flaws {
        match flaw {
            Flaw::Truncated { rows, .. } | Flaw::Decode { rows, .. } => {
                *rows = rows.or(stopped);
                known = true;
            }
            Flaw::Checksum { ancillary: false, .. } => known = true,
            _ => {}
        }
    }
    known
}

/// Packed rows as samples.
fn finish(header: &PngHeader, packed: Vec<u8>, rows_decoded: u32) -> Image {
    let samples = match header.depth {
        16 => {
            Samples::U16(packed.as_chunks().0.iter().map(|two| u16::from_be_bytes(*two)).collect())
        }
        8 => Samples::U8(packed),
        depth => Samples::U8(unpacked(&packed, header.width as usize, depth)),
    };
    let display = match (header.colour, header.depth) {
        (PngColour::Palette, _) => Display::Palette(padded(&header.palette, &samples)),
        (_, 16) => Display::Percentiles,
        _ => Display::AsStored,
    };
    Image {
        geometry: header.geometry(),
        samples,
        has_alpha: matches!(header.colour, PngColour::GreyAlpha | PngColour::Rgba),
        display,
        inverted: false,
        rows_decoded,
        out_of_bits: OutOfBits::default(),
    }
}

/// Samples of 1, 2 or 4 bits, one a byte; each row begins with a new byte (PNG 7.2).
fn unpacked(packed: &[u8], width: usize, depth: u8) -> Vec<u8> {
    let in_a_byte = usize::from(8_u8.checked_div(depth).unwrap_or(1));
    let mask = 0xff_u8 >> 8_u8.saturating_sub(depth);
    let mut samples = Vec::with_capacity(packed.len().saturating_mul(in_a_byte));
    for row in packed.chunks(width.div_ceil(in_a_byte).max(1)) {
        let each = row.iter().flat_map(|byte| {
            (1..=in_a_byte as u32)
                .map(move |nth| byte.rotate_left(u32::from(depth).saturating_mul(nth)) & mask)
        });
        samples.extend(each.take(width));
    }
    samples
}

/// The palette, with black for indices that it does not have (as libpng shows them).
fn padded(palette: &[[u8; 3]], samples: &Samples) -> Vec<[u8; 3]> {
    let mut palette = palette.to_vec();
    if let Samples::U8(indices) = samples {
        let highest = indices.iter().max().map_or(0, |index| usize::from(*index));
        palette.resize(highest.saturating_add(1).max(palette.len()), [0; 3]);
    }
    palette
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test may panic")]
mod tests;
