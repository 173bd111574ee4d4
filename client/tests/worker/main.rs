//! The worker: a file for each question. One program, so that it is linked once, and its tests share a server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod canceled;
mod complete_in;
mod connection;
mod extension;
mod failover;
mod fleet;
mod lease;
mod limits;
mod outcomes;
mod panics;
mod pgbouncer;
#[path = "../running/mod.rs"]
mod running;
mod shutdown;
