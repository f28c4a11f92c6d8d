//! Text in, a [`Profile`] out: TOML, `extends`, and the way back.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Number, Value};
use sha2::{Digest, Sha256};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::suggest::hint;
use super::{Profile, shape};
use crate::error::ProfileError;
use crate::text::counted;

/// Longest chain of `extends`.
const DEEPEST: usize = 8;
/// Longest text of a profile, in bytes.
const LONGEST: usize = 1 << 20;

/// The built-in profiles: name, text.
const TEXTS: [(&str, &str); 4] = [
    ("default", include_str!("builtin/default.toml")),
    ("chest-xray", include_str!("builtin/chest-xray.toml")),
    ("dicom", include_str!("builtin/dicom.toml")),
    ("strict", include_str!("builtin/strict.toml")),
];

/// Where keys stand: file and line by path, such as `rules.LP012.min_side` or `exceptions[0].until`.
///
/// All are equal to each other: where something is written is no part of what it says.
#[derive(Clone, Debug, Default)]
pub struct Places {
    lines: BTreeMap<String, (Arc<str>, usize)>,
    /// The file of what has no place of its own.
    file: Option<Arc<str>>,
}

impl PartialEq for Places {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Places {
    /// The error for what stands at `path`, or at the nearest table around it that was written.
    pub(super) fn invalid(&self, path: &str, message: String) -> ProfileError {
        let mut at = path;
        loop {
            if let Some((file, line)) = self.lines.get(at) {
                return ProfileError::Invalid {
                    name: file.to_string(),
                    line: Some(*line),
                    message,
                };
            }
            match at.rfind(['.', '[']) {
                Some(end) => at = &at[..end],
                None => break,
            }
        }
        let name = self.file.as_deref().unwrap_or("default").to_owned();
        ProfileError::Invalid { name, line: None, message }
    }

    /// Lays the places of a profile over those of what it extends.
    fn lay(&mut self, upper: Self) {
        self.lines.extend(upper.lines);
        self.file = upper.file.or(self.file.take());
    }
}

impl Profile {
    /// Names of the built-in profiles.
    pub const BUILTIN: [&str; 4] = [TEXTS[0].0, TEXTS[1].0, TEXTS[2].0, TEXTS[3].0];

    /// A built-in profile by its name, or a profile file by its path (a file that has a built-in's
    /// name is reached as `./default`).
    ///
    /// ```
    /// use luna_core::Profile;
    /// assert_eq!(Profile::load("chest-xray")?.name, "chest-xray");
    /// let error = Profile::load("chest-xry").unwrap_err().to_string();
    /// assert!(error.ends_with("did you mean `chest-xray`?"), "{error}");
    /// # Ok::<(), luna_core::ProfileError>(())
    /// ```
    ///
    /// # Errors
    /// If there is no such profile, or it or one that it extends is not usable.
    pub fn load(name_or_path: &str) -> Result<Self, ProfileError> {
        if Self::BUILTIN.contains(&name_or_path) {
            return Self::builtin(name_or_path);
        }
        let path = Path::new(name_or_path);
        if !path.exists() {
            return Err(ProfileError::Unknown {
                name: name_or_path.to_owned(),
                hint: hint(name_or_path, Self::BUILTIN),
            });
        }
        let text = read_file(path)?;
        build(Layer { text: &text, name: name_or_path, home: path.parent() })
    }

    /// A built-in profile.
    ///
    /// ```
    /// # use luna_core::Profile;
    /// for name in Profile::BUILTIN {
    ///     assert_eq!(Profile::builtin(name)?.name, name);
    /// }
    /// # Ok::<(), luna_core::ProfileError>(())
    /// ```
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn builtin(name: &str) -> Result<Self, ProfileError> {
        match builtin(name) {
            Some(layer) => build(layer),
            None => Err(ProfileError::Unknown {
                name: name.to_owned(),
                hint: hint(name, Self::BUILTIN),
            }),
        }
    }

    /// A profile from text; `name` stands in errors, and gives the profile its name if the text does
    /// not. It can extend built-in profiles only: no file is opened.
    ///
    /// ```
    /// # use luna_core::Profile;
    /// let profile = Profile::parse("extends = \"dicom\"\nname = \"ours\"", "upload")?;
    /// assert_eq!(profile.accept.formats, [luna_core::Format::Dicom]);
    /// assert!(Profile::parse("extends = \"/etc/passwd\"", "upload").is_err());
    /// # Ok::<(), luna_core::ProfileError>(())
    /// ```
    ///
    /// # Errors
    /// If a key or value is not usable; the error names the line.
    pub fn parse(text: &str, name: &str) -> Result<Self, ProfileError> {
        build(Layer { text, name, home: None })
    }

