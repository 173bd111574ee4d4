//! `pgq.heartbeat`: a sign of life of a named worker. Writes nothing, whatever it holds.

use super::{checked, named};
use crate::error::Error;
use crate::pg;
use crate::pg::argument::Raw;
use crate::shmem::memory;
use pgqueuer_core::claims::JobKey;
use pgrx::Uuid;
use pgrx::datum::Interval;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;

/// Keeps the worker's claims for another lease and returns those of `held` that it does not hold any more. The answer
/// is worked out anew each time, so one that is lost costs nothing.
#[pg_extern(sql = false)]
fn heartbeat(worker: Option<Uuid>, lease: Option<Interval>, held: Option<Raw>) -> Result<Vec<i64>, ErrorReport> {
    Ok(beat(worker, lease, held)?)
}

fn beat(worker: Option<Uuid>, lease: Option<Interval>, held: Option<Raw>) -> Result<Vec<i64>, Error> {
    let lease = checked(lease)?;
    let held: Option<Vec<i64>> = held.map(Raw::bigs).unwrap_or_default().into_iter().collect();
    let hint = "Pass the ids of the jobs that the worker is at, such as '{1,2}'.";
    let held = held.ok_or_else(|| Error::argument("held", "not contain NULL", None, hint))?;
    let worker = named("pgq.heartbeat", c"pgq.heartbeat()", worker)?;
    super::beat(worker, pg::now(), lease)?;
    let mut lost = Vec::with_capacity(held.len());
    for slice in held.chunks(64) {
        let keys = slice.iter().map(|id| JobKey { relation: worker.relation, id: *id });
        // Room was made above: pushing under the lock allocates nothing.
        memory::read(|claims| lost.extend(keys.filter(|key| !claims.holds(&worker, key)).map(|key| key.id)));
    }
    Ok(lost)
}
