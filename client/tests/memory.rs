//! The queue in memory: what every queue must do, and what only this one can.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what a test calls may end it with a panic"
)]

#[macro_use]
mod conformance;

use conformance::Subject;
use pgqueuer_client::Memory;
use std::time::Duration;

impl Subject for Memory {
    async fn pass(&self, time: Duration) {
        self.advance(time);
        // Those who wait have their turn.
        tokio::task::yield_now().await;
    }
}

async fn start() -> (Memory, ()) {
    (Memory::at("2030-01-01T00:00:00Z".parse().unwrap()), ())
}

conformance!(crate::start);
