//! PNG streams for the decoder: only what is needed to draw the picture. What it would stumble over
//! in ancillary chunks is no reason not to see it. CRCs are left out; the probe has compared them.
//!
//! They promise one row more than the picture has (Adam7 excepted). The decoder compares the Adler-32
//! only while it looks for a row, so it has to be made to look behind the last one.

use crate::probe::png::{Chunk, SIGNATURE, chunks};
use crate::probe::{PngColour, PngHeader};

/// Starts of the seven passes of Adam7 and the steps in them (PNG 8.2): x, y, step x, step y.
const ADAM7: [(u32, u32, u32, u32); 7] = [
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
];

/// The chunks that hold the picture, as far as they can be told.
pub(super) fn image_data(bytes: &[u8], first: usize) -> impl Iterator<Item = Chunk<'_>> + Clone {
    chunks(bytes, first)
        .take_while(|chunk| chunk.is_plausible() && &chunk.kind != b"IEND")
        .filter(|chunk| &chunk.kind == b"IDAT")
}

/// The picture of a file.
pub(super) fn essential(bytes: &[u8], header: &PngHeader, first: usize) -> Vec<u8> {
    let mut stream = beginning(header, bytes.len().saturating_sub(first));
    put(&mut stream, *b"IDAT", image_data(bytes, first).map(|chunk| chunk.data));
    put(&mut stream, *b"IEND", []);
    stream
}

/// A picture of these filtered rows, not compressed.
pub(super) fn stored(raw: &[u8], header: &PngHeader) -> Vec<u8> {
    let mut stream = beginning(header, raw.len());
    let mut zlib = vec![0x78, 0x01];
    for block in raw.chunks(usize::from(u16::MAX)) {
        let length = block.len() as u16;
        zlib.push(0);
        zlib.extend(length.to_le_bytes());
        zlib.extend((!length).to_le_bytes());
        zlib.extend_from_slice(block);
    }
    zlib.extend([1, 0, 0, 0xff, 0xff]);
    zlib.extend(adler32(raw).to_be_bytes());
    put(&mut stream, *b"IDAT", [&zlib[..]]);
    put(&mut stream, *b"IEND", []);
    stream
}

fn beginning(header: &PngHeader, room: usize) -> Vec<u8> {
    let colour = match header.colour {
        PngColour::Grey => 0,
        PngColour::Rgb => 2,
        PngColour::Palette => 3,
        PngColour::GreyAlpha => 4,
        PngColour::Rgba => 6,
    };
    let rows = header.height.saturating_add(u32::from(!header.interlaced));
    let mut ihdr = [header.width.to_be_bytes(), rows.to_be_bytes()].concat();
    ihdr.extend([header.depth, colour, 0, 0, u8::from(header.interlaced)]);
    let mut stream = Vec::with_capacity(room.saturating_add(1_024));
    stream.extend(SIGNATURE);
    put(&mut stream, *b"IHDR", [&ihdr[..]]);
    if !header.palette.is_empty() {
        put(&mut stream, *b"PLTE", [header.palette.as_flattened()]);
    }
    stream
}

/// A chunk of these parts, without a CRC.
fn put<'a>(
    stream: &mut Vec<u8>,
    kind: [u8; 4],
    parts: impl IntoIterator<Item = &'a [u8], IntoIter: Clone>,
) {
    let parts = parts.into_iter();
    let length: usize = parts.clone().map(<[u8]>::len).sum();
    stream.extend((length as u32).to_be_bytes());
    stream.extend(kind);
    parts.for_each(|part| stream.extend_from_slice(part));
    stream.extend([0; 4]);
}

/// Bytes of a packed row of `width` pixels.
pub(super) fn line_bytes(header: &PngHeader, width: u32) -> Option<usize> {
    let bits = u64::from(width)
        .checked_mul(u64::from(header.colour.channels()))?
        .checked_mul(u64::from(header.depth))?;
    usize::try_from(bits.div_ceil(8)).ok()
}

/// Bytes of the whole picture before compression: each row with its filter byte.
pub(super) fn raw_bytes(header: &PngHeader) -> Option<usize> {
    let pass = |width: u32, height: u32| {
        let line = line_bytes(header, width)?.checked_add(1)?;
        if width == 0 { Some(0) } else { line.checked_mul(height as usize) }
    };
    if !header.interlaced {
        return pass(header.width, header.height);
    }
    ADAM7.iter().try_fold(0_usize, |sum, (x, y, step_x, step_y)| {
        let width = header.width.saturating_sub(*x).div_ceil(*step_x);
        let height = header.height.saturating_sub(*y).div_ceil(*step_y);
        sum.checked_add(pass(width, height)?)
    })
}

/// Whole rows in so many bytes of the raw picture (of an interlaced one: all or none).
pub(super) fn rows_in(header: &PngHeader, bytes: usize) -> Option<u32> {
    if header.interlaced {
        return Some(if bytes < raw_bytes(header)? { 0 } else { header.height });
    }
    let line = line_bytes(header, header.width)?.checked_add(1)?;
    u32::try_from(bytes.checked_div(line)?).ok()
}

/// Adler-32 (RFC 1950).
pub(super) fn adler32(bytes: &[u8]) -> u32 {
    const BASE: u32 = 65_521;
    // The longest run whose sums stay below 2^32.
    const RUN: usize = 5_552;
    let (mut a, mut b) = (1_u32, 0_u32);
    for run in bytes.chunks(RUN) {
        for byte in run {
            a = a.wrapping_add(u32::from(*byte));
            b = b.wrapping_add(a);
        }
        a %= BASE;
        b %= BASE;
    }
    b << 16 | a
}
