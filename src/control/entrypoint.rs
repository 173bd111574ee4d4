//! `pgq.configure`, `pgq.pause`, `pgq.resume`: settings of entrypoints.

use crate::error::Error;
use crate::job::{check, wake::wake};
use crate::pg;
use crate::pg::argument::Raw;
use crate::shmem::memory;
use crate::statement;
use pgrx::datum::Interval;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;

#[pg_extern(sql = false)]
fn pause(entrypoint: Option<&str>) -> Result<bool, ErrorReport> {
    let entrypoint = check::entrypoint("entrypoint", entrypoint)?;
    Ok(statement::PAUSE.run(&[entrypoint.into()], |rows| Ok(rows.len() > 0))?)
}

#[pg_extern(sql = false)]
fn resume(entrypoint: Option<&str>) -> Result<bool, ErrorReport> {
    let entrypoint = check::entrypoint("entrypoint", entrypoint)?;
    let resumed = statement::RESUME.run(&[entrypoint.into()], |rows| Ok(rows.len() > 0))?;
    if resumed {
        wake_everybody(entrypoint)?;
    }
    Ok(resumed)
}

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn configure(
    entrypoint: Option<&str>,
    concurrency_limit: Option<i32>,
    max_attempts: Option<i32>,
    backoff_initial: Option<Interval>,
    backoff_max: Option<Interval>,
    backoff_multiplier: Option<f64>,
    on_failure: Option<&str>,
    max_releases: Option<i32>,
    rate_limit: Option<i32>,
    rate_period: Option<Interval>,
) -> Result<Option<Raw>, ErrorReport> {
    let entrypoint = check::entrypoint("entrypoint", entrypoint)?;
    at_least("concurrency_limit", concurrency_limit, 0)?;
    at_least("max_attempts", max_attempts, 1)?;
    at_least("max_releases", max_releases, 0)?;
    at_least("rate_limit", rate_limit, 0)?;
    duration("backoff_initial", backoff_initial.as_ref(), 0)?;
    duration("backoff_max", backoff_max.as_ref(), 0)?;
    multiplier(backoff_multiplier)?;
    on_failure.map(|word| check::option("on_failure", Some(word), &[("hold", ()), ("delete", ())])).transpose()?;
    duration("rate_period", rate_period.as_ref(), 1)?;
    let parameters = [
        entrypoint.into(),
        concurrency_limit.into(),
        max_attempts.into(),
        backoff_initial.into(),
        backoff_max.into(),
        backoff_multiplier.into(),
        on_failure.into(),
        max_releases.into(),
        rate_limit.into(),
        rate_period.into(),
    ];
    let row = statement::CONFIGURE.run(&parameters, |rows| Ok(rows.first().and_then(|row| row.copy(1)).map(Raw)))?;
    wake_everybody(entrypoint)?;
    Ok(row)
}

/// How many jobs may be handed out now is not known.
fn wake_everybody(entrypoint: &str) -> Result<(), Error> {
    wake(memory::relation(pg::relation(c"job")?), entrypoint, pg::now(), usize::MAX)
}

fn at_least(name: &str, given: Option<i32>, least: i32) -> Result<(), Error> {
    match given.filter(|given| *given < least) {
        Some(given) => {
            let must = format!("be at least {least}");
            let hint = format!("Allowed are {least} to {}.", i32::MAX);
            Err(Error::argument(name, &must, format!("It is {given}."), &hint))
        }
        None => Ok(()),
    }
}

/// An interval of at least so many microseconds.
fn duration(name: &str, given: Option<&Interval>, least: i64) -> Result<(), Error> {
    match given.filter(|given| !(least..=pg::LONGEST).contains(&pg::microseconds(given))) {
        Some(_) => {
            let must = if least > 0 { "be longer than 0, and at most 100 years" } else { "be from 0 to 100 years" };
            Err(Error::argument(name, must, None, "Allowed are intervals such as '1 s', up to '100 years'."))
        }
        None => Ok(()),
    }
}

fn multiplier(given: Option<f64>) -> Result<(), Error> {
    match given.filter(|given| !given.is_finite() || *given < 1.0) {
        Some(given) => {
            let detail = format!("It is {given}.");
            Err(Error::argument("backoff_multiplier", "be at least 1", detail, "Allowed are finite numbers from 1 on."))
        }
        None => Ok(()),
    }
}
