//! Formats by their bytes: magic numbers first, then what DICOM without a preamble looks like, then
//! text. Looks at the first 64 KiB only; never at a name.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod dicom;
mod text;

use super::Format;

/// What is looked at; enough for every magic number and for the shape of a table.
const HEAD: usize = 64 << 10;

/// Magic numbers that need no second look: offset, bytes, format. The first that fits wins.
static MAGIC: &[(usize, &[u8], Format)] = &[
    // A DICOM preamble may be the header of another format: `DICM` decides.
    (128, b"DICM", Format::Dicom),
    (0, b"\x89PNG", Format::Png),
    // IHDR stands where it must: a PNG whose signature was damaged, as by a transfer in text mode.
    (12, b"IHDR", Format::Png),
    (0, b"II*\0", Format::Tiff),
    (0, b"MM\0*", Format::Tiff),
    (0, b"II+\0", Format::Tiff),
    (0, b"MM\0+", Format::Tiff),
    (0, b"II\xbc\x01", Format::JpegXr),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", Format::Jpeg2000),
    (0, b"\xff\x4f\xff\x51", Format::Jpeg2000),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", Format::JpegXl),
    (0, b"\xff\x0a", Format::JpegXl),
    (0, b"GIF87a", Format::Gif),
    (0, b"GIF89a", Format::Gif),
    (344, b"n+1\0", Format::Nifti),
    (344, b"ni1\0", Format::Nifti),
    (4, b"n+2\0\r\n\x1a\n", Format::Nifti),
    (4, b"ni2\0\r\n\x1a\n", Format::Nifti),
    (0, b"NRRD000", Format::Nrrd),
    (0, b"ObjectType = ", Format::MetaImage),
    (0, b"NDims = ", Format::MetaImage),
    (0, b"\x93NUMPY", Format::Numpy),
    (0, b"8BPS", Format::Photoshop),
    (0, b"PK\x03\x04", Format::Zip),
    (0, b"PK\x05\x06", Format::Zip),
    (0, b"PK\x07\x08", Format::Zip),
    (257, b"ustar", Format::Tar),
    (0, b"\x1f\x8b", Format::Gzip),
    (0, b"\x28\xb5\x2f\xfd", Format::Zstd),
    (0, b"\xfd7zXZ\0", Format::Xz),
    (0, b"7z\xbc\xaf\x27\x1c", Format::SevenZip),
    (0, b"Rar!\x1a\x07", Format::Rar),
    (0, b"PAR1", Format::Parquet),
    (0, b"%PDF-", Format::Pdf),
    (0, b"\x89HDF\r\n\x1a\n", Format::Hdf5),
    (512, b"\x89HDF\r\n\x1a\n", Format::Hdf5),
    (1024, b"\x89HDF\r\n\x1a\n", Format::Hdf5),
    (2048, b"\x89HDF\r\n\x1a\n", Format::Hdf5),
    (0, b"SQLite format 3\0", Format::Sqlite),
    (0, b"\x7fELF", Format::Elf),
    (0, b"\x1a\x45\xdf\xa3", Format::Video),
];

/// The format of a file, told by its bytes; `None` if they match nothing known.
///
/// ```
/// use luna_core::{Format, probe::sniff};
/// assert_eq!(sniff(b"\x89PNG\r\n\x1a\n"), Some(Format::Png));
/// assert_eq!(sniff(b"file,label\na.png,0\nb.png,1\n"), Some(Format::Csv));
/// assert_eq!(sniff(b""), None);
/// ```
pub fn sniff(bytes: &[u8]) -> Option<Format> {
    let head = bytes.get(..HEAD).unwrap_or(bytes);
    MAGIC
        .iter()
        .find(|(offset, magic, _)| at(head, *offset, magic))
        .map(|(_, _, format)| *format)
        .or_else(|| jpeg(head))
        .or_else(|| container(head))
        .or_else(|| weak_magic(head))
        .or_else(|| dicom::starts_with_element(head).then_some(Format::Dicom))
        .or_else(|| text::sniff(head, bytes.len() > head.len()))
}

fn at(bytes: &[u8], offset: usize, magic: &[u8]) -> bool {
    bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic))
}

