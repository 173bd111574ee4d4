//! `pgq.import_schedule`: a schedule that another scheduler has begun with. No tick that it has dealt with comes again, and
//! none is lost.

use super::{NAME, changed, read, zone};
use crate::error::Error;
use crate::installation;
use crate::job::check;
use crate::pg::argument::Raw;
use crate::pg::spi::Parameter;
use crate::pg::{self, Time};
use crate::statement;
use pgqueuer_core::cron::{Cron, Zone};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;

/// By so much another scheduler's clock may be ahead of the server's, microseconds.
const SKEW: Time = 2_000_000;

#[pg_extern(sql = false)]
fn import_schedule(
    name: Option<&str>,
    cron: Option<&str>,
    entrypoint: Option<&str>,
    next_tick: Option<Raw>,
    last_tick: Option<Raw>,
) -> Result<Option<i64>, ErrorReport> {
    let name = check::entrypoint("name", name).map_err(|error| error.with_hint(NAME))?;
    let expression = read(cron)?;
    let entrypoint = check::entrypoint("entrypoint", entrypoint)?;
    let zone = zone(Some("UTC"))?;
    let next_tick = next_tick.map(|time| time.0.value() as Time);
    if next_tick == Some(Time::MAX) {
        return Err(Error::argument(
            "next_tick",
            "be finite",
            None,
            "Pass the next tick, or -infinity for one at once.",
        )
        .into());
    }
    let Some(next) = first(&expression, zone, next_tick, pg::now()) else {
        return Err(Error::argument("cron", "name a time that comes", None, super::NEVER).into());
    };
    let parameters = [
        name.into(),
        cron.into(),
        zone.name().into(),
        entrypoint.into(),
        Parameter::time(next),
        last_tick.into(),
        pg::caller().into(),
    ];
    installation::begin()?;
    let id = statement::IMPORT_SCHEDULE.bigs(&parameters)?.first().copied();
    if id.is_some() {
        changed()?;
    }
    Ok(id)
}

/// The tick with which to begin. Of those that have passed it is the last one, which stands for them all.
fn first(cron: &Cron, zone: Zone, given: Option<Time>, now: Time) -> Option<Time> {
    let Some(given) = given else { return cron.next(zone, now) };
    let is_tick = cron.last(zone, given) == Some(given);
    let next = if is_tick { given } else { cron.next(zone, given.saturating_sub(SKEW))? };
    Some(cron.last(zone, now).map_or(next, |last| last.max(next)))
}
