//! `pgq.delete` and `pgq.clear`: remove jobs that nobody runs.

use super::{cancel, in_given_order, lock};
use crate::job::{check, wake};
use crate::pg;
use crate::pg::argument::Raw;
use crate::pg::spi::Parameter;
use crate::shmem::transaction;
use crate::statement;
use pgqueuer_core::claims::Outcome;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;

#[pg_extern(sql = false)]
fn delete(ids: Option<Raw>) -> Result<Vec<i64>, ErrorReport> {
    let ids = check::ids("ids", ids)?;
    let mut jobs = lock(&ids)?;
    // A claim on a row that is held as failed is about to end: its commit is done, its callback is not.
    jobs.retain(|job| job.claim.is_none() || job.held_as_failed);
    Ok(in_given_order(&ids, &cancel::remove(&jobs, Outcome::Deleted)?))
}

#[pg_extern(sql = false)]
fn clear(entrypoints: Option<Raw>) -> Result<i64, ErrorReport> {
    if entrypoints.is_some() {
        check::entrypoints(entrypoints)?;
    }
    // Jobs of any number and any key are gone: everybody who waits looks anew.
    transaction::reserve(1)?;
    let relation = super::relation()?;
    transaction::stirred(relation);
    let parameters = [Parameter::time(pg::now()), entrypoints.into()];
    let cleared: Vec<(String, i64)> = statement::CLEAR
        .run(&parameters, |rows| Ok(rows.iter().filter_map(|row| Some((row.text(1)?, row.big(2)?))).collect()))?;
    for (entrypoint, jobs) in &cleared {
        wake::ended(relation, entrypoint, Outcome::Deleted, usize::try_from(*jobs).unwrap_or(0))?;
    }
    Ok(cleared.iter().map(|(_, jobs)| jobs).sum())
}
