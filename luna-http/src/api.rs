//! The routes as one list: what is served, and the document that says so (OpenAPI 3.1).

use std::sync::Arc;

use axum::Json;
use axum::routing::get;
use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response, ResponseBuilder};
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

/// What holds for every route: how to come in, and how calls are refused.
fn described(mut document: OpenApi) -> OpenApi {
    let components = document.components.get_or_insert_default();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.add_security_scheme("bearer", bearer);
    let key = ApiKey::Header(ApiKeyValue::new("x-api-key"));
    components.add_security_scheme("key", SecurityScheme::ApiKey(key));
    for (status, why) in REFUSALS {
        components.responses.insert(format!("Problem{status}"), problem(why).into());
    }
    for (path, item) in &mut document.paths.paths {
        let changing = [&mut item.put, &mut item.post, &mut item.delete];
        let calls = changing.into_iter().map(|it| (true, it)).chain([(false, &mut item.get)]);
        for (is_change, operation) in calls {
            let Some(operation) = operation else { continue };
            let refused = refusals(path, is_change, operation);
            for (_, (status, _)) in refused.into_iter().zip(REFUSALS).filter(|(may_be, _)| *may_be)
            {
                let name = format!("Problem{status}");
                let responses = &mut operation.responses.responses;
                responses.entry(status.to_owned()).or_insert(Ref::from_response_name(name).into());
            }
        }
    }
    document
}

/// A refusal, in the one form that all of them have.
fn problem(why: &str) -> Response {
    let document = Content::new(Some(Ref::from_schema_name("ProblemDocument")));
    ResponseBuilder::new().description(why).content("application/problem+json", document).build()
}

/// How calls are refused.
const REFUSALS: [(&str, &str); 9] = [
    ("400", "The body cannot be read"),
    ("401", "Nobody is signed in, or not with this"),
    ("403", "Not by these means"),
    ("404", "There is no such thing, or it is somebody else's"),
    ("409", "Not as things are now"),
    ("413", "More than is taken"),
    ("422", "Some fields cannot be taken"),
    ("429", "Too often; `Retry-After` says when again"),
    ("503", "Database or storage are away; `Retry-After` says when again"),
];

/// Which of them a call may meet, by what it is: handlers say what else they answer.
fn refusals(path: &str, is_change: bool, operation: &Operation) -> [bool; REFUSALS.len()] {
    let extensions = operation.extensions.as_ref();
    let who = extensions.and_then(|it| it.get("x-who")).and_then(|it| it.as_str());
    let is_open = who == Some("anybody");
    let has_body = operation.request_body.is_some();
    let has_question = operation.parameters.iter().flatten().any(|it| match it {
        RefOr::T(parameter) => !matches!(parameter.parameter_in, ParameterIn::Path),
        RefOr::Ref(_) => true,
    });
    let hides = path.contains('{') || has_body || matches!(who, Some("admin" | "organiser"));
    [
        has_body,
        !is_open || has_body,
        !is_open && (is_change || who == Some("person")),
        hides,
        is_change || path.ends_with("/report"),
        has_body || path.ends_with("/content"),
        is_change || has_question,
        true,
        true,
    ]
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

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let document = openapi();
        let operations = document.paths.paths.values().flat_map(|item| {
            [&item.get, &item.put, &item.post, &item.delete].into_iter().flatten()
        });
        let mut names: Vec<_> = operations.map(|it| it.operation_id.clone().unwrap()).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
