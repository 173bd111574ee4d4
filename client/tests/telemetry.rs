//! Spans as OpenTelemetry's messaging conventions have them, metrics, and nothing that is a secret.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod running;

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use opentelemetry::Value;
use opentelemetry::trace::{SpanKind, Status, TracerProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use pgqueuer_client::{Context, Control, NewJob, Outcome, Postgres, Producer, Worker};
use pgqueuer_e2e::ask::{run, value};
use pgqueuer_e2e::cluster::{Cluster, database};
use pgqueuer_e2e::until::until;
use running::{Running, only_logged, queue, until_logged};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use tokio::runtime::Runtime;
use tracing_subscriber::layer::SubscriberExt;

/// What the whole process of tests tells: each asks for its own entrypoints.
struct Told {
    spans: InMemorySpanExporter,
    metrics: Snapshotter,
    log: Log,
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

static TOLD: LazyLock<Told> = LazyLock::new(|| {
    let (spans, log, recorder) = (InMemorySpanExporter::default(), Log::default(), DebuggingRecorder::new());
    let provider = SdkTracerProvider::builder().with_simple_exporter(spans.clone()).build();
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let writer = log.clone();
    let subscriber = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("test")))
        .with(tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone()));
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let metrics = recorder.snapshotter();
    recorder.install().unwrap();
    Told { spans, metrics, log }
});

/// The span of that name, once it has ended.
fn span(name: &str) -> SpanData {
    until(&format!("there is a span \"{name}\""), || {
        TOLD.spans.get_finished_spans().unwrap().into_iter().find(|span| span.name == name)
    })
}

