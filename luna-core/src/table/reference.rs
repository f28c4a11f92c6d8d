//! What a table may call a file: a path inside the set, and nothing else.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::names::unsafe_because;

/// Why a reference is never followed.
pub(super) fn refused(text: &str) -> Option<&'static str> {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    let is_url = text.contains("://")
        || scheme.is_some_and(|scheme| ["file", "data", "http", "https"].contains(&&*scheme));
    if is_url { Some("is a URL") } else { unsafe_because(text) }
}

/// The path without `./` at its front.
pub(super) fn normal(text: &str) -> &str {
    let mut path = text;
    while let Some(rest) = path.strip_prefix("./") {
        path = rest;
    }
    path
}
