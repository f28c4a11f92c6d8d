//! Findings gathered by file or by folder: as long as it takes, for a pager or a search.

use std::fmt::Write as _;

use super::Page;
use super::style::fitted;
use crate::finding::Finding;
use crate::report::Report;
use crate::report::folders::folders;
use crate::text::{counted, escaped, grouped};

impl Page {
    /// Each file with findings, in order of the path, and a line a finding; then those of the set.
    pub(super) fn by_file(&self, text: &mut String, report: &Report) {
        for file in report.files.iter().filter(|file| !file.findings.is_empty()) {
            let _ = writeln!(text, "{}", self.paint.bold(&escaped(&file.path)));
            for finding in &file.findings {
                let _ = writeln!(text, "{}", self.line(finding));
            }
        }
        self.of_the_set(text, report);
    }

    /// Each folder with its counts, and a line a rule; then the findings of the set.
    pub(super) fn by_folder(&self, text: &mut String, report: &Report) {
        for (path, folder) in folders(report) {
            let mut said =
                format!("{} of {}", grouped(folder.affected), counted(folder.files, "file"));
            let counts =
                [(folder.error, "error"), (folder.warning, "warning"), (folder.info, "info")];
            for (count, noun) in counts.into_iter().filter(|(count, _)| *count > 0) {
                let _ = write!(said, ", {}", counted(count, noun));
            }
            let title =
                if path.is_empty() { "./".to_owned() } else { format!("{}/", escaped(path)) };
            let _ = writeln!(text, "{}  {said}", self.paint.bold(&title));
            for ((severity, rule, name), files) in folder.rules {
                let _ = writeln!(
                    text,
                    "  {} {} {}  {}",
                    self.paint.severity(severity),
                    escaped(rule),
                    escaped(name),
                    counted(files, "file"),
                );
            }
        }
        self.of_the_set(text, report);
    }

    fn of_the_set(&self, text: &mut String, report: &Report) {
        if report.findings.is_empty() {
            return;
        }
        let _ = writeln!(text, "{}", self.paint.bold("the data set"));
        for finding in &report.findings {
            let _ = writeln!(text, "{}", self.line(finding));
            for path in &finding.related {
                let _ = writeln!(text, "    {}", escaped(path));
            }
        }
    }

    fn line(&self, finding: &Finding) -> String {
        let excepted = if finding.excepted { " (excepted)" } else { "" };
        let head = format!("{} {}{excepted}", escaped(&finding.rule), escaped(&finding.name));
        let used = finding.severity.as_str().len() + head.chars().count() + 6;
        let message = fitted(&finding.message, self.width.saturating_sub(used).max(24));
        format!("  {} {head}  {message}", self.paint.severity(finding.severity))
    }
}
