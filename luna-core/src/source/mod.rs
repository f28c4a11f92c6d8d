//! Where bytes come from: a [`Source`] lists names and gives bytes.
//!
//! The core's own sources are folders, single files, lists of files, archives and bytes in memory. Whatever a
//! source is, it shows the same behaviour; `tests/sources.rs` is one suite that each must pass.

mod ahead;
mod archive;
mod defect;
mod files;
mod folder;
mod joined;
mod memory;
mod path;

use std::borrow::Cow;
use std::io;
use std::ops::ControlFlow;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use self::ahead::read_ahead;
pub use self::archive::{Archive, ReadAt};
pub use self::defect::Defect;
pub use self::files::{Files, free_name};
pub use self::folder::Folder;
pub use self::joined::Joined;
pub use self::memory::Memory;
pub use self::path::ItemPath;
use crate::error::SourceError;
use crate::limits::MemoryBudget;

/// A listed name.
///
/// ```
/// use luna_core::source::{Item, ItemKind};
/// let item = Item::file("images/0001.dcm", 10_001_234);
/// assert_eq!((item.path.as_str(), item.kind), ("images/0001.dcm", ItemKind::File));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    /// Path inside the source, with `/`.
    pub path: ItemPath,
    /// What it is to the file system.
    pub kind: ItemKind,
    /// Size in bytes; 0 for what is not a file.
    pub size_bytes: u64,
    /// What the source finds wrong with it, whatever its bytes are.
    pub defects: Vec<Defect>,
}

impl Item {
    /// A plain file.
    pub fn file(path: impl Into<ItemPath>, size_bytes: u64) -> Self {
        Self { size_bytes, ..Self::of_kind(path, ItemKind::File) }
    }

    /// A name of any kind, with no size.
    pub fn of_kind(path: impl Into<ItemPath>, kind: ItemKind) -> Self {
        Self { path: path.into(), kind, size_bytes: 0, defects: Vec::new() }
    }
}

/// What a name stands for. Only files are ever opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// A plain file.
    File,
    /// A symbolic link: listed, never followed.
    Link,
    /// A device, pipe or socket: listed, never opened.
    Special,
    /// A folder that could not be listed.
    UnreadableFolder,
}

/// Gives names and bytes.
///
/// Implementations never follow links, never open devices and never write.
pub trait Source: Send + Sync {
    /// Calls `visit` once for every name, in any order, until it breaks.
    ///
    /// # Errors
    /// If nothing can be listed at all. A part that cannot be listed is an [`Item`] of kind
    /// [`ItemKind::UnreadableFolder`].
    fn list(&self, visit: &mut dyn FnMut(Item) -> ControlFlow<()>) -> Result<(), SourceError>;

    /// Reads a listed file whole, if it has at most `max_bytes`.
    ///
    /// # Errors
    /// If it cannot be read, or is larger.
    fn read(&self, path: &ItemPath, max_bytes: u64) -> Result<Cow<'_, [u8]>, ReadError>;

    /// Reads these items, each once, and shows each to `visit` with its number, from several threads
    /// and in whatever order is cheapest; what is no file is shown as [`ReadError::NotAFile`].
    ///
    /// Bytes are held only while there is room for them, and nothing new is read once it is to stop.
    fn each(&self, items: &[Item], reading: &Reading<'_>, visit: &Visit<'_>) {
        read_each(self, items, reading, visit);
    }

    /// What is wrong with the source itself, beside its items; with each, the name below which it
    /// stands among several sources (empty for the source alone).
    fn defects(&self) -> Vec<(String, Defect)> {
        Vec::new()
    }

    /// Everything that [`list`](Source::list) visits, in byte order of the path.
    ///
    /// # Errors
    /// As [`list`](Source::list).
    fn items(&self) -> Result<Vec<Item>, SourceError> {
        let mut items = Vec::new();
        self.list(&mut |item| {
            items.push(item);
            ControlFlow::Continue(())
        })?;
        items.sort_unstable();
        items.shrink_to_fit();
        Ok(items)
    }
}

/// Takes an item's number and its bytes.
pub type Visit<'a> = dyn Fn(usize, Result<Cow<'_, [u8]>, ReadError>) + Sync + 'a;

/// How much may be read, and held, at a time.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// Largest file that is read, in bytes.
    pub max_bytes: u64,
    /// Where room is claimed for the bytes that are held.
    pub memory: &'a MemoryBudget,
    /// True once nothing new is to be read.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

impl std::fmt::Debug for Reading<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("max_bytes", &self.max_bytes).finish_non_exhaustive()
    }
}

/// Reads items one by one, on as many threads as there are.
fn read_each(
    source: &(impl Source + ?Sized),
    items: &[Item],
    reading: &Reading<'_>,
    visit: &Visit<'_>,
) {
    items.par_iter().enumerate().for_each(|(number, item)| {
        if !(reading.stop)() {
            let _room = reading.memory.claim(item.size_bytes.min(reading.max_bytes));
            visit(number, source.read(&item.path, reading.max_bytes));
        }
    });
}

/// A listed file could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The system refused, or the file vanished.
    #[error("cannot be read")]
    Io(#[source] io::Error),
    /// The file is larger than allowed.
    #[error("has {found} bytes, more than the {max_bytes} allowed")]
    TooLarge {
        /// What the caller allowed.
        max_bytes: u64,
        /// What was found, or at least what was read when it stopped.
        found: u64,
    },
    /// What was read is not what was stored.
    #[error("is damaged")]
    Damaged {
        /// What is wrong, where it was not known when it was listed.
        defects: Vec<Defect>,
        /// The bytes all the same, if there are as many as there should be.
        bytes: Option<Vec<u8>>,
    },
    /// No file of this name, or not one that is ever opened.
    #[error("is no file of this source")]
    NotAFile,
    /// It is not this file: the whole source is out of reach. The run is to end with this error,
    /// since what is wrong is no property of the data set.
    #[error(transparent)]
    SourceLost(SourceError),
}

/// An I/O error that wraps a [`SourceError`] means that the whole source is lost.
impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        match error.downcast::<SourceError>() {
            Ok(lost) => Self::SourceLost(lost),
            Err(error) => Self::Io(error),
        }
    }
}
