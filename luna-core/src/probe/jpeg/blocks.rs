//! Where text and traces stand in a JPEG: APP1, APP13 and COM segments, as byte ranges.

use std::ops::Range;

/// What a block of metadata is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// EXIF: a TIFF structure, from its byte order mark on.
    Exif,
    /// XMP: an XML packet.
    Xmp,
    /// A piece of an extended XMP packet: GUID (32 bytes), full length and offset (4 bytes each,
    /// big endian), then a piece of the XML.
    XmpExtension,
    /// IPTC-IIM data sets, out of Photoshop's image resource 0x0404.
    Iptc,
    /// A COM segment: free text in no declared encoding.
    Comment,
}

/// A block of metadata, not yet read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataBlock {
    /// What it is written in.
    pub kind: BlockKind,
    /// Offset of the marker of the segment that holds it.
    pub offset: u64,
    /// The block itself, within the file.
    pub range: Range<usize>,
}

const EXIF: &[u8] = b"Exif\0\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const XMP_EXTENSION: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
const PHOTOSHOP: &[u8] = b"Photoshop 3.0\0";

/// Adds the blocks of one segment, whose payload lies at `start` of the file.
pub(super) fn collect(
    marker: u8,
    payload: &[u8],
    start: usize,
    offset: usize,
    blocks: &mut Vec<MetadataBlock>,
) {
    let mut add = |kind, range: Range<usize>| {
        let range = range.start.saturating_add(start)..range.end.saturating_add(start);
        blocks.push(MetadataBlock { kind, offset: offset as u64, range });
    };
    let whole = |prefix: &[u8]| prefix.len()..payload.len();
    match marker {
        0xE1 if payload.starts_with(EXIF) => add(BlockKind::Exif, whole(EXIF)),
        0xE1 if payload.starts_with(XMP) => add(BlockKind::Xmp, whole(XMP)),
        0xE1 if payload.starts_with(XMP_EXTENSION) => {
            add(BlockKind::XmpExtension, whole(XMP_EXTENSION));
        }
        0xED if payload.starts_with(PHOTOSHOP) => {
            for range in iptc_resources(payload) {
                add(BlockKind::Iptc, range);
            }
        }
        0xFE => add(BlockKind::Comment, whole(&[])),
        _ => {}
    }
}

/// Ranges of the image resources 0x0404 in a Photoshop segment: `8BIM`, number, Pascal name padded
/// to even, length, data padded to even.
fn iptc_resources(payload: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = PHOTOSHOP.len();
    while let Some((number, data, next)) = resource(payload, at) {
        if number == 0x0404 && !data.is_empty() {
            found.push(data);
        }
        at = next;
    }
    found
}

fn resource(payload: &[u8], at: usize) -> Option<(u16, Range<usize>, usize)> {
    let rest = payload.get(at..)?;
    let (head, rest) = rest.split_first_chunk::<7>()?;
    let [b'8', b'B', b'I', b'M', n0, n1, name] = *head else { return None };
    // The name with its length byte takes an even number of bytes.
    let (_, rest) = rest.split_at_checked(usize::from(name | 1))?;
    let (size, rest) = rest.split_first_chunk::<4>()?;
    let size = u32::from_be_bytes(*size) as usize;
    let start = payload.len().checked_sub(rest.len())?;
    let end = start.checked_add(size).filter(|&end| end <= payload.len())?;
    let next = end.saturating_add(size & 1);
    Some((u16::from_be_bytes([n0, n1]), start..end, next))
}
