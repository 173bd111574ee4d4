//! Asks the server for a database's background worker.

use super::memory;
use crate::{error, guc, pg};
use pgqueuer_core::claims::Relation;
use pgrx::bgworkers::BackgroundWorkerBuilder;
use pgrx::{PgSqlErrorCode, pg_sys};
use std::time::Duration;

/// How many workers are looked at under one hold of the lock.
const WORKERS: u32 = 128;
/// How long the server waits until it starts a worker again that was ended by an error.
const RESTART: Duration = Duration::from_secs(1);

/// Sees that the database of a jobs table has its worker, or is about to. Where the server has no place for one, it is
/// asked for again after a while; `pgq.health` tells.
pub fn ensure(relation: Relation) {
    if memory::read(|claims| claims.serves(relation)) != Some(false) {
        return;
    }
    // A table that this transaction makes is nobody else's yet, nor is the one that it drops gone.
    if pg::is_made_here(relation.table) {
        return;
    }
    memory::change(|claims| claims.is_used(relation));
    let now = pg::now();
    if memory::change(|claims| claims.begin_start(relation, now)) == Some(true) && !start(relation) {
        memory::change(|claims| claims.start_refused(relation, now));
        log_refusal(relation);
    }
    if memory::change(|claims| claims.looks_after(relation, now)) == Some(true) {
        expire(relation, now);
        memory::in_slices(|claims, most| claims.free_lost(relation, most));
        memory::change(|claims| claims.end_rests(relation, now));
        memory::change(|claims| claims.run_chases(relation, now));
    }
}

/// Once in a life of the server for each database: `pgq.health` says it for as long as it is so.
fn log_refusal(relation: Relation) {
    let first = memory::change(|claims| {
        claims.database_mut(relation).is_some_and(|of| !std::mem::replace(&mut of.refused, true))
    });
    if first == Some(true) {
        let message = "pgqueuer has no background worker in this database: max_worker_processes are all taken";
        let hint = "Raise max_worker_processes, by one for each database that uses the queue, and restart the server.";
        error::log(PgSqlErrorCode::ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, message, hint);
    }
}

/// Loses the claims of named workers whose leases ran out. Returns when the next one does.
pub fn expire(relation: Relation, now: i64) -> Option<i64> {
    let (mut next, grace) = (None, guc::attach_grace());
    memory::sweep(|claims, slot| {
        let (on, ends) = claims.expire_some(relation, now, grace, slot, WORKERS);
        next = [next, ends].into_iter().flatten().min();
        on
    });
    next
}

fn start(relation: Relation) -> bool {
    let name = format!("pgqueuer worker of database {}", relation.database);
    BackgroundWorkerBuilder::new(&name)
        .set_type("pgqueuer worker")
        .set_library("pgqueuer")
        .set_function("pgqueuer_worker")
        .enable_spi_access()
        .set_argument(Some(pg_sys::Datum::from(relation.database)))
        .set_restart_time(Some(RESTART))
        .load_dynamic()
        .is_ok()
}
