//! The background workers: what must happen without a session that asks for it.
//!
//! ```text
//! launcher: one a server ─ starts ─▶ host: one a database ─▶ duties, each says when it is needed next ─▶ sleep
//!     ▲                                    ▲                                                              │
//!     └── a commit, where there is none ── └── a latch: a commit, a lost worker, a signal ────────────────┘
//! ```
//!
//! - [`launcher`]  which databases there are, and which of them has a worker now
//! - [`host`]      the one loop of a database's worker: life and death, sleep
//! - [`notifier`]  tells those who LISTEN
//! - [`sweeper`]   lost workers: their jobs go back
//! - [`alarm`]     deferred jobs that fall due
//! - [`scheduler`] schedules whose tick has come
//! - [`receipts`]  long claims are written down, ended ones struck out
//! - [`pruner`]    retention: old rows of the log, failed jobs that were held for long

mod alarm;
mod host;
mod launcher;
mod notifier;
mod pruner;
mod receipts;
mod scheduler;
mod sweeper;

pub use launcher::init;
