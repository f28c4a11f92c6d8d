//! The service, spoken to: calls in JSON that are repeated while what is wrong may pass, and files put.
//!
//! Secrets go to the service alone: never to the addresses files are put to, into messages, or over a line that
//! others can read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use luna_core::CancelToken;
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Method, StatusCode, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::address::{address, is_private, shown};
use super::error::{Error, Problem, Refusal, Result};

/// Time for an answer to a call.
const ANSWER: Duration = Duration::from_mins(1);
/// Time for a whole report, which may be large.
const LONG_ANSWER: Duration = Duration::from_mins(10);
/// Time until a connection stands.
const CONNECT: Duration = Duration::from_secs(10);
/// Attempts at anything that may pass: two minutes with the waits between them.
const ATTEMPTS: u32 = 10;
/// The longest wait between two attempts, whatever the service asks for.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// Who asks. Nothing shows the secret in it.
#[derive(Clone)]
pub enum Credential {
    /// A team's key.
    ApiKey(String),
    /// A token of an earlier login.
    Token(String),
    /// An account; the service gives a token for an hour.
    Account {
        /// Its name.
        username: String,
        /// Its password.
        password: String,
    },
}

impl Credential {
    /// The key in `LUNA_API_KEY`, else the token in `LUNA_TOKEN`.
    pub fn of_environment() -> Option<Self> {
        let key = variable("LUNA_API_KEY").map(Self::ApiKey);
        key.or_else(|| variable("LUNA_TOKEN").map(Self::Token))
    }

    /// That it can be sent at all.
    fn check(&self) -> Result<()> {
        let (Self::ApiKey(secret) | Self::Token(secret)) = self else { return Ok(()) };
        let is_whole = !secret.is_empty() && secret.bytes().all(|it| it.is_ascii_graphic());
        if is_whole { Ok(()) } else { Err(Error::Secret) }
    }
}

/// The value of a variable of the environment, if there is one that is not blank.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ApiKey(_) => "ApiKey",
            Self::Token(_) => "Token",
            Self::Account { .. } => "Account",
        })
    }
}

/// A service, and what it is asked with.
///
/// A copy is the same client: what one has signed in, all have.
#[derive(Clone)]
pub struct Server {
    http: Client,
    base: Url,
    insecure: bool,
    known: Arc<Known>,
    cancel: CancelToken,
}

/// What copies of a client share.
struct Known {
    credential: Credential,
    /// What an account's login gave.
    token: Mutex<Option<String>>,
    /// Once it has answered, silence is a pause; before, it is a wrong address.
    reached: AtomicBool,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Server");
        shown.field("base", &self.shown()).field("credential", &self.known.credential);
        shown.finish_non_exhaustive()
    }
}

impl Server {
    /// Asks nothing yet.
    ///
    /// ```
    /// use luna_worker::push::{Credential, Error, Server};
    /// let key = || Credential::ApiKey("a-key-of-the-team".to_owned());
    /// assert!(Server::new("https://luna.example.org", key(), false).is_ok());
    /// let exposed = Server::new("http://luna.example.org", key(), false);
    /// assert!(matches!(exposed, Err(Error::Address(_))));
    /// ```
    ///
    /// # Errors
    /// [`Error::Address`] if it is no address of a service, or one that would show secrets to others and is not
    /// allowed to (`insecure`); [`Error::Secret`] for a key or token that can be none.
    pub fn new(base: &str, credential: Credential, insecure: bool) -> Result<Self> {
        let base = address(base)?;
        if !insecure && !is_private(&base) {
            return Err(Error::Address(format!(
                "{}: over http:// anybody on the way can read the key and the pictures; use https://, or allow it \
                 (insecure) if you trust the whole way",
                shown(&base)
            )));
        }
        credential.check()?;
        let unusable = |source| Error::Unreachable { server: shown(&base), source };
        let http = Client::builder()
            .user_agent(concat!("luna/", env!("CARGO_PKG_VERSION")))
            // A key must not follow to where a redirect points.
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(None)
            .tcp_keepalive(Duration::from_secs(30))
            .build()
            .map_err(unusable)?;
        let (token, reached) = (Mutex::default(), AtomicBool::new(false));
        let known = Arc::new(Known { credential, token, reached });
        Ok(Self { http, base, insecure, known, cancel: CancelToken::default() })
    }

