//! The bytes of an object that is an archive: parts are fetched as they are needed, and a little ahead.
//!
//! Small reads go through blocks that are kept for a while; whoever reads on from block to block gets
//! ever larger parts, and the next one is under way before it is asked for. Large reads go their own
//! way. So listing a zip takes its directory and a block around each header, a compressed tar comes as
//! one stream, and nothing is ever there as a whole.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use luna_core::source::ReadAt;

use super::error::{Error, Result};
use super::source::lost;
use super::{Bridge, Storage, Stored};

/// Bytes of a block.
const BLOCK: u64 = 128 << 10;
/// Most blocks that are fetched at once.
const MOST_AHEAD: u64 = 16;
/// Blocks that are kept: 32 MiB for all threads together.
const KEPT: usize = 256;
/// Reads of at least this size are not kept.
const LARGE: usize = 4 * BLOCK as usize;

/// An object as [`ReadAt`]: what `luna_core::source::Archive::from_remote` takes.
#[derive(Debug)]
pub struct ObjectBytes {
    shared: Arc<Shared>,
    bridge: Bridge,
}

#[derive(Debug)]
struct Shared {
    storage: Storage,
    object: Stored,
    blocks: Mutex<Blocks>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Blocks {
    by_number: HashMap<u64, Block>,
    /// In the order in which they were asked for.
    order: VecDeque<u64>,
    /// Parts that were fetched: by the block behind them, how many blocks they have.
    ends: HashMap<u64, u64>,
    /// Parts of which nobody has read yet: by their first block, the block behind them.
    starts: HashMap<u64, u64>,
}

#[derive(Clone, Debug)]
enum Block {
    Coming,
    Here(Arc<[u8]>),
    Failed(Error),
}

impl ObjectBytes {
    /// The bytes of an object that was looked at.
    pub fn new(storage: Storage, object: Stored, bridge: Bridge) -> Self {
        let shared = Shared { storage, object, blocks: Mutex::default(), arrived: Condvar::new() };
        Self { shared: Arc::new(shared), bridge }
    }

    /// Copies what a block holds from `offset` on; waits until it is there.
    fn copy(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let number = offset / BLOCK;
        let bytes = self.block(number)?;
        let from = usize::try_from(offset % BLOCK).unwrap_or_default();
        let there = bytes.get(from..).unwrap_or_default();
        let count = there.len().min(buffer.len());
        buffer[..count].copy_from_slice(&there[..count]);
        Ok(count)
    }

