//! Uploads: announced, sent file by file to signed URLs, completed once.

mod announce;
mod receive;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{post, put};

pub(crate) use self::receive::InFlight;
use crate::Service;

pub(crate) fn routes() -> Router<std::sync::Arc<Service>> {
    // A file is as large as announced; its limit is counted while it streams.
    let receive = put(receive::receive).layer(DefaultBodyLimit::disable());
    Router::new()
        .route("/api/v1/upload/start", post(announce::start))
        .route("/api/v1/upload/complete", post(announce::complete))
        .route("/upload/{dataset_id}/{file_id}", receive)
}
