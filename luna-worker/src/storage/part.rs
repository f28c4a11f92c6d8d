//! An object on its way into a folder, hashed as it comes, and durable once it is there.
//!
//! opendal renames into place too, but does not wait for the disk: who acknowledges an upload must.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use super::backend::PARTS;

/// Bytes that are hashed at once when a part goes on.
const BLOCK: usize = 1 << 20;

/// Bytes that wait beside the objects of a folder, and are never listed. Dropped, they stay, to go on with.
///
/// ```
/// use luna_worker::storage::{Part, Storage};
/// let folder = tempfile::tempdir()?;
/// let storage = Storage::open(&folder.path().to_string_lossy())?;
/// let objects = storage.folder().ok_or("no folder")?;
/// let mut part = Part::begin(objects, "7")?;
/// part.write(b"chXX")?;
/// // The line breaks, and two bytes of it had been promised.
/// let mut part = Part::resume(objects, "7", 2)?;
/// part.write(b"est")?;
/// assert!(part.finish()?.starts_with("7ca0d701"));
/// part.keep("uploads/7/a")?;
/// assert_eq!(std::fs::read(folder.path().join("uploads/7/a"))?, b"chest");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Part {
    folder: PathBuf,
    place: PathBuf,
    file: File,
    hash: Sha256,
}

impl Part {
    /// A part of nothing yet, in the folder of a [storage](super::Storage::folder). Names are the caller's own: no
    /// two writers may use one.
    ///
    /// # Errors
    /// If the folder cannot be written to.
    pub fn begin(folder: &Path, name: &str) -> io::Result<Self> {
        Self::resume(folder, name, 0)
    }

    /// Goes on with a part behind its first `offset` bytes; what follows them is given up.
    ///
    /// # Errors
    /// If it has not as many bytes, or cannot be read and written.
    pub fn resume(folder: &Path, name: &str, offset: u64) -> io::Result<Self> {
        let parts = folder.join(PARTS);
        fs::create_dir_all(&parts)?;
        let place = parts.join(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(offset == 0).truncate(offset == 0);
        let (mut file, mut hash) = (options.open(&place)?, Sha256::new());
        let mut left = offset;
        let mut block = vec![0; BLOCK.min(usize::try_from(offset).unwrap_or(BLOCK))];
        while left > 0 {
            let wanted = block.len().min(usize::try_from(left).unwrap_or(BLOCK));
            file.read_exact(&mut block[..wanted])?;
            hash.update(&block[..wanted]);
            left -= wanted as u64;
        }
        file.set_len(offset)?;
        file.seek(io::SeekFrom::Start(offset))?;
        Ok(Self { folder: folder.to_owned(), place, file, hash })
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// If the disk does not.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.file.write_all(bytes)
    }

    /// Waits until the bytes so far are on the disk.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_all()?;
        File::open(self.folder.join(PARTS))?.sync_all()
    }

    /// Waits until the bytes are on the disk; the SHA-256 of all of them, hexadecimal.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn finish(&mut self) -> io::Result<String> {
        self.file.sync_all()?;
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
        fs::rename(&self.place, &place)?;
        // Any of the folders between may be new.
        for folder in parent.ancestors().take_while(|it| it.starts_with(&self.folder)) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    /// Removes it.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn discard(self) -> io::Result<()> {
        fs::remove_file(&self.place)
    }

    /// Removes all parts that nobody has written to for so long.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn sweep(folder: &Path, age: Duration) -> io::Result<()> {
        let entries = match fs::read_dir(folder.join(PARTS)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let written = entry.metadata()?.modified()?;
            if SystemTime::now().duration_since(written).is_ok_and(|passed| passed > age) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}
