//! A storage as a data set: keys become paths, objects become files, and threads may wait for them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::ops::ControlFlow;
use std::sync::{Mutex, OnceLock, PoisonError};

use luna_core::source::{Defect, Item, ItemPath, ReadError, Reading, Visit, read_ahead};
use luna_core::{Source, SourceError};

use super::error::{Error, Result};
use super::{Bridge, Storage, Stored, is_plain};

/// Objects that are taken over from the runtime at once.
const PAGE: usize = 1_000;

/// Objects that are read at the same time. An answer takes 20 to 100 ms wherever it comes from, and a
/// picture about as long to examine: this keeps a dozen threads busy.
const READERS: usize = 32;

/// What is listed.
#[derive(Clone, Debug)]
enum Extent {
    /// Everything below the storage's prefix.
    All,
    /// One object.
    One(String),
    /// Those objects of these names that are there.
    Named(Vec<String>),
}

/// A storage, or some objects of it, as a [`Source`].
///
/// Works from any thread but those that drive the runtime of its [`Bridge`]; many objects are read at
/// the same time, however few threads examine them. An object that has vanished or changed since it was
/// listed cannot be read, and the run goes on; a storage that is out of reach as a whole ends the run.
///
/// ```
/// use luna_core::Source;
/// use luna_worker::storage::{Bridge, Storage, StoredSource};
/// let storage = Storage::open("memory://example-of-a-source")?;
/// let source = StoredSource::new(storage, Bridge::own()?);
/// assert!(source.items()?.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct StoredSource {
    storage: Storage,
    bridge: Bridge,
    extent: Extent,
    seen: Mutex<Seen>,
    /// Why the storage is lost; nothing is asked of it any more then.
    lost: OnceLock<Error>,
}

/// Size and version of what was listed, by a hash of its path: a million objects take some 100 MB less
/// so than with their paths.
#[derive(Debug, Default)]
struct Seen {
    hasher: RandomState,
    objects: HashMap<u64, (u64, Option<Box<str>>)>,
}

impl StoredSource {
    /// All objects of a storage.
    pub fn new(storage: Storage, bridge: Bridge) -> Self {
        Self::of(storage, bridge, Extent::All)
    }

    /// A single object.
    pub fn single(storage: Storage, bridge: Bridge, key: impl Into<String>) -> Self {
        Self::of(storage, bridge, Extent::One(key.into()))
    }

    /// Objects of these names, where a storage lists none by itself. Names that stand for nothing are
    /// passed over.
    pub fn named(storage: Storage, bridge: Bridge, keys: Vec<String>) -> Self {
        Self::of(storage, bridge, Extent::Named(keys))
    }

    fn of(storage: Storage, bridge: Bridge, extent: Extent) -> Self {
        Self { storage, bridge, extent, seen: Mutex::default(), lost: OnceLock::new() }
    }

    /// Where it stands.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Calls `visit` for each object.
    fn objects(&self, visit: &mut dyn FnMut(Stored) -> ControlFlow<()>) -> Result<()> {
        match &self.extent {
            Extent::All => self.all(visit),
            Extent::One(key) => {
                let found = self.stat(std::slice::from_ref(key))?.into_iter().next();
                let found = found.ok_or_else(|| self.not_found(key))?;
                let _ = visit(found);
                Ok(())
            }
            Extent::Named(keys) => {
                for keys in keys.chunks(PAGE) {
                    for found in self.stat(keys)? {
                        if visit(found).is_break() {
                            return Ok(());
                        }
                    }
                }
                Ok(())
            }
        }
    }

    fn all(&self, visit: &mut dyn FnMut(Stored) -> ControlFlow<()>) -> Result<()> {
        let storage = self.storage.clone();
        let mut listing = self.bridge.run(async move { storage.list().await })?;
        let mut is_empty = true;
        loop {
            let page;
            (listing, page) = self.bridge.run(async move {
                let page = listing.next_page(PAGE).await?;
                Ok((listing, page))
            })?;
            if page.is_empty() {
                break;
            }
            is_empty = false;
            for stored in page {
                if visit(stored).is_break() {
                    return Ok(());
                }
            }
        }
        // Folders are made of their objects: without any there is no such folder.
        if is_empty && !self.storage.prefix.is_empty() { Err(self.not_found("")) } else { Ok(()) }
    }

