//! Places by URI: text in, an [`Address`] out. Nothing is looked up here.
//!
//! What can be named stands in [`KINDS`] alone: the parser, the help of the command and the messages
//! are made from it.

use std::collections::BTreeMap;
use std::fmt;

use luna_core::text::{escaped, nearest, shown};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::uri;

/// What lies at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// A folder or file of this machine.
    Local,
    /// This process's own memory, for tests.
    Memory,
    /// Amazon S3 and what speaks like it.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azblob,
    /// A web server that gives files and lists nothing.
    Web,
}

/// A kind of place: how it is named, and what may stand behind the `?`.
#[derive(Debug)]
pub struct Kind {
    /// What it is.
    pub scheme: Scheme,
    /// How the URI begins; the first one is the usual one.
    pub names: &'static [&'static str],
    /// An example for the help; empty for what nobody needs to be told.
    pub example: &'static str,
    /// Where credentials are taken from.
    pub credentials: &'static str,
    /// Options, and which of them are secret.
    options: &'static [(&'static str, Secrecy)],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Secrecy {
    Open,
    Secret,
}
use Secrecy::{Open, Secret};

/// Every kind of place there is.
pub static KINDS: [Kind; 6] = [
    Kind {
        scheme: Scheme::Local,
        names: &["file", "fs"],
        example: "file:///data/scans",
        credentials: "",
        options: &[],
    },
    Kind { scheme: Scheme::Memory, names: &["memory"], example: "", credentials: "", options: &[] },
    Kind {
        scheme: Scheme::S3,
        names: &["s3"],
        example: "s3://bucket/scans?endpoint=https://minio.example&region=eu-west-1",
        credentials: "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or the role of the machine",
        options: &[
            ("endpoint", Open),
            ("region", Open),
            ("profile", Open),
            ("anonymous", Open),
            ("virtual_host", Open),
            ("access_key_id", Secret),
            ("secret_access_key", Secret),
            ("session_token", Secret),
        ],
    },
    Kind {
        scheme: Scheme::Gcs,
        names: &["gs", "gcs"],
        example: "gs://bucket/scans",
        credentials: "GOOGLE_APPLICATION_CREDENTIALS, or the role of the machine",
        options: &[("endpoint", Open), ("anonymous", Open), ("token", Secret)],
    },
    Kind {
        scheme: Scheme::Azblob,
        names: &["azblob", "az"],
        example: "azblob://container/scans?account=name",
        credentials: "AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN, or the role of the machine",
        options: &[
            ("endpoint", Open),
            ("account", Open),
            ("anonymous", Open),
            ("account_key", Secret),
            ("sas_token", Secret),
        ],
    },
    Kind {
        scheme: Scheme::Web,
        names: &["https", "http"],
        example: "https://host/set.zip",
        credentials: "",
        options: &[],
    },
];

impl Scheme {
    /// What is declared of it.
    pub fn kind(self) -> &'static Kind {
        KINDS.iter().find(|kind| kind.scheme == self).unwrap_or(&KINDS[0])
    }

    /// What its uppermost parts are called.
    pub(super) fn container(self) -> &'static str {
        match self {
            Self::Azblob => "container",
            Self::S3 | Self::Gcs => "bucket",
            Self::Local | Self::Memory | Self::Web => "place",
        }
    }
}

/// Why a text is no address. No message repeats a user name, a password or an option's value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// No storage is called so.
    #[error("storage `{scheme}://` is not known{hint}")]
    UnknownScheme {
        /// The scheme.
        scheme: String,
        /// The nearest known one, or all.
        hint: String,
    },
    /// This kind of storage has no such option.
    #[error("{place}: `{option}` is no option of `{scheme}://`{hint}")]
    UnknownOption {
        /// The place, without its options.
        place: String,
        /// The scheme.
        scheme: &'static str,
        /// The option.
        option: String,
        /// The nearest known one, or all.
        hint: String,
    },
    /// It is written wrongly.
    #[error("{place}: {why}")]
    Invalid {
        /// The place, as far as it may be shown.
        place: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// A place in a storage: a bucket, a folder below it, or an object.
///
/// ```
/// use luna_worker::storage::{Address, Scheme};
/// let address = Address::parse("s3://bucket/a%20b/1.dcm?region=eu-west-1&secret_access_key=x").unwrap()?;
/// assert_eq!((address.scheme(), address.path()), (Scheme::S3, "a b/1.dcm"));
/// assert_eq!(address.to_string(), "s3://bucket/a b/1.dcm?region=eu-west-1&secret_access_key=***");
/// assert!(Address::parse("scans/images").is_none());
/// # Ok::<(), luna_worker::storage::AddressError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    scheme: Scheme,
    /// How it was spelt.
    name: &'static str,
    /// Bucket, container, or host and port; empty for this machine.
    host: String,
    /// With `/`, decoded; without one at its front except on this machine.
    path: String,
    options: BTreeMap<&'static str, String>,
    /// User name and password of a web server.
    user: Option<(String, String)>,
}

