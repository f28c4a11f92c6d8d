//! The report on a page: verdict, what to do first, a card a rule, copies, the set as a whole, findings page by
//! page, where it comes from.

use std::collections::{BTreeMap, BTreeSet};

use luna_core::Severity;
use luna_core::report::{Digest, RuleDigest};
use luna_core::rules::Registry;
use luna_core::text::{counted, grouped};
use luna_worker::catalogue::{Dataset, File, FindingFilter, StoredFinding, ValidationJob};
use maud::{Markup, PreEscaped, html};
use serde::Deserialize;

use super::files::of_file;
use super::layout::{address, moment, prose, severity, shown};
use super::summary::{Summary, summary};
use crate::Service;
use crate::problem::Result;

/// Cards that are open from the start.
const OPEN: usize = 3;
/// Findings a page.
const MOST: u32 = 50;
/// The largest digest that is read.
const MOST_BYTES: u64 = 4 << 20;

/// Which findings are wanted; all of it lives in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    rule: String,
    severity: String,
    path: String,
    after: Option<u64>,
}

impl Asked {
    fn filter(&self) -> FindingFilter {
        let text = |it: &String| Some(it.trim().to_owned()).filter(|it| !it.is_empty());
        let severity = Severity::ALL.into_iter().find(|it| it.as_str() == self.severity);
        FindingFilter {
            rule: text(&self.rule),
            severity,
            path: text(&self.path),
            after: self.after,
        }
    }
}

/// The report of a job that was run; `is_newest` if no other was begun since.
pub(super) async fn report(
    service: &Service,
    dataset: &Dataset,
    job: &ValidationJob,
    is_newest: bool,
    asked: &Asked,
) -> Result<Markup> {
    let digest = digest(service, job).await?;
    let filter = asked.filter();
    let findings = service.catalogue.findings(job.id, &filter, MOST + 1).await?;
    let summary = summary(job).unwrap_or_default();
    let pictures = Pictures::of(service, dataset, is_newest, digest.as_ref(), &findings).await?;
    Ok(html! {
        @if !is_newest {
            p.notice.warning {
                "This is the report of an earlier validation"
                @if let Some(at) = job.completed_at { ", of " (moment(at)) } "."
            }
        }
        (verdict(job, &summary, digest.as_ref()))
        @if is_newest { (links(dataset)) }
        @if let Some(digest) = &digest {
            (first_steps(dataset, digest))
            (everywhere(dataset, digest, &pictures))
            (cards(dataset, digest, &pictures))
            (PreEscaped(digest.copies.to_html(&|path| pictures.address(path, ""), &|path| of_file(dataset.id, path))))
            (PreEscaped(digest.set.to_html(&|path| of_file(dataset.id, path))))
        }
        (table(dataset, &findings, asked, total(&filter, &summary), &pictures))
        @if let Some(origin) = digest.as_ref().and_then(|it| it.origin.as_ref()) {
            (PreEscaped(origin.to_html()))
        }
    })
}

/// The digest that a worker left; `None` of jobs from before there were any.
pub(super) async fn digest(service: &Service, job: &ValidationJob) -> Result<Option<Digest>> {
    let artifacts = service.catalogue.artifacts(job.id).await?;
    let Some(artifact) = artifacts.into_iter().find(|it| it.file.name == "digest.json") else {
        return Ok(None);
    };
    let bytes = service.storage.read(&artifact.file.object_key, MOST_BYTES).await?;
    Ok(serde_json::from_slice(&bytes)
        .inspect_err(|error| tracing::error!(%error, job = job.id, "a digest cannot be read"))
        .ok())
}

