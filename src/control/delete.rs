//! `pgq.delete` and `pgq.clear`: remove jobs that nobody runs.

use super::{cancel, in_given_order, lock};
use crate::job::check;
use crate::pg;
use crate::pg::argument::Raw;
use crate::pg::spi::Parameter;
use crate::shmem::transaction;
use crate::statement;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;

#[pg_extern(sql = false)]
fn delete(ids: Option<Raw>) -> Result<Vec<i64>, ErrorReport> {
    let ids = check::ids("ids", ids)?;
    let mut jobs = lock(&ids)?;
    // A claim on a row that is held as failed is about to end: its commit is done, its callback is not.
    jobs.retain(|job| job.claim.is_none() || job.held_as_failed);
    Ok(in_given_order(&ids, &cancel::remove(&jobs, "deleted")?))
}

#[pg_extern(sql = false)]
fn clear(entrypoints: Option<Raw>) -> Result<i64, ErrorReport> {
    if entrypoints.is_some() {
        check::entrypoints(entrypoints)?;
    }
    // Jobs of any number and any key are gone: everybody who waits looks anew.
    transaction::reserve(1)?;
    transaction::stirred(super::relation()?);
    let parameters = [Parameter::time(pg::now()), entrypoints.into()];
    Ok(statement::CLEAR.bigs(&parameters)?.first().copied().unwrap_or(0))
}
