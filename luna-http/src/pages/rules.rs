//! Rules, drawn from their one declaration in the engine.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::response::IntoResponse;
use axum::routing::get;
use luna_core::report::Digest;
use luna_core::rules::{Case, DefaultValue, FAMILIES, Registry, Rule, RuleOption, Status};
use luna_core::text::counted;
use luna_core::{Profile, Settings};
use luna_worker::catalogue::Dataset;
use maud::{Markup, html};

use super::examples::{drawing, name};
use super::layout::{Frame, address, prose, severity, shown};
use super::report::{Pictures, digest, gallery};
use super::summary::{Summary, summary};
use super::{Page, Visitor};
use crate::problem::{Problem, Result};
use crate::{Service, State};

pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new().route("/rules", get(index)).route("/rules/{code}", get(rule))
}

async fn index(visitor: Visitor) -> Page {
    let body = html! {
        section aria-labelledby="title" {
            h1 #title { "Rules" }
            p { "Everything that is looked for, by family. Each rule says what it finds, why that matters and what to do." }
            @for family in FAMILIES {
                h2 { (family.prefix) ": " (family.title) }
                dl.rules {
                    @for rule in family.topics.iter().copied().flatten() {
                        dt { a href={ "/rules/" (rule.code) } { (rule.code) " " (rule.name) } }
                        dd { (prose(rule.summary)) }
                    }
                }
            }
        }
    };
    Ok(Frame::of(&visitor, "Rules").around(&body).into_response())
}

async fn rule(Shared(service): State, visitor: Visitor, Path(code): Path<String>) -> Page {
    let registry = Registry::default();
    let rule = registry.find(&code).ok_or_else(Problem::not_found)?;
    let newest = Newest::of(&service, visitor.caller.team_id).await?;
    let settings = in_force(&service, newest.as_ref()).await?;
    let title = format!("{} {}", rule.code, rule.name);
    let body = html! {
        section aria-labelledby="title" {
            p { a href="/rules" { "All rules" } }
            h1 #title { (title) }
            p { (prose(rule.summary)) }
            @if matches!(rule.status, Status::Preview { .. }) {
                p.notice { "In preview: it runs only where a profile selects it." }
            }
            @if let Some(newest) = &newest { (newest.findings_of(rule)) }
            (examples(&service, rule).await?)
            @for (heading, text) in [
                ("Why it matters", rule.why),
                ("What to do", rule.how_to_fix),
                ("How it is measured", rule.measured),
            ] {
                @if !text.is_empty() {
                    h2 { (heading) }
                    @for paragraph in text.split("\n\n") { p { (prose(paragraph)) } }
                }
            }
            (cases(rule))
            (options(rule, &settings))
            @if !rule.references.is_empty() {
                h2 { "References" }
                ul { @for reference in rule.references { li { (prose(reference)) } } }
            }
        }
    };
    Ok(Frame::of(&visitor, &title).around(&body).into_response())
}

/// The newest validated data set of a team.
struct Newest {
    dataset: Dataset,
    profile_id: Option<i64>,
    summary: Summary,
    digest: Option<Digest>,
    pictures: Pictures,
}

impl Newest {
    async fn of(service: &Service, team_id: i64) -> Result<Option<Self>> {
        let newest = service.catalogue.datasets(Some(team_id), None, 1).await?;
        let Some(dataset) = newest.into_iter().next() else { return Ok(None) };
        let jobs = service.catalogue.latest_jobs(&[dataset.id]).await?;
        let job = jobs.get(&dataset.id);
        let Some((job, summary)) = job.and_then(|job| Some((job, summary(job)?))) else {
            return Ok(None);
        };
        let digest = digest(service, job).await?;
        let paths = digest.iter().flat_map(|it| &it.rules).flat_map(|it| &it.pictures);
        let paths: BTreeSet<&str> = paths.map(String::as_str).collect();
        let paths: Vec<&str> = paths.into_iter().collect();
        let pictures = Pictures::at(service, dataset.id, &paths).await?;
        Ok(Some(Self { profile_id: job.profile_id, dataset, summary, digest, pictures }))
    }

