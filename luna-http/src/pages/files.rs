//! All files of a data set, page by page, with what was found at each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::extract::State as Shared;
use axum::response::IntoResponse;
use axum::routing::get;
use luna_core::Severity;
use luna_core::text::{counted, grouped};
use luna_worker::catalogue::{File, JobState};
use maud::{Markup, html};
use serde::Deserialize;

use super::layout::{Frame, address, severity, shown, size};
use super::report::Pictures;
use super::{Page, Visitor, Wanted};
use crate::body::Ids;
use crate::{Service, State};

/// Files a page.
const MOST: u32 = 50;

pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new().route("/datasets/{dataset_id}/files", get(files))
}

/// Which files are wanted; all of it lives in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    under: String,
    after: Option<String>,
}

/// What was found at files, by path.
type Found = BTreeMap<String, BTreeSet<(Severity, String)>>;

async fn files(
    Shared(service): State,
    visitor: Visitor,
    Ids(id): Ids<i64>,
    Wanted(asked): Wanted<Asked>,
) -> Page {
    let dataset = visitor.caller.dataset(&service, id).await?;
    let catalogue = &service.catalogue;
    let (under, after) = (asked.under.trim(), asked.after.as_deref());
    let mut files = catalogue.files_under(id, under, after, MOST + 1).await?;
    let goes_on = files.len() > MOST as usize;
    files.truncate(MOST as usize);
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let jobs = catalogue.jobs_of(id).await?;
    let found = match jobs.iter().find(|it| it.state == JobState::Completed) {
        Some(job) => Some(catalogue.rules_at(job.id, &paths).await?),
        None => None,
    };
    let pictures = Pictures::of_files(id, &files);
    let (all, _) = catalogue.count_files(id).await?;
    let here = format!("/datasets/{id}/files");
    let body = html! {
        section aria-labelledby="title" {
            p.links { a href={ "/datasets/" (id) } { (shown(&dataset.name)) } }
            h1 #title { "Files" }
            form.filters method="get" action=(here) {
                label { "Path begins with " input name="under" value=(under) autocomplete="off"; }
                button { "Filter" }
                a href=(here) { "Show all" }
            }
            @if files.is_empty() { p { "No file fits." } } @else {
                (table(&files, all, found.as_ref(), &pictures))
            }
            nav.pages aria-label="Pages of files" {
                @if after.is_some() { a href=(address(&here, &[("under", under)])) { "First page" } }
                @if let Some(last) = files.last().filter(|_| goes_on) {
                    a rel="next" href=(address(&here, &[("under", under), ("after", &last.path)])) { "Next page" }
                }
            }
        }
    };
    Ok(Frame::of(&visitor, "Files").around(&body).into_response())
}

fn table(files: &[File], all: u64, found: Option<&Found>, pictures: &Pictures) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label="Table of files" {
            table.stack.findings {
                caption { (grouped(files.len() as u64)) " of " (counted(all, "file")) }
                thead { tr {
                    th scope="col" { "File" }
                    th.number scope="col" { "Size" }
                    th scope="col" { "Found" }
                } }
                tbody {
                    @for file in files {
                        tr {
                            td.file data-label="File" {
                                @if let Some(picture) = pictures.plain(&file.path) { (picture) }
                                a.path href=(of_file(file.dataset_id, &file.path)) { (shown(&file.path)) }
                            }
                            td.number data-label="Size" { (size(file.size_bytes)) }
                            td data-label="Found" { (rules(file, found)) }
                        }
                    }
                }
            }
        }
    }
}

fn rules(file: &File, found: Option<&Found>) -> Markup {
    let rules = found.map(|it| it.get(&file.path));
    html! {
        @match rules {
            _ if file.received_at.is_none() => span.quiet { "did not arrive" },
            None => span.quiet { "not validated yet" },
            Some(None) => span.quiet { "nothing" },
            Some(Some(rules)) => {
                @for (at, (level, rule)) in rules.iter().enumerate() {
                    @if at > 0 { ", " }
                    (severity(*level)) " " a href={ "/rules/" (rule) } { (rule) }
                }
            }
        }
    }
}

/// The findings of one file.
pub(super) fn of_file(dataset_id: i64, path: &str) -> String {
    address(&format!("/datasets/{dataset_id}"), &[("path", path)]) + "#findings"
}
