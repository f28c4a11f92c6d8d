//! Handing a data set in to a service: announced, sent file by file, completed, waited for.
//!
//! Files of this machine go in, a verdict comes out. Nothing is judged here; whether a data set may be sent at
//! all is the command's business.

mod client;
mod error;
mod files;
mod send;
mod state;
// The service of these tests needs a web server.
#[cfg(all(test, feature = "service"))]
mod tests;
mod watch;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use luna_core::text;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub(crate) use self::client::{Credential, Server};
pub(crate) use self::error::Error;
use self::error::Result;
pub(crate) use self::files::{Local, LocalFile, WithoutDebris};
use self::send::{Sender, Target, half_sent};
use self::state::{Memory, Unfinished};
pub(crate) use self::watch::Watch;

/// Files that are announced in one call.
const A_CALL: usize = 1_000;
/// Time between two looks at a validation, at first and at last.
const LOOKS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));

/// What a data set is handed in as.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Intent {
    pub(crate) dataset_name: String,
    pub(crate) description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) team_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replaces: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) remove: Vec<String>,
}

/// A data set on its way.
#[derive(Debug)]
pub(crate) struct Push<'a> {
    pub(crate) server: &'a Server,
    pub(crate) watch: &'a Arc<Watch>,
    pub(crate) local: &'a Local,
    pub(crate) intent: &'a Intent,
    /// Files that are sent at the same time.
    pub(crate) jobs: usize,
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
    pub(crate) fn new(
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
    pub(crate) fn forget(&self) {
        if let Some(memory) = &self.memory {
            memory.forget();
        }
    }

    /// Sends what the service does not have, and completes the data set; its number comes back. Goes on with
    /// an earlier upload of the same place, if there is one.
    pub(crate) fn send(&self) -> Result<i64> {
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
        serde_json::to_value(self.intent).map_err(|error| Error::Usage(error.to_string()))
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

    /// Waits until the validation has ended.
    pub(crate) fn wait(&self, dataset_id: i64) -> Result<Status> {
        let path = format!("/api/v1/validation/{dataset_id}/status");
        let (mut pause, longest) = LOOKS;
        loop {
            let status: Status = self.server.get(&path)?;
            if !matches!(status.status.as_str(), "pending" | "processing") {
                return Ok(status);
            }
            let Progress { done, total } = status.progress;
            self.watch.waiting(&status.stage(), done, total);
            self.server.wait(pause)?;
            pause = pause.mul_f64(1.25).min(longest);
        }
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

/// How a validation stands.
#[derive(Debug, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the service's names")]
pub(crate) struct Status {
    pub(crate) status: String,
    pub(crate) verdict: Option<String>,
    pub(crate) error_message: Option<String>,
    pub(crate) validation_results: Option<Value>,
    #[serde(default)]
    progress: Progress,
    #[serde(default)]
    queue: Queue,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Progress {
    done: u64,
    total: u64,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Queue {
    position: Option<u64>,
    files_ahead: Option<u64>,
    workers_alive: Option<u64>,
}

impl Status {
    /// In words.
    fn stage(&self) -> String {
        let Queue { position, files_ahead, workers_alive } = self.queue;
        let Progress { done, total } = self.progress;
        let (done, of) = (text::grouped(done), text::counted(total, "file"));
        if self.status == "processing" {
            return format!("validating: {done} of {of}");
        }
        let mut stage = "waiting to be validated".to_owned();
        if let Some(position @ 1..) = position {
            let _ = write!(stage, ", number {} in the queue", text::grouped(position));
        }
        if let Some(ahead @ 1..) = files_ahead {
            let _ = write!(stage, ", {} ahead", text::counted(ahead, "file"));
        }
        if workers_alive == Some(0) {
            stage.push_str("; no worker is up at the moment");
        }
        stage
    }
}
