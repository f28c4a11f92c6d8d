//! The routes as one list: what is served, and the document that says so (OpenAPI 3.1).

use std::sync::Arc;

use axum::Json;
use axum::routing::get;
use utoipa::OpenApi as _;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;

use crate::problem::ProblemDocument;
use crate::{
    Service, audit, auth, datasets, duplicates, health, people, tasks, upload, validation,
};

/// Routes that say of themselves what they take and give.
pub(crate) type Routes = OpenApiRouter<Arc<Service>>;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "LUNA",
        description = "Upload X-ray data sets, and read what is wrong with them.",
    ),
    components(schemas(ProblemDocument)),
    security(("bearer" = []), ("key" = [])),
    tags(
        (name = "auth", description = "Signing in"),
        (name = "upload", description = "Sending data sets"),
        (name = "validation", description = "What was found"),
        (name = "datasets", description = "What was handed in"),
        (name = "tasks", description = "Phases of a competition, and by what they judge"),
        (name = "people", description = "Teams, users, invites, keys, and who did what"),
        (name = "health", description = "Whether the service is up"),
    )
)]
struct Document;

/// All routes of the API.
fn routes() -> Routes {
    Routes::with_openapi(Document::openapi())
        .merge(health::routes())
        .merge(auth::routes())
        .merge(upload::routes())
        .merge(validation::routes())
        .merge(datasets::routes())
        .merge(duplicates::routes())
        .merge(tasks::routes())
        .merge(people::routes())
        .merge(audit::routes())
}

/// The document alone.
pub fn openapi() -> OpenApi {
    described(routes().into_openapi())
}

/// Method and template of every call in the document.
pub(crate) fn endpoints() -> Vec<(&'static str, String)> {
    let paths = openapi().paths.paths;
    let calls = paths.into_iter().flat_map(|(path, item)| {
        let methods = [
            ("GET", item.get.is_some()),
            ("PUT", item.put.is_some()),
            ("POST", item.post.is_some()),
            ("DELETE", item.delete.is_some()),
        ];
        let there = methods.into_iter().filter(|(_, is_there)| *is_there);
        there.map(move |(method, _)| (method, path.clone())).collect::<Vec<_>>()
    });
    calls.collect()
}

/// The routes, and the document at `/openapi.json`.
pub(crate) fn router() -> axum::Router<Arc<Service>> {
    let (router, document) = routes().split_for_parts();
    let document = Arc::new(described(document));
    router.route("/openapi.json", get(async move || Json((*document).clone())))
}

/// What holds for every route: how to come in, and the form of errors.
fn described(mut document: OpenApi) -> OpenApi {
    let components = document.components.get_or_insert_default();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.add_security_scheme("bearer", bearer);
    let key = ApiKey::Header(ApiKeyValue::new("x-api-key"));
    components.add_security_scheme("key", SecurityScheme::ApiKey(key));
    let problem = ResponseBuilder::new()
        .description("A problem (RFC 9457)")
        .content(
            "application/problem+json",
            Content::new(Some(Ref::from_schema_name("ProblemDocument"))),
        )
        .build();
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            let responses = &mut operation.responses.responses;
            responses.insert("default".to_owned(), problem.clone().into());
        }
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_in_docs_is_this_one() {
        let place = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
        let document = openapi().to_pretty_json().unwrap() + "\n";
        let kept = std::fs::read_to_string(place).unwrap_or_default();
        assert!(kept == document, "docs/openapi.json is stale: `make bless` writes it anew");
    }
}
