//! Storages: objects in buckets, containers, folders, or on web servers, named by URI.
//!
//! An [`Address`] goes in; a [`Storage`] gives, takes, deletes and lists objects, and what it cannot do
//! it says in the words of [`Error`]. For the engine's threads, [`StoredSource`] is a data set, and
//! [`ObjectBytes`] the bytes of an archive. opendal, which speaks to the servers, is seen nowhere
//! outside this module.

mod address;
mod backend;
mod bridge;
#[cfg(feature = "service")]
mod credentials;
mod error;
mod meter;
mod object;
#[cfg(feature = "service")]
mod part;
mod ranges;
#[cfg(feature = "service")]
mod signed;
mod source;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use opendal::options::ReaderOptions;
use opendal::{ErrorKind, Operator};

pub use self::address::{Address, AddressError, KINDS, Kind, Scheme, help};
pub use self::bridge::Bridge;
pub use self::error::{Error, Result};
pub use self::meter::{Operation, failed, failures};
pub(crate) use self::object::BlockingWriter;
pub use self::object::{Listing, ObjectWriter, Stored};
#[cfg(feature = "service")]
pub use self::part::Part;
pub use self::ranges::ObjectBytes;
#[cfg(feature = "service")]
pub use self::signed::{Signer, base64_of, origin};
pub use self::source::StoredSource;

/// A bucket, container or folder, or what lies below a prefix of it. Cheap to clone.
///
/// Needs a tokio runtime around it, as everything asynchronous does.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use luna_worker::storage::Storage;
/// let storage = Storage::open("memory://example/reports")?;
/// storage.write("1.json", b"{}".to_vec()).await?;
/// assert_eq!(storage.read("1.json", 1_000).await?, b"{}");
/// assert!(storage.read("2.json", 1_000).await.is_err());
/// # Ok::<(), luna_worker::storage::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Storage {
    operator: Operator,
    /// Where it stands.
    address: Arc<Address>,
    /// What stands before every key; empty, or ending in `/`.
    prefix: Arc<str>,
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Storage({})", self.address)
    }
}

impl Storage {
    /// The storage at a URI, or the folder at a path of this machine, which is made if it is not there.
    /// Nothing else is looked at.
    ///
    /// # Errors
    /// If the URI cannot be used.
    pub fn open(uri: &str) -> Result<Self> {
        match Address::parse(uri) {
            Some(address) => Self::at(&address?),
            None => Self::at(&Address::of_folder(uri)),
        }
    }

    /// The storage at an address; see [`open`](Self::open).
    ///
    /// # Errors
    /// If the address cannot be used.
    pub fn at(address: &Address) -> Result<Self> {
        let operator = backend::operator(address)?;
        let prefix = match address.scheme() {
            // The folder is the operator's own root.
            Scheme::Local => "",
            _ => address.path().trim_end_matches('/'),
        };
        let slash = if prefix.is_empty() { "" } else { "/" };
        let prefix = format!("{prefix}{slash}").into();
        Ok(Self { operator, address: Arc::new(address.clone()), prefix })
    }

    /// The folder of this machine that it is, if it is one.
    pub fn folder(&self) -> Option<&Path> {
        (self.address.scheme() == Scheme::Local).then(|| Path::new(self.address.path()))
    }

    /// The same storage below another path of its bucket; connections are shared.
    #[must_use]
    pub fn moved_to(&self, path: &str) -> Self {
        let path = path.trim_end_matches('/');
        let slash = if path.is_empty() { "" } else { "/" };
        let prefix = format!("{path}{slash}").into();
        Self { address: Arc::new(self.address.at(path)), prefix, ..self.clone() }
    }

    /// What of it lies below a folder; connections are shared.
    #[must_use]
    pub fn below(&self, folder: &str) -> Self {
        self.moved_to(&format!("{}{folder}", self.prefix))
    }

    /// Where it stands.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// An object as messages name it.
    pub fn shown(&self, key: &str) -> String {
        error::shown(&self.address, key)
    }

    /// Looks at an object.
    ///
    /// # Errors
    /// If it is not there, or the storage does not say.
    pub async fn stat(&self, key: &str) -> Result<Stored> {
        let looked = async {
            let found =
                self.operator.stat(&self.full(key)?).await.map_err(|e| self.error(&e, key))?;
            if found.is_dir() {
                return Err(Error::NotFound { place: self.shown(key) });
            }
            Ok(Stored::new(key.to_owned(), &found))
        };
        meter::watched(Operation::Stat, self, key, looked).await
    }

    /// Reads an object whole, if it has at most `max_bytes`.
    ///
    /// # Errors
    /// If it is larger, not there, or cannot be read.
    pub async fn read(&self, key: &str, max_bytes: u64) -> Result<Vec<u8>> {
        self.read_as_listed(key, max_bytes, None).await
    }

    /// The same for an object that was listed: another one in its place is an error.
    ///
    /// # Errors
    /// Also if it has changed, as far as this storage can tell.
    pub async fn read_as_listed(
        &self,
        key: &str,
        max_bytes: u64,
        listed: Option<&Stored>,
    ) -> Result<Vec<u8>> {
        let read = self.read_whole(key, max_bytes, listed);
        meter::watched(Operation::Read, self, key, read).await
    }

