//! Pictures that several teams handed in: for those who run a competition, and for nobody else.

use axum::Json;
use axum::extract::State as Shared;
use luna_worker::catalogue::{SharedPicture, SharedPlace};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::State;
use crate::api::Routes;
use crate::caller::Caller;
use crate::page::{Asked, Page, Question};
use crate::problem::{Problem, Result};

pub(crate) fn routes() -> Routes {
    Routes::new().routes(routes!(duplicates))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Of data sets for this task alone.
    task: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Pictures a page, 1 to 1,000; 100 unless given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// One picture in data sets of several teams.
#[derive(Debug, Serialize, ToSchema)]
struct Duplicate {
    /// `file` if the files are the same, byte for byte, `pixels` if only their pixels are.
    #[schema(example = "pixels")]
    same: &'static str,
    /// What is the same, hexadecimal.
    fingerprint: String,
    places: Vec<Place>,
}

/// Where a picture lies.
#[derive(Debug, Serialize, ToSchema)]
struct Place {
    team_id: i64,
    dataset_id: i64,
    path: String,
}

impl From<SharedPicture> for Duplicate {
    fn from(picture: SharedPicture) -> Self {
        let place = |SharedPlace { team_id, dataset_id, path }| Place { team_id, dataset_id, path };
        Self {
            same: if picture.is_same_file { "file" } else { "pixels" },
            fingerprint: picture.content,
            places: picture.places.into_iter().map(place).collect(),
        }
    }
}

/// List pictures that more than one team has, in the newest validated versions of their data sets.
#[utoipa::path(
    get, path = "/api/v1/duplicates", tag = "datasets", params(Wanted),
    responses((status = 200, body = Page<Duplicate>)), extensions(("x-who" = json!("organiser")))
)]
async fn duplicates(
    Shared(service): State,
    caller: Caller,
    Question(Wanted { task, cursor, limit }): Question<Wanted>,
) -> Result<Json<Page<Duplicate>>> {
    caller.organiser()?;
    let asked = Asked { cursor, limit }.checked()?;
    let after = asked.cursor.as_deref();
    if after.is_some_and(|after| !after.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return Err(Problem::query("cursor"));
    }
    let found = service.catalogue.shared_pictures(task.as_deref(), after, asked.fetch()).await?;
    Ok(Json(Page::of(found, &asked, |it| it.content.clone(), Duplicate::from)))
}
