//! Spans, events and metrics. Spans follow OpenTelemetry's messaging conventions; with the feature `opentelemetry` a
//! worker's span is linked to the producer's through the header `traceparent`, written and read by the global propagator.
//!
//! | span | kind | |
//! | --- | --- | --- |
//! | `enqueue ENTRYPOINT` | producer | while it is sent; its context goes into the job's headers, unless they have one |
//! | `enqueue_many ENTRYPOINT` | producer | the same for a batch; without the name where there are several |
//! | `process ENTRYPOINT` | consumer | while the handler runs; linked to the context in the job's headers |
//!
//! `error.type` is the SQLSTATE, `connection` or `timeout` where an enqueue failed, and `fail`, `hold`, `canceled` or
//! `release` where an attempt did.
//!
//! | metric | kind | labels |
//! | --- | --- | --- |
//! | `pgqueuer_client_enqueued_total` | counter | `entrypoint` |
//! | `pgqueuer_client_finished_total` | counter | `entrypoint`, `outcome` |
//! | `pgqueuer_client_wait_seconds` | histogram: due → claimed | `entrypoint` |
//! | `pgqueuer_client_run_seconds` | histogram: start → end of the handler | `entrypoint` |
//! | `pgqueuer_client_in_hand` | gauge: claims, of this process | |
//! | `pgqueuer_client_errors_total` | counter: calls that failed | `call` |

use crate::error::{Error, Result, chain};
use crate::job::Job;
use crate::new_job::NewJob;
use metrics::{Counter, Histogram, counter, gauge, histogram};
use std::collections::BTreeMap;
use std::time::Duration;
use tracing::{Span, field, info_span};
use uuid::Uuid;

/// The span of an enqueue, current while it is sent. Its context goes into the job's headers.
pub(crate) fn send(job: &mut NewJob) -> Span {
    let span = info_span!(
        "send",
        otel.name = format!("enqueue {}", job.entrypoint),
        otel.kind = "producer",
        otel.status_code = field::Empty,
        messaging.system = "pgqueuer",
        messaging.operation.name = "enqueue",
        messaging.operation.r#type = "send",
        messaging.destination.name = job.entrypoint,
        messaging.message.body.size = number(job.payload.as_ref().map_or(0, Vec::len)),
        messaging.message.id = field::Empty,
        error.r#type = field::Empty,
    );
    context::inject(&span, job);
    span
}

/// The same for a batch.
pub(crate) fn send_many(jobs: &mut [NewJob]) -> Span {
    let destination = jobs.first().map(|first| first.entrypoint.as_str());
    let destination = destination.filter(|name| jobs.iter().all(|job| job.entrypoint == *name));
    let span = info_span!(
        "send",
        otel.name = destination.map_or("enqueue_many".to_owned(), |name| format!("enqueue_many {name}")),
        otel.kind = "producer",
        otel.status_code = field::Empty,
        messaging.system = "pgqueuer",
        messaging.operation.name = "enqueue_many",
        messaging.operation.r#type = "send",
        messaging.destination.name = destination,
        messaging.batch.message_count = number(jobs.len()),
        error.r#type = field::Empty,
    );
    jobs.iter_mut().for_each(|job| context::inject(&span, job));
    span
}

/// The answer to an enqueue.
pub(crate) fn sent<'a>(span: &Span, entrypoints: impl Iterator<Item = &'a str>, ids: Result<&[Option<i64>], &Error>) {
    match ids {
        Ok(ids) => {
            if let [Some(id)] = ids {
                span.record("messaging.message.id", id.to_string());
            }
            let mut counts = BTreeMap::new();
            for (entrypoint, id) in entrypoints.zip(ids) {
                if let Some(id) = id {
                    *counts.entry(entrypoint).or_default() += 1;
                    tracing::debug!(parent: span, id, entrypoint, "enqueued");
                }
            }
            for (entrypoint, count) in counts {
                counter!("pgqueuer_client_enqueued_total", "entrypoint" => entrypoint.to_owned()).increment(count);
            }
        }
        Err(error) => failed(span, kind(error)),
    }
}

/// The span of an attempt, current while its handler runs.
pub(crate) fn process(job: &Job, worker: Uuid) -> Span {
    let span = info_span!(
        "process",
        otel.name = format!("process {}", job.entrypoint),
        otel.kind = "consumer",
        otel.status_code = field::Empty,
        messaging.system = "pgqueuer",
        messaging.operation.name = "process",
        messaging.operation.r#type = "process",
        messaging.destination.name = job.entrypoint,
        messaging.message.id = job.id.to_string(),
        messaging.message.body.size = number(job.bytes().len()),
        messaging.client.id = %worker,
        messaging.pgqueuer.attempt = job.attempts,
        error.r#type = field::Empty,
    );
    context::link(&span, job);
    span
}

