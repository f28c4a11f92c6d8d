//! What is handed in: the files of a folder of this machine, or an archive as the one file that it is.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use luna_core::source::{Folder, Item, ItemKind, ItemPath, ReadError, Reading, Visit};
use luna_core::{CancelToken, Source, SourceError};
use sha2::{Digest as _, Sha256};

use super::error::{Error, Result};

/// Bytes that are hashed at once.
const BLOCK: usize = 1 << 20;

/// A file to hand in.
#[derive(Clone, Debug)]
pub(super) struct LocalFile {
    /// Path inside the data set.
    pub(super) path: String,
    /// Where it lies.
    pub(super) place: PathBuf,
    pub(super) size_bytes: u64,
    /// SHA-256, hexadecimal; empty until known.
    pub(super) sha256: String,
}

/// All that is handed in, in byte order of the paths.
#[derive(Debug, Default)]
pub(super) struct Local {
    pub(super) files: Vec<LocalFile>,
    /// Hidden files and debris, which stay here.
    pub(super) debris: u64,
    /// Links, devices and folders that cannot be listed, which stay here too.
    pub(super) unopened: u64,
    /// True if the files are those of a folder.
    pub(super) is_folder: bool,
}

impl Local {
    /// The files below a folder, or the file itself.
    pub(super) fn list(place: &Path) -> Result<Self, SourceError> {
        if !place.is_dir() {
            let name = place.file_name().unwrap_or(place.as_os_str());
            let path = ItemPath::from_bytes(name.as_encoded_bytes().to_vec());
            let size_bytes = fs::metadata(place).map_or(0, |data| data.len());
            let file = LocalFile::new(&path, place.to_owned(), size_bytes);
            return Ok(Self { files: vec![file], ..Self::default() });
        }
        let mut local = Self { is_folder: true, ..Self::default() };
        for item in Folder::new(place).items()? {
            match item.kind {
                _ if item.path.is_debris() => local.debris += 1,
                ItemKind::File => {
                    let inside = place.join(native(item.path.as_bytes()));
                    local.files.push(LocalFile::new(&item.path, inside, item.size_bytes));
                }
                _ => local.unopened += 1,
            }
        }
        Ok(local)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }

    /// Takes over what is known already.
    pub(super) fn know(&mut self, known: &BTreeMap<String, String>) {
        for file in &mut self.files {
            if let Some(sha256) = known.get(&file.path) {
                file.sha256.clone_from(sha256);
            }
        }
    }

    /// Hashes what is not known yet, on all cores; nothing is held but a block a core.
    pub(super) fn hash(&mut self, cancel: &CancelToken) -> Result<()> {
        let unknown: Vec<&mut LocalFile> =
            self.files.iter_mut().filter(|file| file.sha256.is_empty()).collect();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let slots: Vec<Mutex<&mut LocalFile>> = unknown.into_iter().map(Mutex::new).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            let mut block = vec![0; BLOCK];
            while let Some(slot) = slots.get(next.fetch_add(1, Ordering::Relaxed)) {
                let mut file = slot.lock().unwrap_or_else(PoisonError::into_inner);
                file.sha256 = hash(&file, &mut block, cancel)?;
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            threads
                .into_iter()
                .try_for_each(|thread| thread.join().unwrap_or(Err(Error::Interrupted)))
        })
    }

    /// SHA-256 over paths and contents: the same as long as nothing changed.
    pub(super) fn fingerprint(&self) -> String {
        let mut hasher = Sha256::new();
        for file in &self.files {
            hasher.update(file.path.as_bytes());
            hasher.update([0]);
            hasher.update(file.sha256.as_bytes());
        }
        hex::encode(hasher.finalize())
    }
}

impl LocalFile {
    fn new(path: &ItemPath, place: PathBuf, size_bytes: u64) -> Self {
        Self { path: path.as_str().to_owned(), place, size_bytes, sha256: String::new() }
    }

