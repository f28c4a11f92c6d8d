//! A data set: what is going on with it, and once that is over, its report.

use std::sync::Arc;

use axum::Router;
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use luna_core::text::{counted, grouped};
use luna_worker::catalogue::{Dataset, DatasetState, JobState, ValidationJob};
use maud::{Markup, html};

use super::layout::{Frame, moment, shown};
use super::report::{Asked, report};
use super::summary::{change_in_words, changes, state, summary};
use super::{Page, Visitor, Wanted, assets};
use crate::body::Ids;
use crate::caller::Caller;
use crate::problem::Result;
use crate::{Service, State};

/// Seconds after which a browser without scripts looks again.
const AGAIN: u32 = 5;

pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/datasets/{dataset_id}", get(dataset))
        .route("/datasets/{dataset_id}/rerun", post(rerun))
        .route("/datasets/{dataset_id}/cancel", post(cancel))
        .route("/datasets/{dataset_id}/submit", post(submit))
        .route("/datasets/{dataset_id}/delete", post(delete))
}

async fn dataset(
    Shared(service): State,
    visitor: Visitor,
    Ids(id): Ids<i64>,
    Wanted(asked): Wanted<Asked>,
) -> Page {
    let dataset = visitor.caller.dataset(&service, id).await?;
    if dataset.state == DatasetState::Uploading {
        return Ok(Redirect::to(&format!("/upload/{id}")).into_response());
    }
    let jobs = service.catalogue.jobs_of(id).await?;
    let newest = jobs.first();
    let may_change = visitor.caller.team(Some(dataset.team_id)).is_ok();
    let is_running = newest.is_some_and(|it| it.state.is_unfinished());
    let body = html! {
        (head(&service, &dataset).await?)
        @if let Some(job) = newest { (banner(job)) }
        @if let Some(job) = newest.filter(|_| is_running) {
            (running(&service, &dataset, job).await?)
        }
        @if let Some(job) = newest.filter(|_| may_change) { (buttons(&dataset, job)) }
        @if let Some(job) = jobs.iter().find(|it| it.state == JobState::Completed) {
            (report(&service, &dataset, job, newest.is_some_and(|it| it.id == job.id), &asked).await?)
        }
    };
    let mut frame = Frame::of(&visitor, &dataset.name);
    if is_running {
        frame = frame.with_script(&assets::WATCH).looking_again(AGAIN);
    }
    Ok(frame.around(&body).into_response())
}

/// Name, version, what changed since the one before, and whether there is a newer one.
async fn head(service: &Service, dataset: &Dataset) -> Result<Markup> {
    let versions = service.catalogue.versions(dataset.lineage).await?;
    let newer = versions.last().filter(|it| it.version > dataset.version);
    let earlier = versions.iter().rev().find(|it| it.version < dataset.version);
    let difference = match earlier {
        Some(earlier) => {
            let jobs = service.catalogue.latest_jobs(&[earlier.id, dataset.id]).await?;
            let of = |id| jobs.get(&id).and_then(summary);
            let both = of(earlier.id).zip(of(dataset.id));
            both.map(|(before, now)| (earlier, changes(&before.counts, &now.counts)))
        }
        None => None,
    };
    Ok(html! {
        section aria-labelledby="title" {
            h1 #title { (shown(&dataset.name)) }
            p.quiet {
                "Version " (dataset.version) " · begun " (moment(dataset.created_at))
                @if let Some(at) = dataset.submitted_at { " · submitted " (moment(at)) }
            }
            @if !dataset.description.is_empty() { p { (shown(&dataset.description)) } }
            @if let Some((earlier, changes)) = &difference {
                p {
                    (change_in_words(changes)) " than "
                    a href={ "/datasets/" (earlier.id) } { "version " (earlier.version) }
                    @if !changes.is_empty() { ": " }
                    @for (at, (rule, change)) in changes.iter().take(12).enumerate() {
                        @if at > 0 { ", " }
                        a href={ "/rules/" (rule) } { (rule) } " " (signed(*change))
                    }
                    @if changes.len() > 12 { ", and " (changes.len() - 12) " rules more" }
                }
            }
            @if let Some(newer) = newer {
                p.notice.warning {
                    "There is a newer version: "
                    a href={ "/datasets/" (newer.id) } { "version " (newer.version) } "."
                }
            }
        }
    })
}

