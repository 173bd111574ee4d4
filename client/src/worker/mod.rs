//! A worker: claims jobs, runs them, and says how they ended.
//!
//! ```text
//! signal ─▶ fetch ─▶ attempt ─▶ finish        heartbeat keeps the claims, and tells which are lost
//!             ▲         │         │
//!             └─────────┴─────────┘           a free permit, and a finished batch, are reasons to fetch
//! ```
//!
//! - [`handler`]    what the user gives
//! - [`middleware`] what runs around it
//! - [`builder`]    options, checked
//! - [`run`]        from start to shutdown
//! - [`signal`]     hears of jobs and cancellations; looks by the clock where it cannot listen
//! - [`fetch`]      claims as many as there are permits
//! - [`attempt`]    one job: timeout, cancellation, panic
//! - [`finish`]     sends what came of them, in batches
//! - [`heartbeat`]  says that the worker lives; learns what is lost
//! - [`hand`]       the claims in hand
//! - [`panic`]      panics, with their backtrace

mod attempt;
mod builder;
mod fetch;
mod finish;
mod hand;
mod handler;
mod heartbeat;
mod middleware;
mod panic;
mod run;
mod signal;

use crate::backend::Backend;
use crate::error::Result;
use crate::telemetry::Metrics;
use run::{Mode, Run};
use std::collections::HashMap;
use std::fmt;
use std::future::{Future, pending};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;

pub use builder::WorkerBuilder;
pub use handler::{Context, Handler};
pub use middleware::{Middleware, Next};

/// Claims jobs of some entrypoints, runs them, and says how they ended.
///
/// ```no_run
/// # use pgqueuer_client::{BoxError, Context, Postgres, Worker};
/// async fn fetch(context: Context) -> Result<(), BoxError> {
///     println!("fetching {}", context.job.text()?);
///     Ok(())
/// }
///
/// # async fn work() -> Result<(), pgqueuer_client::Error> {
/// let queue = Postgres::new("postgres://app@127.0.0.1/shop")?;
/// let worker = Worker::builder(queue).entrypoint("fetch", fetch).concurrency(50).build()?;
/// worker.run(async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await
/// # }
/// ```
///
/// While the server restarts, fails over or cannot be reached, it waits, with growing delay, and goes on. Jobs whose claims
/// were lost meanwhile are canceled here ([`Context::canceled`]), and a job that comes back while its handler still runs
/// starts when that has ended.
pub struct Worker<S = ()> {
    backend: Arc<dyn Backend>,
    state: Arc<S>,
    entrypoints: HashMap<String, Arc<Entrypoint<S>>>,
    around: Arc<[Arc<dyn Middleware<S>>]>,
    options: Options,
}

/// An entrypoint, its handler, and limits of this process. Limits over all workers are
/// [`Settings`](crate::Settings).
///
/// ```
/// # use pgqueuer_client::{Context, Entrypoint, Memory, Worker};
/// # use std::time::Duration;
/// # fn main() -> Result<(), pgqueuer_client::Error> {
/// async fn thumbnail(_: Context) {}
///
/// let entrypoint = Entrypoint::new("thumbnail", thumbnail).concurrency(2).timeout(Duration::from_secs(30));
/// let worker = Worker::builder(Memory::new()).register(entrypoint).build()?;
/// # Ok(())
/// # }
/// ```
pub struct Entrypoint<S = ()> {
    name: String,
    handler: Arc<dyn Handler<S>>,
    permits: Option<Arc<Semaphore>>,
    timeout: Option<Duration>,
    /// From its first job on.
    metrics: OnceLock<Metrics>,
}

#[derive(Debug, Clone)]
struct Options {
    concurrency: usize,
    lease: Duration,
    shutdown_timeout: Duration,
    poll_interval: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let (lease, shutdown_timeout) = (Duration::from_secs(30), Duration::from_secs(30));
        Self { concurrency: 10, lease, shutdown_timeout, poll_interval: Duration::from_secs(1) }
    }
}

impl Worker {
    /// A worker whose handlers share nothing.
    pub fn builder(backend: impl Backend) -> WorkerBuilder {
        WorkerBuilder::new(Arc::new(backend), Arc::new(()))
    }
}

impl<S: Send + Sync + 'static> Worker<S> {
    /// A worker whose handlers share `state`: connections, settings, clients of other services.
    pub fn with_state(backend: impl Backend, state: S) -> WorkerBuilder<S> {
        WorkerBuilder::new(Arc::new(backend), Arc::new(state))
    }

    /// Works until `shutdown` is ready: then it claims nothing more, waits for what runs, and gives the rest back. A worker
    /// can be run again.
    ///
    /// # Errors
    /// What makes it useless from the start: no such database, no right, no extension. A server that cannot be reached is
    /// waited for.
    pub async fn run(&self, shutdown: impl Future<Output = ()> + Send) -> Result<()> {
        Run::new(self, Mode::Forever).until(shutdown).await
    }

    /// Works until no job of its entrypoints is queued, and all that it claimed have ended. Deferred jobs and retries are
    /// waited for, and so are those of a paused entrypoint: put it into `tokio::time::timeout`, or into a `select!`.
    ///
    /// ```
    /// # use pgqueuer_client::{BoxError, Context, Memory, NewJob, Producer, Worker};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), pgqueuer_client::BoxError> {
    /// # let queue = Memory::at("2030-01-01T00:00:00Z".parse()?);
    /// async fn fetch(context: Context) -> Result<(), BoxError> {
    ///     println!("fetching {}", context.job.text()?);
    ///     Ok(())
    /// }
    /// queue.enqueue(NewJob::new("fetch").payload("https://example.org")).await?;
    /// Worker::builder(queue.clone()).entrypoint("fetch", fetch).build()?.drain().await?;
    /// assert!(queue.jobs().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn drain(&self) -> Result<()> {
        self.drain_until(pending()).await
    }

    /// The same, or until `shutdown` is ready, as [`run`](Self::run) does.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn drain_until(&self, shutdown: impl Future<Output = ()> + Send) -> Result<()> {
        Run::new(self, Mode::Drain).until(shutdown).await
    }
}

impl<S> Entrypoint<S> {
    /// An entrypoint (1 to 255 bytes) and what runs its jobs.
    pub fn new(name: impl Into<String>, handler: impl Handler<S>) -> Self {
        let metrics = OnceLock::new();
        Self { name: name.into(), handler: Arc::new(handler), permits: None, timeout: None, metrics }
    }

    fn metrics(&self) -> &Metrics {
        self.metrics.get_or_init(|| Metrics::of(&self.name))
    }

    /// How many of its jobs run at one time in this process, at least 1; as many as the worker allows if not given.
    #[must_use]
    pub fn concurrency(mut self, jobs: usize) -> Self {
        self.permits = Some(Arc::new(Semaphore::new(jobs.min(Semaphore::MAX_PERMITS))));
        self
    }

    /// How long an attempt may take. Then it is dropped, and has failed.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl<S> fmt::Debug for Worker<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entrypoints: Vec<_> = self.entrypoints.keys().collect();
        f.debug_struct("Worker")
            .field("entrypoints", &entrypoints)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
