//! How handing in is going, on stderr: a bar for people, JSON lines for programs.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use luna_core::{Observer, text};
use serde_json::{Value, json};

use crate::progress::{self, When};

/// Time between two JSON lines about bytes.
const BETWEEN: Duration = Duration::from_millis(100);

/// Counts what was sent, and shows it as asked. Senders share it.
#[derive(Debug)]
pub struct Watch {
    when: When,
    shows: Shows,
    files: AtomicU64,
    bytes: AtomicU64,
    of_files: AtomicU64,
    of_bytes: AtomicU64,
}

#[derive(Debug)]
enum Shows {
    Bar(ProgressBar),
    Json(Mutex<Option<Instant>>),
    /// Sentences, and no progress.
    Sentences,
    Nothing,
}

impl Watch {
    /// Shows progress as asked, and says on stderr in sentences what else is to be known.
    pub fn new(when: When) -> Self {
        let shows = match when {
            When::Auto if io::stderr().is_terminal() => {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
                Shows::Bar(bar)
            }
            When::Auto | When::Never => Shows::Sentences,
            When::Json => Shows::Json(Mutex::default()),
        };
        Self::showing(when, shows)
    }

    /// Keeps stderr as it is.
    pub fn silent() -> Self {
        Self::showing(When::Never, Shows::Nothing)
    }

    fn showing(when: When, shows: Shows) -> Self {
        let zero = || AtomicU64::new(0);
        Self { when, shows, files: zero(), bytes: zero(), of_files: zero(), of_bytes: zero() }
    }

    /// Shows the look at the files in the same way.
    pub(super) fn observer(&self) -> Box<dyn Observer> {
        progress::observer(self.when)
    }

    /// A sentence for people, above the bar.
    pub fn say(&self, line: &str) {
        let write = || {
            // Nobody can be told if even that fails.
            let _ = writeln!(anstream::stderr(), "{line}");
        };
        match &self.shows {
            Shows::Bar(bar) => bar.suspend(write),
            Shows::Sentences => write(),
            Shows::Nothing => {}
            Shows::Json(_) => tell(&json!({ "event": "note", "message": line })),
        }
    }

    /// Sending begins.
    pub(super) fn begin(&self, files: u64, bytes: u64) {
        self.of_files.store(files, Ordering::Relaxed);
        self.of_bytes.store(bytes, Ordering::Relaxed);
        if let Shows::Bar(bar) = &self.shows {
            let template = "{wide_bar:.cyan} {msg}  {decimal_bytes_per_sec}  {eta} left";
            let style = ProgressStyle::with_template(template);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_length(bytes);
            bar.reset();
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        self.show(true);
    }

    /// So many bytes more are on their way.
    pub(super) fn sent(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.show(false);
    }

    /// So many bytes did not arrive after all.
    pub(super) fn lost(&self, bytes: u64) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Files are there in full, with bytes that were not counted yet.
    pub(super) fn arrived(&self, files: u64, uncounted: u64) {
        self.files.fetch_add(files, Ordering::Relaxed);
        self.bytes.fetch_add(uncounted, Ordering::Relaxed);
        self.show(false);
    }

    fn show(&self, now: bool) {
        let (files, of_files) =
            (self.files.load(Ordering::Relaxed), self.of_files.load(Ordering::Relaxed));
        let bytes = self.bytes.load(Ordering::Relaxed);
        match &self.shows {
            Shows::Bar(bar) => {
                bar.set_position(bytes);
                let (files, of_files) = (text::grouped(files), text::grouped(of_files));
                bar.set_message(format!("{files} of {of_files} files"));
            }
            Shows::Json(told) => {
                let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                let is_last = of_files > 0 && files == of_files;
                if now || is_last || told.is_none_or(|told| told.elapsed() > BETWEEN) {
                    *told = Some(Instant::now());
                    tell(&json!({
                        "event": "sent", "files": files, "of_files": of_files,
                        "bytes": bytes, "of_bytes": self.of_bytes.load(Ordering::Relaxed),
                    }));
                }
            }
            Shows::Sentences | Shows::Nothing => {}
        }
    }

    /// The service works, and this is how far it is.
    pub(super) fn waiting(&self, how: &str, done: u64, total: u64) {
        match &self.shows {
            Shows::Bar(bar) => {
                let style = ProgressStyle::with_template("{spinner:.cyan} {msg}  {elapsed}");
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
                bar.set_message(how.to_owned());
                bar.enable_steady_tick(Duration::from_millis(200));
            }
            Shows::Json(_) => tell(&json!({
                "event": "waiting", "message": how, "files": done, "of_files": total,
            })),
            Shows::Sentences | Shows::Nothing => {}
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Shows::Bar(bar) = &self.shows {
            bar.finish_and_clear();
        }
    }
}

fn tell(event: &Value) {
    // A watcher that went away must not stop the work.
    let _ = writeln!(io::stderr(), "{event}");
}