    /// A profile from JSON with the keys of a profile file, for hosts that have it as a value; else as
    /// [`parse`](Self::parse), but errors name keys and no lines.
    ///
    /// ```
    /// # use luna_core::Profile;
    /// let profile = Profile::of_json(r#"{"extends": "dicom", "rules": {"ignore": ["LX"]}}"#, "ours")?;
    /// assert_eq!(profile.rules.ignore, ["LX"]);
    /// let error = Profile::of_json(r#"{"rules": {"selct": ["LF"]}}"#, "ours").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "profile ours: unknown key `selct` in [rules]; did you mean `select`?"
    /// );
    /// # Ok::<(), luna_core::ProfileError>(())
    /// ```
    ///
    /// # Errors
    /// If a key or value is not usable.
    pub fn of_json(json: &str, name: &str) -> Result<Self, ProfileError> {
        let unfit = |message: String| {
            let name = name.to_owned();
            ProfileError::Invalid { name, line: None, message }
        };
        let value: Value = serde_json::from_str(json).map_err(|error| unfit(error.to_string()))?;
        let text = toml::to_string(&value).map_err(|error| unfit(error.to_string()))?;
        let mut profile = Self::parse(&text, name).map_err(|error| match error {
            ProfileError::Invalid { name, message, .. } => {
                ProfileError::Invalid { name, line: None, message }
            }
            other => other,
        })?;
        // Lines of a text that nobody wrote say nothing.
        profile.places = Places { file: Some(name.into()), ..Places::default() };
        Ok(profile)
    }

    /// The resolved profile as TOML, every key with its value; [`parse`](Self::parse) gives the same
    /// profile again.
    ///
    /// ```
    /// # use luna_core::Profile;
    /// let profile = Profile::builtin("strict")?;
    /// assert_eq!(Profile::parse(&profile.to_toml(), "again")?, profile);
    /// # Ok::<(), luna_core::ProfileError>(())
    /// ```
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// SHA-256 of the resolved profile as canonical JSON, hexadecimal: the same for the same will,
    /// however it is written.
    ///
    /// ```
    /// # use luna_core::Profile;
    /// let one = Profile::parse("[rules]\npreview = true\nignore = []", "ours")?;
    /// let other = Profile::parse("rules = { ignore = [], preview = true }", "ours")?;
    /// assert_eq!(one.hash(), other.hash());
    /// # Ok::<(), luna_core::ProfileError>(())
    /// ```
    pub fn hash(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        hex::encode(Sha256::digest(canonical_json(&value)))
    }
}

/// JSON in one form only: no white space, keys sorted by their bytes.
fn canonical_json(value: &Value) -> String {
    match value {
        Value::Object(table) => {
            let sorted: BTreeMap<&String, &Value> = table.iter().collect();
            let members: Vec<String> = sorted
                .into_iter()
                .map(|(key, value)| {
                    format!("{}:{}", Value::from(key.as_str()), canonical_json(value))
                })
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical_json).collect();
            format!("[{}]", items.join(","))
        }
        scalar => scalar.to_string(),
    }
}

/// One profile's text before `extends` is followed.
#[derive(Clone, Copy)]
struct Layer<'a> {
    text: &'a str,
    /// Built-in name or file, for errors.
    name: &'a str,
    /// Folder to which `extends` is relative; none where files must not be opened.
    home: Option<&'a Path>,
}

fn builtin(name: &str) -> Option<Layer<'static>> {
    TEXTS.iter().find(|(known, _)| *known == name).map(|(name, text)| Layer {
        text,
        name,
        home: None,
    })
}

fn read_file(path: &Path) -> Result<String, ProfileError> {
    std::fs::read_to_string(path)
        .map_err(|source| ProfileError::Unreadable { name: path.display().to_string(), source })
}

fn build(layer: Layer<'_>) -> Result<Profile, ProfileError> {
    let (mut document, places) = resolve(layer, 0)?;
    document.remove("extends");
    let mut profile: Profile = serde_json::from_value(Value::Object(document))
        .map_err(|error| places.invalid("", error.to_string()))?;
    profile.places = places;
    Ok(profile)
}