/// An attribute; empty where there is none. A number is told from a text.
fn attribute(span: &SpanData, key: &str) -> String {
    let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == key);
    match found.map(|attribute| &attribute.value) {
        Some(Value::String(text)) => format!("\"{text}\""),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

/// All attributes of the conventions, and ours.
fn attributes(span: &SpanData) -> BTreeMap<&str, String> {
    let ours = |key: &&str| ["messaging.", "error."].iter().any(|prefix| key.starts_with(prefix));
    let keys = span.attributes.iter().map(|attribute| attribute.key.as_str()).filter(ours);
    keys.map(|key| (key, attribute(span, key))).collect()
}

fn traceparent(span: &SpanData) -> String {
    let context = &span.span_context;
    format!("00-{}-{}-{:02x}", context.trace_id(), context.span_id(), context.trace_flags())
}

fn is_linked_to(span: &SpanData, other: &SpanData) -> bool {
    span.links.iter().any(|link| link.span_context.span_id() == other.span_context.span_id())
}

#[test]
fn an_enqueue_and_its_attempt_are_two_traces_with_a_link_between_them() {
    LazyLock::force(&TOLD);
    let database = database();
    let mut session = database.connect();
    let (queue, runtime) = (queue(&database), Runtime::new().unwrap());
    let id = runtime.block_on(queue.enqueue(NewJob::new("single").payload("seven"))).unwrap().unwrap();
    let sent = span("enqueue single");
    let text = id.to_string();
    assert_eq!(sent.span_kind, SpanKind::Producer);
    let common = [("messaging.system", "\"pgqueuer\""), ("messaging.destination.name", "\"single\"")];
    let quoted = format!("\"{text}\"");
    let message = [("messaging.message.id", quoted.as_str()), ("messaging.message.body.size", "5")];
    let expected = [("messaging.operation.name", "\"enqueue\""), ("messaging.operation.type", "\"send\"")];
    let expected = expected.into_iter().chain(common).chain(message).map(|(key, value)| (key, value.to_owned()));
    assert_eq!(attributes(&sent), expected.collect());
    let header = value::<String>(&mut session, "SELECT headers->>'traceparent' FROM pgq.jobs WHERE id = $1", &[&id]);
    assert_eq!(header, traceparent(&sent));

    let worker = Worker::builder(queue).entrypoint("single", |_: Context| async {
        tracing::info_span!("inside").in_scope(|| {});
    });
    let running = Running::start(worker.build().unwrap());
    let process = span("process single");
    running.stop().unwrap();
    assert_eq!(process.span_kind, SpanKind::Consumer);
    let name = attribute(&process, "messaging.client.id");
    assert_eq!(name.len(), 38, "{name}");
    let expected = [
        ("messaging.operation.name", "\"process\""),
        ("messaging.operation.type", "\"process\""),
        ("messaging.client.id", name.as_str()),
        ("messaging.pgqueuer.attempt", "0"),
    ];
    let expected = expected.into_iter().chain(common).chain(message).map(|(key, value)| (key, value.to_owned()));
    assert_eq!(attributes(&process), expected.collect());
    assert!(is_linked_to(&process, &sent));
    assert_ne!(process.span_context.trace_id(), sent.span_context.trace_id());
    assert_eq!(process.status, Status::Unset);
    assert_eq!(span("inside").parent_span_id, process.span_context.span_id());
}

#[test]
fn a_batch_is_one_span_that_all_its_jobs_are_linked_to() {
    LazyLock::force(&TOLD);
    let database = database();
    let mut session = database.connect();
    let (queue, runtime) = (queue(&database), Runtime::new().unwrap());
    runtime.block_on(queue.enqueue_many(vec![NewJob::new("batch"), NewJob::new("batch")])).unwrap();
    let sent = span("enqueue_many batch");
    assert_eq!(sent.span_kind, SpanKind::Producer);
    assert_eq!(attribute(&sent, "messaging.batch.message_count"), "2");
    assert_eq!(attribute(&sent, "messaging.destination.name"), "\"batch\"");
    assert_eq!(attribute(&sent, "messaging.message.id"), "");
    let headers = "SELECT count(*) FROM pgq.jobs WHERE headers->>'traceparent' = $1";
    assert_eq!(value::<i64>(&mut session, headers, &[&traceparent(&sent)]), 2);
    // Of several entrypoints none is the destination.
    runtime.block_on(queue.enqueue_many(vec![NewJob::new("batch"), NewJob::new("other")])).unwrap();
    let sent = span("enqueue_many");
    assert_eq!(attribute(&sent, "messaging.destination.name"), "");
}

#[test]
fn a_context_of_the_users_is_left_as_it_is_and_linked() {
    LazyLock::force(&TOLD);
    let database = database();
    let mut session = database.connect();
    let (queue, runtime) = (queue(&database), Runtime::new().unwrap());
    let own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let job = NewJob::new("own").header("traceparent", own).header("tenant", "seven");
    let id = runtime.block_on(queue.enqueue(job)).unwrap().unwrap();
    let headers = value::<serde_json::Value>(&mut session, "SELECT headers FROM pgq.jobs WHERE id = $1", &[&id]);
    assert_eq!(headers, serde_json::json!({ "traceparent": own, "tenant": "seven" }));
    let sent = span("enqueue own");
    let links: Vec<_> = sent.links.iter().map(|link| link.span_context.span_id().to_string()).collect();
    assert_eq!(links, ["b7ad6b7169203331"]);
}

#[test]
fn what_fails_says_so_and_of_which_kind() {
    LazyLock::force(&TOLD);
    let database = database();
    let mut session = database.connect();
    let (queue, runtime) = (queue(&database), Runtime::new().unwrap());
    let job = || NewJob::new("twice").dedupe_key("one");
    runtime.block_on(queue.enqueue(job())).unwrap();
    TOLD.spans.get_finished_spans().unwrap();
    runtime.block_on(queue.enqueue(job().priority(1))).unwrap_err();
    let sent = until("the refused one has ended", || {
        let spans = TOLD.spans.get_finished_spans().unwrap();
        spans.into_iter().find(|span| span.name == "enqueue twice" && !attribute(span, "error.type").is_empty())
    });
    assert_eq!(attribute(&sent, "error.type"), "\"23505\"");
    assert!(matches!(sent.status, Status::Error { .. }), "{:?}", sent.status);

    run(&mut session, "SELECT pgq.configure('breaks', max_attempts => 1)");
    let worker = Worker::builder(queue.clone())
        .entrypoint("breaks", |_: Context| async { Err::<(), _>("broken") })
        .entrypoint("again", |context: Context| async move {
            if context.job.attempts == 0 { Outcome::retry(Duration::ZERO) } else { Outcome::Done }
        });
    let running = Running::start(worker.build().unwrap());
    let id = runtime.block_on(queue.enqueue(NewJob::new("breaks"))).unwrap().unwrap();
    assert_eq!(only_logged(&mut session, id).outcome, "failed");
    let failed = span("process breaks");
    assert_eq!(attribute(&failed, "error.type"), "\"fail\"");
    assert!(matches!(failed.status, Status::Error { .. }), "{:?}", failed.status);
    let id = runtime.block_on(queue.enqueue(NewJob::new("again"))).unwrap().unwrap();
    until_logged(&mut session, id, &["retried", "successful"]);
    let again = span("process again");
    assert_eq!((attribute(&again, "error.type").as_str(), &again.status), ("", &Status::Unset));
    running.stop().unwrap();
}

#[test]
fn what_a_handler_enqueues_belongs_to_its_attempt() {
    LazyLock::force(&TOLD);
    let database = database();
    let mut session = database.connect();
    let (queue, runtime) = (queue(&database), Runtime::new().unwrap());
    let follow =
        |context: Context<Postgres>| async move { context.state.enqueue(NewJob::new("followed")).await.map(|_| ()) };
    let worker = Worker::with_state(queue.clone(), queue.clone()).entrypoint("follows", follow).build().unwrap();
    let running = Running::start(worker);
    let id = runtime.block_on(queue.enqueue(NewJob::new("follows"))).unwrap().unwrap();
    assert_eq!(only_logged(&mut session, id).outcome, "successful");
    running.stop().unwrap();
    assert_eq!(span("enqueue followed").parent_span_id, span("process follows").span_context.span_id());
}

/// Counters and gauges by name and labels, of those whose labels say this or that have none.
fn metrics(entrypoint: &str) -> BTreeMap<String, f64> {
    let label = format!("entrypoint={entrypoint}");
    let mut found = BTreeMap::new();
    for (key, _, _, value) in TOLD.metrics.snapshot().into_vec() {
        let labels: Vec<_> = key.key().labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let value = match value {
            DebugValue::Counter(count) => count as f64,
            DebugValue::Gauge(value) => value.into_inner(),
            DebugValue::Histogram(values) => values.len() as f64,
        };
        if labels.is_empty() || labels.contains(&label) {
            let others: Vec<_> = labels.into_iter().filter(|other| *other != label).collect();
            found.insert(format!("{}{{{}}}", key.key().name(), others.join(",")), value);
        }
    }
    found
}

#[test]
fn metrics_count_what_was_enqueued_and_how_it_ended() {
    LazyLock::force(&TOLD);
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    let (queue, runtime) = (queue(&database), Runtime::new().unwrap());
    let jobs = (0..10).map(|n| NewJob::new("counted").priority(n)).collect();
    runtime.block_on(queue.enqueue_many(jobs)).unwrap();
    let worker = Worker::builder(queue.clone()).entrypoint("counted", |context: Context| async move {
        match (context.job.priority, context.job.attempts) {
            (0, 0) => Outcome::fail("once"),
            (1, 0) => Outcome::retry(Duration::ZERO),
            (2, _) => Outcome::hold("for good"),
            _ => Outcome::Done,
        }
    });
    run(&mut session, "SELECT pgq.configure('counted', backoff_initial => '0 s')");
    runtime.block_on(worker.build().unwrap().drain()).unwrap();
    let found = metrics("counted");
    let of = |name: &str| found.get(name).copied().unwrap_or(-1.0);
    assert_eq!(of("pgqueuer_client_enqueued_total{}"), 10.0, "{found:?}");
    let finished = |outcome: &str| of(&format!("pgqueuer_client_finished_total{{outcome={outcome}}}"));
    assert_eq!(["done", "fail", "retry", "hold"].map(finished), [9.0, 1.0, 1.0, 1.0], "{found:?}");
    assert_eq!(of("pgqueuer_client_wait_seconds{}"), 12.0, "{found:?}");
    assert_eq!(of("pgqueuer_client_run_seconds{}"), 12.0, "{found:?}");
}

#[test]
fn no_password_is_told_to_anybody() {
    LazyLock::force(&TOLD);
    let database = database();
    let (host, port) = database.host_and_port();
    let address = |port: u16| format!("postgres://postgres:hush%21@{host}:{port}/{}", database.name);
    let queue = Postgres::new(&address(port)).unwrap().listen_at(&address(port)).unwrap();
    // One at which nobody is, and one that does not know the user.
    let away = Postgres::new(&address(1)).unwrap();
    let unknown = Postgres::new(&address(port).replace("postgres:hush", "nobody:hush")).unwrap();
    let runtime = Runtime::new().unwrap();
    let worker = Worker::builder(queue.clone()).entrypoint("quiet", |_: Context| async {}).build().unwrap();
    let mut said = format!("{queue:?} {:?} {worker:?}", queue.pool());
    let running = Running::start(worker);
    runtime.block_on(queue.enqueue(NewJob::new("quiet"))).unwrap();
    span("process quiet");
    running.stop().unwrap();
    for error in [away.enqueue(NewJob::new("quiet")), unknown.enqueue(NewJob::new("quiet"))]
        .map(|answer| runtime.block_on(answer).unwrap_err())
    {
        said += &format!("{error} {error:?}");
        let mut below = std::error::Error::source(&error);
        while let Some(cause) = below {
            said += &format!("{cause} {cause:?}");
            below = cause.source();
        }
    }
    said += &format!("{:?}", runtime.block_on(away.cancel(&[1])));
    for wrong in ["postgres://u:hush!@host:port/d", "host=h password=hush! more", "postgres://u:hush!@[h/d?x=y"] {
        said += &format!("{:?}", Postgres::new(wrong).map(|_| ()));
    }
    said += &String::from_utf8_lossy(&TOLD.log.0.lock().unwrap());
    assert!(said.contains("quiet") && !said.contains("hush"), "{said}");
}
