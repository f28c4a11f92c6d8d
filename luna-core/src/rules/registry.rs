//! The rules that one engine knows: the built-in ones and those of the embedding program.

use super::{FAMILIES, Rule};

/// Rules in order of their code.
///
/// ```
/// let registry = luna_core::rules::Registry::default();
/// assert_eq!(registry.get("LF004").map(|rule| rule.name), Some("truncated-file"));
/// assert_eq!(registry.nearest("LF04"), Some("LF004"));
/// ```
#[derive(Clone, Debug)]
pub struct Registry {
    rules: Vec<Rule>,
}

impl Default for Registry {
    fn default() -> Self {
        let mut rules: Vec<Rule> = FAMILIES
            .iter()
            .flat_map(|family| family.topics.iter().copied().flatten())
            .map(|rule| (*rule).clone())
            .collect();
        rules.sort_by_key(|rule| rule.code);
        Self { rules }
    }
}

impl Registry {
    /// A registry of these rules alone.
    ///
    /// ```
    /// let none = luna_core::rules::Registry::of([]);
    /// assert!(none.rules().is_empty());
    /// ```
    pub fn of(rules: impl IntoIterator<Item = Rule>) -> Self {
        let mut registry = Self { rules: Vec::new() };
        rules.into_iter().for_each(|rule| registry.add(rule));
        registry
    }

    /// Adds a rule, or replaces the one of the same code.
    pub fn add(&mut self, rule: Rule) {
        match self.rules.binary_search_by_key(&rule.code, |known| known.code) {
            Ok(at) => self.rules[at] = rule,
            Err(at) => self.rules.insert(at, rule),
        }
    }

    /// All rules, in order of their code.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of this code (any case).
    pub fn get(&self, code: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.code.eq_ignore_ascii_case(code))
    }

    /// The rule of this code or name (any case).
    pub fn find(&self, code_or_name: &str) -> Option<&Rule> {
        self.get(code_or_name)
            .or_else(|| self.rules.iter().find(|rule| rule.name.eq_ignore_ascii_case(code_or_name)))
    }

    /// True if a selector such as `LP`, `LP0` or `LP003` matches at least one rule, or is a family.
    pub fn knows(&self, selector: &str) -> bool {
        let family = FAMILIES.iter().any(|family| family.prefix == selector);
        let rule = self.rules.iter().any(|rule| rule.code.starts_with(selector));
        family || (rule && !selector.is_empty())
    }

    /// The code that resembles this one most, if any does.
    pub fn nearest(&self, code: &str) -> Option<&'static str> {
        crate::text::nearest(&code.to_ascii_uppercase(), self.rules.iter().map(|rule| rule.code))
    }
}
