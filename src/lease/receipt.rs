//! Receipts: long claims written down, and read back after a restart.
//!
//! The first call of a new life in a database reads them before anything is handed out, finished or controlled: until
//! then memory does not know that a named worker holds a job.

use crate::error::Error;
use crate::pg::spi::Parameter;
use crate::pg::{self, Time};
use crate::shmem::{memory, session};
use crate::statement;
use pgqueuer_core::claims::{Claim, JobKey, Name, QueueKey, Relation, Request, Worker, WorkerKey, WorkerKind};
use pgrx::Uuid;

/// Sees that the receipts of this table are in memory.
///
/// # Errors
/// [`Error::Broken`].
pub fn load(relation: Relation) -> Result<(), Error> {
    // The memory of a standby is never asked.
    if is_loaded(relation) || pg::on_standby() {
        return Ok(());
    }
    // One at a time: whoever comes second finds it done.
    pg::lock_alone(c"receipt")?;
    if is_loaded(relation) {
        return Ok(());
    }
    let now = pg::now();
    let requests: Vec<(Request, String)> = statement::RECEIPTS.run(&[], |rows| {
        Ok(rows.iter().filter_map(|row| Some((request(&row, relation, now)?, row.text(8)?))).collect())
    })?;
    for (request, entrypoint) in &requests {
        let queue = QueueKey { relation, name: request.queue };
        memory::change(|claims| claims.know_entrypoint(&queue, entrypoint.as_bytes()));
        // Where a table is full the job is handed out again, as after a restart without receipts.
        memory::change(|claims| claims.restore(request).is_ok());
    }
    memory::change(|claims| {
        if let Some(of) = claims.database_mut(relation) {
            of.loaded = relation.table;
            // Those that fit no row any more are still there.
            of.stale_receipts += 1;
        }
    });
    // Memory has no transactions: the others need not wait for the end of this one.
    pg::unlock_alone(c"receipt")
}

/// Whether they are.
pub fn is_loaded(relation: Relation) -> bool {
    memory::read(|claims| claims.database(relation).is_some_and(|of| of.loaded == relation.table)) != Some(false)
}

/// A claim as a row of `receipts.sql` has it.
fn request(row: &pg::spi::Row, relation: Relation, now: Time) -> Option<Request> {
    let uuid: Uuid = row.get(4)?;
    let is_session = row.is(5);
    let (entrypoint, ordering_key) = (row.text(8)?, row.text(9));
    let mut worker = WorkerKey::named(relation, uuid.as_bytes());
    if is_session {
        worker.kind = WorkerKind::Session;
    }
    let order = ordering_key.as_ref().map_or(Name::NONE, |key| Name::of(&[&entrypoint, key]));
    Some(Request {
        job: JobKey { relation, id: row.big(1)? },
        worker,
        // One full lease to be heard of.
        as_worker: Worker::new(now, row.big(7)?, 0),
        attempt: row.int(2)?,
        created: row.time(3)?,
        priority: row.int(10)?,
        due: row.time(11)?,
        now: row.time(6)?,
        session: session::number(),
        queue: Name::of(&[&entrypoint]),
        order,
        limit: 0,
        rate: None,
        max_in_flight: None,
    })
}

/// Writes receipts of claims that have been marked.
///
/// # Errors
/// [`Error::Broken`].
pub fn write(relation: Relation, claims: &[(i64, Claim)]) -> Result<(), Error> {
    let lease = |claim: &Claim| memory::read(|claims| claims.lease_of(&claim.worker)).flatten().unwrap_or(0);
    let session = |claim: &Claim| claim.worker.kind == WorkerKind::Session;
    debug_assert!(claims.iter().all(|(_, claim)| claim.worker.relation == relation));
    statement::WRITE_RECEIPTS.run(
        &[
            claims.iter().map(|(id, _)| *id).collect::<Vec<_>>().into(),
            claims.iter().map(|(_, claim)| claim.attempt).collect::<Vec<_>>().into(),
            Parameter::times(claims.iter().map(|(_, claim)| Some(claim.created))),
            claims.iter().map(|(_, claim)| pg::argument::uuid(claim.worker.uuid())).collect::<Vec<_>>().into(),
            claims.iter().map(|(_, claim)| session(claim)).collect::<Vec<_>>().into(),
            Parameter::times(claims.iter().map(|(_, claim)| Some(claim.since))),
            claims.iter().map(|(_, claim)| lease(claim)).collect::<Vec<_>>().into(),
        ],
        |_| Ok(()),
    )
}

/// Strikes out the receipts whose claims are gone. Returns whether some are left, which somebody has locked.
///
/// # Errors
/// [`Error::Broken`].
pub fn strike(relation: Relation) -> Result<bool, Error> {
    let written: Vec<(i64, i32, Uuid)> = statement::WRITTEN_RECEIPTS
        .run(&[], |rows| Ok(rows.iter().filter_map(|row| Some((row.big(1)?, row.int(2)?, row.get(3)?))).collect()))?;
    let stands = |id: i64, attempt: i32, worker: &Uuid| {
        let job = JobKey { relation, id };
        memory::read(|claims| claims.is_receipt_of(&job, worker.as_bytes(), attempt)) == Some(true)
    };
    let stale: Vec<i64> =
        written.iter().filter(|(id, attempt, worker)| !stands(*id, *attempt, worker)).map(|(id, ..)| *id).collect();
    let count = stale.len() as i64;
    Ok(strike_out(stale)? < count)
}

/// Strikes out the receipts of some jobs, as far as nobody has locked them. Returns how many.
///
/// # Errors
/// [`Error::Broken`].
pub fn strike_out(ids: Vec<i64>) -> Result<i64, Error> {
    if ids.is_empty() {
        return Ok(0);
    }
    Ok(statement::STRIKE_RECEIPTS.bigs(&[ids.into()])?.first().copied().unwrap_or(0))
}
