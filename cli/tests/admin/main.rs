//! The commands of administration: the real binary against real servers.
//!
//! - [`pgq`] runs the command and keeps what it said
//!
//! A file for each question; one process, so that all of them share a server.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends with a panic"
)]

mod connect;
mod document;
mod enqueue;
mod file;
mod follow;
mod help;
mod hostile;
mod hosts;
mod install;
mod jobs;
mod operating;
mod pgq;
mod prefix;
mod rights;
mod schedules;
mod settings;
mod terminal;
mod tls;
mod watch;
