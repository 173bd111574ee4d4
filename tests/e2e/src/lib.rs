//! Black-box tests of pgqueuer: everything goes through SQL to a real server.
//!
//! - [`cluster`] a throw-away server, and fresh databases in it
//! - [`clock`]   a server whose clock a test sets
//! - [`ask`]     what tests say to a session, in a few words
//! - [`contents`] what the queue's tables hold
//! - [`crew`]    several sessions that act at the same moment
//! - [`frozen`]  processes that stand still
//! - [`health`]  what `pgq.health()` says, row by row
//! - [`history`] what happened to jobs, and whether it can be true
//! - [`pgbouncer`] in transaction mode in front of a server
//! - [`proxy`]   between a client and its server: what it loses
//! - [`raw`]     a session in the words of the wire protocol
//! - [`serving`] the background workers of a server, as its operator sees them
//! - [`waiter`]  a session that waits for jobs, and when it was woken
//! - [`ticks`]   schedules, and the jobs of their ticks
//! - [`until`]   waits for a condition; nothing else waits or sleeps
//!
//! The tests are in `tests/`, a file for each question. They need `PG_CONFIG`, whose PostgreSQL has the extension
//! installed: `. .ci/env && cargo test -p pgqueuer-e2e`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "only tests call this, and a test ends with a panic"
)]

pub mod ask;
pub mod clock;
pub mod cluster;
pub mod contents;
pub mod crew;
pub mod frozen;
pub mod health;
pub mod history;
pub mod pgbouncer;
pub mod proxy;
pub mod raw;
pub mod serving;
pub mod ticks;
pub mod until;
pub mod waiter;
