//! `luna rules`: all rules at a glance, or as a document.

use luna_core::rules::{Case, DefaultValue, FAMILIES, Registry, Rule, RuleOption, Stage, Status};
use serde_json::{Value, json};

use super::exit::{Exit, Failure};
use super::prose::{FAINT, HEADING, Page, style};
use super::{TextOrJson, stdout};

/// List all rules.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  luna rules                                 all rules, a line each
  luna rules --format json                   everything about them, for a program
  luna explain LF004                         one of them at length")]
pub(super) struct Arguments {
    /// Shape of the list
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: TextOrJson,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let registry = Registry::default();
        match self.format {
            TextOrJson::Text => stdout::print_styled(&listing(&registry, stdout::width()))?,
            TextOrJson::Json => stdout::print_json(&rules())?,
        }
        Ok(Exit::Clean)
    }
}

/// Everything about all rules, as `luna rules --format json` prints it.
///
/// ```
/// let rules = luna_worker::command::rules();
/// assert!(rules.as_array().is_some_and(|all| all.iter().any(|rule| rule["code"] == "LF004")));
/// ```
pub fn rules() -> Value {
    Registry::default().rules().iter().map(document).collect()
}

fn listing(registry: &Registry, width: usize) -> String {
    let mut page = Page::new(width);
    let longest = registry.rules().iter().map(|rule| rule.name.len()).max().unwrap_or_default();
    for family in FAMILIES {
        let rules = registry.rules().iter().filter(|rule| rule.code.starts_with(family.prefix));
        page.line(format_args!("{HEADING}{}  {}{HEADING:#}", family.prefix, family.title));
        for rule in rules {
            let preview = if is_preview(rule) { " (preview)" } else { "" };
            page.line(format_args!(
                "  {}  {:longest$}  {}{FAINT}{preview}{FAINT:#}",
                rule.code,
                rule.name,
                severities(rule)
            ));
        }
    }
    page.line(format_args!(
        "\n{}; luna explain CODE says what one finds, why, and what to do.",
        luna_core::text::counted(registry.rules().len() as u64, "rule")
    ));
    page.into_text()
}

/// The severities of a rule's cases, gravest first, each once.
fn severities(rule: &Rule) -> String {
    let mut all: Vec<_> = rule.cases.iter().map(|case| case.severity).collect();
    all.sort_unstable();
    all.dedup();
    let styled = all.into_iter().map(|severity| {
        let style = style(severity);
        format!("{style}{severity}{style:#}")
    });
    styled.collect::<Vec<_>>().join(", ")
}

pub(super) fn is_preview(rule: &Rule) -> bool {
    matches!(rule.status, Status::Preview { .. })
}

/// Everything that a rule declares.
fn document(rule: &Rule) -> Value {
    let (status, since) = match rule.status {
        Status::Stable { since } => ("stable", since),
        Status::Preview { since } => ("preview", since),
        Status::Deprecated { since } => ("deprecated", since),
    };
    json!({
        "code": rule.code,
        "name": rule.name,
        "status": status,
        "since": since,
        "cases": rule.cases.iter().map(case).collect::<Vec<_>>(),
        "options": rule.options.iter().map(|known| option(known)).collect::<Vec<_>>(),
        "summary": rule.summary,
        "why": rule.why,
        "measured": rule.measured,
        "how_to_fix": rule.how_to_fix,
        "references": rule.references,
    })
}

fn case(case: &Case) -> Value {
    let stage = match case.stage {
        Stage::Name => "name",
        Stage::File => "file",
        Stage::Set => "set",
    };
    json!({ "name": case.name, "severity": case.severity, "stage": stage, "about": case.about })
}

fn option(option: &RuleOption) -> Value {
    let (default, range) = match option.default {
        DefaultValue::Number { value, least, most } => (json!(value), json!([least, most])),
        DefaultValue::Texts(texts) => (json!(texts), Value::Null),
    };
    json!({ "key": option.key, "default": default, "range": range, "unit": option.unit, "about": option.about })
}
