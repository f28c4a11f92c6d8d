//! Whether the service is up, for people and orchestrators. Open to everybody; every word is asked for.

use std::time::Duration;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use luna_worker::catalogue;
use luna_worker::storage::{self, Operation};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::api::Routes;
use crate::problem::{Problem, Result};
use crate::{Objects, Service, State};

/// How long what is behind the service may take to answer before it counts as away.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(health))
        .routes(routes!(readiness))
        .routes(routes!(liveness))
        .routes(routes!(metrics))
}

/// That the process answers.
#[derive(Serialize, ToSchema)]
struct Alive {
    status: &'static str,
}

/// How the service is.
#[derive(Serialize, ToSchema)]
struct Health {
    status: &'static str,
    database: &'static str,
    s3: &'static str,
    version: &'static str,
}

/// See how the service and what is behind it are.
#[utoipa::path(
    get, path = "/health", tag = "health", security(()),
    responses((status = 200, body = Health), (status = 503, body = Health)),
    extensions(("x-who" = json!("anybody")))
)]
async fn health(Shared(service): State) -> (StatusCode, Json<Health>) {
    look(&service).await
}

/// See whether requests should be sent here: 503 while database or storage are away.
#[utoipa::path(
    get, path = "/readiness", tag = "health", security(()),
    responses((status = 200, body = Health), (status = 503, body = Health)),
    extensions(("x-who" = json!("anybody")))
)]
async fn readiness(Shared(service): State) -> (StatusCode, Json<Health>) {
    look(&service).await
}

/// See whether the process answers.
#[utoipa::path(
    get, path = "/liveness", tag = "health", security(()), responses((status = 200, body = Alive)),
    extensions(("x-who" = json!("anybody")))
)]
async fn liveness() -> Json<Alive> {
    Json(Alive { status: "ok" })
}

/// Read the figures of this process, in Prometheus' format, unless they have an address of their own.
#[utoipa::path(
    get, path = "/metrics", tag = "health", security(()),
    responses((status = 200, body = String, content_type = "text/plain")),
    extensions(("x-who" = json!("anybody")))
)]
async fn metrics(Shared(service): State) -> Result<String> {
    if service.has_figures_apart {
        return Err(Problem::not_found());
    }
    Ok(service.figures().await)
}

async fn look(service: &Service) -> (StatusCode, Json<Health>) {
    let word = |answers: bool| if answers { "ok" } else { "unavailable" };
    let database = tokio::time::timeout(PATIENCE, service.catalogue.now());
    let objects = tokio::time::timeout(PATIENCE, service.has_storage());
    let (database, objects) = tokio::join!(database, objects);
    // Whoever gives up waiting counts it: the call itself never ends.
    if database.is_err() {
        catalogue::failed();
    }
    if objects.is_err() {
        storage::failed(Operation::Stat);
    }
    let database = matches!(database, Ok(Ok(_)));
    let objects = matches!(objects, Ok(true));
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

impl Service {
    /// Whether the storage answers: the folder is there, or the bucket says that it has no such object.
    async fn has_storage(&self) -> bool {
        match &self.objects {
            Objects::Folder(folder) => {
                tokio::fs::metadata(folder).await.is_ok_and(|found| found.is_dir())
            }
            Objects::Bucket(_) => matches!(
                self.storage.stat(".luna-health").await,
                Ok(_) | Err(storage::Error::NotFound { .. })
            ),
        }
    }
}
