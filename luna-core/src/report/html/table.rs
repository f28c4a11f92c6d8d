//! All files, or the gravest of them: a row each, with filters.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::{Page, full_list, severity, shown, some_of};
use crate::finding::{Finding, Severity};
use crate::report::FileEntry;
use crate::report::facts::{depth, kind_title, size};
use crate::report::folders::folder_of;
use crate::text::{bytes, counted, escaped, grouped};

/// Rows of the table.
pub(super) const MOST_ROWS: usize = 2_000;
/// Findings of a row that are spelt out.
const MOST_FINDINGS: usize = 8;
/// Entries of a filter.
const MOST_CHOICES: usize = 200;
/// A table of at most this many rows shows pictures.
const PICTURES: usize = 100;

impl<'a> Page<'a> {
    pub(super) fn table(&self) -> Markup {
        let files: Vec<_> = self.listed().collect();
        let all = self.report.files.len();
        let patients = files.iter().any(|(_, file)| patient(file).is_some());
        html! {
            section #files aria-labelledby="files-title" {
                h2 #files-title { "Files" }
                @if files.is_empty() { p { "There are none." } } @else {
                    @if files.len() > 1 { (self.filters(&files)) }
                    div.scroll tabindex="0" role="group" aria-label="Table of files" {
                        table.files {
                            caption {
                                (some_of(files.len(), all))
                                @if all == 1 { " file" } @else { " files" }
                                @if files.len() < all {
                                    ", those with the gravest findings. " (full_list())
                                }
                            }
                            (heads(patients))
                            tbody { @for (at, file) in files { (self.row(at, file, patients)) } }
                        }
                    }
                }
            }
        }
    }

    /// Files with a row, in order of the path.
    pub(super) fn listed(&self) -> impl Iterator<Item = (usize, &'a FileEntry)> {
        let files: &'a [FileEntry] = &self.report.files;
        let mut rows: Vec<usize> = self.rows.values().copied().collect();
        rows.sort_unstable();
        rows.into_iter().filter_map(move |at| Some((at, files.get(at)?)))
    }

    fn row(&self, at: usize, file: &'a FileEntry, patients: bool) -> Markup {
        let facts = &file.facts;
        let worst = self.overview.worst.get(file.path.as_str());
        let rules: BTreeSet<&str> = weighing(file).map(|finding| finding.rule.as_ref()).collect();
        let codes: Vec<_> = rules.iter().map(|rule| escaped(rule)).collect();
        let picture =
            if self.rows.len() <= PICTURES { self.pictures.plain(&file.path) } else { None };
        html! {
            tr #{ "f" (at) } data-item tabindex="-1" data-severity=(worst.map_or("clean", |it| it.as_str()))
                data-rules=(codes.join(" ")) data-folder=(escaped(folder_of(&file.path))) {
                th scope="row" {
                    div.named {
                        @if let Some(picture) = picture { (picture) }
                        span.path { (shown(&file.path)) }
                    }
                }
                td { (facts.format.map_or_else(|| kind_title(facts.kind), |format| format.title())) }
                td.number { (size(facts).unwrap_or_default()) }
                td.number { (depth(facts).unwrap_or_default()) }
                td.number { (bytes(facts.size_bytes)) }
                @if patients { td.patient { (patient(file).map(shown).unwrap_or_default()) } }
                td.findings { (findings_of(file, worst)) }
            }
        }
    }

    fn filters(&self, files: &[(usize, &'a FileEntry)]) -> Markup {
        let families: BTreeSet<&str> =
            self.overview.groups.iter().filter_map(|group| group.rule.get(..2)).collect();
        let mut rules: BTreeMap<&str, &str> = BTreeMap::new();
        rules.extend(self.overview.groups.iter().map(|group| (group.rule, group.name)));
        let folders: BTreeSet<&str> = files.iter().map(|(_, file)| folder_of(&file.path)).collect();
        html! {
            form.filters hidden data-script role="search" aria-label="Files" {
                label { "Severity " select name="severity" {
                    option value="" { "any" }
                    @for level in Severity::ALL { option value=(level) { (level) } }
                    option value="clean" { "clean" }
                } }
                label { "Family " select name="family" {
                    option value="" { "any" }
                    @for prefix in families { option value=(shown(prefix)) { (family(prefix)) } }
                } }
                label { "Rule " select name="rule" {
                    option value="" { "any" }
                    @for (rule, name) in rules.iter().take(MOST_CHOICES) {
                        option value=(escaped(rule)) { (shown(rule)) " " (shown(name)) }
                    }
                } }
                @if folders.len() > 1 { (folder_choice(&folders)) }
                label { "Text " input type="search" name="text" autocomplete="off"; }
                button type="reset" { "Clear" }
                output aria-live="polite" { (grouped(files.len() as u64)) " shown" }
            }
        }
    }
}

fn folder_choice(folders: &BTreeSet<&str>) -> Markup {
    html! {
        label { "Folder " select name="folder" {
            option value="" { "any" }
            @for folder in folders.iter().filter(|it| !it.is_empty()).take(MOST_CHOICES) {
                option value=(escaped(folder)) { (shown(folder)) }
            }
        } }
    }
}

fn heads(patients: bool) -> Markup {
    html! {
        thead { tr {
            th scope="col" { "File" }
            th scope="col" { "Format" }
            th.number scope="col" { "Pixels" }
            th.number scope="col" { "Depth" }
            th.number scope="col" { "Size" }
            @if patients { th scope="col" { "Patient" } }
            th scope="col" { "Findings" }
        } }
    }
}

fn findings_of(file: &FileEntry, worst: Option<&Severity>) -> Markup {
    let findings = &file.findings;
    html! {
        @if findings.is_empty() {
            @match worst {
                Some(worst) => { (severity(*worst)) " with other files" },
                None => span.severity.clean { span aria-hidden="true" { "✓" } " clean" },
            }
        } @else {
            details {
                summary {
                    @match worst {
                        Some(worst) => (severity(*worst)),
                        None => "excepted",
                    }
                    " " (counted(findings.len() as u64, "finding"))
                }
                ul { @for finding in findings.iter().take(MOST_FINDINGS) { (in_full(finding)) } }
                @if findings.len() > MOST_FINDINGS {
                    p.quiet { (some_of(MOST_FINDINGS, findings.len())) " findings shown. " (full_list()) }
                }
            }
        }
    }
}

fn family(prefix: &str) -> String {
    let known = crate::rules::FAMILIES.iter().find(|family| family.prefix == prefix);
    known.map_or_else(|| shown(prefix), |family| format!("{prefix} {}", family.title))
}

fn in_full(finding: &Finding) -> Markup {
    html! {
        li {
            (severity(finding.severity)) " " b.code { (shown(&finding.rule)) } " "
            (shown(&finding.message))
            @if finding.excepted { " " i { "Excepted by the profile." } }
            @if let Some(place) = &finding.location {
                span.quiet { " " (shown(&place.to_string())) }
            }
        }
    }
}

fn patient(file: &FileEntry) -> Option<&str> {
    file.facts.dicom.as_ref()?.patient.as_deref()
}

fn weighing(file: &FileEntry) -> impl Iterator<Item = &Finding> {
    file.findings.iter().filter(|finding| !finding.excepted)
}
