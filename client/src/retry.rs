//! How long to wait before something is tried again.

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

/// Delays from 50 ms, each twice the last, up to 5 s; each with a random part, so that a fleet does not come back at once.
pub(crate) struct Backoff(ExponentialBackoff);

impl Default for Backoff {
    fn default() -> Self {
        let builder = ExponentialBuilder::new().with_min_delay(FIRST).with_max_delay(LONGEST);
        Self(builder.without_max_times().with_jitter().build())
    }
}

impl Backoff {
    pub(crate) fn next(&mut self) -> Duration {
        self.0.next().unwrap_or(LONGEST)
    }

    pub(crate) async fn sleep(&mut self) {
        tokio::time::sleep(self.next()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_and_never_ends() {
        let mut backoff = Backoff::default();
        let delays: Vec<_> = (0..200).map(|_| backoff.next()).collect();
        assert!(delays[0] < Duration::from_millis(150));
        assert!(delays[20..].iter().all(|delay| (LONGEST..=2 * LONGEST).contains(delay)));
    }
}
