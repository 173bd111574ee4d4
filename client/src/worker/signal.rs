//! Hears of jobs and cancellations.

use super::run::Life;
use crate::backend::{Signal, Signals};
use crate::retry::Backoff;
use crate::telemetry;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

impl<S: Send + Sync + 'static> Life<S> {
    /// Listens for ever; ends only where one cannot. Whoever fetches looks by the clock meanwhile.
    pub(super) async fn signal(self: Arc<Self>) {
        let entrypoints: Vec<String> = self.entrypoints.keys().cloned().collect();
        let mut backoff = Backoff::default();
        loop {
            match self.backend.signals(self.worker, &entrypoints).await {
                Ok(None) => return,
                Ok(Some(mut signals)) => {
                    backoff = Backoff::default();
                    self.listens.store(true, Relaxed);
                    // Something may have come before.
                    self.look.notify_one();
                    let error = self.hear(signals.as_mut()).await;
                    self.listens.store(false, Relaxed);
                    self.look.notify_one();
                    telemetry::call_failed("listen", &error);
                }
                Err(error) => telemetry::call_failed("listen", &error),
            }
            backoff.sleep().await;
        }
    }

    /// Until the connection is gone.
    async fn hear(&self, signals: &mut dyn Signals) -> crate::Error {
        loop {
            match signals.next().await {
                Ok(Signal::Work) => self.look.notify_one(),
                Ok(Signal::Canceled(ids)) => self.hand.canceled(&ids),
                Err(error) => return error,
            }
        }
    }
}
