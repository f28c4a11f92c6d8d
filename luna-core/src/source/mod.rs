//! Where bytes come from: a [`Source`] lists names and gives bytes.
//!
//! The core's own sources are folders, single files, lists of files and bytes in memory. Whatever a
//! source is, it shows the same behaviour; `tests/sources.rs` is one suite that each must pass.

mod files;
mod folder;
mod joined;
mod memory;
mod path;

use std::borrow::Cow;
use std::io;
use std::ops::ControlFlow;

pub use self::files::Files;
pub use self::folder::Folder;
pub use self::joined::Joined;
pub use self::memory::Memory;
pub use self::path::ItemPath;
use crate::error::SourceError;

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
}

impl Item {
    /// A plain file.
    pub fn file(path: impl Into<ItemPath>, size_bytes: u64) -> Self {
        Self { path: path.into(), kind: ItemKind::File, size_bytes }
    }
}

/// What a name stands for. Only files are ever opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
        Ok(items)
    }
}

/// A listed file could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The system refused, or the file vanished.
    #[error("cannot be read")]
    Io(#[from] io::Error),
    /// The file is larger than allowed.
    #[error("has {found} bytes, more than the {max_bytes} allowed")]
    TooLarge {
        /// What the caller allowed.
        max_bytes: u64,
        /// What was found, or at least what was read when it stopped.
        found: u64,
    },
    /// No file of this name, or not one that is ever opened.
    #[error("is no file of this source")]
    NotAFile,
}