impl Address {
    /// Reads a URI; `None` if the text is none, and so a path of this machine.
    ///
    /// # Errors
    /// If scheme or option are not known, or something is written wrongly.
    pub fn parse(text: &str) -> Option<Result<Self, AddressError>> {
        let scheme = uri::scheme(text)?;
        Some(Self::of_scheme(&scheme.to_ascii_lowercase(), text))
    }

    fn of_scheme(scheme: &str, text: &str) -> Result<Self, AddressError> {
        let named = |kind: &'static Kind| {
            let name = kind.names.iter().find(|name| **name == scheme)?;
            Some((kind, *name))
        };
        let Some((kind, name)) = KINDS.iter().find_map(named) else {
            let names = KINDS.iter().flat_map(|kind| kind.names).copied();
            return Err(AddressError::UnknownScheme {
                scheme: shown(scheme),
                hint: hint(scheme, names, "://"),
            });
        };
        let invalid = |why| AddressError::Invalid { place: uri::without_secrets(text), why };
        let url = Url::parse(text).map_err(|_| invalid("this is no URI"))?;
        if url.fragment().is_some() {
            return Err(invalid("write `%23` for a `#` in a name"));
        }
        let host = match (url.host_str().unwrap_or_default(), url.port()) {
            (host, Some(port)) => format!("{host}:{port}"),
            (host, None) => host.to_owned(),
        };
        let path = decoded(url.path()).ok_or_else(|| invalid("its name is no UTF-8"))?;
        let local = kind.scheme == Scheme::Local;
        let path = if local { path } else { path.trim_start_matches('/').to_owned() };
        let mut address = Self {
            scheme: kind.scheme,
            name,
            host,
            path,
            options: BTreeMap::new(),
            user: user(&url),
        };
        address.check(&url).map_err(invalid)?;
        for (option, value) in url.query_pairs() {
            address.set(kind, &option, value.into_owned())?;
        }
        Ok(address)
    }

    /// A folder of this machine.
    pub(super) fn of_folder(path: &str) -> Self {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.into());
        Self {
            scheme: Scheme::Local,
            name: "file",
            host: String::new(),
            path: absolute.to_string_lossy().into_owned(),
            options: BTreeMap::new(),
            user: None,
        }
    }

    /// What must not be, whatever the options.
    fn check(&self, url: &Url) -> Result<(), &'static str> {
        let is_local = self.scheme == Scheme::Local;
        if is_local && !self.host.is_empty() && self.host != "localhost" {
            return Err("a path of this machine begins with three slashes: `file:///data`");
        }
        if !is_local && self.host.is_empty() {
            return Err("names no bucket, container or host");
        }
        if self.scheme != Scheme::Web && self.user.is_some() {
            return Err(
                "credentials do not belong in front of the `@`; they are taken from the environment",
            );
        }
        if self.scheme == Scheme::Web && url.query().is_some() {
            return Err("a web address with a query is not read; name the file itself");
        }
        if self.scheme != Scheme::Web && url.port().is_some() {
            return Err("a port belongs to the server: `?endpoint=http://host:port`");
        }
        Ok(())
    }

    fn set(
        &mut self,
        kind: &'static Kind,
        option: &str,
        value: String,
    ) -> Result<(), AddressError> {
        let Some((name, _)) = kind.options.iter().find(|(name, _)| *name == option) else {
            let names = kind.options.iter().map(|(name, _)| *name);
            return Err(AddressError::UnknownOption {
                place: self.bare(),
                scheme: self.name,
                option: shown(option),
                hint: hint(option, names, ""),
            });
        };
        let value = match *name {
            "endpoint" => endpoint(&value).ok_or_else(|| AddressError::Invalid {
                place: self.bare(),
                why: "`endpoint` is the address of the server: `http://host:port`, without user and query",
            })?,
            "anonymous" | "virtual_host" if !matches!(&*value, "true" | "false") => {
                let why = "`anonymous` and `virtual_host` are `true` or `false`";
                return Err(AddressError::Invalid { place: self.bare(), why });
            }
            _ => value,
        };
        if self.options.insert(name, value).is_some() {
            let why = "an option is given twice";
            return Err(AddressError::Invalid { place: self.bare(), why });
        }
        Ok(())
    }

    /// What it is.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Bucket, container, or host and port; empty for this machine.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Path below it, decoded; empty for all of it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// An option's value.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// True if an option is set to `true`.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.option(name) == Some("true")
    }

    /// User name and password of a web server.
    pub(super) fn user(&self) -> Option<(&str, &str)> {
        self.user.as_ref().map(|(user, password)| (&**user, &**password))
    }

    /// The last part of its path, or the bucket.
    pub fn last_part(&self) -> &str {
        self.path.rsplit('/').find(|part| !part.is_empty()).unwrap_or(&self.host)
    }

    /// The same storage with another path.
    #[must_use]
    pub fn at(&self, path: impl Into<String>) -> Self {
        Self { path: path.into(), ..self.clone() }
    }

    /// The place without its options: `s3://bucket/path`.
    pub fn bare(&self) -> String {
        let slash = if self.scheme == Scheme::Local || self.path.is_empty() { "" } else { "/" };
        let user = if self.user.is_some() { "***@" } else { "" };
        escaped(&format!("{}://{user}{}{slash}{}", self.name, self.host, self.path))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.bare())?;
        let secrecy = |name: &str| {
            let known = self.scheme.kind().options.iter().find(|(known, _)| *known == name);
            known.map_or(Secret, |(_, secrecy)| *secrecy)
        };
        for (number, (name, value)) in self.options.iter().enumerate() {
            let between = if number == 0 { '?' } else { '&' };
            let value = if secrecy(name) == Secret { "***".to_owned() } else { escaped(value) };
            write!(f, "{between}{name}={value}")?;
        }
        Ok(())
    }
}

