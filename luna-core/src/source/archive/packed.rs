//! Streams that are compressed as a whole: gzip (RFC 1952) and Zstandard (RFC 8878), unpacked from
//! front to back in bounded memory, with every checksum looked at.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::io::{self, Read as _};
use std::sync::Arc;

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::Budget;
use super::bytes::{Bytes, Range};
use super::inflate::{Inflate, InflateError};
use super::tar::Stream;
use crate::guard;
use crate::source::Defect;

/// How an archive is compressed as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    /// Told by the first bytes.
    pub(super) fn sniff(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"\x1f\x8b") {
            Some(Self::Gzip)
        } else if head.starts_with(b"\x28\xb5\x2f\xfd") || is_skippable(head) {
            Some(Self::Zstd)
        } else {
            None
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Gzip => "the gzip stream",
            Self::Zstd => "the Zstandard stream",
        }
    }
}

fn is_skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// What is under way.
enum Part {
    /// A gzip member, with the CRC and length of what came out of it.
    Gzip(Inflate, crc32fast::Hasher, u32),
    /// A Zstandard frame.
    Zstd,
    /// Between two of them.
    Between,
}

/// What is read, with the error of the place kept: the crate that asked for the bytes puts it into
/// one of its own, which reads like damage.
struct Watched<'a> {
    input: &'a mut Range,
    failure: &'a mut Option<io::Error>,
}

impl io::Read for Watched<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.input.read(out).map_err(|error| {
            let kind = error.kind();
            *self.failure = Some(error);
            kind.into()
        })
    }
}

/// Unpacks a whole file.
pub(super) struct Packed {
    input: Range,
    packing: Packing,
    part: Part,
    zstd: FrameDecoder,
    /// Parts that have begun.
    parts: u64,
    position: u64,
    input_len: u64,
    budget: Budget,
    defect: Option<Defect>,
    ended: bool,
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packed").field("position", &self.position).finish_non_exhaustive()
    }
}

impl Packed {
    pub(super) fn new(bytes: &Arc<Bytes>, packing: Packing, budget: Budget) -> Self {
        Self {
            input: Range::new(bytes, 0, bytes.len()),
            packing,
            part: Part::Between,
            zstd: FrameDecoder::new(),
            parts: 0,
            position: 0,
            input_len: bytes.len(),
            budget,
            defect: None,
            ended: false,
        }
    }

    /// Some of the next bytes; 0 at the end, which `defect` may explain.
    fn some(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !out.is_empty() {
            let step = match &mut self.part {
                Part::Between => self.begin().map(|()| 0),
                Part::Gzip(..) => self.gzip(out),
                Part::Zstd => self.zstd(out),
            };
            match step {
                Ok(0) => {}
                Ok(count) => {
                    self.position = self.position.saturating_add(count as u64);
                    if let Some(defect) = self.budget.exceeded(0, self.position, self.input_len) {
                        self.end_with(defect);
                    }
                    return Ok(count);
                }
                Err(Stop::Defect(defect)) => self.end_with(defect),
                Err(Stop::Io(error)) => return Err(error),
            }
        }
        Ok(0)
    }

    fn end_with(&mut self, defect: Defect) {
        self.defect.get_or_insert(defect);
        self.ended = true;
    }

    fn cut(&self) -> Stop {
        let what = self.packing.title().to_owned();
        Stop::Defect(Defect::Truncated { what, offset: self.input.position(), missing: None })
    }

    fn corrupt(&self, reason: &str) -> Stop {
        let reason = format!("{} breaks its rules: {reason}", self.packing.title());
        Stop::Defect(Defect::Undecodable { reason, offset: self.input.position() })
    }

