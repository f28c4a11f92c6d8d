//! Objects: what is known of one, many of them in pages, and one on its way out.

use std::fmt;
use std::io::{self, Write};

use futures_util::TryStreamExt as _;
use opendal::Lister;
use opendal::options::ListOptions;

use super::backend::PARTS;
use super::error::Result;
use super::meter::{Operation, count};
use super::{Bridge, Error, Storage};

/// Bytes that are sent at once, and held until then. With 10,000 parts, the most that S3 takes, an
/// object may have 80 GB.
const PART: usize = 8 << 20;

/// What is known of an object before it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its key below the storage's prefix.
    pub key: String,
    /// Its size.
    pub size_bytes: u64,
    /// What changes with its bytes (an entity tag), where the storage keeps such a thing.
    pub version: Option<String>,
}

impl Stored {
    pub(super) fn new(key: String, found: &opendal::Metadata) -> Self {
        let version = found.etag().map(str::to_owned);
        Self { key, size_bytes: found.content_length(), version }
    }
}

/// Objects as they are listed.
pub struct Listing {
    storage: Storage,
    lister: Lister,
    /// The path of its root, which keys are below of.
    root: String,
}

impl fmt::Debug for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listing").field(&self.storage).finish()
    }
}

impl Listing {
    pub(super) async fn begin(storage: &Storage) -> Result<Self> {
        if !storage.operator.info().capability().list {
            let what = "a web server lists nothing; name a file, an archive, or a folder with a manifest in it";
            return Err(Error::Unsupported { place: storage.shown(""), what });
        }
        let root = storage.prefix.to_string();
        let options = ListOptions { recursive: true, ..ListOptions::default() };
        let lister = storage.operator.lister_options(&root, options).await;
        let lister = lister.map_err(|error| storage.error(&error, ""))?;
        Ok(Self { storage: storage.clone(), lister, root })
    }

    /// The next object; `None` at the end. What stands for a folder is passed over.
    ///
    /// # Errors
    /// If the storage does not go on.
    pub async fn next(&mut self) -> Result<Option<Stored>> {
        let is_folder = self.storage.address.scheme() == super::Scheme::Local;
        loop {
            let next = self.lister.try_next().await;
            let next = next.map_err(|e| count(Operation::List, self.storage.error(&e, "")))?;
            let Some(entry) = next else { return Ok(None) };
            let (path, found) = entry.into_parts();
            let Some(key) = path.strip_prefix(&self.root) else { continue };
            if found.is_dir() || key.is_empty() || (is_folder && key.starts_with(PARTS)) {
                continue;
            }
            return Ok(Some(Stored::new(key.to_owned(), &found)));
        }
    }

    /// Up to `most` of the next objects; none at the end.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn next_page(&mut self, most: usize) -> Result<Vec<Stored>> {
        let mut page = Vec::new();
        while page.len() < most
            && let Some(stored) = self.next().await?
        {
            page.push(stored);
        }
        Ok(page)
    }
}

/// An object on its way to the storage.
pub struct ObjectWriter {
    storage: Storage,
    key: String,
    writer: opendal::Writer,
}

impl fmt::Debug for ObjectWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectWriter({})", self.storage.shown(&self.key))
    }
}

impl ObjectWriter {
    pub(super) async fn begin(storage: &Storage, key: &str) -> Result<Self> {
        let begun = async {
            let options = opendal::options::WriteOptions {
                chunk: Some(PART),
                ..opendal::options::WriteOptions::default()
            };
            let writer = storage.operator.writer_options(&storage.full(key)?, options).await;
            writer.map_err(|error| storage.error(&error, key))
        };
        let writer = begun.await.map_err(|error| count(Operation::Write, error))?;
        Ok(Self { storage: storage.clone(), key: key.to_owned(), writer })
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// If they cannot be sent; nothing is there then.
    pub async fn write(&mut self, bytes: Vec<u8>) -> Result<()> {
        let written = self.writer.write(bytes).await;
        written.map_err(|e| count(Operation::Write, self.storage.error(&e, &self.key)))
    }

    /// Makes it an object, in place of one that may be there.
    ///
    /// # Errors
    /// If it cannot be sent; an older one is still there then.
    pub async fn close(mut self) -> Result<()> {
        let closed = self.writer.close().await;
        closed.map(|_| ()).map_err(|e| count(Operation::Write, self.storage.error(&e, &self.key)))
    }

    /// Takes back what was sent.
    ///
    /// # Errors
    /// If the storage refuses: parts of it may lie there until they are cleaned up.
    pub async fn abort(mut self) -> Result<()> {
        let aborted = self.writer.abort().await;
        aborted.map_err(|e| count(Operation::Write, self.storage.error(&e, &self.key)))
    }
}

/// An [`ObjectWriter`] for code that writes and waits.
#[derive(Debug)]
pub(crate) struct BlockingWriter {
    bridge: Bridge,
    /// `None` once it has failed.
    writer: Option<ObjectWriter>,
    buffer: Vec<u8>,
}

impl BlockingWriter {
    pub(crate) fn begin(bridge: &Bridge, storage: &Storage, key: &str) -> Result<Self> {
        let (storage, key) = (storage.clone(), key.to_owned());
        let writer = bridge.run(async move { storage.writer(&key).await })?;
        Ok(Self { bridge: bridge.clone(), writer: Some(writer), buffer: Vec::new() })
    }

    /// Sends what is left, and makes it an object.
    pub(crate) fn close(mut self) -> io::Result<()> {
        self.send()?;
        let Some(writer) = self.writer.take() else { return Ok(()) };
        self.bridge.run(writer.close()).map_err(Error::into_io)
    }

    /// Takes back what was sent, as far as that is possible.
    pub(crate) fn abort(mut self) {
        if let Some(writer) = self.writer.take() {
            let _ = self.bridge.run(writer.abort());
        }
    }

    fn send(&mut self) -> io::Result<()> {
        let bytes = std::mem::take(&mut self.buffer);
        if bytes.is_empty() {
            return Ok(());
        }
        let Some(mut writer) = self.writer.take() else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let sent = self.bridge.run(async move {
            match writer.write(bytes).await {
                Ok(()) => Ok(writer),
                Err(error) => {
                    let _ = writer.abort().await;
                    Err(error)
                }
            }
        });
        self.writer = Some(sent.map_err(Error::into_io)?);
        Ok(())
    }
}

impl Write for BlockingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PART {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
