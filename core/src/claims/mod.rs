//! Who holds which job: the claim table and what is counted with it.
//!
//! One [`Claims`] is a view of the memory, made anew for every hold of the lock that protects it. All its parts change
//! under that one lock, so a limit is counted exactly where the claim is made. Nothing here allocates or panics: ends
//! of claims are carried out by a commit callback. Times are microseconds, counted as PostgreSQL counts timestamps.
//!
//! - `key`      what the tables are looked up by
//! - `memory`   how the memory is laid out, and the view of it
//! - `publish`  a claim comes into being, or is refused with the reason
//! - `end`      a claim is being ended, has ended, was dropped
//! - `worker`   workers: sessions and named ones
//! - `lost`     claims whose worker is gone
//! - `rest`     jobs whose claims were rolled back again and again
//! - `receipt`  which claims are written down, and how they come back after a restart
//! - `head`     where the live rows of an entrypoint begin
//! - `waiter`   who waits, and who is woken
//! - `database` the background worker of a database
//! - `launch`   which databases get a worker when
//! - `clock`    what becomes of all this when the clock is set
//! - `due`      when the next job or tick falls due
//! - `channel`  what it is to tell those who LISTEN
//! - `tally`    what is counted of each entrypoint

mod channel;
mod clock;
mod database;
mod due;
mod end;
mod head;
mod key;
mod launch;
mod lost;
mod memory;
mod publish;
mod receipt;
mod rest;
mod tally;
#[cfg(test)]
mod tests;
mod waiter;
mod worker;

pub use channel::Channel;
pub use database::{Database, Sleep, WorkerState};
pub use end::{Ending, NotHeld};
pub use head::{LANES, Point, Walk};
pub use key::{JobKey, Name, OrderKey, QueueKey, Relation, WorkerKey, WorkerKind};
pub use launch::Launch;
pub use memory::{Carve, Claims, Fill, Layout, Sizing};
pub use publish::{RateLimit, Refusal, Request};
pub use tally::{Asked, BOUNDS, Histogram, Outcome, Tally};
pub use waiter::{CHASE_AFTER, Latches, Wanted};
pub use worker::Worker;

/// The earlier of two times, of which there may be none yet.
fn earlier(known: Option<i64>, at: i64) -> Option<i64> {
    Some(known.map_or(at, |known| known.min(at)))
}

/// One claim on one job.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Claim {
    /// Never given twice, so a callback that comes late names nobody else's claim.
    pub number: u64,
    /// Who holds it.
    pub worker: WorkerKey,
    /// When it was made.
    pub since: i64,
    /// The job's own time of creation: an id that came back after a TRUNCATE is another job.
    pub created: i64,
    /// The session whose open transaction made it; 0 once that has committed. Until then nobody else may end it.
    pub opened_by: u64,
    /// The session in whose open transaction it is being ended; 0 if none. Such a claim does not expire.
    pub ending_by: u64,
    /// That transaction: what to wait for to know whether it does.
    pub ender: Transaction,
    /// Entrypoint, for its count.
    pub queue: Name,
    /// Entrypoint and ordering key; [`Name::NONE`] without one.
    pub order: Name,
    /// Under which time its rate limit counts it; `i64::MIN` if none does.
    pub counted_at: i64,
    /// The job's place in its queue: priority and when it is due.
    pub due: i64,
    /// See `due`.
    pub priority: i32,
    /// Which attempt at the job this is, from 0.
    pub attempt: i32,
    /// Neighbours in the list of the worker's claims.
    previous: u32,
    next: u32,
    flags: u32,
    unused: u32,
}

impl Claim {
    /// Its worker is gone.
    const LOST: u32 = 1;
    /// It is written down.
    const RECEIPT: u32 = 2;

    /// Whether its worker is gone, and it waits for its release.
    pub fn is_lost(&self) -> bool {
        self.flags & Self::LOST != 0
    }

    /// Whether it is written down, or is about to be.
    pub fn has_receipt(&self) -> bool {
        self.flags & Self::RECEIPT != 0
    }
}

/// A transaction of the server that is in progress: its session's place and its own number there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Transaction {
    /// The session's place among the server's processes.
    pub place: i32,
    /// Which of that session's transactions it is.
    pub number: u32,
}

/// What memory holds of one jobs table. There is an entry as long as there is anything.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Held {
    /// Claims on its jobs.
    pub claims: u64,
    /// Workers known in its database.
    pub workers: u64,
    /// Those of the claims that are written down.
    pub receipts: u64,
    /// First of those whose worker is gone.
    lost: u32,
    unused: u32,
}

impl Default for Held {
    fn default() -> Self {
        Self { claims: 0, workers: 0, receipts: 0, lost: crate::table::NONE, unused: 0 }
    }
}

/// What is in flight of one entrypoint.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Queue {
    /// Claims that exist.
    pub in_flight: u64,
}
