//! A lost claim: its worker is gone. The attempt counts, the log says `released`, and the job is queued again at once; after
//! too many of them it counts as failed. Called by the database's worker alone.
//!
//! The row is locked first, without waiting. What is locked by somebody else is left for the next time; what is not what
//! was claimed any more has no claim to be released.

use crate::error::Error;
use crate::pg;
use crate::pg::argument::Raw;
use crate::pg::spi::Parameter;
use crate::shmem::{memory, transaction};
use crate::statement;
use pgqueuer_core::claims::{Claim, JobKey, Outcome, QueueKey, Relation};
use pgqueuer_core::failure::{OnFailure, after_release};
use pgrx::Uuid;
use std::collections::HashMap;

/// What becomes of one.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Queued,
    Held,
    Dropped,
}

/// Releases lost claims, as far as nobody has locked their rows. Returns how many need no further look.
///
/// # Errors
/// [`Error::Broken`].
pub fn release(relation: Relation, claims: &[(i64, Claim)]) -> Result<usize, Error> {
    let fates: HashMap<i64, Fate> = statement::LOST.run(&keys(claims), |rows| {
        let fate = |row: pg::spi::Row| {
            let delete = row.text(4).as_deref() == Some("delete");
            let on_failure = if delete { OnFailure::Delete } else { OnFailure::Hold };
            let releases = row.int(2)?.unsigned_abs();
            Some((
                row.big(1)?,
                match after_release(releases, row.int(3).unwrap_or(10).unsigned_abs(), on_failure) {
                    None => Fate::Queued,
                    Some(OnFailure::Hold) => Fate::Held,
                    Some(OnFailure::Delete) => Fate::Dropped,
                },
            ))
        };
        Ok(rows.iter().filter_map(fate).collect())
    })?;
    // Each with what counts it.
    transaction::reserve(2 * fates.len())?;
    let having =
        |fate| -> Vec<(i64, Claim)> { claims.iter().filter(|(id, _)| fates.get(id) == Some(&fate)).copied().collect() };
    queue_again(relation, &having(Fate::Queued))?;
    give_up(relation, &having(Fate::Held), Fate::Held)?;
    give_up(relation, &having(Fate::Dropped), Fate::Dropped)?;
    let left: Vec<(i64, Claim)> = claims.iter().filter(|(id, _)| !fates.contains_key(id)).copied().collect();
    Ok(fates.len() + forget_stale(relation, &left)?)
}

fn queue_again(relation: Relation, claims: &[(i64, Claim)]) -> Result<(), Error> {
    if claims.is_empty() {
        return Ok(());
    }
    let [ids, attempts, created] = keys(claims);
    let parameters = [Parameter::time(pg::now()), ids, attempts, created, workers(claims), picked(claims)];
    statement::RELEASE.run(&parameters, |_| Ok(()))?;
    claims.iter().for_each(|(id, claim)| transaction::freeing(JobKey { relation, id: *id }, claim.number));
    claims.iter().for_each(|(_, claim)| {
        transaction::counted(QueueKey { relation, name: claim.queue }, Outcome::Released, 1);
    });
    Ok(())
}

fn give_up(relation: Relation, claims: &[(i64, Claim)], fate: Fate) -> Result<(), Error> {
    if claims.is_empty() {
        return Ok(());
    }
    let reason = Raw::text_as_jsonb(pg::argument::text("released too often: its worker was lost again and again"));
    let errors = Parameter::jsonbs(&vec![reason; claims.len()]);
    let [ids, attempts, created] = keys(claims);
    let (now, workers, picked) = (Parameter::time(pg::now()), workers(claims), picked(claims));
    let outcome = if fate == Fate::Held { Outcome::Failed } else { Outcome::Exception };
    if fate == Fate::Held {
        statement::HOLD.bigs(&[now, ids, attempts, created, workers, picked, errors])?;
    } else {
        let words = vec![outcome.word(); claims.len()].into();
        statement::FINISH.bigs(&[now, ids, attempts, created, workers, picked, words, errors])?;
    }
    claims.iter().for_each(|(id, claim)| transaction::ending(JobKey { relation, id: *id }, claim.number, outcome));
    Ok(())
}

/// Ends claims whose rows are gone or not what was claimed. Returns how many.
fn forget_stale(relation: Relation, claims: &[(i64, Claim)]) -> Result<usize, Error> {
    if claims.is_empty() {
        return Ok(0);
    }
    let there = statement::STILL_THERE.bigs(&keys(claims))?;
    let stale: Vec<_> = claims.iter().filter(|(id, _)| !there.contains(id)).collect();
    for (id, claim) in &stale {
        memory::change(|claims| claims.free(&JobKey { relation, id: *id }, claim.number));
    }
    Ok(stale.len())
}

/// Ids, attempts, times of creation: what a row must say to be the one that was claimed.
fn keys(claims: &[(i64, Claim)]) -> [Parameter; 3] {
    [
        claims.iter().map(|(id, _)| *id).collect::<Vec<_>>().into(),
        claims.iter().map(|(_, claim)| claim.attempt).collect::<Vec<_>>().into(),
        Parameter::times(claims.iter().map(|(_, claim)| Some(claim.created))),
    ]
}

fn workers(claims: &[(i64, Claim)]) -> Parameter {
    claims.iter().map(|(_, claim)| pg::argument::uuid(claim.worker.uuid())).collect::<Vec<Uuid>>().into()
}

fn picked(claims: &[(i64, Claim)]) -> Parameter {
    Parameter::times(claims.iter().map(|(_, claim)| Some(claim.since)))
}
