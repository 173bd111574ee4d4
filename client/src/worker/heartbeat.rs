//! Says that the worker lives, as long as it holds something, and learns which claims are lost.

use super::run::Life;
use crate::backend::{Claim, End, Ended};
use crate::error::{Error, Result};
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
        let mut given_up = vec![];
        loop {
            let left = self.options.lease.saturating_sub(heard.elapsed());
            if left.is_zero() {
                given_up.append(&mut self.give_up());
            }
            let alive = *self.alive.borrow();
            let pause = if alive { every } else { backoff.next().min(every) };
            if !left.is_zero() && left < pause {
                // The end of the lease comes first.
                sleep(left).await;
                continue;
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = self.beat_now.notified() => {}
            }
            if alive && self.hand.is_empty() {
                // Whoever holds nothing has nothing to lose: an idle worker sends nothing.
                heard = Instant::now();
                continue;
            }
            let sent = Instant::now();
            let left = self.options.lease.saturating_sub(heard.elapsed());
            let within = if left.is_zero() { every } else { every.min(left) };
            let answer = match self.one_beat(within).await {
                Ok(()) => self.return_claims(&mut given_up, every).await,
                error => error,
            };
            if let Err(error) = &answer {
                telemetry::call_failed("heartbeat", error);
            } else {
                (heard, backoff) = (sent, Backoff::default());
            }
            self.alive.send_replace(answer.is_ok());
        }
    }

    /// Ok where the queue has heard it.
    async fn one_beat(&self, within: Duration) -> Result<()> {
        let claims = self.hand.snapshot();
        let held = claims.ids();
        let answer = self.backend.heartbeat(self.worker, self.options.lease, &held);
        let lost = timeout(within, answer).await.map_err(|_| Error::Timeout(within))??;
        let lost = self.hand.lost(&claims, &lost);
        if lost > 0 {
            tracing::warn!(jobs = lost, "claims are lost");
        }
        Ok(())
    }

    /// The lease is over: the queue may give the jobs to others now.
    fn give_up(&self) -> Vec<Claim> {
        self.alive.send_replace(false);
        let given_up = self.hand.give_up();
        if !given_up.is_empty() {
            tracing::warn!(jobs = given_up.len(), "the lease is over: the claims are lost");
        }
        given_up
    }

    /// The queue may have kept, through a restart, what was given up here. Nothing new is claimed before it is returned:
    /// it would keep that for as long as we live, and a later return could hit a new claim on the same job.
    async fn return_claims(&self, claims: &mut Vec<Claim>, within: Duration) -> Result<()> {
        if claims.is_empty() {
            return Ok(());
        }
        let ended: Vec<_> = claims.iter().map(|claim| Ended { claim: *claim, end: End::Release }).collect();
        let answer = self.backend.finish(self.worker, &ended);
        timeout(within, answer).await.map_err(|_| Error::Timeout(within))??;
        claims.clear();
        Ok(())
    }
}
