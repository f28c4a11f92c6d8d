//! `luna explain RULE`: what a rule finds, why, how it is measured, what to do.

use luna_core::rules::{Case, DefaultValue, Registry, Rule};
use luna_core::text;

use super::exit::{Exit, Failure};
use super::prose::{FAINT, HEADING, Page, style};
use super::{rules, stdout};

/// Where lines are broken that go to no terminal.
const WIDTH: usize = 80;

/// Explain a rule: what it finds, why it matters, what to do.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  luna explain LF004                         by its code
  luna explain truncated-file                by its name")]
pub(super) struct Arguments {
    /// Code or name of the rule
    #[arg(value_name = "RULE")]
    rule: String,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let registry = Registry::default();
        let rule = registry.find(&self.rule).ok_or_else(|| unknown(&self.rule, &registry))?;
        stdout::print_styled(&explanation(rule, stdout::width()))?;
        Ok(Exit::Clean)
    }
}

/// What `luna explain` says of a rule, by its code or name, in lines of 80 letters without colour.
///
/// ```
/// use luna_worker::command::explain;
/// assert!(explain("LF004")?.starts_with("LF004 truncated-file\n"));
/// assert!(explain("LF04").is_err_and(|said| said.to_string().contains("did you mean LF004?")));
/// # Ok::<(), luna_worker::command::Failure>(())
/// ```
///
/// # Errors
/// [`Failure::Usage`] if there is no such rule.
pub fn explain(rule: &str) -> Result<String, Failure> {
    let registry = Registry::default();
    let rule = registry.find(rule).ok_or_else(|| unknown(rule, &registry))?;
    Ok(anstream::adapter::strip_str(&explanation(rule, WIDTH)).to_string())
}

fn unknown(asked: &str, registry: &Registry) -> Failure {
    let names = registry.rules().iter().map(|rule| rule.name);
    let near = registry.nearest(asked).or_else(|| text::nearest(&asked.to_lowercase(), names));
    let hint = match near {
        Some(near) => format!("did you mean {near}?"),
        None => "`luna rules` lists them all".to_owned(),
    };
    Failure::Usage(format!("there is no rule {}; {hint}", text::shown(asked)))
}

fn explanation(rule: &Rule, width: usize) -> String {
    let mut page = Page::new(width);
    page.line(format_args!("{HEADING}{} {}{HEADING:#}", rule.code, rule.name));
    page.paragraphs(rule.summary);
    if rules::is_preview(rule) {
        page.paragraphs(&format!(
            "In preview: it runs only when selected by its full code (--select {}), or with \
             `preview = true` in the profile.",
            rule.code
        ));
    }
    page.line(format_args!("\n{HEADING}How grave it is{HEADING:#}"));
    cases(rule, &mut page);
    page.section("Why it matters", rule.why);
    page.section("How it is measured", rule.measured);
    page.section("What to do", rule.how_to_fix);
    options(rule, &mut page);
    if !rule.references.is_empty() {
        page.line(format_args!("\n{HEADING}References{HEADING:#}"));
        for reference in rule.references {
            page.hanging("  - ", "    ", reference);
        }
    }
    page.into_text()
}

/// Severity, name and meaning of each case, in columns.
fn cases(rule: &Rule, page: &mut Page) {
    let name_of = |case: &Case| match case.name {
        "" => rule.code.to_owned(),
        name => format!("{}/{name}", rule.code),
    };
    let longest = rule.cases.iter().map(|case| name_of(case).len()).max().unwrap_or_default();
    for case in rule.cases {
        let style = style(case.severity);
        let first = format!("  {style}{:7}{style:#}  {:longest$}", case.severity, name_of(case));
        match case.about {
            "" => page.line(first),
            about => page.hanging(&format!("{first}  "), &" ".repeat(13 + longest), about),
        }
    }
}

/// The options as a profile writes them, with their defaults.
fn options(rule: &Rule, page: &mut Page) {
    if rule.options.is_empty() {
        return;
    }
    page.line(format_args!("\n{HEADING}Options{HEADING:#} {FAINT}(in a profile){FAINT:#}"));
    page.line(format_args!("  [rules.{}]", rule.code));
    for option in rule.options {
        let (default, range) = match option.default {
            DefaultValue::Number { value, least, most } => {
                (value.to_string(), format!(" Between {least} and {most}."))
            }
            DefaultValue::Texts(texts) => (format!("{texts:?}"), String::new()),
        };
        page.line(format_args!("  {} = {default}", option.key));
        let unit = if option.unit.is_empty() { "" } else { "In " };
        let stop = if option.unit.is_empty() { "" } else { ". " };
        let about = format!("{unit}{}{stop}{}{range}", option.unit, option.about);
        page.hanging("      ", "      ", &about);
    }
}