    async fn read_whole(
        &self,
        key: &str,
        max_bytes: u64,
        listed: Option<&Stored>,
    ) -> Result<Vec<u8>> {
        let too_large = |found| Error::TooLarge { place: self.shown(key), max_bytes, found };
        let (full, error) = (self.full(key)?, |error| self.error(&error, key));
        // A file of this machine is read into a buffer of 2 MiB that is cleared first, and once more to see
        // that nothing follows, unless a range says how much is wanted: one byte more would show.
        let bounded = listed.is_some() && self.address.scheme() == Scheme::Local;
        let size = listed.map_or(0, |listed| listed.size_bytes);
        if size > max_bytes {
            return Err(too_large(size));
        }
        let options = self.reader_options(listed.and_then(|listed| listed.version.as_deref()));
        let reader = self.operator.reader_options(&full, options).await.map_err(error)?;
        let parts = if bounded {
            reader.into_stream(0..size.saturating_add(1)).await
        } else {
            reader.into_stream(..).await
        };
        let mut parts = parts.map_err(error)?;
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        loop {
            let part = match parts.try_next().await {
                Ok(Some(part)) => part,
                Ok(None) => break,
                // The byte that should not be there is not.
                Err(end) if bounded && end.kind() == ErrorKind::RangeNotSatisfied => break,
                Err(end) => return Err(error(end)),
            };
            for chunk in part {
                bytes.extend_from_slice(&chunk);
            }
            if bytes.len() as u64 > max_bytes {
                return Err(too_large(bytes.len() as u64));
            }
        }
        if listed.is_some() && bytes.len() as u64 != size {
            return Err(Error::Changed { place: self.shown(key) });
        }
        Ok(bytes)
    }

    /// Reads `count` bytes of an object from `offset` on, all of which must be there; of the listed
    /// version, where one is named.
    ///
    /// # Errors
    /// If it is shorter, has changed, is not there, or cannot be read.
    pub async fn read_range(
        &self,
        key: &str,
        offset: u64,
        count: u64,
        version: Option<&str>,
    ) -> Result<Vec<u8>> {
        let read = async {
            let error = |error| self.error(&error, key);
            let options = self.reader_options(version);
            let reader =
                self.operator.reader_options(&self.full(key)?, options).await.map_err(error)?;
            let range = offset..offset.saturating_add(count);
            let mut parts = reader.into_stream(range).await.map_err(error)?;
            let mut bytes = Vec::with_capacity(usize::try_from(count).unwrap_or_default());
            while let Some(part) = parts.try_next().await.map_err(error)? {
                for chunk in part {
                    bytes.extend_from_slice(&chunk);
                }
                // A server that knows no ranges sends everything from the beginning.
                if bytes.len() as u64 > count {
                    if offset > 0 {
                        let what = "this server does not give parts of files; \
                                    copy the archive to a folder";
                        return Err(Error::Unsupported { place: self.shown(key), what });
                    }
                    bytes.truncate(usize::try_from(count).unwrap_or_default());
                    break;
                }
            }
            if (bytes.len() as u64) < count {
                return Err(Error::Changed { place: self.shown(key) });
            }
            Ok(bytes)
        };
        meter::watched(Operation::Read, self, key, read).await
    }

    /// Writes an object whole, in place of one that may be there.
    ///
    /// # Errors
    /// If it cannot be written; then an older one is still there.
    pub async fn write(&self, key: &str, bytes: Vec<u8>) -> Result<()> {
        let written = async {
            let written = self.operator.write(&self.full(key)?, bytes).await;
            written.map(|_| ()).map_err(|error| self.error(&error, key))
        };
        meter::watched(Operation::Write, self, key, written).await
    }

    /// Writes an object piece by piece. It is there once it is [closed](ObjectWriter::close), whole, or
    /// never.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn writer(&self, key: &str) -> Result<ObjectWriter> {
        ObjectWriter::begin(self, key).await
    }

    /// Deletes an object; one that is not there is no error.
    ///
    /// # Errors
    /// If the storage refuses.
    pub async fn delete(&self, key: &str) -> Result<()> {
        let deleted = async {
            let deleted = self.operator.delete(&self.full(key)?).await;
            deleted.map_err(|error| self.error(&error, key))
        };
        meter::watched(Operation::Delete, self, key, deleted).await
    }

    /// Lists all objects below, page by page, in whatever order is the storage's own.
    ///
    /// # Errors
    /// If this storage lists nothing.
    pub async fn list(&self) -> Result<Listing> {
        meter::watched(Operation::List, self, "", Listing::begin(self)).await
    }

    /// Refuses what no object can ever be written to.
    pub(crate) fn check_writable(&self) -> Result<()> {
        if self.operator.info().capability().write {
            return Ok(());
        }
        let what = "a web server takes no files; name a folder or an object storage";
        Err(Error::Unsupported { place: self.shown(""), what })
    }

    fn reader_options(&self, version: Option<&str>) -> ReaderOptions {
        let knows = self.operator.info().capability().read_with_if_match;
        let if_match = version.filter(|_| knows).map(str::to_owned);
        ReaderOptions { if_match, ..ReaderOptions::default() }
    }

    /// The key of the bucket; refuses what opendal or a web client would take for another name.
    fn full(&self, key: &str) -> Result<String> {
        let full = format!("{}{key}", self.prefix);
        if is_plain(&full) {
            return Ok(full);
        }
        let what =
            "this name is never opened: it has an empty part, `.` or `..`, or ends in a space";
        Err(Error::Unsupported { place: self.shown(key), what })
    }

    fn error(&self, error: &opendal::Error, key: &str) -> Error {
        Error::of(error, &self.address, key)
    }
}

/// True if a key reaches the storage as it is: libraries on the way drop empty parts, resolve `.` and
/// `..`, and trim spaces, and so would open another object.
pub(crate) fn is_plain(key: &str) -> bool {
    key.trim() == key && key.split('/').all(|part| !matches!(part, "" | "." | ".."))
}
