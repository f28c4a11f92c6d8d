//! Pictures that several teams handed in, side by side: team against team.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State as Shared;
use axum::response::IntoResponse;
use axum::routing::get;
use luna_core::text::{counted, grouped};
use luna_worker::catalogue::{SharedPicture, TeamPair};
use maud::{Markup, html};
use serde::Deserialize;

use super::layout::{Frame, address, shown};
use super::report::Pictures;
use super::{Page, Visitor, Wanted};
use crate::problem::Result;
use crate::{Service, State};

/// Pictures a page.
const MOST: u32 = 20;
/// Places of one picture that are shown.
const MOST_PLACES: usize = 12;
/// Teams a question.
const MOST_TEAMS: u32 = 500;

const PATH: &str = "/organiser/duplicates";

pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new().route(PATH, get(page))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    after: Option<String>,
}

async fn page(
    Shared(service): State,
    visitor: Visitor,
    Wanted(Asked { after }): Wanted<Asked>,
) -> Page {
    visitor.caller.organiser()?;
    let catalogue = &service.catalogue;
    let mut pictures = catalogue.shared_pictures(None, after.as_deref(), MOST + 1).await?;
    let goes_on = pictures.len() > MOST as usize;
    pictures.truncate(MOST as usize);
    let pairs = catalogue.team_pairs(None).await?;
    let teams = names(&service).await?;
    let drawable = drawable(&service, &pictures).await?;
    let body = html! {
        section aria-labelledby="title" {
            p { a href="/organiser" { "All teams" } }
            h1 #title { "Pictures of several teams" }
            p { "The same file or the same pixels in the newest validated data sets of more than one team." }
            @if pictures.is_empty() { p { "There are none." } } @else {
                (table(&pairs, &teams))
                @for picture in &pictures { (group(picture, &teams, &drawable)) }
                nav.pages aria-label="Pages of pictures" {
                    @if after.is_some() { a href=(PATH) { "First page" } }
                    @if let Some(last) = pictures.last().filter(|_| goes_on) {
                        a rel="next" href=(address(PATH, &[("after", &last.content)])) { "Next page" }
                    }
                }
            }
        }
    };
    Ok(Frame::of(&visitor, "Pictures of several teams").around(&body).into_response())
}

async fn names(service: &Service) -> Result<BTreeMap<i64, String>> {
    let mut names = BTreeMap::new();
    loop {
        let after = names.keys().next_back().copied().unwrap_or_default();
        let teams = service.catalogue.teams(after, MOST_TEAMS).await?;
        if teams.is_empty() {
            return Ok(names);
        }
        names.extend(teams.into_iter().map(|team| (team.id, team.name)));
    }
}

/// Which places pictures can be asked of, by data set.
async fn drawable(
    service: &Service,
    pictures: &[SharedPicture],
) -> Result<BTreeMap<i64, Pictures>> {
    let mut paths: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
    for place in pictures.iter().flat_map(|it| it.places.iter().take(MOST_PLACES)) {
        paths.entry(place.dataset_id).or_default().push(&place.path);
    }
    let mut drawable = BTreeMap::new();
    for (dataset_id, paths) in paths {
        drawable.insert(dataset_id, Pictures::at(service, dataset_id, &paths).await?);
    }
    Ok(drawable)
}

fn table(pairs: &[TeamPair], teams: &BTreeMap<i64, String>) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label="Team against team" {
            table {
                caption { "Team against team" }
                thead { tr {
                    th scope="col" { "Team" } th scope="col" { "Team" }
                    th.number scope="col" { "Pictures of both" }
                } }
                tbody { @for pair in pairs { tr {
                    td { (name(teams, pair.first)) } td { (name(teams, pair.second)) }
                    td.number { (grouped(pair.pictures)) }
                } } }
            }
        }
    }
}

fn name(teams: &BTreeMap<i64, String>, id: i64) -> String {
    teams.get(&id).map_or_else(|| format!("team {id}"), |name| shown(name))
}

fn group(
    picture: &SharedPicture,
    teams: &BTreeMap<i64, String>,
    drawable: &BTreeMap<i64, Pictures>,
) -> Markup {
    let places = &picture.places[..picture.places.len().min(MOST_PLACES)];
    let what = if picture.is_same_file { "The same file" } else { "The same pixels, another file" };
    html! {
        section.duplicate {
            h2 { (what) " in " (counted(picture.places.len() as u64, "place")) }
            ul.members {
                @for place in places { li { figure {
                    @if let Some(pictures) = drawable.get(&place.dataset_id) {
                        @if let Some(drawn) = pictures.plain(&place.path) { (drawn) }
                    }
                    figcaption {
                        b { (name(teams, place.team_id)) } " "
                        a.path href=(address(&format!("/datasets/{}", place.dataset_id), &[("path", &place.path)])) {
                            (shown(&place.path))
                        }
                    }
                } } }
            }
            @if places.len() < picture.places.len() {
                p.quiet { (grouped(places.len() as u64)) " of " (grouped(picture.places.len() as u64)) " are shown." }
            }
        }
    }
}
