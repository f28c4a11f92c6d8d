//! Every team's newest data set, for those who run a competition.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::State as Shared;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use luna_core::report::Counts;
use luna_core::rules::FAMILIES;
use luna_core::text::grouped;
use luna_worker::catalogue::{Dataset, DatasetState, Team, ValidationJob};
use maud::{Markup, html};

use super::layout::{Frame, shown};
use super::summary::{Summary, state, summary, verdict};
use super::{Page, Visitor};
use crate::problem::Result;
use crate::{Service, State};

/// Teams a question.
const MOST: u32 = 500;

pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new().route("/organiser", get(page)).route("/organiser.csv", get(csv))
}

/// A team with its newest data set.
struct Line {
    team: Team,
    dataset: Option<Dataset>,
    job: Option<ValidationJob>,
    summary: Option<Summary>,
}

async fn lines(service: &Service) -> Result<Vec<Line>> {
    let datasets = service.catalogue.newest_datasets().await?;
    let ids: Vec<i64> = datasets.iter().map(|it| it.id).collect();
    let mut jobs = service.catalogue.latest_jobs(&ids).await?;
    let mut datasets: BTreeMap<i64, _> = datasets.into_iter().map(|it| (it.team_id, it)).collect();
    let mut lines = Vec::new();
    let mut after = 0;
    loop {
        let teams = service.catalogue.teams(after, MOST).await?;
        let Some(last) = teams.last() else { return Ok(lines) };
        after = last.id;
        for team in teams {
            let dataset = datasets.remove(&team.id);
            let job = dataset.as_ref().and_then(|it| jobs.remove(&it.id));
            let summary = job.as_ref().and_then(summary);
            lines.push(Line { team, dataset, job, summary });
        }
    }
}

async fn page(Shared(service): State, visitor: Visitor) -> Page {
    visitor.caller.organiser()?;
    let lines = lines(&service).await?;
    let body = html! {
        section aria-labelledby="title" {
            h1 #title { "Teams" }
            p.links {
                a href="/organiser.csv" { "All of it as CSV" }
                a href="/organiser/duplicates" { "Pictures of several teams" }
            }
            // A caption would be as wide as the table, and its end out of sight on a narrow screen.
            p #about.hushed {
                "The newest data set of each team, and its findings by family; the darker, the more for an image."
            }
            div.scroll tabindex="0" role="group" aria-label="Teams" {
                table.heat aria-labelledby="about" {
                    thead { tr {
                        th scope="col" { "Team" }
                        th scope="col" { "Data set" }
                        th scope="col" { "State" }
                        th scope="col" { "Verdict" }
                        th.number scope="col" { "Images" }
                        th.number scope="col" { "Patients" }
                        th.number scope="col" { "Errors" }
                        @for family in FAMILIES {
                            th.number scope="col" { abbr title=(family.title) { (family.prefix) } }
                        }
                    } }
                    tbody { @for line in &lines { (line.row()) } }
                }
            }
        }
    };
    Ok(Frame::of(&visitor, "Teams").around(&body).into_response())
}

impl Line {
    fn state(&self) -> &'static str {
        match (&self.dataset, &self.job) {
            (None, _) => "nothing uploaded",
            (Some(dataset), _) if dataset.state == DatasetState::Uploading => "uploading",
            (_, Some(job)) => state(job),
            (_, None) => "complete",
        }
    }

    fn row(&self) -> Markup {
        let number = |of: fn(&Summary) -> Option<u64>| {
            self.summary.as_ref().and_then(of).map_or_else(|| "–".to_owned(), grouped)
        };
        html! {
            tr {
                th scope="row" { (shown(&self.team.name)) }
                td {
                    @if let Some(dataset) = &self.dataset {
                        @if self.job.is_some() {
                            a.path href={ "/datasets/" (dataset.id) } { (shown(&dataset.name)) }
                        } @else { (shown(&dataset.name)) }
                        span.quiet { " version " (dataset.version) }
                    }
                }
                td { (self.state()) }
                td { @if let Some(job) = &self.job { (verdict(job)) } }
                td.number { (number(|it| it.images)) }
                td.number { (number(|it| it.patients)) }
                td.number { (number(|it| Some(it.counts.error))) }
                @for family in FAMILIES { (self.heat(family.prefix)) }
            }
        }
    }

    /// Findings of a family: the number, and a ground by how many an image has.
    fn heat(&self, prefix: &str) -> Markup {
        let Some(summary) = &self.summary else { return html! { td.number { "–" } } };
        let findings = of_family(&summary.counts, prefix);
        let images = summary.images.unwrap_or(summary.files_checked).max(1);
        let class = match findings {
            0 => "",
            _ if findings * 100 < images => "h1",
            _ if findings * 10 < images => "h2",
            _ => "h3",
        };
        html! { td.number.(class) { (grouped(findings)) } }
    }
}

fn of_family(counts: &Counts, prefix: &str) -> u64 {
    counts.by_rule.iter().filter(|(rule, _)| rule.starts_with(prefix)).map(|(_, n)| n).sum()
}

async fn csv(Shared(service): State, visitor: Visitor) -> Page {
    visitor.caller.organiser()?;
    let mut text =
        String::from("team,dataset_id,dataset,version,state,verdict,images,patients,errors");
    for family in FAMILIES {
        let _ = write!(text, ",{}", family.prefix);
    }
    text.push_str("\r\n");
    for line in lines(&service).await? {
        line.write(&mut text);
    }
    let head = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"teams.csv\""),
    ];
    Ok((head, text).into_response())
}

impl Line {
    fn write(&self, out: &mut String) {
        let verdict = self.job.as_ref().and_then(|it| it.verdict.as_deref());
        let images = self.summary.as_ref().and_then(|it| it.images);
        let patients = self.summary.as_ref().and_then(|it| it.patients);
        let errors = self.summary.as_ref().map(|it| it.counts.error);
        let number = |n: Option<u64>| n.map(|it| it.to_string()).unwrap_or_default();
        let dataset = self.dataset.as_ref();
        let mut cells = vec![
            cell(&self.team.name),
            dataset.map(|it| it.id.to_string()).unwrap_or_default(),
            dataset.map(|it| cell(&it.name)).unwrap_or_default(),
            dataset.map(|it| it.version.to_string()).unwrap_or_default(),
            self.state().to_owned(),
            verdict.unwrap_or_default().to_owned(),
            number(images),
            number(patients),
            number(errors),
        ];
        for family in FAMILIES {
            let counts = self.summary.as_ref().map(|it| of_family(&it.counts, family.prefix));
            cells.push(number(counts));
        }
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
}

/// A text for a cell: quoted, and nothing that a spreadsheet would reckon with.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { "'" } else { "" };
    format!("\"{guard}{}\"", luna_core::text::escaped(text).replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_hold_no_formula_and_no_end() {
        assert_eq!(cell("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        assert_eq!(cell("a,b\nc"), "\"a,b\\nc\"");
        for sign in ["+1", "-1", "@x", "\t=1"] {
            assert!(cell(sign).starts_with("\"'"), "{sign}");
        }
    }
}
