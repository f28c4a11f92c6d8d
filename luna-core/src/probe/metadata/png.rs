//! Text chunks of a PNG: keyword and value, inflated where need be, up to a limit.

use flate2::{Decompress, FlushDecompress};

use super::{Metadata, exif, text};

pub(super) fn read(kind: [u8; 4], data: &[u8], offset: u64, most: usize, out: &mut Metadata) {
    if &kind == b"eXIf" {
        return exif::read(data, offset, "EXIF", out);
    }
    let Some(end) = data.iter().take(80).position(|byte| *byte == 0) else { return };
    let (keyword, rest) = data.split_at_checked(end).unwrap_or_default();
    let keyword = text::decoded(keyword);
    let value = match (&kind, rest) {
        (b"tEXt", [0, value @ ..]) => Some(value.to_vec()),
        (b"zTXt", [0, 0, packed @ ..]) => inflated(packed, most),
        (b"iTXt", [0, flag, 0, rest @ ..]) => international(*flag, rest, most),
        _ => None,
    };
    if let Some(value) = value {
        text::png(&keyword, &value, offset, out);
    }
}

/// Language and translated keyword, each closed by NUL, then the text.
fn international(flag: u8, rest: &[u8], most: usize) -> Option<Vec<u8>> {
    let value = rest.splitn(3, |byte| *byte == 0).nth(2)?;
    if flag == 1 { inflated(value, most) } else { Some(value.to_vec()) }
}

fn inflated(packed: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut out = vec![0; most.min(packed.len().saturating_mul(1_032))];
    let mut inflater = Decompress::new(true);
    let _ = inflater.decompress(packed, &mut out, FlushDecompress::Finish);
    out.truncate(usize::try_from(inflater.total_out()).ok()?);
    (!out.is_empty()).then_some(out)
}
