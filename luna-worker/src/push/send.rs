//! One file on its way: streamed from the disk, going on where a broken line stopped, with a fresh address when
//! the first one is not good any more.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Take};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use luna_core::{CancelToken, text};
use reqwest::blocking::Body;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::client::{Put, Server};
use super::error::{Error, Result};
use super::files::LocalFile;
use super::tell::page_after;
use super::watch::Watch;

/// Below this many bytes a file is sent anew rather than asked after.
const WORTH_ASKING: u64 = 8 << 20;

/// Where the service wants a file.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Target {
    file_id: i64,
    /// As announced: the path inside the data set.
    pub(super) filename: String,
    #[serde(default)]
    upload_url: Option<String>,
    #[serde(default = "put")]
    method: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Instead of the URL, for large files on an object storage.
    #[serde(default)]
    parts: Vec<Part>,
}

fn put() -> String {
    "PUT".to_owned()
}

#[derive(Clone, Debug, Deserialize)]
struct Part {
    number: u32,
    offset: u64,
    size_bytes: u64,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Fresh {
    upload_urls: Vec<Target>,
}

/// A part that the storage has.
#[derive(Debug, Serialize)]
struct Tagged {
    number: u32,
    etag: String,
}

/// Sends files of one data set.
#[derive(Debug)]
pub(super) struct Sender<'a> {
    pub(super) server: &'a Server,
    pub(super) dataset_id: i64,
    pub(super) watch: &'a Arc<Watch>,
}

/// A stretch of a file.
#[derive(Clone, Copy)]
struct Stretch {
    from: u64,
    length: u64,
}

impl Sender<'_> {
    /// Sends a file, of which the service has the first `held` bytes.
    pub(super) fn send(&self, file: &LocalFile, target: Target, held: u64) -> Result<()> {
        if target.parts.is_empty() {
            self.send_whole(file, target, held)?;
        } else {
            self.send_parts(file, target)?;
        }
        self.watch.arrived(1, 0);
        Ok(())
    }

    fn send_whole(&self, file: &LocalFile, mut target: Target, mut held: u64) -> Result<()> {
        self.watch.sent(held);
        let mut number = 0;
        loop {
            number += 1;
            self.server.go_on()?;
            let stretch = Stretch { from: held, length: file.size_bytes.saturating_sub(held) };
            let range = (held > 0).then(|| {
                let (last, size) = (file.size_bytes.saturating_sub(1), file.size_bytes);
                format!("bytes {held}-{last}/{size}")
            });
            let url = target.upload_url.as_deref().unwrap_or_default();
            let sent = self.put(file, stretch, url, &target.method, &target.headers, range);
            let Err(error) = sent else { return Ok(()) };
            match error.refusal().map(|refusal| refusal.status) {
                Some(403) if number < 3 => target = self.fresh(file, target.file_id)?,
                // It goes on somewhere else than was thought.
                Some(409 | 416) if held > 0 && number < 3 => {}
                _ => self.server.pause_after(number, Self::explained(file, error))?,
            }
            self.watch.lost(held);
            held = self.held(file)?;
            self.watch.sent(held);
        }
    }

    fn send_parts(&self, file: &LocalFile, mut target: Target) -> Result<()> {
        let mut tags = Vec::new();
        let count = target.parts.len();
        for at in 0..count {
            let mut number = 0;
            tags.push(loop {
                number += 1;
                self.server.go_on()?;
                let lacking = || self.server.strange("fewer parts than before");
                let part = target.parts.get(at).ok_or_else(lacking)?;
                let stretch = Stretch { from: part.offset, length: part.size_bytes };
                match self.put(file, stretch, &part.url, "PUT", &part.headers, None) {
                    Ok(Some(etag)) => break Tagged { number: part.number, etag },
                    Ok(None) => return Err(self.server.strange("a part without a tag")),
                    Err(error)
                        if number < 3 && error.refusal().is_some_and(|it| it.status == 403) =>
                    {
                        target = self.fresh(file, target.file_id)?;
                    }
                    Err(error) => self.server.pause_after(number, Self::explained(file, error))?,
                }
            });
        }
        let path = format!("/api/v1/upload/{}/files/{}/parts", self.dataset_id, target.file_id);
        let _: Value = self.server.post(&path, &json!({ "parts": tags }))?;
        Ok(())
    }

    /// Puts a stretch; what did not arrive is not counted.
    fn put(
        &self,
        file: &LocalFile,
        stretch: Stretch,
        url: &str,
        method: &str,
        headers: &BTreeMap<String, String>,
        range: Option<String>,
    ) -> Result<Option<String>> {
        let counted = Arc::new(AtomicU64::new(0));
        let opened =
            opened(file, stretch.from).map_err(|error| Error::unread(&file.path, error))?;
        let reader = Counted {
            file: opened.take(stretch.length),
            watch: Arc::clone(self.watch),
            read: Arc::clone(&counted),
            cancel: self.server.cancel().clone(),
        };
        let body = Body::sized(reader, stretch.length);
        let put = Put { url, method, headers, range, body, length: stretch.length };
        let sent = self.server.put(put);
        if sent.is_err() {
            self.watch.lost(counted.load(Ordering::Relaxed));
        }
        sent
    }

    fn fresh(&self, file: &LocalFile, file_id: i64) -> Result<Target> {
        let path = format!("/api/v1/upload/{}/urls", self.dataset_id);
        let fresh: Fresh = self.server.post(&path, &json!({ "file_ids": [file_id] }))?;
        let target = fresh.upload_urls.into_iter().find(|target| target.file_id == file_id);
        let what = || format!("no address for {}", text::shown(&file.path));
        target.ok_or_else(|| self.server.strange(&what()))
    }

    /// How many bytes of it the service has.
    fn held(&self, file: &LocalFile) -> Result<u64> {
        if file.size_bytes < WORTH_ASKING {
            return Ok(0);
        }
        let held = half_sent(self.server, self.dataset_id)?;
        Ok(held.files.get(&file.path).copied().filter(|held| *held < file.size_bytes).unwrap_or(0))
    }

    /// A file that is not what it was is the reason, whatever came of it.
    fn explained(file: &LocalFile, error: Error) -> Error {
        let code = error.refusal().map(|refusal| refusal.problem.code.as_str());
        if matches!(code, Some("other-checksum" | "other-size")) || file.has_changed() {
            return Error::Changed { path: text::escaped(&file.path) };
        }
        error
    }
}

