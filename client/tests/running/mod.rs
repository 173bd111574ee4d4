//! A worker that works in a runtime of its own while the test looks on, and what the test sees of its jobs.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use pgqueuer_client::{Backend, Context, Postgres, Result, Worker, WorkerBuilder};
use pgqueuer_e2e::cluster::Database;
use pgqueuer_e2e::until::until;
use postgres::Client;
use serde_json::Value;
use std::future::Future;
use std::sync::mpsc::Sender;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a worker may take that has been told to stop, whatever it does.
const PATIENCE: Duration = Duration::from_secs(60);

/// A worker that works.
pub struct Running {
    runtime: Runtime,
    stop: CancellationToken,
    run: JoinHandle<Result<()>>,
}

impl Running {
    /// Runs it until it is stopped.
    pub fn start<S: Send + Sync + 'static>(worker: Worker<S>) -> Self {
        let stop = CancellationToken::new();
        let token = stop.clone().cancelled_owned();
        Self::spawn(stop, async move { worker.run(token).await })
    }

    /// Runs it until the queue is empty, or until it is stopped.
    pub fn drain<S: Send + Sync + 'static>(worker: Worker<S>) -> Self {
        let stop = CancellationToken::new();
        let token = stop.clone().cancelled_owned();
        Self::spawn(stop, async move { worker.drain_until(token).await })
    }

    fn spawn(stop: CancellationToken, run: impl Future<Output = Result<()>> + Send + 'static) -> Self {
        let runtime = Runtime::new().unwrap();
        // A test that waits for what such a worker would have done learns here why it does not.
        let run = runtime.spawn(async move { run.await.inspect_err(|error| println!("the worker ended: {error:?}")) });
        Self { runtime, stop, run }
    }

    /// Asks it to stop.
    pub fn ask_to_stop(&self) {
        self.stop.cancel();
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.run.is_finished()
    }

    /// Waits for its end.
    pub fn answer(self) -> Result<()> {
        let Self { runtime, run, .. } = self;
        let in_time = runtime.block_on(async { tokio::time::timeout(PATIENCE, run).await });
        in_time.expect("the worker ends in time").expect("the worker does not panic")
    }

    /// Stops it, and waits for its end.
    pub fn stop(self) -> Result<()> {
        self.ask_to_stop();
        self.answer()
    }

    /// Drops the future in the middle of its work. Its runtime goes on.
    pub fn abandon(self) -> Runtime {
        self.run.abort();
        until("the future is dropped", || self.run.is_finished().then_some(()));
        self.runtime
    }
}

/// The queue in a database.
pub fn queue(database: &Database) -> Postgres {
    Postgres::new(&database.address()).unwrap()
}

/// A worker of which the handlers share `sender`, to tell the test what they see.
pub fn telling<T: Send + 'static>(backend: impl Backend, sender: Sender<T>) -> WorkerBuilder<Tell<T>> {
    Worker::with_state(backend, Tell(std::sync::Mutex::new(sender)))
}

/// Where handlers tell a test what they see.
pub struct Tell<T>(std::sync::Mutex<Sender<T>>);

impl<T> Tell<T> {
    pub fn tell(&self, what: T) {
        // A test that has ended does not listen.
        self.0.lock().unwrap().send(what).ok();
    }
}

/// A handler that tells of its job, and lasts until it is canceled.
pub async fn until_canceled(context: Context<Tell<Event>>) {
    let (id, state) = (context.job.id, context.state);
    state.tell(Event::Begun(id));
    context.canceled.cancelled().await;
    state.tell(Event::Canceled(id));
}

/// What a handler lives through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Begun(i64),
    Canceled(i64),
    Ended(i64),
    Dropped(i64),
}

/// A row of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    pub outcome: String,
    pub attempts: i32,
    pub error: Value,
}

impl Logged {
    /// A field of the error that is a text; empty where there is none.
    pub fn text(&self, field: &str) -> &str {
        self.error[field].as_str().unwrap_or_default()
    }
}

/// What the log says of a job, in the order of its attempts.
#[track_caller]
pub fn log_of(session: &mut Client, id: i64) -> Vec<Logged> {
    let sql = "SELECT outcome::text, attempts, error FROM pgq.job_log WHERE job_id = $1 ORDER BY attempts, finished";
    let rows = session.query(sql, &[&id]).unwrap();
    let logged = |row: &postgres::Row| Logged {
        outcome: row.get(0),
        attempts: row.get(1),
        error: row.get::<_, Option<Value>>(2).unwrap_or_default(),
    };
    rows.iter().map(logged).collect()
}

/// The one row of the log of a job, once it is there.
#[track_caller]
pub fn only_logged(session: &mut Client, id: i64) -> Logged {
    let mut log = until("an attempt is logged", || Some(log_of(session, id)).filter(|log| !log.is_empty()));
    assert_eq!(log.len(), 1, "{log:?}");
    log.remove(0)
}

/// Waits until a job's log is these outcomes.
#[track_caller]
pub fn until_logged(session: &mut Client, id: i64, outcomes: &[&str]) -> Vec<Logged> {
    let mut seen = vec![];
    let what = format!("the log of {id} is {outcomes:?}");
    until(&what, || {
        seen = log_of(session, id);
        seen.iter().map(|logged| logged.outcome.as_str()).eq(outcomes.iter().copied()).then_some(())
    });
    seen
}
