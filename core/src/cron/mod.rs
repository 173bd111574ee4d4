//! Cron expressions: when does a schedule tick?
//!
//! The dialect, read by [`Cron::parse`]. Five fields, `minute hour day-of-month month day-of-week`, or six with the
//! seconds last: `* * * * * */3` is every three seconds; five fields tick at second 0. A field is a list, separated by
//! commas, of
//!
//! - `*`      every value
//! - `5`      one value; months and days of the week also by name, `jan` to `dec` and `sun` to `sat`, in any case
//! - `10-20`  a range, which does not run past the field's end: not `22-2` but `22-23,0-2`
//! - `*/5`, `10-20/5`, `10/5`  every fifth value of all, of the range, from 10 on
//!
//! Sunday is 0, and 7 wherever one writes it so: `5-7` and `fri-sun` are Friday to Sunday. If both the day of the month
//! and the day of the week are restricted, a day that either matches will do; a field that begins with `*` restricts
//! nothing, not even as `*/2`: then both must match (Vixie cron's and cronie's rule). `@yearly`, `@annually`,
//! `@monthly`, `@weekly`, `@daily`, `@midnight` and `@hourly` stand for whole expressions.
//!
//! Zones, in `next.rs`. Where the hour or the minute begins with `*`, the schedule keeps its beat: an instant is a tick
//! exactly if the clock in the zone then shows a matching time. Any other names times of the day, and each of them is
//! one tick: the first instant at which the clock shows it, or the end of the gap in which the clock passes over it.
//! Those that fall on the same instant are one tick.
//!
//! An instant is a PostgreSQL `timestamptz`: microseconds since 2000-01-01 00:00 UTC, `i64::MIN` and `i64::MAX` for the
//! infinities. There are ticks in the years 1970 to 2100 of the zone; outside there are none. Nothing here panics. A
//! call takes microseconds; one that catches up with a thousand ticks, milliseconds.

mod field;
mod missed;
mod next;
mod parse;
mod zone;

pub use missed::{CatchUp, DROPPED_COUNTED, Due, FIRED_MOST, has_gone_back};
pub use parse::ParseError;
pub use zone::Zone;

/// 2000-01-01 00:00 UTC, in seconds since 1970.
const POSTGRES_EPOCH: i64 = 946_684_800;
const MICROSECONDS: i64 = 1_000_000;
/// 2101-01-01 00:00, in seconds since 1970: the `cron` crate knows no later year.
const END: i64 = 4_133_980_800;
const DAY: i64 = 86_400;

/// A cron expression that has been read.
#[derive(Debug, Clone)]
pub struct Cron {
    /// One in the crate's dialect, or two of which either may match.
    schedules: Vec<::cron::Schedule>,
    /// The hour or the minute begins with `*`.
    keeps_beat: bool,
}

impl Cron {
    /// The first tick after `after`; none if there is none until the end of the year 2100.
    pub fn next(&self, zone: Zone, after: i64) -> Option<i64> {
        self.next_second(zone, second_of(after)).map(instant_of)
    }

    /// The last tick at or before `until`; none if there was none since 1970.
    pub fn last(&self, zone: Zone, until: i64) -> Option<i64> {
        self.last_second(zone, second_of(until)).map(instant_of)
    }
}

/// The second, counted from 1970, in which `instant` lies. What is far outside the years of ticks becomes a time a few
/// days outside, so that no sum overflows.
fn second_of(instant: i64) -> i64 {
    (instant.div_euclid(MICROSECONDS) + POSTGRES_EPOCH).clamp(-4 * DAY, END + 4 * DAY)
}

fn instant_of(second: i64) -> i64 {
    (second - POSTGRES_EPOCH) * MICROSECONDS
}

#[cfg(test)]
mod tests;
