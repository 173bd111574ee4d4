//! Help for tests: run one job, look into a queue, and assert that a job was enqueued. To run all jobs there is
//! [`Worker::drain`](crate::Worker::drain).
//!
//! ```
//! use pgqueuer_client::testing::assert_enqueued;
//! use pgqueuer_client::{Memory, NewJob, Producer};
//!
//! /// What is to be tested takes any producer: the pool in production, memory in its test.
//! async fn sign_up(queue: &impl Producer, user: u32) -> Result<(), pgqueuer_client::Error> {
//!     queue.enqueue(NewJob::new("mail").json(&user)?.priority(5)).await?;
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), pgqueuer_client::Error> {
//! let queue = Memory::new();
//! sign_up(&queue, 7).await?;
//! let job = assert_enqueued(&queue, "mail", |job| job.json().ok() == Some(7)).await;
//! assert_eq!(job.priority, 5);
//! # Ok(())
//! # }
//! ```

use crate::error::Result;
use crate::job::{Job, Status, json, text};
use crate::new_job::NewJob;
use crate::outcome::Outcome;
use crate::worker::{Context, Handler};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::fmt::{self, Write};
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A live job: a row of `pgq.jobs`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LiveJob {
    /// Its id.
    pub id: i64,
    /// What kind of work it is.
    pub entrypoint: String,
    /// The bytes that were enqueued.
    pub payload: Option<Vec<u8>>,
    /// Metadata; empty where there is none.
    pub headers: Map<String, Value>,
    /// Higher first.
    pub priority: i32,
    /// Queued, picked or failed.
    pub status: Status,
    /// How many earlier attempts there were.
    pub attempts: i32,
    /// Who holds it.
    pub worker: Option<Uuid>,
    /// When it was enqueued.
    pub created: DateTime<Utc>,
    /// Its earliest start; of a failed job, when it failed.
    pub execute_after: DateTime<Utc>,
    /// When it was claimed.
    pub picked: Option<DateTime<Utc>>,
    /// Unique among queued and picked jobs.
    pub dedupe_key: Option<String>,
    /// Jobs with one key run one at a time.
    pub ordering_key: Option<String>,
}

impl LiveJob {
    /// The payload; empty where there is none.
    pub fn bytes(&self) -> &[u8] {
        self.payload.as_deref().unwrap_or_default()
    }

    /// The payload as text.
    ///
    /// # Errors
    /// [`Error::Payload`](crate::Error::Payload) where it is not UTF-8.
    pub fn text(&self) -> Result<&str> {
        text(self.bytes())
    }

    /// The payload, read as JSON. A job without payload reads as `null`.
    ///
    /// # Errors
    /// [`Error::Payload`](crate::Error::Payload) where it is not JSON, or not of that shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        json(self.payload.as_deref())
    }
}

impl fmt::Display for LiveJob {
    /// One line: what tells jobs apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.id, self.entrypoint, self.status.word())?;
        match (&self.payload, self.text()) {
            (None, _) => write!(f, ", no payload")?,
            (_, Ok(text)) => write!(f, ", payload {}", shortened(text))?,
            (Some(bytes), Err(_)) => write!(f, ", payload of {} bytes", bytes.len())?,
        }
        let key = |f: &mut fmt::Formatter<'_>, name, key: &Option<String>| match key {
            Some(key) => write!(f, ", {name} {}", shortened(key)),
            None => Ok(()),
        };
        write!(f, ", priority {}, attempts {}, from {}", self.priority, self.attempts, self.execute_after)?;
        key(f, "dedupe key", &self.dedupe_key)?;
        key(f, "ordering key", &self.ordering_key)?;
        if self.headers.is_empty() { Ok(()) } else { write!(f, ", headers {}", Value::from(self.headers.clone())) }
    }
}

fn shortened(text: &str) -> String {
    let beginning: String = text.chars().take(100).collect();
    if beginning.len() < text.len() { format!("{beginning:?}…") } else { format!("{beginning:?}") }
}

/// How an attempt, or a job, ended: a row of `pgq.job_log`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LoggedEnd {
    /// The job.
    pub job_id: i64,
    /// What kind of work it was.
    pub entrypoint: String,
    /// Its priority.
    pub priority: i32,
    /// Which attempt it was, from 0.
    pub attempts: i32,
    /// Who held it.
    pub worker: Option<Uuid>,
    /// How it ended.
    pub outcome: Status,
    /// What the attempt said.
    pub error: Option<Value>,
    /// When the job was enqueued.
    pub created: DateTime<Utc>,
    /// When it was claimed.
    pub picked: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished: DateTime<Utc>,
}

