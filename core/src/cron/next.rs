//! The tick after an instant, and the one before. The `cron` crate finds local times, in UTC where nothing ever jumps;
//! which instants these are is decided here.
//!
//! A schedule of times of the day: a local time ticks at the first instant at which the clock shows it or a later one.
//! So the ticks come in the order of their local times, also where the clock jumps, and a local time has ticked exactly
//! if it is not later than the latest one shown so far. In an overlap that latest one stands still; at a gap's end it
//! jumps, and all local times in the gap tick at once.
//!
//! A schedule that keeps its beat: between two changes of the offset, local times and instants are the same but for a
//! constant. The search goes from change to change, and skips what is between if nothing can match there.

use super::zone::{REACH, Zone};
use super::{Cron, END};
use chrono::{DateTime, Utc};

impl Cron {
    /// The first tick after the second `after`.
    pub(super) fn next_second(&self, zone: Zone, after: i64) -> Option<i64> {
        if self.keeps_beat {
            return self.next_beat(zone, after);
        }
        let local = self.local_after(zone.latest_shown(after))?;
        Some(zone.first_shown(local))
    }

    /// The last tick at or before the second `until`.
    pub(super) fn last_second(&self, zone: Zone, until: i64) -> Option<i64> {
        if self.keeps_beat {
            return self.last_beat(zone, until);
        }
        let local = self.local_until(zone.latest_shown(until))?;
        Some(zone.first_shown(local))
    }

    fn next_beat(&self, zone: Zone, after: i64) -> Option<i64> {
        // There is no tick between `after` and `from`. Each round moves it forward.
        let mut from = after + 1;
        loop {
            let offset = zone.offset(from);
            let tick = self.local_after(from + offset - 1)? - offset;
            match zone.change(from, tick.min(from + REACH)) {
                Some(change) => from = change,
                None if tick <= from + REACH => return Some(tick),
                // Offsets differ by less than REACH: before that, every clock shows a time before the matching one.
                None => from = tick - REACH,
            }
        }
    }

    fn last_beat(&self, zone: Zone, until: i64) -> Option<i64> {
        // There is no tick after `from`, up to `until`. Each round moves it backward.
        let mut from = until;
        loop {
            let offset = zone.offset(from);
            let tick = self.local_until(from + offset)? - offset;
            match zone.change(tick.max(from - REACH), from) {
                Some(change) => from = change - 1,
                None if tick >= from - REACH => return Some(tick),
                None => from = tick + REACH,
            }
        }
    }

    /// The first local time after `local` that matches.
    fn local_after(&self, local: i64) -> Option<i64> {
        let after = local_time(local)?;
        let first_of_each = self.schedules.iter().filter_map(|schedule| schedule.after(&after).next());
        first_of_each.map(|time| time.timestamp()).min()
    }

    /// The last local time up to `local` that matches.
    fn local_until(&self, local: i64) -> Option<i64> {
        if local < 0 {
            return None;
        }
        // The crate looks backward from a later year than its last one with that year's month: not later than its end.
        let before = local_time((local + 1).min(END))?;
        let last_of_each = self.schedules.iter().filter_map(|schedule| schedule.after(&before).next_back());
        last_of_each.map(|time| time.timestamp()).max()
    }
}

fn local_time(local: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(local, 0)
}
