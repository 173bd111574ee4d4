//! What runs around handlers.

use super::handler::{Context, Handler};
use super::panic::caught;
use crate::outcome::Outcome;
use async_trait::async_trait;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

/// Runs around each attempt: to measure, to log, to lock, to replace the handler altogether. Implemented for async functions
/// and closures from a [`Context`] and the [`Next`] to an [`Outcome`].
///
/// ```
/// # use pgqueuer_client::{Context, Next, Outcome};
/// async fn timed(context: Context, next: Next) -> Outcome {
///     let begun = std::time::Instant::now();
///     let entrypoint = context.job.entrypoint.clone();
///     let outcome = next.run(context).await;
///     println!("{entrypoint}: {outcome:?} after {:?}", begun.elapsed());
///     outcome
/// }
/// ```
#[async_trait]
pub trait Middleware<S = ()>: Send + Sync + 'static {
    /// Runs one attempt, most often by [`Next::run`]. What it returns becomes of the job.
    async fn around(&self, context: Context<S>, next: Next<S>) -> Outcome;
}

#[async_trait]
impl<S, F, R> Middleware<S> for F
where
    S: Send + Sync + 'static,
    F: Fn(Context<S>, Next<S>) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send,
{
    async fn around(&self, context: Context<S>, next: Next<S>) -> Outcome {
        self(context, next).await
    }
}

/// What a middleware runs around: the middleware after it, and at last the handler.
pub struct Next<S = ()> {
    pub(super) handler: Arc<dyn Handler<S>>,
    pub(super) around: Arc<[Arc<dyn Middleware<S>>]>,
    /// How many of them are around it already.
    pub(super) place: usize,
}

impl<S: Send + Sync + 'static> Next<S> {
    /// Runs the rest. A panic in it comes back as [`Outcome::Fail`].
    pub async fn run(mut self, context: Context<S>) -> Outcome {
        let Some(middleware) = self.around.get(self.place).cloned() else {
            let outcome = caught(pin!(self.handler.handle(context))).await;
            return outcome.unwrap_or_else(|panic| Ok(Outcome::Fail(panic))).into();
        };
        self.place += 1;
        caught(pin!(middleware.around(context, self))).await.unwrap_or_else(Outcome::Fail)
    }
}
