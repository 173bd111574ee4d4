//! One attempt: the handler with its timeout, its cancellation, its panic.

use super::hand::Grip;
use super::middleware::Next;
use super::panic::caught;
use super::run::Life;
use super::{Context, Entrypoint};
use crate::backend::End;
use crate::job::Job;
use crate::outcome::{Outcome, storable};
use crate::telemetry;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// The places that an attempt takes, of its entrypoint and of the worker. They become free in this order: whoever waits for one of
/// the worker's finds that of the entrypoint free, too, and does not take its turn from it.
pub(super) type Permits = (Option<OwnedSemaphorePermit>, OwnedSemaphorePermit);

impl<S: Send + Sync + 'static> Life<S> {
    /// Runs it. The permits are held until its result has found room among those to be sent.
    pub(super) async fn attempt(
        self: Arc<Self>,
        entrypoint: Arc<Entrypoint<S>>,
        job: Job,
        grip: Grip,
        permits: Permits,
    ) {
        // What panics here is not the handler itself: its error that is read, what is dropped with it, whoever hears of it.
        let end = caught(pin!(self.end_of(&entrypoint, job, &grip))).await;
        let end = end.unwrap_or_else(|panic| End::Fail(panic.to_json()));
        self.hand.over(&grip);
        if grip.canceled.is_cancelled() {
            self.hand.leave(&grip);
            drop(permits);
            // Nothing is sent that would be a reason to look.
            self.look.notify_one();
        } else if let Ok(room) = self.done.reserve().await {
            // Before the result can be sent: that is a reason to look, and what is looked for are permits.
            drop(permits);
            room.send((grip, end));
        }
    }

    async fn end_of(&self, entrypoint: &Entrypoint<S>, job: Job, grip: &Grip) -> End {
        let span = telemetry::process(&job, self.worker);
        let (begun, id) = (Instant::now(), job.id);
        let outcome = tokio::select! {
            outcome = self.outcome(entrypoint, job, grip).instrument(span.clone()) => Some(outcome),
            () = self.abort.cancelled() => None,
        };
        let (word, end) = match outcome {
            _ if grip.canceled.is_cancelled() => ("canceled", End::Release),
            Some(Outcome::Done) => ("done", End::Complete),
            Some(Outcome::Retry(delay, reason)) => ("retry", End::Retry(delay, reason.map(storable))),
            Some(Outcome::Fail(failure)) => ("fail", End::Fail(failure.to_json())),
            Some(Outcome::Hold(failure)) => ("hold", End::Hold(failure.to_json())),
            Some(Outcome::Release) | None => ("release", End::Release),
        };
        telemetry::ended(entrypoint.metrics(), &span, id, &entrypoint.name, word, begun.elapsed());
        end
    }

    async fn outcome(&self, entrypoint: &Entrypoint<S>, job: Job, grip: &Grip) -> Outcome {
        if let Some(earlier) = &grip.earlier {
            // Two handlers never work on one job in one process, even where the first does not listen to its cancellation.
            earlier.wait().await;
            if grip.canceled.is_cancelled() {
                // Lost again meanwhile: whatever comes of it is not heard.
                return Outcome::Done;
            }
        }
        let canceled = grip.canceled.child_token();
        let context = Context { job, state: self.state.clone(), worker: self.worker, canceled: canceled.clone() };
        let next = Next { handler: entrypoint.handler.clone(), around: self.around.clone(), place: 0 };
        tokio::select! {
            outcome = next.run(context) => outcome,
            outcome = time_is_up(entrypoint, &canceled) => outcome,
        }
    }
}

/// Tasks that the handler has spawned may listen to the token; the handler itself is dropped.
async fn time_is_up<S>(entrypoint: &Entrypoint<S>, canceled: &CancellationToken) -> Outcome {
    let Some(timeout) = entrypoint.timeout else { return pending().await };
    sleep(timeout).await;
    canceled.cancel();
    Outcome::fail(format!("timed out after {} s", timeout.as_secs_f64()))
}
