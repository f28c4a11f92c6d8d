//! A data set of the catalogue as a source: its files by the names that the team gave them, or the names
//! inside the one archive that it is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use luna_core::conclude::Entry;
use luna_core::source::{Archive, Item, ItemPath, ReadError, Reading, Visit, read_ahead};
use luna_core::{Source, SourceError, Validator, text};

use super::Shared;
use super::shard::Shard;
use super::trouble::Trouble;
use crate::catalogue::{Catalogue, File};
use crate::storage::{Bridge, Error, ObjectBytes, Storage, Stored};

/// Rows that are read at once.
const PAGE: u32 = 1_000;
/// Files that are read at the same time.
const READERS: usize = 16;

/// A data set, or the files of one shard.
#[derive(Debug)]
pub(super) struct Dataset {
    files: Arc<StoredFiles>,
    archive: Option<Archive>,
}

impl Dataset {
    /// All that arrived of a data set.
    pub(super) async fn open(
        shared: &Shared,
        id: i64,
        validator: &Arc<Validator>,
    ) -> Result<Self, Trouble> {
        let files = received(&shared.catalogue, id, None, None).await?;
        Self::of(&shared.storage, files, validator).await
    }

    /// What a shard needs of it.
    pub(super) async fn open_shard(
        shared: &Shared,
        id: i64,
        shard: &Shard,
        validator: &Arc<Validator>,
    ) -> Result<Self, Trouble> {
        match shard {
            Shard::Members { .. } => Self::open(shared, id, validator).await,
            Shard::Files { after, last, .. } => {
                let catalogue = &shared.catalogue;
                let files = received(catalogue, id, after.as_deref(), Some(last)).await?;
                let files = Arc::new(StoredFiles::new(shared.storage.clone(), files)?);
                Ok(Self { files, archive: None })
            }
        }
    }

    async fn of(
        storage: &Storage,
        files: Vec<File>,
        validator: &Arc<Validator>,
    ) -> Result<Self, Trouble> {
        let single = match files.as_slice() {
            [only] => match storage.stat(&only.object_key).await {
                Ok(object) => Some(object),
                Err(Error::NotFound { .. }) => {
                    return Err(Lost::Vanished { path: only.path.as_str().into() }.into());
                }
                Err(error) => return Err(error.into()),
            },
            _ => None,
        };
        let files = Arc::new(StoredFiles::new(storage.clone(), files)?);
        let archive = match single {
            None => None,
            Some(object) => {
                let (storage, validator) = (storage.clone(), Arc::clone(validator));
                super::blocking(move || {
                    let bytes = ObjectBytes::new(storage, object, Bridge::own()?);
                    let limits = validator.settings().limits();
                    Archive::from_remote(bytes, limits).map_err(Trouble::from)
                })
                .await?
            }
        };
        Ok(Self { files, archive })
    }

    pub(super) fn source(&self) -> &dyn Source {
        match &self.archive {
            Some(archive) => archive,
            None => &*self.files,
        }
    }

    pub(super) fn is_archive(&self) -> bool {
        self.archive.is_some()
    }

    /// True if a part of it takes as long to read as all.
    pub(super) fn is_stream(&self) -> bool {
        self.archive.as_ref().is_some_and(Archive::is_stream)
    }

    /// Everything in it, in byte order of the paths.
    pub(super) fn items(&self) -> Result<Vec<Item>, Trouble> {
        Ok(self.source().items()?)
    }

    /// What is in a shard of it.
    pub(super) fn items_of(&self, shard: &Shard) -> Result<Vec<Item>, Trouble> {
        let mut items = self.items()?;
        if let Shard::Members { begin, end, .. } = shard {
            items.truncate(*end);
            items.drain(..(*begin).min(items.len()));
        }
        Ok(items)
    }

    /// Fails if something could not be had that is no defect of the data set.
    pub(super) fn is_sound(&self) -> Result<(), Trouble> {
        match self.files.lost.get() {
            Some(lost) => Err(Trouble::from(lost.clone())),
            None => Ok(()),
        }
    }

    /// Fails if a file is not what arrived: a byte turned in the storage.
    pub(super) fn is_as_received(&self, entry: &Entry) -> Result<(), Trouble> {
        let (None, Some(found)) = (&self.archive, &entry.record.facts.sha256) else {
            return Ok(());
        };
        let file = self.files.by_path.get(&entry.item.path);
        match file.and_then(|file| file.sha256.as_ref()) {
            Some(received) if *received != found.to_string() => {
                Err(Trouble::from(Lost::Changed { path: entry.item.path.clone() }))
            }
            _ => Ok(()),
        }
    }
}

