//! A profile held against the rules that an engine knows, and its patterns compiled.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use regex::Regex;

use super::suggest::{hint, unknown_key};
use super::{Exception, OptionValue, Profile, RuleSettings};
use crate::error::ProfileError;
use crate::rules::{DefaultValue, Registry, Rule, RuleOption};
use crate::table::Column;
use crate::text::shown;

impl Profile {
    /// Checks rule codes, options, patterns and dates against the rules that an engine knows.
    ///
    /// ```
    /// use luna_core::{Profile, rules::Registry};
    /// let profile = Profile::parse("[rules]\nignore = [\"LX1\"]", "ours.toml")?;
    /// let error = profile.check(&Registry::default()).unwrap_err().to_string();
    /// assert!(error.starts_with("profile ours.toml, line 2: `rules.ignore[0]`: no rule"), "{error}");
    /// # Ok::<(), luna_core::ProfileError>(())
    /// ```
    ///
    /// # Errors
    /// If a rule, option or value is not usable; the error names file and line.
    pub fn check(&self, registry: &Registry) -> Result<(), ProfileError> {
        self.selectors(registry, "rules.select", &self.rules.select)?;
        self.selectors(registry, "rules.ignore", &self.rules.ignore)?;
        for (code, settings) in &self.rules.each {
            let path = format!("rules.{code}");
            match registry.rules().iter().find(|rule| rule.code == code) {
                Some(rule) => self.options(rule, settings, &path)?,
                None => return Err(self.places.invalid(&path, no_rule(registry, &path, code))),
            }
        }
        for (at, exception) in self.exceptions.iter().enumerate() {
            self.selectors(registry, &format!("exceptions[{at}].rules"), &exception.rules)?;
            if let Some(day) = &exception.until
                && !is_day(day)
            {
                let path = format!("exceptions[{at}].until");
                let message = format!("`{path}`: there is no day {}", shown(day));
                return Err(self.places.invalid(&path, message));
            }
        }
        for id in self.manifest.columns.keys() {
            let mut known = Column::ALL.into_iter().map(Column::id);
            if !known.any(|column| column == id) {
                let path = format!("manifest.columns.{id}");
                let known = Column::ALL.into_iter().map(Column::id);
                return Err(self.places.invalid(&path, unknown_key(id, "manifest.columns", known)));
            }
        }
        Exceptions::compile(self)?;
        self.pseudonym_pattern().map(drop)
    }

    /// The compiled pattern of pseudonyms.
    pub(crate) fn pseudonym_pattern(&self) -> Result<Option<Regex>, ProfileError> {
        self.identity.pseudonym.as_deref().map(Regex::new).transpose().map_err(|error| {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let message = format!("`identity.pseudonym` is no regular expression: {reason}");
            self.places.invalid("identity.pseudonym", message)
        })
    }

    fn selectors(
        &self,
        registry: &Registry,
        path: &str,
        selectors: &[String],
    ) -> Result<(), ProfileError> {
        match selectors.iter().enumerate().find(|(_, selector)| !registry.knows(selector)) {
            None => Ok(()),
            Some((at, selector)) => {
                let path = format!("{path}[{at}]");
                Err(self.places.invalid(&path, no_rule(registry, &path, selector)))
            }
        }
    }

    fn options(
        &self,
        rule: &Rule,
        settings: &RuleSettings,
        path: &str,
    ) -> Result<(), ProfileError> {
        for (key, value) in &settings.options {
            let below = format!("{path}.{key}");
            let Some(option) = rule.options.iter().find(|option| option.key == key) else {
                let known = rule.options.iter().map(|option| option.key);
                let message = unknown_key(key, path, known.chain(["severity"]));
                return Err(self.places.invalid(&below, message));
            };
            if let Some(expected) = misfit(option, value) {
                let message = format!("`{below}` is {}, expected {expected}", said(value));
                return Err(self.places.invalid(&below, message));
            }
        }
        Ok(())
    }
}

/// What was expected, if the value does not fit the option.
fn misfit(option: &RuleOption, value: &OptionValue) -> Option<String> {
    match (option.default, value) {
        (DefaultValue::Number { least, most, .. }, OptionValue::Number(number))
            if *number >= least && *number <= most =>
        {
            None
        }
        (DefaultValue::Number { least, most, .. }, _) => {
            let unit = if option.unit.is_empty() { "" } else { " " };
            Some(format!("{least} to {most}{unit}{}", option.unit))
        }
        (DefaultValue::Texts(_), OptionValue::Texts(_)) => None,
        (DefaultValue::Texts(_), OptionValue::Number(_)) => Some("a list of texts".to_owned()),
    }
}

fn said(value: &OptionValue) -> String {
    match value {
        OptionValue::Number(number) => number.to_string(),
        OptionValue::Texts(_) => "a list".to_owned(),
    }
}

fn no_rule(registry: &Registry, path: &str, word: &str) -> String {
    let hint = match registry.find(word) {
        Some(rule) => format!("; did you mean `{}` ({})?", rule.code, rule.name),
        None => hint(&word.to_ascii_uppercase(), registry.rules().iter().map(|rule| rule.code)),
    };
    format!("`{path}`: no rule has the code or prefix `{}`{hint}", shown(word))
}

/// True for a real day, `YYYY-MM-DD`.
fn is_day(text: &str) -> bool {
    let parts: Vec<u32> = text.split('-').filter_map(|part| part.parse().ok()).collect();
    matches!(parts.as_slice(), &[year, month, day] if crate::text::is_day(year, month, day))
}

/// The exceptions of a profile, compiled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exceptions {
    each: Vec<(Vec<String>, GlobSet)>,
}

impl Exceptions {
    /// Compiles the globs of a profile.
    pub(crate) fn compile(profile: &Profile) -> Result<Self, ProfileError> {
        let compile = |(at, exception): (usize, &Exception)| {
            let mut globs = GlobSetBuilder::new();
            let refuse = |path: &str, error: &globset::Error| {
                let message = format!("`{path}` is no glob: {}", error.kind());
                profile.places.invalid(path, message)
            };
            for (nth, glob) in exception.paths.iter().enumerate() {
                let path = format!("exceptions[{at}].paths[{nth}]");
                let glob = GlobBuilder::new(glob)
                    .literal_separator(true)
                    .backslash_escape(true)
                    .build()
                    .map_err(|error| refuse(&path, &error))?;
                globs.add(glob);
            }
            let globs = globs
                .build()
                .map_err(|error| refuse(&format!("exceptions[{at}].paths"), &error))?;
            Ok((exception.rules.clone(), globs))
        };
        let each: Result<_, _> = profile.exceptions.iter().enumerate().map(compile).collect();
        Ok(Self { each: each? })
    }

    /// True if findings of this rule about this path are excepted.
    pub(crate) fn cover(&self, rule: &str, path: &str) -> bool {
        self.each.iter().any(|(rules, globs)| {
            rules.iter().any(|prefix| rule.starts_with(prefix.as_str())) && globs.is_match(path)
        })
    }
}
