//! PNG: a chunk walk of our own. Bytes in; header, text and every broken chunk out. No pixel is
//! inflated here.
//!
//! The walk checks what decoders pass over: lengths against what is left, the CRC of every chunk
//! (ancillary ones too), order, IEND, and what stands behind it.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod chunk;
mod header;

pub(crate) use self::chunk::{Chunk, chunks};
pub use self::header::{PngColour, PngHeader};
use super::{Flaw, Flaws, Format, Header, Metadata, Probe};
use crate::limits::Limits;

/// The eight bytes at the start of every PNG.
pub(crate) const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";
/// A whole IEND chunk: the last twelve bytes of a PNG.
const IEND: &[u8; 12] = b"\0\0\0\0IEND\xae\x42\x60\x82";
/// Broken chunks that are listed; a file of nothing else must not fill the memory.
const MOST_FLAWS: usize = 32;

pub(super) fn probe<'a>(bytes: &'a [u8], limits: &Limits) -> Probe<'a> {
    let mut walk = Walk::new(bytes, limits);
    walk.check_signature();
    walk.run();
    let Walk { header, metadata, flaws, .. } = walk;
    let mut found = Probe::named(Some(Format::Png));
    found.metadata = metadata;
    found.flaws = flaws;
    if let Some(header) = header {
        found.geometry = Some(header.geometry());
        found.header = Header::Png(header);
    }
    found
}

struct Walk<'a> {
    bytes: &'a [u8],
    header: Option<PngHeader>,
    metadata: Metadata,
    flaws: Flaws,
    /// Longest text that is inflated.
    text_bytes: usize,
    /// The chunk before this one was IDAT.
    in_image_data: bool,
}

impl<'a> Walk<'a> {
    fn new(bytes: &'a [u8], limits: &Limits) -> Self {
        Self {
            bytes,
            header: None,
            metadata: Metadata::default(),
            flaws: Flaws::new(),
            text_bytes: usize::try_from(limits.text_bytes).unwrap_or(usize::MAX),
            in_image_data: false,
        }
    }

    fn check_signature(&mut self) {
        let found = self.bytes.get(..SIGNATURE.len());
        if found.is_some_and(|found| found != SIGNATURE) {
            self.damaged("the signature is damaged, as by a transfer in text mode", 0);
        }
    }

    fn run(&mut self) {
        let mut end = SIGNATURE.len();
        for chunk in chunks(self.bytes, SIGNATURE.len()) {
            end = chunk.end();
            if !chunk.is_plausible() {
                self.damaged("what stands here is no chunk; lengths do not add up", chunk.offset);
                return;
            }
            if !chunk.is_complete() {
                self.cut(&chunk);
                self.take(&chunk);
                return;
            }
            if self.check_crc(&chunk).is_break() {
                return;
            }
            self.take(&chunk);
            if &chunk.kind == b"IEND" {
                self.check_end(&chunk);
                return;
            }
        }
        self.ends_between_chunks(end);
    }

    /// The file ends after whole chunks, without IEND.
    fn ends_between_chunks(&mut self, end: usize) {
        let left = self.bytes.len().saturating_sub(end);
        self.flaws.push(Flaw::Truncated {
            what: if left == 0 { "chunk IEND" } else { "a chunk" }.to_owned(),
            offset: self.bytes.len() as u64,
            expected: Some(IEND.len() as u64),
            found: left as u64,
            rows: None,
        });
    }

    /// A chunk that reaches beyond the end: cut off, or its length is wrong.
    fn cut(&mut self, chunk: &Chunk<'_>) {
        if self.bytes.ends_with(IEND) {
            let reason = format!("the length of chunk {} points beyond the end", chunk.name());
            self.damaged(reason, chunk.offset);
            return;
        }
        self.flaws.push(Flaw::Truncated {
            what: format!("chunk {}", chunk.name()),
            offset: self.bytes.len() as u64,
            expected: Some(u64::from(chunk.length).saturating_add(Chunk::OVERHEAD as u64)),
            found: self.bytes.len().saturating_sub(chunk.offset) as u64,
            rows: None,
        });
    }

