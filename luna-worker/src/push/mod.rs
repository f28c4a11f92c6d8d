//! Handing a data set in to a service, and asking what became of it.
//!
//! Files of this machine go in: looked at, announced, sent file by file, completed, waited for. A verdict and a
//! report come out. Nothing is judged here but whether the files may be sent at all.
//!
//! ```no_run
//! use std::sync::Arc;
//! use luna_worker::push::{Credential, Parcel, Server, Watch};
//!
//! let key = Credential::ApiKey("a key of the team".to_owned());
//! let server = Server::new("https://luna.example.org", key, false)?;
//! let parcel = Parcel::of("scans".as_ref())?;
//! let pushed = server.push(parcel, &Arc::new(Watch::silent()))?;
//! println!("{:?}", server.report(pushed.dataset_id)?.verdict);
//! # Ok::<(), luna_worker::push::Error>(())
//! ```

mod address;
mod check;
mod client;
mod error;
mod files;
mod parcel;
mod send;
mod state;
mod tell;
// The service of these tests needs a web server.
#[cfg(all(test, feature = "service"))]
mod tests;
mod watch;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use luna_core::text;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use self::check::Objection;
pub use self::client::{Credential, Server, variable};
use self::error::Result;
pub use self::error::{Error, Refusal};
use self::files::{Local, LocalFile};
pub use self::parcel::{Parcel, Pushed};
use self::send::{Sender, Target, half_sent};
use self::state::{Memory, Unfinished};
pub use self::tell::Status;
pub use self::watch::Watch;

/// Files that are announced in one call.
const A_CALL: usize = 1_000;

/// What a data set is handed in as.
#[derive(Clone, Debug, Serialize)]
struct Intent {
    dataset_name: String,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    team_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remove: Vec<String>,
}

/// A data set on its way.
#[derive(Debug)]
struct Push<'a> {
    server: &'a Server,
    watch: &'a Arc<Watch>,
    local: &'a Local,
    intent: &'a Intent,
    /// Files that are sent at the same time.
    jobs: usize,
    memory: Option<Memory>,
}

#[derive(Debug, Deserialize)]
struct Announced {
    dataset_id: i64,
    upload_urls: Vec<Target>,
}

/// An upload that goes on.
struct Begun {
    dataset_id: i64,
    /// Bytes of half-sent files.
    held: BTreeMap<String, u64>,
}

/// Where a data set is.
enum Standing {
    Complete(i64),
    Begun(Begun),
    New,
}

impl<'a> Push<'a> {
    fn new(
        server: &'a Server,
        watch: &'a Arc<Watch>,
        local: &'a Local,
        intent: &'a Intent,
        jobs: usize,
        place: &Path,
    ) -> Self {
        let memory = Memory::of(&server.shown(), place);
        Self { server, watch, local, intent, jobs, memory }
    }

    /// Forgets an earlier upload of this place that was not finished.
    fn forget(&self) {
        if let Some(memory) = &self.memory {
            memory.forget();
        }
    }

    /// Sends what the service does not have, and completes the data set; its number comes back. Goes on with
    /// an earlier upload of the same place, if there is one.
    fn send(&self) -> Result<i64> {
        let (dataset_id, held) = match self.standing()? {
            Standing::Complete(dataset_id) => return Ok(dataset_id),
            Standing::Begun(begun) => (Some(begun.dataset_id), begun.held),
            Standing::New => (None, BTreeMap::new()),
        };
        self.watch.begin(self.local.files.len() as u64, self.local.bytes());
        let mut calls = self.local.files.chunks(A_CALL);
        let (dataset_id, first) = if let Some(dataset_id) = dataset_id {
            (dataset_id, None)
        } else {
            let files = calls.next().unwrap_or_default();
            let Announced { dataset_id, upload_urls } = self.start(files)?;
            (dataset_id, Some((files, upload_urls)))
        };
        self.remember(dataset_id)?;
        let announced = first.map(Ok).into_iter().chain(calls.map(|files| {
            let Announced { upload_urls, .. } = self.announce(dataset_id, files)?;
            Ok((files, upload_urls))
        }));
        self.transfer(dataset_id, announced, &held)?;
        let _: Value =
            self.server.post("/api/v1/upload/complete", &json!({ "dataset_id": dataset_id }))?;
        Ok(dataset_id)
    }

