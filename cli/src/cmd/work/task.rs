//! One attempt at a job, whatever does it: what it is told, what cuts it short, what is reported of it.

use super::ending::Ending;
use super::http::Post;
use super::program::Program;
use super::report::{Ended, Report};
use pgqueuer_client::{Context, Job, Outcome};
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// What does the work.
pub enum Doer {
    Program(Program),
    Http(Box<Post>),
}

/// Runs every job of a worker.
pub struct Task {
    pub doer: Doer,
    /// Stands before every entrypoint in the queue.
    pub prefix: String,
    pub timeout: Option<Duration>,
    pub ending: Arc<Ending>,
    pub report: Arc<Report>,
    /// How many jobs may still be begun.
    pub left: Option<AtomicU64>,
}

/// A job, without its payload, and what it is told beside that.
pub struct Told<'a> {
    pub job: &'a Job,
    /// Without the prefix.
    pub entrypoint: &'a str,
    pub worker: &'a str,
}

/// Why an attempt does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    TimedOut(Duration),
    /// The job was canceled, or its claim lost: nobody hears what comes of it.
    Canceled,
    Shutdown,
}

/// What may cut an attempt short.
pub struct Limits<'a> {
    pub timeout: Option<Duration>,
    begun: Instant,
    canceled: &'a CancellationToken,
    pub ending: &'a Ending,
}

impl Limits<'_> {
    pub async fn cut(&self) -> Cut {
        let time_is_up = async {
            match self.timeout.and_then(|timeout| Some((timeout, self.begun.checked_add(timeout)?))) {
                Some((timeout, at)) => {
                    sleep_until(at).await;
                    timeout
                }
                None => pending().await,
            }
        };
        tokio::select! {
            () = self.canceled.cancelled() => Cut::Canceled,
            () = self.ending.deadline.cancelled() => Cut::Shutdown,
            after = time_is_up => Cut::TimedOut(after),
        }
    }

    /// Whether the worker is told to stop within so long.
    pub async fn stops_within(&self, patience: Duration) -> bool {
        timeout(patience, self.ending.stop.cancelled()).await.is_ok()
    }
}

impl Task {
    pub async fn attempt(&self, mut context: Context) -> Outcome {
        if !self.may_begin() {
            return Outcome::Release;
        }
        self.report.begun();
        let payload = context.job.payload.take();
        let (job, worker) = (&context.job, context.worker.to_string());
        let entrypoint = job.entrypoint.strip_prefix(&self.prefix).unwrap_or(&job.entrypoint);
        let told = Told { job, entrypoint, worker: &worker };
        let begun = Instant::now();
        let limits = Limits { timeout: self.timeout, begun, canceled: &context.canceled, ending: &self.ending };
        let outcome = match &self.doer {
            Doer::Program(program) => program.run(&told, payload.unwrap_or_default(), &limits).await,
            Doer::Http(post) => post.run(&told, payload.unwrap_or_default(), &limits).await,
        };
        let (canceled, ran) = (context.canceled.is_cancelled(), begun.elapsed());
        let ended = Ended { job, entrypoint, outcome: &outcome, canceled, ran };
        self.report.ended(ended, &self.ending.deadline).await;
        outcome
    }

    /// Counts jobs where only so many may be begun; the last one stops the worker, and what it has claimed beyond that is
    /// given back.
    fn may_begin(&self) -> bool {
        let Some(left) = &self.left else { return true };
        match left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)) {
            Ok(before) => {
                if before == 1 {
                    self.ending.stop.cancel();
                }
                true
            }
            Err(_) => false,
        }
    }
}
