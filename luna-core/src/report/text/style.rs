//! Words, shapes and colours for a terminal. Colour only helps: the word is always there.

use crate::finding::Severity;
use crate::report::Verdict;
use crate::text::escaped;

/// ANSI styles (SGR), or nothing.
#[derive(Clone, Copy)]
pub(super) struct Paint(pub bool);

impl Paint {
    /// `■ error`, `▲ warning`, `● info`.
    pub(super) fn severity(self, severity: Severity) -> String {
        let (shape, code) = match severity {
            Severity::Error => ('■', "1;31"),
            Severity::Warning => ('▲', "1;33"),
            Severity::Info => ('●', "1;36"),
        };
        self.styled(code, &format!("{shape} {severity}"))
    }

    pub(super) fn verdict(self, verdict: Verdict) -> String {
        match verdict {
            Verdict::Pass => self.styled("1;32", "PASS"),
            Verdict::Fail => self.styled("1;31", "FAIL"),
            Verdict::Incomplete => self.styled("1;33", "INCOMPLETE"),
        }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.styled("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.styled("2", text)
    }

    fn styled(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Foreign text on one line of at most `width` characters.
pub(super) fn fitted(text: &str, width: usize) -> String {
    let text = escaped(text);
    if text.chars().count() <= width {
        return text;
    }
    let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

/// Foreign text broken into lines of at most `width` characters; a longer word stands alone.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in escaped(text).split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(String::new());
            used = 0;
        }
        if let Some(line) = lines.last_mut() {
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += length;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_lines_keep_to_the_width_unless_a_word_is_longer() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("incomprehensible a", 4), ["incomprehensible", "a"]);
        assert_eq!(wrapped("", 4), [""]);
    }

    #[test]
    fn fitted_text_says_that_it_was_cut() {
        assert_eq!(fitted("stops early", 11), "stops early");
        assert_eq!(fitted("stops early", 7), "stops…");
        assert_eq!(fitted("a\u{1b}[2J", 20), "a\\u{1b}[2J");
    }
}
