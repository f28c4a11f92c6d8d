//! Addresses of services: which may be used, and what of them may be shown.

use luna_core::text;
use url::{Host, Url};

use super::error::{Error, Result};

/// Reads a service's address; what it must not hold is said without repeating it.
pub(super) fn address(text: &str) -> Result<Url> {
    let shown =
        || if text.contains("://") { crate::uri::without_secrets(text) } else { text::shown(text) };
    let no_url = || {
        let what = "no address of a service; it looks like https://luna.example.org";
        Error::Address(format!("{}: {what}", shown()))
    };
    let url = Url::parse(text.trim()).map_err(|_| no_url())?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(no_url());
    }
    if !url.username().is_empty() || url.password().is_some() {
        let what = "an address holds no password; sign in with username and password instead";
        return Err(Error::Address(format!("{}: {what}", shown())));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(no_url());
    }
    Ok(url)
}

/// True if nobody on the way can read along.
pub(super) fn is_private(url: &Url) -> bool {
    url.scheme() == "https"
        || match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

/// An address as it may be shown.
pub(super) fn shown(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    text::escaped(bare.as_str().trim_end_matches('/'))
}
