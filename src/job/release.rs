//! `pgq.release`: a worker gives claims back. The row is not touched: it was never anything but queued. The attempt does
//! not count, and nothing is logged. A receipt goes with the claim: it would fit the row after a restart.

use super::fence;
use crate::lease::{Caller, receipt};
use crate::pg::argument::Raw;
use crate::shmem::transaction;
use pgqueuer_core::claims::Outcome;
use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;

#[pg_extern(sql = false)]
fn release(ids: Option<Raw>, worker: Option<Uuid>, attempts: Option<Raw>) -> Result<Vec<i64>, ErrorReport> {
    let caller = Caller::of("pgq.release", c"pgq.release()", worker)?;
    let (ids, attempts) = fence::ids_and_attempts(ids, attempts)?;
    let mut ended = fence::begin(&caller, &ids, &attempts, |_| Outcome::Released)?;
    transaction::only_freeing(&ended.iter().map(|claim| claim.ending.number).collect());
    receipt::strike_out(ended.iter().filter(|claim| claim.ending.has_receipt).map(|claim| claim.key.id).collect())?;
    ended.sort_by_key(|claim| claim.place);
    Ok(ended.iter().map(|claim| claim.key.id).collect())
}
