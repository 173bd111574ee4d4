//! `pgq work`: the real binary, real programs, a real server, real sockets.
//!
//! - [`pgq`]     runs the command and keeps what it said
//! - [`working`] a worker that works while the test looks on
//! - [`server`]  a server of HTTP that answers as it is told
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
mod draining;
mod http;
mod input;
mod killed;
mod limits;
mod outcomes;
mod output;
#[allow(dead_code, reason = "it serves the commands of administration, too")]
#[path = "../admin/pgq.rs"]
mod pgq;
mod restart;
mod server;
mod start;
mod stopping;
mod tls;
mod working;
