//! A job's way.
//!
//! ```text
//! enqueue ─▶ queued ─dequeue─▶ picked ─complete─▶ successful
//!              ▲                 │ ├─fail─▶ retried (queued again), failed (held) or exception
//!              │                 │ ├─retry─▶ retried, queued again
//!              └─────release─────┘ └─finish─▶ successful, failed or exception
//! ```
//!
//! `queued`, `picked` and `failed` are what a live job is: `failed` is a mark on the row, `picked` is a claim in memory,
//! `queued` is neither. The files, in the order of the way:
//!
//! - [`check`]         what arguments must be
//! - [`enqueue`]       one job
//! - [`enqueue_many`]  many
//! - [`import`]        jobs that another queue has begun with
//! - [`insert`]        INSERT and COPY into pgq.jobs
//! - [`wake`]          tells those who listen
//! - [`candidate`]     what may be handed out next, best first
//! - [`gate`]          the settings that decide whether it may be
//! - [`dequeue`]       claims it, looks again, hands it out
//! - [`touched`]       rows that somebody has locked or tried to change
//! - [`ready`]         the same choice without a claim
//! - [`fence`]         may this caller end that claim?
//! - [`finish`]        complete, complete_many, finish
//! - [`fail`]          fail, retry
//! - [`release`]       gives claims back
//! - [`lost`]          a lost worker's claims
//! - [`prune`]         failed jobs that have been held for long

pub mod candidate;
pub mod check;
pub mod dequeue;
pub mod enqueue;
pub mod enqueue_many;
pub mod fail;
pub mod fence;
pub mod finish;
pub mod gate;
mod import;
pub mod insert;
pub mod lost;
pub mod prune;
pub mod ready;
pub mod release;
pub mod touched;
pub mod wake;