/// What every job of an entrypoint is counted in. To look these up for each would cost more than the rest of a short job.
pub(crate) struct Metrics {
    wait: Histogram,
    run: Histogram,
    done: Counter,
}

impl Metrics {
    pub(crate) fn of(entrypoint: &str) -> Self {
        let name = || entrypoint.to_owned();
        Self {
            wait: histogram!("pgqueuer_client_wait_seconds", "entrypoint" => name()),
            run: histogram!("pgqueuer_client_run_seconds", "entrypoint" => name()),
            done: finished(name(), DONE),
        }
    }
}

/// The commonest outcome.
const DONE: &str = "done";

fn finished(entrypoint: String, outcome: &'static str) -> Counter {
    counter!("pgqueuer_client_finished_total", "entrypoint" => entrypoint, "outcome" => outcome)
}

/// A job was claimed.
pub(crate) fn claimed(metrics: &Metrics, job: &Job) {
    let waited = (job.picked - job.created.max(job.execute_after)).to_std().unwrap_or_default();
    metrics.wait.record(waited);
    tracing::debug!(id = job.id, entrypoint = job.entrypoint, attempt = job.attempts, "claimed");
}

/// The claims in hand became more, or fewer.
pub(crate) fn in_hand(by: f64) {
    gauge!("pgqueuer_client_in_hand").increment(by);
}

/// An attempt is over.
pub(crate) fn ended(metrics: &Metrics, span: &Span, id: i64, entrypoint: &str, outcome: &'static str, ran: Duration) {
    metrics.run.record(ran);
    tracing::debug!(parent: span, id, entrypoint, outcome, seconds = ran.as_secs_f64(), "ended");
    if !matches!(outcome, "done" | "retry") {
        failed(span, outcome);
    }
    match outcome {
        DONE => metrics.done.increment(1),
        _ => finished(entrypoint.to_owned(), outcome).increment(1),
    }
}

/// A call to the queue failed, and is tried again.
pub(crate) fn call_failed(call: &'static str, error: &Error) {
    counter!("pgqueuer_client_errors_total", "call" => call).increment(1);
    tracing::warn!(error = chain(error), call, "a call to the queue failed");
}

/// OpenTelemetry knows no unsigned numbers: one would become a text.
fn number(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// One of few words.
fn kind(error: &Error) -> &str {
    match error {
        Error::Refused(refusal) => &refusal.sqlstate,
        Error::Connection(_) => "connection",
        Error::Timeout(_) => "timeout",
        _ => "_OTHER",
    }
}

fn failed(span: &Span, kind: &str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", kind);
}

#[cfg(feature = "opentelemetry")]
mod context {
    use super::{Job, NewJob, Span};
    use opentelemetry::Context;
    use opentelemetry::global::get_text_map_propagator;
    use opentelemetry::propagation::{Extractor, Injector};
    use opentelemetry::trace::{SpanContext, TraceContextExt};
    use serde_json::{Map, Value};
    use tracing_opentelemetry::OpenTelemetrySpanExt;

    struct Headers<H>(H);

    impl Injector for Headers<&mut Map<String, Value>> {
        fn set(&mut self, key: &str, value: String) {
            if !value.is_empty() {
                self.0.insert(key.to_owned(), value.into());
            }
        }
    }

    impl Extractor for Headers<&Map<String, Value>> {
        fn get(&self, key: &str) -> Option<&str> {
            self.0.get(key)?.as_str()
        }

        fn keys(&self) -> Vec<&str> {
            self.0.keys().map(String::as_str).collect()
        }
    }

    /// A context that the user has given is linked, and left as it is.
    pub(super) fn inject(span: &Span, job: &mut NewJob) {
        let own = context_in(&job.headers);
        if own.is_valid() {
            span.add_link(own);
            return;
        }
        get_text_map_propagator(|propagator| {
            propagator.inject_context(&span.context(), &mut Headers(&mut job.headers))
        });
    }

    /// The producer may have ended long ago: a link, not a parent.
    pub(super) fn link(span: &Span, job: &Job) {
        let producer = context_in(&job.headers);
        if producer.is_valid() {
            span.add_link(producer);
        }
    }

    /// Not valid where there is none. The context in which this is called is another.
    fn context_in(headers: &Map<String, Value>) -> SpanContext {
        let nothing = Context::new();
        let found = get_text_map_propagator(|propagator| propagator.extract_with_context(&nothing, &Headers(headers)));
        found.span().span_context().clone()
    }
}

#[cfg(not(feature = "opentelemetry"))]
mod context {
    use super::{Job, NewJob, Span};

    pub(super) fn inject(_: &Span, _: &mut NewJob) {}

    pub(super) fn link(_: &Span, _: &Job) {}
}
