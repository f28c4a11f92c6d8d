//! What one directory says of its picture.

use super::ifd::{Directory, Entry, Tiff};
use crate::probe::{Flaw, Geometry};

/// Type of a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SampleKind {
    /// Unsigned whole numbers.
    #[default]
    Unsigned,
    /// Two's complement.
    Signed,
    /// IEEE 754.
    Float,
}

/// How a page is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Compression {
    #[default]
    None,
    Lzw,
    Deflate,
    PackBits,
    /// A JPEG a strip or tile (TIFF Technical Note 2), of luma and chroma or not.
    Jpeg {
        luma_chroma: bool,
    },
}

/// A page that can be decoded; what is in it is legal together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TiffPage {
    /// Columns, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
    /// Bits a sample: 1 to 16, 32, 64.
    pub bits: u8,
    /// Samples a pixel, 1 to 4.
    pub samples: u8,
    /// Type of a sample.
    pub kind: SampleKind,
    /// Low values are bright.
    pub white_is_zero: bool,
    /// Colours of the palette; empty if there is none.
    pub palette: Vec<[u8; 3]>,
    pub(crate) big_endian: bool,
    pub(crate) planar: bool,
    pub(crate) compression: Compression,
    /// 1 none, 2 horizontal, 3 floating point.
    pub(crate) predictor: u8,
    pub(crate) chunks: Chunks,
    /// JPEGTables: what the strips' JPEGs have in common.
    pub(crate) tables: Option<Entry>,
}

/// Strips or tiles: size in pixels, and where their offsets and lengths stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chunks {
    pub(crate) tiled: bool,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(super) offsets: Entry,
    pub(super) lengths: Option<Entry>,
}

impl TiffPage {
    /// The last sample is alpha, or another one that is no colour.
    pub fn has_alpha(&self) -> bool {
        self.samples.is_multiple_of(2)
    }

    /// Shape and depth of one page.
    pub(crate) fn geometry(&self) -> Geometry {
        Geometry {
            width: self.width,
            height: self.height,
            frames: 1,
            channels: self.samples,
            bits_allocated: self.bits,
            bits_stored: self.bits,
            signed: self.kind != SampleKind::Unsigned,
        }
    }
}

/// Reads a directory; what is not legal, or not decoded here, is the flaw.
pub(super) fn read(tiff: &Tiff<'_>, directory: &Directory) -> Result<TiffPage, Flaw> {
    let tag = |tag| tiff.number(directory, tag);
    let side =
        |number: Option<u64>| number.and_then(|side| u32::try_from(side).ok()).filter(|n| *n > 0);
    let (Some(width), Some(height)) = (side(tag(256)), side(tag(257))) else {
        return Err(damaged("a page has no width or height"));
    };
    let samples = tag(277).unwrap_or(1);
    let photometric =
        tag(262).ok_or_else(|| damaged("a page has no photometric interpretation"))?;
    let luma_chroma = photometric == 6 && samples == 3;
    let compression = compression(tag(259).unwrap_or(1), luma_chroma)?;
    let is_jpeg = matches!(compression, Compression::Jpeg { .. });
    if !(is_jpeg && luma_chroma) {
        check_colours(photometric, samples)?;
    }
    if is_jpeg && luma_chroma && tag(284) == Some(2) {
        return Err(unsupported("with planes of luma and chroma"));
    }
    let (bits, kind) = depth(tiff, directory)?;
    if is_jpeg && (bits, kind) != (8, SampleKind::Unsigned) {
        return Err(unsupported(&format!("compression 7 (JPEG) with {bits} bits a sample")));
    }
    let predictor = predictor(tag(317).unwrap_or(1), bits, kind, compression)?;
    if tag(266).unwrap_or(1) != 1 && bits < 8 {
        return Err(unsupported("fill order 2"));
    }
    let palette = if photometric == 3 { palette(tiff, directory, bits)? } else { Vec::new() };
    Ok(TiffPage {
        width,
        height,
        bits,
        samples: samples as u8,
        kind,
        white_is_zero: photometric == 0,
        palette,
        big_endian: tiff.is_big_endian(),
        planar: tag(284).unwrap_or(1) == 2 && samples > 1,
        compression,
        predictor,
        chunks: chunks(tiff, directory, width, height)?,
        tables: directory.entry(347).copied(),
    })
}

fn damaged(reason: &str) -> Flaw {
    Flaw::Decode { reason: reason.to_owned(), offset: None, rows: None }
}

fn unsupported(what: &str) -> Flaw {
    Flaw::Unsupported { encoding: format!("TIFF {what}") }
}

/// Grey, RGB or a palette, the first two with at most one extra sample.
fn check_colours(photometric: u64, samples: u64) -> Result<(), Flaw> {
    let name = match photometric {
        0 | 1 if matches!(samples, 1 | 2) => return Ok(()),
        2 if matches!(samples, 3 | 4) => return Ok(()),
        3 if samples == 1 => return Ok(()),
        0..=3 => return Err(unsupported(&format!("with {samples} samples a pixel"))),
        4 => "transparency mask",
        5 => "CMYK",
        6 => "YCbCr",
        8..=10 => "CIE L*a*b*",
        32_803 => "colour filter array",
        34_892 => "linear raw",
        _ => "unknown",
    };
    Err(unsupported(&format!("photometric interpretation {photometric} ({name})")))
}

