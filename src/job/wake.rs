//! Tells those who listen that there are jobs. A hint: if it is lost, jobs are late, not lost.

use crate::{guc, pg};
use pgqueuer_core::channel::channel;

/// The transaction enqueues jobs of this entrypoint, or makes them due: tell it when it commits.
pub fn wake(entrypoint: &str) {
    if guc::notifies() {
        pg::notify(&channel(entrypoint), "");
    }
}
