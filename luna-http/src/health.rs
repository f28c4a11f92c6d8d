//! Whether the service is up, for people and orchestrators. Open to everybody.

use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

pub(crate) fn routes() -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/liveness", get(alive))
        // Ready as soon as it listens: this version waits for no database and no storage.
        .route("/readiness", get(alive))
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    database: &'static str,
    s3: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct State {
    status: &'static str,
}

async fn health() -> Json<Health> {
    Json(Health {
        status: "ok",
        database: "not configured",
        s3: "not configured",
        version: env!("CARGO_PKG_VERSION"),
    })
}

async fn alive() -> Json<State> {
    Json(State { status: "ok" })
}
