//! `pgq import` against real installations of the Python PgQueuer: its own tables, producers and workers.
//!
//! - [`upstream`] installs it from PyPI, runs it
//! - [`pgq`]      runs the command and keeps what it said
//!
//! A file for each question; one process, so that all of them share a server.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends with a panic"
)]

mod document;
mod elsewhere;
mod jobs;
mod many;
#[path = "../admin/pgq.rs"]
#[allow(dead_code, reason = "the commands of administration need more of it")]
mod pgq;
mod refused;
mod schedules;
mod upstream;
mod versions;
