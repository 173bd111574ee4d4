//! Waiting for the end of jobs: `CALL pgq.wait_for`, on a connection of its own.

use super::Postgres;
use super::connect::{Connect, Connection};
use super::session::{Session, only};
use super::statement::{self, Statement};
use crate::error::Result;
use crate::job::JobStatus;
use crate::producer::{Completion, Producer};
use crate::retry::Backoff;
use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio_postgres::types::Type;

/// How long one call waits. Whoever vanishes without a word blocks its session for so long.
const ONE_CALL: Duration = Duration::from_secs(30);

#[async_trait]
impl Completion for Postgres {
    async fn wait_for(&self, ids: &[i64]) -> Result<Vec<JobStatus>> {
        Wait::new(self).until(&statement::WAIT_FOR, ids).await?;
        self.status(ids).await
    }

    fn completions(&self, ids: &[i64]) -> BoxStream<'_, Result<JobStatus>> {
        let begin = Pending { queue: self, wait: Wait::new(self), ids: ids.to_vec(), ended: vec![] };
        stream::try_unfold(begin, |mut pending| async move { Ok(pending.next().await?.map(|next| (next, pending))) })
            .boxed()
    }
}

/// The jobs of a stream that have not been handed out.
struct Pending<'a> {
    queue: &'a Postgres,
    wait: Wait,
    ids: Vec<i64>,
    /// The last one first.
    ended: Vec<JobStatus>,
}

impl Pending<'_> {
    async fn next(&mut self) -> Result<Option<JobStatus>> {
        while self.ended.is_empty() && !self.ids.is_empty() {
            self.wait.until(&statement::WAIT_FOR_ANY, &self.ids).await?;
            let known = self.queue.status(&self.ids).await?;
            // Unknown ones never end.
            self.ids.retain(|id| known.iter().any(|job| job.id == *id && !job.status.is_end()));
            self.ended = known.into_iter().filter(|job| job.status.is_end()).collect();
            self.ended.sort_by_key(|job| std::cmp::Reverse((job.finished_at, job.id)));
        }
        Ok(self.ended.pop())
    }
}

/// A connection that waits in a statement. Dropped in the middle, it cancels that.
struct Wait {
    direct: Arc<dyn Connect>,
    connection: Option<Connection>,
    waits: bool,
}

impl Wait {
    fn new(queue: &Postgres) -> Self {
        Self { direct: queue.direct.clone(), connection: None, waits: false }
    }

    /// Calls until the answer is true. A server that cannot be reached at first is an error; one that goes away later is
    /// waited for.
    async fn until(&mut self, statement: &Statement, ids: &[i64]) -> Result<()> {
        let mut backoff = Backoff::default();
        let mut connected = self.connection.is_some();
        loop {
            match self.call(statement, ids).await {
                Ok(true) => return Ok(()),
                Ok(false) => (connected, backoff) = (true, Backoff::default()),
                Err(error) => {
                    connected |= self.connection.take().is_some();
                    if !connected || !error.is_transient() {
                        return Err(error);
                    }
                    backoff.sleep().await;
                }
            }
        }
    }

    async fn call(&mut self, statement: &Statement, ids: &[i64]) -> Result<bool> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.direct.connect().await?),
        };
        self.waits = true;
        let parameters = [(&ids as _, Type::INT8_ARRAY), (&ONE_CALL.as_secs_f64() as _, Type::FLOAT8)];
        let rows = connection.client.rows(statement, &parameters).await;
        self.waits = false;
        only(&rows?)
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let (Some(connection), true, Ok(runtime)) = (self.connection.take(), self.waits, Handle::try_current()) else {
            return;
        };
        let direct = self.direct.clone();
        runtime.spawn(async move {
            direct.cancel(connection.client.cancel_token()).await;
            // Not before: pgbouncer cancels nothing of a client that has gone.
            drop(connection);
        });
    }
}
