//! The session as a worker and as a waiter, and its end.

use super::{keepalive, memory};
use crate::pg::version::callback;
use crate::{guc, pg};
use pgqueuer_core::claims::{Relation, Worker, WorkerKey};
use pgrx::pg_sys;
use pgrx::prelude::pg_guard;
use std::cell::{Cell, RefCell};

thread_local! {
    static NUMBER: Cell<u64> = const { Cell::new(0) };
    /// This session as a worker of each jobs table that it has claimed from: more than one only where the extension was
    /// made anew.
    static WORKERS: RefCell<Vec<WorkerKey>> = const { RefCell::new(Vec::new()) };
    /// The named workers that it belongs to.
    static ATTACHED: RefCell<Vec<WorkerKey>> = const { RefCell::new(Vec::new()) };
    /// The database that this process serves.
    static SERVED: Cell<Option<Relation>> = const { Cell::new(None) };
    /// It is the launcher.
    static LAUNCHER: Cell<bool> = const { Cell::new(false) };
    /// Its keepalives are short.
    static SHORT: Cell<bool> = const { Cell::new(false) };
    /// Its place among those who wait.
    static WAITING: Cell<Option<usize>> = const { Cell::new(None) };
}

/// This session's number, never given twice in one life of the server. From the first call on, what the session leaves
/// in memory is cleared away at its end.
pub fn number() -> u64 {
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(memory::change(|claims| claims.number_session()).unwrap_or(0));
            // SAFETY: the function lives as long as the process. Callbacks of this kind run after the open transaction
            // has been aborted and while locks can still be taken; those registered with before_shmem_exit run too early.
            unsafe { pg_sys::on_shmem_exit(callback!(on_exit), pg_sys::Datum::from(0usize)) };
        }
        number.get()
    })
}

/// This session's number if it has asked for one.
pub fn known_number() -> Option<u64> {
    Some(NUMBER.get()).filter(|number| *number != 0)
}

/// This session as a worker. From the first call on, its claims end when it does.
pub fn worker(relation: Relation) -> WorkerKey {
    let known = WORKERS.with_borrow(|workers| workers.iter().find(|worker| worker.relation == relation).copied());
    if !SHORT.replace(true) {
        keepalive::shorten();
    }
    if let Some(worker) = known {
        return worker;
    }
    let session = number();
    let epoch = memory::read(|claims| claims.boot.epoch).unwrap_or(0);
    let worker = WorkerKey::of_session(relation, epoch, session);
    WORKERS.with_borrow_mut(|workers| workers.push(worker));
    worker
}

/// A transaction was rolled back, and with it what it may have set.
pub fn settings_rolled_back() {
    let _ = SHORT.try_with(|short| short.set(false));
}

/// This session as it is remembered.
pub fn as_worker(now: i64) -> Worker {
    Worker::new(now, 0, pg::process())
}

/// Whether this session has said that it belongs to a named worker.
pub fn is_attached(worker: &WorkerKey) -> bool {
    ATTACHED.with_borrow(|attached| attached.contains(worker))
}

/// This session belongs to a named worker until it ends; memory has been told.
pub fn attach(worker: WorkerKey) {
    number();
    ATTACHED.with_borrow_mut(|attached| attached.push(worker));
}

/// This process is the worker of a database; at its end the database has none.
pub fn serves(relation: Relation) {
    number();
    SERVED.set(Some(relation));
}

/// This process is the launcher; at its end there is none.
pub fn launches() {
    number();
    LAUNCHER.set(true);
    memory::change(|claims| claims.launcher_runs(pg::process(), pg::latch()));
}

/// The session takes a place among those who wait, or leaves it.
pub fn waits_at(place: Option<usize>) {
    WAITING.set(place);
}

/// Gives back all claims of this session, those of a table whose DROP was rolled back among them, and forgets whom it
/// belonged to.
pub fn give_back() {
    settings_rolled_back();
    each(&WORKERS, |worker| memory::in_slices(|claims, most| claims.lose_some_of(worker, most)));
    let (now, grace) = (pg::now(), guc::attach_grace());
    each(&ATTACHED, |worker| {
        memory::change(|claims| claims.detach(worker, now, grace));
    });
    let _ = ATTACHED.try_with(|attached| attached.try_borrow_mut().map(|mut attached| attached.clear()));
}

/// Does nothing where the list is gone already, because the process ends.
fn each(list: &'static std::thread::LocalKey<RefCell<Vec<WorkerKey>>>, act: impl Fn(&WorkerKey)) {
    let _ = list.try_with(|workers| workers.try_borrow().map(|workers| workers.iter().for_each(act)));
}

#[pg_guard]
unsafe extern "C-unwind" fn on_exit(_code: std::ffi::c_int, _argument: pg_sys::Datum) {
    if let Ok(Some(place)) = WAITING.try_with(Cell::take) {
        memory::change(|claims| claims.stop_waiting(place, NUMBER.get()));
    }
    if let Ok(Some(relation)) = SERVED.try_with(Cell::take) {
        let told = pg::service::is_told_to_end();
        if memory::change(|claims| claims.worker_left(relation, pg::process(), told, pg::now())) == Some(true) {
            memory::sweep(|claims, slot| claims.unmark_some(relation, slot, memory::SWEEP));
        }
    }
    if LAUNCHER.try_with(Cell::get) == Ok(true) {
        memory::change(|claims| claims.launcher_runs(0, 0));
    }
    give_back();
    each(&WORKERS, |worker| {
        memory::change(|claims| claims.forget_worker(worker));
    });
}
