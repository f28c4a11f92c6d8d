//! The bytes of an archive, read from any place and any thread, never as a whole.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::sync::Arc;

/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;

/// The bytes of an archive that lies elsewhere, read at any offset from any thread.
///
/// An error that wraps a [`SourceError`](crate::SourceError) ends the run; any other one is about the
/// member that was read.
pub trait ReadAt: Send + Sync + fmt::Debug {
    /// How many there are.
    fn size_bytes(&self) -> u64;

    /// Fills the buffer from this offset on as far as there are bytes; how many there were.
    ///
    /// # Errors
    /// What the place said.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// These bytes are about to be read: fetching them may begin.
    fn will_read(&self, offset: u64, count: u64) {
        let _ = (offset, count);
    }
}

/// A file, bytes in memory, or bytes elsewhere.
#[derive(Debug)]
pub(super) enum Bytes {
    File { file: File, len: u64 },
    Memory(Vec<u8>),
    Remote(Box<dyn ReadAt>),
}

impl Bytes {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::File { len, .. } => *len,
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Remote(bytes) => bytes.size_bytes(),
        }
    }

    /// True if reading waits for another machine.
    pub(super) fn is_remote(&self) -> bool {
        matches!(self, Self::Remote(_))
    }

    /// These bytes are about to be read.
    pub(super) fn will_read(&self, offset: u64, count: u64) {
        if let Self::Remote(bytes) = self {
            bytes.will_read(offset, count);
        }
    }

    /// Fills the buffer from this offset on, as far as there are bytes.
    pub(super) fn fill(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Memory(bytes) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX);
                let rest = bytes.get(from..).unwrap_or_default();
                let count = rest.len().min(buffer.len());
                if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
                    to.copy_from_slice(from);
                }
                Ok(count)
            }
            Self::Remote(bytes) => bytes.read_at(offset, buffer),
            Self::File { file, .. } => {
                let mut filled = 0_usize;
                while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
                    match read_at(file, rest, offset.saturating_add(filled as u64)) {
                        Ok(0) => break,
                        Ok(count) => filled = filled.saturating_add(count),
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(filled)
            }
        }
    }

    /// Up to `count` bytes from this offset on; never more than are there.
    pub(super) fn take(&self, offset: u64, count: u64) -> io::Result<Vec<u8>> {
        let there = self.len().saturating_sub(offset).min(count);
        let mut bytes = vec![0; usize::try_from(there).map_err(io::Error::other)?];
        let filled = self.fill(offset, &mut bytes)?;
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// True if these bytes are zero, or not there.
    pub(super) fn are_zero(&self, from: u64, to: u64) -> io::Result<bool> {
        let mut at = from;
        while at < to {
            let chunk = self.take(at, to.saturating_sub(at).min(CHUNK as u64))?;
            if chunk.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            if chunk.is_empty() {
                break;
            }
            at = at.saturating_add(chunk.len() as u64);
        }
        Ok(true)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

/// A part of the bytes, read from front to back.
#[derive(Debug)]
pub(super) struct Range {
    bytes: Arc<Bytes>,
    /// Offset of what comes after the buffer.
    next: u64,
    end: u64,
    buffer: Vec<u8>,
    at: usize,
    /// True once more was asked for than there is.
    starved: bool,
}

impl Range {
    pub(super) fn new(bytes: &Arc<Bytes>, from: u64, to: u64) -> Self {
        let end = to.min(bytes.len());
        let bytes = Arc::clone(bytes);
        Self { bytes, next: from, end, buffer: Vec::new(), at: 0, starved: false }
    }

    /// Offset of the next byte.
    pub(super) fn position(&self) -> u64 {
        self.next.saturating_sub(self.buffer.len().saturating_sub(self.at) as u64)
    }

    /// True once more was asked for than there is.
    pub(super) fn is_starved(&self) -> bool {
        self.starved
    }

    /// Bytes that are left.
    pub(super) fn left(&self) -> u64 {
        self.end.saturating_sub(self.position())
    }

    /// Exactly `count` bytes, or `None` if there are fewer.
    pub(super) fn exactly(&mut self, count: usize) -> io::Result<Option<Vec<u8>>> {
        if self.left() < count as u64 {
            self.starved = true;
            return Ok(None);
        }
        let mut bytes = vec![0; count];
        match self.read_exact(&mut bytes) {
            Ok(()) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The next bytes, which stay to be read.
    pub(super) fn peek(&self, count: u64) -> io::Result<Vec<u8>> {
        self.bytes.take(self.position(), self.left().min(count))
    }

    /// Goes on by that many bytes.
    pub(super) fn skip(&mut self, count: u64) {
        let buffered = self.buffer.len().saturating_sub(self.at) as u64;
        if count <= buffered {
            self.at = self.at.saturating_add(count as usize);
        } else {
            self.next = self.position().saturating_add(count);
            self.buffer.clear();
            self.at = 0;
        }
    }
}

impl BufRead for Range {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.buffer.len() {
            let wanted = self.end.saturating_sub(self.next).min(CHUNK as u64);
            self.buffer.resize(wanted as usize, 0);
            let filled = self.bytes.fill(self.next, &mut self.buffer)?;
            self.buffer.truncate(filled);
            self.next = self.next.saturating_add(filled as u64);
            self.at = 0;
            self.starved |= filled == 0;
        }
        Ok(self.buffer.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.buffer.len());
    }
}

impl Read for Range {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let there = self.fill_buf()?;
        let count = there.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..count), there.get(..count)) {
            to.copy_from_slice(from);
        }
        self.consume(count);
        Ok(count)
    }
}

/// A little-endian number inside a header; `None` if the header is too short.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|raw| u16::from_le_bytes(*raw))
}

/// A little-endian number inside a header; `None` if the header is too short.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|raw| u32::from_le_bytes(*raw))
}

/// A little-endian number inside a header; `None` if the header is too short.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|raw| u64::from_le_bytes(*raw))
}
