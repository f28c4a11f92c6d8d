//! The report for a terminal: groups first, the verdict last, where the eye is.
//!
//! About 40 lines, whatever the size of the set; every cap says what it hides. A report of one file
//! says everything about it, and so does one gathered by file or folder about all of them. All text
//! from outside is escaped.

mod file;
mod gathered;
mod style;

use std::fmt::Write as _;
use std::io::{self, Write};

pub use self::file::render_inspection;
use self::style::{Paint, fitted, wrapped};
use super::overview::{Overview, Place, RuleGroup};
use super::{GroupBy, RenderOptions, Report, Verdict};
use crate::finding::Severity;
use crate::text::{counted, escaped, grouped};

/// Lines of a report about several files.
const MOST_LINES: usize = 40;
/// Groups with lines of their own.
const MOST_GROUPS: usize = 12;
/// "Everywhere" lines.
const MOST_EVERYWHERE: usize = 8;
/// From here on a group names three files, below five.
const MANY_FILES: usize = 100;

pub(super) fn write(
    report: &Report,
    options: &RenderOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let page = Page { paint: Paint(options.colour), width: options.width.max(40) };
    let overview = Overview::of(report);
    let mut text = String::new();
    match report.files.as_slice() {
        _ if options.group_by == GroupBy::File => page.by_file(&mut text, report),
        _ if options.group_by == GroupBy::Folder => page.by_folder(&mut text, report),
        [only] => {
            text.push_str(&page.entry(only));
            for finding in &report.findings {
                text.push_str(&page.finding(finding));
            }
            text.push('\n');
        }
        files => page.groups(&mut text, &overview, files.len()),
    }
    page.verdict(&mut text, report, &overview);
    out.write_all(text.as_bytes())
}

/// Where and how wide text is put.
struct Page {
    paint: Paint,
    width: usize,
}

impl Page {
    fn groups(&self, text: &mut String, overview: &Overview<'_>, files: usize) {
        let (everywhere, apart): (Vec<_>, Vec<_>) =
            overview.groups.iter().partition(|group| group.is_everywhere());
        let (infos, grave): (Vec<_>, Vec<_>) =
            apart.into_iter().partition(|group| group.severity == Severity::Info);
        let infos = self.infos(&infos);
        let tail = everywhere.len().min(MOST_EVERYWHERE + 1) + infos.len() + 2;
        let plan = Plan::fitting(&grave, MOST_LINES.saturating_sub(tail), files);
        for group in &grave[..plan.groups] {
            self.group(text, group, plan.paths);
        }
        if let Some(line) = self.left_out(&grave[plan.groups..]) {
            let _ = writeln!(text, "{line}");
        }
        for group in everywhere.iter().take(MOST_EVERYWHERE) {
            let (files, out_of) =
                (grouped(group.files.len() as u64), counted(group.out_of as u64, "file"));
            let _ = writeln!(
                text,
                "everywhere: {} in {files} of {out_of} (one export setting?)  {} {}",
                escaped(group.rule),
                group.severity,
                escaped(group.name)
            );
        }
        if everywhere.len() > MOST_EVERYWHERE {
            let more = counted((everywhere.len() - MOST_EVERYWHERE) as u64, "more rule");
            let _ = writeln!(text, "everywhere: {more}");
        }
        for line in infos {
            let _ = writeln!(text, "{line}");
        }
    }

    fn group(&self, text: &mut String, group: &RuleGroup<'_>, paths: usize) {
        let (rule, name) = (escaped(group.rule), escaped(group.name));
        let places = one_a_file(group);
        let mut title = String::new();
        if places.iter().any(|(place, _)| place.entry.is_none()) {
            let _ = write!(title, "{}, ", counted(group.places.len() as u64, "finding"));
        }
        let _ = writeln!(
            text,
            "{} {} {name}  {title}{}",
            self.paint.severity(group.severity),
            self.paint.bold(&rule),
            counted(group.files.len() as u64, "file"),
        );
        for (place, more_here) in places.iter().take(paths) {
            let _ = writeln!(text, "  {}", self.place(place, *more_here));
        }
        if places.len() > paths {
            let _ = writeln!(text, "  … {} more", grouped((places.len() - paths) as u64));
        }
        let explain = format!("luna explain {rule}");
        let room = self.width.saturating_sub("  do: ".len() + 6 + explain.len());
        let help =
            group.places.first().map(|place| place.finding.help.as_ref()).unwrap_or_default();
        let _ = writeln!(text, "  do: {}      {}", fitted(help, room), self.paint.dim(&explain));
    }

