//! Figures of this process for Prometheus. Names, labels and meanings are declared here and nowhere else;
//! every series exists from the start, at zero.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::storage::{Operation, failures};

/// What a figure does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    /// Counts up.
    Count,
    /// Stands at a value.
    Stand,
    /// Sorts seconds into buckets.
    Seconds,
}

/// A figure.
#[derive(Debug)]
pub struct Metric {
    /// Its name, which dashboards and alerts use.
    pub name: &'static str,
    /// What it tells.
    pub help: &'static str,
    does: Does,
    /// Its label, with all values that it can have; `None` for a figure without.
    label: Option<(&'static str, &'static [&'static str])>,
}

const VERDICTS: &[&str] = &["pass", "fail"];
const ENDS: &[&str] = &["completed", "failed"];
const OPERATIONS: &[&str] = &["stat", "read", "write", "delete", "list"];
/// Seconds: from a handful of pictures to a night's work.
const BUCKETS: &[f64] = &[0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0];

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $does:ident, $label:expr, $help:literal;)*) => {
        $($(#[$doc])* pub static $name: Metric =
            Metric { name: $text, help: $help, does: Does::$does, label: $label };)*
        /// All figures that a worker has.
        pub static METRICS: &[&Metric] = &[$(&$name),*];
    };
}

metrics! {
    /// Pictures.
    IMAGES = "validation_images_total", Count, Some(("verdict", VERDICTS)),
        "Images examined, by verdict: fail if one has a finding that is an error.";
    /// Findings; a rule's series begins with its first finding.
    FINDINGS = "validation_findings_total", Count, Some(("rule", &[])),
        "Findings about single files, by rule.";
    /// Speed.
    SPEED = "validation_images_per_second", Stand, None,
        "Images examined a second, over the last shard.";
    /// Time.
    DURATION = "validation_duration_seconds", Seconds, Some(("status", ENDS)),
        "From the beginning of a validation job to its end, by how it ended.";
    /// Retries.
    RETRIES = "validation_job_retries_total", Count, None,
        "Items of jobs that failed for a reason that may pass, and are tried again.";
    /// The database.
    DATABASE_ERRORS = "database_errors_total", Count, None,
        "Calls that the database did not answer.";
    /// The storage.
    STORAGE_ERRORS = "storage_errors_total", Count, Some(("operation", OPERATIONS)),
        "Calls that the storage did not answer, by operation.";
}

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Begins to count. Before it, and in programs that never call it, nothing is counted and nothing costs.
pub fn begin() {
    let builder = PrometheusBuilder::new();
    let matcher = Matcher::Full(DURATION.name.to_owned());
    let Ok(builder) = builder.set_buckets_for_metric(matcher, BUCKETS) else { return };
    // Somebody who embeds this may have installed a recorder.
    let Ok(handle) = builder.install_recorder() else { return };
    let _ = HANDLE.set(handle);
    for metric in METRICS {
        metric.begin();
    }
    let revision = option_env!("LUNA_REVISION").unwrap_or("unknown");
    ::metrics::describe_gauge!(
        "luna_build_info",
        "Version and revision of this program; always 1."
    );
    let labels = [("version", env!("CARGO_PKG_VERSION")), ("revision", revision)];
    ::metrics::gauge!("luna_build_info", &labels).set(1.0);
}

/// All figures, in Prometheus' text format.
pub fn render() -> String {
    for operation in Operation::ALL {
        let counter = ::metrics::counter!(STORAGE_ERRORS.name, "operation" => operation.name());
        counter.absolute(failures(operation));
    }
    HANDLE.get().map(PrometheusHandle::render).unwrap_or_default()
}

impl Metric {
    /// Counts `by` more; `label` is the value of its label, empty for none.
    pub fn count(&self, label: &str, by: u64) {
        match self.label {
            Some((key, _)) => ::metrics::counter!(self.name, key => label.to_owned()).increment(by),
            None => ::metrics::counter!(self.name).increment(by),
        }
    }

    /// Stands at this value from now on.
    pub fn set(&self, value: f64) {
        ::metrics::gauge!(self.name).set(value);
    }

    /// Takes note of how long something took.
    pub fn took(&self, label: &str, time: Duration) {
        match self.label {
            Some((key, _)) => {
                ::metrics::histogram!(self.name, key => label.to_owned()).record(time);
            }
            None => ::metrics::histogram!(self.name).record(time),
        }
    }

    fn begin(&self) {
        let values = self.label.map_or(&[""][..], |(_, values)| values);
        match self.does {
            Does::Count => ::metrics::describe_counter!(self.name, self.help),
            Does::Stand => ::metrics::describe_gauge!(self.name, self.help),
            Does::Seconds => ::metrics::describe_histogram!(self.name, self.help),
        }
        for value in values {
            match (self.does, self.label) {
                (Does::Count, _) => self.count(value, 0),
                (Does::Stand, _) => self.set(0.0),
                // The buckets appear with the first observation.
                (Does::Seconds, _) => {}
            }
        }
    }
}
