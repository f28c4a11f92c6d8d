//! How fast a team may call, and from which pages.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use luna_worker::storage::origin;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::problem::{Problem, Result};

/// Seconds' worth of calls that may come at once: a page shows a hundred pictures.
const BURST_SECONDS: u32 = 4;

/// Calls of each team; one that calls too fast does not slow another.
#[derive(Debug)]
pub(crate) struct Calls(Option<DefaultKeyedRateLimiter<i64>>);

impl Calls {
    /// So many a second; 0 for as many as come.
    pub(crate) fn new(per_second: u32) -> Self {
        Self(NonZeroU32::new(per_second).map(|rate| {
            let burst = rate.saturating_mul(NonZeroU32::MIN.saturating_add(BURST_SECONDS - 1));
            RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst))
        }))
    }

    /// Notes a call, before anything is done for it.
    pub(crate) fn count(&self, team_id: i64) -> Result<()> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        limiter.check_key(&team_id).map_err(|until| {
            let seconds = until.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
            let detail = format!("The team calls too often; ask again in {seconds} s.");
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-calls", detail)
                .retry_after(seconds)
        })
    }
}

/// An origin of web pages: `https://host`, with the port where it is not the scheme's own.
///
/// ```
/// use luna_http::Origin;
/// assert!("https://luna.example:8443".parse::<Origin>().is_ok());
/// assert!("https://luna.example/".parse::<Origin>().is_err());
/// ```
#[derive(Clone, Debug)]
pub struct Origin(HeaderValue);

impl FromStr for Origin {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let is_one = text.starts_with("http") && origin(text).is_some_and(|it| it == text);
        let value = HeaderValue::from_str(text).ok().filter(|_| is_one);
        value.map(Self).ok_or("an origin is written like https://luna.example")
    }
}

/// Lets pages of these origins call, with a token or a key of their own: a browser's cookie goes with none of it.
pub(crate) fn cors(origins: &[Origin]) -> CorsLayer {
    let name = HeaderName::from_static;
    let taken =
        ["x-api-key", "idempotency-key", "last-event-id", "x-amz-checksum-sha256"].map(name);
    let taken = taken.into_iter().chain([AUTHORIZATION, CONTENT_TYPE, CONTENT_RANGE]);
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().map(|Origin(value)| value.clone())))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers(taken.collect::<Vec<_>>())
        .expose_headers([RETRY_AFTER, name("x-request-id")])
        .max_age(Duration::from_mins(10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_team_at_its_limit_leaves_the_others_theirs() {
        let calls = Calls::new(2);
        let taken = (0..100).take_while(|_| calls.count(1).is_ok()).count();
        assert!((8..12).contains(&taken), "{taken}");
        assert!(calls.count(1).unwrap_err().seconds().is_some());
        assert!(calls.count(2).is_ok());
        let unlimited = Calls::new(0);
        assert!((0..10_000).all(|_| unlimited.count(1).is_ok()));
    }
}
