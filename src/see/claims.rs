//! Who holds what: what the views pgq.jobs and pgq.workers show beside the rows.

use crate::error::Error;
use crate::lease::receipt;
use crate::pg;
use crate::pg::argument;
use crate::pg::set::{Call, Set};
use crate::shmem::{memory, session, transaction};
use crate::statement;
use pgqueuer_core::claims::{Claim, JobKey, Relation, Worker, WorkerKey, WorkerKind};
use pgrx::datum::{Interval, IntoDatum};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;
use std::collections::HashMap;

/// How many slots are copied under one hold of the lock.
const SLICE: u32 = 256;

/// All claims of this database. A claim that this session's own transaction is ending is over for
/// it, as its own changes to rows are: for everybody else it is held until the commit.
#[pg_extern(sql = false)]
fn claims(call: Call) -> Result<(), ErrorReport> {
    let mut set = Set::begin(&call, "pgq.claims")?;
    let session = session::known_number();
    for (id, claim) in copy_of_claims()?.into_iter().filter(|(_, claim)| Some(claim.ending_by) != session) {
        let worker = argument::uuid(claim.worker.uuid()).into_datum();
        set.put(&[Some(id.into()), worker, Some(claim.attempt.into()), Some(claim.since.into())]);
    }
    Ok(())
}

/// In slices, so that nobody waits long for the lock. Of a claim that was met twice the younger counts.
pub(super) fn copy_of_claims() -> Result<HashMap<i64, Claim>, Error> {
    let mut copy: HashMap<i64, Claim> = HashMap::new();
    let Some(relation) = seen()? else { return Ok(copy) };
    // Under the lock nothing may be allocated: room for a slice comes first.
    let mut slice: Vec<(i64, Claim)> = Vec::with_capacity(SLICE as usize);
    let mut from = Some(0);
    while let Some(slot) = from {
        slice.clear();
        from = memory::read(|claims| {
            let (found, next) = claims.some_of(relation, slot, SLICE);
            slice.extend(found.map(|(id, claim)| (id, *claim)));
            next
        })
        .flatten();
        for (id, claim) in &slice {
            let known = copy.entry(*id).or_insert(*claim);
            if known.number < claim.number {
                *known = *claim;
            }
        }
    }
    Ok(copy)
}

/// The jobs table whose claims this session can see; none on a standby, whose memory says nothing of the primary. It may be
/// the first to look in a new life of the server.
pub(super) fn seen() -> Result<Option<Relation>, Error> {
    if !memory::is_there() || pg::on_standby() {
        return Ok(None);
    }
    let relation = memory::relation(pg::relation(c"job")?);
    receipt::load(relation)?;
    Ok(Some(relation))
}

/// Whether anybody holds the job. True as an answer only while the caller holds the row's lock.
#[pg_extern(sql = false)]
fn claimed(id: i64) -> Result<bool, ErrorReport> {
    let relation = memory::relation(pg::relation(c"job")?);
    receipt::load(relation)?;
    let key = JobKey { relation, id };
    let session = session::known_number();
    Ok(memory::read(|claims| claims.claim_seen_by(&key, session).is_some()) == Some(true))
}

/// Whether this attempt at a job is over: the job is gone, or its newest row counts another one.
#[pg_extern(sql = false)]
fn attempt_ended(id: i64, attempts: i32) -> Result<bool, ErrorReport> {
    Ok(statement::ATTEMPTS.run(&[id.into()], |rows| Ok(rows.first().and_then(|row| row.int(1))))? != Some(attempts))
}

/// All workers that memory knows of this database.
#[pg_extern(sql = false)]
fn known_workers(call: Call) -> Result<(), ErrorReport> {
    let mut set = Set::begin(&call, "pgq.known_workers")?;
    let Some(relation) = seen()? else { return Ok(()) };
    let mut copy: Vec<(WorkerKey, Worker)> = Vec::with_capacity(memory::read(|c| c.room_for_workers()).unwrap_or(0));
    let room = copy.capacity();
    memory::read(|claims| copy.extend(claims.workers_of(relation).take(room).map(|(key, worker)| (*key, *worker))));
    for (key, worker) in copy {
        let named = key.kind == WorkerKind::Named;
        set.put(&[
            argument::uuid(key.uuid()).into_datum(),
            if named { "named" } else { "session" }.into_datum(),
            Some(worker.pid.into()).filter(|_| worker.pid != 0),
            Some(worker.since.into()),
            Some(worker.last_seen.into()),
            Interval::from_micros(worker.lease).into_datum().filter(|_| named),
            Some((worker.claims as i64).into()),
        ]);
    }
    Ok(())
}

/// The role in whose name the session works.
#[pg_extern(sql = false)]
fn caller() -> Option<String> {
    pg::caller()
}

/// The last word of CREATE EXTENSION. From its commit on the database has a worker.
#[pg_extern(sql = false)]
fn installed() -> Result<(), ErrorReport> {
    if memory::is_there() {
        transaction::reserve(1)?;
        transaction::stirred(memory::relation(pg::relation(c"job")?));
    } else {
        let message = "the library pgqueuer is not preloaded: jobs can be enqueued, but not claimed".to_owned();
        crate::error::warn(pgrx::PgSqlErrorCode::ERRCODE_WARNING, message, crate::error::PRELOAD);
    }
    Ok(())
}
