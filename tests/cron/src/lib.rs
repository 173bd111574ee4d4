//! Cron expressions and time zones against independent implementations: see the tests, and `tests/cron/run`.
//!
//! - [`expression`] random expressions of the dialect
//! - [`matcher`]    which local times an expression matches, by looking
//! - [`definition`] which instants around a change of the clock are ticks, by the words of the contract
//! - [`oracle`]     croniter, a process that is asked for ticks in UTC
//!
//! Times are seconds since 1970, a local time counted as if it were UTC.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "only tests call this, and a test ends with a panic"
)]

pub mod definition;
pub mod expression;
pub mod matcher;
pub mod oracle;

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;
use pgqueuer_core::cron::{Cron, Zone};
use std::iter::successors;

const POSTGRES_EPOCH: i64 = 946_684_800;
/// A second.
pub const MICROSECONDS: i64 = 1_000_000;
/// In seconds.
pub const DAY: i64 = 86_400;

/// A second as the core counts time.
pub fn instant(second: i64) -> i64 {
    (second - POSTGRES_EPOCH) * MICROSECONDS
}

/// The second of an instant of the core, which is a whole one.
pub fn second(instant: i64) -> i64 {
    assert_eq!(instant % MICROSECONDS, 0, "a tick is a whole second");
    instant / MICROSECONDS + POSTGRES_EPOCH
}

/// What the core says: the ticks after `after`, as seconds. A core that does not go forward fails, it does not hang.
pub fn ticks(cron: &Cron, zone: Zone, after: i64) -> impl Iterator<Item = i64> {
    successors(cron.next(zone, instant(after)), move |tick| {
        cron.next(zone, *tick).inspect(|next| assert!(next > tick, "{next} is not after {tick}"))
    })
    .map(second)
}

/// The same backward, from `until` on.
pub fn ticks_back(cron: &Cron, zone: Zone, until: i64) -> impl Iterator<Item = i64> {
    successors(cron.last(zone, instant(until)), move |tick| {
        cron.last(zone, *tick - 1).inspect(|last| assert!(last < tick, "{last} is not before {tick}"))
    })
    .map(second)
}

/// The seconds that the clock in `zone` is ahead of UTC.
pub fn offset(zone: Tz, second: i64) -> i64 {
    let utc = DateTime::from_timestamp(second, 0).expect("a second of chrono's").naive_utc();
    zone.offset_from_utc_datetime(&utc).fix().local_minus_utc().into()
}

/// Every change of the offset from `from` to `until`, looked for each hour: the first second with the new offset.
pub fn changes(zone: Tz, from: i64, until: i64) -> Vec<i64> {
    let hours = (from..until).step_by(3600).collect::<Vec<_>>();
    let changed = hours.windows(2).filter(|hour| offset(zone, hour[0]) != offset(zone, hour[1]));
    changed
        .map(|hour| (hour[0]..=hour[1]).find(|s| offset(zone, *s) != offset(zone, hour[0])).unwrap_or(hour[1]))
        .collect()
}
