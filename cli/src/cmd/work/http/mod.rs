//! Posts each job to a URL.
//!
//! - [`target`] the URL, headers of the user's, TLS
//! - [`answer`] what an answer says of the job

mod answer;
mod target;

use super::task::{Cut, Limits, Told};
use super::verdict::failure;
use crate::error::Result;
use answer::Answer;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use pgqueuer_client::{Job, Outcome};
use serde::de::IgnoredAny;
use serde_json::Value;
use std::time::Duration;
use target::Target;
use tokio::time::timeout;

pub use target::{Given, Headers};

/// Headers of a job that are longer as JSON, in bytes, are not passed on: most servers take no more.
const LONGEST: usize = 8 * 1024;
/// So much of an answer is kept, in bytes.
const KEPT: usize = 2 * 1024;
/// So much of an answer is read, so that the connection can be used again, and for so long.
const READ: (usize, Duration) = (64 * 1024, Duration::from_secs(1));
/// What cannot stand in a header as it is, and the sign that says so.
const ENCODED: AsciiSet = CONTROLS.add(b'%');

/// Where jobs are posted to.
pub struct Post {
    target: Target,
    retry_delay: Duration,
}

impl Post {
    /// # Errors
    /// [`Error::Usage`](crate::error::Error::Usage) for what is no URL, or no header.
    pub fn new(given: &Given, retry_delay: Duration) -> Result<Self> {
        Ok(Self { target: Target::new(given)?, retry_delay })
    }

    /// One attempt.
    pub async fn run(&self, told: &Told<'_>, payload: Vec<u8>, limits: &Limits<'_>) -> Outcome {
        let request = match self.request(told, payload) {
            Ok(request) => request,
            Err(why) => return Outcome::hold(why),
        };
        let exchange = async {
            let mut response = self.target.client.request(request).await?;
            let said = beginning(&mut response).await;
            Ok::<_, hyper_util::client::legacy::Error>(Answer::new(response.status(), response.headers(), said))
        };
        let answered = tokio::select! {
            answered = exchange => answered,
            cut = limits.cut() => return match cut {
                Cut::TimedOut(after) => Outcome::fail(format!("timed out after {} s", after.as_secs_f64())),
                Cut::Canceled | Cut::Shutdown => Outcome::Release,
            },
        };
        match answered {
            Ok(answer) => answer.outcome(self.retry_delay),
            Err(error) => Outcome::Fail(failure(&format!("no answer from {}", self.target.name), &chain(&error))),
        }
    }

    fn request(&self, told: &Told<'_>, payload: Vec<u8>) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::post(self.target.url.clone());
        if let Some(headers) = request.headers_mut() {
            if !payload.is_empty() {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(&payload)));
            }
            job_headers(told, headers)?;
            self.target.headers.iter().for_each(|(name, value)| _ = headers.insert(name.clone(), value.clone()));
        }
        request.body(Full::from(payload)).map_err(|error| format!("no request can be made of it: {error}"))
    }
}

/// What the payload looks like.
fn content_type(payload: &[u8]) -> &'static str {
    match std::str::from_utf8(payload) {
        Ok(text) if serde_json::from_str::<IgnoredAny>(text).is_ok() => "application/json",
        Ok(_) => "text/plain; charset=utf-8",
        Err(_) => "application/octet-stream",
    }
}

/// What is known of the job beside its payload.
fn job_headers(told: &Told<'_>, headers: &mut HeaderMap) -> Result<(), String> {
    let job = told.job;
    let mut set = |name: &'static str, value: &str| {
        let value = utf8_percent_encode(value, &ENCODED).to_string();
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("pgq-id", &job.id.to_string());
    set("pgq-entrypoint", told.entrypoint);
    set("pgq-attempt", &job.attempts.saturating_add(1).to_string());
    set("pgq-priority", &job.priority.to_string());
    set("pgq-created", &job.created.to_rfc3339());
    set("pgq-worker", told.worker);
    for (name, key) in [("pgq-dedupe-key", &job.dedupe_key), ("pgq-ordering-key", &job.ordering_key)] {
        key.iter().for_each(|key| set(name, key));
    }
    let json = crate::output::ascii(&Value::Object(job.headers.clone()).to_string());
    if json.len() > LONGEST {
        return Err(format!("its headers have {} bytes; at most {LONGEST} can be passed on", json.len()));
    }
    trace_context(job, headers);
    headers.insert("pgq-headers", HeaderValue::from_str(&json).map_err(|error| error.to_string())?);
    Ok(())
}

/// As it was given by whoever enqueued, under its own names. Nothing else that stands in a job names a header.
fn trace_context(job: &Job, headers: &mut HeaderMap) {
    for name in ["traceparent", "tracestate"] {
        if let Some(value) = job.header(name).and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// The first bytes of an answer. It is read on for a moment, up to its end if that is near.
async fn beginning(response: &mut Response<Incoming>) -> Vec<u8> {
    let (mut kept, mut read) = (vec![], 0);
    let reading = async {
        while let Some(Ok(frame)) = response.body_mut().frame().await {
            let Some(data) = frame.data_ref() else { continue };
            read += data.len();
            let room = KEPT.saturating_sub(kept.len()).min(data.len());
            kept.extend_from_slice(data.get(..room).unwrap_or_default());
            if read > READ.0 {
                break;
            }
        }
    };
    timeout(READ.1, reading).await.ok();
    kept
}

/// An error and all that is beneath it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(cause) = below {
        text = format!("{text}: {cause}");
        below = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_json_text_or_bytes() {
        assert_eq!(content_type(br#"{"a": 1}"#), "application/json");
        assert_eq!(content_type("grüße".as_bytes()), "text/plain; charset=utf-8");
        assert_eq!(content_type(b"{\"a\": 1"), "text/plain; charset=utf-8");
        assert_eq!(content_type(b"\xff\0"), "application/octet-stream");
    }
}
