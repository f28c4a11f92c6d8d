//! Uploads: announced, sent file by file to signed URLs, completed once.

mod announce;
mod progress;
mod quota;
mod receive;
mod target;

use axum::extract::DefaultBodyLimit;
use axum::routing::put;
use utoipa_axum::routes;

pub use self::quota::Quota;
pub(crate) use self::receive::InFlight;
use crate::api::Routes;

/// Where files are sent to, as a route.
pub(crate) const FILE: &str = "/upload/{dataset_id}/{file_id}";

pub(crate) fn routes() -> Routes {
    // A file is as large as announced; its limit is counted while it streams.
    let receive = put(receive::receive).layer(DefaultBodyLimit::disable());
    Routes::new()
        .routes(routes!(announce::start))
        .routes(routes!(announce::files))
        .routes(routes!(announce::complete))
        .routes(routes!(progress::urls))
        .routes(routes!(progress::upload))
        .routes(routes!(progress::parts))
        // Its address comes ready-made out of an answer, and is nobody's to build.
        .route(FILE, receive)
}
