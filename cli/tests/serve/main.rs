//! The commands that answer programs, `pgq metrics` and `pgq mcp`: the real binary against real servers.
//!
//! - [`pgq`]       runs the command and keeps what it said
//! - [`exporter`]  runs `pgq metrics --listen` and asks it
//! - [`assistant`] runs `pgq mcp` and speaks the protocol with it
//!
//! A file for each question; one process, so that all of them share a server.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends with a panic"
)]

mod assistant;
mod away;
mod databases;
mod document;
mod exporter;
mod mcp_answers;
mod mcp_changes;
mod mcp_protocol;
mod mcp_strangers;
mod metrics;
#[path = "../admin/pgq.rs"]
#[allow(dead_code, reason = "the commands of administration need more of it")]
mod pgq;
mod rules;
mod scrape;
