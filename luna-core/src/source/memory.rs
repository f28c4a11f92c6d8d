//! Bytes in memory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::{Item, ItemPath, ReadError, Source};
use crate::error::SourceError;

/// Files held in memory, by path.
///
/// ```
/// use luna_core::{Source, source::Memory};
/// let source: Memory = [("a.png", vec![1, 2]), ("b.png", vec![3])].into_iter().collect();
/// assert_eq!(source.items()?.len(), 2);
/// # Ok::<(), luna_core::SourceError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Memory {
    files: BTreeMap<ItemPath, Vec<u8>>,
}

impl Memory {
    /// One file.
    pub fn single(path: impl Into<ItemPath>, bytes: Vec<u8>) -> Self {
        [(path, bytes)].into_iter().collect()
    }

    /// Adds a file, or replaces the one of the same path.
    pub fn insert(&mut self, path: impl Into<ItemPath>, bytes: Vec<u8>) {
        self.files.insert(path.into(), bytes);
    }
}

impl<P: Into<ItemPath>> FromIterator<(P, Vec<u8>)> for Memory {
    fn from_iter<I: IntoIterator<Item = (P, Vec<u8>)>>(files: I) -> Self {
        Self { files: files.into_iter().map(|(path, bytes)| (path.into(), bytes)).collect() }
    }
}

impl Source for Memory {
    fn list(&self, visit: &mut dyn FnMut(Item) -> ControlFlow<()>) -> Result<(), SourceError> {
        for (path, bytes) in &self.files {
            if visit(Item::file(path.as_str(), bytes.len() as u64)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn read(&self, path: &ItemPath, max_bytes: u64) -> Result<Cow<'_, [u8]>, ReadError> {
        let bytes = self.files.get(path).ok_or(ReadError::NotAFile)?;
        let found = bytes.len() as u64;
        if found > max_bytes {
            return Err(ReadError::TooLarge { max_bytes, found });
        }
        Ok(Cow::Borrowed(bytes))
    }
}
