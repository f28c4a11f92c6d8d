//! Archives, read in place: zip, tar, tar.gz, tar.zst. Nothing is ever unpacked to disk, no link
//! followed, no archive inside the archive opened.
//!
//! A zip and a plain tar are read at any offset, by any number of threads. A tar that is compressed
//! as a whole can only be unpacked from its front: one pass lists it when it is opened, and
//! [`Source::each`] reads its members in the order of the archive, in one more.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod bytes;
mod inflate;
mod member;
mod packed;
mod tar;
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test may panic")]
mod tests;
mod zip;

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use rayon::prelude::*;

use self::bytes::Bytes;
pub use self::bytes::ReadAt;
use self::member::{Index, Member, Place};
use self::packed::{Packed, Packing};
use self::tar::Stream;
use super::folder::open_error;
use super::{Defect, Item, ItemKind, ItemPath, ReadError, Reading, Source, Visit};
use crate::error::SourceError;
use crate::limits::{Claim, Limits};

/// Unpacked bytes up to which any ratio to the packed ones is honest.
const RATIO_COUNTS_ABOVE: u64 = 100 << 20;

/// Members of a compressed archive that are unpacked ahead of the threads that examine them.
const AHEAD: usize = 64;

/// Members of an archive far away that are read at the same time.
const REMOTE_READERS: usize = 12;

/// What an archive may ask for.
#[derive(Clone, Copy, Debug)]
struct Budget {
    entries: u64,
    ratio: u64,
}

impl Budget {
    fn of(limits: &Limits) -> Self {
        Self { entries: limits.archive_entries.into(), ratio: limits.archive_ratio.into() }
    }

    /// The budget that these numbers exceed.
    fn exceeded(self, entries: u64, unpacked: u64, packed: u64) -> Option<Defect> {
        let dense = unpacked > RATIO_COUNTS_ABOVE && unpacked > packed.saturating_mul(self.ratio);
        let over = |limit, allowed, seen| {
            Some(Defect::OverBudget { limit: Cow::Borrowed(limit), allowed, seen })
        };
        if entries > self.entries {
            over("archive_entries", self.entries, entries)
        } else if dense {
            let ratio = unpacked.checked_div(packed).unwrap_or(unpacked);
            over("archive_ratio", self.ratio, ratio.max(self.ratio.saturating_add(1)))
        } else {
            None
        }
    }
}

/// What stands behind the index.
#[derive(Debug)]
enum Form {
    Zip,
    Tar,
    /// With the stream where the last reading left it.
    Packed(Packing, Mutex<Option<Box<Packed>>>),
}

/// An archive as a source: paths are those of its members, folders are not listed.
///
/// ```
/// use luna_core::{Limits, Source, source::Archive};
/// let empty_zip = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
/// let archive = Archive::from_bytes(empty_zip, &Limits::default()).unwrap();
/// assert!(archive.items()?.is_empty());
/// assert!(Archive::from_bytes(b"no archive".to_vec(), &Limits::default()).is_none());
/// # Ok::<(), luna_core::SourceError>(())
/// ```
#[derive(Debug)]
pub struct Archive {
    bytes: Arc<Bytes>,
    form: Form,
    index: Index,
}

impl Archive {
    /// Opens and lists the archive at this place; `None` if the file is no archive that is read here.
    ///
    /// Told by its bytes, whatever its name. A compressed tar is unpacked once for it. The members
    /// are listed up to the budgets `archive_entries` and `archive_ratio`.
    ///
    /// # Errors
    /// If the file cannot be opened or read.
    pub fn open(place: &Path, limits: &Limits) -> Result<Option<Self>, SourceError> {
        let open = || -> io::Result<Option<Self>> {
            let file = File::open(place)?;
            let found = file.metadata()?;
            if !found.is_file() {
                return Ok(None);
            }
            Self::read(Bytes::File { len: found.len(), file }, limits)
        };
        open().map_err(|error| open_error(place, error))
    }