    /// A wrong CRC; the walk ends where the length must be wrong, because no chunk follows.
    fn check_crc(&mut self, chunk: &Chunk<'_>) -> std::ops::ControlFlow<()> {
        let computed = chunk.crc_of_bytes();
        let Some(stored) = chunk.crc.filter(|stored| *stored != computed) else {
            return std::ops::ControlFlow::Continue(());
        };
        let next = chunks(self.bytes, chunk.end()).next();
        if next.is_some_and(|next| !next.is_plausible()) {
            let reason = format!("the length of chunk {} leads to no other chunk", chunk.name());
            self.damaged(reason, chunk.offset);
            return std::ops::ControlFlow::Break(());
        }
        self.push(Flaw::Checksum {
            what: format!("chunk {}", chunk.name()),
            offset: chunk.offset as u64,
            stored,
            computed: Some(computed),
            ancillary: chunk.is_ancillary(),
        });
        std::ops::ControlFlow::Continue(())
    }

    /// What a chunk says.
    fn take(&mut self, chunk: &Chunk<'_>) {
        let was_in_image_data = std::mem::replace(&mut self.in_image_data, &chunk.kind == b"IDAT");
        let Some(header) = &mut self.header else {
            return self.begin(chunk);
        };
        let wrong = match &chunk.kind {
            b"IHDR" => Some("a second IHDR"),
            b"PLTE" => header.take_palette(chunk.data),
            b"IDAT" => header.take_image_data(chunk, was_in_image_data),
            b"acTL" => {
                header.take_animation(chunk.data);
                None
            }
            b"IEND" if header.image_data.is_none() => Some("no image data (IDAT)"),
            b"CgBI" => {
                let encoding = "PNG as rewritten by Apple's tools (CgBI)".to_owned();
                return self.push(Flaw::Unsupported { encoding });
            }
            b"IEND" => None,
            _ if chunk.is_ancillary() || self.has_bad_crc(chunk) => None,
            _ => Some("a critical chunk that no standard knows"),
        };
        if matches!(&chunk.kind, b"tEXt" | b"zTXt" | b"iTXt" | b"eXIf") {
            let (kind, offset) = (chunk.kind, chunk.offset as u64);
            self.metadata.take_png_chunk(kind, chunk.data, offset, self.text_bytes);
        }
        if let Some(reason) = wrong {
            self.damaged(reason, chunk.offset);
        }
    }

    fn begin(&mut self, chunk: &Chunk<'_>) {
        match &chunk.kind {
            b"IHDR" => match PngHeader::read(chunk.data) {
                Ok(header) => self.header = Some(header),
                // Cut inside IHDR: that is said already.
                Err(_) if !chunk.is_complete() => {}
                Err(reason) => self.damaged(reason, chunk.offset),
            },
            b"CgBI" => {
                let encoding = "PNG as rewritten by Apple's tools (CgBI)".to_owned();
                self.push(Flaw::Unsupported { encoding });
            }
            _ if self.flaws.is_empty() => self.damaged("the first chunk is not IHDR", chunk.offset),
            _ => {}
        }
    }

    fn has_bad_crc(&self, chunk: &Chunk<'_>) -> bool {
        matches!(
            self.flaws.last(),
            Some(Flaw::Checksum { offset, .. }) if *offset == chunk.offset as u64
        )
    }

    fn check_end(&mut self, chunk: &Chunk<'_>) {
        let rest = self.bytes.get(chunk.end()..).unwrap_or_default();
        if rest.iter().any(|byte| *byte != 0) {
            let (offset, bytes) = (chunk.end() as u64, rest.len() as u64);
            self.flaws.push(Flaw::Trailing { offset, bytes });
        }
        let frames = self.header.as_ref().map_or(1, |header| header.animation_frames);
        if frames > 1 {
            self.flaws.push(Flaw::ManyImages { count: frames, what: "APNG frames" });
        }
    }

    fn damaged(&mut self, reason: impl Into<String>, offset: usize) {
        let offset = Some(offset as u64);
        self.push(Flaw::Decode { reason: reason.into(), offset, rows: None });
    }

    fn push(&mut self, flaw: Flaw) {
        if self.flaws.len() < MOST_FLAWS {
            self.flaws.push(flaw);
        }
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test may panic")]
mod tests;
