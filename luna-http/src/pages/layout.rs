//! What all pages share: their frame, and how times, numbers and foreign texts look.

use std::fmt::Write as _;

use axum::response::Html;
use luna_core::Severity;
/// Foreign text for the eye.
pub(super) use luna_core::text::clipped as shown;
use luna_core::text::counted;
use luna_worker::catalogue::Moment;
use maud::{DOCTYPE, Markup, html};

use super::{Visitor, assets};

/// What stands around a page.
pub(super) struct Frame<'a> {
    title: &'a str,
    visitor: Option<&'a Visitor>,
    script: Option<assets::Script>,
    /// Seconds after which a browser without scripts looks again.
    again: Option<u32>,
}

impl<'a> Frame<'a> {
    /// For everybody.
    pub(super) fn titled(title: &'a str) -> Self {
        Self { title, visitor: None, script: None, again: None }
    }

    /// For somebody who is signed in.
    pub(super) fn of(visitor: &'a Visitor, title: &'a str) -> Self {
        Self { visitor: Some(visitor), ..Self::titled(title) }
    }

    /// With a script beside the one that every page has.
    pub(super) fn with_script(self, script: assets::Script) -> Self {
        Self { script: Some(script), ..self }
    }

    pub(super) fn looking_again(self, seconds: u32) -> Self {
        Self { again: Some(seconds), ..self }
    }

    pub(super) fn around(&self, body: &Markup) -> Html<String> {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (shown(self.title)) " · LUNA" }
                    link rel="icon" href=(assets::ICON.address()) type="image/svg+xml";
                    link rel="stylesheet" href=(assets::STYLE.address());
                    script src=(assets::COMMON.address()) defer {}
                    @if let Some(script) = self.script { script src=(script.address()) defer {} }
                    @if let Some(seconds) = self.again {
                        noscript { meta http-equiv="refresh" content=(seconds); }
                    }
                }
                body {
                    a.skip href="#main" { "Skip to the content" }
                    (self.banner())
                    main #main tabindex="-1" { (body) }
                    footer { p.quiet { "LUNA " (env!("CARGO_PKG_VERSION")) " · " a href="/docs" { "API" } } }
                }
            }
        };
        Html(page.into_string())
    }

    fn banner(&self) -> Markup {
        html! {
            header.banner {
                p.brand { a href="/" { "LUNA" } }
                @if let Some(Visitor { caller }) = self.visitor {
                    nav aria-label="Main" {
                        a href="/" { "Data sets" }
                        a href="/upload" { "Upload" }
                        a href="/rules" { "Rules" }
                        @if caller.sees_all() { a href="/organiser" { "Organiser" } }
                    }
                    form.session method="post" action="/sign-out" {
                        span.quiet { (shown(caller.username.as_deref().unwrap_or_default())) }
                        button { "Sign out" }
                    }
                }
            }
        }
    }
}

/// A rule's own sentences: what stands between backticks is code.
pub(super) fn prose(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

/// `2026-11-29 06:14 UTC`
pub(super) fn moment(moment: Moment) -> Markup {
    let full = moment.to_string();
    let (day, time) = full.split_once('T').unwrap_or((&full, ""));
    let minute = time.get(..5).unwrap_or_default();
    html! { time datetime=(full) { (day) " " (minute) " UTC" } }
}

/// Shape and word of a severity.
pub(super) fn severity(severity: Severity) -> Markup {
    html! {
        span.severity.(severity.as_str()) { span aria-hidden="true" { (severity.shape()) } " " (severity) }
    }
}

/// `40 seconds`, `2 minutes`
pub(super) fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => counted(seconds, "second"),
        _ => counted(seconds.div_ceil(60), "minute"),
    }
}

/// `1.2 MB`, in powers of 1,000 as file managers count.
pub(super) fn size(bytes: u64) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB"];
    let mut value = bytes as f64 / 1e3;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < units.len() {
        value /= 1e3;
        unit += 1;
    }
    format!("{value:.1} {}", units[unit])
}

/// `/path?a=1&b=2` with values escaped; empty ones are left out.
pub(super) fn address(path: &str, query: &[(&str, &str)]) -> String {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    let mut address = path.to_owned();
    let mut sign = '?';
    for (key, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = write!(address, "{sign}{key}={}", utf8_percent_encode(value, NON_ALPHANUMERIC));
        sign = '&';
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_name_their_zone_and_waits_their_unit() {
        let text = moment(Moment(1_732_492_800_500_000)).into_string();
        assert!(text.ends_with(">2024-11-25 00:00 UTC</time>"), "{text}");
        assert_eq!(
            [duration(1), duration(61), duration(121)],
            ["1 second", "61 seconds", "3 minutes"]
        );
    }

    #[test]
    fn sizes_have_the_unit_that_reads_best() {
        let sizes = [0, 1_500, 999_949, 999_950, 17_100_000, 1 << 40, u64::MAX].map(size);
        let said = ["0.0 kB", "1.5 kB", "999.9 kB", "1.0 MB", "17.1 MB", "1.1 TB", "18446.7 PB"];
        assert_eq!(sizes, said);
    }

    #[test]
    fn addresses_hold_what_was_meant() {
        let query = [("rule", "LF004"), ("path", "a&b=c d"), ("severity", "")];
        assert_eq!(address("/x", &query), "/x?rule=LF004&path=a%26b%3Dc%20d");
    }
}
