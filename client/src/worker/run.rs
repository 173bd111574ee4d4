//! One life of a worker, from its start to its shutdown.

use super::hand::{Grip, Hand};
use super::panic::keep_backtraces;
use super::{Entrypoint, Middleware, Options, Worker};
use crate::backend::{Backend, End};
use crate::error::Result;
use crate::retry::Backoff;
use crate::telemetry;
use std::collections::HashMap;
use std::future::{Future, pending};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::JoinError;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use uuid::Uuid;

/// How long the last results are tried to be sent, at least.
const LAST_RESULTS: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Forever,
    Drain,
}

/// An attempt that is over, and how.
pub(super) type Done = (Grip, End);

/// One life of a worker.
pub(super) struct Run<S> {
    life: Arc<Life<S>>,
    done: mpsc::Receiver<Done>,
}

/// What its tasks share.
pub(super) struct Life<S> {
    pub backend: Arc<dyn Backend>,
    /// A new name for each life: the claims of an earlier one are not mistaken for ours.
    pub worker: Uuid,
    pub state: Arc<S>,
    pub entrypoints: HashMap<String, Arc<Entrypoint<S>>>,
    pub around: Arc<[Arc<dyn Middleware<S>>]>,
    pub options: Options,
    pub mode: Mode,
    pub hand: Hand,
    pub permits: Arc<Semaphore>,
    /// There may be jobs.
    pub look: Notify,
    /// A claim may be lost, or about to be.
    pub beat_now: Notify,
    /// Whether notifications come.
    pub listens: AtomicBool,
    /// Whether the queue has heard of us within the lease.
    pub alive: watch::Sender<bool>,
    pub jobs: TaskTracker,
    /// Ends the handlers that still run when the shutdown has waited long enough.
    pub abort: CancellationToken,
    pub done: mpsc::Sender<Done>,
}

impl<S: Send + Sync + 'static> Run<S> {
    pub(super) fn new(worker: &Worker<S>, mode: Mode) -> Self {
        keep_backtraces();
        let options = worker.options.clone();
        // As many results as permits: a handler that has ended keeps its permit until the result has found room.
        let (sender, done) = mpsc::channel(options.concurrency);
        let life = Life {
            backend: worker.backend.clone(),
            worker: Uuid::new_v4(),
            state: worker.state.clone(),
            entrypoints: worker.entrypoints.clone(),
            around: worker.around.clone(),
            mode,
            hand: Hand::default(),
            permits: Arc::new(Semaphore::new(options.concurrency)),
            look: Notify::new(),
            beat_now: Notify::new(),
            listens: AtomicBool::new(false),
            alive: watch::channel(true).0,
            jobs: TaskTracker::new(),
            abort: CancellationToken::new(),
            done: sender,
            options,
        };
        Self { life: Arc::new(life), done }
    }

    /// Works until `shutdown`, or until the queue is drained.
    pub(super) async fn until(self, shutdown: impl Future<Output = ()> + Send) -> Result<()> {
        let Self { life, done } = self;
        let stop = CancellationToken::new();
        let shutdown = async {
            shutdown.await;
            stop.cancel();
            pending::<()>().await;
        };
        tokio::select! {
            answer = life.work(done, &stop) => answer,
            () = shutdown => Ok(()),
        }
    }
}

impl<S: Send + Sync + 'static> Life<S> {
    /// The tasks end with this future: whoever drops it is left with claims, which end with the connection.
    async fn work(self: Arc<Self>, done: mpsc::Receiver<Done>, stop: &CancellationToken) -> Result<()> {
        if !self.begin(stop).await? {
            return Ok(());
        }
        tracing::info!(worker = %self.worker, entrypoints = ?self.entrypoints.keys(), "working");
        let _signal = AbortOnDropHandle::new(tokio::spawn(self.clone().signal()));
        let mut heartbeat = AbortOnDropHandle::new(tokio::spawn(self.clone().beat()));
        let mut finished = AbortOnDropHandle::new(tokio::spawn(self.clone().finish(done)));
        let _abort = self.abort.clone().drop_guard();
        let answer = tokio::select! {
            answer = self.clone().fetch(stop) => answer,
            // Neither ends by itself. Without them claims would be held for ever, and nobody would know.
            ended = &mut heartbeat => passed_on(ended).await,
            ended = &mut finished => passed_on(ended).await,
        };
        self.settle(finished).await;
        tracing::info!(worker = %self.worker, "stopped");
        answer
    }

    /// Whether the queue answers, which shows what is wrong for good. False where there is a shutdown first.
    async fn begin(&self, stop: &CancellationToken) -> Result<bool> {
        let mut backoff = Backoff::default();
        loop {
            let answer = tokio::select! {
                answer = self.backend.heartbeat(self.worker, self.options.lease, &[]) => answer,
                () = stop.cancelled() => return Ok(false),
            };
            match answer {
                Ok(_) => return Ok(true),
                Err(error) if error.is_transient() => telemetry::call_failed("heartbeat", &error),
                Err(error) => return Err(error),
            }
            tokio::select! {
                () = backoff.sleep() => {}
                () = stop.cancelled() => return Ok(false),
            }
        }
    }

    /// Nothing more is claimed. Waits for what runs, gives back what runs too long, and sends what came of all.
    async fn settle(&self, finished: AbortOnDropHandle<()>) {
        self.jobs.close();
        let begun = tokio::time::Instant::now();
        if timeout(self.options.shutdown_timeout, self.jobs.wait()).await.is_err() {
            tracing::warn!(jobs = self.jobs.len(), "jobs still run: they are given back");
            self.abort.cancel();
        }
        // Whoever finishes waits for the attempts, too. Where the queue is away, or a handler blocks its thread, all of them
        // get as long as the handlers had, and a moment.
        let left = self.options.shutdown_timeout.saturating_sub(begun.elapsed()).max(LAST_RESULTS);
        if timeout(left, finished).await.is_err() {
            let (jobs, blocked) = (self.hand.claims().len(), self.jobs.len());
            tracing::warn!(jobs, blocked, "not all claims could be ended: the queue releases them");
        }
    }
}

/// The panic of a task, in whoever waits for it.
async fn passed_on(ended: std::result::Result<(), JoinError>) -> Result<()> {
    if let Err(Ok(panic)) = ended.map_err(JoinError::try_into_panic) {
        resume_unwind(panic);
    }
    // The runtime ends, and this with it.
    pending().await
}
