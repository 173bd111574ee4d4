//! Enqueueing, and asking what became of it.

use crate::error::Result;
use crate::job::JobStatus;
use crate::new_job::NewJob;
use async_trait::async_trait;
use futures_util::stream::BoxStream;

/// Whoever can enqueue: a client, a pool, a transaction of either, [`Postgres`](crate::Postgres), or
/// [`Memory`](crate::Memory).
///
/// On a transaction the job exists when the transaction commits, and not at all when it rolls back:
///
/// ```no_run
/// # use pgqueuer_client::{NewJob, Producer};
/// # async fn order(client: &mut tokio_postgres::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let transaction = client.transaction().await?;
/// transaction.execute("INSERT INTO orders (id) VALUES (7)", &[]).await?;
/// transaction.enqueue(NewJob::new("mail").json(&7)?).await?;
/// transaction.commit().await?;
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Producer: Send + Sync {
    /// Enqueues a job (`pgq.enqueue`). Returns its id, or `None` where [`OnConflict`](crate::OnConflict) skipped it.
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused) with `22023` for a bad argument, `23505` for a dedupe key that lives.
    async fn enqueue(&self, job: NewJob) -> Result<Option<i64>>;

    /// Enqueues many in one statement (`pgq.enqueue_many`), all or none. Returns an id for each, in order; `None` where
    /// it was skipped.
    ///
    /// # Errors
    /// As [`enqueue`](Self::enqueue); [`Error::Option`](crate::Error::Option) where the jobs do not agree in
    /// [`on_conflict`](NewJob::on_conflict).
    async fn enqueue_many(&self, jobs: Vec<NewJob>) -> Result<Vec<Option<i64>>>;

    /// What live and ended jobs are (`pgq.status`), ordered by id. Unknown ones are left out.
    ///
    /// # Errors
    /// Only those of the connection.
    async fn status(&self, ids: &[i64]) -> Result<Vec<JobStatus>>;
}

/// Whoever can wait for jobs to end: [`Postgres`](crate::Postgres) and [`Memory`](crate::Memory). Waiting needs a
/// connection outside of any transaction.
#[async_trait]
pub trait Completion: Producer {
    /// Waits, without polling, until all of these jobs have ended (`pgq.wait_for`). Returns how, ordered by id; unknown
    /// ones are left out. To give up after some time, drop the future: `tokio::time::timeout`.
    ///
    /// # Errors
    /// Those of the connection.
    async fn wait_for(&self, ids: &[i64]) -> Result<Vec<JobStatus>>;

    /// Each of these jobs when it ends, the first one first.
    fn completions(&self, ids: &[i64]) -> BoxStream<'_, Result<JobStatus>>;
}