    /// The same client, whose calls this token stops.
    #[must_use]
    pub fn stopped_by(&self, cancel: &CancelToken) -> Self {
        Self { cancel: cancel.clone(), ..self.clone() }
    }

    pub(super) fn cancel(&self) -> &CancelToken {
        &self.cancel
    }

    /// Its address, as it may be shown.
    pub fn shown(&self) -> String {
        shown(&self.base)
    }

    /// Where a data set's report is, for whoever signs in.
    pub fn report_page(&self, dataset_id: i64) -> String {
        format!("{}/datasets/{dataset_id}", self.shown())
    }

    /// Asks who one is, so that a wrong address or key is known before any work.
    pub(super) fn greet(&self) -> Result<()> {
        match self.get::<Value>("/api/v1/auth/me") {
            // A key that may do nothing but upload need not know itself.
            Err(Error::Refused(refusal)) if matches!(refusal.status, 403 | 404) => Ok(()),
            answer => answer.map(|_| ()),
        }
    }

    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.call(&Method::GET, path, None::<&()>, None)
    }

    pub(super) fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.call(&Method::POST, path, Some(body), None)
    }

    /// A call that must not happen twice, though its answer may be lost: both carry the same key.
    pub(super) fn post_once<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        key: &str,
    ) -> Result<T> {
        self.call(&Method::POST, path, Some(body), Some(key))
    }

    /// An answer as it is, such as a report.
    pub(super) fn get_bytes(&self, path: &str) -> Result<Vec<u8>> {
        self.ask(&Method::GET, path, None::<&()>, None, LONG_ANSWER)
    }

    fn call<T: DeserializeOwned>(
        &self,
        method: &Method,
        path: &str,
        body: Option<&impl Serialize>,
        key: Option<&str>,
    ) -> Result<T> {
        self.understood(&self.ask(method, path, body, key, ANSWER)?)
    }

    fn ask(
        &self,
        method: &Method,
        path: &str,
        body: Option<&impl Serialize>,
        key: Option<&str>,
        time: Duration,
    ) -> Result<Vec<u8>> {
        let attempt = || {
            let mut request = self.http.request(method.clone(), self.url(path)).timeout(time);
            if let Some(body) = body {
                request = request.json(body);
            }
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            self.whole(self.answer(self.signed(request)?)?)
        };
        self.patiently(attempt).or_else(|error| {
            let has_expired = error.refusal().is_some_and(|it| it.status == 401);
            if !(has_expired && self.forget_token()) {
                return Err(error);
            }
            self.patiently(attempt)
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base.as_str().trim_end_matches('/'))
    }

    fn signed(&self, request: RequestBuilder) -> Result<RequestBuilder> {
        Ok(match &self.known.credential {
            Credential::ApiKey(key) => {
                let mut key = HeaderValue::from_str(key).map_err(|_| Error::Secret)?;
                key.set_sensitive(true);
                request.header("x-api-key", key)
            }
            Credential::Token(token) => request.bearer_auth(token),
            Credential::Account { username, password } => {
                request.bearer_auth(self.token(username, password)?)
            }
        })
    }

    fn token(&self, username: &str, password: &str) -> Result<String> {
        #[derive(serde::Deserialize)]
        struct Login {
            access_token: String,
        }
        let mut held = self.known.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = &*held {
            return Ok(token.clone());
        }
        let form = [("username", username), ("password", password)];
        let request = self.http.post(self.url("/api/v1/auth/login")).timeout(ANSWER).form(&form);
        let Login { access_token } = self.understood(&self.whole(self.answer(request)?)?)?;
        Ok(held.insert(access_token).clone())
    }

    /// Lets the next call sign in anew; false if there is nothing to sign in with.
    fn forget_token(&self) -> bool {
        self.known.token.lock().unwrap_or_else(PoisonError::into_inner).take().is_some()
    }

    /// Puts bytes to an address that the service gave; the tag that the storage gave them comes back.
    pub(super) fn put(&self, put: Put<'_>) -> Result<Option<String>> {
        let url = Url::parse(put.url).map_err(|_| self.strange("an upload URL that is none"))?;
        if !self.insecure && !is_private(&url) {
            return Err(
                self.strange("an upload URL over http://, which anybody on the way can read")
            );
        }
        let method = Method::from_bytes(put.method.as_bytes())
            .map_err(|_| self.strange("an upload method that is none"))?;
        // A minute, and time for a slow line.
        let time = ANSWER + Duration::from_secs(put.length >> 15);
        let mut request = self.http.request(method, url).timeout(time);
        for (name, value) in put.headers {
            request = request.header(name, value);
        }
        if let Some(range) = put.range {
            request = request.header("content-range", range);
        }
        let answer = self.answer(request.body(put.body))?;
        let tag = answer.headers().get("etag").and_then(|tag| tag.to_str().ok());
        Ok(tag.map(str::to_owned))
    }

    fn answer(&self, request: RequestBuilder) -> Result<Response> {
        let sent = request.send();
        let answer = sent.map_err(|error| self.unreachable(error))?;
        self.known.reached.store(true, Ordering::Relaxed);
        match answer.status() {
            status if status.is_success() => Ok(answer),
            status if status.is_redirection() => {
                let place = answer.headers().get("location").and_then(|it| it.to_str().ok());
                let place = place.and_then(|place| self.base.join(place).ok());
                let place = place.map_or("elsewhere".to_owned(), |place| shown(&place));
                Err(self.strange(&format!("it points to {place}")))
            }
            _ => Err(Error::Refused(Box::new(refusal(answer)))),
        }
    }

    fn unreachable(&self, source: reqwest::Error) -> Error {
        if self.cancel.is_cancelled() {
            return Error::Interrupted;
        }
        // The URL may be a signed one.
        Error::Unreachable { server: self.shown(), source: source.without_url() }
    }

    pub(super) fn strange(&self, what: &str) -> Error {
        Error::Strange { server: self.shown(), what: what.to_owned() }
    }

    fn whole(&self, answer: Response) -> Result<Vec<u8>> {
        answer.bytes().map(Vec::from).map_err(|error| self.unreachable(error))
    }

    fn understood<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T> {
        let bytes = if bytes.is_empty() { b"null" } else { bytes };
        serde_json::from_slice(bytes).map_err(|_| self.strange("an answer that is not understood"))
    }

    /// Repeats what may pass by itself.
    pub(super) fn patiently<T>(&self, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
        let mut number = 0;
        loop {
            number += 1;
            self.go_on()?;
            match attempt() {
                Ok(done) => return Ok(done),
                Err(error) => self.pause_after(number, error)?,
            }
        }
    }

    /// Waits before the next attempt, longer each time or as long as the service asks; the error comes back if
    /// there is to be none.
    pub(super) fn pause_after(&self, number: u32, error: Error) -> Result<()> {
        if number >= ATTEMPTS || !self.may_pass(&error) {
            return Err(error);
        }
        match error.refusal().and_then(|refusal| refusal.retry_after) {
            Some(seconds) => self.wait(Duration::from_secs(seconds).min(LONGEST_WAIT)),
            None => self.wait(wait_before(number)),
        }
    }

    fn may_pass(&self, error: &Error) -> bool {
        match error {
            Error::Unreachable { .. } => self.known.reached.load(Ordering::Relaxed),
            // A login that was tried too often is for the person to know now.
            Error::Refused(refusal) => {
                refusal.may_pass() && refusal.problem.code != "too-many-tries"
            }
            _ => false,
        }
    }

    pub(super) fn wait(&self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            self.go_on()?;
            std::thread::sleep(left.min(Duration::from_millis(100)));
        }
        self.go_on()
    }

    pub(super) fn go_on(&self) -> Result<()> {
        if self.cancel.is_cancelled() { Err(Error::Interrupted) } else { Ok(()) }
    }
}