    /// The next gzip member or frame, or the end.
    fn begin(&mut self) -> Result<(), Stop> {
        let offset = self.input.position();
        let head = self.input.peek(4)?;
        if head.is_empty() {
            self.ended = true;
            return Ok(());
        }
        match Packing::sniff(&head) {
            Some(packing) if packing == self.packing => {}
            _ if self.parts == 0 => return Err(self.corrupt("it does not begin as one")),
            _ => return self.behind(offset),
        }
        self.parts = self.parts.saturating_add(1);
        match self.packing {
            Packing::Gzip => self.gzip_header(),
            Packing::Zstd if is_skippable(&head) => self.skip_frame(),
            Packing::Zstd => self.zstd_header(),
        }
    }

    /// What follows the last member: padding, or rubbish.
    fn behind(&mut self, offset: u64) -> Result<(), Stop> {
        self.ended = true;
        let mut chunk = [0; 4096];
        loop {
            let count = self.input.read(&mut chunk)?;
            let found = chunk.get(..count).unwrap_or_default();
            if found.iter().any(|byte| *byte != 0) {
                let place = "behind the compressed stream";
                let bytes = self.input_len.saturating_sub(offset);
                return Err(Stop::Defect(Defect::Stray { place: place.into(), offset, bytes }));
            }
            if count == 0 {
                return Ok(());
            }
        }
    }

    fn gzip_header(&mut self) -> Result<(), Stop> {
        let Some(fixed) = self.input.exactly(10)? else { return Err(self.cut()) };
        let [_, _, method, flags, ..] = fixed[..] else { return Err(self.cut()) };
        if method != 8 || flags & 0xe0 != 0 {
            return Err(self.corrupt("an unknown method or flag"));
        }
        if flags & 4 != 0 {
            let Some(len) = self.input.exactly(2)? else { return Err(self.cut()) };
            let len = super::bytes::u16_at(&len, 0).unwrap_or_default();
            if self.input.exactly(len.into())?.is_none() {
                return Err(self.cut());
            }
        }
        // A name and a comment, each ended by a NUL.
        for _ in [8, 16].into_iter().filter(|flag| flags & flag != 0) {
            loop {
                match self.input.exactly(1)?.as_deref() {
                    Some([0]) => break,
                    Some(_) => {}
                    None => return Err(self.cut()),
                }
            }
        }
        if flags & 2 != 0 && self.input.exactly(2)?.is_none() {
            return Err(self.cut());
        }
        self.part = Part::Gzip(Inflate::new(), crc32fast::Hasher::new(), 0);
        Ok(())
    }

    fn gzip(&mut self, out: &mut [u8]) -> Result<usize, Stop> {
        let Part::Gzip(inflate, crc, len) = &mut self.part else { return Ok(0) };
        let count = match inflate.read(&mut self.input, out) {
            Ok(count) => count,
            Err(InflateError::Io(error)) => return Err(error.into()),
            Err(InflateError::Truncated) => return Err(self.cut()),
            Err(InflateError::Corrupt) => return Err(self.corrupt("no deflate data")),
        };
        crc.update(out.get(..count).unwrap_or_default());
        *len = len.wrapping_add(count as u32);
        if !inflate.is_finished() {
            return Ok(count);
        }
        let (computed, len) = (crc.clone().finalize(), *len);
        self.part = Part::Between;
        let offset = self.input.position();
        let Some(trailer) = self.input.exactly(8)? else {
            self.end_after(count, Self::cut);
            return Ok(count);
        };
        let stored = super::bytes::u32_at(&trailer, 0).unwrap_or_default();
        let declared = super::bytes::u32_at(&trailer, 4).unwrap_or_default();
        if stored != computed {
            let what = self.packing.title().to_owned();
            self.end_after(count, |_| {
                Stop::Defect(Defect::Checksum { what, offset, stored, computed })
            });
        } else if declared != len {
            self.end_after(count, |it| it.corrupt("its length is not the one it declares"));
        }
        Ok(count)
    }

