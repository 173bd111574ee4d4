//! Sends what came of the attempts, in batches: whatever has gathered while the last one was under way.

use super::hand::Grip;
use super::run::{Done, Life};
use crate::backend::{End, Ended};
use crate::error::Result;
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
            self.send(&ended).await;
            grips.iter().for_each(|grip| self.hand.leave(grip));
            // What has ended may have freed a limit, or an ordering key.
            self.look.notify_one();
        }
    }

    /// A batch that is refused is sent one by one, so that one result does not hold up the others.
    async fn send(&self, ended: &[Ended]) {
        if self.deliver(ended).await.is_ok() {
            return;
        }
        for one in ended {
            if let Err(error) = self.deliver(std::slice::from_ref(one)).await {
                tracing::error!(id = one.claim.id, %error, "a result is refused: the job is given back");
                let release = Ended { claim: one.claim, end: End::Release };
                if let Err(error) = self.deliver(&[release]).await {
                    tracing::error!(id = one.claim.id, %error, "the job cannot be given back either");
                }
            }
        }
    }

    /// Tries until the queue has an answer.
    ///
    /// # Errors
    /// The queue refuses the call, for good.
    async fn deliver(&self, ended: &[Ended]) -> Result<()> {
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
                Err(error) if !error.is_transient() => return Err(error),
                Err(error) => telemetry::call_failed("finish", &error),
            }
            certain = false;
            backoff.sleep().await;
        }
    }
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