    /// What a rule found in it, with pictures.
    fn findings_of(&self, rule: &Rule) -> Markup {
        let findings = self.summary.counts.by_rule.get(rule.code).copied().unwrap_or_default();
        let page = address(&format!("/datasets/{}", self.dataset.id), &[("rule", rule.code)]);
        let groups = self.digest.iter().flat_map(|it| &it.rules).filter(|it| it.rule == rule.code);
        html! {
            div.notice {
                p {
                    @if findings == 0 { "Nothing of it in " (shown(&self.dataset.name)) "." } @else {
                        a href={ (page) "#findings" } { "Your " (counted(findings, "finding")) }
                        " in " (shown(&self.dataset.name)) "."
                    }
                }
                @for group in groups { (gallery(group, &self.pictures)) }
            }
        }
    }
}

/// What a team is judged by: the profile of its newest validation.
async fn in_force(service: &Service, newest: Option<&Newest>) -> Result<Settings> {
    let profile = match newest.and_then(|it| it.profile_id) {
        None => Profile::default(),
        Some(id) => {
            let kept = service.catalogue.profile(id).await?;
            Profile::parse(&kept.body, &kept.name).map_err(|error| {
                tracing::error!(%error, profile = id, "a kept profile cannot be read");
                Problem::internal()
            })?
        }
    };
    Settings::new(profile, Registry::default()).map_err(|_| Problem::internal())
}

/// How it looks where the rule fires, and where it does not.
async fn examples(service: &Service, rule: &Rule) -> Result<Markup> {
    let mut shown = Vec::new();
    for (fires, caption) in [(true, "It fires here"), (false, "and here it is silent")] {
        if drawing(service, rule, fires).await?.is_some() {
            shown.push((format!("/rules/{}/{}", rule.code, name(fires)), caption));
        }
    }
    Ok(html! {
        @if !shown.is_empty() {
            h2 { "How it looks" }
            ul.gallery {
                @for (source, caption) in &shown {
                    li { figure { img.picture src=(source) alt="" loading="lazy"; figcaption { (caption) } } }
                }
            }
        }
    })
}

fn cases(rule: &Rule) -> Markup {
    let name = |case: &Case| match case.name {
        "" => rule.code.to_owned(),
        name => format!("{}/{name}", rule.code),
    };
    html! {
        h2 { "How grave it is" }
        table.stack {
            thead { tr {
                th scope="col" { "Case" } th scope="col" { "Severity" } th scope="col" { "When" }
            } }
            tbody {
                @for case in rule.cases {
                    tr {
                        th scope="row" { code { (name(case)) } }
                        td data-label="Severity" { (severity(case.severity)) }
                        td data-label="When" { (prose(case.about)) }
                    }
                }
            }
        }
    }
}

fn options(rule: &Rule, settings: &Settings) -> Markup {
    let default = |option: &RuleOption| match option.default {
        DefaultValue::Number { value, least, most } => {
            (value.to_string(), settings.number(option).to_string(), format!("{least} to {most}"))
        }
        DefaultValue::Texts(texts) => {
            (texts.join(", "), settings.texts(option).join(", "), "list of texts".to_owned())
        }
    };
    html! {
        @if !rule.options.is_empty() {
            h2 { "Options" }
            p {
                "Under " code { "[rules." (rule.code) "]" } " in a profile; you are judged by "
                b { (shown(&settings.profile().name)) } "."
            }
            table.stack {
                thead { tr {
                    th scope="col" { "Key" } th scope="col" { "In force" } th scope="col" { "Default" }
                    th scope="col" { "Range" } th scope="col" { "What it does" }
                } }
                tbody {
                    @for option in rule.options {
                        @let (value, in_force, range) = default(option);
                        tr {
                            th scope="row" { code { (option.key) } }
                            td data-label="In force" { (in_force) " " (option.unit) }
                            td data-label="Default" { (value) " " (option.unit) }
                            td data-label="Range" { (range) }
                            td data-label="What it does" { (prose(option.about)) }
                        }
                    }
                }
            }
        }
    }
}
