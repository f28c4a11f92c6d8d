//! What can keep a storage from doing what it was asked.

use std::error::Error as _;
use std::io;

use opendal::ErrorKind;

use super::address::{Address, AddressError, Scheme};

/// The storage could not do it. No message holds a secret, a signed address, or a header.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is no address: mend it.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// There is no such object: check its name.
    #[error("{place}: there is no such object")]
    NotFound {
        /// The object.
        place: String,
    },
    /// There is no such bucket or container: check its name, or make it.
    #[error("{place}: there is no such {what}")]
    NoContainer {
        /// The place.
        place: String,
        /// `bucket` or `container`.
        what: &'static str,
    },
    /// The credentials are missing, wrong, or do not suffice.
    #[error("{place}: access was refused ({reason}){remedy}")]
    Denied {
        /// The place.
        place: String,
        /// The storage's own word for it.
        reason: String,
        /// What may be looked at.
        remedy: String,
    },
    /// The credentials were good once: get new ones.
    #[error("{place}: the credentials have expired; get new ones and try again")]
    Expired {
        /// The place.
        place: String,
    },
    /// Nobody answers: try again later, or check the address of the server.
    #[error("{place}: {server} does not answer ({reason}); try again later")]
    Unreachable {
        /// The place.
        place: String,
        /// The server.
        server: String,
        /// What was seen.
        reason: String,
    },
    /// Too many requests: try again later.
    #[error("{place}: the storage asks for fewer requests; try again later")]
    RateLimited {
        /// The place.
        place: String,
    },
    /// It is larger than the caller allowed.
    #[error("{place}: has more than the {max_bytes} bytes allowed")]
    TooLarge {
        /// The object.
        place: String,
        /// What the caller allowed.
        max_bytes: u64,
        /// What was found, or at least what was read when it stopped.
        found: u64,
    },
    /// It is another object than the one that was listed.
    #[error("{place}: changed while it was read")]
    Changed {
        /// The object.
        place: String,
    },
    /// Storages of this kind do not do this.
    #[error("{place}: {what}")]
    Unsupported {
        /// The place.
        place: String,
        /// What they do not do.
        what: &'static str,
    },
    /// Anything else.
    #[error("{place}: the storage could not do it ({reason})")]
    Other {
        /// The place.
        place: String,
        /// The storage's own word for it.
        reason: String,
    },
}

/// What a storage gives back.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// True if the same call may work later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::RateLimited { .. })
    }

    /// True if it says something about one object, and nothing about its neighbours.
    pub(super) fn is_about_one(&self) -> bool {
        matches!(
            self,
            Self::NotFound { .. }
                | Self::TooLarge { .. }
                | Self::Changed { .. }
                | Self::Other { .. }
        )
    }

    /// True if the answer may have been too short to say what is wrong: about a single object, a server
    /// sends a number and no words. Asked for a listing, it says more.
    pub(crate) fn may_say_more(&self) -> bool {
        matches!(self, Self::NotFound { .. } | Self::Denied { .. } | Self::Other { .. })
    }

    /// True if the credentials are good, as far as the storage says, but do not suffice for this.
    pub(crate) fn is_missing_right(&self) -> bool {
        const WORDS: [&str; 4] = [
            "AccessDenied",
            "AuthorizationFailure",
            "AuthorizationPermissionMismatch",
            "status 403",
        ];
        matches!(self, Self::Denied { reason, .. } if WORDS.contains(&&**reason))
    }

    /// The same as an error of input and output.
    pub(crate) fn into_io(self) -> io::Error {
        let kind = match &self {
            Self::NotFound { .. } | Self::NoContainer { .. } => io::ErrorKind::NotFound,
            Self::Denied { .. } | Self::Expired { .. } => io::ErrorKind::PermissionDenied,
            Self::Unreachable { .. } => io::ErrorKind::HostUnreachable,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, self)
    }

    /// In our words, about the object of this key (or the whole place).
    ///
    /// Only the storage's code and status are taken over: texts may repeat what was sent.
    pub(super) fn of(error: &opendal::Error, address: &Address, key: &str) -> Self {
        let place = shown(address, key);
        let answer = Answer::of(error);
        let reason = || answer.reason(error);
        if let Some(known) = of_code(&answer, address, &place) {
            return known;
        }
        match (error.kind(), answer.status) {
            (ErrorKind::NotFound, _) => Self::NotFound { place },
            (ErrorKind::PermissionDenied, _) | (_, Some(401 | 403)) => {
                Self::Denied { place, reason: reason(), remedy: remedy(address) }
            }
            (ErrorKind::RateLimited, _) | (_, Some(429)) => Self::RateLimited { place },
            (ErrorKind::ConditionNotMatch | ErrorKind::RangeNotSatisfied, _) => {
                Self::Changed { place }
            }
            (ErrorKind::Unsupported, _) => {
                Self::Unsupported { place, what: "storages of this kind do not do this" }
            }
            _ if ["loading credential", "signing http request"]
                .iter()
                .any(|words| error.message().starts_with(words)) =>
            {
                let reason = "no usable credentials were found".to_owned();
                Self::Denied { place, reason, remedy: remedy(address) }
            }
            // The retry layer calls everything that it gives up on persistent: only the answer tells.
            (_, Some(408 | 500..)) => {
                Self::Unreachable { place, server: server(address), reason: reason() }
            }
            (_, None) if answer.transport.is_some() => {
                Self::Unreachable { place, server: server(address), reason: reason() }
            }
            _ => Self::Other { place, reason: reason() },
        }
    }
}

