//! An object on its way into a folder, hashed as it comes, and durable once it is there.
//!
//! opendal renames into place too, but does not wait for the disk: who acknowledges an upload must.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::backend::PARTS;

/// Bytes that wait beside the objects of a folder, and are never listed; gone if it is dropped.
///
/// ```
/// use luna_worker::storage::{Part, Storage};
/// let folder = tempfile::tempdir()?;
/// let storage = Storage::open(&folder.path().to_string_lossy())?;
/// let mut part = Part::begin(storage.folder().ok_or("no folder")?)?;
/// part.write(b"chest")?;
/// assert!(part.finish()?.starts_with("7ca0d701"));
/// part.keep("uploads/7/a")?;
/// assert_eq!(std::fs::read(folder.path().join("uploads/7/a"))?, b"chest");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Part {
    folder: PathBuf,
    file: NamedTempFile,
    hash: Sha256,
}

impl Part {
    /// A part of nothing yet, in the folder of a [storage](super::Storage::folder).
    ///
    /// # Errors
    /// If the folder cannot be written to.
    pub fn begin(folder: &Path) -> io::Result<Self> {
        let parts = folder.join(PARTS);
        fs::create_dir_all(&parts)?;
        let file = NamedTempFile::new_in(parts)?;
        Ok(Self { folder: folder.to_owned(), file, hash: Sha256::new() })
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// If the disk does not.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.file.write_all(bytes)
    }

    /// Waits until the bytes are on the disk; the SHA-256 of all of them, hexadecimal.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn finish(&mut self) -> io::Result<String> {
        self.file.as_file().sync_all()?;
        Ok(hex::encode(self.hash.finalize_reset()))
    }

    /// Makes it the object with this key, in place of one that may be there; name and folders are on the
    /// disk then.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn keep(self, key: &str) -> io::Result<()> {
        let place = self.folder.join(key);
        let parent = place.parent().ok_or(io::ErrorKind::InvalidInput)?;
        fs::create_dir_all(parent)?;
        self.file.persist(&place)?;
        // Any of the folders between may be new.
        for folder in parent.ancestors().take_while(|it| it.starts_with(&self.folder)) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}
