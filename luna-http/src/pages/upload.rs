//! Uploading from a browser: the page; the work is done by a script that speaks to the API.

use std::sync::Arc;

use axum::Router;
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use luna_core::Format;
use luna_core::text::grouped;
use luna_worker::catalogue::{Arrivals, Dataset, DatasetState};
use maud::{Markup, html};
use serde::Deserialize;

use super::layout::{Frame, shown};
use super::{Page, Visitor, Wanted, assets};
use crate::body::Ids;
use crate::{Service, State};

pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new().route("/upload", get(begin)).route("/upload/{dataset_id}", get(go_on))
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    /// The version before.
    replaces: Option<i64>,
}

async fn begin(
    Shared(service): State,
    visitor: Visitor,
    Wanted(Asked { replaces }): Wanted<Asked>,
) -> Page {
    let earlier = match replaces {
        Some(id) => Some(visitor.caller.own_dataset(&service, id).await?),
        None => None,
    };
    let body = html! {
        section aria-labelledby="title" {
            @if let Some(earlier) = &earlier {
                h1 #title { "The next version of " (shown(&earlier.name)) }
                p {
                    "Choose the whole folder or only what you mended: files that are as they were are "
                    "not sent again, and those that you do not choose stay as they are."
                }
            } @else {
                h1 #title { "Upload a data set" }
            }
            (form(&service, None, earlier.as_ref()))
        }
    };
    let frame = Frame::of(&visitor, "Upload").with_script(&assets::UPLOAD);
    Ok(frame.around(&body).into_response())
}

async fn go_on(Shared(service): State, visitor: Visitor, Ids(id): Ids<i64>) -> Page {
    let dataset = visitor.caller.own_dataset(&service, id).await?;
    if dataset.state == DatasetState::Complete {
        return Ok(Redirect::to(&format!("/datasets/{id}")).into_response());
    }
    let Arrivals { announced, received } = service.catalogue.arrivals(id).await?;
    let body = html! {
        section aria-labelledby="title" {
            h1 #title { "Go on with " (shown(&dataset.name)) }
            p {
                (grouped(received)) " of " (grouped(announced))
                " files arrived; choose the same folder to go on."
            }
            (form(&service, Some(&dataset), None))
        }
    };
    let frame = Frame::of(&visitor, "Upload").with_script(&assets::UPLOAD);
    Ok(frame.around(&body).into_response())
}

fn form(service: &Service, dataset: Option<&Dataset>, earlier: Option<&Dataset>) -> Markup {
    let mut known: Vec<&str> =
        Format::ALL.iter().flat_map(|format| format.extensions()).copied().collect();
    known.extend(["csv", "tsv", "json", "jsonl", "ndjson", "parquet", "txt", "md"]);
    let known = known.join(" ");
    html! {
        noscript {
            p.complaint {
                "Uploading from a browser needs JavaScript. Without it: "
                code { "luna push FOLDER --server " (service.public_url) }
            }
        }
        form #upload hidden data-script data-known=(known) data-dataset=[dataset.map(|it| it.id)]
            data-replaces=[earlier.map(|it| it.id)] {
            div.drop #drop {
                p { label for="folder" { b { "Choose a folder" } } " or drop it here, with all that is in it." }
                input #folder type="file" webkitdirectory multiple;
            }
            div #chosen hidden {
                p role="status" #count {}
                div.notice #debris hidden {}
                div.notice.warning #unknown hidden {
                    p #unknown-text {}
                    label { input #leave type="checkbox"; " Leave them out" }
                }
                @if dataset.is_none() {
                    div.fields {
                        label for="name" { "Name of the data set" }
                        input #name maxlength="200" required autocomplete="off"
                            value=[earlier.map(|it| &it.name)];
                    }
                }
                @if earlier.is_some() {
                    p { label { input #only type="checkbox";
                        " Remove files of the version before that are not in this folder" } }
                }
                p.row { button.main #send { @if dataset.is_some() { "Go on" } @else { "Send" } } }
            }
            div #sending hidden {
                div.complaint #failures hidden {
                    p { b #failed-count {} }
                    ul #causes {}
                    p.row {
                        button #retry type="button" { "Try all of them again" }
                        button #without type="button" { "Validate without them" }
                    }
                }
                p #progress-text role="status" aria-live="polite" {}
                progress #bar aria-label="Sent" max="1" value="0" {}
                p.quiet { "Closing this tab loses nothing: come back and choose the same folder." }
                h2 { "Files" }
                ul.live #files tabindex="0" aria-label="Files" {}
            }
        }
    }
}
