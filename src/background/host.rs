//! The loop of one database's worker: look what is due, do it, sleep until the next.
//!
//! It holds no snapshot and no lock while it sleeps. An ERROR ends one duty's transaction, which is tried again after a
//! while; the others go on. It leaves where the extension has gone and when the server stops; where a command needs
//! the database for itself it leaves and comes back.

use super::{alarm, notifier, pruner, receipts, sweeper};
use crate::error::Error;
use crate::pg::procedure;
use crate::pg::service::in_transaction;
use crate::pg::{self, LONGEST_SLEEP, Time};
use crate::shmem::{memory, session};
use pgqueuer_core::claims::{Entry, Relation};
use pgrx::bgworkers::{BackgroundWorker, SignalWakeFlags};
use pgrx::pg_sys;
use pgrx::prelude::pg_guard;
use std::time::Duration;

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
    BackgroundWorker::attach_signal_handlers(SignalWakeFlags::SIGHUP | SignalWakeFlags::SIGTERM);
    let Some(database) = pg::argument::int(argument) else { return };
    let mut relation = Relation { database, table: 0 };
    match entry(relation) {
        Entry::Now if memory::change(|claims| claims.enters(relation, pg::now())) == Some(true) => {}
        Entry::Now | Entry::Never => return,
        Entry::Later => pg::service::come_back(),
    }
    if !pg::service::enter(relation.database) {
        return;
    }
    let (process, latch) = (pg::process(), pg::latch());
    session::serves(relation);
    if memory::change(|claims| claims.worker_runs(relation, process, latch, pg::now())) != Some(true) {
        return;
    }
    let Some(Some(table)) = in_transaction(|| Ok(pg::relation(c"job").ok())) else {
        // The transaction that makes it may be open: not at once again.
        memory::change(|claims| claims.ban_worker(relation, pg::now().saturating_add(AFTER_FAILURE / 2)));
        return;
    };
    relation = memory::relation(table);
    memory::change(|claims| claims.worker_serves(relation, pg::now()));
    let pause = Pause::default();
    let pruner = pruner::Pruner::default();
    let mut duties = Duties { relation, notified: pause, alarmed: pause, struck: pause, pruner };
    while let Some(until) = duties.run() {
        let sleep = until.map_or(LONGEST_SLEEP, |until| until.saturating_sub(pg::now()).clamp(0, LONGEST_SLEEP));
        if !BackgroundWorker::wait_latch(Some(at_least_a_millisecond(Duration::from_micros(sleep as u64)))) {
            // Not asked to leave by a command: the server brings it back, unless it stops.
            pg::service::come_back();
        }
        if BackgroundWorker::sighup_received() {
            pg::service::reload_settings();
        }
    }
}

fn entry(relation: Relation) -> Entry {
    memory::read(|claims| claims.may_enter(relation, pg::now())).unwrap_or(Entry::Never)
}

/// The latch knows no shorter sleep; without this the last part of a millisecond would be spent in circles.
fn at_least_a_millisecond(sleep: Duration) -> Duration {
    if sleep.is_zero() { sleep } else { Duration::from_millis((sleep.as_micros() as u64).div_ceil(1000)) }
}

impl Duties {
    /// Does what is due. Returns until when to sleep (`None`: until woken), or `None` where the worker is to leave.
    fn run(&mut self) -> Option<Option<Time>> {
        let (relation, now) = (self.relation, pg::now());
        match entry(relation) {
            Entry::Now => {}
            Entry::Never => return None,
            Entry::Later => pg::service::come_back(),
        }
        if memory::change(|claims| claims.worker_looks(relation, now)) != Some(true) {
            return None;
        }
        let next = [
            notifier::run(self, now),
            sweeper::run(self, now),
            alarm::run(self, now),
            receipts::run(self, now),
            pruner::run(self, now),
        ];
        let next = next.into_iter().flatten().min().unwrap_or(Time::MAX);
        let until = memory::change(|claims| claims.worker_sleeps(relation, next)).unwrap_or(next);
        pg::service::report_statistics(until.saturating_sub(pg::now()) > AFTER_FAILURE);
        Some((until < Time::MAX).then_some(until))
    }

    /// Does something in a transaction of its own, if the jobs table is still the one that this worker serves. Where it is
    /// not, nothing is done: the commit that dropped it has told the worker to leave. False where it failed.
    pub fn in_transaction(&self, act: impl FnOnce() -> Result<(), Error>) -> bool {
        let served = || match pg::lock_relation(c"job") {
            // In the name of the owner, as a session's call: a trigger that somebody has put there must not be a superuser's.
            Ok(table) if memory::relation(table) == self.relation => procedure::as_owner_of(c"job", act),
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
        in_transaction(served).is_some()
    }
}

/// When a duty that failed is tried again, microseconds.
pub const AFTER_FAILURE: Time = 1_000_000;