    /// Path and message on one line. The path stays whole, to be copied; the message may be cut.
    fn place(&self, place: &Place<'_>, more_here: usize) -> String {
        let finding = place.finding;
        let mut line = place.path().map(escaped).unwrap_or_default();
        if place.entry.is_none() && finding.related.len() > 1 {
            let _ = write!(line, " + {}", grouped(finding.related.len() as u64 - 1));
        }
        if !line.is_empty() {
            line.push_str("  ");
        }
        let more = match more_here {
            0 => String::new(),
            n => format!("  (and {} more here)", grouped(n as u64)),
        };
        let used = line.chars().count() + more.chars().count() + 2;
        line.push_str(&fitted(&finding.message, self.width.saturating_sub(used).max(24)));
        line + &more
    }

    fn infos(&self, groups: &[&RuleGroup<'_>]) -> Vec<String> {
        if groups.is_empty() {
            return Vec::new();
        }
        let all: Vec<_> = groups.iter().map(|group| brief(group)).collect();
        let lines = wrapped(&all.join(", "), self.width.saturating_sub(8));
        let hidden = lines.len().saturating_sub(3);
        let mut lines: Vec<_> = lines.into_iter().take(3).collect();
        if hidden > 0
            && let Some(last) = lines.last_mut()
        {
            last.push_str(" …");
        }
        let word = self.paint.severity(Severity::Info);
        let first = lines.first().map(|line| format!("{word}: {line}"));
        first
            .into_iter()
            .chain(lines.iter().skip(1).map(|line| format!("        {line}")))
            .collect()
    }

    /// One line for the groups that have none of their own.
    fn left_out(&self, groups: &[&RuleGroup<'_>]) -> Option<String> {
        let all: Vec<_> = groups.iter().map(|group| brief(group)).collect();
        let head = format!("… {}: ", counted(groups.len() as u64, "more rule"));
        let room = self.width.saturating_sub(head.chars().count());
        (!groups.is_empty()).then(|| head.clone() + &fitted(&all.join(", "), room))
    }

    fn verdict(&self, text: &mut String, report: &Report, overview: &Overview<'_>) {
        let counts = &report.counts;
        let mut said = match counts.error {
            0 => "no errors".to_owned(),
            n => {
                let files = overview.files_at(Severity::Error) as u64;
                format!("{} in {}", counted(n, "error"), counted(files, "file"))
            }
        };
        let _ = write!(said, ", {}", counted(counts.warning, "warning"));
        if counts.info > 0 {
            let _ = write!(said, ", {}", counted(counts.info, "info"));
        }
        if counts.excepted > 0 {
            let _ = write!(said, ", {} excepted", grouped(counts.excepted));
        }
        let idle = report.rules.nothing_to_look_at.len() as u64;
        let _ = write!(said, "; {} ran", counted(report.rules.ran, "rule"));
        if idle > 0 {
            let _ = write!(said, ", {} had nothing to look at", grouped(idle));
        }
        if report.partial && report.verdict != Verdict::Incomplete {
            said.push_str("; the work was cut short");
        } else if report.partial {
            said.insert_str(0, "the work was cut short; so far ");
        }
        let _ = writeln!(text, "{}  {said}", self.paint.verdict(report.verdict));
    }
}

/// `LP009 border-padding in 4 files`.
fn brief(group: &RuleGroup<'_>) -> String {
    format!("{} {} in {}", group.rule, group.name, counted(group.files.len() as u64, "file"))
}

/// The first finding in each file, with the number of others there; findings of the set stand alone.
fn one_a_file<'a>(group: &RuleGroup<'a>) -> Vec<(Place<'a>, usize)> {
    let mut places: Vec<(Place<'a>, usize)> = Vec::new();
    for place in &group.places {
        match places.last_mut() {
            Some((last, more)) if place.entry.is_some() && last.path() == place.path() => {
                *more += 1;
            }
            _ => places.push((*place, 0)),
        }
    }
    places
}

/// How many groups get lines of their own, and how many paths each names.
#[derive(Clone, Copy)]
struct Plan {
    groups: usize,
    paths: usize,
}

impl Plan {
    /// The most generous plan that keeps to the lines.
    fn fitting(groups: &[&RuleGroup<'_>], lines: usize, files: usize) -> Self {
        let most = groups.len().min(MOST_GROUPS);
        let paths = if files < MANY_FILES { 5 } else { 3 };
        let generous = (1..=paths).rev().map(|paths| Self { groups: most, paths });
        let fewer = (1..most).rev().map(|groups| Self { groups, paths: 1 });
        generous
            .chain(fewer)
            .find(|plan| plan.lines(groups) <= lines)
            .unwrap_or(Self { groups: most.min(1), paths: 1 })
    }

    fn lines(self, groups: &[&RuleGroup<'_>]) -> usize {
        let of_group = |group: &&RuleGroup<'_>| {
            let places = one_a_file(group).len();
            2 + places.min(self.paths) + usize::from(places > self.paths)
        };
        let left_out = usize::from(groups.len() > self.groups);
        groups.iter().take(self.groups).map(of_group).sum::<usize>() + left_out
    }
}
