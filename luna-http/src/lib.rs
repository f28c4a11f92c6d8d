//! LUNA's service. In this version it says whether it is up, and nothing else: uploads, jobs and
//! pages are not there yet, and nothing here claims that they are.

mod health;

use std::future::Future;
use std::io;

use axum::Router;
use tokio::net::TcpListener;

/// The routes.
fn app() -> Router {
    health::routes()
}

/// Serves until `shutdown` resolves; requests in work are answered first.
///
/// # Errors
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, app()).with_graceful_shutdown(shutdown).await
}
