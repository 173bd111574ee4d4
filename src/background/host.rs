//! The loop of one database's worker: look what is due, do it, sleep until the next.
//!
//! It holds no snapshot and no lock while it sleeps. An ERROR ends one duty's transaction, which is tried again after a
//! while; the others go on. It leaves where the extension has gone, where a command needs the database for itself, where
//! another database needs its place, and when the server stops. Whether and when it comes back is the launcher's to say:
//! memory knows what is to be done, and when.

use super::{alarm, notifier, pruner, receipts, scheduler, sweeper};
use crate::error::Error;
use crate::pg::procedure;
use crate::pg::service::{self, Failure, Woken, in_transaction};
use crate::pg::{self, Time};
use crate::shmem::{self, memory, session};
use pgqueuer_core::claims::{Relation, Sleep};
use pgrx::pg_sys;
use pgrx::prelude::pg_guard;

/// What a duty is asked with.
pub struct Duties {
    /// The jobs table.
    pub relation: Relation,
    /// After those who LISTEN were told.
    pub notified: Pause,
    /// After a look for jobs that fell due.
    pub alarmed: Pause,
    /// After stale receipts were struck out.
    pub struck: Pause,
    /// What the scheduler keeps in mind.
    pub ticks: scheduler::Ticks,
    /// Retention.
    pub pruner: pruner::Pruner,
}

/// A duty that was done is not done again for a while.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pause {
    since: Time,
    until: Time,
}

impl Pause {
    /// From now on, so long.
    pub fn of(now: Time, length: Time) -> Self {
        Self { since: now, until: now.saturating_add(length) }
    }

    /// Until when it lasts; `None` once it is over. A clock that was set back ends it.
    pub fn lasts(self, now: Time) -> Option<Time> {
        (self.since..self.until).contains(&now).then_some(self.until)
    }
}

/// Called by the server: the worker's whole life.
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn pgqueuer_worker(argument: pg_sys::Datum) {
    service::take_signals();
    let Some(database) = pg::argument::int(argument) else { return };
    let relation = Relation { database, table: 0 };
    // From here on the launcher hears of its end, also where it cannot connect.
    session::serves(relation);
    let (process, latch) = (pg::process(), pg::latch());
    if memory::change(|claims| claims.worker_enters(relation, process, pg::now())) != Some(true) {
        return;
    }
    service::enter(database);
    // A session that makes the table from here on says so. Where one cannot look, the launcher tries again.
    let ours = || pg::relation(c"job").ok().filter(|job| pg::is_ours(*job));
    let Ok(table) = in_transaction(|| Ok(ours().map_or(0, u32::from))) else { return };
    let relation = Relation { table, ..relation };
    if memory::change(|claims| claims.worker_serves(relation, latch, pg::now())) != Some(true) {
        return;
    }
    let pause = Pause::default();
    let (ticks, pruner) = (scheduler::Ticks::default(), pruner::Pruner::default());
    let mut duties = Duties { relation, notified: pause, alarmed: pause, struck: pause, ticks, pruner };
    while let Some(until) = duties.run() {
        if service::sleep_until(until) == Woken::Leave {
            return;
        }
    }
}

impl Duties {
    /// Does what is due. Returns until when to sleep; `None` where the worker is to leave.
    fn run(&mut self) -> Option<Time> {
        let (relation, now) = (self.relation, shmem::service::look_at_clock());
        if memory::change(|claims| claims.worker_looks(relation, now)) != Some(true) {
            return None;
        }
        let next = [
            notifier::run(self, now),
            sweeper::run(self, now),
            alarm::run(self, now),
            scheduler::run(self, now),
            receipts::run(self, now),
            pruner::run(self, now),
        ];
        let next = next.into_iter().flatten().min().unwrap_or(Time::MAX);
        let Sleep::Until(until) = memory::change(|claims| claims.worker_sleeps(relation, next, pg::now()))? else {
            return None;
        };
        service::report_statistics(until.saturating_sub(pg::now()) > AFTER_FAILURE);
        Some(until)
    }

    /// Does something in a transaction of its own, if the jobs table is still the one that this worker serves. Where it is
    /// not, nothing is done: the commit that dropped it has told the worker to leave. False where it failed.
    pub fn in_transaction(&self, act: impl FnOnce() -> Result<(), Error>) -> bool {
        self.attempt(act).is_ok()
    }

    /// The same.
    ///
    /// # Errors
    /// Why it failed.
    pub fn attempt(&self, act: impl FnOnce() -> Result<(), Error>) -> Result<(), Failure> {
        let served = || match pg::lock_relation(c"job") {
            // In the name of the owner, as a session's call: a trigger that somebody has put there must not be a superuser's.
            Ok(table) if memory::relation(table) == self.relation => {
                procedure::become_owner_of(c"job")?;
                act()
            }
            // Another table or none: memory says so, and the next look ends this worker.
            Ok(table) => {
                memory::change(|claims| claims.is_used(memory::relation(table)));
                Ok(())
            }
            Err(_) => {
                memory::change(|claims| claims.table_gone(self.relation));
                Ok(())
            }
        };
        in_transaction(served)
    }
}

/// When a duty that failed is tried again, microseconds.
pub const AFTER_FAILURE: Time = 1_000_000;