/// JPEG, or JPEG-LS if its frame header (SOF55) says so.
fn jpeg(head: &[u8]) -> Option<Format> {
    let mut rest = head.strip_prefix(b"\xff\xd8")?;
    while let [0xff, marker, after @ ..] = rest {
        match marker {
            0xf7 => return Some(Format::JpegLs),
            // Fill bytes may stand before a marker.
            0xff => rest = rest.get(1..).unwrap_or_default(),
            // Another frame header, or the scan: an ordinary JPEG.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcf | 0xd0..=0xda => break,
            _ => {
                let length = after.first_chunk().map_or(0, |length| u16::from_be_bytes(*length));
                rest = after.get(usize::from(length).max(2)..).unwrap_or_default();
            }
        }
    }
    Some(Format::Jpeg)
}

/// RIFF and ISO base media files, by their brand.
fn container(head: &[u8]) -> Option<Format> {
    let brand = head.get(8..12)?;
    match (head.get(..4)?, head.get(4..8)?, brand) {
        (b"RIFF", _, b"WEBP") => Some(Format::WebP),
        (_, b"ftyp", b"jp2 " | b"jpx " | b"jpm " | b"jph ") => Some(Format::Jpeg2000),
        (
            _,
            b"ftyp",
            b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" | b"mif1" | b"msf1" | b"avif"
            | b"avis",
        ) => Some(Format::Heif),
        (b"RIFF", _, b"AVI ") | (_, b"ftyp" | b"moov", _) => Some(Format::Video),
        _ => None,
    }
}

/// Formats whose magic is so short that more has to fit.
fn weak_magic(head: &[u8]) -> Option<Format> {
    match head {
        [b'B', b'M', ..] if bmp_header(head) => Some(Format::Bmp),
        [b'M', b'Z', ..] if head.iter().take(64).any(|byte| *byte == 0) => Some(Format::WindowsExe),
        [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..]
            if rest.starts_with(b"1AY&SY") || rest.starts_with(b"\x17\x72\x45\x38\x50\x90") =>
        {
            Some(Format::Bzip2)
        }
        [b'P', b'7', b'\n', rest @ ..] if rest.starts_with(b"WIDTH") || rest.starts_with(b"#") => {
            Some(Format::Pnm)
        }
        [b'P', b'1'..=b'6', rest @ ..] if pnm_sizes(rest) => Some(Format::Pnm),
        _ if tar_checksum(head) => Some(Format::Tar),
        _ => None,
    }
}

/// The size of a BMP's second header, or a file that ends before it.
fn bmp_header(head: &[u8]) -> bool {
    match head.get(14..18) {
        Some(size) => matches!(size, [12 | 16 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0]),
        None => head.len() < 10 || head.get(6..10) == Some(&[0; 4]),
    }
}

/// Width and height in decimal digits, with white space and comments before each.
fn pnm_sizes(rest: &[u8]) -> bool {
    let mut rest = rest.get(..1024).unwrap_or(rest);
    for _ in 0..2 {
        if !rest.first().is_some_and(u8::is_ascii_whitespace) {
            return false;
        }
        rest = rest.trim_ascii_start();
        while rest.first() == Some(&b'#') {
            let line = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            rest = rest.get(line..).unwrap_or_default().trim_ascii_start();
        }
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return false;
        }
        rest = rest.get(digits..).unwrap_or_default();
    }
    rest.first().is_some_and(u8::is_ascii_whitespace)
}

/// The header checksum of a tar that is older than `ustar`.
fn tar_checksum(head: &[u8]) -> bool {
    let (Some(block), Some(field)) = (head.get(..512), head.get(148..156)) else { return false };
    let digits = field.trim_ascii_start();
    let digits = digits.iter().take_while(|byte| matches!(byte, b'0'..=b'7'));
    let stored = digits.fold(0_u32, |sum, digit| {
        sum.saturating_mul(8).saturating_add(u32::from(digit.saturating_sub(b'0')))
    });
    // The field itself counts as eight spaces.
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    let own: u32 = field.iter().map(|byte| u32::from(*byte)).sum();
    stored > 0 && sum.saturating_sub(own).saturating_add(8 * u32::from(b' ')) == stored
}

#[cfg(test)]
mod tests;
