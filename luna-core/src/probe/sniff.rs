//! Formats by their first bytes.

use super::Format;

/// The format of a file, told by its bytes; `None` if they match nothing known.
///
/// ```
/// use luna_core::{Format, probe::sniff};
/// assert_eq!(sniff(b"\x89PNG\r\n\x1a\n"), Some(Format::Png));
/// assert_eq!(sniff(b""), None);
/// ```
pub fn sniff(bytes: &[u8]) -> Option<Format> {
    bytes.starts_with(b"\x89PNG\r\n\x1a\n").then_some(Format::Png)
}
