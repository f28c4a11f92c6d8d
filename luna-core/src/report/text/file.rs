//! One file in full: facts, measurements, findings.

use std::fmt::Write as _;
use std::io::Write;

use super::Page;
use super::style::{Paint, wrapped};
use crate::error::Error;
use crate::finding::Finding;
use crate::report::facts::in_words;
use crate::report::{FileEntry, RenderOptions, ReportFormat};
use crate::rules::Rule;
use crate::text::{counted, escaped};

/// Columns of a fact's name.
const NAME: usize = 12;

/// Writes all that is known of one file, and which rules looked at it (`luna inspect`).
///
/// ```
/// # use luna_core::{Validator, report::{RenderOptions, render_inspection}, source::Memory};
/// let report = Validator::default().validate(&Memory::single("a.png", Vec::new()))?;
/// let mut text = Vec::new();
/// render_inspection(&report.files[0], &[], &RenderOptions::default(), &mut text)?;
/// assert!(text.starts_with(b"a.png\n"));
/// # Ok::<(), luna_core::Error>(())
/// ```
///
/// # Errors
/// If `out` cannot be written to.
pub fn render_inspection(
    entry: &FileEntry,
    rules_looked: &[&Rule],
    options: &RenderOptions,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let page = Page { paint: Paint(options.colour), width: options.width.max(40) };
    let mut text = page.entry(entry);
    text.push('\n');
    page.rules_looked(&mut text, entry, rules_looked);
    out.write_all(text.as_bytes())
        .map_err(|source| Error::Write { format: ReportFormat::Text.id(), source })
}

impl Page {
    pub(super) fn entry(&self, entry: &FileEntry) -> String {
        let mut text = format!("{}\n", self.paint.bold(&escaped(&entry.path)));
        for (name, value) in in_words(&entry.facts) {
            self.row(&mut text, name, &value);
        }
        for finding in &entry.findings {
            text.push_str(&self.finding(finding));
        }
        text
    }

    /// A finding with its place, values and remedy.
    pub(super) fn finding(&self, finding: &Finding) -> String {
        let excepted = if finding.excepted { "  (excepted by the profile)" } else { "" };
        let place = finding.location.as_ref().map(|at| format!("  {}", escaped(&at.to_string())));
        let mut text = format!(
            "\n{} {} {}{}{excepted}\n",
            self.paint.severity(finding.severity),
            self.paint.bold(&escaped(&finding.rule)),
            escaped(&finding.name),
            place.unwrap_or_default(),
        );
        self.paragraph(&mut text, "", &finding.message);
        let values = [("found: ", &finding.found), ("expected: ", &finding.expected)];
        for (name, value) in values {
            if let Some(value) = value {
                self.paragraph(&mut text, name, value);
            }
        }
        if !finding.related.is_empty() {
            self.paragraph(&mut text, "with: ", &finding.related.join(", "));
        }
        self.paragraph(&mut text, "do: ", &finding.help);
        text
    }

    fn rules_looked(&self, text: &mut String, entry: &FileEntry, rules: &[&Rule]) {
        if rules.is_empty() {
            return;
        }
        let fired = |rule: &Rule| entry.findings.iter().any(|finding| finding.rule == rule.code);
        let (loud, silent): (Vec<&Rule>, Vec<&Rule>) = rules.iter().partition(|rule| fired(rule));
        let codes =
            |rules: &[&Rule]| rules.iter().map(|rule| rule.code).collect::<Vec<_>>().join(" ");
        let _ = writeln!(text, "{} looked at it", counted(rules.len() as u64, "rule"));
        if !loud.is_empty() {
            self.row(text, "found", &codes(&loud));
        }
        self.row(text, "silent", &codes(&silent));
    }

    fn row(&self, text: &mut String, name: &str, value: &str) {
        for (i, line) in wrapped(value, self.width.saturating_sub(NAME + 2)).iter().enumerate() {
            let name = if i == 0 { name } else { "" };
            let _ = writeln!(text, "  {}{line}", self.paint.dim(&format!("{name:NAME$}")));
        }
    }

    fn paragraph(&self, text: &mut String, name: &str, value: &str) {
        let indent = name.len();
        for (i, line) in wrapped(value, self.width.saturating_sub(indent + 2)).iter().enumerate() {
            let name = if i == 0 { name } else { "" };
            let _ = writeln!(text, "  {name:indent$}{line}");
        }
    }
}
