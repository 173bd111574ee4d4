//! The session as a worker, and its end.

use super::memory;
use pgqueuer_core::claims::{Relation, Worker, WorkerKey};
use pgrx::pg_sys;
use pgrx::prelude::pg_guard;
use std::cell::{Cell, RefCell};

/// How many claims are ended under one hold of the lock.
const SLICE: usize = 16;

thread_local! {
    static NUMBER: Cell<u64> = const { Cell::new(0) };
    /// This session as a worker of each jobs table that it has claimed from: more than one only where the extension was
    /// made anew.
    static WORKERS: RefCell<Vec<WorkerKey>> = const { RefCell::new(Vec::new()) };
}

/// This session's number, never given twice in one life of the server.
pub fn number() -> u64 {
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(memory::change(|claims| claims.number_session()).unwrap_or(0));
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
    if let Some(worker) = known {
        return worker;
    }
    let session = number();
    let epoch = memory::read(|claims| claims.boot.epoch).unwrap_or(0);
    if WORKERS.with_borrow(Vec::is_empty) {
        // SAFETY: the function lives as long as the process. Callbacks of this kind run after the open transaction has
        // been aborted and while locks can still be taken; those registered with before_shmem_exit run too early.
        unsafe { pg_sys::on_shmem_exit(Some(on_exit), pg_sys::Datum::from(0usize)) };
    }
    let worker = WorkerKey::of_session(relation, epoch, session);
    WORKERS.with_borrow_mut(|workers| workers.push(worker));
    worker
}

/// This session as it is remembered.
pub fn as_worker(now: i64) -> Worker {
    Worker::new(now, 0, crate::pg::process())
}

/// Ends all claims of this session, those of a table whose DROP was rolled back among them.
pub fn give_back() {
    each_worker(|worker| while memory::change(|claims| claims.end_some_of(worker, SLICE)) == Some(SLICE) {});
}

/// Does nothing where the list is gone already, because the process ends.
fn each_worker(act: impl Fn(&WorkerKey)) {
    let _ = WORKERS.try_with(|workers| workers.try_borrow().map(|workers| workers.iter().for_each(act)));
}

#[pg_guard]
unsafe extern "C-unwind" fn on_exit(_code: std::ffi::c_int, _argument: pg_sys::Datum) {
    give_back();
    each_worker(|worker| {
        memory::change(|claims| claims.forget_worker(worker));
    });
}