/// A layer laid over all that it extends.
fn resolve(layer: Layer<'_>, depth: usize) -> Result<(Map<String, Value>, Places), ProfileError> {
    if depth > DEEPEST {
        return Err(ProfileError::Circular { name: layer.name.to_owned() });
    }
    let (mut upper, upper_places) = read(layer)?;
    upper.entry("name").or_insert_with(|| Value::from(stem(layer.name)));
    let base = match upper.get("extends").and_then(Value::as_str) {
        None if layer.name == TEXTS[0].0 => return Ok((upper, upper_places)),
        None => TEXTS[0].0,
        Some(base) => base,
    };
    let (mut lower, mut places) = match (builtin(base), layer.home) {
        (Some(base), _) => resolve(base, depth + 1)?,
        (None, Some(home)) if home.join(base).is_file() => {
            let path: PathBuf = home.join(base);
            let (text, name) = (read_file(&path)?, path.display().to_string());
            resolve(Layer { text: &text, name: &name, home: path.parent() }, depth + 1)?
        }
        (None, home) => {
            let file = if home.is_some() { " and no such file" } else { "" };
            let message = format!(
                "`extends`: no built-in profile{file} `{}`{}",
                crate::text::shown(base),
                hint(base, Profile::BUILTIN)
            );
            return Err(upper_places.invalid("extends", message));
        }
    };
    lay(&mut lower, upper);
    places.lay(upper_places);
    Ok((lower, places))
}

/// Lays one table over another: tables are merged, everything else is replaced.
fn lay(lower: &mut Map<String, Value>, upper: Map<String, Value>) {
    for (key, value) in upper {
        match (lower.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => lay(below, above),
            (_, value) => {
                lower.insert(key, value);
            }
        }
    }
}

/// `profiles/ours.toml` is `ours`.
fn stem(name: &str) -> String {
    let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str()).unwrap_or(name);
    stem.to_owned()
}

/// Reads one text: syntax, then shape.
fn read(layer: Layer<'_>) -> Result<(Map<String, Value>, Places), ProfileError> {
    let invalid = |at: usize, message: String| ProfileError::Invalid {
        name: layer.name.to_owned(),
        line: Some(line_of(layer.text, at)),
        message,
    };
    if layer.text.len() > LONGEST {
        let size = counted(layer.text.len() as u64, "byte");
        return Err(invalid(0, format!("{size} are no profile; at most 1 MiB")));
    }
    let table = DeTable::parse(layer.text).map_err(|error| {
        invalid(error.span().map_or(0, |span| span.start), error.message().to_owned())
    })?;
    let file: Arc<str> = Arc::from(layer.name);
    let mut reader = Reader {
        text: layer.text,
        places: Places { lines: BTreeMap::new(), file: Some(Arc::clone(&file)) },
        file,
    };
    let document = reader.table(table.into_inner(), "")?;
    let document = Value::Object(document);
    shape::fits(&document, &reader.places)?;
    match document {
        Value::Object(table) => Ok((table, reader.places)),
        _ => Ok((Map::new(), reader.places)),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// Turns TOML into JSON and notes where each key stands.
struct Reader<'a> {
    text: &'a str,
    file: Arc<str>,
    places: Places,
}

impl Reader<'_> {
    fn note(&mut self, path: &str, span: Range<usize>) {
        let line = line_of(self.text, span.start);
        self.places.lines.insert(path.to_owned(), (Arc::clone(&self.file), line));
    }

    /// Depth is bounded by the TOML parser (80).
    fn table(
        &mut self,
        table: DeTable<'_>,
        path: &str,
    ) -> Result<Map<String, Value>, ProfileError> {
        let mut entries: Vec<_> = table.into_iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let mut out = Map::new();
        for (key, value) in entries {
            let below = match path {
                "" => key.get_ref().to_string(),
                _ => format!("{path}.{}", key.get_ref()),
            };
            self.note(&below, key.span());
            let value = self.value(value, &below)?;
            out.insert(key.into_inner().into_owned(), value);
        }
        Ok(out)
    }

    fn value(&mut self, value: Spanned<DeValue<'_>>, path: &str) -> Result<Value, ProfileError> {
        Ok(match value.into_inner() {
            DeValue::String(text) => Value::from(text.as_ref()),
            DeValue::Boolean(flag) => Value::from(flag),
            DeValue::Datetime(date) => Value::from(date.to_string()),
            DeValue::Integer(digits) => {
                let number = i64::from_str_radix(digits.as_str(), digits.radix()).ok();
                self.number(number.map(Number::from), path)?
            }
            DeValue::Float(digits) => {
                let number = digits.as_str().parse().ok().and_then(Number::from_f64);
                self.number(number, path)?
            }
            DeValue::Table(table) => Value::Object(self.table(table, path)?),
            DeValue::Array(items) => {
                let mut out = Vec::new();
                for (at, item) in items.into_iter().enumerate() {
                    let below = format!("{path}[{at}]");
                    self.note(&below, item.span());
                    out.push(self.value(item, &below)?);
                }
                Value::Array(out)
            }
        })
    }

    fn number(&self, number: Option<Number>, path: &str) -> Result<Value, ProfileError> {
        number.map(Value::Number).ok_or_else(|| {
            self.places.invalid(path, format!("`{path}` is no finite number of 64 bits"))
        })
    }
}
