//! What the service counts, beside what [`luna_worker::metrics`] has.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State as Shared};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use luna_worker::catalogue;
use luna_worker::metrics::{Metric, render};
use luna_worker::queue;

use crate::{Service, State};

/// Seconds: from an answer out of memory to a large file on a slow line.
const BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];
/// How long the database may take to tell of the queue before its figures are unknown (`NaN`).
const PATIENCE: Duration = Duration::from_secs(2);
/// Of addresses that lead nowhere: whatever people type must not become a series each.
const NOWHERE: &str = "none";

static REQUESTS: Metric = Metric::count("http_requests_total", "Requests that were answered.")
    .by(&["method", "endpoint", "status"], &[]);
static REQUEST_SECONDS: Metric = Metric::sort(
    "http_request_duration_seconds",
    "From a request's head to its answer's.",
    BUCKETS,
)
.by(&["method", "endpoint"], &[]);
static QUEUE: Metric =
    Metric::stand("validation_queue_length", "Items of validation jobs that wait for a worker.");
static OLDEST: Metric = Metric::stand(
    "validation_oldest_job_seconds",
    "Age of the oldest validation job that has not ended; 0 if there is none.",
);
static DEAD: Metric = Metric::stand(
    "validation_dead_letters",
    "Items that were given up: `luna admin queue` shows them.",
);
static WORKERS: Metric =
    Metric::stand("validation_workers_alive", "Workers that were seen lately.");
static CONNECTIONS: Metric = Metric::stand(
    "database_pool_connections",
    "Connections of this process to the database, by state.",
)
.by(&["state"], &[&["used"], &["idle"]]);
static UPLOADS: Metric = Metric::count(
    "s3_upload_count",
    "Files sent by teams, to a bucket or to this service: arrived as announced, or not.",
)
.by(&["status"], &[&["success"], &["failed"]]);
static UPLOADED_BYTES: Metric =
    Metric::count("s3_upload_bytes", "Bytes of the files that arrived as announced.");
static SENDING: Metric =
    Metric::stand("concurrent_uploads", "Files that are being sent to this process.");

static METRICS: &[&Metric] = &[
    &REQUESTS,
    &REQUEST_SECONDS,
    &QUEUE,
    &OLDEST,
    &DEAD,
    &WORKERS,
    &CONNECTIONS,
    &UPLOADS,
    &UPLOADED_BYTES,
    &SENDING,
];

/// Begins to count, all figures of the worker too.
pub fn begin() {
    luna_worker::metrics::begin(METRICS);
    for (method, endpoint) in crate::api::endpoints() {
        REQUESTS.touch(&[method, &endpoint, "200"]);
        REQUEST_SECONDS.touch(&[method, &endpoint]);
    }
}

/// A file arrived as announced.
pub(crate) fn arrived(bytes: u64) {
    arrived_at_once(1, bytes);
}

/// So many files arrived as announced, of so many bytes together.
pub(crate) fn arrived_at_once(files: u64, bytes: u64) {
    UPLOADS.add(&["success"], files);
    UPLOADED_BYTES.add(&[], bytes);
}

/// What was sent is not kept, or broke off.
pub(crate) fn failed() {
    UPLOADS.add(&["failed"], 1);
}

/// So many files are being sent now.
pub(crate) fn sending(files: usize) {
    SENDING.set(&[], files as f64);
}

impl Service {
    /// All figures, those of the queue as they are now.
    pub(crate) async fn figures(&self) -> String {
        let stats = tokio::time::timeout(PATIENCE, self.catalogue.queue_stats()).await;
        if stats.is_err() {
            catalogue::failed();
        }
        // Nobody knows them while the database is away, and old ones would say that all is well.
        let known = stats.ok().and_then(std::result::Result::ok);
        let figure = |of: fn(&queue::Stats) -> f64| known.as_ref().map_or(f64::NAN, of);
        QUEUE.set(&[], figure(|stats| stats.queued as f64));
        OLDEST.set(&[], figure(|stats| stats.oldest_job.unwrap_or_default().as_secs_f64()));
        DEAD.set(&[], figure(|stats| stats.dead as f64));
        WORKERS.set(&[], figure(|stats| stats.workers_alive as f64));
        let (used, idle) = self.catalogue.connections();
        CONNECTIONS.set(&["used"], used as f64);
        CONNECTIONS.set(&["idle"], idle as f64);
        render()
    }
}

/// The figures at an address of their own.
pub(crate) fn apart(service: Arc<Service>) -> axum::Router {
    let figures = async |Shared(service): State| service.figures().await;
    axum::Router::new().route("/metrics", axum::routing::get(figures)).with_state(service)
}

/// Counts each request, and notes it in the log: never its path or its query, which may name people and hold
/// signatures.
pub(crate) async fn watch(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = word(request.method());
    let path = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let endpoint = path.as_ref().map_or(NOWHERE, MatchedPath::as_str);
    let (status, took) = (response.status(), began.elapsed());
    REQUESTS.add(&[method, endpoint, status.as_str()], 1);
    REQUEST_SECONDS.took(&[method, endpoint], took);
    let milliseconds = took.as_micros() as f64 / 1e3;
    tracing::info!(endpoint, status = status.as_u16(), milliseconds, "answered");
    response
}

/// The method as a label: clients may make up others without end.
pub(crate) fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}