fn verdict(job: &ValidationJob, summary: &Summary, digest: Option<&Digest>) -> Markup {
    let word = job.verdict.as_deref().unwrap_or("incomplete");
    let headline = digest.map_or_else(
        || {
            let (failed, all) = (grouped(summary.files_failed), grouped(summary.files_checked));
            format!("{} in {failed} of {all} files", counted(summary.counts.error, "error"))
        },
        |digest| digest.headline.clone(),
    );
    html! {
        section.verdict.(word) aria-labelledby="verdict-title" {
            h2 #verdict-title { span.stamp { (word) } " " (headline) "." }
            p.quiet {
                (counted(summary.files_checked, "file"))
                @if let Some(images) = summary.images { " · " (counted(images, "image")) }
                @if let Some(at) = job.completed_at { " · validated " (moment(at)) }
            }
            @if let Some(digest) = digest {
                dl.shares {
                    @for (class, shape, label, files) in [
                        ("error", Severity::Error.shape(), "with errors", digest.with_errors),
                        ("warning", Severity::Warning.shape(), "with warnings", digest.with_warnings),
                        ("clean", "✓", "clean", digest.clean),
                    ] {
                        div.(class) {
                            dt { span aria-hidden="true" { (shape) } " " (label) }
                            dd { b { (grouped(files)) } }
                        }
                    }
                }
            }
        }
    }
}

fn links(dataset: &Dataset) -> Markup {
    let report = format!("/api/v1/validation/{}/report?format=", dataset.id);
    html! {
        p.links {
            a href={ "/datasets/" (dataset.id) "/files" } { "All files" }
            a href={ (report) "html" } { "The report as one page to keep" }
            a href={ (report) "json" } { "as JSON" }
        }
    }
}

