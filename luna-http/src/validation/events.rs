//! What a job tells while it runs, as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State as Shared;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt as _, stream};
use luna_worker::events::{EventKind, Follower};
use tokio_util::sync::CancellationToken;

use crate::body::Ids;
use crate::caller::Caller;
use crate::problem::{Problem, Result};
use crate::{Service, State};

/// How often something is said, so that nobody on the way hangs up.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a client waits before it comes again (milliseconds in the stream).
const AGAIN: Duration = Duration::from_secs(2);
/// Streams that one process keeps open.
const MOST_STREAMS: usize = 2_000;

/// Follow a validation: `progress`, `finding` and `done`, from the event after `Last-Event-ID` on.
#[utoipa::path(
    get, path = "/api/v1/validation/{dataset_id}/events", tag = "validation",
    params(
        ("dataset_id" = i64, Path),
        ("Last-Event-ID" = Option<i64>, Header, description = "Number of the last event seen"),
    ),
    responses((status = 200, body = Object, content_type = "text/event-stream")),
    extensions(("x-who" = json!("team")))
)]
pub(super) async fn events(
    Shared(service): State,
    caller: Caller,
    Ids(dataset_id): Ids<i64>,
    headers: HeaderMap,
) -> Result<Response> {
    let dataset = caller.dataset(&service, dataset_id).await?;
    let job = service.catalogue.latest_job(dataset.id).await?;
    let after = match headers.get("last-event-id") {
        None => 0,
        Some(value) => {
            let number = value.to_str().ok().and_then(|value| value.parse().ok());
            number.ok_or_else(|| Problem::query("Last-Event-ID"))?
        }
    };
    let permit = Arc::clone(&service.streams).try_acquire_owned().map_err(|_| {
        let detail = "Too many are watching at the moment; ask for the status now and then.";
        Problem::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, "too-many-streams", detail)
            .retry_after(HEARTBEAT.as_secs())
    })?;
    let follower = service.catalogue.follow(job.id, after);
    let told = told(follower, service.closing.clone());
    let held = told.map(move |event| {
        let _ = &permit;
        event
    });
    let stream = Sse::new(held).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    // Nobody on the way may keep events to send them together.
    let unbuffered =
        [(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"))];
    Ok((unbuffered, stream).into_response())
}

/// Events until the job is done, or the service stops; a client comes again then by itself.
fn told(
    follower: Follower,
    closing: CancellationToken,
) -> impl Stream<Item = std::result::Result<Event, Infallible>> {
    let first = Event::default().retry(AGAIN).comment("following");
    let rest = stream::unfold(Some(follower), move |follower| {
        let closing = closing.clone();
        async move {
            let mut follower = follower?;
            let events = tokio::select! {
                () = closing.cancelled() => return None,
                events = follower.next() => events,
            };
            let events = match events {
                Ok(events) => events,
                Err(error) => {
                    tracing::warn!(%error, "a stream of events ends early");
                    return None;
                }
            };
            let is_over = events.iter().any(|event| event.kind == EventKind::Done);
            let told = events.into_iter().map(|event| {
                let kind = event.kind.as_str();
                Ok(Event::default().id(event.id.to_string()).event(kind).data(event.body))
            });
            let next = (!is_over).then_some(follower);
            Some((stream::iter(told.collect::<Vec<_>>()), next))
        }
    });
    stream::once(async { Ok(first) }).chain(rest.flatten())
}

impl Service {
    /// Room for those who watch.
    pub(crate) fn streams() -> Arc<tokio::sync::Semaphore> {
        Arc::new(tokio::sync::Semaphore::new(MOST_STREAMS))
    }
}
