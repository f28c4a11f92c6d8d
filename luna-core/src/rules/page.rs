//! A rule's page for people: Markdown made from the rule's own declaration, and the index of all.

use std::fmt::Write as _;

use super::{Case, DefaultValue, FAMILIES, Registry, Rule, RuleOption, Scope, Stage, Status};
use crate::finding::Severity;

/// Column after which running text is broken.
const WIDTH: usize = 100;

/// The page of a rule (`docs/rules/LF004.md`).
///
/// ```
/// use luna_core::rules::{Registry, page};
/// let registry = Registry::default();
/// let rule = registry.get("LX001").unwrap();
/// let page = page::markdown(rule);
/// assert!(page.starts_with("# LX001: duplicate-file\n"));
/// for heading in ["What it finds", "Why it matters", "How it is measured", "Cases", "References"] {
///     assert!(page.contains(&format!("\n## {heading}\n")), "{heading}");
/// }
/// ```
pub fn markdown(rule: &Rule) -> String {
    let mut page = format!(
        "# {}: {}\n\n{} Looks at {}.\n",
        rule.code,
        rule.name,
        status(rule),
        scope(rule.scope)
    );
    section(&mut page, "What it finds", &prose(rule.summary));
    section(&mut page, "Why it matters", &prose(rule.why));
    section(&mut page, "How it is measured", &prose(rule.measured));
    section(&mut page, "Cases", &cases(rule));
    section(&mut page, "Options", &options(rule));
    section(&mut page, "What to do", &prose(rule.how_to_fix));
    let references: Vec<String> =
        rule.references.iter().map(|reference| format!("- {}", escaped(reference))).collect();
    section(&mut page, "References", &references.join("\n"));
    page
}

/// The index of all rules (`docs/rules/README.md`), a table a family.
///
/// ```
/// use luna_core::rules::{Registry, page};
/// let index = page::index(&Registry::default());
/// assert!(index.contains("| [LX001](LX001.md) | duplicate-file |"));
/// ```
pub fn index(registry: &Registry) -> String {
    let mut page = "# Rules\n\nEvery rule has a page: what it finds, why that matters, how it is \
                    measured, what to do. Profiles select rules by code or prefix and set their \
                    severity and options ([profiles](../profile.md)).\n"
        .to_owned();
    for family in FAMILIES {
        let rules = registry.rules().iter().filter(|rule| rule.code.starts_with(family.prefix));
        let rows: Vec<String> = rules.map(index_row).collect();
        if !rows.is_empty() {
            let head = "| Code | Name | Severity | Finds |\n|---|---|---|---|\n";
            let title = format!("{}: {}", family.prefix, family.title);
            section(&mut page, &title, &(head.to_owned() + &rows.join("\n")));
        }
    }
    page
}

fn index_row(rule: &Rule) -> String {
    let severities: Vec<&str> = Severity::ALL
        .into_iter()
        .filter(|severity| rule.cases.iter().any(|case| case.severity == *severity))
        .map(Severity::as_str)
        .collect();
    let preview = if matches!(rule.status, Status::Preview { .. }) { " (preview)" } else { "" };
    format!(
        "| [{0}]({0}.md) | {1}{preview} | {2} | {3} |",
        rule.code,
        rule.name,
        severities.join(", "),
        cell(rule.summary)
    )
}

fn section(page: &mut String, heading: &str, body: &str) {
    if !body.is_empty() {
        let _ = write!(page, "\n## {heading}\n\n{body}\n");
    }
}

fn status(rule: &Rule) -> String {
    match rule.status {
        Status::Stable { since } => format!("Stable since {since}."),
        Status::Preview { since } => format!(
            "In preview since {since}: runs when selected by its full code, or with `preview = true`."
        ),
        Status::Deprecated { since } => format!("Deprecated since {since}."),
    }
}

fn scope(scope: Scope) -> String {
    match scope {
        Scope::Any => "everything listed".to_owned(),
        Scope::Format(format) => format!("every {} file", format.title()),
        Scope::DicomImage => "DICOM objects of an image class".to_owned(),
        Scope::Image => "decoded pictures".to_owned(),
        Scope::PlainPicture => "pictures that are not DICOM".to_owned(),
        Scope::Set => "the set as a whole".to_owned(),
        Scope::Table => "manifests and label tables".to_owned(),
    }
}

fn cases(rule: &Rule) -> String {
    let row = |case: &Case| {
        let name = if case.name.is_empty() { String::new() } else { format!("/{}", case.name) };
        let decided = match case.stage {
            Stage::Name => "from the path",
            Stage::File => "from one file",
            Stage::Set => "from the whole set",
        };
        format!("| `{}{name}` | {} | {decided} | {} |", rule.code, case.severity, cell(case.about))
    };
    let rows: Vec<String> = rule.cases.iter().map(row).collect();
    format!("| Case | Severity | Decided | When |\n|---|---|---|---|\n{}", rows.join("\n"))
}

fn options(rule: &Rule) -> String {
    if rule.options.is_empty() {
        return String::new();
    }
    let row = |option: &&RuleOption| {
        let (default, range) = match option.default {
            DefaultValue::Number { value, least, most } => {
                (value.to_string(), format!("{least} to {most}"))
            }
            DefaultValue::Texts(texts) => (format!("{texts:?}"), "list of texts".to_owned()),
        };
        format!(
            "| `{}` | `{default}` | {} | {range} | {} |",
            option.key,
            cell(option.unit),
            cell(option.about)
        )
    };
    let rows: Vec<String> = rule.options.iter().map(row).collect();
    format!(
        "Under `[rules.{}]` in a profile.\n\n| Key | Default | Unit | Range | What it does |\n\
         |---|---|---|---|---|\n{}",
        rule.code,
        rows.join("\n")
    )
}

/// Running text: paragraphs, escaped and wrapped.
fn prose(text: &str) -> String {
    let paragraphs: Vec<String> = text.split("\n\n").map(|it| wrapped(&escaped(it))).collect();
    paragraphs.join("\n\n")
}

fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        // A line that begins with one of these would open a list, a quotation or a heading.
        let opens = word.starts_with(['-', '+', '>', '#', '='])
            || word
                .strip_suffix('.')
                .is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_digit()));
        if used > 0 && used + 1 + length > WIDTH && !opens {
            out.push('\n');
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out
}

/// Text for a cell of a table.
fn cell(text: &str) -> String {
    escaped(text).replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text in which Markdown sees no markup, but for what stands between backticks.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    let mut code = false;
    for c in text.chars() {
        code ^= c == '`';
        if !code && matches!(c, '*' | '<' | '[' | ']' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped_outside_of_code_only() {
        assert_eq!(escaped("a * b < c `d * e` [f]"), "a \\* b \\< c `d * e` \\[f\\]");
        assert_eq!(cell("a | b\n c"), "a \\| b c");
    }

    #[test]
    fn no_line_begins_like_a_list_or_is_too_long() {
        let long = format!("{} - {} 12. end", "word ".repeat(19), "word ".repeat(18));
        for line in wrapped(&long).lines() {
            assert!(!line.starts_with('-') && !line.starts_with("12."), "{line}");
            assert!(line.chars().count() <= WIDTH + 4, "{line}");
        }
    }
}
