//! A path inside a source: data from outside, never a path of this machine.

use std::cmp::Ordering;
use std::fmt::{self, Write as _};

/// A path relative to its source, with `/`, kept byte for byte.
///
/// Ordered by bytes. Bytes that are not UTF-8 are written `\xNN`.
///
/// ```
/// use luna_core::source::ItemPath;
/// let path = ItemPath::from_bytes(b"a/caf\xe9.png".to_vec());
/// assert_eq!(path.as_str(), "a/caf\\xe9.png");
/// assert!(!path.is_utf8());
/// assert_eq!(path.file_name(), "caf\\xe9.png");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ItemPath {
    text: Box<str>,
    /// The bytes, where they are not the text's.
    raw: Option<Box<[u8]>>,
}

impl ItemPath {
    /// A path from raw bytes.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self { text: text.into(), raw: None },
            Err(error) => {
                let raw = error.into_bytes();
                let mut text = String::new();
                for chunk in raw.utf8_chunks() {
                    text.push_str(chunk.valid());
                    for byte in chunk.invalid() {
                        let _ = write!(text, "\\x{byte:02x}");
                    }
                }
                Self { text: text.into(), raw: Some(raw.into()) }
            }
        }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The path as text, for what names no source any more.
    pub(crate) fn into_text(self) -> String {
        self.text.into()
    }

    /// The path as the bytes that the source gave.
    pub fn as_bytes(&self) -> &[u8] {
        self.raw.as_deref().unwrap_or(self.text.as_bytes())
    }

    /// False if some bytes had to be written `\xNN`.
    pub fn is_utf8(&self) -> bool {
        self.raw.is_none()
    }

    /// What stands behind the last `/`.
    pub fn file_name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }

    /// What stands behind the last `.` of the file name, in lower case; empty if there is none.
    pub fn extension(&self) -> String {
        match self.file_name().rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => extension.to_ascii_lowercase(),
            _ => String::new(),
        }
    }

    /// True for hidden files and what operating systems and viewers leave behind, by any part of the path.
    ///
    /// ```
    /// use luna_core::source::ItemPath;
    /// assert!(ItemPath::from(".git/config").is_debris() && ItemPath::from("a/Thumbs.db").is_debris());
    /// assert!(!ItemPath::from("a/1.dcm").is_debris());
    /// ```
    pub fn is_debris(&self) -> bool {
        self.text.split('/').any(crate::names::is_debris)
    }

    /// The path below a folder: `prefix/path`.
    #[must_use]
    pub fn below(&self, prefix: &str) -> Self {
        let mut bytes = format!("{prefix}/").into_bytes();
        bytes.extend_from_slice(self.as_bytes());
        Self::from_bytes(bytes)
    }
}

impl From<&str> for ItemPath {
    fn from(text: &str) -> Self {
        Self { text: text.into(), raw: None }
    }
}

impl From<String> for ItemPath {
    fn from(text: String) -> Self {
        Self { text: text.into(), raw: None }
    }
}

impl Ord for ItemPath {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl PartialOrd for ItemPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ItemPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for ItemPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}
