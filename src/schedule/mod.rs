//! Schedules: each tick enqueues a job.
//!
//! - this file     pgq.schedule, pgq.unschedule, pgq.pause_schedule, pgq.resume_schedule
//! - [`arm`]       pgq.arm: schedules of a copy tick, too
//! - [`cron_next`] when an expression ticks
//! - [`import`]    pgq.import_schedule: one that another scheduler has begun with
//! - [`fire`]      ticks that have come: their jobs are enqueued and the ticks taken, in one transaction

mod arm;
mod cron_next;
pub mod fire;
mod import;

use crate::error::Error;
use crate::installation;
use crate::job::check;
use crate::pg::argument::Raw;
use crate::pg::spi::Parameter;
use crate::pg::{self, Time};
use crate::shmem::{memory, service, transaction};
use crate::statement::{self, Statement};
use pgqueuer_core::cron::{CatchUp, Cron, Zone};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::{PgTrigger, pg_extern, pg_trigger};
use pgrx::{PgTriggerError, WhoAllocated};

/// What becomes of ticks that were missed.
const CATCH_UP: [(&str, CatchUp); 3] = [("skip", CatchUp::Skip), ("one", CatchUp::One), ("all", CatchUp::All)];

/// What to do about an expression that never ticks.
const NEVER: &str = "Its day and month never come together: for the last day of February write '0 0 28 2 *'.";

/// What the name of a schedule is.
const NAME: &str = "Pass the name of a schedule, of 1 to 255 bytes.";

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn schedule(
    name: Option<&str>,
    cron: Option<&str>,
    entrypoint: Option<&str>,
    payload: Option<Raw>,
    timezone: Option<&str>,
    priority: Option<i32>,
    headers: Option<Raw>,
    catch_up: Option<&str>,
    overlap: Option<bool>,
    ordering_key: Option<&str>,
    payload_bytes: Option<Raw>,
) -> Result<i64, ErrorReport> {
    let name = check::entrypoint("name", name).map_err(|error| error.with_hint(NAME))?;
    let expression = read(cron)?;
    let entrypoint = entrypoint.map_or(Ok(name), |given| check::entrypoint("entrypoint", Some(given)))?;
    let zone = zone(timezone)?;
    check::headers(headers)?;
    check::option("catch_up", catch_up, &CATCH_UP)?;
    check::key("ordering_key", ordering_key)?;
    if payload.is_some() && payload_bytes.is_some() {
        let hint = "Pass payload for text, or payload_bytes for bytes.";
        return Err(Error::argument("payload", "not be given together with payload_bytes", None, hint).into());
    }
    let Some(next) = expression.next(zone, pg::now()) else {
        return Err(Error::argument("cron", "name a time that comes", None, NEVER).into());
    };
    let parameters = [
        name.into(),
        cron.into(),
        zone.name().into(),
        entrypoint.into(),
        payload.or(payload_bytes).into(),
        priority.unwrap_or(0).into(),
        headers.into(),
        catch_up.into(),
        overlap.unwrap_or(false).into(),
        ordering_key.into(),
        Parameter::time(next),
        pg::caller().into(),
    ];
    installation::begin()?;
    let Some(id) = statement::SCHEDULE.bigs(&parameters)?.first().copied() else {
        return Err(Error::Broken("there is no row in pgq.installation: SELECT pgq.arm()".to_owned()).into());
    };
    changed()?;
    Ok(id)
}

#[pg_extern(sql = false)]
fn unschedule(name: Option<&str>) -> Result<bool, ErrorReport> {
    Ok(change(&statement::UNSCHEDULE, name)?)
}

#[pg_extern(sql = false)]
fn pause_schedule(name: Option<&str>) -> Result<bool, ErrorReport> {
    Ok(change(&statement::PAUSE_SCHEDULE, name)?)
}

#[pg_extern(sql = false)]
fn resume_schedule(name: Option<&str>) -> Result<bool, ErrorReport> {
    let name = named(name)?;
    let paused = statement::PAUSED_SCHEDULE
        .run(&[name.into()], |rows| Ok(rows.first().and_then(|row| Some((row.text(1)?, row.text(2)?)))))?;
    let Some((cron, timezone)) = paused else { return Ok(false) };
    let next = read(Some(&cron))?.next(zone(Some(&timezone))?, pg::now());
    let next: Option<Parameter> = next.map(Parameter::time);
    statement::RESUME_SCHEDULE.run(&[name.into(), next.unwrap_or(Parameter::NULL)], |_| Ok(()))?;
    changed()?;
    Ok(true)
}

fn change(statement: &Statement, name: Option<&str>) -> Result<bool, Error> {
    let found = !statement.bigs(&[named(name)?.into()])?.is_empty();
    if found {
        changed()?;
    }
    Ok(found)
}

fn named(name: Option<&str>) -> Result<&str, Error> {
    name.ok_or_else(|| Error::argument("name", "not be NULL", None, NAME))
}

/// The scheduler looks anew once this has committed.
fn changed() -> Result<(), Error> {
    if memory::is_there() {
        let relation = memory::relation(pg::relation(c"job")?);
        service::ensure(relation);
        transaction::reserve(1)?;
        transaction::rescheduled(relation);
    }
    Ok(())
}

/// Rows of the table itself were written, past the functions.
#[pg_trigger(sql = false)]
fn schedules_written<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<pgrx::heap_tuple::PgHeapTuple<'a, impl WhoAllocated>>, PgTriggerError> {
    if !pg::spi::is_running() {
        changed().unwrap_or_else(|error| crate::error::raise(error));
    }
    Ok(trigger.new())
}

/// A cron expression.
fn read(cron: Option<&str>) -> Result<Cron, Error> {
    let hint = "Five fields, minute hour day-of-month month day-of-week, or six with the seconds last: \
                '30 6 * * mon-fri', '* * * * * */10', '@daily'.";
    let given = cron.ok_or_else(|| Error::argument("cron", "not be NULL", None, hint))?;
    Cron::parse(given).map_err(|error| Error::argument("cron", "be a cron expression", format!("{error}."), hint))
}

/// A time zone.
fn zone(timezone: Option<&str>) -> Result<Zone, Error> {
    timezone.and_then(Zone::parse).ok_or_else(|| {
        let hint = "Pass an IANA name such as 'UTC', 'Europe/Berlin' or 'America/New_York'.";
        Error::argument("timezone", "be a time zone", check::shown(timezone), hint)
    })
}

/// When a schedule whose row says so ticks next.
fn next_of(cron: &str, timezone: &str, after: Time) -> Option<Time> {
    Cron::parse(cron).ok()?.next(Zone::parse(timezone)?, after)
}
