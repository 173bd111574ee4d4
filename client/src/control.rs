//! Changing what is queued, and how it is handed out.

use crate::error::Result;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use std::time::Duration;

/// What an administrator does: on the same things as [`Producer`](crate::Producer). On a transaction it takes effect
/// when that commits.
///
/// ```
/// # use pgqueuer_client::{Control, Memory, NewJob, Producer, Status};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), pgqueuer_client::BoxError> {
/// # let queue = Memory::at("2030-01-01T00:00:00Z".parse()?);
/// queue.enqueue_many(vec![NewJob::new("fetch"), NewJob::new("fetch"), NewJob::new("mail")]).await?;
/// assert!(queue.pause("mail").await?);
/// assert_eq!(queue.cancel(&[1, 99]).await?, [1]);
/// assert_eq!(queue.status(&[1]).await?[0].status, Status::Canceled);
/// assert_eq!(queue.reschedule(&[2], "2031-01-01T00:00:00Z".parse()?, Some(5)).await?, [2]);
/// assert_eq!(queue.clear(Some(&["fetch".into()])).await?, 1);
/// assert_eq!(queue.queue_size().await?.len(), 1);
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Control: Send + Sync {
    /// Ends jobs whatever they are (`pgq.cancel`); those who run them are told. Returns the ids that were live.
    ///
    /// # Errors
    /// As every method here: [`Error::Refused`](crate::Error::Refused) with `22023` for a bad argument, `42501` where
    /// the role lacks the right (`pgq.grant_admin`), or those of the connection.
    async fn cancel(&self, ids: &[i64]) -> Result<Vec<i64>>;

    /// Removes queued and failed jobs (`pgq.delete`). Returns their ids.
    async fn delete(&self, ids: &[i64]) -> Result<Vec<i64>>;

    /// Removes all queued jobs, of these entrypoints or of all (`pgq.clear`). Returns how many.
    async fn clear(&self, entrypoints: Option<&[String]>) -> Result<i64>;

    /// Queues failed jobs again, from attempt 0 (`pgq.requeue`). Returns their ids.
    async fn requeue(&self, ids: &[i64]) -> Result<Vec<i64>>;

    /// Gives queued jobs another start, and another priority where one is given (`pgq.reschedule`). Returns their ids.
    async fn reschedule(&self, ids: &[i64], execute_after: DateTime<Utc>, priority: Option<i32>) -> Result<Vec<i64>>;

    /// Stops handing out jobs of an entrypoint (`pgq.pause`). False where it was paused already.
    async fn pause(&self, entrypoint: &str) -> Result<bool>;

    /// Hands them out again (`pgq.resume`). False where it was not paused.
    async fn resume(&self, entrypoint: &str) -> Result<bool>;

    /// Changes settings of an entrypoint (`pgq.configure`); what is not given stays.
    async fn configure(&self, entrypoint: &str, settings: Settings) -> Result<()>;

    /// Makes a schedule, or changes the one of that name (`pgq.schedule`). Returns its id.
    async fn schedule(&self, schedule: Schedule) -> Result<i64>;

    /// Removes a schedule (`pgq.unschedule`). False where there is none.
    async fn unschedule(&self, name: &str) -> Result<bool>;

    /// Stops a schedule (`pgq.pause_schedule`). False where there is none, or it was paused already.
    async fn pause_schedule(&self, name: &str) -> Result<bool>;

    /// Lets it go on (`pgq.resume_schedule`). False where there is none, or it was not paused.
    async fn resume_schedule(&self, name: &str) -> Result<bool>;

    /// How many live jobs there are (`pgq.queue_size`).
    async fn queue_size(&self) -> Result<Vec<QueueSize>>;
}

