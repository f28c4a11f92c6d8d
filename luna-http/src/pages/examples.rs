//! A picture that a rule fires on, and one that it leaves alone: drawn once, from the recipes that test the rule.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use luna_core::report::picture_svg;
use luna_core::rules::{Registry, Rule};
use luna_core::source::Memory;
use luna_core::{Finding, Picture, Profile, Report, Validator};
use luna_fixtures::{Entry, Recipe, examples};

use super::{Page, Visitor};
use crate::problem::{Problem, Result};
use crate::{Service, State};

/// Long side, in pixels.
const SIDE: u32 = 320;

/// Drawings by rule, and by whether it fires; `None` where there is nothing to see.
type Drawings = BTreeMap<(&'static str, bool), Option<Arc<str>>>;

static DRAWN: Mutex<Drawings> = Mutex::new(Drawings::new());

pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new().route("/rules/{code}/{picture}", get(svg))
}

/// Name of the picture that shows a rule firing, or not.
pub(super) fn name(fires: bool) -> &'static str {
    if fires { "failing.svg" } else { "passing.svg" }
}

async fn svg(
    Shared(service): State,
    _: Visitor,
    Path((code, picture)): Path<(String, String)>,
) -> Page {
    let fires = [true, false].into_iter().find(|fires| name(*fires) == picture);
    let registry = Registry::default();
    let (Some(fires), Some(rule)) = (fires, registry.get(&code)) else {
        return Err(Problem::not_found());
    };
    let drawn = drawing(&service, rule, fires).await?.ok_or_else(Problem::not_found)?;
    let head = [(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "private, max-age=86400")];
    Ok((head, drawn.to_string()).into_response())
}

/// The drawing, if there is something to see.
pub(super) async fn drawing(
    service: &Service,
    rule: &Rule,
    fires: bool,
) -> Result<Option<Arc<str>>> {
    let key = (rule.code, fires);
    let known = DRAWN.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    if let Some(known) = known {
        return Ok(known);
    }
    let permit = Arc::clone(&service.drawing).acquire_owned().await;
    let permit = permit.map_err(|_| Problem::internal())?;
    let drawn = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        drawn(key.0, fires)
    });
    let drawn: Option<Arc<str>> = drawn.await.map_err(|_| Problem::internal())?.map(Arc::from);
    DRAWN.lock().unwrap_or_else(PoisonError::into_inner).insert(key, drawn.clone());
    Ok(drawn)
}

/// Of the first example in which there is something to see.
fn drawn(code: &str, fires: bool) -> Option<String> {
    examples(code, fires).find_map(|recipe| drawn_of(&recipe, code, fires))
}

fn drawn_of(recipe: &Recipe, code: &str, fires: bool) -> Option<String> {
    let profile = recipe.profile().and_then(|text| Profile::parse(text, "example").ok());
    let validator = Validator::builder().profile(profile.unwrap_or_default()).build().ok()?;
    let files = recipe.build().ok()?.into_iter().filter_map(|(path, entry)| match entry {
        Entry::File(bytes) => Some((path, bytes)),
        Entry::Link(_) => None,
    });
    let source: Memory = files.collect();
    let report = validator.validate(&source).ok()?;
    let (path, findings) = subject(&report, code, fires)?;
    let marked: Vec<&Finding> = findings.iter().filter(|it| it.rule == code).collect();
    let look = validator.second_look(&source);
    let picture = Picture::of(path, 0, findings, &look, SIDE)?;
    Some(picture_svg(&picture, &marked))
}

/// The file that the rule speaks of, or any picture where it is silent.
fn subject<'a>(report: &'a Report, code: &str, fires: bool) -> Option<(&'a str, &'a [Finding])> {
    let related: Vec<&String> = report
        .findings
        .iter()
        .filter(|finding| finding.rule == code)
        .flat_map(|it| &it.related)
        .collect();
    let mut pictures = report.files.iter().filter(|file| file.facts.width.is_some());
    let found = pictures.find(|file| {
        let is_meant = file.findings.iter().any(|finding| finding.rule == code);
        !fires || is_meant || related.contains(&&file.path)
    })?;
    Some((&found.path, &found.findings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_is_what_the_rule_found() {
        let cut = drawn("LF004", true).unwrap();
        assert!(cut.contains("<rect class=\"undecoded\""), "{cut:.300}");
        let whole = drawn("LF004", false).unwrap();
        assert!(whole.contains("data:image/jpeg") && !whole.contains("<rect class=\"undecoded\""));
        assert_eq!(drawn("XX000", true), None);
    }

    #[test]
    fn most_rules_about_pictures_show_one() {
        let registry = Registry::default();
        let about_pixels = registry.rules().iter().filter(|rule| rule.code.starts_with("LP"));
        let (shown, dark): (Vec<_>, Vec<_>) =
            about_pixels.map(|rule| rule.code).partition(|code| drawn(code, true).is_some());
        assert!(shown.len() > dark.len() * 5, "{dark:?} show nothing");
    }
}