/// What arrived of a data set behind `after` up to `last`.
async fn received(
    catalogue: &Catalogue,
    dataset_id: i64,
    after: Option<&str>,
    last: Option<&str>,
) -> Result<Vec<File>, Trouble> {
    let mut received = Vec::new();
    let mut after = after.map(str::to_owned);
    loop {
        let page = catalogue.files(dataset_id, after.as_deref(), PAGE).await?;
        let Some(end) = page.last() else { return Ok(received) };
        after = Some(end.path.clone());
        for file in page {
            if last.is_some_and(|last| file.path.as_str() > last) {
                return Ok(received);
            }
            if file.received_at.is_some() {
                received.push(file);
            }
        }
    }
}

/// Why a data set could not be read, where that is none of its own defects.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error(transparent)]
    Storage(#[from] Error),
    #[error(
        "the stored copy of {} is gone: upload the data set again, and tell the organisers",
        text::escaped(path.as_str())
    )]
    Vanished { path: ItemPath },
    #[error(
        "the stored copy of {} is no longer what was uploaded (its SHA-256 differs): upload the data \
         set again, and tell the organisers",
        text::escaped(path.as_str())
    )]
    Changed { path: ItemPath },
}

impl From<Lost> for Trouble {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Storage(error) => error.into(),
            lost => Self::lasting(lost.to_string()),
        }
    }
}

/// Objects under the names of a data set's files.
#[derive(Debug)]
struct StoredFiles {
    storage: Storage,
    bridge: Bridge,
    by_path: BTreeMap<ItemPath, File>,
    /// What ended the reading; nothing is asked of the storage any more then.
    lost: OnceLock<Lost>,
}

impl StoredFiles {
    fn new(storage: Storage, files: Vec<File>) -> Result<Self, Trouble> {
        let by_path = files.into_iter().map(|file| (file.path.as_str().into(), file)).collect();
        Ok(Self { storage, bridge: Bridge::own()?, by_path, lost: OnceLock::new() })
    }

    fn lose(&self, lost: Lost) -> ReadError {
        let lost = self.lost.get_or_init(|| lost).clone();
        ReadError::SourceLost(SourceError::Storage(Box::new(lost)))
    }
}

impl Source for StoredFiles {
    fn list(&self, visit: &mut dyn FnMut(Item) -> ControlFlow<()>) -> Result<(), SourceError> {
        for (path, file) in &self.by_path {
            if visit(Item::file(path.clone(), file.size_bytes)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn read(&self, path: &ItemPath, max_bytes: u64) -> Result<Cow<'_, [u8]>, ReadError> {
        let file = self.by_path.get(path).ok_or(ReadError::NotAFile)?;
        if let Some(lost) = self.lost.get() {
            return Err(self.lose(lost.clone()));
        }
        let storage = self.storage.clone();
        let (key, size_bytes) = (file.object_key.clone(), file.size_bytes);
        let announced = Stored { key, size_bytes, version: None };
        let read = self.bridge.run(async move {
            storage.read_as_listed(&announced.key, max_bytes, Some(&announced)).await
        });
        #[cfg(debug_assertions)]
        if let Ok(bytes) = &read {
            die_of(bytes);
        }
        read.map(Cow::Owned).map_err(|error| match error {
            Error::TooLarge { max_bytes, found, .. } => ReadError::TooLarge { max_bytes, found },
            Error::NotFound { .. } => self.lose(Lost::Vanished { path: path.clone() }),
            Error::Changed { .. } => self.lose(Lost::Changed { path: path.clone() }),
            error => self.lose(error.into()),
        })
    }

    fn each(&self, items: &[Item], reading: &Reading<'_>, visit: &Visit<'_>) {
        read_ahead(self, items, reading, visit, READERS);
    }
}

/// For tests of builds with debug assertions: some file takes the whole process down.
#[cfg(debug_assertions)]
fn die_of(bytes: &[u8]) {
    use sha2::Digest as _;
    if let Ok(deadly) = std::env::var("LUNA_TEST_ABORT_ON_SHA256")
        && hex::encode(sha2::Sha256::digest(bytes)) == deadly
    {
        std::process::abort();
    }
}
