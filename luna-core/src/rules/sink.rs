//! Where rules put their findings. Severities of the profile, and the cap per rule and file, are
//! applied here and nowhere else.

use std::borrow::Cow;

use std::fmt::Write as _;

use super::rule::{Rule, RuleOption, Stage};
use crate::finding::{Finding, Location};
use crate::settings::Settings;

/// Findings of one rule about one file beyond this number are counted, not listed.
pub(crate) const MOST_PER_RULE: usize = 50;

/// A finding in the making.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    message: String,
    help: Option<Cow<'static, str>>,
    location: Option<Location>,
    found: Option<String>,
    expected: Option<String>,
    related: Vec<String>,
    subject: Option<String>,
}

impl Draft {
    /// A finding that says this. Foreign text in it must have gone through
    /// [`text::shown`](crate::text::shown) or be masked.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// The file that a finding of the whole set is about; it then stands under that file.
    #[must_use]
    pub fn about(mut self, path: impl Into<String>) -> Self {
        self.subject = Some(path.into());
        self
    }

    /// Says which of several sources it is about; an empty name says nothing.
    #[must_use]
    pub(crate) fn among(mut self, source: &str) -> Self {
        if !source.is_empty() {
            self.message = format!("{}: {}", crate::text::shown(source), self.message);
        }
        self
    }

    /// Where it is.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }

    /// What was found.
    #[must_use]
    pub fn found(mut self, found: impl Into<String>) -> Self {
        self.found = Some(found.into());
        self
    }

    /// What was expected.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// What to do, where the rule's own `how_to_fix` does not fit.
    #[must_use]
    pub fn help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Other files that take part; a set finding names all its files here.
    #[must_use]
    pub fn related(mut self, paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.related = paths.into_iter().map(Into::into).collect();
        self
    }
}

/// Takes the findings of one rule about one file, or about the set.
#[derive(Debug)]
pub struct Sink<'a> {
    rule: &'a Rule,
    settings: &'a Settings,
    findings: &'a mut Vec<Finding>,
    fired: usize,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(
        rule: &'a Rule,
        settings: &'a Settings,
        findings: &'a mut Vec<Finding>,
    ) -> Self {
        Self { rule, settings, findings, fired: 0 }
    }

    /// Reports a finding under one of the rule's cases (`""` for the main case).
    pub fn fire(&mut self, case: &str, draft: Draft) {
        let declared = self.rule.cases.iter().find(|declared| declared.name == case);
        debug_assert!(declared.is_some(), "{} declares no case {case:?}", self.rule.code);
        let Some(declared) = declared.or(self.rule.cases.first()) else { return };
        // What is found in a set is no repetition: every group and pair of files is its own.
        self.fired += usize::from(declared.stage != Stage::Set);
        if self.fired > MOST_PER_RULE {
            return;
        }
        let mut message = draft.message;
        if !declared.name.is_empty() {
            let _ = write!(message, " ({}/{})", self.rule.code, declared.name);
        }
        // Findings wait until the whole set is known.
        message.shrink_to_fit();
        self.findings.push(Finding {
            id: String::new(),
            rule: self.rule.code.into(),
            name: self.rule.name.into(),
            severity: self.settings.severity(self.rule, declared),
            path: draft.subject.map(String::into_boxed_str),
            message,
            help: draft.help.unwrap_or(Cow::Borrowed(self.rule.how_to_fix)),
            location: draft.location,
            found: draft.found.map(String::into_boxed_str),
            expected: draft.expected.map(String::into_boxed_str),
            related: draft.related,
            excepted: false,
        });
    }

    /// The code of the rule.
    pub(crate) fn code(&self) -> &'static str {
        self.rule.code
    }

    /// The value of a number option in force.
    pub fn number(&self, option: &RuleOption) -> f64 {
        self.settings.number(option)
    }

    /// The value of a list option in force.
    pub fn texts(&self, option: &RuleOption) -> Vec<String> {
        self.settings.texts(option)
    }
}

impl Drop for Sink<'_> {
    fn drop(&mut self) {
        let hidden = self.fired.saturating_sub(MOST_PER_RULE);
        if hidden > 0
            && let Some(last) = self.findings.last_mut()
        {
            let hidden = crate::text::grouped(hidden as u64);
            let _ = write!(last.message, " And {hidden} more of this kind in this file.");
        }
    }
}
