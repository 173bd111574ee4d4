//! Which instants around a change of the clock are ticks, by the words of the contract: the clock is read at every
//! minute, or every second, of six days.

use crate::matcher::{Matcher, Shown};
use crate::{DAY, offset};
use chrono_tz::Tz;

/// Three days before a change of the clock, and three after.
#[derive(Debug)]
pub struct Around {
    /// Ticks are known from here.
    pub from: i64,
    /// Up to here.
    pub until: i64,
    /// Every instant, with what the clock shows.
    instants: Vec<(i64, Shown)>,
    /// Every local time that the clock shows or passes over, with the instant that belongs to it.
    local_times: Vec<(i64, Shown)>,
}

impl Around {
    /// Reads the clock around the second `change`, every `step` seconds: 1 or 60.
    pub fn new(zone: Tz, change: i64, step: i64) -> Around {
        assert_eq!(change % step, 0, "a change between two steps is not seen");
        let steps = (change - 3 * DAY..=change + 3 * DAY).step_by(usize::try_from(step).expect("positive"));
        let clock: Vec<(i64, i64)> = steps.map(|instant| (instant, instant + offset(zone, instant))).collect();
        assert!(clock.iter().all(|(_, local)| local % step == 0), "an offset between two steps is not seen");
        Around {
            from: change - DAY,
            until: change + DAY,
            instants: clock.iter().map(|(instant, local)| (*instant, Shown::at(*local))).collect(),
            local_times: instants_of_local_times(&clock, step),
        }
    }

    /// The ticks from `from` to `until`.
    pub fn ticks(&self, matcher: &Matcher) -> Vec<i64> {
        let candidates = if matcher.keeps_beat { &self.instants } else { &self.local_times };
        let matching = candidates.iter().filter(|(_, shown)| matcher.matches(shown)).map(|(instant, _)| *instant);
        let mut ticks: Vec<i64> = matching.filter(|tick| (self.from..=self.until).contains(tick)).collect();
        ticks.sort_unstable();
        ticks.dedup();
        ticks
    }
}

/// A local time belongs to the instant at which the clock shows it; to the first, if there are two; to the end of the
/// gap, if there is none.
fn instants_of_local_times(clock: &[(i64, i64)], step: i64) -> Vec<(i64, Shown)> {
    let mut of_local: Vec<(i64, i64)> = clock.iter().map(|(instant, local)| (*local, *instant)).collect();
    for pair in clock.windows(2) {
        let [(_, before), (end_of_gap, after)] = [pair[0], pair[1]];
        let mut passed_over = before + step;
        while passed_over < after {
            of_local.push((passed_over, end_of_gap));
            passed_over += step;
        }
    }
    // With one change in these days, no local time is both shown and passed over.
    of_local.sort_unstable();
    of_local.dedup_by_key(|(local, _)| *local);
    of_local.into_iter().map(|(local, instant)| (instant, Shown::at(local))).collect()
}
