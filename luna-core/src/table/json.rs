//! JSON (RFC 8259), read strictly and piece by piece: nothing is kept that nobody asked for, every
//! defect has its line and column.
//!
//! Own code: `serde_json` takes the last of two equal keys without a word.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::HashSet;

/// A place in the text, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) line: u64,
    pub(super) column: u64,
}

/// Why reading stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) offset: usize,
    pub(super) reason: String,
}

/// What a value is; of objects and lists only their beginning is read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    Object,
    List,
}

impl Value {
    pub(super) fn title(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::Object => "an object",
            Self::List => "a list",
        }
    }
}

/// Reads a text from front to back.
#[derive(Debug)]
pub(super) struct Json<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
    most_depth: u32,
    longest: u64,
}

impl<'a> Json<'a> {
    pub(super) fn new(text: &'a str, most_depth: u32, longest: u64) -> Self {
        Self { text, at: 0, depth: 0, most_depth, longest }
    }

    pub(super) fn offset(&self) -> usize {
        self.at
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn step(&mut self, count: usize) {
        self.at = self.at.saturating_add(count);
    }

    pub(super) fn space(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.step(1);
        }
    }

    fn broken<T>(&self, reason: impl Into<String>) -> Result<T, Broken> {
        Err(Broken { offset: self.at, reason: reason.into() })
    }

    fn unexpected<T>(&self, wanted: &str) -> Result<T, Broken> {
        match self.rest().chars().next() {
            None => self.broken(format!("the text ends where {wanted} should stand")),
            Some(letter) => {
                let letter = crate::text::escaped(&letter.to_string());
                self.broken(format!("`{letter}` stands where {wanted} should stand"))
            }
        }
    }

    /// The next value.
    pub(super) fn value(&mut self) -> Result<Value, Broken> {
        self.space();
        match self.byte() {
            Some(b'{') => self.open(Value::Object),
            Some(b'[') => self.open(Value::List),
            Some(b'"') => self.text().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            _ => {
                let words = [
                    ("null", Value::Null),
                    ("true", Value::Bool(true)),
                    ("false", Value::Bool(false)),
                ];
                for (word, value) in words {
                    if self.rest().starts_with(word) {
                        self.step(word.len());
                        return Ok(value);
                    }
                }
                if ["NaN", "Infinity", "nan", "inf"].iter().any(|it| self.rest().starts_with(it)) {
                    return self
                        .broken("NaN and Infinity are no JSON; write null, or leave the key out");
                }
                self.unexpected("a value")
            }
        }
    }

