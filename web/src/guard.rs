//! What happens to a request before any page sees it, and to an answer before any browser does.
//!
//! Order: the host's name, the login, then the page; headers go on every answer, and a failure becomes a page.

use crate::app::Shared;
use crate::failure::Failure;
use crate::frame::{Frame, page};
use crate::options::Options;
use askama::Template;
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderMap, HeaderName, ORIGIN,
    REFERRER_POLICY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::uri::Authority;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// Nothing but our own files runs, is shown or is fetched; nobody frames us; forms go nowhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 7] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
    (X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    (CACHE_CONTROL, "no-store"),
];

/// Starts the watch, asks who it is, answers.
pub async fn admit(State(app): State<Shared>, request: Request, next: Next) -> Response {
    if let Err(failure) = host(&app.options, request.headers()) {
        return failure.into_response();
    }
    if let Err(refused) = login(&app.options, request.headers()) {
        return refused;
    }
    app.start();
    next.run(request).await
}

/// Puts the headers on, and makes a page of a failure.
pub async fn dress(State(app): State<Shared>, frame: Frame, request: Request, next: Next) -> Response {
    drop(app);
    let mut response = next.run(request).await;
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        let status = response.status();
        let challenge = response.headers_mut().remove(WWW_AUTHENTICATE);
        response = page(&Refusal { frame, failure }).unwrap_or_else(IntoResponse::into_response);
        *response.status_mut() = status;
        challenge.map(|challenge| response.headers_mut().insert(WWW_AUTHENTICATE, challenge));
    } else if response.status().is_client_error() && !response.headers().contains_key(CONTENT_TYPE) {
        // axum's own refusals, of a method for one, have no words.
        let words = response.status().canonical_reason().unwrap_or("Refused").to_owned();
        response = (response.status(), words).into_response();
    }
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct Refusal {
    frame: Frame,
    failure: Failure,
}

/// A page elsewhere may have its own name point at this address; what the browser then sends names that host.
fn host(options: &Options, headers: &HeaderMap) -> Result<(), Failure> {
    let Some(hosts) = &options.hosts else { return Ok(()) };
    let name = authority(headers.get(HOST)).map(|authority| bare(authority.host()));
    if name.is_some_and(|name| hosts.iter().any(|host| bare(host) == name)) {
        return Ok(());
    }
    let detail = "This dashboard does not answer under this name. pgq web --host NAME adds one.";
    Err(Failure::new(StatusCode::MISDIRECTED_REQUEST, "Wrong host", detail))
}

fn authority(header: Option<&HeaderValue>) -> Option<Authority> {
    header?.to_str().ok()?.parse().ok()
}

fn bare(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase()
}

fn login(options: &Options, headers: &HeaderMap) -> Result<(), Response> {
    if options.password.is_none() && options.token.is_none() || is_known(options, headers) {
        return Ok(());
    }
    let challenge = if options.password.is_some() { r#"Basic realm="pgqueuer", charset="UTF-8""# } else { "Bearer" };
    let failure = Failure::new(StatusCode::UNAUTHORIZED, "Who is there?", "This dashboard asks for a login.");
    let mut response = failure.into_response();
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    Err(response)
}

fn is_known(options: &Options, headers: &HeaderMap) -> bool {
    let Some((scheme, rest)) = headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok()?.split_once(' '))
    else {
        return false;
    };
    if scheme.eq_ignore_ascii_case("bearer") {
        return options.token.as_ref().is_some_and(|token| token.is(rest.trim().as_bytes()));
    }
    // user:password, of which the user may be anybody.
    let decoded = BASE64_STANDARD.decode(rest.trim()).unwrap_or_default();
    let password = decoded.splitn(2, |byte| *byte == b':').nth(1);
    scheme.eq_ignore_ascii_case("basic")
        && options.password.as_ref().zip(password).is_some_and(|(known, password)| known.is(password))
}

/// Whether a form was sent by a page of ours, as far as the browser tells.
pub fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    // An older browser names where it comes from; a program names nothing.
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, rest)| rest);
    origin.is_some() && origin == text("host")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_our_own_pages_send_forms() {
        assert!(is_from_here(&headers(&[("sec-fetch-site", "same-origin"), ("origin", "null")])));
        assert!(!is_from_here(&headers(&[("sec-fetch-site", "cross-site")])));
        assert!(!is_from_here(&headers(&[("sec-fetch-site", "same-site")])));
        assert!(!is_from_here(&headers(&[("sec-fetch-site", "none")])));
        assert!(is_from_here(&headers(&[("origin", "http://a:1"), ("host", "a:1")])));
        assert!(!is_from_here(&headers(&[("origin", "http://b:1"), ("host", "a:1")])));
        assert!(!is_from_here(&headers(&[("origin", "null"), ("host", "a:1")])));
        assert!(is_from_here(&headers(&[("host", "a:1")])));
    }

    #[test]
    fn a_name_that_somebody_pointed_here_is_not_ours() {
        let options = Options::default().hosts(["localhost", "127.0.0.1", "::1"]);
        let known = |name: &str| host(&options, &headers(&[("host", name)])).is_ok();
        assert!(known("localhost:8080") && known("127.0.0.1") && known("[::1]:8080") && known("LOCALHOST."));
        assert!(!known("evil.example") && !known("127.0.0.1.evil.example") && !known("localhost@evil.example:80"));
        assert!(host(&options, &HeaderMap::new()).is_err());
    }

    #[test]
    fn a_password_and_a_token_each_open() {
        let options = Options::default().password("pä:ss").unwrap().token("t0ken").unwrap();
        let known = |value: &str| is_known(&options, &headers(&[("authorization", value)]));
        let basic = |text: &str| format!("Basic {}", BASE64_STANDARD.encode(text));
        assert!(known(&basic("anybody:pä:ss")) && known(&basic(":pä:ss")) && known("bearer t0ken"));
        assert!(!known(&basic("pä:ss")) && !known(&basic("a:pä")) && !known(&basic("a:")) && !known("Basic !"));
        assert!(!known("Bearer pä") && !known("Bearer ") && !known("t0ken") && !known(&basic("a:t0ken")));
        assert!(Options::default().password("").is_err());
    }
}