/// A queue that a test can look into: [`Memory`](crate::Memory), [`Postgres`](crate::Postgres), or a client, a pool or the
/// test's own transaction, whose role may read `pgq.jobs` (`pgq.grant_monitor`).
#[async_trait]
pub trait Inspect: Send + Sync {
    /// All live jobs, by their ids.
    ///
    /// # Errors
    /// Those of the connection, and `42501` where the role may not read them.
    async fn live_jobs(&self) -> Result<Vec<LiveJob>>;

    /// How attempts and jobs have ended, the oldest first: as long as the log is kept.
    ///
    /// # Errors
    /// As [`live_jobs`](Self::live_jobs).
    async fn logged_ends(&self) -> Result<Vec<LoggedEnd>>;
}

#[cfg(feature = "memory")]
#[async_trait]
impl Inspect for crate::Memory {
    async fn live_jobs(&self) -> Result<Vec<LiveJob>> {
        Ok(self.jobs())
    }

    async fn logged_ends(&self) -> Result<Vec<LoggedEnd>> {
        Ok(self.log())
    }
}

/// Runs a handler on a job, here and now, without a queue. A panic is the test's own.
///
/// ```
/// # use pgqueuer_client::{BoxError, Context, NewJob, Outcome, testing};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), BoxError> {
/// async fn greet(context: Context<String>) -> Result<(), BoxError> {
///     println!("{} {}", context.state, context.job.text()?);
///     Ok(())
/// }
///
/// let outcome = testing::run(greet, "hello".to_owned(), NewJob::new("greet").payload("world")).await;
/// assert!(matches!(outcome, Outcome::Done));
/// let outcome = testing::run(greet, "hello".to_owned(), NewJob::new("greet").payload(b"\xff")).await;
/// assert!(matches!(outcome, Outcome::Fail(_)));
/// # Ok(())
/// # }
/// ```
pub async fn run<S: Send + Sync + 'static>(handler: impl Handler<S>, state: S, job: NewJob) -> Outcome {
    let now = Utc::now();
    let job = Job {
        id: 1,
        entrypoint: job.entrypoint,
        payload: job.payload,
        headers: job.headers,
        priority: job.priority,
        attempts: 0,
        created: now,
        execute_after: now,
        picked: now,
        dedupe_key: job.dedupe_key,
        ordering_key: job.ordering_key,
    };
    let canceled = CancellationToken::new();
    handler.handle(Context { job, state: Arc::new(state), worker: Uuid::new_v4(), canceled }).await.into()
}

/// The first live job of this entrypoint that `is` the one; whether it is queued, picked or failed.
///
/// # Panics
/// Where there is none, with a list of those that are there; where they cannot be read.
#[track_caller]
pub fn assert_enqueued<'a>(
    queue: &'a impl Inspect,
    entrypoint: &'a str,
    is: impl Fn(&LiveJob) -> bool + Send + 'a,
) -> impl Future<Output = LiveJob> + Send + 'a {
    let caller = Location::caller();
    async move {
        let jobs = jobs_of(queue, caller).await;
        let found = jobs.iter().find(|job| job.entrypoint == entrypoint && is(job));
        found.cloned().unwrap_or_else(|| fail(caller, &format!("no such job of \"{entrypoint}\" is there"), &jobs))
    }
}

/// Sees that there is no live job of this entrypoint that `is` one.
///
/// # Panics
/// Where there is one, with a list of all; where they cannot be read.
#[track_caller]
pub fn assert_not_enqueued<'a>(
    queue: &'a impl Inspect,
    entrypoint: &'a str,
    is: impl Fn(&LiveJob) -> bool + Send + 'a,
) -> impl Future<Output = ()> + Send + 'a {
    let caller = Location::caller();
    async move {
        let jobs = jobs_of(queue, caller).await;
        if let Some(job) = jobs.iter().find(|job| job.entrypoint == entrypoint && is(job)) {
            fail(caller, &format!("job {} of \"{entrypoint}\" is there", job.id), &jobs);
        }
    }
}

async fn jobs_of(queue: &impl Inspect, caller: &Location<'_>) -> Vec<LiveJob> {
    match queue.live_jobs().await {
        Ok(jobs) => jobs,
        Err(error) => fail(caller, &format!("the jobs cannot be read: {error}"), &[]),
    }
}

/// How many jobs a message lists.
const LISTED: usize = 20;

#[allow(clippy::panic, reason = "what an assertion does")]
fn fail(caller: &Location<'_>, what: &str, jobs: &[LiveJob]) -> ! {
    let mut list = String::new();
    for job in jobs.iter().take(LISTED) {
        // A string takes everything.
        write!(list, "\n  {job}").unwrap_or_default();
    }
    if jobs.len() > LISTED {
        write!(list, "\n  … and {} more", jobs.len() - LISTED).unwrap_or_default();
    }
    let there = if jobs.is_empty() { "There are none." } else { "There are:" };
    panic!("{what} (asserted at {caller}). {there}{list}")
}