    fn open(&mut self, value: Value) -> Result<Value, Broken> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > self.most_depth {
            return self.broken(format!(
                "it is nested deeper than `json_nesting` allows ({})",
                self.most_depth
            ));
        }
        self.step(1);
        Ok(value)
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.step(1);
    }

    /// The next key of an object, with its offset, or `None` at the object's end.
    pub(super) fn key(&mut self, first: bool) -> Result<Option<(String, usize)>, Broken> {
        self.space();
        match self.byte() {
            Some(b'}') => {
                self.close();
                return Ok(None);
            }
            Some(b',') if !first => {
                self.step(1);
                self.space();
            }
            _ if first => {}
            _ => return self.unexpected("`,` or `}`"),
        }
        let offset = self.at;
        if self.byte() != Some(b'"') {
            return self.unexpected("a key in quotes");
        }
        let key = self.text()?;
        self.space();
        if self.byte() != Some(b':') {
            return self.unexpected("`:`");
        }
        self.step(1);
        Ok(Some((key, offset)))
    }

    /// True if a list has another item, false at its end.
    pub(super) fn item(&mut self, first: bool) -> Result<bool, Broken> {
        self.space();
        match self.byte() {
            Some(b']') => {
                self.close();
                Ok(false)
            }
            Some(b',') if !first => {
                self.step(1);
                self.space();
                if self.byte() == Some(b']') { self.unexpected("a value") } else { Ok(true) }
            }
            _ if first => Ok(true),
            _ => self.unexpected("`,` or `]`"),
        }
    }

    /// Nothing but white space may follow.
    pub(super) fn end(&mut self) -> Result<(), Broken> {
        self.space();
        if self.byte().is_none() { Ok(()) } else { self.unexpected("the end of the text") }
    }

    /// Reads past what a value holds, if it is an object or a list; `twice` takes the offset and name
    /// of each key that its object has already.
    pub(super) fn skip(
        &mut self,
        value: &Value,
        twice: &mut dyn FnMut(usize, &str),
    ) -> Result<(), Broken> {
        // The keys of each object that is open; `None` for a list. Bounded by the nesting limit.
        let mut open: Vec<(Option<HashSet<String>>, bool)> = Vec::new();
        let mut value = value.clone();
        loop {
            match value {
                Value::Object => open.push((Some(HashSet::new()), true)),
                Value::List => open.push((None, true)),
                _ => {}
            }
            value = loop {
                let Some((keys, first)) = open.last_mut() else { return Ok(()) };
                let was_first = std::mem::replace(first, false);
                let more = match keys {
                    Some(keys) => match self.key(was_first)? {
                        Some((key, offset)) => {
                            if keys.contains(&key) {
                                twice(offset, &key);
                            }
                            keys.insert(key);
                            true
                        }
                        None => false,
                    },
                    None => self.item(was_first)?,
                };
                if more {
                    break self.value()?;
                }
                open.pop();
            };
        }
    }

    fn text(&mut self) -> Result<String, Broken> {
        let start = self.at;
        self.step(1);
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let plain = rest
                .bytes()
                .position(|byte| byte == b'"' || byte == b'\\' || byte < 0x20)
                .unwrap_or(rest.len());
            out.push_str(rest.get(..plain).unwrap_or_default());
            self.step(plain);
            if out.len() as u64 > self.longest {
                return self.broken("a text is longer than `text_bytes` allows");
            }
            match self.byte() {
                Some(b'"') => {
                    self.step(1);
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.step(1);
                    let letter = self.escape()?;
                    out.push(letter);
                }
                Some(_) => {
                    return self.broken("a control character stands in a text; write it as \\u");
                }
                None => {
                    self.at = start;
                    return self.broken("a text is opened here and never closed");
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Broken> {
        let letter = match self.byte() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.step(1);
                let high = self.four_digits()?;
                if !(0xd800..0xe000).contains(&high) {
                    return match char::from_u32(high) {
                        Some(letter) => Ok(letter),
                        None => self.broken("an escape is no character"),
                    };
                }
                if high >= 0xdc00 || !self.rest().starts_with("\\u") {
                    return self.broken("half of a surrogate pair stands alone");
                }
                self.step(2);
                let low = self.four_digits()?;
                let pair = (0xdc00..0xe000).contains(&low).then(|| {
                    0x10000_u32.saturating_add((high & 0x3ff) << 10).saturating_add(low & 0x3ff)
                });
                return match pair.and_then(char::from_u32) {
                    Some(letter) => Ok(letter),
                    None => self.broken("half of a surrogate pair stands alone"),
                };
            }
            _ => return self.broken("an escape that JSON does not know"),
        };
        self.step(1);
        Ok(letter)
    }

    fn four_digits(&mut self) -> Result<u32, Broken> {
        let digits = self.rest().get(..4).filter(|it| it.bytes().all(|b| b.is_ascii_hexdigit()));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(number) => {
                self.step(4);
                Ok(number)
            }
            None => self.broken("\\u needs four hexadecimal digits"),
        }
    }

    /// RFC 8259, section 6.
    fn number(&mut self) -> Result<String, Broken> {
        let start = self.at;
        if self.byte() == Some(b'-') {
            self.step(1);
        }
        match self.byte() {
            Some(b'0') => self.step(1),
            Some(b'1'..=b'9') => self.digits(),
            _ if self.rest().starts_with("Infinity") => {
                return self
                    .broken("NaN and Infinity are no JSON; write null, or leave the key out");
            }
            _ => return self.unexpected("a digit"),
        }
        if matches!(self.byte(), Some(b'0'..=b'9')) {
            return self.broken("a number has a zero at its front");
        }
        if self.byte() == Some(b'.') {
            self.step(1);
            self.needed_digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.step(1);
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.step(1);
            }
            self.needed_digits()?;
        }
        let written = self.text.get(start..self.at).unwrap_or_default();
        if written.len() > 400 {
            return self.broken("a number has more than 400 digits");
        }
        Ok(written.to_owned())
    }

    fn digits(&mut self) {
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.step(1);
        }
    }

    fn needed_digits(&mut self) -> Result<(), Broken> {
        if !matches!(self.byte(), Some(b'0'..=b'9')) {
            return self.unexpected("a digit");
        }
        self.digits();
        Ok(())
    }
}

/// Line and column of an offset.
pub(super) fn at(text: &str, offset: usize) -> At {
    let before = text.get(..offset).unwrap_or(text);
    let line = memchr::memchr_iter(b'\n', before.as_bytes()).count() as u64;
    let start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
    let column = before.get(start..).unwrap_or_default().chars().count() as u64;
    At { line: line.saturating_add(1), column: column.saturating_add(1) }
}
