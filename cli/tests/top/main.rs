//! `pgq top`: the real command in a real terminal, before a real server.
//!
//! - [`terminal`] a pseudo-terminal, what stands on it, and the keys
//! - [`shop`]     a queue with jobs in every state
//! - [`picture`]  draws `docs/images/top.svg`

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends with a panic"
)]

mod away;
mod ends;
mod hostile;
mod keys;
mod panes;
#[path = "../admin/pgq.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod pgq;
mod picture;
mod plain;
mod shop;
mod terminal;
