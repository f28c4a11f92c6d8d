//! A card a rule: how many of how many, why it matters, what to do, pictures and places.

use maud::{Markup, html};

use super::duplicates::is_side_by_side;
use super::{Page, card_id, full_list, prose, severity, shown, some_of};
use crate::finding::{Finding, Severity};
use crate::report::RuleGroup;
use crate::report::overview::Place;
use crate::text::{counted, escaped, grouped};

/// Rows of a card, and of one in a notebook.
const MOST_ROWS: usize = 50;
const FEW_ROWS: usize = 5;
/// From here on the rows scroll by themselves.
const LONG: usize = 12;
/// Pictures of a card.
const MOST_PICTURES: usize = 12;
/// Paths that a card's button copies, and their bytes.
const MOST_COPIED: (usize, usize) = (1_000, 64 << 10);
/// Cards that are open from the start.
const OPEN: usize = 3;

impl<'a> Page<'a> {
    /// Findings that more than half of the files share: one cause each.
    pub(super) fn everywhere(&self) -> Markup {
        let groups = self.overview.groups.iter().filter(|group| group.is_everywhere());
        let groups: Vec<_> = groups.collect();
        html! {
            @if !groups.is_empty() {
                section #everywhere aria-labelledby="everywhere-title" {
                    h2 #everywhere-title { "Everywhere" }
                    p.quiet { "In more than half of the files: one export setting, rather than many faults." }
                    @for group in groups { (self.card(group, false)) }
                }
            }
        }
    }

    pub(super) fn cards(&self) -> Markup {
        let groups = self.overview.groups.iter().filter(|group| !group.is_everywhere());
        let groups: Vec<_> = groups.collect();
        html! {
            section #findings aria-labelledby="findings-title" {
                h2 #findings-title { "Findings" }
                @if self.overview.groups.is_empty() {
                    p { "No rule found anything." }
                } @else if groups.is_empty() {
                    p { "None but those above." }
                }
                @for (at, group) in groups.iter().enumerate() {
                    (self.card(group, at < OPEN && group.severity != Severity::Info))
                }
            }
        }
    }

    pub(super) fn card(&self, group: &RuleGroup<'a>, open: bool) -> Markup {
        let rule = self.registry.get(group.rule);
        let files = some_of(group.files.len(), group.out_of.max(group.files.len()));
        html! {
            details.card.(group.severity.as_str()) id=[self.is_whole.then(|| card_id(group))] open[open] {
                summary data-item {
                    span.what {
                        (severity(group.severity)) " "
                        b.code { (shown(group.rule)) } " " span.name { (shown(group.name)) }
                    }
                    span.count {
                        (files) @if files == "1" { " file" } @else { " files" }
                        @if group.places.len() != group.files.len() {
                            span.quiet { " · " (counted(group.places.len() as u64, "finding")) }
                        }
                    }
                }
                div.body {
                    div.words {
                        @if let Some(rule) = rule.filter(|rule| !rule.summary.is_empty()) {
                            p.lead { (prose(rule.summary)) }
                        }
                        @if let Some(rule) = rule.filter(|rule| !rule.why.is_empty()) {
                            p { b { "Why it matters. " } (prose(rule.why)) }
                        }
                        p { b { "What to do. " } (prose(&shown(self.remedy(group)))) }
                    }
                    (self.gallery(group))
                    (self.places(group))
                }
            }
        }
    }

    /// What to do about a rule: in its own words if this engine knows it, else in its findings'.
    pub(super) fn remedy<'s>(&'s self, group: &RuleGroup<'a>) -> &'s str {
        let own = self.registry.get(group.rule).map(|rule| rule.how_to_fix);
        let of_finding = group.places.first().map(|place| place.finding.help.as_ref());
        own.filter(|text| !text.is_empty()).or(of_finding).unwrap_or_default()
    }

    fn gallery(&self, group: &RuleGroup<'a>) -> Markup {
        if self.report.files.len() == 1 || is_side_by_side(group) {
            return html! {};
        }
        let mut files: Vec<(&str, Vec<&Finding>)> = Vec::new();
        for place in &group.places {
            let Some(path) = place.entry.map(|entry| entry.path.as_str()) else { continue };
            match files.last_mut().filter(|(last, _)| *last == path) {
                Some((_, findings)) => findings.push(place.finding),
                None => files.push((path, vec![place.finding])),
            }
        }
        let pictures: Vec<_> = files
            .iter()
            .filter_map(|(path, findings)| Some((*path, self.pictures.marked(path, findings)?)))
            .take(MOST_PICTURES)
            .collect();
        html! {
            @if !pictures.is_empty() {
                ul.gallery aria-label="Pictures" {
                    @for (path, (drawing, caption)) in &pictures {
                        li {
                            figure {
                                (drawing)
                                figcaption { (self.file_link(path)) span.quiet { (caption) } }
                            }
                        }
                    }
                }
                @if pictures.len() < files.len() {
                    p.quiet {
                        "Pictures of " (some_of(pictures.len(), files.len())) " files."
                    }
                }
            }
        }
    }

    fn places(&self, group: &RuleGroup<'a>) -> Markup {
        let most = if self.is_whole { MOST_ROWS } else { FEW_ROWS };
        let rows = &group.places[..group.places.len().min(most)];
        let columns = Columns::of(rows);
        html! {
            div.scroll.long[rows.len() > LONG] tabindex="0" role="group" aria-label={ "Places of " (shown(group.rule)) } {
                table.places {
                    caption {
                        (some_of(rows.len(), group.places.len()))
                        @if group.places.len() == 1 { " finding" } @else { " findings" }
                        @if self.is_whole && rows.len() < group.places.len() { ". " (full_list()) }
                    }
                    thead { tr {
                        th scope="col" { "File" }
                        @if columns.place { th scope="col" { "Place" } }
                        th scope="col" { "What is wrong" }
                        @if columns.found { th scope="col" { "Found" } }
                        @if columns.expected { th scope="col" { "Expected" } }
                    } }
                    tbody { @for place in rows { (self.place(place, columns)) } }
                }
            }
            @if self.is_whole { (self.card_tools(group)) }
        }
    }

    fn place(&self, place: &Place<'a>, columns: Columns) -> Markup {
        let finding = place.finding;
        let value = |value: Option<&str>| value.map(shown).unwrap_or_default();
        html! {
            tr data-item tabindex="-1" {
                td {
                    @match place.path() {
                        Some(path) => (self.file_link(path)),
                        None => span.quiet { "the set" },
                    }
                    @if place.entry.is_none() && finding.related.len() > 1 {
                        span.quiet { " and " (grouped(finding.related.len() as u64 - 1)) " more" }
                    }
                }
                @if columns.place {
                    td.place { (value(finding.location.as_ref().map(ToString::to_string).as_deref())) }
                }
                td { (shown(&finding.message)) }
                @if columns.found { td { (value(finding.found.as_deref())) } }
                @if columns.expected { td { (value(finding.expected.as_deref())) } }
            }
        }
    }

    /// What only the script can do.
    fn card_tools(&self, group: &RuleGroup<'a>) -> Markup {
        let paths = copied(group.files.iter().copied());
        let listed = paths.lines().count();
        html! {
            p.tools hidden data-script {
                @if listed > 0 {
                    button type="button" data-copy=(paths) {
                        "Copy " (some_of(listed, group.files.len()))
                        @if group.files.len() == 1 { " path" } @else { " paths" }
                    }
                }
                @if self.report.files.len() > 1 {
                    " " a href={ "#rule=" (escaped(group.rule)) } { "Show in the table of files" }
                }
            }
        }
    }
}

/// Columns that are not empty.
#[derive(Clone, Copy)]
struct Columns {
    place: bool,
    found: bool,
    expected: bool,
}

impl Columns {
    fn of(places: &[Place<'_>]) -> Self {
        Self {
            place: places.iter().any(|place| place.finding.location.is_some()),
            found: places.iter().any(|place| place.finding.found.is_some()),
            expected: places.iter().any(|place| place.finding.expected.is_some()),
        }
    }
}

/// Paths for the clipboard, one a line, within the budget.
fn copied<'a>(paths: impl Iterator<Item = &'a str>) -> String {
    let (most, bytes) = MOST_COPIED;
    let mut text = String::new();
    for path in paths.take(most).map(escaped) {
        if text.len() + path.len() > bytes {
            break;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&path);
    }
    text
}