/// The object as messages name it.
pub(super) fn shown(address: &Address, key: &str) -> String {
    let path = match (address.path().trim_end_matches('/'), key) {
        (path, "") => path.to_owned(),
        ("", key) if address.scheme() != Scheme::Local => key.to_owned(),
        (path, key) => format!("{path}/{key}"),
    };
    address.at(path).bare()
}

fn server(address: &Address) -> String {
    match (address.scheme(), address.option("endpoint")) {
        (_, Some(endpoint)) => luna_core::text::escaped(endpoint),
        (Scheme::Web, None) => luna_core::text::escaped(address.host()),
        _ => "the storage".to_owned(),
    }
}

fn remedy(address: &Address) -> String {
    match address.scheme().kind().credentials {
        "" => String::new(),
        _ if address.is_set("anonymous") => "; it is asked without credentials".to_owned(),
        credentials => format!("; credentials are taken from {credentials}"),
    }
}

/// What is known by the code of the storage.
fn of_code(answer: &Answer, address: &Address, place: &str) -> Option<Error> {
    let place = place.to_owned();
    Some(match &*answer.code {
        "NoSuchBucket" | "ContainerNotFound" | "InvalidBucketName" | "InvalidResourceName" => {
            let (place, what) = (address.at("").bare(), address.scheme().container());
            Error::NoContainer { place, what }
        }
        "ExpiredToken" | "TokenRefreshRequired" | "ExpiredTokenException" => {
            Error::Expired { place }
        }
        "RequestTimeTooSkewed" => {
            let reason = "the clock of this machine is off".to_owned();
            Error::Denied { place, reason, remedy: String::new() }
        }
        "AuthorizationHeaderMalformed"
        | "PermanentRedirect"
        | "IllegalLocationConstraintException" => {
            let reason = "the bucket is in another region; name it with `region=`".to_owned();
            Error::Denied { place, reason, remedy: String::new() }
        }
        "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "AccessDenied"
        | "InvalidToken"
        | "AuthenticationFailed"
        | "AuthorizationFailure"
        | "InvalidAuthenticationInfo" => {
            Error::Denied { place, reason: answer.code.clone(), remedy: remedy(address) }
        }
        "SlowDown" | "TooManyRequests" | "ServerBusy" => Error::RateLimited { place },
        _ => return None,
    })
}

/// What a storage said, as far as it may be repeated.
struct Answer {
    /// Its own word: letters and digits; empty if there is none.
    code: String,
    status: Option<u16>,
    /// What kept the question from arriving.
    transport: Option<&'static str>,
}

impl Answer {
    fn of(error: &opendal::Error) -> Self {
        let text = error.to_string();
        let code = behind(error.message(), "code: \"").unwrap_or_default();
        let code = code.chars().take_while(char::is_ascii_alphanumeric).take(60).collect();
        let status = behind(&text, "status: ").and_then(|rest| rest.get(..3)?.parse().ok());
        Self { code, status, transport: transport(error) }
    }

    fn reason(&self, error: &opendal::Error) -> String {
        match (&*self.code, self.status, self.transport) {
            ("", None, Some(transport)) => transport.to_owned(),
            ("", Some(status), _) => format!("status {status}"),
            ("", None, None) => error.kind().into_static().to_owned(),
            (code, ..) => code.to_owned(),
        }
    }
}

fn behind<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.split_once(word).map(|(_, rest)| rest)
}

/// Why there was no answer, in words of our own: the texts of the parts below name addresses.
fn transport(error: &opendal::Error) -> Option<&'static str> {
    let mut text = error.message().to_owned();
    let mut cause = error.source();
    while let Some(next) = cause {
        if let Some(found) = next.downcast_ref::<io::Error>() {
            match found.kind() {
                io::ErrorKind::ConnectionRefused => return Some("connection refused"),
                io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
                    return Some("connection broken");
                }
                io::ErrorKind::TimedOut => return Some("no answer in time"),
                io::ErrorKind::StorageFull => return Some("it is full"),
                io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                    return Some("no way to it");
                }
                _ => {}
            }
        }
        text.push(' ');
        text.push_str(&next.to_string());
        cause = next.source();
    }
    let said = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if said(&["dns error", "failed to lookup", "Name or service"]) {
        Some("no such host")
    } else if said(&["certificate", "UnknownIssuer"]) {
        Some("its certificate is not trusted")
    } else if said(&["timed out", "timeout"]) {
        Some("no answer in time")
    } else if said(&["connection closed", "IncompleteMessage", "incomplete", "too little data"]) {
        Some("connection broken")
    } else if said(&["send http request", "read data from http response"]) {
        Some("no connection")
    } else {
        None
    }
}
