//! A folder of this machine, with everything below it.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::Read as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::{Item, ItemKind, ItemPath, ReadError, Source};
use crate::error::SourceError;

/// A folder, listed without following links.
///
/// ```
/// use luna_core::{Source, source::Folder};
/// # let dir = std::env::temp_dir();
/// let folder = Folder::new(dir);
/// let files = folder.items()?;
/// # Ok::<(), luna_core::SourceError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder at `root`; looked at only when listed.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn full_path(&self, path: &ItemPath) -> Result<PathBuf, ReadError> {
        let relative = native_path(path.as_bytes());
        let inside =
            relative.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        if inside { Ok(self.root.join(relative)) } else { Err(ReadError::NotAFile) }
    }
}

impl Source for Folder {
    fn list(&self, visit: &mut dyn FnMut(Item) -> ControlFlow<()>) -> Result<(), SourceError> {
        let root_entries =
            fs::read_dir(&self.root).map_err(|error| open_error(&self.root, error))?;
        // An explicit stack: depth is bounded by the file system, not by this thread's stack.
        let mut pending = vec![(root_entries, Vec::new())];
        while let Some((entries, prefix)) = pending.last_mut() {
            let Some(entry) = entries.next() else {
                pending.pop();
                continue;
            };
            let Ok(entry) = entry else { continue };
            let mut path = prefix.clone();
            path.extend_from_slice(&native_bytes(&entry.file_name()));
            let (kind, size_bytes) = match entry.file_type() {
                Ok(kind) if kind.is_dir() => {
                    if let Ok(entries) = fs::read_dir(entry.path()) {
                        path.push(b'/');
                        pending.push((entries, path));
                        continue;
                    }
                    (ItemKind::UnreadableFolder, 0)
                }
                Ok(kind) if kind.is_file() => {
                    (ItemKind::File, entry.metadata().map_or(0, |data| data.len()))
                }
                Ok(kind) if kind.is_symlink() => (ItemKind::Link, 0),
                _ => (ItemKind::Special, 0),
            };
            let item = Item { size_bytes, ..Item::of_kind(ItemPath::from_bytes(path), kind) };
            if visit(item).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn read(&self, path: &ItemPath, max_bytes: u64) -> Result<Cow<'_, [u8]>, ReadError> {
        read_file(&self.full_path(path)?, max_bytes).map(Cow::Owned)
    }
}

/// Reads a plain file of at most `max_bytes`, without following a link.
pub(super) fn read_file(path: &Path, max_bytes: u64) -> Result<Vec<u8>, ReadError> {
    let found = fs::symlink_metadata(path)?;
    if !found.is_file() {
        return Err(ReadError::NotAFile);
    }
    if found.len() > max_bytes {
        return Err(ReadError::TooLarge { max_bytes, found: found.len() });
    }
    let mut bytes = Vec::with_capacity(found.len() as usize + 1);
    // The file may grow while it is read.
    File::open(path)?.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    match bytes.len() as u64 {
        found if found > max_bytes => Err(ReadError::TooLarge { max_bytes, found }),
        _ => Ok(bytes),
    }
}

/// The error of a place that cannot be opened.
pub(super) fn open_error(place: &Path, error: std::io::Error) -> SourceError {
    let place = crate::text::escaped(&place.to_string_lossy());
    match error.kind() {
        std::io::ErrorKind::NotFound => SourceError::NotFound { place },
        _ => SourceError::Unreadable { place, source: error },
    }
}

#[cfg(unix)]
pub(super) fn native_bytes(name: &std::ffi::OsStr) -> Vec<u8> {
    std::os::unix::ffi::OsStrExt::as_bytes(name).to_vec()
}

#[cfg(unix)]
pub(super) fn native_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes))
}

#[cfg(not(unix))]
pub(super) fn native_bytes(name: &std::ffi::OsStr) -> Vec<u8> {
    name.to_string_lossy().into_owned().into_bytes()
}

#[cfg(not(unix))]
pub(super) fn native_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}
