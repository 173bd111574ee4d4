//! What a worker needs of a queue: the seam between [`Worker`](crate::Worker) and PostgreSQL, or memory.

use crate::error::Result;
use crate::job::Job;
use async_trait::async_trait;
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

/// A queue that a worker can work for: [`Postgres`](crate::Postgres) or [`Memory`](crate::Memory). Every call names the
/// worker, and is fenced by it and the attempt: what the worker holds no longer is left alone.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// Claims up to `fetch.most` jobs, best first (`pgq.dequeue`). Where the answer is lost, nothing stays claimed.
    ///
    /// # Errors
    /// As every method here: [`Error::Refused`](crate::Error::Refused), or those of the connection.
    async fn dequeue(&self, fetch: &Fetch<'_>) -> Result<Vec<Job>>;

    /// Ends claims, each in its own way, in as few calls as there are kinds. Returns the ids where it took effect.
    async fn finish(&self, worker: Uuid, ended: &[Ended]) -> Result<Vec<i64>>;

    /// A sign of life for `lease` (`pgq.heartbeat`). Returns those of `held` that the worker does not hold any more.
    async fn heartbeat(&self, worker: Uuid, lease: Duration, held: &[i64]) -> Result<Vec<i64>>;

    /// Hears of jobs and cancellations from now on. `None` where this queue can only be polled.
    async fn signals(&self, worker: Uuid, entrypoints: &[String]) -> Result<Option<Box<dyn Signals>>>;

    /// How many jobs of these entrypoints are queued, the deferred ones included.
    async fn queued(&self, entrypoints: &[String]) -> Result<i64>;
}

/// What happens at the queue.
#[async_trait]
pub trait Signals: Send {
    /// The next one.
    ///
    /// # Errors
    /// Once the connection is gone; then it hears of nothing more.
    async fn next(&mut self) -> Result<Signal>;
}

/// Something that a worker should know at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// There may be jobs.
    Work,
    /// These jobs, some of which the worker may hold, were canceled.
    Canceled(Vec<i64>),
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Fetch<'a> {
    /// Who claims.
    pub worker: Uuid,
    /// Of what.
    pub entrypoints: &'a [String],
    /// How many, at least 1.
    pub most: i32,
    /// How long the claims live after a sign of life.
    pub lease: Duration,
}

/// A claim: a job in one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Claim {
    /// The job.
    pub id: i64,
    /// The attempt.
    pub attempt: i32,
}

/// A claim that is over, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// The claim.
    pub claim: Claim,
    /// How it ended.
    pub end: End,
}

/// How a claim ends.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// The job is done (`pgq.complete`).
    Complete,
    /// The attempt failed: again after the backoff, while attempts are left (`pgq.fail`).
    Fail(Value),
    /// Again after so long, the failure not counted (`pgq.retry`).
    Retry(Duration, Option<String>),
    /// Given up at once, and held with this error (`pgq.finish` with `failed`).
    Hold(Value),
    /// Given back: queued at once, the attempt not counted (`pgq.release`).
    Release,
}
