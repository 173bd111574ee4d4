//! Hears of jobs and cancellations.

use super::run::Life;
use crate::backend::{Signal, Signals};
use crate::retry::Backoff;
use crate::telemetry;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::Instant;

/// A listener that lasted so long was well: the next one is tried at once.
const LASTED: Duration = Duration::from_secs(10);

impl<S: Send + Sync + 'static> Life<S> {
    /// Listens for ever; ends only where one cannot. Whoever fetches looks by the clock meanwhile.
    pub(super) async fn signal(self: Arc<Self>) {
        let entrypoints: Vec<String> = self.entrypoints.keys().cloned().collect();
        let mut backoff = Backoff::default();
        loop {
            match self.backend.signals(self.worker, &entrypoints).await {
                Ok(None) => return,
                Ok(Some(mut signals)) => {
                    let begun = Instant::now();
                    self.listens(true);
                    let error = self.hear(signals.as_mut()).await;
                    drop(signals);
                    self.listens(false);
                    telemetry::call_failed("listen", &error);
                    if begun.elapsed() > LASTED {
                        backoff = Backoff::default();
                    }
                }
                Err(error) => {
                    telemetry::call_failed("listen", &error);
                    // The server may have noticed later than we did that the listener is gone: the grace begins there.
                    self.beat_now.notify_one();
                }
            }
            backoff.sleep().await;
        }
    }

    /// Jobs may have come, or been canceled, while nobody listened. And where the listener is gone, only a heartbeat keeps
    /// the claims for longer than the grace.
    fn listens(&self, listens: bool) {
        self.listens.store(listens, Relaxed);
        self.look.notify_one();
        self.beat_now.notify_one();
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
