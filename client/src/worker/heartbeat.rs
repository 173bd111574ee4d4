//! Says that the worker lives, as long as it holds something, and learns which claims are lost.

use super::run::Life;
use crate::retry::Backoff;
use crate::telemetry;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

impl<S: Send + Sync + 'static> Life<S> {
    /// Beats for ever, at a third of the lease. What was claimed is known to live for a whole one.
    pub(super) async fn beat(self: Arc<Self>) {
        let every = self.options.lease / 3;
        let mut heard = Instant::now();
        let mut backoff = Backoff::default();
        loop {
            let alive = *self.alive.borrow();
            sleep(if alive { every } else { backoff.next().min(every) }).await;
            if alive && self.hand.is_empty() {
                // Whoever holds nothing has nothing to lose: an idle worker sends nothing.
                heard = Instant::now();
                continue;
            }
            let sent = Instant::now();
            if self.one_beat(every).await {
                (heard, backoff) = (sent, Backoff::default());
                self.alive.send_replace(true);
            } else {
                self.alive.send_replace(false);
            }
            if heard.elapsed() > self.options.lease {
                let claims = self.hand.snapshot();
                let lost = self.hand.lost(&claims, &claims.ids());
                if lost > 0 {
                    tracing::warn!(jobs = lost, "the lease is over: the claims are lost");
                }
            }
        }
    }

    /// Whether the queue has heard it.
    async fn one_beat(&self, within: Duration) -> bool {
        let claims = self.hand.snapshot();
        let held = claims.ids();
        let answer = self.backend.heartbeat(self.worker, self.options.lease, &held);
        match timeout(within, answer).await.unwrap_or(Err(crate::Error::Timeout(within))) {
            Ok(lost) => {
                let lost = self.hand.lost(&claims, &lost);
                if lost > 0 {
                    tracing::warn!(jobs = lost, "claims are lost");
                }
                true
            }
            Err(error) => {
                telemetry::call_failed("heartbeat", &error);
                false
            }
        }
    }
}
