//! `pgq.requeue` and `pgq.reschedule`: change when jobs run that nobody runs.

use super::{Locked, in_given_order, lock, relation};
use crate::error::Error;
use crate::job::{check, wake::wake};
use crate::pg;
use crate::pg::argument::Raw;
use crate::pg::spi::{Parameter, Rows};
use crate::statement;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;

/// How often a requeue looks again before it gives up as any INSERT of a key that is taken.
const LOOKS: usize = 10;

#[pg_extern(sql = false)]
fn requeue(ids: Option<Raw>) -> Result<Vec<i64>, ErrorReport> {
    let ids = check::ids("ids", ids)?;
    let held = which(&lock(&ids)?, |job| job.held_as_failed);
    let parameters = [Parameter::time(pg::now()), held.into()];
    // A producer whose transaction was open when the statement looked may have enqueued the key: look again.
    let attempt = || {
        let run = || statement::REQUEUE.run(&parameters, changed);
        pg::in_subtransaction(|| pg::catch_duplicate(run, |detail| Error::Duplicate { detail }))
    };
    let taken = |answer: &Result<_, Error>| matches!(answer, Err(Error::Duplicate { .. }));
    let mut looks = (0..LOOKS).map(|_| attempt());
    let queued = looks.find(|answer| !taken(answer)).unwrap_or_else(attempt)?;
    Ok(in_given_order(&ids, &queued))
}

#[pg_extern(sql = false)]
fn reschedule(ids: Option<Raw>, execute_after: Option<Raw>, priority: Option<i32>) -> Result<Vec<i64>, ErrorReport> {
    let ids = check::ids("ids", ids)?;
    let Some(execute_after) = execute_after else {
        let hint = "Pass the earliest start, or leave it out for now.";
        return Err(Error::argument("execute_after", "not be NULL", None, hint).into());
    };
    let queued = which(&lock(&ids)?, Locked::is_queued);
    let parameters = [queued.into(), execute_after.into(), priority.into()];
    Ok(in_given_order(&ids, &statement::RESCHEDULE.run(&parameters, changed)?))
}

fn which(jobs: &[Locked], is: impl Fn(&Locked) -> bool) -> Vec<i64> {
    jobs.iter().filter(|job| is(job)).map(|job| job.key.id).collect()
}

/// Rows of (id, entrypoint, due): wakes the workers of each and returns the ids.
fn changed(rows: &Rows) -> Result<Vec<i64>, Error> {
    let relation = relation()?;
    for (entrypoint, due) in rows.iter().filter_map(|row| Some((row.text(2)?, row.time(3)?))) {
        wake(relation, &entrypoint, due, 1)?;
    }
    Ok(rows.bigs())
}
