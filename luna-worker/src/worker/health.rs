//! The worker's port: whether it is up, and its figures.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::catalogue::Catalogue;
use crate::metrics;

/// How long the database may take to answer before the worker calls itself unready.
const PATIENCE: Duration = Duration::from_secs(2);

/// Listens until `stop`; what comes back is done when the last answer is given.
///
/// `/liveness` says that the process answers, `/readiness` and `/health` that its database does too,
/// `/metrics` gives figures in Prometheus' text format.
///
/// # Errors
/// If the address cannot be listened on.
pub async fn listen(
    bind: SocketAddr,
    catalogue: Catalogue,
    stop: CancellationToken,
) -> io::Result<impl Future<Output = ()>> {
    let listener = TcpListener::bind(bind).await?;
    tracing::info!(address = %listener.local_addr()?, "health and metrics");
    let health = move || health(catalogue.clone());
    let routes = Router::new()
        .route("/health", get(health.clone()))
        .route("/readiness", get(health))
        .route("/liveness", get(async || Json(json!({ "status": "ok" }))))
        .route("/metrics", get(async || metrics::render()));
    let served = tokio::spawn(async move {
        let served = axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = served.await {
            tracing::error!(%error, "the port for health and metrics failed");
        }
    });
    Ok(async move {
        let _ = tokio::time::timeout(PATIENCE, served).await;
    })
}

async fn health(catalogue: Catalogue) -> impl IntoResponse {
    let answers = tokio::time::timeout(PATIENCE, catalogue.now()).await;
    let (status, word) = match answers {
        Ok(Ok(_)) => (StatusCode::OK, "ok"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    };
    let body = json!({ "status": word, "database": word, "version": env!("CARGO_PKG_VERSION") });
    (status, Json(body))
}
