//! JPEG 2000 files: a codestream by itself, or in the boxes of JP2 and JPH (ITU-T T.800 annex I).
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test may panic")]
mod tests;
mod walk;

use std::ops::Range;

pub(crate) use self::walk::{Stream, walk};
use super::{Flaw, Flaws, Format, Geometry, Header, Probe};
use crate::limits::Limits;

/// What a JPEG 2000 file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jpeg2000Header {
    /// What the codestream says of itself.
    pub(crate) stream: Stream,
    /// Where the codestream lies in the file.
    pub(crate) codestream: Range<usize>,
    /// The last channel is opacity.
    pub(crate) has_alpha: bool,
}

impl Jpeg2000Header {
    fn geometry(&self) -> Option<Geometry> {
        let first = self.stream.components.first()?;
        Some(Geometry {
            width: self.stream.width,
            height: self.stream.height,
            frames: 1,
            channels: u8::try_from(self.stream.components.len()).ok()?,
            bits_allocated: if first.precision <= 8 { 8 } else { 16 },
            bits_stored: first.precision,
            signed: first.signed,
        })
    }
}

pub(super) fn probe<'a>(bytes: &'a [u8], limits: &Limits) -> Probe<'a> {
    let mut found = Probe::named(Some(Format::Jpeg2000));
    let boxes = if bytes.starts_with(&[0xFF, 0x4F]) {
        Boxes { codestream: Some(0..bytes.len()), ..Boxes::default() }
    } else {
        Boxes::read(bytes, &mut found.flaws)
    };
    let Some(codestream) = boxes.codestream else {
        if found.flaws.is_empty() {
            let reason = "JPEG 2000: a file without a codestream".to_owned();
            found.flaws.push(Flaw::Decode { reason, offset: None, rows: None });
        }
        return found;
    };
    let own = bytes.get(codestream.clone()).unwrap_or_default();
    let Some(stream) = walk(own, codestream.start as u64, &mut found.flaws) else { return found };
    let unsupported = stream
        .unsupported()
        .or_else(|| boxes.unsupported.map(|what| format!("JPEG 2000 with {what}")));
    if let Some(encoding) = unsupported {
        found.flaws.push(Flaw::Unsupported { encoding });
        return found;
    }
    found.flaws.extend(stream.over_budget(limits));
    let has_alpha = boxes.has_alpha && matches!(stream.components.len(), 2 | 4);
    let header = Jpeg2000Header { stream, codestream, has_alpha };
    found.geometry = header.geometry();
    found.header = Header::Jpeg2000(header);
    found
}

/// What the boxes around a codestream say.
#[derive(Default)]
struct Boxes {
    codestream: Option<Range<usize>>,
    has_alpha: bool,
    /// Something that changes samples and is not read here.
    unsupported: Option<&'static str>,
}

impl Boxes {
    fn read(bytes: &[u8], flaws: &mut Flaws) -> Self {
        let mut own = Self::default();
        let mut at = 0_usize;
        while at < bytes.len() {
            let Some((kind, body, end)) = next_box(bytes, at) else {
                let rest = bytes.get(at..).unwrap_or_default();
                let (offset, found) = (at as u64, rest.len() as u64);
                flaws.push(if own.codestream.is_some() {
                    Flaw::Trailing { offset, bytes: found }
                } else {
                    let what = "JPEG 2000 box".to_owned();
                    Flaw::Truncated { what, offset, expected: Some(8), found, rows: None }
                });
                break;
            };
            let there = body.start..end.min(bytes.len());
            match &kind {
                b"jp2h" => own.header(bytes.get(there.clone()).unwrap_or_default()),
                // What is cut of it the walk through its tile-parts tells.
                b"jp2c" if own.codestream.is_none() => own.codestream = Some(there.clone()),
                _ => {}
            }
            if end > bytes.len() && &kind != b"jp2c" {
                flaws.push(Flaw::Truncated {
                    what: "JPEG 2000 box".to_owned(),
                    offset: bytes.len() as u64,
                    expected: Some((end as u64).saturating_sub(at as u64)),
                    found: (bytes.len() as u64).saturating_sub(at as u64),
                    rows: None,
                });
            }
            at = end.max(there.end);
        }
        own
    }

    /// The boxes within `jp2h`.
    fn header(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while let Some((kind, body, end)) = next_box(bytes, at) {
            let payload = bytes.get(body.start..end.min(bytes.len())).unwrap_or_default();
            match (&kind, payload) {
                (b"pclr", _) => self.unsupported = Some("a palette"),
                (b"colr", [1, _, _, 0, 0, 0, 18, ..]) => {
                    self.unsupported = Some("luma and chroma (sYCC)");
                }
                (b"cdef", [_, _, entries @ ..]) => {
                    let last = entries.as_chunks::<6>().0.last();
                    self.has_alpha = matches!(last, Some([_, _, 0, 1 | 2, ..]));
                }
                _ => {}
            }
            at = end;
        }
    }
}

/// The type, the body's start and the end of the box at an offset; the end may lie past the bytes.
fn next_box(bytes: &[u8], at: usize) -> Option<([u8; 4], Range<usize>, usize)> {
    let rest = bytes.get(at..)?;
    let length = u32::from_be_bytes(*rest.first_chunk()?);
    let kind = *rest.get(4..)?.first_chunk()?;
    let (head, length) = match length {
        0 => (8, rest.len()),
        1 => (16, usize::try_from(u64::from_be_bytes(*rest.get(8..)?.first_chunk()?)).ok()?),
        length => (8, length as usize),
    };
    if length < head {
        return None;
    }
    let start = at.checked_add(head)?;
    let end = at.checked_add(length)?;
    Some((kind, start..end, end))
}