    fn block(&self, number: u64) -> Result<Arc<[u8]>> {
        let mut blocks = self.lock();
        loop {
            let (here, part) = match blocks.by_number.get(&number) {
                Some(Block::Here(bytes)) => {
                    (Some(Arc::clone(bytes)), self.after(&mut blocks, number))
                }
                Some(Block::Failed(error)) => return Err(error.clone()),
                Some(Block::Coming) => {
                    let arrived = self.shared.arrived.wait(blocks);
                    blocks = arrived.unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
                None => {
                    let length = blocks.ends.remove(&number).map_or(1, |before| before * 2);
                    (None, self.part(&mut blocks, number, length))
                }
            };
            drop(blocks);
            self.start(part);
            if let Some(bytes) = here {
                return Ok(bytes);
            }
            blocks = self.lock();
        }
    }

    /// Whoever begins with a part wants the next one; a single block may have been all that was wanted.
    fn after(&self, blocks: &mut Blocks, number: u64) -> Option<Part> {
        let end = blocks.starts.remove(&number).filter(|end| end - number > 1)?;
        if blocks.by_number.contains_key(&end) {
            return None;
        }
        blocks.ends.remove(&end);
        self.part(blocks, end, (end - number) * 2)
    }

    /// Up to `length` blocks from `first` on that are to be fetched, as far as they are neither there nor
    /// under way.
    fn part(&self, blocks: &mut Blocks, first: u64, length: u64) -> Option<Part> {
        let end = first + length.min(MOST_AHEAD);
        let end = self.shared.object.size_bytes.div_ceil(BLOCK).min(end);
        let known = (first..end).find(|number| blocks.by_number.contains_key(number));
        let end = known.unwrap_or(end);
        if first >= end {
            return None;
        }
        for number in first..end {
            blocks.by_number.insert(number, Block::Coming);
            blocks.order.push_back(number);
        }
        blocks.ends.insert(end, end - first);
        blocks.starts.insert(first, end);
        blocks.forget();
        Some(Part { shared: Arc::clone(&self.shared), first, end })
    }

    /// Starts to fetch. The blocks must not be locked: a runtime that has ended drops the part at once.
    fn start(&self, part: Option<Part>) {
        if let Some(part) = part {
            self.bridge.start(part.fetch());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Blocks> {
        self.shared.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Blocks {
    /// Drops what was asked for longest ago, but nothing that is under way: somebody waits for it.
    fn forget(&mut self) {
        for _ in KEPT..self.order.len() {
            let Some(number) = self.order.pop_front() else { break };
            if let Some(Block::Coming) = self.by_number.get(&number) {
                self.order.push_back(number);
            } else {
                self.by_number.remove(&number);
                self.starts.remove(&number);
                self.ends.remove(&(number + 1));
            }
        }
    }
}

/// Blocks that are under way.
struct Part {
    shared: Arc<Shared>,
    first: u64,
    end: u64,
}

impl Part {
    async fn fetch(self) {
        let Stored { key, size_bytes, version } = &self.shared.object;
        let from = self.first * BLOCK;
        let count = (self.end * BLOCK).min(*size_bytes).saturating_sub(from);
        let read = self.shared.storage.read_range(key, from, count, version.as_deref()).await;
        let mut blocks = self.shared.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(bytes) => {
                for (number, part) in (self.first..self.end).zip(bytes.chunks(BLOCK as usize)) {
                    blocks.by_number.insert(number, Block::Here(part.into()));
                }
            }
            Err(error) => {
                for number in self.first..self.end {
                    blocks.by_number.insert(number, Block::Failed(error.clone()));
                }
            }
        }
    }
}

/// Also when the runtime ends before the answer comes: nobody waits for ever.
impl Drop for Part {
    fn drop(&mut self) {
        let mut blocks = self.shared.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        for number in self.first..self.end {
            if let Some(block @ Block::Coming) = blocks.by_number.get_mut(&number) {
                *block = Block::Failed(super::bridge::stopped("the program is ending"));
            }
        }
        drop(blocks);
        self.shared.arrived.notify_all();
    }
}

impl ReadAt for ObjectBytes {
    fn size_bytes(&self) -> u64 {
        self.shared.object.size_bytes
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let there = self.size_bytes().saturating_sub(offset).min(buffer.len() as u64);
        let wanted = usize::try_from(there).unwrap_or_default();
        if wanted >= LARGE {
            let shared = Arc::clone(&self.shared);
            let read = self.bridge.run(async move {
                let Shared { storage, object, .. } = &*shared;
                storage.read_range(&object.key, offset, there, object.version.as_deref()).await
            });
            buffer[..wanted].copy_from_slice(&read.map_err(lost)?);
            return Ok(wanted);
        }
        let mut filled = 0;
        while filled < wanted {
            let count =
                self.copy(offset + filled as u64, &mut buffer[filled..wanted]).map_err(lost)?;
            if count == 0 {
                break;
            }
            filled += count;
        }
        Ok(filled)
    }

    fn will_read(&self, offset: u64, count: u64) {
        let end = offset.saturating_add(count).min(self.size_bytes());
        if offset >= end {
            return;
        }
        let (first, last) = (offset / BLOCK, (end - 1) / BLOCK);
        let part = self.part(&mut self.lock(), first, last - first + 1);
        self.start(part);
    }
}
