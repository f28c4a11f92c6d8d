//! Whether the service is up, for people and orchestrators. Open to everybody; every word is asked for.

use std::time::Duration;

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use crate::{Service, State};

/// How long what is behind the service may take to answer before it counts as away.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn routes() -> Router<std::sync::Arc<Service>> {
    Router::new()
        .route("/health", get(health))
        .route("/readiness", get(health))
        .route("/liveness", get(async || Json(Alive { status: "ok" })))
        .route("/metrics", get(async || luna_worker::metrics::render()))
}

#[derive(Serialize)]
struct Alive {
    status: &'static str,
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    database: &'static str,
    s3: &'static str,
    version: &'static str,
}

async fn health(Shared(service): State) -> (StatusCode, Json<Health>) {
    let word = |answers: bool| if answers { "ok" } else { "unavailable" };
    let database = tokio::time::timeout(PATIENCE, service.catalogue.now());
    let objects = tokio::time::timeout(PATIENCE, tokio::fs::metadata(&service.objects));
    let (database, objects) = tokio::join!(database, objects);
    let database = matches!(database, Ok(Ok(_)));
    let objects = matches!(objects, Ok(Ok(found)) if found.is_dir());
    let all = database && objects;
    let status = if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let health = Health {
        status: word(all),
        database: word(database),
        s3: word(objects),
        version: env!("CARGO_PKG_VERSION"),
    };
    (status, Json(health))
}
