//! Why a data set could not be handed in, and what to do.

use std::io;

use luna_core::text;
use serde::Deserialize;

use super::check::Objection;
use crate::command::Exit;
use crate::place::PlaceError;

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Asking a service, or handing in to it, ended early.
///
/// Messages say what to do in words that fit a command and a library: `username`, `insecure`, `LUNA_API_KEY`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address that cannot be used as it was given.
    #[error("{0}")]
    Address(String),
    /// A key or token that can be none.
    #[error(
        "the key or token is none: those are letters, digits and signs, without blanks or line breaks"
    )]
    Secret,
    /// A place that holds nothing to hand in, or nothing of this machine.
    #[error("{0}")]
    Unfit(String),
    /// A place that cannot be opened.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The look at the files could not be taken.
    #[error(transparent)]
    Engine(#[from] luna_core::Error),
    /// The look at the files forbids to send them.
    #[error("nothing was sent: {0}")]
    Objection(Box<Objection>),
    /// Nobody answers there, or not in time.
    #[error("{server} cannot be reached (is the address right, is the service up?)")]
    Unreachable {
        /// Its address.
        server: String,
        /// What the network said.
        source: reqwest::Error,
    },
    /// The service said no.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// What answers is no service of this kind.
    #[error("{server} answers, but not as a LUNA service does ({what}); is the address right?")]
    Strange {
        /// Its address.
        server: String,
        /// What is strange about the answer.
        what: String,
    },
    /// The service's report cannot be read by this version.
    #[error("the report of data set {dataset_id} cannot be read")]
    Report {
        /// Number of the data set.
        dataset_id: i64,
        /// What is wrong with it.
        source: luna_core::Error,
    },
    /// A file cannot be read.
    #[error("{path}: cannot be read")]
    Unread {
        /// Path inside the data set.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not any more what was announced.
    #[error("{path}: changed while it was being sent; try again when nothing writes there")]
    Changed {
        /// Path inside the data set.
        path: String,
    },
    /// The token was cancelled.
    #[error("interrupted; the same again goes on where it stopped")]
    Interrupted,
}

/// An answer that says no: `application/problem+json`, as far as it is one.
#[derive(Debug)]
pub struct Refusal {
    pub(super) status: u16,
    pub(super) problem: Problem,
    /// Seconds that the service wants to be left alone.
    pub(super) retry_after: Option<u64>,
    /// The header, where the body does not say it.
    pub(super) request_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Problem {
    pub(super) title: String,
    pub(super) detail: String,
    pub(super) code: String,
    pub(super) request_id: Option<String>,
    pub(super) errors: Vec<FieldError>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FieldError {
    pointer: String,
    detail: String,
}

/// Complaints about fields that are repeated.
const MOST_COMPLAINTS: usize = 5;

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let errors = &self.problem.errors;
        let detail = self.detail();
        if detail.is_empty() {
            write!(f, "the service refused with status {}", self.status)?;
        } else {
            write!(f, "the service refused: {detail}")?;
        }
        for FieldError { pointer, detail } in errors.iter().take(MOST_COMPLAINTS) {
            write!(f, "\n  {}: {}", text::shown(pointer), text::shown(detail))?;
        }
        if let Some(more @ 1..) = errors.len().checked_sub(MOST_COMPLAINTS) {
            write!(f, "\n  … {more} more")?;
        }
        if let Some(remedy) = self.remedy() {
            write!(f, "\n  do: {remedy}")?;
        }
        match self.request_id() {
            Some(id) => write!(f, "\n  request {}", text::shown(id)),
            None => Ok(()),
        }
    }
}

impl Refusal {
    /// Status of the answer.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The service's own word for it, which stays the same in later versions; empty where it gave none.
    pub fn code(&self) -> &str {
        &self.problem.code
    }

    /// What the service said, safe to print.
    pub fn detail(&self) -> String {
        let Problem { title, detail, .. } = &self.problem;
        text::escaped(if detail.is_empty() { title } else { detail }.trim())
    }

    /// By which who runs the service finds the request in the log.
    pub fn request_id(&self) -> Option<&str> {
        self.problem.request_id.as_deref().or(self.request_id.as_deref())
    }

    /// What to do.
    pub fn remedy(&self) -> Option<&'static str> {
        match self.status {
            401 if self.problem.code == "wrong-login" => Some("check username and password"),
            401 => Some(
                "give a key of your team (LUNA_API_KEY), or sign in with username and password; a key may \
                 have expired or been revoked",
            ),
            403 => Some("ask who runs the service whether this account or key may do it"),
            404 => Some(
                "check the address, team, task, replaces, and the number of the data set: is it your team's?",
            ),
            409 if self.problem.code == "no-report-yet" => {
                Some("try again when its validation has ended")
            }
            413 => Some("send fewer or smaller files, or ask who runs the service for more room"),
            429 | 503 => Some("wait a little and try again; what arrived is kept"),
            500.. => Some("tell who runs the service the number of the request"),
            _ => None,
        }
    }

    /// True for what may pass by itself.
    pub(super) fn may_pass(&self) -> bool {
        // A broken body, or one whose first attempt the service has not yet given up.
        let of_transfer = matches!(self.problem.code.as_str(), "broke-off" | "being-sent");
        of_transfer || matches!(self.status, 408 | 429 | 500 | 502..=504)
    }
}

impl Error {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Refused(refusal) if refusal.may_pass() || refusal.status >= 500 => {
                Exit::SourceUnreadable
            }
            Self::Address(_) | Self::Secret | Self::Unfit(_) | Self::Refused(_) => Exit::Usage,
            Self::Objection(_) => Exit::Findings,
            Self::Place(_)
            | Self::Engine(_)
            | Self::Unreachable { .. }
            | Self::Strange { .. }
            | Self::Report { .. }
            | Self::Unread { .. }
            | Self::Changed { .. } => Exit::SourceUnreadable,
            Self::Interrupted => Exit::Interrupted,
        }
    }

    /// The message with its innermost cause: those between are the library's layers.
    pub fn in_short(&self) -> String {
        let mut cause = std::error::Error::source(self);
        while let Some(next) = cause.and_then(std::error::Error::source) {
            cause = Some(next);
        }
        match cause {
            Some(cause) => format!("{self}: {cause}"),
            None => self.to_string(),
        }
    }

    pub(super) fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    pub(super) fn unread(path: &str, source: io::Error) -> Self {
        Self::Unread { path: text::escaped(path), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_the_service_said_what_to_do_and_its_number() {
        let problem = serde_json::json!({
            "detail": "Some fields\ncannot be taken.", "code": "invalid-fields", "request_id": "r-1",
            "errors": (0..7).map(|n| serde_json::json!({ "pointer": format!("/files/{n}"), "detail": "no" }))
                .collect::<Vec<_>>(),
        });
        let refusal = |status| Refusal {
            status,
            problem: serde_json::from_value(problem.clone()).unwrap(),
            retry_after: None,
            request_id: None,
        };
        let said = refusal(422).to_string();
        assert!(said.contains("fields\\ncannot") && said.contains("/files/4: no"), "{said}");
        assert!(said.ends_with("… 2 more\n  request r-1"), "{said}");
        assert!(refusal(401).to_string().contains("do: give a key of your team (LUNA_API_KEY)"));
        assert!(!refusal(422).may_pass() && refusal(503).may_pass());
        assert_eq!(Error::Refused(Box::new(refusal(401))).exit(), Exit::Usage);
        assert_eq!(Error::Refused(Box::new(refusal(503))).exit(), Exit::SourceUnreadable);
    }
}
