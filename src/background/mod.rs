//! The background worker of a database: what must happen without a session that asks for it.
//!
//! ```text
//! a session needs it ─ ensure ─▶ host: look ─▶ duties, each says when it is needed next ─▶ sleep until the first of them
//!                                        ▲                                                │
//!                                        └── a latch: a commit, a lost worker, a signal ──┘
//! ```
//!
//! - [`host`]      the one loop: life and death, sleep
//! - [`notifier`]  tells those who LISTEN
//! - [`sweeper`]   lost workers: their jobs go back
//! - [`alarm`]     deferred jobs that fall due
//! - [`receipts`]  long claims are written down, ended ones struck out
//! - [`pruner`]    retention: old rows of the log, failed jobs that were held for long

mod alarm;
mod host;
mod notifier;
mod pruner;
mod receipts;
mod sweeper;
