//! May this caller end that claim? Every end of a claim by its worker passes here, and only here.
//!
//! Beginning the end in memory keeps everybody out who would end it in memory alone (a release, the end of a lease);
//! whoever ends it by changing the row (cancel) meets us at the row's lock. A row that is gone or another attempt by
//! then is an answer, not an error.

use super::check;
use crate::error::{Error, warn};
use crate::lease::Caller;
use crate::pg::argument::Raw;
use crate::shmem::{memory, transaction};
use crate::statement;
use pgqueuer_core::claims::{Ending, JobKey, NotHeld};
use pgrx::PgSqlErrorCode;
use std::collections::HashSet;

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
/// everybody locks rows.
///
/// # Errors
/// [`Error::Broken`] where memory is out.
pub fn begin(caller: &Caller, ids: &[i64], attempts: &[Option<i32>]) -> Result<Vec<Ended>, Error> {
    transaction::reserve(ids.len())?;
    let mut order: Vec<usize> = (0..ids.len()).collect();
    order.sort_by_key(|place| ids.get(*place));
    let (mut ended, mut elsewhere, mut contested) = (Vec::with_capacity(ids.len()), vec![], vec![]);
    for place in order {
        let (Some(id), attempt) = (ids.get(place), attempts.get(place).copied().flatten()) else { continue };
        match begin_one(caller, *id, attempt, place) {
            Ok(one) => ended.push(one),
            Err(NotHeld::BySession) => elsewhere.push(*id),
            Err(NotHeld::Ending) => contested.push((*id, attempt, place)),
            Err(NotHeld::Gone | NotHeld::ByWorker) => {}
        }
    }
    if let (Some(id), true) = (elsewhere.first(), caller.is_session()) {
        warn_of_other_session(*id);
    }
    wait_for(caller, &contested, &mut ended)?;
    ended.sort_by_key(|one| one.key.id);
    Ok(ended)
}

fn begin_one(caller: &Caller, id: i64, attempt: Option<i32>, place: usize) -> Result<Ended, NotHeld> {
    let key = JobKey { relation: caller.relation, id };
    let begun = memory::change(|claims| claims.begin_end(&key, &caller.worker, attempt, caller.session));
    let ending = begun.unwrap_or(Err(NotHeld::Gone))?;
    transaction::ending(key, ending.number);
    Ok(Ended { key, ending, place })
}

/// Another open transaction of the same worker is ending these: its end decides, and it holds the row's lock.
fn wait_for(caller: &Caller, contested: &[(i64, Option<i32>, usize)], ended: &mut Vec<Ended>) -> Result<(), Error> {
    if contested.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = contested.iter().map(|(id, _, _)| *id).collect();
    let left: HashSet<i64> = statement::LOCK.bigs(&[ids.into()])?.into_iter().collect();
    for (id, attempt, place) in contested.iter().filter(|(id, _, _)| left.contains(id)) {
        ended.extend(begin_one(caller, *id, *attempt, *place));
    }
    Ok(())
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