    /// The same for an archive that lies elsewhere: only what is needed of it is read.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn from_remote(
        bytes: impl ReadAt + 'static,
        limits: &Limits,
    ) -> Result<Option<Self>, SourceError> {
        Self::read(Bytes::Remote(Box::new(bytes)), limits).map_err(|error| {
            // Whatever else an archive far away says of itself, it says as this error.
            error.downcast().unwrap_or_else(|error| SourceError::Storage(Box::new(error)))
        })
    }

    /// True if it is compressed as a whole: its members can only be had one after the other, so
    /// reading a part of them takes as long as reading all.
    ///
    /// ```
    /// use luna_core::{Limits, source::Archive};
    /// let empty_zip = b"PK\x05\x06".iter().copied().chain([0; 18]).collect();
    /// let zip = Archive::from_bytes(empty_zip, &Limits::default());
    /// assert!(zip.is_some_and(|zip| !zip.is_stream()));
    /// ```
    pub fn is_stream(&self) -> bool {
        matches!(self.form, Form::Packed(..))
    }

    /// Lists an archive in memory; `None` if it is none that is read here.
    pub fn from_bytes(bytes: Vec<u8>, limits: &Limits) -> Option<Self> {
        Self::read(Bytes::Memory(bytes), limits).ok().flatten()
    }

    fn read(bytes: Bytes, limits: &Limits) -> io::Result<Option<Self>> {
        let bytes = Arc::new(bytes);
        let budget = Budget::of(limits);
        let head = bytes.take(0, 512)?;
        let is_zip =
            [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"].iter().any(|it| head.starts_with(*it));
        if is_zip {
            let index = zip::index(&bytes, budget)?;
            return Ok(Some(Self { bytes, form: Form::Zip, index }));
        }
        if tar::is_likely(&head) {
            let mut plain = Plain { bytes: &bytes, position: 0 };
            let index = tar::index(&mut plain, budget)?;
            return Ok(Some(Self { bytes, form: Form::Tar, index }));
        }
        let Some(packing) = Packing::sniff(&head) else { return Ok(None) };
        let mut block = [0; 512];
        let mut stream = Packed::new(&bytes, packing, budget);
        let filled = stream.fill(&mut block)?;
        // What is damaged before its first block may be one.
        if !tar::is_likely(block.get(..filled).unwrap_or_default()) && stream.defect().is_none() {
            return Ok(None);
        }
        let mut stream = Packed::new(&bytes, packing, budget);
        let index = tar::index(&mut stream, budget)?;
        Ok(Some(Self { bytes, form: Form::Packed(packing, Mutex::default()), index }))
    }

    fn member(&self, path: &ItemPath, max_bytes: u64) -> Result<&Member, ReadError> {
        let member = self.index.get(path).ok_or(ReadError::NotAFile)?;
        let found = member.item.size_bytes;
        if member.item.kind != ItemKind::File {
            return Err(ReadError::NotAFile);
        }
        if found > max_bytes {
            return Err(ReadError::TooLarge { max_bytes, found });
        }
        Ok(member)
    }

    fn read_member(&self, member: &Member) -> Result<Vec<u8>, ReadError> {
        let size = member.item.size_bytes;
        match (member.place, &self.form) {
            // What is wrong with it was said when it was listed.
            (Place::None, _) => Err(ReadError::Damaged { defects: Vec::new(), bytes: None }),
            (Place::Zip { offset, packed, method, crc }, _) => {
                zip::read(&self.bytes, (offset, packed, method, crc), size)
            }
            (Place::Plain { offset }, Form::Packed(packing, kept)) => {
                let kept = &mut *kept.lock().unwrap_or_else(PoisonError::into_inner);
                let stream = match kept {
                    Some(stream) if stream.position() <= offset => stream,
                    _ => kept.insert(Box::new(self.unpack(*packing))),
                };
                read_on(stream, offset, size)
            }
            (Place::Plain { offset }, _) => whole(self.bytes.take(offset, size)?, size),
        }
    }

    /// The stream from its front. It was found to be within the budgets when it was listed.
    fn unpack(&self, packing: Packing) -> Packed {
        Packed::new(&self.bytes, packing, Budget { entries: u64::MAX, ratio: u64::MAX })
    }

    /// Reads members of a compressed archive in one pass, on a thread of its own, for the threads
    /// that visit them.
    fn stream(&self, packing: Packing, items: &[Item], reading: &Reading<'_>, visit: &Visit<'_>) {
        let mut wanted: Vec<(u64, usize, &Member)> = Vec::new();
        let mut others: Vec<usize> = Vec::new();
        for (number, item) in items.iter().enumerate() {
            match self.index.get(&item.path) {
                Some(member) if item.size_bytes <= reading.max_bytes => match member.place {
                    Place::Plain { offset } => wanted.push((offset, number, member)),
                    _ => others.push(number),
                },
                _ => others.push(number),
            }
        }
        wanted.sort_unstable_by_key(|(offset, number, _)| (*offset, *number));
        let (sender, receiver) = mpsc::sync_channel::<Unpacked<'_>>(AHEAD);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut stream = self.unpack(packing);
                for (offset, number, member) in wanted {
                    if (reading.stop)() {
                        break;
                    }
                    let size = member.item.size_bytes;
                    let room = reading.memory.claim(size);
                    let bytes = read_on(&mut stream, offset, size);
                    if sender.send((number, bytes, room)).is_err() {
                        break;
                    }
                }
            });
            receiver.into_iter().par_bridge().for_each(|(number, bytes, room)| {
                if !(reading.stop)() {
                    visit(number, bytes.map(Cow::Owned));
                }
                drop(room);
            });
        });
        for number in others {
            if let Some(item) = items.get(number).filter(|_| !(reading.stop)()) {
                visit(number, self.read(&item.path, reading.max_bytes));
            }
        }
    }
}