    /// The media type that its ending promises; what it really is, the service finds out.
    pub(super) fn content_type(&self) -> &'static str {
        match ItemPath::from(&*self.path).extension().as_str() {
            "dcm" | "dicom" | "dic" => "application/dicom",
            "png" => "image/png",
            "jpg" | "jpeg" => "image/jpeg",
            "jp2" => "image/jp2",
            "tif" | "tiff" => "image/tiff",
            "bmp" => "image/bmp",
            "csv" => "text/csv",
            "tsv" => "text/tab-separated-values",
            "json" => "application/json",
            "txt" | "md" => "text/plain",
            "zip" => "application/zip",
            "tar" => "application/x-tar",
            "gz" | "tgz" => "application/gzip",
            "zst" => "application/zstd",
            _ => "application/octet-stream",
        }
    }

    /// True if it has another size than when it was listed, or is gone.
    pub(super) fn has_changed(&self) -> bool {
        fs::metadata(&self.place).map_or(true, |data| data.len() != self.size_bytes)
    }
}

fn hash(file: &LocalFile, block: &mut [u8], cancel: &CancelToken) -> Result<String> {
    let unread = |error| Error::unread(&file.path, error);
    // What grows while it is read must not be read for ever.
    let mut opened = File::open(&file.place).map_err(unread)?.take(file.size_bytes);
    let mut hasher = Sha256::new();
    loop {
        if cancel.is_cancelled() {
            return Err(Error::Interrupted);
        }
        match opened.read(block).map_err(unread)? {
            0 => return Ok(hex::encode(hasher.finalize())),
            read => hasher.update(block.get(..read).unwrap_or_default()),
        }
    }
}

#[cfg(unix)]
fn native(bytes: &[u8]) -> PathBuf {
    PathBuf::from(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes))
}

#[cfg(not(unix))]
fn native(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

/// A source without what stays here.
pub(super) struct WithoutDebris<'a>(pub(super) &'a dyn Source);

impl Source for WithoutDebris<'_> {
    fn list(&self, visit: &mut dyn FnMut(Item) -> ControlFlow<()>) -> Result<(), SourceError> {
        self.0.list(&mut |item| {
            let stays = item.path.is_debris() || item.kind != ItemKind::File;
            if stays { ControlFlow::Continue(()) } else { visit(item) }
        })
    }

    fn read(
        &self,
        path: &ItemPath,
        max_bytes: u64,
    ) -> Result<std::borrow::Cow<'_, [u8]>, ReadError> {
        self.0.read(path, max_bytes)
    }

    fn each(&self, items: &[Item], reading: &Reading<'_>, visit: &Visit<'_>) {
        self.0.each(items, reading, visit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_handed_in_without_debris_and_links() {
        let root = tempfile::tempdir().unwrap();
        for (path, contents) in
            [("a/1.dcm", "one"), (".git/config", "x"), ("a/Thumbs.db", "x"), ("b.zip", "two")]
        {
            let place = root.path().join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, contents).unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("1.dcm", root.path().join("a/link.dcm")).unwrap();
        let mut local = Local::list(root.path()).unwrap();
        assert_eq!((local.debris, local.unopened, local.bytes()), (2, u64::from(cfg!(unix)), 6));

        local.know(&BTreeMap::from([("b.zip".to_owned(), "known".to_owned())]));
        local.hash(&CancelToken::default()).unwrap();
        let told: Vec<(&str, &str, &str)> =
            local.files.iter().map(|it| (&*it.path, it.content_type(), &*it.sha256)).collect();
        let one = hex::encode(Sha256::digest("one"));
        assert_eq!(
            told,
            [("a/1.dcm", "application/dicom", &*one), ("b.zip", "application/zip", "known")]
        );
        let (before, file) = (local.fingerprint(), &mut local.files[0]);
        file.sha256 = "other".to_owned();
        assert_ne!(local.fingerprint(), before);
    }

    #[test]
    fn a_file_that_grew_or_went_has_changed() {
        let root = tempfile::tempdir().unwrap();
        let place = root.path().join("set.zip");
        fs::write(&place, "12").unwrap();
        let local = Local::list(&place).unwrap();
        assert_eq!((local.files[0].path.as_str(), local.is_folder), ("set.zip", false));
        assert!(!local.files[0].has_changed());
        fs::write(&place, "123").unwrap();
        assert!(local.files[0].has_changed());
        fs::remove_file(&place).unwrap();
        assert!(local.files[0].has_changed());
    }
}
