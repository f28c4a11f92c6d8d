//! Figures of this process for Prometheus. A figure is declared once, with name, labels and meaning: those of
//! validation here, those of a service where it counts them. Every series exists from the start, at zero.

use std::sync::OnceLock;
use std::time::Duration;

use luna_core::rules::Registry;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::catalogue;
use crate::storage::{Operation, failures};

/// What a figure does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Does {
    /// Counts up.
    Count,
    /// Stands at a value.
    Stand,
    /// Sorts seconds into buckets with these upper bounds.
    Sort(&'static [f64]),
}

/// A figure.
///
/// ```
/// use luna_worker::metrics::Metric;
/// static OPENED: Metric = Metric::count("letters_opened_total", "Letters that were opened, by country.")
///     .by(&["country"], &[&["is"], &["no"]]);
/// OPENED.add(&["no"], 1);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name, which dashboards and alerts use.
    pub name: &'static str,
    /// What it tells.
    pub help: &'static str,
    does: Does,
    labels: &'static [&'static str],
    /// Values of the labels for each series that exists from the start.
    series: &'static [&'static [&'static str]],
}

/// Seconds: from a handful of pictures to a night's work.
const BUCKETS: &[f64] = &[0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0];

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident = $metric:expr;)*) => {
        $($(#[$doc])* pub static $name: Metric = $metric;)*
        /// The figures of validation, and of what lies behind it.
        pub static METRICS: &[&Metric] = &[$(&$name),*];
    };
}

metrics! {
    /// Pictures.
    IMAGES = Metric::count(
        "validation_images_total",
        "Images examined, by verdict: fail if one has a finding that is an error.",
    ).by(&["verdict"], &[&["pass"], &["fail"]]);
    /// Findings, of every rule that there is.
    FINDINGS = Metric::count("validation_findings_total", "Findings in reports, by rule.")
        .by(&["rule"], &[]);
    /// Speed.
    SPEED = Metric::stand(
        "validation_images_per_second",
        "Images examined a second, over the last shard.",
    );
    /// Time.
    DURATION = Metric::sort(
        "validation_duration_seconds",
        "From the beginning of a validation job to its end, by how it ended.",
        BUCKETS,
    ).by(&["status"], &[&["completed"], &["failed"]]);
    /// Retries.
    RETRIES = Metric::count(
        "validation_job_retries_total",
        "Items of jobs that failed for a reason that may pass, and are tried again.",
    );
    /// The database.
    DATABASE_ERRORS = Metric::count(
        "database_errors_total",
        "Calls that the database did not answer.",
    );
    /// The storage.
    STORAGE_ERRORS = Metric::count(
        "storage_errors_total",
        "Calls that the storage did not answer, by operation.",
    ).by(&["operation"], &[&["stat"], &["read"], &["write"], &["delete"], &["list"]]);
    /// What runs.
    BUILD = Metric::stand(
        "luna_build_info",
        "Version and revision of this program; always 1.",
    ).by(&["version", "revision"], &[]);
}

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Begins to count, these figures too. Before it, and in programs that never call it, nothing is counted and
/// nothing costs.
pub fn begin(more: &[&Metric]) {
    let all = || METRICS.iter().chain(more);
    let mut builder = PrometheusBuilder::new();
    for metric in all() {
        let Does::Sort(bounds) = metric.does else { continue };
        let matcher = Matcher::Full(metric.name.to_owned());
        let Ok(with_bounds) = builder.set_buckets_for_metric(matcher, bounds) else { return };
        builder = with_bounds;
    }
    // Somebody who embeds this may have installed a recorder.
    let Ok(handle) = builder.install_recorder() else { return };
    let _ = HANDLE.set(handle);
    for metric in all() {
        metric.begin();
    }
    for rule in Registry::default().rules() {
        FINDINGS.touch(&[rule.code]);
    }
    let revision = option_env!("LUNA_REVISION").unwrap_or("unknown");
    BUILD.set(&[env!("CARGO_PKG_VERSION"), revision], 1.0);
}

/// All figures, in Prometheus' text format.
pub fn render() -> String {
    // Counted where they happen, whether or not anybody asks for figures.
    for operation in Operation::ALL {
        STORAGE_ERRORS.counter(&[operation.name()]).absolute(failures(operation));
    }
    DATABASE_ERRORS.counter(&[]).absolute(catalogue::failures());
    HANDLE.get().map(PrometheusHandle::render).unwrap_or_default()
}

impl Metric {
    /// A figure that counts up.
    pub const fn count(name: &'static str, help: &'static str) -> Self {
        Self { name, help, does: Does::Count, labels: &[], series: &[&[]] }
    }

    /// A figure that stands at a value.
    pub const fn stand(name: &'static str, help: &'static str) -> Self {
        Self { does: Does::Stand, ..Self::count(name, help) }
    }

    /// A figure that sorts seconds by these upper bounds.
    pub const fn sort(name: &'static str, help: &'static str, bounds: &'static [f64]) -> Self {
        Self { does: Does::Sort(bounds), ..Self::count(name, help) }
    }

    /// The figure by these labels; for each series that exists from the start, their values.
    #[must_use]
    pub const fn by(
        self,
        labels: &'static [&'static str],
        series: &'static [&'static [&'static str]],
    ) -> Self {
        Self { labels, series, ..self }
    }

    /// Counts `by` more; `values` are those of its labels, in their order.
    pub fn add(&self, values: &[&str], by: u64) {
        self.counter(values).increment(by);
    }

    /// Stands at this value from now on.
    pub fn set(&self, values: &[&str], value: f64) {
        ::metrics::gauge!(self.name, self.labelled(values)).set(value);
    }

    /// Takes note of how long something took.
    pub fn took(&self, values: &[&str], time: Duration) {
        ::metrics::histogram!(self.name, self.labelled(values)).record(time);
    }

    /// Lets a series exist, at zero.
    pub fn touch(&self, values: &[&str]) {
        match self.does {
            Does::Count => self.add(values, 0),
            Does::Stand => self.set(values, 0.0),
            // Exists once it is asked for.
            Does::Sort(_) => drop(::metrics::histogram!(self.name, self.labelled(values))),
        }
    }

    fn counter(&self, values: &[&str]) -> ::metrics::Counter {
        ::metrics::counter!(self.name, self.labelled(values))
    }

    fn labelled(&self, values: &[&str]) -> Vec<::metrics::Label> {
        debug_assert_eq!(self.labels.len(), values.len(), "{}", self.name);
        let pairs = self.labels.iter().zip(values);
        pairs.map(|(label, value)| ::metrics::Label::new(*label, (*value).to_owned())).collect()
    }

    fn begin(&self) {
        match self.does {
            Does::Count => ::metrics::describe_counter!(self.name, self.help),
            Does::Stand => ::metrics::describe_gauge!(self.name, self.help),
            Does::Sort(_) => ::metrics::describe_histogram!(self.name, self.help),
        }
        for values in self.series {
            self.touch(values);
        }
    }
}
