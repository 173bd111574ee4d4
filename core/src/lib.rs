//! The decisions of pgqueuer, without a server: pure functions and data structures that allocate nothing global, do no
//! input or output and know nothing of PostgreSQL. Everything here is tested in milliseconds.
//!
//! - [`claims`]   who holds which job: the claim table and what is counted with it
//! - [`table`]    the fixed hash table over borrowed memory that it is made of
//! - [`rate`]     at most so many claims in any stretch of time
//! - [`failure`]  what becomes of a job whose attempt failed
//! - [`backoff`]  how long a failed job waits for its next attempt
//! - [`retention`] which table of the log is written, and when the next one is emptied
//! - [`cron`]     when a schedule ticks, and which ticks it has missed
//! - [`explain`]  why a job is not running, in words
//! - [`exposition`] metrics as Prometheus reads them
//! - [`channel`]  the notification channel of an entrypoint
//! - [`word`]     option words, and the nearest one for a hint

#![forbid(unsafe_code)]

pub mod backoff;
pub mod channel;
pub mod claims;
pub mod cron;
pub mod explain;
pub mod exposition;
pub mod failure;
pub mod rate;
pub mod retention;
pub mod table;
pub mod word;
