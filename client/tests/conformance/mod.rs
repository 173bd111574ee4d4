//! What every queue must do, memory and database alike: one function for each sentence of the contract, which looks at
//! effects alone.
//!
//! - this file       what a queue under test can do besides, and what the cases share
//! - `list`          all cases
//! - `producing`, `dedupe`, `claiming`, `ordering`, `limits`, `finishing`, `leases`, `control`, `completion`, `signals`,
//!   `schedules`     the cases
//!
//! A case gets an empty queue. It never sleeps: it lets time pass ([`Subject::pass`]), or waits for a condition.

pub mod claiming;
pub mod completion;
pub mod control;
pub mod dedupe;
pub mod finishing;
pub mod leases;
pub mod limits;
#[macro_use]
mod list;
pub mod ordering;
pub mod producing;
pub mod schedules;
pub mod signals;

use pgqueuer_client::testing::{Inspect, LiveJob};
use pgqueuer_client::{
    Backend, Claim, Completion, Control, End, Ended, Error, Fetch, Job, JobStatus, NewJob, Producer, Settings, Signals,
    Status,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// A queue under test.
pub trait Subject: Producer + Completion + Control + Backend + Inspect {
    /// Lets so much time pass, by the queue's clock.
    async fn pass(&self, time: Duration);
}

pub const HOUR: Duration = Duration::from_secs(3600);
/// Far longer than anything takes, and short enough to wait for.
pub const SHORT: Duration = Duration::from_millis(300);
/// No ids.
pub const NOTHING: [i64; 0] = [];
/// How long a condition may take to come true.
const PATIENCE: Duration = Duration::from_secs(20);

/// A worker.
pub struct Hand<'a, S> {
    queue: &'a S,
    pub id: Uuid,
    pub lease: Duration,
}

/// A worker whose claims last.
pub fn hand<S: Subject>(queue: &S) -> Hand<'_, S> {
    Hand { queue, id: Uuid::new_v4(), lease: HOUR }
}

impl<S: Subject> Hand<'_, S> {
    /// Claims up to `most` jobs of these entrypoints.
    pub async fn take(&self, entrypoints: &[&str], most: i32) -> Vec<Job> {
        let entrypoints = names(entrypoints);
        let fetch = Fetch { worker: self.id, entrypoints: &entrypoints, most, lease: self.lease };
        self.queue.dequeue(&fetch).await.unwrap()
    }

    /// The ids of what [`take`](Self::take) gives.
    pub async fn take_ids(&self, entrypoints: &[&str], most: i32) -> Vec<i64> {
        self.take(entrypoints, most).await.iter().map(|job| job.id).collect()
    }

    /// Claims the one job that can be claimed.
    pub async fn take_one(&self, entrypoint: &str) -> Job {
        let mut jobs = self.take(&[entrypoint], 2).await;
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        jobs.remove(0)
    }

    /// Claims the one job that can be claimed soon.
    pub async fn take_soon(&self, entrypoint: &str) -> Job {
        eventually("a job can be claimed", async || self.take(&[entrypoint], 1).await.pop()).await
    }

    /// Ends a claim. Whether that took effect.
    pub async fn end(&self, job: &Job, end: End) -> bool {
        let ended = Ended { claim: claim(job), end };
        self.queue.finish(self.id, &[ended]).await.unwrap() == [job.id]
    }

    pub async fn complete(&self, job: &Job) -> bool {
        self.end(job, End::Complete).await
    }

    pub async fn release(&self, job: &Job) -> bool {
        self.end(job, End::Release).await
    }

    pub async fn fail(&self, job: &Job) -> bool {
        self.end(job, End::Fail(json!("it failed"))).await
    }
}

/// What names a claim.
pub fn claim(job: &Job) -> Claim {
    Claim { id: job.id, attempt: job.attempts }
}

pub fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Enqueues a job that is not skipped.
pub async fn enqueue(queue: &impl Subject, job: NewJob) -> i64 {
    queue.enqueue(job).await.unwrap().expect("it is not skipped")
}

/// Enqueues jobs of one entrypoint, without anything.
pub async fn enqueue_plain(queue: &impl Subject, entrypoint: &str, count: usize) -> Vec<i64> {
    let jobs = vec![NewJob::new(entrypoint); count];
    queue.enqueue_many(jobs).await.unwrap().into_iter().flatten().collect()
}

pub async fn configure(queue: &impl Subject, entrypoint: &str, settings: Settings) {
    queue.configure(entrypoint, settings).await.unwrap();
}

/// Enqueues a job of an entrypoint and sees that it is held as failed.
pub async fn enqueue_failed(queue: &impl Subject, job: NewJob, entrypoint: &str) -> i64 {
    let (id, hand) = (enqueue(queue, job).await, hand(queue));
    let job = hand.take_one(entrypoint).await;
    assert_eq!(job.id, id);
    assert!(hand.end(&job, End::Hold(json!("given up"))).await);
    id
}

/// What is known of one job.
pub async fn status(queue: &impl Subject, id: i64) -> JobStatus {
    let mut known = queue.status(&[id]).await.unwrap();
    assert_eq!(known.len(), 1, "job {id} is known");
    known.remove(0)
}

/// What jobs are, or how they ended, ordered by id.
pub async fn statuses(queue: &impl Subject, ids: &[i64]) -> Vec<Status> {
    queue.status(ids).await.unwrap().iter().map(|job| job.status).collect()
}

/// One live job.
pub async fn live(queue: &impl Subject, id: i64) -> LiveJob {
    queue.live_jobs().await.unwrap().into_iter().find(|job| job.id == id).expect("it lives")
}

/// What the log says of a job: attempt, outcome, error; the oldest first.
pub async fn log(queue: &impl Subject, id: i64) -> Vec<(i32, Status, Option<Value>)> {
    let ends = queue.logged_ends().await.unwrap().into_iter().filter(|end| end.job_id == id);
    ends.map(|end| (end.attempts, end.outcome, end.error)).collect()
}

pub fn sorted(mut ids: Vec<i64>) -> Vec<i64> {
    ids.sort_unstable();
    ids
}

/// Sees that a call was refused: with this SQLSTATE, and a message that begins so.
pub fn refused<T: std::fmt::Debug>(answer: Result<T, Error>, sqlstate: &str, message: &str) {
    match answer {
        Err(Error::Refused(refusal)) => {
            assert_eq!(refusal.sqlstate, sqlstate, "{refusal:?}");
            assert!(refusal.message.starts_with(message), "{:?} does not begin with {message:?}", refusal.message);
        }
        other => panic!("not refused: {other:?}"),
    }
}

/// Looks until there is something to see.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Awaits what must come.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

/// What a worker hears; none where this queue can only be polled, and then there is nothing to be seen.
pub async fn signals(queue: &impl Subject, worker: Uuid, entrypoints: &[&str]) -> Option<Box<dyn Signals>> {
    queue.signals(worker, &names(entrypoints)).await.unwrap()
}