/// What the service has of an upload.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) is_complete: bool,
    /// Files that are there in full.
    pub(super) received: u64,
    /// Bytes of files that are there in part.
    pub(super) files: BTreeMap<String, u64>,
}

#[derive(Debug, Deserialize)]
struct Upload {
    #[serde(default)]
    state: String,
    received: u64,
    #[serde(default)]
    files: Page,
}

#[derive(Debug, Default, Deserialize)]
struct Page {
    #[serde(default)]
    items: Vec<Half>,
    #[serde(default)]
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Half {
    path: String,
    received_bytes: u64,
}

/// Asks what the service has of an upload.
pub(super) fn half_sent(server: &Server, dataset_id: i64) -> Result<Held> {
    let mut held = Held::default();
    let mut query = page_after(None);
    loop {
        let upload: Upload = server.get(&format!("/api/v1/upload/{dataset_id}?{query}"))?;
        held.is_complete = upload.state.starts_with("complete");
        held.received = upload.received;
        let begun = upload.files.items.into_iter().filter(|half| half.received_bytes > 0);
        held.files.extend(begun.map(|half| (half.path, half.received_bytes)));
        match upload.files.next_cursor {
            Some(next) => query = page_after(Some(&next)),
            None => return Ok(held),
        }
    }
}

fn opened(file: &LocalFile, from: u64) -> io::Result<File> {
    let mut opened = File::open(&file.place)?;
    opened.seek(SeekFrom::Start(from))?;
    Ok(opened)
}

/// A stretch of a file that counts what is read of it, and ends when the work is stopped.
struct Counted {
    file: Take<File>,
    watch: Arc<Watch>,
    read: Arc<AtomicU64>,
    cancel: CancelToken,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.cancel.is_cancelled() {
            return Err(io::Error::other("interrupted"));
        }
        let read = self.file.read(into)?;
        self.watch.sent(read as u64);
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
