//! Sends what came of the attempts, in batches: whatever has gathered while the last one was under way.

use super::hand::Grip;
use super::run::{Done, Life};
use crate::backend::{End, Ended};
use crate::error::{Error, Result};
use crate::outcome::Failure;
use crate::retry::Backoff;
use crate::telemetry;
use std::sync::Arc;
use tokio::sync::mpsc::Receiver;

/// How many in one batch at most.
const BATCH: usize = 1000;

impl<S: Send + Sync + 'static> Life<S> {
    /// Until all attempts of a shutdown have ended, and all that came of them is sent.
    pub(super) async fn finish(self: Arc<Self>, mut done: Receiver<Done>) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let count = tokio::select! {
                biased;
                count = done.recv_many(&mut batch, BATCH) => count,
                // An attempt is over when its result lies in the channel.
                () = self.jobs.wait() => 0,
            };
            if count == 0 && done.is_empty() {
                return;
            }
            let (grips, ended): (Vec<Grip>, Vec<Ended>) = batch.drain(..).map(with_claim).unzip();
            self.send(&grips, ended).await;
            grips.iter().for_each(|grip| self.hand.leave(grip));
            // What has ended may have freed a limit, or an ordering key.
            self.look.notify_one();
        }
    }

    /// A batch that is refused is sent one by one, so that one result does not hold up the others.
    async fn send(&self, grips: &[Grip], mut ended: Vec<Ended>) {
        if self.deliver(grips, &mut ended, |error| !error.is_transient()).await.is_ok() {
            return;
        }
        for one in ended {
            self.send_one(grips, one).await;
        }
    }

    /// An attempt of which the result cannot be kept has failed. Given back, it would come again at once, and again.
    async fn send_one(&self, grips: &[Grip], one: Ended) {
        let claim = one.claim;
        let Err(error) = self.deliver(grips, &mut vec![one], is_about_the_result).await else { return };
        tracing::error!(id = claim.id, %error, "a result is refused: the attempt has failed");
        let failure = Failure::refused(error).to_json();
        for end in [End::Fail(failure), End::Release] {
            match self.deliver(grips, &mut vec![Ended { claim, end }], is_about_the_result).await {
                Ok(()) => return,
                Err(error) => tracing::error!(id = claim.id, %error, "the claim cannot be ended"),
            }
        }
    }

    /// Tries until the queue has an answer.
    ///
    /// # Errors
    /// The queue refuses the call, in a way that `is_final`.
    async fn deliver(&self, grips: &[Grip], ended: &mut Vec<Ended>, is_final: impl Fn(&Error) -> bool) -> Result<()> {
        let mut backoff = Backoff::default();
        // Tried again, it answers of what had its effect the first time that it is not ours: that is no news.
        let mut certain = true;
        loop {
            match self.backend.finish(self.worker, ended).await {
                Ok(done) => {
                    if certain {
                        report(ended, &done);
                    }
                    return Ok(());
                }
                Err(error) if is_final(&error) => return Err(error),
                Err(error) => telemetry::call_failed("finish", &error),
            }
            certain = false;
            backoff.sleep().await;
            // Meanwhile a claim may have been lost, and the same job claimed anew in the same attempt: after a crash of the
            // server; or another job of that id, where the extension was made anew.
            let stale = self.hand.stale(grips);
            ended.retain(|ended| !stale.contains(&ended.claim.id));
        }
    }
}

/// Whether another result would be taken. What is refused whatever it says, for want of a right, of the extension or of a
/// connection, is tried until that is mended.
fn is_about_the_result(error: &Error) -> bool {
    // Data, constraints, limits, what a trigger of the user raises, internal errors.
    let of = |sqlstate: &str| ["22", "23", "54", "P0", "XX"].iter().any(|class| sqlstate.starts_with(class));
    error.sqlstate().map_or(matches!(error, Error::Answer(_) | Error::Payload(_)), of)
}

fn with_claim((grip, end): Done) -> (Grip, Ended) {
    let claim = grip.claim;
    (grip, Ended { claim, end })
}

/// Most often all of them had their effect.
fn report(ended: &[Ended], done: &[i64]) {
    if done.len() < ended.len() {
        let done: std::collections::HashSet<_> = done.iter().collect();
        for ended in ended.iter().filter(|ended| !done.contains(&ended.claim.id)) {
            tracing::debug!(id = ended.claim.id, "its claim was lost: what came of it has no effect");
        }
    }
}