    /// Keeps a defect that was met behind bytes which are still to be given out.
    fn end_after(&mut self, count: usize, stop: impl FnOnce(&Self) -> Stop) {
        if let Stop::Defect(defect) = stop(self) {
            // The bytes themselves are there: what comes behind them may be read as well.
            self.defect.get_or_insert(defect);
        }
        self.ended |= count == 0;
    }

    fn skip_frame(&mut self) -> Result<(), Stop> {
        let Some(head) = self.input.exactly(8)? else { return Err(self.cut()) };
        let len = super::bytes::u32_at(&head, 4).unwrap_or_default();
        if self.input.left() < len.into() {
            return Err(self.cut());
        }
        self.input.skip(len.into());
        Ok(())
    }

    fn zstd_header(&mut self) -> Result<(), Stop> {
        let (zstd, mut failure) = (&mut self.zstd, None);
        let input = Watched { input: &mut self.input, failure: &mut failure };
        let begun = guard::quiet(|| zstd.reset(input));
        if let Some(error) = failure {
            return Err(error.into());
        }
        match begun {
            Some(Ok(())) => {
                self.part = Part::Zstd;
                Ok(())
            }
            Some(Err(FrameDecoderError::WindowSizeTooBig { requested, max })) => {
                let limit = "archive_window";
                Err(Stop::Defect(Defect::OverBudget {
                    limit: limit.into(),
                    allowed: max,
                    seen: requested,
                }))
            }
            Some(Err(FrameDecoderError::DictNotProvided { .. })) => {
                let encoding = "Zstandard with a dictionary".to_owned();
                Err(Stop::Defect(Defect::Unsupported { encoding }))
            }
            Some(Err(FrameDecoderError::ReadFrameHeaderError(
                ReadFrameHeaderError::SkipFrame { length, .. },
            ))) => {
                self.input.skip(length.into());
                Ok(())
            }
            _ if self.input.is_starved() => Err(self.cut()),
            _ => Err(self.corrupt("no frame header")),
        }
    }

    fn zstd(&mut self, out: &mut [u8]) -> Result<usize, Stop> {
        let (zstd, mut failure) = (&mut self.zstd, None);
        while zstd.can_collect() == 0 && !zstd.is_finished() {
            let step = BlockDecodingStrategy::UptoBlocks(1);
            let input = Watched { input: &mut self.input, failure: &mut failure };
            let decoded = guard::quiet(|| zstd.decode_blocks(input, step));
            if let Some(error) = failure.take() {
                return Err(error.into());
            }
            match decoded {
                Some(Ok(_)) => {}
                _ if self.input.is_starved() => return Err(self.cut()),
                _ => return Err(self.corrupt("no block")),
            }
        }
        let count = zstd.read(out)?;
        if zstd.is_finished() && zstd.can_collect() == 0 {
            self.part = Part::Between;
            if let (Some(stored), Some(computed)) =
                (zstd.get_checksum_from_data(), zstd.get_calculated_checksum())
                && stored != computed
            {
                let (what, offset) = (self.packing.title().to_owned(), self.input.position());
                self.end_after(count, |_| {
                    Stop::Defect(Defect::Checksum { what, offset, stored, computed })
                });
            }
        }
        Ok(count)
    }
}

enum Stop {
    Defect(Defect),
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Stream for Packed {
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0_usize;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.some(rest)? {
                0 => break,
                count => filled = filled.saturating_add(count),
            }
        }
        Ok(filled)
    }

    fn skip(&mut self, count: u64) -> io::Result<u64> {
        let mut chunk = vec![0; 64 << 10];
        let mut skipped = 0_u64;
        while skipped < count {
            let wanted = count.saturating_sub(skipped).min(chunk.len() as u64) as usize;
            match self.some(chunk.get_mut(..wanted).unwrap_or_default())? {
                0 => break,
                count => skipped = skipped.saturating_add(count as u64),
            }
        }
        Ok(skipped)
    }

    fn position(&self) -> u64 {
        self.position
    }

    fn defect(&mut self) -> Option<Defect> {
        self.defect.take()
    }
}
