//! Jobs end for good: `pgq.complete`, `pgq.complete_many`, `pgq.finish`. Fence, one statement, one row into the log;
//! memory follows when the transaction commits.

use super::check;
use super::fence::{self, Ended};
use crate::error::Error;
use crate::lease::Caller;
use crate::pg;
use crate::pg::argument::Raw;
use crate::pg::spi::Parameter;
use crate::statement;
use pgqueuer_core::claims::Outcome;
use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;
use std::collections::HashSet;

/// One end: the claim, how, and why.
#[derive(Debug, Clone, Copy)]
pub struct End {
    /// The claim.
    pub claim: Ended,
    /// How.
    pub outcome: Outcome,
    /// jsonb.
    pub error: Option<Raw>,
}

#[pg_extern(sql = false)]
fn complete(id: Option<i64>, worker: Option<Uuid>, attempt: Option<i32>) -> Result<bool, ErrorReport> {
    let caller = Caller::of("pgq.complete", c"pgq.complete()", worker)?;
    let ids = [check::id(id)?];
    Ok(!succeed(&caller, &ids, &[attempt])?.is_empty())
}

#[pg_extern(sql = false)]
fn complete_many(ids: Option<Raw>, worker: Option<Uuid>, attempts: Option<Raw>) -> Result<Vec<i64>, ErrorReport> {
    let caller = Caller::of("pgq.complete_many", c"pgq.complete_many()", worker)?;
    let (ids, attempts) = fence::ids_and_attempts(ids, attempts)?;
    Ok(succeed(&caller, &ids, &attempts)?)
}

#[pg_extern(sql = false)]
fn finish(
    ids: Option<Raw>,
    outcomes: Option<Raw>,
    errors: Option<Raw>,
    worker: Option<Uuid>,
    attempts: Option<Raw>,
) -> Result<Vec<i64>, ErrorReport> {
    let caller = Caller::of("pgq.finish", c"pgq.finish()", worker)?;
    let (ids, attempts) = fence::ids_and_attempts(ids, attempts)?;
    let outcomes = self::outcomes(outcomes, ids.len())?;
    let errors = errors.map(Raw::jsonbs);
    if let Some(errors) = &errors {
        check::same_length("errors", errors.len(), "ids", ids.len())?;
    }
    let outcome_of = |place: usize| outcomes.get(place).copied().unwrap_or(Outcome::Successful);
    let ends: Vec<End> = fence::begin(&caller, &ids, &attempts, outcome_of)?
        .into_iter()
        .map(|claim| {
            let outcome = outcome_of(claim.place);
            let error = errors.as_ref().and_then(|errors| errors.get(claim.place).copied().flatten());
            End { claim, outcome, error }
        })
        .collect();
    Ok(end(&caller, &ends)?)
}

fn outcomes(given: Option<Raw>, count: usize) -> Result<Vec<Outcome>, Error> {
    let words = [Outcome::Successful, Outcome::Exception, Outcome::Failed].map(|outcome| (outcome.word(), outcome));
    let given = given.map(Raw::texts).unwrap_or_default();
    check::same_length("outcomes", given.len(), "ids", count)?;
    given.iter().map(|word| check::option("outcomes", word.as_deref(), &words)).collect()
}

fn succeed(caller: &Caller, ids: &[i64], attempts: &[Option<i32>]) -> Result<Vec<i64>, Error> {
    let claims = fence::begin(caller, ids, attempts, |_| Outcome::Successful)?;
    let end_of = |claim| End { claim, outcome: Outcome::Successful, error: None };
    end(caller, &claims.into_iter().map(end_of).collect::<Vec<_>>())
}

/// Carries out ends that have begun, sorted by id. Returns the ids of those that came about, in the caller's order.
///
/// # Errors
/// [`Error::Broken`]; what PostgreSQL itself raises does not return.
pub fn end(caller: &Caller, ends: &[End]) -> Result<Vec<i64>, Error> {
    let (held, gone): (Vec<End>, Vec<End>) = ends.iter().partition(|end| end.outcome == Outcome::Failed);
    if !held.is_empty() && !gone.is_empty() {
        // Two statements would lock in two runs: take all locks first, in the one order.
        statement::LOCK.bigs(&[ends.iter().map(|end| end.claim.key.id).collect::<Vec<_>>().into()])?;
    }
    let mut done: HashSet<i64> = HashSet::new();
    if !gone.is_empty() {
        done.extend(remove(caller, &gone)?);
    }
    if !held.is_empty() {
        done.extend(hold(caller, &held)?);
    }
    ends.iter().filter(|end| !done.contains(&end.claim.key.id)).for_each(|end| fence::forget(&end.claim));
    let mut done: Vec<&End> = ends.iter().filter(|end| done.contains(&end.claim.key.id)).collect();
    done.sort_by_key(|end| end.claim.place);
    Ok(done.into_iter().map(|end| end.claim.key.id).collect())
}

fn remove(caller: &Caller, ends: &[End]) -> Result<Vec<i64>, Error> {
    let [now, ids, attempts, created, workers, picked, errors] = columns(caller, ends);
    let words: Vec<&str> = ends.iter().map(|end| end.outcome.word()).collect();
    statement::FINISH.bigs(&[now, ids, attempts, created, workers, picked, words.into(), errors])
}

fn hold(caller: &Caller, ends: &[End]) -> Result<Vec<i64>, Error> {
    statement::HOLD.bigs(&columns(caller, ends))
}

fn columns(caller: &Caller, ends: &[End]) -> [Parameter; 7] {
    let uuid = caller.uuid();
    let errors: Vec<Option<Raw>> = ends.iter().map(|end| end.error).collect();
    [
        Parameter::time(pg::now()),
        ends.iter().map(|end| end.claim.key.id).collect::<Vec<_>>().into(),
        ends.iter().map(|end| end.claim.ending.attempt).collect::<Vec<_>>().into(),
        Parameter::times(ends.iter().map(|end| Some(end.claim.ending.created))),
        vec![uuid; ends.len()].into(),
        Parameter::times(ends.iter().map(|end| Some(end.claim.ending.since))),
        Parameter::jsonbs(&errors),
    ]
}
