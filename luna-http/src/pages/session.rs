//! Signing in with a form, and out. The session is the token of the API, in a cookie that no script reads.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, Form, Request, State as Shared};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::html;
use serde::Deserialize;

use super::layout::{Frame, address, duration, shown};
use super::{Page, Wanted};
use crate::auth::{LONGEST_NAME, SHORTEST_PASSWORD};
use crate::caller::{COOKIE, Caller, cookie as cookie_of, from_here};
use crate::problem::Problem;
use crate::tokens::LIFETIME;
use crate::{Service, State};

pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/sign-in", get(form).post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/invite", get(invited).post(accept))
}

/// What the forms send, and the addresses that lead to them say.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Sent {
    username: String,
    password: String,
    /// Where to go afterwards.
    next: String,
    /// Of an invite.
    token: String,
}

/// A form that asks for a name and a password.
struct Sheet {
    title: &'static str,
    about: &'static str,
    action: &'static str,
    password: &'static str,
    autocomplete: &'static str,
    /// Letters of the password, where one is chosen.
    least: Option<usize>,
    /// Name of what is sent along.
    along: &'static str,
    button: &'static str,
}

const SIGN_IN: Sheet = Sheet {
    title: "Sign in",
    about: "",
    action: "/sign-in",
    password: "Password",
    autocomplete: "current-password",
    least: None,
    along: "next",
    button: "Sign in",
};

const INVITE: Sheet = Sheet {
    title: "You are invited",
    about: "Choose a name and a password; the invite makes one user, once.",
    action: "/invite",
    password: "Password, at least 12 letters",
    autocomplete: "new-password",
    least: Some(SHORTEST_PASSWORD),
    along: "token",
    button: "Join",
};

/// To the form, and from there to what was wanted.
pub(super) fn first(wanted: Option<&str>) -> Response {
    let next = wanted.filter(|it| *it != "/").unwrap_or_default();
    Redirect::to(&address("/sign-in", &[("next", next)])).into_response()
}

async fn form(Wanted(Sent { next, .. }): Wanted<Sent>) -> Response {
    SIGN_IN.drawn(StatusCode::OK, "", local(&next), None)
}

async fn sign_in(
    Shared(service): State,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    form: Result<Form<Sent>, FormRejection>,
) -> Page {
    // Else another site could sign somebody in as its own user, and read what is uploaded then.
    from_here(&headers, &service)?;
    let Form(Sent { username, password, next, .. }) = form.unwrap_or_default();
    let session = match service.sign_in(from, username.clone(), password).await {
        Ok(session) => session,
        Err(problem) => return refused(problem, &username, &next),
    };
    let cookie = cookie(&service, &session.access_token, session.expires_in);
    Ok(([(SET_COOKIE, cookie)], Redirect::to(local(&next))).into_response())
}

/// The form once more, with what was wrong.
fn refused(problem: Problem, username: &str, next: &str) -> Page {
    let said = match (problem.status(), problem.seconds()) {
        (StatusCode::TOO_MANY_REQUESTS, Some(seconds)) => {
            format!("Too many tries: signing in is locked for {}.", duration(seconds))
        }
        (StatusCode::UNAUTHORIZED, _) => problem.detail().to_owned(),
        _ => return Err(problem),
    };
    let mut page = SIGN_IN.drawn(problem.status(), username, local(next), Some(&said));
    if let Some(seconds) = problem.seconds() {
        page.headers_mut().insert(axum::http::header::RETRY_AFTER, seconds.into());
    }
    Ok(page)
}

async fn sign_out(Shared(service): State, caller: Caller) -> Page {
    let (_, session_id) = caller.person()?;
    service.catalogue.end_session(session_id).await?;
    let cookie = cookie(&service, "", 0);
    Ok(([(SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response())
}

/// Keeps those signed in who go on: a cookie past half its life is replaced by a fresh one.
pub(crate) async fn renewed(Shared(service): State, request: Request, next: Next) -> Response {
    let fresh = cookie_of(request.headers()).and_then(|token| service.keys.renewed(token));
    let mut response = next.run(request).await;
    let is_left_alone = response.status() == StatusCode::UNAUTHORIZED
        || response.headers().contains_key(SET_COOKIE);
    if let Some(token) = fresh.filter(|_| !is_left_alone)
        && let Ok(cookie) = cookie(&service, &token, LIFETIME.as_secs()).parse()
    {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

fn cookie(service: &Service, token: &str, seconds: u64) -> String {
    let secure = if service.public_url.starts_with("https://") { "; Secure" } else { "" };
    format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
}

/// A path of this service; anything else is the first page.
fn local(next: &str) -> &str {
    let is_path = next.starts_with('/') && !next.starts_with("//");
    // Browsers read a backslash as a slash.
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_path && is_plain && !next.starts_with("/sign-") { next } else { "/" }
}

async fn invited(Wanted(Sent { token, .. }): Wanted<Sent>) -> Response {
    INVITE.drawn(StatusCode::OK, "", &token, None)
}

async fn accept(
    Shared(service): State,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    form: Result<Form<Sent>, FormRejection>,
) -> Page {
    from_here(&headers, &service)?;
    let Form(Sent { username, password, token, .. }) = form.unwrap_or_default();
    let made = service.accept_invite(from, &token, &username, password).await;
    match made {
        Ok(user) => {
            let said = format!(
                "Welcome, {}: sign in with the password that you chose.",
                shown(&user.username)
            );
            Ok(SIGN_IN.drawn(StatusCode::CREATED, &user.username, "/", Some(&said)))
        }
        Err(problem) if problem.status().is_client_error() => {
            let said = match problem.status() {
                StatusCode::NOT_FOUND => {
                    "This invite was used, has ended, or never was: ask for a new one.".to_owned()
                }
                _ => problem.sentence(),
            };
            Ok(INVITE.drawn(problem.status(), &username, &token, Some(&said)))
        }
        Err(problem) => Err(problem),
    }
}

impl Sheet {
    /// With a name that was given before, what is sent along, and what there is to say.
    fn drawn(
        &self,
        status: StatusCode,
        username: &str,
        along: &str,
        complaint: Option<&str>,
    ) -> Response {
        let has_name = !username.is_empty();
        let described = complaint.map(|_| "complaint");
        let body = html! {
            section.narrow {
                h1 { (self.title) }
                @if !self.about.is_empty() { p { (self.about) } }
                @if let Some(complaint) = complaint {
                    p.complaint role="alert" #complaint { (complaint) }
                }
                form.fields method="post" action=(self.action) {
                    label for="username" { "Name" }
                    input #username name="username" value=(username) required maxlength=(LONGEST_NAME)
                        autocomplete="username" autocapitalize="none" spellcheck="false"
                        autofocus[!has_name] aria-describedby=[described];
                    label for="password" { (self.password) }
                    input #password name="password" type="password" required minlength=[self.least]
                        autofocus[has_name] autocomplete=(self.autocomplete) aria-describedby=[described];
                    input type="hidden" name=(self.along) value=(along);
                    button.main { (self.button) }
                }
            }
        };
        (status, Frame::titled(self.title).around(&body)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_service_are_gone_to() {
        for path in ["/", "/datasets/3?rule=LF004&path=a%20b", "/upload"] {
            assert_eq!(local(path), path);
        }
        for elsewhere in [
            "",
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "/a\r\nSet-Cookie: x",
            "/a b",
            "javascript:alert(1)",
            "/sign-out",
            "/sign-in?next=/",
        ] {
            assert_eq!(local(elsewhere), "/", "{elsewhere}");
        }
    }
}
