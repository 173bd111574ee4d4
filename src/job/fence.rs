//! May this caller end that claim? Every end of a claim by its worker passes here, and only here.
//!
//! Beginning the end in memory keeps everybody out who would end it in memory alone (a release, the end of a lease);
//! whoever ends it by changing the row (cancel) meets us at the row's lock. A row that is gone or another attempt by
//! then is an answer, not an error.

use super::check;
use crate::error::{Error, warn};
use crate::lease::Caller;
use crate::pg;
use crate::pg::argument::Raw;
use crate::shmem::{memory, transaction};
use pgqueuer_core::claims::{Ending, JobKey, NotHeld, Outcome};
use pgrx::PgSqlErrorCode;

/// A claim whose end has begun, noted in the transaction's list.
#[derive(Debug, Clone, Copy)]
pub struct Ended {
    /// The job.
    pub key: JobKey,
    /// The claim.
    pub ending: Ending,
    /// Where in the caller's list it stands.
    pub place: usize,
}

/// Reads ids and, where given, attempts of a call that ends many claims.
pub fn ids_and_attempts(ids: Option<Raw>, attempts: Option<Raw>) -> Result<(Vec<i64>, Vec<Option<i32>>), Error> {
    let ids = check::ids("ids", ids)?;
    let attempts = attempts.map(Raw::ints);
    if let Some(attempts) = &attempts {
        check::same_length("attempts", attempts.len(), "ids", ids.len())?;
    }
    let attempts = attempts.unwrap_or_else(|| vec![None; ids.len()]);
    Ok((ids, attempts))
}

/// Begins the end of those of the claims that are the caller's, in the order of their ids: the order in which
/// everybody locks rows. `outcome` tells for each place of the list how it is to be counted.
///
/// # Errors
/// [`Error::Broken`] where memory is out.
pub fn begin(
    caller: &Caller,
    ids: &[i64],
    attempts: &[Option<i32>],
    outcome: impl Fn(usize) -> Outcome,
) -> Result<Vec<Ended>, Error> {
    transaction::reserve(ids.len())?;
    let mut order: Vec<usize> = (0..ids.len()).collect();
    order.sort_by_key(|place| ids.get(*place));
    let (mut ended, mut elsewhere) = (Vec::with_capacity(ids.len()), None);
    for place in order {
        let (Some(id), attempt) = (ids.get(place), attempts.get(place).copied().flatten()) else { continue };
        match begin_one(caller, *id, attempt, place, outcome(place)) {
            Ok(one) => ended.push(one),
            Err(NotHeld::BySession) => elsewhere = elsewhere.or(Some(*id)),
            Err(NotHeld::Gone | NotHeld::ByWorker | NotHeld::Ending(_)) => {}
        }
    }
    if let Some(id) = elsewhere.filter(|_| caller.is_session()) {
        warn_of_other_session(id);
    }
    Ok(ended)
}

/// Begins the end of one claim. Waits for another open transaction of the same worker that is ending it: only when that
/// has ended is it known whether the claim is still the caller's. The row's lock would not tell: a release takes none,
/// and other ends take it after the claim is marked.
fn begin_one(caller: &Caller, id: i64, attempt: Option<i32>, place: usize, outcome: Outcome) -> Result<Ended, NotHeld> {
    let (key, ender) = (JobKey { relation: caller.relation, id }, pg::version::transaction());
    loop {
        let begun = memory::change(|claims| claims.begin_end(&key, &caller.worker, attempt, caller.session, ender));
        match begun.unwrap_or(Err(NotHeld::Gone)) {
            Err(NotHeld::Ending(other)) => pg::wait_for(other),
            Err(not_held) => return Err(not_held),
            Ok(ending) => {
                transaction::ending(key, ending.number, outcome);
                return Ok(Ended { key, ending, place });
            }
        }
    }
}

/// The end did not come about: the row was not what it must be.
pub fn forget(ended: &Ended) {
    transaction::unend(ended.key, ended.ending.number);
}

fn warn_of_other_session(id: i64) {
    let message = format!("job {id} is held by another session");
    let hint = "A session's claims can be ended only by that session. Behind a connection pool pass worker => to pgq.dequeue and to the call that ends the claim.";
    warn(PgSqlErrorCode::ERRCODE_WARNING, message, hint);
}
