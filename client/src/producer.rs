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
    /// ```
    /// # use pgqueuer_client::{Memory, NewJob, OnConflict, Producer};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), pgqueuer_client::BoxError> {
    /// # let queue = Memory::at("2030-01-01T00:00:00Z".parse()?);
    /// let job = NewJob::new("mail").json(&7)?.dedupe_key("welcome-7");
    /// assert!(queue.enqueue(job.clone()).await?.is_some());
    /// assert!(queue.enqueue(job.clone()).await.is_err_and(|error| error.is_duplicate()));
    /// assert_eq!(queue.enqueue(job.on_conflict(OnConflict::Skip)).await?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Refused`](crate::Error::Refused) with `22023` for a bad argument, `23505` for a dedupe key that lives.
    async fn enqueue(&self, job: NewJob) -> Result<Option<i64>>;

    /// Enqueues many in one statement (`pgq.enqueue_many`), all or none. Returns an id for each, in order; `None` where
    /// it was skipped.
    ///
    /// ```
    /// # use pgqueuer_client::{Memory, NewJob, OnConflict, Producer};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), pgqueuer_client::BoxError> {
    /// # let queue = Memory::at("2030-01-01T00:00:00Z".parse()?);
    /// let jobs = (1..=3).map(|page| NewJob::new("fetch").payload(format!("page {page}"))).collect();
    /// assert_eq!(queue.enqueue_many(jobs).await?, [Some(1), Some(2), Some(3)]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`enqueue`](Self::enqueue); [`Error::Option`](crate::Error::Option) where the jobs do not agree in
    /// [`on_conflict`](NewJob::on_conflict).
    async fn enqueue_many(&self, jobs: Vec<NewJob>) -> Result<Vec<Option<i64>>>;

    /// What live and ended jobs are (`pgq.status`), ordered by id. Unknown ones are left out.
    ///
    /// ```
    /// # use pgqueuer_client::{Memory, NewJob, Producer, Status};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), pgqueuer_client::BoxError> {
    /// # let queue = Memory::at("2030-01-01T00:00:00Z".parse()?);
    /// queue.enqueue(NewJob::new("fetch")).await?;
    /// let [job] = &queue.status(&[1, 2]).await?[..] else { panic!("2 is not known") };
    /// assert_eq!((job.id, job.status), (1, Status::Queued));
    /// # Ok(())
    /// # }
    /// ```
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
    /// ```
    /// # use pgqueuer_client::{BoxError, Completion, Context, Memory, NewJob, Producer, Status, Worker};
    /// # async fn fetch(_: Context) {}
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), pgqueuer_client::BoxError> {
    /// # let queue = Memory::at("2030-01-01T00:00:00Z".parse()?);
    /// let id = queue.enqueue(NewJob::new("fetch")).await?.ok_or("skipped")?;
    /// let worker = Worker::builder(queue.clone()).entrypoint("fetch", fetch).build()?;
    /// # let work = tokio::spawn(async move { worker.drain().await });
    /// let ended = queue.wait_for(&[id]).await?;
    /// assert_eq!(ended[0].status, Status::Successful);
    /// # work.await??;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of the connection.
    async fn wait_for(&self, ids: &[i64]) -> Result<Vec<JobStatus>>;

    /// Each of these jobs when it ends, the first one first.
    ///
    /// ```
    /// # use futures_util::TryStreamExt;
    /// # use pgqueuer_client::{BoxError, Completion, Context, Memory, NewJob, Producer, Status, Worker};
    /// # async fn fetch(_: Context) {}
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), pgqueuer_client::BoxError> {
    /// # let queue = Memory::at("2030-01-01T00:00:00Z".parse()?);
    /// let ids = queue.enqueue_many(vec![NewJob::new("fetch"), NewJob::new("fetch").priority(1)]).await?;
    /// let ids: Vec<i64> = ids.into_iter().flatten().collect();
    /// let worker = Worker::builder(queue.clone()).entrypoint("fetch", fetch).concurrency(1).build()?;
    /// worker.drain().await?;
    /// let mut completions = queue.completions(&ids);
    /// while let Some(job) = completions.try_next().await? {
    ///     println!("{} is {:?}", job.id, job.status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    fn completions(&self, ids: &[i64]) -> BoxStream<'_, Result<JobStatus>>;
}
