//! Whether a text is a URI at all, and what of it may be shown.

use luna_core::text::escaped;

/// The scheme of `s3://bucket/prefix` and the like (RFC 3986 3.1); `None` for a path of this machine.
pub(crate) fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let mut letters = scheme.chars();
    let begins_well = letters.next().is_some_and(|c| c.is_ascii_alphabetic());
    let goes_on_well = letters.all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    (begins_well && goes_on_well).then_some(scheme)
}

/// What may be shown of a URI that was not understood: nothing before an `@`, no options.
pub(crate) fn without_secrets(text: &str) -> String {
    let bare = text.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = bare.split_once("://").unwrap_or_default();
    // A password may hold a slash that should have been escaped.
    let rest = match rest.rsplit_once('@') {
        Some((_, rest)) => format!("***@{rest}"),
        None => rest.to_owned(),
    };
    escaped(&format!("{scheme}://{rest}"))
}