/// As it is shown: a debug output must not hold more than a message.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// Lines that teach the URIs, for the help of a command.
pub fn help() -> String {
    let mut lines = vec!["Places beside folders and files of this machine:".to_owned()];
    for kind in KINDS.iter().filter(|kind| !kind.example.is_empty()) {
        let options: Vec<&str> = kind
            .options
            .iter()
            .filter(|(_, secrecy)| *secrecy == Open)
            .map(|(name, _)| *name)
            .collect();
        lines.push(format!("  {}", kind.example));
        if !options.is_empty() {
            lines.push(format!("      options: {}", options.join(", ")));
        }
        if !kind.credentials.is_empty() {
            lines.push(format!("      credentials: {}", kind.credentials));
        }
    }
    lines.push(
        "A web server lists nothing: name a file, an archive, or a folder with a manifest in it."
            .to_owned(),
    );
    lines.join("\n")
}

fn user(url: &Url) -> Option<(String, String)> {
    let password = url.password().unwrap_or_default();
    let given = !url.username().is_empty() || !password.is_empty();
    given.then(|| Some((decoded(url.username())?, decoded(password)?))).flatten()
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// A server's address without a `/` at its end.
fn endpoint(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let plain = user(&url).is_none() && url.query().is_none() && url.fragment().is_none();
    (plain && url.host_str().is_some()).then(|| text.trim_end_matches('/').to_owned())
}

/// `; did you mean …?` if a name resembles the word, else all names.
fn hint<'a>(word: &str, names: impl Iterator<Item = &'a str> + Clone, behind: &str) -> String {
    // Of two letters, one may be a slip; they resemble each other too little for the other measure.
    let slip = |name: &&str| {
        name.len() == word.len()
            && name.bytes().zip(word.bytes()).filter(|(a, b)| a != b).count() == 1
    };
    match nearest(word, names.clone()).or_else(|| names.clone().find(slip)) {
        Some(near) => format!("; did you mean `{near}{behind}`?"),
        None => {
            match names.map(|name| format!("`{name}{behind}`")).collect::<Vec<_>>().join(", ") {
                known if known.is_empty() => "; it has none".to_owned(),
                known => format!("; known are {known}"),
            }
        }
    }
}