    /// Looks at these objects, at several at the same time; leaves out what is not there.
    fn stat(&self, keys: &[String]) -> Result<Vec<Stored>> {
        use futures_util::{StreamExt as _, TryStreamExt as _};
        let (storage, keys) = (self.storage.clone(), keys.to_vec());
        self.bridge.run(async move {
            let looks = keys.into_iter().map(|key| {
                let storage = storage.clone();
                async move {
                    match storage.stat(&key).await {
                        Ok(found) => Ok(Some(found)),
                        Err(Error::NotFound { .. }) => Ok(None),
                        Err(error) => Err(error),
                    }
                }
            });
            let found = futures_util::stream::iter(looks).buffered(READERS);
            found.try_filter_map(|found| async move { Ok(found) }).try_collect().await
        })
    }

    fn not_found(&self, key: &str) -> Error {
        Error::NotFound { place: self.storage.shown(key) }
    }

    /// What an object is to the engine.
    fn item(&self, stored: Stored) -> Item {
        let mut path = stored.key;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let hash = seen.hasher.hash_one(path.as_str());
        match seen.objects.entry(hash) {
            Entry::Vacant(vacant) => {
                let version = stored.version.map(String::into_boxed_str);
                vacant.insert((stored.size_bytes, version));
            }
            // A key with a `/` at its front, which is lost on the way, beside one without. The second
            // of them is named as it is, and never opened.
            Entry::Occupied(_) => path.insert(0, '/'),
        }
        drop(seen);
        let is_openable = is_plain(&path);
        let mut item = Item::file(path, stored.size_bytes);
        if !is_openable {
            let reason = "Its key has an empty part, `.` or `..`, or ends in a space, so no folder can \
                          hold it under this name; it was not opened";
            item.defects.push(Defect::Ambiguous { reason: reason.to_owned() });
        }
        item
    }

    /// What is known of it from the listing.
    fn listed(&self, path: &str) -> Option<Stored> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (size_bytes, version) = seen.objects.get(&seen.hasher.hash_one(path))?;
        let version = version.as_deref().map(str::to_owned);
        Some(Stored { key: path.to_owned(), size_bytes: *size_bytes, version })
    }

    /// What an error means for the run.
    fn read_error(&self, error: Error) -> ReadError {
        match error {
            Error::TooLarge { max_bytes, found, .. } => ReadError::TooLarge { max_bytes, found },
            error if error.is_about_one() => ReadError::Io(error.into_io()),
            error @ Error::Denied { .. } => match self.probe() {
                // The rest is still given: this one has permissions of its own.
                Ok(()) => ReadError::Io(error.into_io()),
                Err(_) => self.lose(error),
            },
            error => self.lose(error),
        }
    }

    /// Asks for something that was given before.
    fn probe(&self) -> Result<()> {
        let Extent::All = self.extent else { return Err(self.not_found("")) };
        let storage = self.storage.clone();
        self.bridge.run(async move { storage.list().await?.next().await.map(|_| ()) })
    }

    fn lose(&self, error: Error) -> ReadError {
        let error = self.lost.get_or_init(|| error).clone();
        ReadError::SourceLost(source_error(error))
    }
}

impl Source for StoredSource {
    fn list(
        &self,
        visit: &mut dyn FnMut(Item) -> ControlFlow<()>,
    ) -> std::result::Result<(), SourceError> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).objects.clear();
        self.objects(&mut |stored| visit(self.item(stored))).map_err(source_error)
    }

    fn read(
        &self,
        path: &ItemPath,
        max_bytes: u64,
    ) -> std::result::Result<Cow<'_, [u8]>, ReadError> {
        if let Some(error) = self.lost.get() {
            return Err(ReadError::SourceLost(source_error(error.clone())));
        }
        let is_other = matches!(&self.extent, Extent::One(key) if key != path.as_str());
        if is_other || !path.is_utf8() || !is_plain(path.as_str()) {
            return Err(ReadError::NotAFile);
        }
        let (storage, key) = (self.storage.clone(), path.as_str().to_owned());
        let listed = self.listed(&key);
        let read = self
            .bridge
            .run(async move { storage.read_as_listed(&key, max_bytes, listed.as_ref()).await });
        read.map(Cow::Owned).map_err(|error| self.read_error(error))
    }

    fn each(&self, items: &[Item], reading: &Reading<'_>, visit: &Visit<'_>) {
        read_ahead(self, items, reading, visit, READERS);
    }
}

/// For the engine: the storage's own words.
pub(super) fn source_error(error: Error) -> SourceError {
    SourceError::Storage(Box::new(error))
}

/// The same inside an error of input and output, which tells the engine that everything is lost.
pub(super) fn lost(error: Error) -> io::Error {
    io::Error::other(source_error(error))
}
