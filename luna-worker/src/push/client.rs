//! The service, spoken to: calls in JSON that are repeated while what is wrong may pass, and files put.
//!
//! Secrets go to the service alone: never to the addresses files are put to, into messages, or over a line that
//! others can read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use luna_core::{CancelToken, text};
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, StatusCode, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::{Host, Url};

use super::error::{Error, Problem, Refusal, Result};

/// Time for an answer to a call.
const ANSWER: Duration = Duration::from_mins(1);
/// Time until a connection stands.
const CONNECT: Duration = Duration::from_secs(10);
/// Attempts at anything that may pass: two minutes with the waits between them.
const ATTEMPTS: u32 = 10;
/// The longest wait between two attempts, whatever the service asks for.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// Who hands in.
pub(crate) enum Credential {
    /// A team's key.
    ApiKey(String),
    /// A token of an earlier login.
    Token(String),
    /// An account; the service gives a token for an hour.
    Account { username: String, password: String },
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
#[derive(Debug)]
pub(crate) struct Server {
    http: Client,
    base: Url,
    credential: Credential,
    /// What an account's login gave.
    token: Mutex<Option<String>>,
    insecure: bool,
    /// Once it has answered, silence is a pause; before, it is a wrong address.
    reached: AtomicBool,
    cancel: &'static CancelToken,
}

impl Server {
    /// Asks nothing yet. An address that would show secrets to others is refused unless `insecure`.
    pub(crate) fn new(
        base: &str,
        credential: Credential,
        insecure: bool,
        cancel: &'static CancelToken,
    ) -> Result<Self> {
        let base = address(base)?;
        if !insecure && !is_private(&base) {
            return Err(Error::Usage(format!(
                "--server {}: over http:// anybody on the way can read the key and the pictures; use https://, \
                 or --insecure if you trust the whole way",
                shown(&base)
            )));
        }
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
        Ok(Self { http, base, credential, token, insecure, reached, cancel })
    }

    /// Its address, as it may be shown.
    pub(crate) fn shown(&self) -> String {
        shown(&self.base)
    }

    /// Where a data set's report is, for whoever signs in.
    pub(crate) fn report_page(&self, dataset_id: i64) -> String {
        format!("{}/datasets/{dataset_id}", self.shown())
    }

    /// Asks who one is, so that a wrong address or key is known before any work.
    pub(crate) fn greet(&self) -> Result<()> {
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

    fn call<T: DeserializeOwned>(
        &self,
        method: &Method,
        path: &str,
        body: Option<&impl Serialize>,
        key: Option<&str>,
    ) -> Result<T> {
        let attempt = || {
            let mut request = self.http.request(method.clone(), self.url(path)).timeout(ANSWER);
            if let Some(body) = body {
                request = request.json(body);
            }
            if let Some(key) = key {
                request = request.header("idempotency-key", key);
            }
            self.answer(self.signed(request)?)
        };
        let answer = self.patiently(attempt).or_else(|error| {
            let has_expired = error.refusal().is_some_and(|it| it.status == 401);
            if !(has_expired && self.forget_token()) {
                return Err(error);
            }
            self.patiently(attempt)
        })?;
        self.read(answer)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base.as_str().trim_end_matches('/'))
    }

    fn signed(&self, request: RequestBuilder) -> Result<RequestBuilder> {
        Ok(match &self.credential {
            Credential::ApiKey(key) => request.header("x-api-key", key),
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
        let mut held = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = &*held {
            return Ok(token.clone());
        }
        let form = [("username", username), ("password", password)];
        let request = self.http.post(self.url("/api/v1/auth/login")).timeout(ANSWER).form(&form);
        let Login { access_token } = self.read(self.answer(request)?)?;
        Ok(held.insert(access_token).clone())
    }

    /// Lets the next call sign in anew; false if there is nothing to sign in with.
    fn forget_token(&self) -> bool {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).take().is_some()
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
        // The URL may be a signed one.
        let answer = sent.map_err(|error| self.unreachable(error.without_url()))?;
        self.reached.store(true, Ordering::Relaxed);
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
        Error::Unreachable { server: self.shown(), source }
    }

    pub(super) fn strange(&self, what: &str) -> Error {
        Error::Strange { server: self.shown(), what: what.to_owned() }
    }

    fn read<T: DeserializeOwned>(&self, answer: Response) -> Result<T> {
        let bytes = answer.bytes().map_err(|error| self.unreachable(error.without_url()))?;
        let bytes = if bytes.is_empty() { b"null" } else { &bytes[..] };
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
            Error::Unreachable { .. } => self.reached.load(Ordering::Relaxed),
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

/// A service's address; what it must not hold is said without repeating it.
fn address(text: &str) -> Result<Url> {
    let no_url = || {
        let shown = crate::uri::without_secrets(text);
        Error::Usage(format!(
            "--server {}: no address of a service; it looks like https://luna.example.org",
            if text.contains("://") { shown } else { text::shown(text) }
        ))
    };
    let url = Url::parse(text.trim()).map_err(|_| no_url())?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(no_url());
    }
    if !url.username().is_empty() || url.password().is_some() {
        let what = "--server: an address holds no password; use --username and LUNA_PASSWORD";
        return Err(Error::Usage(what.to_owned()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(no_url());
    }
    Ok(url)
}

/// True if nobody on the way can read along.
fn is_private(url: &Url) -> bool {
    url.scheme() == "https"
        || match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
}

fn shown(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    text::escaped(bare.as_str().trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(base: &str, insecure: bool) -> Result<Server> {
        static NEVER: std::sync::OnceLock<CancelToken> = std::sync::OnceLock::new();
        let key = Credential::ApiKey("secret-key".to_owned());
        Server::new(base, key, insecure, NEVER.get_or_init(CancelToken::default))
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
        assert!(refused.contains("--insecure"), "{refused}");
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
