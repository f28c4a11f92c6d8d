//! Many files in a row: examined by several threads, given back in order, few of them held at a time.

use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use luna_core::{CancelToken, Validator, text};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyIterator, PyString, PyTuple};

use crate::error::LunaError;
use crate::given::Given;
use crate::interrupt::{HEARTBEAT, hear};

/// A record, or what kept its file from being read.
type Outcome = PyResult<luna_core::Record>;

/// A file on its way to a thread, and where its record is waited for.
type Job = (Given, Sender<Outcome>);

/// Sources of Python's, one after another, with their records.
pub(crate) struct Line {
    sources: Py<PyIterator>,
    bits_stored: Option<u8>,
    md5: bool,
    validator: Arc<Validator>,
    /// Threads that examine at the same time.
    threads: usize,
    /// Bytes that may wait in memory.
    most_bytes: u64,
    crew: Option<Crew>,
    waiting: VecDeque<Waiting>,
    /// Sources that were taken so far.
    taken: usize,
    ended: bool,
}

/// A source that was taken, and is still to be given back.
pub(crate) struct Waiting {
    /// Its name, if it came with one.
    pub(crate) name: Option<String>,
    /// The source itself.
    pub(crate) source: Option<Py<PyAny>>,
    held_bytes: u64,
    record: PyResult<Receiver<Outcome>>,
}

/// A source with its record.
pub(crate) struct Examined {
    pub(crate) name: Option<String>,
    pub(crate) source: Option<Py<PyAny>>,
    pub(crate) record: luna_core::Record,
}

impl Line {
    pub(crate) fn new(
        sources: &Bound<'_, PyIterator>,
        bits_stored: Option<u8>,
        md5: bool,
        validator: Arc<Validator>,
        (threads, most_bytes): (usize, u64),
    ) -> Self {
        let sources = sources.clone().unbind();
        let (crew, waiting, taken, ended) = (None, VecDeque::new(), 0, false);
        Self {
            sources,
            bits_stored,
            md5,
            validator,
            threads,
            most_bytes,
            crew,
            waiting,
            taken,
            ended,
        }
    }

    /// The next one, in the order of the sources; `None` after the last.
    pub(crate) fn next(
        &mut self,
        py: Python<'_>,
        look: &(dyn Fn(Python<'_>) -> PyResult<()> + Sync),
    ) -> PyResult<Option<Examined>> {
        self.fill(py)?;
        let Some(Waiting { name, source, record, .. }) = self.waiting.pop_front() else {
            return Ok(None);
        };
        let receiver = record?;
        let record = py.detach(move || {
            loop {
                match receiver.recv_timeout(HEARTBEAT) {
                    Ok(outcome) => return outcome,
                    Err(RecvTimeoutError::Timeout) => hear(look)?,
                    Err(RecvTimeoutError::Disconnected) => {
                        return Err(LunaError::new_err("a thread ended before its work was done"));
                    }
                }
            }
        })?;
        Ok(Some(Examined { name, source, record }))
    }

    /// Takes sources until the threads have enough to do.
    fn fill(&mut self, py: Python<'_>) -> PyResult<()> {
        let crew = match &mut self.crew {
            Some(crew) => crew,
            none => none.insert(Crew::start(&self.validator, self.threads, self.md5)?),
        };
        let held =
            |waiting: &VecDeque<Waiting>| waiting.iter().map(|it| it.held_bytes).sum::<u64>();
        while !self.ended
            && self.waiting.len() < 2 * self.threads + 1
            && (self.waiting.is_empty() || held(&self.waiting) < self.most_bytes)
        {
            match self.sources.bind(py).clone().next() {
                None => self.ended = true,
                Some(Err(error)) => {
                    self.ended = true;
                    let (name, source, held_bytes) = (None, None, 0);
                    self.waiting.push_back(Waiting {
                        name,
                        source,
                        held_bytes,
                        record: Err(error),
                    });
                }
                Some(Ok(item)) => {
                    self.taken += 1;
                    self.waiting.push_back(crew.take(&item, self.taken, self.bits_stored));
                }
            }
        }
        Ok(())
    }
}

/// Threads that examine what they are given until nobody gives any more.
struct Crew {
    jobs: Sender<Job>,
    cancel: CancelToken,
}

impl Crew {
    fn start(validator: &Arc<Validator>, threads: usize, md5: bool) -> PyResult<Self> {
        let (jobs, taken) = mpsc::channel::<Job>();
        let taken = Arc::new(Mutex::new(taken));
        let cancel = CancelToken::default();
        for number in 0..threads {
            let (taken, validator) = (Arc::clone(&taken), Arc::clone(validator));
            let cancel = cancel.clone();
            let work = move || {
                loop {
                    let job = taken.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok((given, done)) = job else { return };
                    if !cancel.is_cancelled() {
                        // Nobody waits any more if the iterator was dropped.
                        let _ = done.send(given.examine(&validator, md5));
                    }
                }
            };
            let thread = thread::Builder::new().name(format!("luna-{number}"));
            thread.spawn(work).map_err(|error| {
                LunaError::new_err(format!("threads: {threads} could not be started: {error}"))
            })?;
        }
        Ok(Self { jobs, cancel })
    }

    /// Hands a source on; what is no source is told when it is its turn.
    fn take(&self, item: &Bound<'_, PyAny>, number: usize, bits_stored: Option<u8>) -> Waiting {
        let (name, source) = named(item);
        let given = Given::of(&source, bits_stored)
            .map_err(|error| placed(item.py(), error, number, name.as_deref()));
        let held_bytes = given.as_ref().map_or(0, Given::held_bytes);
        let record = given.map(|given| {
            let (done, record) = mpsc::channel();
            // The threads live as long as this does.
            let _ = self.jobs.send((given, done));
            record
        });
        Waiting { name, source: Some(source.unbind()), held_bytes, record }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// An error about an argument says which of many it is.
fn placed(py: Python<'_>, error: PyErr, number: usize, name: Option<&str>) -> PyErr {
    let is_ours =
        error.is_instance_of::<PyTypeError>(py) || error.is_instance_of::<PyValueError>(py);
    let said = error.value(py).to_string();
    let Some(rest) = said.strip_prefix("source: ").filter(|_| is_ours) else { return error };
    let name = name.map(|name| format!(" ({})", text::escaped(name))).unwrap_or_default();
    PyErr::from_type(error.get_type(py), format!("source, item {number}{name}: {rest}"))
}

/// A pair of a name and a source, or a source with the name that it has by itself.
fn named<'py>(item: &Bound<'py, PyAny>) -> (Option<String>, Bound<'py, PyAny>) {
    if let Ok(pair) = item.cast::<PyTuple>()
        && let Ok((name, source)) = pair.extract::<(Bound<'py, PyString>, Bound<'py, PyAny>)>()
        && let Ok(name) = name.to_str()
    {
        return (Some(name.to_owned()), source);
    }
    (None, item.clone())
}

/// Records in the order of their sources.
///
/// Made by :meth:`Validator.examine_many`.
#[pyclass(frozen, module = "luna_py")]
pub(crate) struct Records {
    line: Mutex<Line>,
}

impl Records {
    pub(crate) fn new(line: Line) -> Self {
        Self { line: Mutex::new(line) }
    }
}

#[pymethods]
impl Records {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<crate::record::Record>> {
        let Ok(mut line) = self.line.try_lock() else {
            return Err(LunaError::new_err("another thread takes from these records already"));
        };
        let next = line.next(py, &|_| Ok(()))?;
        Ok(next.map(|it| crate::record::Record { record: it.record }))
    }
}
