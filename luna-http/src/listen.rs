//! Connections: how many there may be, how long a client may take over what it sends, and how they end.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{ConnectInfo, MatchedPath, Request, State as Shared};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, StreamExt as _, stream};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service as _;

use crate::State;
use crate::problem::Problem;

/// Connections at once, those of all who watch among them; more wait to be accepted.
const MOST_CONNECTIONS: usize = 4_000;
/// Headers of a request, and bytes of its head.
const MOST_HEADERS: usize = 100;
const LARGEST_HEAD: usize = 64 << 10;
/// Before the next try where the system has no connection left to give.
const PAUSE: Duration = Duration::from_millis(100);
/// How long requests in work may go on once the service is told to stop.
const GRACE: Duration = Duration::from_secs(25);
/// A document may take so many times the silence that is tolerated; a file takes as long as it takes.
const DOCUMENT: u32 = 4;

/// Serves until `closing`; requests in work are answered first, within the grace time.
pub(crate) async fn listen(
    listener: TcpListener,
    app: Router,
    silence: Duration,
    closing: CancellationToken,
) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let open = TaskTracker::new();
    let mut protocol = http1::Builder::new();
    // The head's time runs from the last answer on: it ends connections that nobody uses, too.
    protocol.timer(TokioTimer::new()).header_read_timeout(silence);
    protocol.max_headers(MOST_HEADERS).max_buf_size(LARGEST_HEAD);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            () = closing.cancelled() => break,
        };
        let Some((stream, from, place)) = accepted else { continue };
        let app = app.clone();
        let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(ConnectInfo(from));
            // A router is always ready.
            app.clone().call(request)
        });
        let connection = protocol.serve_connection(TokioIo::new(stream), service);
        let closing = closing.clone();
        open.spawn(async move {
            let _place = place;
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = closing.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke");
            }
        });
    }
    drop(listener);
    open.close();
    if timeout(GRACE, open.wait()).await.is_err() {
        tracing::warn!(connections = open.len(), "the grace time is over: connections are cut");
    }
}

type Accepted = (tokio::net::TcpStream, std::net::SocketAddr, tokio::sync::OwnedSemaphorePermit);

/// The next connection, once there is room for it.
async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> Option<Accepted> {
    let place = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, from)) => {
            // Events are small, and wait for nothing.
            let _ = stream.set_nodelay(true);
            Some((stream, from, place))
        }
        Err(error) => {
            // A client that hung up at once is no trouble of ours; files that may not be opened are.
            if error.kind() != io::ErrorKind::ConnectionAborted {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
            }
            None
        }
    }
}

/// Refuses what comes too slowly: nothing for a while, or a document that takes for ever.
pub(crate) async fn patient(
    Shared(service): State,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let is_file = path.is_some_and(|path| path.as_str() == crate::upload::FILE);
    let end = (!is_file).then(|| Instant::now() + service.silence * DOCUMENT);
    let is_slow = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_slow);
    let request = request.map(|body| {
        Body::from_stream(hurried(body.into_data_stream(), service.silence, end, seen))
    });
    let response = next.run(request).await;
    if is_slow.load(Ordering::Relaxed) && !response.status().is_success() {
        let seconds = service.silence.as_secs();
        let detail = format!(
            "The body came too slowly: nothing for {seconds} s, or a document without end. What arrived \
             of a file stays, and GET /api/v1/upload/{{dataset_id}} says where it goes on."
        );
        return Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", detail).into_response();
    }
    response
}

/// A body that breaks off after so long a silence, and at the end of its time.
fn hurried<S>(
    body: S,
    silence: Duration,
    end: Option<Instant>,
    is_slow: Arc<AtomicBool>,
) -> impl Stream<Item = Result<Bytes, axum::Error>>
where
    S: Stream<Item = Result<Bytes, axum::Error>> + Unpin,
{
    stream::unfold(Some(body), move |body| {
        let is_slow = Arc::clone(&is_slow);
        async move {
            let mut body = body?;
            let by = Instant::now() + silence;
            match timeout_at(end.map_or(by, |end| by.min(end)), body.next()).await {
                Ok(None) => None,
                Ok(Some(Ok(bytes))) => Some((Ok(bytes), Some(body))),
                Ok(Some(Err(error))) => Some((Err(error), None)),
                Err(_) => {
                    is_slow.store(true, Ordering::Relaxed);
                    let error = io::Error::from(io::ErrorKind::TimedOut);
                    Some((Err(axum::Error::new(error)), None))
                }
            }
        }
    })
}
