//! A time zone: what its clock shows when.
//!
//! Instants and local times are seconds since 1970; a local time counts as if it were UTC. Only the offset at an instant
//! is taken from chrono-tz. The way back, from a local time to an instant, is made of it here.

use super::DAY;
use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;

/// Two offsets of a zone are never farther apart: each is less than a day.
///
/// No zone changes its offset twice within this time and a day more (since 1970 never within six days; a test looks at
/// all zones), so two offsets this far apart that are equal have no change between them.
pub(super) const REACH: i64 = 2 * DAY;

/// A time zone of the IANA database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Tz);

impl Zone {
    /// The zone in UTC.
    pub const UTC: Zone = Zone(Tz::UTC);

    /// Finds a zone by its IANA name, such as `Europe/Berlin`, in any case.
    pub fn parse(name: &str) -> Option<Zone> {
        Tz::from_str_insensitive(name).ok().map(Zone)
    }

    /// The name, written as in the database.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// By how many seconds the clock is ahead of UTC.
    pub(super) fn offset(self, instant: i64) -> i64 {
        // Every second that the module works with is one of chrono's.
        let utc = DateTime::from_timestamp(instant, 0).unwrap_or_default().naive_utc();
        self.0.offset_from_utc_datetime(&utc).fix().local_minus_utc().into()
    }

    fn shown(self, instant: i64) -> i64 {
        instant + self.offset(instant)
    }

    /// The change of the offset in (`after`, `until`], which are at most [`REACH`] apart: the first instant that has
    /// the new one.
    pub(super) fn change(self, after: i64, until: i64) -> Option<i64> {
        let old = self.offset(after);
        if self.offset(until) == old {
            return None;
        }
        let (mut before, mut change) = (after, until);
        while change - before > 1 {
            let middle = i64::midpoint(before, change);
            if self.offset(middle) == old { before = middle } else { change = middle }
        }
        Some(change)
    }

    /// The latest local time that the clock has shown up to `instant`. It has shown a later one than now if it was set
    /// back meanwhile.
    pub(super) fn latest_shown(self, instant: i64) -> i64 {
        match self.change(instant - REACH, instant) {
            Some(change) => self.shown(change - 1).max(self.shown(instant)),
            None => self.shown(instant),
        }
    }

    /// The first instant at which the clock shows `local` or a later time: the first one if it shows it twice, the end
    /// of the gap if it passes over it.
    pub(super) fn first_shown(self, local: i64) -> i64 {
        let start = local - DAY;
        let with_old = local - self.offset(start);
        match self.change(start, local + DAY) {
            Some(change) if with_old >= change => change.max(local - self.offset(change)),
            _ => with_old,
        }
    }
}
