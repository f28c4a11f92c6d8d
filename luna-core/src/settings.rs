//! What is in force in a run: the profile, the rules it selects, the identity key.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use hmac::{Hmac, KeyInit as _, Mac as _};
use regex::Regex;
use sha2::Sha256;

use crate::digest::Digest;
use crate::error::ProfileError;
use crate::finding::Severity;
use crate::limits::Limits;
use crate::profile::{Exceptions, OptionValue, Profile};
use crate::rules::{Case, DefaultValue, Registry, Rule, RuleOption};

/// The key under which identities are hashed.
///
/// ```
/// use luna_core::IdentityKey;
/// let key = IdentityKey::from_hex(&"0a".repeat(32)).unwrap();
/// assert_eq!(key.hash(&["x"]), key.hash(&["x"]));
/// assert!(IdentityKey::from_hex("short").is_none());
/// ```
#[derive(Clone)]
pub struct IdentityKey([u8; 32]);

impl IdentityKey {
    /// A new random key, for one run.
    pub fn random() -> Self {
        let mut key = [0; 32];
        if getrandom::fill(&mut key).is_err() {
            // The seeds of the standard library's hash maps are the next best source.
            for part in key.chunks_mut(8) {
                part.copy_from_slice(&RandomState::new().build_hasher().finish().to_le_bytes());
            }
        }
        Self(key)
    }

    /// A key from 64 hexadecimal digits.
    pub fn from_hex(digits: &str) -> Option<Self> {
        let mut key = [0; 32];
        hex::decode_to_slice(digits.trim(), &mut key).ok()?;
        Some(Self(key))
    }

    /// Its 64 hexadecimal digits: a secret, for other processes that examine files of the same set.
    ///
    /// ```
    /// let key = luna_core::IdentityKey::random();
    /// let other = luna_core::IdentityKey::from_hex(&key.to_hex()).unwrap();
    /// assert_eq!(key.hash(&["x"]), other.hash(&["x"]));
    /// ```
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// HMAC-SHA-256 over the parts, each closed by a NUL.
    pub fn hash(&self, parts: &[&str]) -> Digest {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return [0; 32].into() };
        for part in parts {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        Digest::from(<[u8; 32]>::from(mac.finalize().into_bytes()))
    }
}

impl std::fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdentityKey(***)")
    }
}

/// What is in force: built once, shared by all threads.
///
/// ```
/// let settings = luna_core::Settings::default();
/// assert_eq!(settings.profile().name, "default");
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    profile: Profile,
    registry: Registry,
    /// Rules that run, as indices into the registry, in order of their code.
    running: Vec<usize>,
    exceptions: Exceptions,
    pseudonym: Option<Regex>,
    identity_key: IdentityKey,
    show_values: bool,
}

impl Settings {
    /// Combines a profile with the rules that this engine knows.
    ///
    /// # Errors
    /// If the profile names a rule or option that there is not, or a value that makes no sense.
    pub fn new(profile: Profile, registry: Registry) -> Result<Self, ProfileError> {
        profile.check(&registry)?;
        let running = registry
            .rules()
            .iter()
            .enumerate()
            .filter(|(_, rule)| profile.selects(rule))
            .map(|(at, _)| at)
            .collect();
        Ok(Self {
            running,
            exceptions: Exceptions::compile(&profile)?,
            pseudonym: profile.pseudonym_pattern()?,
            identity_key: IdentityKey::random(),
            show_values: false,
            profile,
            registry,
        })
    }

    /// Sets the key under which identities are hashed.
    #[must_use]
    pub fn with_identity_key(mut self, key: IdentityKey) -> Self {
        self.identity_key = key;
        self
    }

    /// Lets findings repeat values that may identify a person.
    #[must_use]
    pub fn with_values_shown(mut self, show: bool) -> Self {
        self.show_values = show;
        self
    }

    /// The profile in force.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The budgets in force.
    pub fn limits(&self) -> &Limits {
        &self.profile.limits
    }