    /// What the service has of an earlier upload of this place.
    fn standing(&self) -> Result<Standing> {
        let Some(begun) = self.memory.as_ref().and_then(Memory::read) else {
            return Ok(Standing::New);
        };
        let id = begun.dataset_id;
        let anew = |why: &str| {
            self.watch.say(&format!("{why}; this is a new upload"));
            Ok(Standing::New)
        };
        if begun.intent != self.as_sent()? {
            return anew("an earlier upload was begun with other options");
        }
        let held = match half_sent(self.server, id) {
            Ok(held) => held,
            Err(error) if error.refusal().is_some_and(|it| it.status == 404) => {
                return anew("the service does not keep the earlier upload any more");
            }
            Err(error) => return Err(error),
        };
        if held.is_complete && begun.is_of(self.local) {
            self.watch.say(&format!("data set {id} was sent before; waiting for its verdict"));
            return Ok(Standing::Complete(id));
        }
        if held.is_complete {
            return anew(&format!("data set {id} was sent before, and files changed since"));
        }
        if !begun.is_part_of(self.local) {
            return anew("files that were announced earlier are not here any more");
        }
        let (received, files) = (text::grouped(held.received), self.local.files.len() as u64);
        let files = text::counted(files, "file");
        self.watch
            .say(&format!("going on with data set {id}: {received} of {files} arrived before"));
        Ok(Standing::Begun(Begun { dataset_id: id, held: held.files }))
    }

    fn as_sent(&self) -> Result<Value> {
        serde_json::to_value(self.intent).map_err(|error| Error::Unfit(error.to_string()))
    }

    fn start(&self, files: &[LocalFile]) -> Result<Announced> {
        let mut body = match self.as_sent()? {
            Value::Object(body) => body,
            _ => Map::new(),
        };
        body.insert("files".to_owned(), listed(files));
        let mut random = [0; 16];
        // Without random numbers a lost answer may leave an empty data set behind, and no more.
        let _ = getrandom::fill(&mut random);
        self.server.post_once("/api/v1/upload/start", &body, &hex::encode(random))
    }

    fn announce(&self, dataset_id: i64, files: &[LocalFile]) -> Result<Announced> {
        let path = format!("/api/v1/upload/{dataset_id}/files");
        self.server.post(&path, &json!({ "files": listed(files) }))
    }

    fn remember(&self, dataset_id: i64) -> Result<()> {
        let Some(memory) = &self.memory else { return Ok(()) };
        if let Err(error) = memory.write(&Unfinished::new(dataset_id, self.as_sent()?, self.local))
        {
            let what = format!("note: if this breaks off it has to begin anew: {error}");
            self.watch.say(&what);
        }
        Ok(())
    }

    /// Announces on this thread, sends on others.
    fn transfer<'f>(
        &self,
        dataset_id: i64,
        announced: impl Iterator<Item = Result<(&'f [LocalFile], Vec<Target>)>>,
        held: &BTreeMap<String, u64>,
    ) -> Result<()> {
        let sender = Sender { server: self.server, dataset_id, watch: self.watch };
        let failure = Failed::default();
        // Few wait: an address is good for an hour.
        let (queue, waiting) = sync_channel::<(&LocalFile, Target)>(A_CALL);
        let waiting = Mutex::new(waiting);
        std::thread::scope(|scope| {
            for _ in 0..self.jobs {
                scope.spawn(|| {
                    while let Some((file, target)) = next(&waiting) {
                        // The queue is emptied all the same, or the announcing thread would wait for ever.
                        if !failure.is_set() {
                            let held = held.get(&file.path).copied().unwrap_or_default();
                            failure.note(sender.send(file, target, held));
                        }
                    }
                });
            }
            for call in announced {
                let queued = call.and_then(|(files, targets)| self.queue(files, targets, &queue));
                failure.note(queued);
                if failure.is_set() {
                    break;
                }
            }
            drop(queue);
        });
        failure.into_result()
    }

    /// Hands on what is to be sent; the rest is there already.
    fn queue<'f>(
        &self,
        files: &'f [LocalFile],
        targets: Vec<Target>,
        queue: &std::sync::mpsc::SyncSender<(&'f LocalFile, Target)>,
    ) -> Result<()> {
        let mut missing: BTreeMap<&str, &LocalFile> =
            files.iter().map(|file| (&*file.path, file)).collect();
        for target in targets {
            let unknown = || self.server.strange("it asks for a file that was not announced");
            let file = missing.remove(&*target.filename).ok_or_else(unknown)?;
            if queue.send((file, target)).is_err() {
                return Err(Error::Interrupted);
            }
        }
        let bytes = missing.values().map(|file| file.size_bytes).sum();
        self.watch.arrived(missing.len() as u64, bytes);
        Ok(())
    }
}

fn listed(files: &[LocalFile]) -> Value {
    let file = |file: &LocalFile| {
        json!({
            // The whole path: by it the answer names the file.
            "filename": file.path,
            "path": file.path,
            "content_type": file.content_type(),
            "size_bytes": file.size_bytes,
            "sha256": file.sha256,
        })
    };
    files.iter().map(file).collect()
}

fn next<T>(waiting: &Mutex<Receiver<T>>) -> Option<T> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// The first thing that went wrong.
#[derive(Default)]
struct Failed {
    is_set: AtomicBool,
    error: Mutex<Option<Error>>,
}

impl Failed {
    fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Relaxed)
    }

    fn note(&self, result: Result<()>) {
        if let Err(error) = result {
            self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            self.is_set.store(true, Ordering::Relaxed);
        }
    }

    fn into_result(self) -> Result<()> {
        self.error.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }
}
