//! An attempt failed, or wants another: `pgq.fail`, `pgq.retry`. What becomes of the job is decided by a pure function,
//! then carried out as any other end.

use super::fence::{self, Ended};
use super::finish::{End, end};
use super::{check, wake};
use crate::error::Error;
use crate::lease::Caller;
use crate::pg;
use crate::pg::argument::Raw;
use crate::pg::spi::{Parameter, Row};
use crate::shmem::transaction;
use crate::statement;
use pgqueuer_core::backoff::Backoff;
use pgqueuer_core::claims::Outcome;
use pgqueuer_core::failure::{self, OnFailure, Policy, after_failure};
use pgrx::Uuid;
use pgrx::datum::{Interval, IntoDatum};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;

macro_rules! overload {
    ($(#[$doc:meta])* $name:ident, $error:expr) => {
        $(#[$doc])*
        #[pg_extern(sql = false)]
        fn $name(
            id: Option<i64>,
            error: Option<Raw>,
            worker: Option<Uuid>,
            attempt: Option<i32>,
        ) -> Result<Option<Raw>, ErrorReport> {
            let caller = Caller::of("pgq.fail", c"pgq.fail()", worker)?;
            Ok(fail(&caller, check::id(id)?, error.and_then($error), attempt)?)
        }
    };
}

overload!(
    /// `pgq.fail` with a text, which the log keeps as a JSON string.
    fail_text,
    Raw::text_as_jsonb
);
overload!(
    /// `pgq.fail` with json.
    fail_json,
    Raw::json_as_jsonb
);
overload!(
    /// `pgq.fail` with jsonb.
    fail_jsonb,
    Some
);

/// Returns what the job is now, a pgq.job_status; `None` where the caller does not hold it.
fn fail(caller: &Caller, id: i64, error: Option<Raw>, attempt: Option<i32>) -> Result<Option<Raw>, Error> {
    let Some(claim) = fence::begin(caller, &[id], &[attempt], |_| Outcome::Retried)?.pop() else {
        return Ok(None);
    };
    let policy = statement::POLICY.run(&[id.into()], |rows| Ok(rows.first().map(|row| policy(&row))))?;
    let Some((failures, policy)) = policy else {
        fence::forget(&claim);
        return Ok(None);
    };
    let (word, done) = match after_failure(failures, &policy) {
        failure::Outcome::Retry(delay) => {
            let delay = Interval::from_micros(delay);
            ("queued", again(caller, &claim, delay.into(), error, 1)?)
        }
        failure::Outcome::Hold => ("failed", give_up(caller, claim, Outcome::Failed, error)?),
        failure::Outcome::Drop => ("exception", give_up(caller, claim, Outcome::Exception, error)?),
    };
    if !done {
        return Ok(None);
    }
    statement::STATUS.run(&[word.into()], |rows| Ok(rows.first().and_then(|row| row.datum(1)).map(Raw)))
}

fn give_up(caller: &Caller, claim: Ended, outcome: Outcome, error: Option<Raw>) -> Result<bool, Error> {
    transaction::ends_as(claim.ending.number, outcome);
    Ok(!end(caller, &[End { claim, outcome, error }])?.is_empty())
}

/// Reads the columns of `policy.sql`; an entrypoint without settings has the defaults.
fn policy(row: &Row) -> (u32, Policy) {
    let micros = |column, default| row.get::<Interval>(column).map_or(default, |interval| pg::microseconds(&interval));
    let on_failure = if row.text(6).as_deref() == Some("delete") { OnFailure::Delete } else { OnFailure::Hold };
    let backoff =
        Backoff { initial: micros(3, 1_000_000), max: micros(4, 300_000_000), multiplier: row.get(5).unwrap_or(2.0) };
    let max_attempts = row.int(2).unwrap_or(5).unsigned_abs();
    (row.int(1).unwrap_or(0).unsigned_abs(), Policy { max_attempts, backoff, on_failure })
}

#[pg_extern(sql = false)]
fn retry(
    id: Option<i64>,
    delay: Option<Raw>,
    reason: Option<Raw>,
    worker: Option<Uuid>,
    attempt: Option<i32>,
) -> Result<bool, ErrorReport> {
    let caller = Caller::of("pgq.retry", c"pgq.retry()", worker)?;
    let id = check::id(id)?;
    let delay = delay.or_else(|| Interval::from_micros(0).into_datum().map(Raw));
    let Some(claim) = fence::begin(&caller, &[id], &[attempt], |_| Outcome::Retried)?.pop() else {
        return Ok(false);
    };
    Ok(again(&caller, &claim, delay.into(), reason.and_then(Raw::text_as_jsonb), 0)?)
}

/// Queues the job again after a delay. `failures` is 1 where the attempt counts as failed.
fn again(caller: &Caller, claim: &Ended, delay: Parameter, error: Option<Raw>, failures: i32) -> Result<bool, Error> {
    let parameters = [
        Parameter::time(pg::now()),
        claim.key.id.into(),
        claim.ending.attempt.into(),
        Parameter::time(claim.ending.created),
        caller.uuid().into(),
        Parameter::time(claim.ending.since),
        error.into(),
        delay,
        failures.into(),
    ];
    let queued = statement::RETRY
        .run(&parameters, |rows| Ok(rows.first().and_then(|row| Some((row.text(2)?, row.time(3)?)))))?;
    match &queued {
        Some((entrypoint, due)) => wake::wake(caller.relation, entrypoint, *due, 1)?,
        None => fence::forget(claim),
    }
    Ok(queued.is_some())
}