fn signed(change: i64) -> String {
    let sign = if change < 0 { "−" } else { "+" };
    format!("{sign}{}", grouped(change.unsigned_abs()))
}

/// What has to be said before the report, if anything.
fn banner(job: &ValidationJob) -> Markup {
    html! {
        @match job.state {
            JobState::Failed => {
                p.complaint {
                    b { "The validation could not be run. " }
                    (shown(job.error_message.as_deref().unwrap_or("No reason was given.")))
                }
            }
            JobState::Cancelled => {
                p.notice.warning { "The validation was cancelled"
                    @if let Some(at) = job.completed_at { " at " (moment(at)) } "." }
            }
            _ => {}
        }
    }
}

/// Numbers that a script keeps up to date; without one the page comes again.
async fn running(service: &Service, dataset: &Dataset, job: &ValidationJob) -> Result<Markup> {
    let place = service.catalogue.queue_place(job.id).await?;
    let (done, total) = (job.files_done, job.files_total);
    Ok(html! {
        section #watch aria-labelledby="watch-title" data-dataset=(dataset.id) {
            h2 #watch-title { "Validation" }
            p role="status" aria-live="polite" {
                span #watch-state { (state(job)) }
                " · " span #watch-files { (grouped(done)) " of " (grouped(total)) " files" }
                " · " span #watch-queue {
                    "place " (grouped(place.position)) " in the queue, "
                    (counted(place.files_ahead, "file")) " ahead, "
                    (counted(place.workers_alive, "worker"))
                }
            }
            progress #watch-bar aria-label="Files done" max=(total.max(1)) value=(done) {}
            p.notice.warning #watch-lost hidden { "Reconnecting; the numbers are as they were last." }
            h2 { "Found so far" }
            p.quiet #watch-count { "Findings appear here as they come." }
            ol.live #watch-findings {}
        }
    })
}

fn buttons(dataset: &Dataset, job: &ValidationJob) -> Markup {
    html! {
        div.links {
            @if job.state.is_unfinished() {
                form method="post" action={ "/datasets/" (dataset.id) "/cancel" } {
                    button { "Cancel the validation" }
                }
            } @else {
                a.button href={ "/upload?replaces=" (dataset.id) } { "Upload the next version" }
                form method="post" action={ "/datasets/" (dataset.id) "/rerun" } {
                    button { "Validate again" }
                }
            }
            @if job.state == JobState::Completed && dataset.submitted_at.is_none() {
                form method="post" action={ "/datasets/" (dataset.id) "/submit" } {
                    button { "Let this version count" }
                }
            }
            @if dataset.submitted_at.is_none() {
                details.sure {
                    summary { "Delete" }
                    form method="post" action={ "/datasets/" (dataset.id) "/delete" } {
                        p { "Its files and its reports go for good; other versions keep theirs." }
                        button { "Delete this version" }
                    }
                }
            }
        }
    }
}

async fn rerun(Shared(service): State, caller: Caller, Ids(id): Ids<i64>) -> Page {
    service.rerun(&caller, id).await?;
    Ok(Redirect::to(&format!("/datasets/{id}")).into_response())
}

async fn cancel(Shared(service): State, caller: Caller, Ids(id): Ids<i64>) -> Page {
    service.cancel(&caller, id).await?;
    Ok(Redirect::to(&format!("/datasets/{id}")).into_response())
}

async fn submit(Shared(service): State, caller: Caller, Ids(id): Ids<i64>) -> Page {
    service.submit_dataset(&caller, id).await?;
    Ok(Redirect::to(&format!("/datasets/{id}")).into_response())
}

async fn delete(Shared(service): State, caller: Caller, Ids(id): Ids<i64>) -> Page {
    service.delete_dataset(&caller, id).await?;
    Ok(Redirect::to("/").into_response())
}