/// Settings of an entrypoint: `None` leaves one as it is.
///
/// ```
/// # use pgqueuer_client::{Control, Memory, OnFailure, Settings};
/// # use std::time::Duration;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), pgqueuer_client::BoxError> {
/// # let queue = Memory::at("2030-01-01T00:00:00Z".parse()?);
/// let settings = Settings {
///     concurrency_limit: Some(20),
///     max_attempts: Some(3),
///     backoff_initial: Some(Duration::from_secs(10)),
///     on_failure: Some(OnFailure::Delete),
///     ..Settings::default()
/// };
/// queue.configure("fetch", settings).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// Jobs picked at one time over all workers; 0 for any number. Default 0.
    pub concurrency_limit: Option<i32>,
    /// After so many failed attempts a job is given up, at least 1. Default 5.
    pub max_attempts: Option<i32>,
    /// Delay before the second attempt. Default 1 s.
    pub backoff_initial: Option<Duration>,
    /// No delay is longer. Default 5 min.
    pub backoff_max: Option<Duration>,
    /// Each delay is the last one times this, at least 1. Default 2.
    pub backoff_multiplier: Option<f64>,
    /// What a job becomes that is given up. Default [`OnFailure::Hold`].
    pub on_failure: Option<OnFailure>,
    /// After so many lost workers a job counts as failed. Default 10.
    pub max_releases: Option<i32>,
    /// Claims in any stretch of `rate_period` over all workers; 0 for any number. Default 0.
    pub rate_limit: Option<i32>,
    /// Default 1 s.
    pub rate_period: Option<Duration>,
}

/// What a job becomes that is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// It stays as `failed`, with its error.
    Hold,
    /// It goes; the log says `exception`.
    Delete,
}

impl OnFailure {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Delete => "delete",
        }
    }
}

/// What happens to ticks that were missed while the server was down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CatchUp {
    /// Nothing.
    Skip,
    /// One job for all of them.
    #[default]
    One,
    /// A job for each, 1000 at most.
    All,
}

impl CatchUp {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::One => "one",
            Self::All => "all",
        }
    }
}

/// A schedule: each tick enqueues one job.
///
/// ```
/// # use pgqueuer_client::{CatchUp, Control, Memory, Schedule};
/// # use std::time::Duration;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), pgqueuer_client::BoxError> {
/// # let queue = Memory::at("2030-01-01T00:00:00Z".parse()?);
/// let report = Schedule::new("report", "30 6 * * mon-fri").timezone("Europe/Berlin").catch_up(CatchUp::Skip);
/// queue.schedule(report).await?;
/// queue.advance(Duration::from_secs(86_400));
/// assert_eq!(queue.jobs()[0].headers["scheduled_at"], "2030-01-01T05:30:00+00:00");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a schedule is made by Control::schedule"]
pub struct Schedule {
    pub(crate) name: String,
    pub(crate) cron: String,
    pub(crate) entrypoint: Option<String>,
    pub(crate) payload: Option<Vec<u8>>,
    pub(crate) timezone: String,
    pub(crate) priority: i32,
    pub(crate) headers: Map<String, Value>,
    pub(crate) catch_up: CatchUp,
    pub(crate) overlap: bool,
    pub(crate) ordering_key: Option<String>,
}

impl Schedule {
    /// A schedule in UTC whose jobs are of the entrypoint `name`. `cron` has five fields, `minute hour day month weekday`,
    /// or six with the seconds last: `* * * * * */3` is every three seconds.
    pub fn new(name: impl Into<String>, cron: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            cron: cron.into(),
            entrypoint: None,
            payload: None,
            timezone: "UTC".into(),
            priority: 0,
            headers: Map::new(),
            catch_up: CatchUp::One,
            overlap: false,
            ordering_key: None,
        }
    }

    /// The entrypoint of its jobs.
    pub fn entrypoint(mut self, entrypoint: impl Into<String>) -> Self {
        self.entrypoint = Some(entrypoint.into());
        self
    }

    /// The payload of its jobs.
    pub fn payload(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.payload = Some(bytes.into());
        self
    }

    /// An IANA name, such as `Europe/Berlin`.
    pub fn timezone(mut self, timezone: impl Into<String>) -> Self {
        self.timezone = timezone.into();
        self
    }

    /// The priority of its jobs.
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// A header of its jobs.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// What happens to missed ticks.
    pub fn catch_up(mut self, catch_up: CatchUp) -> Self {
        self.catch_up = catch_up;
        self
    }

    /// Whether a tick enqueues a job while that of the last tick is still live.
    pub fn overlap(mut self, overlap: bool) -> Self {
        self.overlap = overlap;
        self
    }

    /// The ordering key of its jobs.
    pub fn ordering_key(mut self, key: impl Into<String>) -> Self {
        self.ordering_key = Some(key.into());
        self
    }
}

/// How many live jobs of one entrypoint, priority and status there are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueSize {
    /// Their entrypoint.
    pub entrypoint: String,
    /// Their priority.
    pub priority: i32,
    /// Queued, picked or failed.
    pub status: crate::Status,
    /// How many.
    pub count: i64,
}
