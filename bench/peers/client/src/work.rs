//! Working, counted.

use crate::Outcome;
use crate::protocol::{Progress, wait_for_go};
use futures_util::future::try_join_all;
use pgqueuer_client::{BoxError, Context, Postgres, Worker};
use serde::Deserialize;
use std::future::pending;
use std::sync::Arc;

#[derive(Deserialize)]
pub struct Work {
    dsn: String,
    /// Each with connections of its own, as if it were alone in its process.
    #[serde(default = "one")]
    workers: usize,
    concurrency: usize,
    /// How many jobs there are.
    expect: Option<u64>,
    /// Whether to tell when each job started.
    #[serde(default)]
    log: bool,
}

const fn one() -> usize {
    1
}

/// Ends with the process.
pub async fn work(options: Work) -> Outcome {
    let progress = Arc::new(Progress::new(options.expect, options.log));
    wait_for_go().await?;
    let workers = (0..options.workers).map(|_| {
        let queue = Postgres::new(&options.dsn)?;
        let worker = Worker::with_state(queue, progress.clone());
        let worker = worker.entrypoint("bench", handle).concurrency(options.concurrency).build()?;
        Ok(tokio::spawn(async move { worker.run(pending()).await }))
    });
    let workers = workers.collect::<Outcome<Vec<_>>>()?;
    tokio::select! {
        end = progress.keep_telling() => end,
        ended = try_join_all(workers) => Ok(ended?.into_iter().collect::<Result<(), _>>()?),
    }
}

async fn handle(context: Context<Arc<Progress>>) -> Result<(), BoxError> {
    #[derive(Deserialize)]
    struct Payload {
        s: u64,
    }
    if context.state.wants_starts() {
        context.state.started(context.job.json::<Payload>()?.s);
    }
    context.state.handled()
}
