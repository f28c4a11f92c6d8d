//! BMP: both headers. Bytes in; layout, palette and what is missing out.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{Flaw, Format, Geometry, Header, Probe, Rows};
use crate::limits::Limits;

const FILE_HEADER: usize = 14;
/// Size of the oldest second header; its sizes have 16 bits, its palette entries 3 bytes.
const CORE_HEADER: u32 = 12;

/// What a BMP header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BmpHeader {
    /// Columns, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
    /// Bits a pixel: 1, 4, 8, 16, 24 or 32.
    pub bits: u16,
    /// 0 none, 1 and 2 run lengths, 3 bit fields.
    pub compression: u32,
    /// The first row of the file is the top row.
    pub top_down: bool,
    /// Colours of the palette; empty for more than 8 bits.
    pub palette: Vec<[u8; 3]>,
    /// Offset of the first row of the file.
    pub(crate) pixels: usize,
}

impl BmpHeader {
    /// True if rows lie in the file as they are, one after the other.
    pub(crate) fn is_plain(&self) -> bool {
        self.compression == 0 && self.bits != 16
    }

    /// Bytes of a row: padded to four.
    pub(crate) fn row_bytes(&self) -> u64 {
        u64::from(self.width).saturating_mul(u64::from(self.bits)).div_ceil(32).saturating_mul(4)
    }

    /// Palette entries are the grey values that are their numbers.
    pub(crate) fn is_grey(&self) -> bool {
        self.bits == 8 && self.palette.iter().enumerate().all(|(i, rgb)| *rgb == [i as u8; 3])
    }

    pub(crate) fn geometry(&self) -> Geometry {
        let depth = if self.bits < 8 && self.is_plain() { self.bits as u8 } else { 8 };
        Geometry {
            width: self.width,
            height: self.height,
            frames: 1,
            channels: if self.bits <= 8 && self.is_plain() { 1 } else { 3 },
            bits_allocated: depth,
            bits_stored: depth,
            signed: false,
        }
    }
}

pub(super) fn probe<'a>(bytes: &'a [u8], _limits: &Limits) -> Probe<'a> {
    let mut found = Probe::named(Some(Format::Bmp));
    match read(bytes) {
        Ok(header) => {
            found.flaws.extend(check_end(bytes, &header));
            found.geometry = Some(header.geometry());
            found.header = Header::Bmp(header);
        }
        Err(flaw) => found.flaws.push(flaw),
    }
    found
}

fn read(bytes: &[u8]) -> Result<BmpHeader, Flaw> {
    let cut = |expected: usize| Flaw::Truncated {
        what: "header".to_owned(),
        offset: bytes.len() as u64,
        expected: Some(expected as u64),
        found: bytes.len() as u64,
        rows: None,
    };
    let long = |at: usize| {
        let four = bytes.get(at..)?.first_chunk().copied()?;
        Some(u32::from_le_bytes(four))
    };
    let short = |at: usize| {
        let two = bytes.get(at..)?.first_chunk().copied()?;
        Some(u16::from_le_bytes(two))
    };
    let need = |value: Option<u32>| value.ok_or_else(|| cut(FILE_HEADER.saturating_add(40)));
    let size = need(long(14))?;
    let is_core = size == CORE_HEADER;
    let (width, height, top_down, bits) = if is_core {
        let side = |at| need(short(at).map(u32::from));
        (side(18)?, side(20)?, false, short(24))
    } else {
        let (width, height) = (need(long(18))?.cast_signed(), need(long(22))?.cast_signed());
        let width = u32::try_from(width).map_err(|_| damaged("its width is negative", 18))?;
        (width, height.unsigned_abs(), height < 0, short(28))
    };
    let bits = need(bits.map(u32::from))? as u16;
    let compression = if is_core { 0 } else { need(long(30))? };
    if width == 0 || height == 0 {
        return Err(damaged("its width or height is 0", 18));
    }
    legal(bits, compression, if is_core { 24 } else { 28 })?;
    let listed = if is_core { 0 } else { long(46).unwrap_or(0) };
    let palette_at = FILE_HEADER.saturating_add(size as usize);
    let palette = palette(bytes, palette_at, bits, listed, if is_core { 3 } else { 4 });
    let pixels = need(long(10))? as usize;
    Ok(BmpHeader { width, height, bits, compression, top_down, palette, pixels })
}

fn damaged(reason: &str, offset: u64) -> Flaw {
    Flaw::Decode { reason: reason.to_owned(), offset: Some(offset), rows: None }
}

/// `offset` is where the header names the bits.
fn legal(bits: u16, compression: u32, offset: u64) -> Result<(), Flaw> {
    let encoding = match (compression, bits) {
        (0, 1 | 4 | 8 | 16 | 24 | 32) | (1, 8) | (2, 4) | (3 | 6, 16 | 32) => return Ok(()),
        (4, _) => "BMP with a JPEG inside".to_owned(),
        (5, _) => "BMP with a PNG inside".to_owned(),
        (0..=3 | 6, _) => return Err(damaged(&format!("it names {bits} bits a pixel"), offset)),
        (other, _) => format!("BMP compression {other}"),
    };
    Err(Flaw::Unsupported { encoding })
}

/// Blue, green, red, and a byte that means nothing.
fn palette(bytes: &[u8], at: usize, bits: u16, listed: u32, entry: usize) -> Vec<[u8; 3]> {
    if bits > 8 {
        return Vec::new();
    }
    let all = 1_usize << bits;
    let count = if listed == 0 { all } else { (listed as usize).min(all) };
    let from = bytes.get(at..).unwrap_or_default();
    let colours = from.chunks_exact(entry).take(count).filter_map(|entry| entry.first_chunk());
    let mut palette: Vec<[u8; 3]> =
        colours.map(|[blue, green, red]| [*red, *green, *blue]).collect();
    palette.resize(all, [0; 3]);
    palette
}

/// Rows that are missing, or bytes behind the last one.
fn check_end(bytes: &[u8], header: &BmpHeader) -> Option<Flaw> {
    let length = bytes.len() as u64;
    let pixels = header.pixels as u64;
    if pixels < FILE_HEADER as u64 {
        return Some(damaged("its pixels begin inside its header", 10));
    }
    if !header.is_plain() {
        return None;
    }
    let needed = header.row_bytes().saturating_mul(u64::from(header.height));
    let found = length.saturating_sub(pixels).min(needed);
    if found < needed {
        let rows = found.checked_div(header.row_bytes()).unwrap_or(0) as u32;
        return Some(Flaw::Truncated {
            what: "pixel rows".to_owned(),
            offset: length,
            expected: Some(needed),
            found,
            rows: Some(Rows { stopped: rows, of: header.height }),
        });
    }
    // The file's own size covers colour profiles that stand behind the pixels.
    let declared =
        bytes.get(2..)?.first_chunk().map(|size| u64::from(u32::from_le_bytes(*size)))?;
    let end = pixels.saturating_add(needed).max(declared.min(length));
    let rest = bytes.get(usize::try_from(end).ok()?..)?;
    let bytes = rest.len() as u64;
    rest.iter().any(|byte| *byte != 0).then_some(Flaw::Trailing { offset: end, bytes })
}
