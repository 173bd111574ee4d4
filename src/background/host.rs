//! The loop of one database's worker: look what is due, do it, sleep until the next.
//!
//! It holds no snapshot and no lock while it sleeps. An ERROR ends it; the server starts it again, and what it was about
//! to do is still noted in memory. It leaves where the extension has gone and when the server stops; where a command needs
//! the database for itself it leaves and comes back.

use super::{alarm, notifier, receipts, sweeper};
use crate::error::{Error, raise};
use crate::lease::receipt;
use crate::pg::{self, Time};
use crate::shmem::{memory, session};
use pgqueuer_core::claims::Relation;
use pgrx::bgworkers::{BackgroundWorker, SignalWakeFlags};
use pgrx::pg_sys;
use pgrx::prelude::pg_guard;
use std::time::Duration;

/// What a duty is asked with.
pub struct Duties {
    /// The jobs table.
    pub relation: Relation,
    /// When those who LISTEN were last told.
    pub notified: Time,
    /// When the last look for such jobs began, and how long it took.
    pub alarm_cost: (Time, Time),
    /// When stale receipts were last struck out.
    pub struck: Time,
}

/// Called by the server: the worker's whole life.
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn pgqueuer_worker(argument: pg_sys::Datum) {
    BackgroundWorker::attach_signal_handlers(SignalWakeFlags::SIGHUP | SignalWakeFlags::SIGTERM);
    let Some(database) = pg::argument::int(argument) else { return };
    let mut relation = Relation { database, table: 0 };
    if memory::read(|claims| claims.worker_may_enter(relation, pg::now())) != Some(true) {
        pg::service::come_back();
    }
    if !pg::service::enter(relation.database) {
        return;
    }
    let (process, latch) = (pg::process(), pg::latch());
    session::serves(relation);
    if memory::change(|claims| claims.worker_runs(relation, process, latch, pg::now())) != Some(true) {
        return;
    }
    let Some(table) = in_transaction(|| Ok(pg::relation(c"job").ok())) else { return };
    relation = memory::relation(table);
    memory::change(|claims| claims.worker_serves(relation, pg::now()));
    let mut duties = Duties { relation, notified: 0, alarm_cost: (0, 0), struck: 0 };
    in_transaction(|| receipt::load(relation));
    while let Some(until) = duties.run() {
        let sleep = until.map(|until| Duration::from_micros(until.saturating_sub(pg::now()).max(0) as u64));
        if !BackgroundWorker::wait_latch(sleep.map(at_least_a_millisecond)) {
            return;
        }
        if BackgroundWorker::sighup_received() {
            pg::service::reload_settings();
        }
    }
}

/// The latch knows no shorter sleep; without this the last part of a millisecond would be spent in circles.
fn at_least_a_millisecond(sleep: Duration) -> Duration {
    if sleep.is_zero() { sleep } else { Duration::from_millis((sleep.as_micros() as u64).div_ceil(1000)) }
}

impl Duties {
    /// Does what is due. Returns until when to sleep (`None`: until woken), or `None` where the worker is to leave.
    fn run(&mut self) -> Option<Option<Time>> {
        let (relation, now) = (self.relation, pg::now());
        if memory::read(|claims| claims.worker_may_enter(relation, now)) == Some(false) {
            pg::service::come_back();
        }
        if memory::change(|claims| claims.worker_looks(relation, now)) != Some(true) {
            return None;
        }
        let next = [notifier::run(self, now), sweeper::run(self, now), alarm::run(self, now), receipts::run(self, now)];
        let next = next.into_iter().flatten().min().unwrap_or(Time::MAX);
        let until = memory::change(|claims| claims.worker_sleeps(relation, next)).unwrap_or(next);
        Some((until < Time::MAX).then_some(until))
    }

    /// Does something in a transaction of its own, if the jobs table is still the one that this worker serves. Where it is
    /// not, nothing is done: the commit that dropped it has told the worker to leave.
    pub fn in_transaction(&self, act: impl FnOnce() -> Result<(), Error>) {
        in_transaction(|| match pg::lock_relation(c"job") {
            Ok(table) if memory::relation(table) == self.relation => act(),
            _ => Ok(()),
        });
    }
}

/// Does something in a transaction of its own; an error ends the worker.
fn in_transaction<R>(act: impl FnOnce() -> Result<R, Error>) -> R {
    let act = std::panic::AssertUnwindSafe(act);
    BackgroundWorker::transaction(move || {
        let act = act;
        act.0().unwrap_or_else(|error| raise(error))
    })
}