    /// All rules that the engine knows.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The rules that run, in order of their code.
    pub fn running(&self) -> impl Iterator<Item = &Rule> {
        self.running.iter().filter_map(|at| self.registry.rules().get(*at))
    }

    /// The key under which identities are hashed.
    pub fn identity_key(&self) -> &IdentityKey {
        &self.identity_key
    }

    /// A value that may identify a person, as findings may say it: masked unless the host asked for
    /// values.
    pub fn value(&self, value: &str) -> String {
        if self.show_values { crate::text::shown(value) } else { crate::text::masked(value) }
    }

    /// Whether a value is a pseudonym by the profile's pattern; `None` if the profile gives none.
    pub(crate) fn is_pseudonym(&self, value: &str) -> Option<bool> {
        self.pseudonym.as_ref().map(|pattern| pattern.is_match(value))
    }

    /// True if the profile excepts findings of this rule about this path.
    ///
    /// ```
    /// use luna_core::{Profile, Settings, rules::Registry};
    /// let text = r#"
    ///     [[exceptions]]
    ///     rules = ["LX"]
    ///     paths = ["film/**"]
    ///     reason = "scanned twice on purpose"
    /// "#;
    /// let settings = Settings::new(Profile::parse(text, "ours")?, Registry::default())?;
    /// assert!(settings.excepts("LX001", "film/a/1.png"));
    /// assert!(!settings.excepts("LX001", "digital/1.png"));
    /// assert!(!settings.excepts("LF001", "film/a/1.png"));
    /// # Ok::<(), luna_core::ProfileError>(())
    /// ```
    pub fn excepts(&self, rule: &str, path: &str) -> bool {
        self.exceptions.cover(rule, path)
    }

    pub(crate) fn severity(&self, rule: &Rule, case: &Case) -> Severity {
        self.profile.rules.each.get(rule.code).and_then(|own| own.severity).unwrap_or(case.severity)
    }

    /// The value of a number option in force: the profile's, else the default; 0 of a list option.
    ///
    /// ```
    /// use luna_core::{Profile, Validator, rules::DefaultValue};
    /// let profile = Profile::parse("[rules.LP012]\nmin_side = 100\n", "ours")?;
    /// let validator = Validator::builder().profile(profile).build()?;
    /// let rule = validator.settings().registry().get("LP012").unwrap();
    /// let option = rule.options.iter().find(|option| option.key == "min_side").unwrap();
    /// assert_eq!(validator.settings().number(option), 100.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn number(&self, option: &RuleOption) -> f64 {
        match (self.option(option), option.default) {
            (Some(OptionValue::Number(value)), _) => *value,
            (_, DefaultValue::Number { value, .. }) => value,
            (_, DefaultValue::Texts(_)) => 0.0,
        }
    }

    /// The value of a list option in force; empty of a number option.
    pub fn texts(&self, option: &RuleOption) -> Vec<String> {
        match (self.option(option), option.default) {
            (Some(OptionValue::Texts(values)), _) => values.clone(),
            (_, DefaultValue::Texts(values)) => values.iter().map(ToString::to_string).collect(),
            (_, DefaultValue::Number { .. }) => Vec::new(),
        }
    }

    fn option(&self, option: &RuleOption) -> Option<&OptionValue> {
        let options: &BTreeMap<String, OptionValue> =
            &self.profile.rules.each.get(option.rule)?.options;
        options.get(option.key)
    }
}

impl Default for Settings {
    /// The built-in profile `default` with the built-in rules and a random identity key.
    fn default() -> Self {
        Self::new(Profile::default(), Registry::default()).unwrap_or_else(|_| Self {
            profile: Profile::default(),
            registry: Registry::default(),
            running: Vec::new(),
            exceptions: Exceptions::default(),
            pseudonym: None,
            identity_key: IdentityKey::random(),
            show_values: false,
        })
    }
}