/// A member's number, its bytes, and the room that they take.
type Unpacked<'a> = (usize, Result<Vec<u8>, ReadError>, Claim<'a>);

fn read_on(stream: &mut Packed, offset: u64, size: u64) -> Result<Vec<u8>, ReadError> {
    let ahead = offset.saturating_sub(stream.position());
    let skipped = stream.skip(ahead)?;
    if skipped < ahead {
        return whole(Vec::new(), size);
    }
    // The size was met when the archive was listed: that many bytes did come out of it.
    let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
    let filled = stream.fill(&mut bytes)?;
    bytes.truncate(filled);
    whole(bytes, size)
}

fn whole(bytes: Vec<u8>, size: u64) -> Result<Vec<u8>, ReadError> {
    if bytes.len() as u64 == size {
        Ok(bytes)
    } else {
        Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())
    }
}

impl Source for Archive {
    fn list(&self, visit: &mut dyn FnMut(Item) -> ControlFlow<()>) -> Result<(), SourceError> {
        for member in &self.index.members {
            if visit(member.item.clone()).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn read(&self, path: &ItemPath, max_bytes: u64) -> Result<Cow<'_, [u8]>, ReadError> {
        self.read_member(self.member(path, max_bytes)?).map(Cow::Owned)
    }

    fn each(&self, items: &[Item], reading: &Reading<'_>, visit: &Visit<'_>) {
        match self.form {
            Form::Packed(packing, _) => self.stream(packing, items, reading, visit),
            Form::Zip | Form::Tar if self.bytes.is_remote() => {
                super::read_ahead(self, items, reading, visit, REMOTE_READERS);
            }
            Form::Zip | Form::Tar => super::read_each(self, items, reading, visit),
        }
    }

    fn defects(&self) -> Vec<(String, Defect)> {
        self.index.defects.iter().map(|defect| (String::new(), defect.clone())).collect()
    }
}

/// A tar as it is: skipping costs nothing.
struct Plain<'a> {
    bytes: &'a Bytes,
    position: u64,
}

impl Stream for Plain<'_> {
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let filled = self.bytes.fill(self.position, buffer)?;
        self.position = self.position.saturating_add(filled as u64);
        Ok(filled)
    }

    fn skip(&mut self, count: u64) -> io::Result<u64> {
        let there = self.bytes.len().saturating_sub(self.position).min(count);
        self.position = self.position.saturating_add(there);
        Ok(there)
    }

    fn position(&self) -> u64 {
        self.position
    }

    fn defect(&mut self) -> Option<Defect> {
        None
    }
}
