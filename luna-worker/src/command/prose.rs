//! Text for people: headings, paragraphs wrapped to a width, indentation.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use luna_core::Severity;

pub(super) const HEADING: Style = Style::new().bold();
pub(super) const FAINT: Style = Style::new().dimmed();

/// The colour that goes with a severity; the word is always there too.
pub(super) fn style(severity: Severity) -> Style {
    match severity {
        Severity::Error => AnsiColor::Red.on_default().bold(),
        Severity::Warning => AnsiColor::Yellow.on_default().bold(),
        Severity::Info => AnsiColor::Cyan.on_default(),
    }
}

/// A page that grows from top to bottom.
#[derive(Debug)]
pub(super) struct Page {
    text: String,
    width: usize,
}

impl Page {
    /// An empty page; running text stays below 100 columns however wide the terminal is.
    pub(super) fn new(width: usize) -> Self {
        Self { text: String::new(), width: width.min(100) }
    }

    /// One line as it is.
    pub(super) fn line(&mut self, line: impl std::fmt::Display) {
        let _ = writeln!(self.text, "{line}");
    }

    /// A heading with a paragraph below it; nothing if there is nothing to say.
    pub(super) fn section(&mut self, heading: &str, body: &str) {
        if !body.is_empty() {
            self.line(format_args!("\n{HEADING}{heading}{HEADING:#}"));
            self.paragraphs(body);
        }
    }

    /// Paragraphs, each indented by two columns and wrapped.
    pub(super) fn paragraphs(&mut self, body: &str) {
        for paragraph in body.split("\n\n") {
            self.hanging("  ", "  ", paragraph);
        }
    }

    /// A wrapped paragraph whose first line begins otherwise than the rest.
    pub(super) fn hanging(&mut self, first: &str, rest: &str, paragraph: &str) {
        let mut begin = first;
        for line in wrapped(paragraph, self.width.saturating_sub(rest.chars().count())) {
            self.line(format_args!("{begin}{line}"));
            begin = rest;
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// Breaks text at its spaces into lines of at most `width` characters; longer words stand alone.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        match lines.last_mut() {
            Some(line) if used + 1 + length <= width => {
                line.push(' ');
                line.push_str(word);
                used += 1 + length;
            }
            _ => {
                lines.push(word.to_owned());
                used = length;
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_to_the_width_and_lose_no_word() {
        let text = "Stops in row 812 of 2,048 and incomprehensibilities follow it";
        let lines = wrapped(text, 12);
        assert_eq!(lines.join(" "), text);
        assert!(lines.iter().all(|line| line.chars().count() <= 12 || !line.contains(' ')));
        assert!(wrapped("  ", 12).is_empty());
    }
}
