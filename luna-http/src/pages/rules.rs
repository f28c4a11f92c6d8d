//! Rules, drawn from their one declaration in the engine.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::response::IntoResponse;
use axum::routing::get;
use luna_core::rules::{Case, DefaultValue, FAMILIES, Registry, Rule, RuleOption, Status};
use luna_core::text::counted;
use maud::{Markup, html};

use super::layout::{Frame, address, prose, severity, shown};
use super::summary::summary;
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
    let own = own(&service, visitor.caller.team_id, rule).await?;
    let title = format!("{} {}", rule.code, rule.name);
    let body = html! {
        section aria-labelledby="title" {
            p { a href="/rules" { "All rules" } }
            h1 #title { (title) }
            p { (prose(rule.summary)) }
            @if matches!(rule.status, Status::Preview { .. }) {
                p.notice { "In preview: it runs only where a profile selects it." }
            }
            (own)
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
            (options(rule))
            @if !rule.references.is_empty() {
                h2 { "References" }
                ul { @for reference in rule.references { li { (prose(reference)) } } }
            }
        }
    };
    Ok(Frame::of(&visitor, &title).around(&body).into_response())
}

/// What the rule found in the newest data set of the team.
async fn own(service: &Service, team_id: i64, rule: &Rule) -> Result<Markup> {
    let newest = service.catalogue.datasets(Some(team_id), None, 1).await?;
    let Some(dataset) = newest.first() else { return Ok(html! {}) };
    let jobs = service.catalogue.latest_jobs(&[dataset.id]).await?;
    let Some(summary) = jobs.first().and_then(summary) else { return Ok(html! {}) };
    let findings = summary.counts.by_rule.get(rule.code).copied().unwrap_or_default();
    let page = address(&format!("/datasets/{}", dataset.id), &[("rule", rule.code)]);
    Ok(html! {
        p.notice {
            @if findings == 0 { "Nothing of it in " (shown(&dataset.name)) "." } @else {
                a href={ (page) "#findings" } { "Your " (counted(findings, "finding")) }
                " in " (shown(&dataset.name)) "."
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

fn options(rule: &Rule) -> Markup {
    let default = |option: &RuleOption| match option.default {
        DefaultValue::Number { value, least, most } => {
            (value.to_string(), format!("{least} to {most}"))
        }
        DefaultValue::Texts(texts) => (texts.join(", "), "list of texts".to_owned()),
    };
    html! {
        @if !rule.options.is_empty() {
            h2 { "Options" }
            p { "Under " code { "[rules." (rule.code) "]" } " in a profile." }
            table.stack {
                thead { tr {
                    th scope="col" { "Key" } th scope="col" { "Default" }
                    th scope="col" { "Range" } th scope="col" { "What it does" }
                } }
                tbody {
                    @for option in rule.options {
                        @let (value, range) = default(option);
                        tr {
                            th scope="row" { code { (option.key) } }
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
