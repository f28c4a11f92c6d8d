//! The first page: a team's data sets, newest first.

use std::sync::Arc;

use axum::Router;
use axum::extract::State as Shared;
use axum::response::IntoResponse;
use axum::routing::get;
use luna_core::text::{counted, grouped};
use luna_worker::catalogue::{Arrivals, Dataset, DatasetState, JobState, ValidationJob};
use maud::{Markup, html};
use serde::Deserialize;

use super::layout::{Frame, moment, shown, size};
use super::summary::{Summary, change_in_words, changes, state, summary, verdict};
use super::{Page, Visitor, Wanted};
use crate::problem::Result;
use crate::{Service, State};

/// Data sets a page.
const MOST: u32 = 50;

pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new().route("/", get(list))
}

#[derive(Debug, Default, Deserialize)]
struct Asked {
    before: Option<i64>,
}

/// A data set with what became of it.
struct Line {
    dataset: Dataset,
    arrivals: Option<Arrivals>,
    job: Option<ValidationJob>,
    summary: Option<Summary>,
}

async fn list(
    Shared(service): State,
    visitor: Visitor,
    Wanted(Asked { before }): Wanted<Asked>,
) -> Page {
    let lines = lines(&service, visitor.caller.team_id, before).await?;
    let (held, quota) = service.held(visitor.caller.team_id).await?;
    let older = (lines.len() == MOST as usize).then(|| lines.last().map(|it| it.dataset.id));
    let body = html! {
        section aria-labelledby="title" {
            h1 #title { "Data sets" }
            @if lines.is_empty() && before.is_none() {
                (nothing(&service.public_url))
            } @else {
                p { a.button href="/upload" { "Upload a data set" } }
                (table(&lines))
                p.quiet {
                    "Your team holds " (grouped(held.files)) " of " (counted(quota.files, "file"))
                    " and " (size(held.bytes)) " of " (size(quota.bytes)) "; "
                    (grouped(held.open_uploads)) " of " (counted(quota.open_uploads, "upload")) " are open."
                }
                @if let Some(Some(last)) = older {
                    p { a href={ "/?before=" (last) } { "Older data sets" } }
                }
            }
        }
    };
    Ok(Frame::of(&visitor, "Data sets").around(&body).into_response())
}

async fn lines(service: &Service, team_id: i64, before: Option<i64>) -> Result<Vec<Line>> {
    let datasets = service.catalogue.datasets(Some(team_id), before, MOST).await?;
    let ids: Vec<i64> = datasets.iter().map(|it| it.id).collect();
    let mut jobs = service.catalogue.latest_jobs(&ids).await?;
    let mut lines = Vec::with_capacity(datasets.len());
    for dataset in datasets {
        let arrivals = match dataset.state {
            DatasetState::Uploading => Some(service.catalogue.arrivals(dataset.id).await?),
            DatasetState::Complete => None,
        };
        let job = jobs.remove(&dataset.id);
        let summary = job.as_ref().and_then(summary);
        lines.push(Line { dataset, arrivals, job, summary });
    }
    Ok(lines)
}

/// What is there to do when there is nothing yet.
fn nothing(url: &str) -> Markup {
    let push = format!("luna push FOLDER --server {url}");
    html! {
        p { "Nothing has been uploaded yet. A data set is a folder of X-ray images, with its manifest and labels if there are any." }
        a.drop href="/upload" { b { "Choose a folder" } " or drop it on the page that opens" }
        p { "From a terminal, which checks the folder on your own machine first:" }
        p.command {
            code { (push) } " "
            button type="button" data-copy=(push) data-script hidden { "Copy" }
        }
    }
}

fn table(lines: &[Line]) -> Markup {
    html! {
        table.stack {
            caption.hushed { "Data sets of your team, the newest first" }
            thead { tr {
                th scope="col" { "Name" }
                th scope="col" { "State" }
                th scope="col" { "Verdict" }
                th.number scope="col" { "Errors" }
                th.number scope="col" { "Warnings" }
                th scope="col" { "Since the version before" }
                th scope="col" { "Last change" }
            } }
            tbody { @for line in lines { (line.row(earlier(lines, &line.dataset))) } }
        }
    }
}

/// The version before, if it is on the same page.
fn earlier<'a>(lines: &'a [Line], dataset: &Dataset) -> Option<&'a Line> {
    let before = |it: &&Line| {
        it.dataset.lineage == dataset.lineage && it.dataset.version + 1 == dataset.version
    };
    lines.iter().find(before)
}

impl Line {
    fn row(&self, earlier: Option<&Self>) -> Markup {
        let Self { dataset, job, summary, .. } = self;
        let count = |of: fn(&Summary) -> u64| summary.as_ref().map(|it| grouped(of(it)));
        let difference = earlier
            .and_then(|it| Some(changes(&it.summary.as_ref()?.counts, &summary.as_ref()?.counts)));
        html! {
            tr {
                th scope="row" {
                    a.path href=(self.address()) { (shown(&dataset.name)) }
                    span.quiet { " version " (dataset.version) }
                    @if dataset.submitted_at.is_some() { span.quiet { ", counts" } }
                }
                td data-label="State" { (self.state()) }
                td data-label="Verdict" {
                    @if let Some(job) = job { (verdict(job)) } @else { span.quiet { "none yet" } }
                }
                td.number data-label="Errors" { (count(|it| it.counts.error).unwrap_or_else(none)) }
                td.number data-label="Warnings" {
                    (count(|it| it.counts.warning).unwrap_or_else(none))
                }
                td data-label="Since the version before" {
                    (difference.as_ref().map_or_else(none, change_in_words))
                }
                td data-label="Last change" {
                    (moment(job.as_ref().and_then(|it| it.completed_at).unwrap_or(dataset.touched_at)))
                }
            }
        }
    }

    fn address(&self) -> String {
        let id = self.dataset.id;
        match self.dataset.state {
            DatasetState::Uploading => format!("/upload/{id}"),
            DatasetState::Complete => format!("/datasets/{id}"),
        }
    }

    fn state(&self) -> Markup {
        if let Some(Arrivals { announced, received }) = self.arrivals {
            return html! {
                (grouped(received)) " of " (grouped(announced)) " files arrived; "
                a href=(self.address()) { "choose the same folder to go on" }
            };
        }
        let Some(job) = &self.job else { return html! { "complete" } };
        html! {
            (state(job))
            @if job.state == JobState::Processing && job.files_total > 0 {
                ", " (grouped(job.files_done)) " of " (grouped(job.files_total)) " files"
            }
        }
    }
}

fn none() -> String {
    "–".to_owned()
}
