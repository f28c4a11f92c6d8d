//! How a run is going, on stderr: a bar for people, JSON lines for programs.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use luna_core::{Finding, Observer, text};
use serde_json::{Value, json};

/// Whether and how progress is shown.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum When {
    /// A bar, if stderr is a terminal
    #[default]
    Auto,
    /// Nothing
    Never,
    /// A JSON object a line
    Json,
}

/// The observer that these choices ask for.
pub fn observer(when: When) -> Box<dyn Observer> {
    match when {
        When::Auto if io::stderr().is_terminal() => Box::new(Bar::new()),
        When::Auto | When::Never => Box::new(luna_core::Unobserved),
        When::Json => Box::new(JsonLines::default()),
    }
}

/// Files, bytes and time left, in one line that goes away when the work is done.
struct Bar {
    bar: ProgressBar,
    files: Arc<Files>,
}

#[derive(Default)]
struct Files {
    done: AtomicU64,
    total: AtomicU64,
}

impl Bar {
    fn new() -> Self {
        let files = Arc::new(Files::default());
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(ProgressStyle::default_spinner());
        bar.set_message("listing files");
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, files }
    }

    fn style(&self) -> ProgressStyle {
        let counts = Arc::clone(&self.files);
        let rates = Arc::clone(&self.files);
        ProgressStyle::with_template(
            "{wide_bar:.cyan} {counts}  {decimal_bytes_per_sec}  {rate}  {eta} left",
        )
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("counts", move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
            let done = text::grouped(counts.done.load(Ordering::Relaxed));
            let total = text::grouped(counts.total.load(Ordering::Relaxed));
            let _ = write!(out, "{done} of {total} files");
        })
        .with_key("rate", move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let done = rates.done.load(Ordering::Relaxed) as f64;
            let _ = write!(out, "{:.0} files/s", done / state.elapsed().as_secs_f64().max(0.001));
        })
    }
}

impl Observer for Bar {
    fn listed(&self, files: u64, bytes: u64) {
        self.files.total.store(files, Ordering::Relaxed);
        self.bar.set_length(bytes);
        self.bar.set_style(self.style());
        self.bar.reset();
    }

    fn examined(&self, _path: &str, bytes: u64, _findings: &[Finding]) {
        self.files.done.fetch_add(1, Ordering::Relaxed);
        self.bar.inc(bytes);
    }

    fn concluding(&self) {
        self.bar.finish_and_clear();
    }
}

/// `{"event": "listed" | "examined" | "concluding", …}`; `examined` at most ten times a second.
#[derive(Default)]
struct JsonLines {
    state: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    files: u64,
    bytes: u64,
    total_files: u64,
    total_bytes: u64,
    told: Option<Instant>,
}

impl JsonLines {
    fn tell(event: &Value) {
        // A watcher that went away must not stop the work.
        let _ = writeln!(io::stderr(), "{event}");
    }
}

impl Counted {
    fn event(&self) -> Value {
        json!({
            "event": "examined",
            "files": self.files, "of_files": self.total_files,
            "bytes": self.bytes, "of_bytes": self.total_bytes,
        })
    }
}

impl Observer for JsonLines {
    fn listed(&self, files: u64, bytes: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.total_files, state.total_bytes) = (files, bytes);
        Self::tell(&json!({ "event": "listed", "files": files, "bytes": bytes }));
    }

    fn examined(&self, _path: &str, bytes: u64, _findings: &[Finding]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.files += 1;
        state.bytes += bytes;
        let is_last = state.files == state.total_files;
        let is_time = state.told.is_none_or(|told| told.elapsed() > Duration::from_millis(100));
        if is_last || is_time {
            state.told = Some(Instant::now());
            Self::tell(&state.event());
        }
    }

    fn concluding(&self) {
        Self::tell(&json!({ "event": "concluding" }));
    }
}
