//! The queue without a server. It keeps the contract of the functions in SQL, errors included.
//!
//! - this file    [`Memory`], and its clock
//! - `traits`     what it can do, by the names of the functions in SQL
//! - `state`      everything it knows: one struct behind one lock, and the indexes over the jobs
//! - `row`        a live job
//! - `queue`      an entrypoint: its settings, and its jobs that could be handed out
//! - `enqueue`    jobs come
//! - `worker`     jobs are claimed, and released where their worker is lost
//! - `finish`     claims end
//! - `control`    what an administrator does to jobs
//! - `tick`       schedules
//! - `time`       what time brings about
//! - `wait`       who waits is told
//! - `log`        what became of attempts and jobs
//! - `check`      what arguments must be
//! - `clock`      microseconds, by a clock that runs or by one that stands

mod check;
mod clock;
mod control;
mod enqueue;
mod finish;
mod log;
mod queue;
mod row;
mod state;
mod tick;
mod time;
mod traits;
mod wait;
mod worker;

use crate::testing::{LiveJob, LoggedEnd};
use chrono::{DateTime, Utc};
use clock::{Clock, date_of, time_of};
use state::State;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// A queue without a server, for unit tests and prototypes: priorities, deferral, dedupe and ordering keys, limits, retries,
/// leases and schedules by the same rules as [`Postgres`](crate::Postgres), with the same errors.
///
/// Clones share the queue. It ends with the last of them: nothing is written anywhere.
///
/// [`Memory::new`] goes with the machine's clock. That of [`Memory::at`] stands, until the test moves it:
///
/// ```
/// # use pgqueuer_client::{Backend, Fetch, Memory, NewJob, Producer};
/// # use std::time::Duration;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let queue = Memory::at("2030-01-01T00:00:00Z".parse()?);
/// queue.enqueue(NewJob::new("mail").delay(Duration::from_secs(3600))).await?;
///
/// let entrypoints = ["mail".to_owned()];
/// let fetch =
///     Fetch { worker: uuid::Uuid::new_v4(), entrypoints: &entrypoints, most: 10, lease: Duration::from_secs(30) };
/// assert!(queue.dequeue(&fetch).await?.is_empty());
///
/// queue.advance(Duration::from_secs(3600));
/// assert_eq!(queue.dequeue(&fetch).await?.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Memory {
    state: Arc<Mutex<State>>,
    alarm: watch::Receiver<clock::Time>,
}

impl Memory {
    /// An empty queue whose clock is that of the machine.
    ///
    /// It is tokio's clock: where a test pauses that, deferred jobs fall due as soon as everybody waits.
    pub fn new() -> Self {
        Self::with(Clock::running())
    }

    /// An empty queue whose clock stands at that time until somebody moves it: [`advance`](Self::advance).
    pub fn at(time: DateTime<Utc>) -> Self {
        Self::with(Clock::Standing(time_of(time)))
    }

    fn with(clock: Clock) -> Self {
        let state = State::new(clock);
        let alarm = state.alarm.subscribe();
        Self { state: Arc::new(Mutex::new(state)), alarm }
    }

    /// What the queue takes for now.
    pub fn now(&self) -> DateTime<Utc> {
        date_of(self.lock().now)
    }

    /// Moves the clock. Everything that falls due meanwhile takes effect in its order, each at its time: deferred jobs can
    /// be claimed, leases end, schedules tick, rates refill; who waits is told.
    ///
    /// ```
    /// # use pgqueuer_client::{Control, Memory, Schedule};
    /// # use std::time::Duration;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let queue = Memory::at("2030-01-01T00:00:00Z".parse()?);
    /// queue.schedule(Schedule::new("report", "30 6 * * *").timezone("Europe/Berlin").overlap(true)).await?;
    /// queue.advance(Duration::from_secs(2 * 86_400));
    /// let ticks: Vec<_> = queue.jobs().iter().map(|job| job.headers["scheduled_at"].clone()).collect();
    /// assert_eq!(ticks, ["2030-01-01T05:30:00+00:00", "2030-01-02T05:30:00+00:00"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn advance(&self, by: Duration) {
        let mut state = self.lock();
        state.clock.advance(by);
        state.settle();
        // Who sleeps has less left to sleep.
        state.alarm.send_modify(|_| {});
    }

    /// Moves the clock, as if the server were down meanwhile: ticks are missed, and [`CatchUp`](crate::CatchUp) decides
    /// what becomes of them. Who holds jobs has one lease to be heard of; a claim younger than a second is forgotten.
    pub fn outage(&self, duration: Duration) {
        self.lock().be_down(duration);
    }

    /// All live jobs, by their ids: `pgq.jobs`.
    pub fn jobs(&self) -> Vec<LiveJob> {
        self.lock().jobs.values().map(row::Row::seen).collect()
    }

    /// What became of attempts and jobs, the oldest first: `pgq.job_log` of the last seven days.
    pub fn log(&self) -> Vec<LoggedEnd> {
        self.lock().log.ends.iter().cloned().collect()
    }

    /// The state as it is now. Nobody awaits anything while holding it.
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics, and each change is complete before the next.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.settle();
        state
    }

    /// Awaits something, and sees that time takes effect meanwhile, if it passes by itself.
    async fn while_time_passes<T>(&self, event: impl Future<Output = T>) -> T {
        let mut alarm = self.alarm.clone();
        tokio::pin!(event);
        loop {
            // In this order: a clock that is moved in between is seen as a change.
            let next = *alarm.borrow_and_update();
            let clock = self.lock().clock;
            tokio::select! {
                biased;
                done = &mut event => return done,
                // The sender lives as long as this does.
                _ = alarm.changed() => {}
                () = clock.sleep_until(next) => drop(self.lock()),
            }
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("now", &self.now()).field("jobs", &self.lock().jobs.len()).finish()
    }
}
