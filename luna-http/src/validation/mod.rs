//! How far a validation is, and what it found.

mod course;
mod events;
mod files;
mod report;
mod thumbnails;

use utoipa_axum::routes;

use crate::api::Routes;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(course::status))
        .routes(routes!(course::rerun))
        .routes(routes!(course::cancel))
        .routes(routes!(events::events))
        .routes(routes!(report::report))
        .routes(routes!(report::findings))
        .routes(routes!(files::files))
        .routes(routes!(files::content))
        .routes(routes!(thumbnails::thumbnail))
}