fn first_steps(dataset: &Dataset, digest: &Digest) -> Markup {
    let registry = Registry::default();
    let remedy = |rule: &str| registry.get(rule).map_or("", |rule| rule.how_to_fix);
    html! {
        @if !digest.first.is_empty() {
            section aria-labelledby="first-title" {
                h2 #first-title { "Do this first" }
                ol.steps {
                    @for (at, step) in digest.first.iter().enumerate() {
                        li {
                            p { (prose(remedy(&step.rule))) }
                            p.quiet {
                                (severity(step.severity)) " "
                                a href=(findings_of(dataset, &step.rule)) { (shown(&step.rule)) }
                                @if step.frees > 0 {
                                    " · " @if at > 0 { "then " } "frees " b { (counted(step.frees, "file")) }
                                } @else {
                                    " · one of several faults in " (counted(step.files, "file"))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn findings_of(dataset: &Dataset, rule: &str) -> String {
    address(&format!("/datasets/{}", dataset.id), &[("rule", rule)]) + "#findings"
}

/// Which files of the data set pictures can be asked of.
pub(super) struct Pictures {
    dataset_id: i64,
    ids: BTreeMap<String, i64>,
}

impl Pictures {
    /// Of all files that the page names. What lies in an archive has none, and an earlier report's findings are
    /// not those that pictures are marked with.
    async fn of(
        service: &Service,
        dataset: &Dataset,
        is_newest: bool,
        digest: Option<&Digest>,
        findings: &[StoredFinding],
    ) -> Result<Self> {
        let of_rules = digest
            .into_iter()
            .flat_map(|it| &it.rules)
            .flat_map(|it| &it.pictures)
            .map(String::as_str);
        let of_copies = digest
            .into_iter()
            .flat_map(|it| &it.copies.groups)
            .flat_map(|it| &it.members)
            .map(|it| it.path.as_str());
        let of_rows = findings.iter().filter_map(|it| it.finding.path.as_deref());
        let paths: BTreeSet<&str> =
            of_rules.chain(of_copies).chain(of_rows).filter(|_| is_newest).collect();
        Self::at(service, dataset.id, &paths.into_iter().collect::<Vec<_>>()).await
    }

    /// Of these files of a data set.
    pub(super) async fn at(service: &Service, dataset_id: i64, paths: &[&str]) -> Result<Self> {
        Ok(Self::of_files(dataset_id, &service.catalogue.files_at(dataset_id, paths).await?))
    }

    /// Of these files of a data set, as far as they arrived.
    pub(super) fn of_files(dataset_id: i64, files: &[File]) -> Self {
        let arrived = files.iter().filter(|file| file.received_at.is_some());
        Self { dataset_id, ids: arrived.map(|file| (file.path.clone(), file.id)).collect() }
    }

    /// The same as [`marked`](Self::marked), without marks.
    pub(super) fn plain(&self, path: &str) -> Option<Markup> {
        self.marked(path, "")
    }

    /// Where a file's picture is, with the places of one rule marked.
    fn address(&self, path: &str, rule: &str) -> Option<String> {
        let id = self.ids.get(path)?;
        let files = format!("/api/v1/validation/{}/files/{id}/thumbnail", self.dataset_id);
        Some(address(&files, &[("rule", rule)]))
    }

    /// Beside a link that names the file: a picture that is drawn when it comes into sight.
    fn marked(&self, path: &str, rule: &str) -> Option<Markup> {
        let source = self.address(path, rule)?;
        Some(html! { img.picture src=(source) alt="" loading="lazy"; })
    }
}

fn everywhere(dataset: &Dataset, digest: &Digest, pictures: &Pictures) -> Markup {
    let title = "Everywhere";
    let about = "In more than half of the files: one export setting, rather than many faults.";
    let rules = digest.rules.iter().filter(|it| it.is_everywhere);
    section_of_cards(dataset, "everywhere", title, Some(about), rules, pictures)
}

fn cards(dataset: &Dataset, digest: &Digest, pictures: &Pictures) -> Markup {
    let rules = digest.rules.iter().filter(|it| !it.is_everywhere);
    section_of_cards(dataset, "rules", "By rule", None, rules, pictures)
}

fn section_of_cards<'a>(
    dataset: &Dataset,
    id: &str,
    title: &str,
    about: Option<&str>,
    rules: impl Iterator<Item = &'a RuleDigest>,
    pictures: &Pictures,
) -> Markup {
    let registry = Registry::default();
    let mut rules = rules.peekable();
    html! {
        @if rules.peek().is_some() {
            section aria-labelledby={ (id) "-title" } {
                h2 #{ (id) "-title" } { (title) }
                @if let Some(about) = about { p.quiet { (about) } }
                @for (at, group) in rules.enumerate() {
                    @let is_open = at < OPEN && group.severity != Severity::Info;
                    (card(dataset, group, &registry, pictures, is_open))
                }
            }
        }
    }
}

pub(super) fn gallery(group: &RuleDigest, pictures: &Pictures) -> Markup {
    let drawn: Vec<_> = group
        .pictures
        .iter()
        .filter_map(|path| Some((path, pictures.marked(path, &group.rule)?)))
        .collect();
    html! {
        @if !drawn.is_empty() {
            ul.gallery aria-label="Pictures" {
                @for (path, picture) in &drawn {
                    li { figure {
                        (picture)
                        figcaption {
                            a.path href=(of_file(pictures.dataset_id, path)) { (shown(path)) }
                        }
                    } }
                }
            }
            @if (drawn.len() as u64) < group.files {
                p.quiet { "Pictures of " (grouped(drawn.len() as u64)) " of " (counted(group.files, "file")) "." }
            }
        }
    }
}

fn card(
    dataset: &Dataset,
    group: &RuleDigest,
    registry: &Registry,
    pictures: &Pictures,
    is_open: bool,
) -> Markup {
    let rule = registry.get(&group.rule);
    html! {
        details.card.(group.severity.as_str()) open[is_open] {
            summary {
                span.what { (severity(group.severity)) " " b { (shown(&group.rule)) } " " (shown(&group.name)) }
                span.count { (grouped(group.files)) " of " (counted(group.out_of, "file")) }
            }
            div.body {
                div.words {
                    @if let Some(rule) = rule {
                        p.lead { (prose(rule.summary)) }
                        @if !rule.why.is_empty() { p { b { "Why it matters. " } (prose(rule.why)) } }
                        p { b { "What to do. " } (prose(rule.how_to_fix)) }
                    }
                }
                (gallery(group, pictures))
                p.links {
                    a href=(findings_of(dataset, &group.rule)) {
                        (counted(group.findings, "finding")) " of " (shown(&group.rule))
                    }
                    @if rule.is_some() { a href={ "/rules/" (group.rule) } { "About this rule" } }
                }
            }
        }
    }
}

/// How many findings there are, where the summary knows.
fn total(filter: &FindingFilter, summary: &Summary) -> Option<u64> {
    let counts = &summary.counts;
    match (&filter.rule, filter.severity, &filter.path) {
        (None, None, None) => Some(counts.error + counts.warning + counts.info + counts.excepted),
        // Excepted findings are counted apart, without their rules and severities.
        _ if counts.excepted > 0 => None,
        (Some(rule), None, None) => Some(counts.by_rule.get(rule).copied().unwrap_or_default()),
        (None, Some(Severity::Error), None) => Some(counts.error),
        (None, Some(Severity::Warning), None) => Some(counts.warning),
        (None, Some(Severity::Info), None) => Some(counts.info),
        _ => None,
    }
}

fn table(
    dataset: &Dataset,
    findings: &[StoredFinding],
    asked: &Asked,
    total: Option<u64>,
    pictures: &Pictures,
) -> Markup {
    let here = format!("/datasets/{}", dataset.id);
    let rows = &findings[..findings.len().min(MOST as usize)];
    let goes_on = findings.len() > rows.len();
    let query = [("rule", &*asked.rule), ("severity", &asked.severity), ("path", &asked.path)];
    html! {
        section #findings aria-labelledby="findings-title" {
            h2 #findings-title { "Findings" }
            (filters(&here, asked))
            @if rows.is_empty() { p { "No finding fits." } } @else {
                div.scroll tabindex="0" role="group" aria-label="Findings" {
                    table.stack.findings {
                        caption {
                            (grouped(rows.len() as u64))
                            @match total {
                                Some(total) => { " of " (grouped(total)) " findings" }
                                None if goes_on => { " findings, and more on the next page" }
                                None => { " findings" }
                            }
                        }
                        thead { tr {
                            th scope="col" { "File" }
                            th scope="col" { "Rule" }
                            th scope="col" { "What is wrong" }
                            th scope="col" { "Place" }
                        } }
                        tbody { @for row in rows { (finding(row, pictures)) } }
                    }
                }
            }
            nav.pages aria-label="Pages of findings" {
                @if asked.after.is_some() { a href={ (address(&here, &query)) "#findings" } { "First page" } }
                @if let Some(last) = rows.last().filter(|_| goes_on) {
                    @let after = last.position.to_string();
                    @let [rule, severity, path] = query;
                    a rel="next" href={ (address(&here, &[rule, severity, path, ("after", &after)])) "#findings" } {
                        "Next page"
                    }
                }
            }
        }
    }
}

fn filters(here: &str, asked: &Asked) -> Markup {
    html! {
        form.filters method="get" action={ (here) "#findings" } {
            label { "Severity "
                select name="severity" {
                    option value="" { "all" }
                    @for it in Severity::ALL {
                        option value=(it) selected[asked.severity == it.as_str()] { (it) }
                    }
                }
            }
            label { "Rule " input name="rule" size="8" value=(asked.rule) autocomplete="off"; }
            label { "File " input name="path" value=(asked.path) autocomplete="off"
                placeholder="its whole path"; }
            button { "Filter" }
            a href={ (here) "#findings" } { "Show all" }
        }
    }
}

fn finding(row: &StoredFinding, pictures: &Pictures) -> Markup {
    let finding = &row.finding;
    let path = finding.path.as_deref().or(finding.related.first().map(String::as_str));
    html! {
        tr {
            td.file data-label="File" {
                @if let Some(picture) = path.and_then(|path| pictures.marked(path, &finding.rule)) { (picture) }
                @match path {
                    Some(path) => a.path href=(of_file(pictures.dataset_id, path)) { (shown(path)) },
                    None => span.quiet { "the set" },
                }
                @if finding.path.is_none() && finding.related.len() > 1 {
                    span.quiet { " and " (grouped(finding.related.len() as u64 - 1)) " more" }
                }
            }
            td data-label="Rule" {
                (severity(finding.severity)) " "
                a href={ "/rules/" (shown(&finding.rule)) } { (shown(&finding.rule)) }
                @if finding.excepted { span.quiet { " (an exception)" } }
            }
            td data-label="What is wrong" { (shown(&finding.message)) }
            td data-label="Place" {
                @if let Some(place) = &finding.location { (shown(&place.to_string())) }
            }
        }
    }
}