/// Bytes on their way to an address that the service gave.
pub(super) struct Put<'a> {
    pub(super) url: &'a str,
    pub(super) method: &'a str,
    pub(super) headers: &'a BTreeMap<String, String>,
    /// `Content-Range`, where a file goes on.
    pub(super) range: Option<String>,
    pub(super) body: reqwest::blocking::Body,
    pub(super) length: u64,
}

/// Half a second, then twice as long each time, at most half a minute.
fn wait_before(number: u32) -> Duration {
    Duration::from_millis(250 << number.min(7)).min(Duration::from_secs(30))
}

fn refusal(answer: Response) -> Refusal {
    let header = |name: &str| {
        answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let retry_after = header(RETRY_AFTER.as_str()).and_then(|seconds| seconds.trim().parse().ok());
    let request_id = header("x-request-id");
    let is_json = header(CONTENT_TYPE.as_str()).is_some_and(|it| it.contains("json"));
    let status = answer.status();
    let problem = if is_json { answer.json::<Value>().ok() } else { None };
    let problem: Option<Problem> = problem.and_then(|it| serde_json::from_value(it).ok());
    let problem = problem.unwrap_or_else(|| Problem::titled(title(status)));
    Refusal { status: status.as_u16(), problem, retry_after, request_id }
}

fn title(status: StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or("no reason given");
    format!("{} {reason}", status.as_u16())
}

impl Problem {
    fn titled(title: String) -> Self {
        Self { title, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(base: &str, insecure: bool) -> Result<Server> {
        Server::new(base, Credential::ApiKey("secret-key".to_owned()), insecure)
    }

    #[test]
    fn a_key_is_not_sent_where_others_can_read_it() {
        for good in [
            "https://luna.example.org",
            "http://127.0.0.1:8000/",
            "http://[::1]:80",
            "http://localhost",
        ] {
            assert!(server(good, false).is_ok(), "{good}");
        }
        let refused = server("http://luna.example.org", false).unwrap_err().to_string();
        assert!(refused.contains("(insecure)"), "{refused}");
        assert!(server("http://127.0.0.1.example.org", false).is_err());
        assert!(server("http://luna.example.org", true).is_ok());
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_secrets() {
        for bad in
            ["luna", "ftp://host", "https://", "https://host/?key=s3cret", "https://me:s3cret@host"]
        {
            let error = server(bad, true).unwrap_err();
            assert_eq!(error.exit(), crate::command::Exit::Usage, "{bad}");
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
        assert!(!format!("{:?}", server("https://host", false)).contains("secret-key"));
    }

    #[test]
    fn what_is_no_key_is_not_sent() {
        for bad in ["", "two words", "line\n", "schlüssel"] {
            let key = Credential::ApiKey(bad.to_owned());
            assert!(matches!(Server::new("https://host", key, false), Err(Error::Secret)), "{bad}");
        }
    }

    #[test]
    fn a_login_that_was_made_is_not_shown() {
        let server = server("https://host", false).unwrap();
        *server.known.token.lock().unwrap() = Some("s3cret-token".to_owned());
        let shown = format!("{server:?}");
        assert!(shown.contains("https://host") && !shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn an_address_may_lie_below_a_path() {
        let server = server("https://host/luna/", false).unwrap();
        assert_eq!(server.url("/api/v1/upload/start"), "https://host/luna/api/v1/upload/start");
        assert_eq!(server.report_page(7), "https://host/luna/datasets/7");
    }

    #[test]
    fn waits_grow_up_to_half_a_minute() {
        let waits: Vec<u128> = (1..=9).map(|number| wait_before(number).as_millis()).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    }
}
