//! What a worker runs: handlers, and what they are given.

use crate::error::Result;
use crate::job::Job;
use crate::outcome::{BoxError, Outcome};
use crate::postgres::Session;
use async_trait::async_trait;
use std::future::Future;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Runs jobs of an entrypoint. Implemented for async functions and closures from a [`Context`] to whatever becomes an
/// [`Outcome`]: `()`, `Outcome`, or a `Result` of one of them with any error.
///
/// ```
/// # use pgqueuer_client::{BoxError, Context, Handler, Outcome};
/// async fn greet(context: Context) -> Result<(), BoxError> {
///     println!("hello {}", context.job.text()?);
///     Ok(())
/// }
///
/// struct Mailer { sender: String }
///
/// #[pgqueuer_client::async_trait]
/// impl Handler for Mailer {
///     async fn handle(&self, context: Context) -> Result<Outcome, BoxError> {
///         println!("{} writes to {}", self.sender, context.job.text()?);
///         Ok(Outcome::Done)
///     }
/// }
/// ```
#[async_trait]
pub trait Handler<S = ()>: Send + Sync + 'static {
    /// Runs one attempt. An error is [`Outcome::Fail`], and so is a panic.
    async fn handle(&self, context: Context<S>) -> Result<Outcome, BoxError>;
}

#[async_trait]
impl<S, F, R, O> Handler<S> for F
where
    S: Send + Sync + 'static,
    F: Fn(Context<S>) -> R + Send + Sync + 'static,
    R: Future<Output = O> + Send,
    O: Into<Outcome>,
{
    async fn handle(&self, context: Context<S>) -> Result<Outcome, BoxError> {
        Ok(self(context).await.into())
    }
}

/// A job, and what its handler may need beside it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Context<S = ()> {
    /// The job.
    pub job: Job,
    /// What all handlers of the worker share.
    pub state: Arc<S>,
    /// The worker's name.
    pub worker: Uuid,
    /// Canceled when the attempt is of no use any more: the job was canceled, or its claim was lost, or its time is up.
    /// What the handler says then is not heard.
    pub canceled: CancellationToken,
}

impl<S> Context<S> {
    /// Completes the job in a transaction of yours (`pgq.complete`): it is done exactly if that commits, together with what
    /// else is in it. False where the claim was lost: then roll back. From the commit on the worker does not hold the job
    /// any more, and what the handler says is not heard.
    ///
    /// ```no_run
    /// # use pgqueuer_client::{BoxError, Context};
    /// # struct App { pool: deadpool_postgres::Pool }
    /// async fn pay(context: Context<App>) -> Result<(), BoxError> {
    ///     let mut client = context.state.pool.get().await?;
    ///     let transaction = client.transaction().await?;
    ///     transaction.execute("UPDATE account SET balance = balance - 1", &[]).await?;
    ///     if context.complete_in(&transaction).await? {
    ///         transaction.commit().await?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn complete_in(&self, transaction: &impl Session) -> Result<bool> {
        crate::postgres::complete(transaction, self.worker, &self.job).await
    }
}