fn compression(number: u64, luma_chroma: bool) -> Result<Compression, Flaw> {
    let name = match number {
        1 => return Ok(Compression::None),
        5 => return Ok(Compression::Lzw),
        8 | 32_946 => return Ok(Compression::Deflate),
        7 => return Ok(Compression::Jpeg { luma_chroma }),
        32_773 => return Ok(Compression::PackBits),
        2 => "CCITT modified Huffman",
        3 => "CCITT group 3",
        4 => "CCITT group 4",
        6 => "old JPEG",
        32_809 => "ThunderScan",
        33_003 | 33_005 | 34_712 => "JPEG 2000",
        9 | 10 | 34_661 => "JBIG",
        34_892 => "lossy JPEG",
        34_887 => "LERC",
        34_925 => "LZMA",
        50_000 => "Zstandard",
        50_001 => "WebP",
        50_002 | 52_546 => "JPEG XL",
        _ => "unknown",
    };
    Err(unsupported(&format!("compression {number} ({name})")))
}

/// Bits a sample and their type, the same for all samples.
fn depth(tiff: &Tiff<'_>, directory: &Directory) -> Result<(u8, SampleKind), Flaw> {
    let all = |tag, default| {
        let Some(entry) = directory.entry(tag) else { return Some(default) };
        let mut values = tiff.numbers(*entry).take(4);
        let first = values.next()?;
        values.all(|value| value == first).then_some(first)
    };
    let bits = all(258, 1).ok_or_else(|| unsupported("with samples of different depths"))?;
    let kind = match all(339, 1) {
        // 4 is "undefined": written by some scanners, and read as unsigned everywhere.
        Some(1 | 4) => SampleKind::Unsigned,
        Some(2) => SampleKind::Signed,
        Some(3) => SampleKind::Float,
        _ => return Err(unsupported("with complex or mixed sample types")),
    };
    let legal = match kind {
        SampleKind::Unsigned => matches!(bits, 1..=16 | 32),
        SampleKind::Signed => matches!(bits, 8 | 16 | 32),
        SampleKind::Float => matches!(bits, 32 | 64),
    };
    if legal {
        Ok((bits as u8, kind))
    } else {
        Err(unsupported(&format!("with {bits} bits a sample")))
    }
}

fn predictor(
    number: u64,
    bits: u8,
    kind: SampleKind,
    compression: Compression,
) -> Result<u8, Flaw> {
    match (number, kind) {
        // Only these two compressions know predictors (TIFF 6, section 14).
        _ if !matches!(compression, Compression::Lzw | Compression::Deflate) => Ok(1),
        (1, _) => Ok(1),
        (2, _) if matches!(bits, 8 | 16 | 32) => Ok(2),
        (3, SampleKind::Float) => Ok(3),
        _ => Err(unsupported(&format!("predictor {number} with {bits} bits a sample"))),
    }
}

/// All reds, then all greens, then all blues, of 16 bits each.
fn palette(tiff: &Tiff<'_>, directory: &Directory, bits: u8) -> Result<Vec<[u8; 3]>, Flaw> {
    if bits > 8 {
        return Err(unsupported(&format!("palette with {bits} bits a sample")));
    }
    let size = 1_usize << bits;
    let values: Vec<u64> = directory
        .entry(320)
        .map(|entry| tiff.numbers(*entry).take(768).collect())
        .unwrap_or_default();
    let mut planes = values.chunks_exact(size);
    let (Some(red), Some(green), Some(blue)) = (planes.next(), planes.next(), planes.next()) else {
        return Err(damaged("the palette (ColorMap) is missing or too short"));
    };
    // Some writers forget to scale 8 bits to 16.
    let shift = if values.iter().all(|value| *value < 256) { 0 } else { 8 };
    let byte = |value: &u64| (value >> shift) as u8;
    Ok(red.iter().zip(green).zip(blue).map(|((r, g), b)| [byte(r), byte(g), byte(b)]).collect())
}

fn chunks(tiff: &Tiff<'_>, directory: &Directory, width: u32, height: u32) -> Result<Chunks, Flaw> {
    let tag = |tag| tiff.number(directory, tag);
    let side = |number: u64| u32::try_from(number).ok().filter(|side| *side > 0);
    if let Some(offsets) = directory.entry(324) {
        let (Some(width), Some(height)) = (tag(322).and_then(side), tag(323).and_then(side)) else {
            return Err(damaged("tiles have no width or height"));
        };
        let lengths = directory.entry(325).copied();
        return Ok(Chunks { tiled: true, width, height, offsets: *offsets, lengths });
    }
    let Some(offsets) = directory.entry(273) else {
        return Err(damaged("a page has no strips or tiles"));
    };
    let rows = tag(278).unwrap_or(u64::from(height)).min(u64::from(height));
    let Some(rows) = side(rows) else { return Err(damaged("strips have no rows")) };
    let lengths = directory.entry(279).copied();
    Ok(Chunks { tiled: false, width, height: rows, offsets: *offsets, lengths })
}
