//! Which ticks get a job: the current one, and those that were missed while the server was down.

use super::{Cron, MICROSECONDS, Zone};
use std::iter::successors;

/// At most so many ticks get a job at once.
pub const FIRED_MOST: usize = 1000;

/// [`Due::dropped`] counts no further: a server that was down for a year has dropped millions of a schedule of seconds.
pub const DROPPED_COUNTED: usize = 100;

/// What becomes of ticks that were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// No job.
    Skip,
    /// One job for all of them: that of the first tick that was not missed, or else of the last one.
    One,
    /// A job for each, the newest [`FIRED_MOST`].
    All,
}

/// What a schedule has to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The ticks that get a job, oldest first.
    pub fire: Vec<i64>,
    /// How many due ticks get no job; [`DROPPED_COUNTED`] means so many or more.
    pub dropped: usize,
    /// The last due tick, fired or not; none if none is due.
    pub last: Option<i64>,
    /// The first tick after now.
    pub next: Option<i64>,
}

impl Cron {
    /// Decides what a schedule has to do `now` whose first tick that was not dealt with is `next_tick`.
    ///
    /// Due are the ticks from `next_tick` to `now`, both included. Those since the server is up (`alive_since`) were not
    /// missed, however late they are: each gets a job, under every policy.
    pub fn due(&self, zone: Zone, next_tick: i64, now: i64, alive_since: i64, catch_up: CatchUp) -> Due {
        let last = self.last(zone, now).filter(|tick| *tick >= next_tick);
        let mut newest_first =
            successors(last, |tick| self.last(zone, tick - 1).filter(|tick| *tick >= next_tick)).peekable();
        let mut fire = Vec::new();
        while fire.len() < FIRED_MOST {
            let makes_up = catch_up == CatchUp::All || catch_up == CatchUp::One && fire.is_empty();
            let Some(tick) = newest_first.next_if(|tick| makes_up || *tick >= alive_since) else { break };
            fire.push(tick);
        }
        fire.reverse();
        let dropped = newest_first.take(DROPPED_COUNTED).count();
        Due { fire, dropped, last, next: self.next(zone, now) }
    }
}

/// Whether the clock was set back so far that the schedule must start again from `now`.
///
/// No tick is ever repeated, so after a step backward a schedule waits until its `next_tick`. It starts again if that
/// wait is longer than a minute and than twice the time from `last_tick` to `next_tick`.
pub fn has_gone_back(last_tick: i64, next_tick: i64, now: i64) -> bool {
    // The times may be infinite.
    let from = |earlier: i64| i128::from(next_tick) - i128::from(earlier);
    from(now) > (2 * from(last_tick)).max(60 * i128::from(MICROSECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60 * MICROSECONDS;

    fn due(
        next_tick: i64,
        now: i64,
        alive_since: i64,
        catch_up: CatchUp,
    ) -> (Vec<i64>, usize, Option<i64>, Option<i64>) {
        let minutely = Cron::parse("* * * * *").expect("an expression");
        let [next_tick, now, alive_since] = [next_tick, now, alive_since].map(|half| half * MINUTE / 2);
        let due = minutely.due(Zone::UTC, next_tick, now, alive_since, catch_up);
        let minute = |tick: i64| tick / MINUTE;
        (due.fire.into_iter().map(minute).collect(), due.dropped, due.last.map(minute), due.next.map(minute))
    }

    /// Half minutes in, minutes out.
    #[test]
    fn each_policy_decides_which_ticks_get_a_job() {
        use CatchUp::{All, One, Skip};
        for (next_tick, now, alive_since, catch_up, fire, dropped, last, next) in [
            // Nothing is due.
            (2, 1, 0, All, vec![], 0, None, 1),
            (4, 3, 0, One, vec![], 0, None, 2),
            // On time.
            (2, 2, 0, Skip, vec![1], 0, Some(1), 2),
            (2, 3, 2, Skip, vec![1], 0, Some(1), 2),
            (2, 3, 0, One, vec![1], 0, Some(1), 2),
            (2, 3, 0, All, vec![1], 0, Some(1), 2),
            // Late, not missed.
            (2, 6, 0, Skip, vec![1, 2, 3], 0, Some(3), 4),
            (2, 6, 0, One, vec![1, 2, 3], 0, Some(3), 4),
            (2, 6, 3, Skip, vec![2, 3], 1, Some(3), 4),
            (2, 6, 3, One, vec![2, 3], 1, Some(3), 4),
            // Only one, and missed.
            (2, 3, 3, Skip, vec![], 1, Some(1), 2),
            (2, 3, 3, One, vec![1], 0, Some(1), 2),
            (2, 3, 3, All, vec![1], 0, Some(1), 2),
            // Three, the last one current.
            (2, 7, 6, Skip, vec![3], 2, Some(3), 4),
            (2, 7, 6, One, vec![3], 2, Some(3), 4),
            (2, 7, 6, All, vec![1, 2, 3], 0, Some(3), 4),
            // Three, all missed.
            (2, 7, 7, Skip, vec![], 3, Some(3), 4),
            (2, 7, 7, One, vec![3], 2, Some(3), 4),
            (2, 7, 7, All, vec![1, 2, 3], 0, Some(3), 4),
            // A hundred and more are not counted.
            (2, 200, 201, Skip, vec![], 100, Some(100), 101),
            (2, 2000, 2001, Skip, vec![], 100, Some(1000), 1001),
            (2, 2000, 2000, One, vec![1000], 100, Some(1000), 1001),
            (2, 2000, 2000, All, (1..=1000).collect(), 0, Some(1000), 1001),
            (2, 2002, 2002, All, (2..=1001).collect(), 1, Some(1001), 1002),
            (2, 9000, 9000, All, (3501..=4500).collect(), 100, Some(4500), 4501),
        ] {
            let expected = (fire, dropped, last, Some(next));
            let case = format!("from {next_tick} to {now}, up since {alive_since}, {catch_up:?}");
            assert_eq!(due(next_tick, now, alive_since, catch_up), expected, "{case}");
        }
    }

    #[test]
    fn what_is_due_has_answers_for_every_time() {
        let secondly = Cron::parse("* * * * * *").expect("an expression");
        let never = Cron::parse("0 0 31 2 *").expect("an expression");
        for catch_up in [CatchUp::Skip, CatchUp::One, CatchUp::All] {
            let due = secondly.due(Zone::UTC, i64::MIN, i64::MAX, i64::MAX, catch_up);
            assert_eq!((due.dropped, due.next), (DROPPED_COUNTED, None));
            let due = secondly.due(Zone::UTC, i64::MAX, i64::MIN, i64::MIN, catch_up);
            assert_eq!((due.fire, due.last), (vec![], None));
            let due = never.due(Zone::UTC, i64::MIN, 0, 0, catch_up);
            assert_eq!(due, Due { fire: vec![], dropped: 0, last: None, next: None });
        }
    }

    #[test]
    fn the_clock_has_gone_back_if_the_wait_were_far_too_long() {
        const HOUR: i64 = 60 * MINUTE;
        for (last, next, now, back) in [
            (0, MICROSECONDS, 0, false),
            (0, MICROSECONDS, MICROSECONDS - MINUTE, false),
            (0, MICROSECONDS, MICROSECONDS - MINUTE - 1, true),
            (0, HOUR, HOUR - 1, false),
            (0, HOUR, -HOUR, false),
            (0, HOUR, -HOUR - 1, true),
            (0, HOUR, 3 * HOUR, false),
            (i64::MIN, i64::MAX, 0, false),
            (i64::MAX, i64::MAX, i64::MIN, true),
            (i64::MAX, i64::MIN, i64::MAX, false),
        ] {
            assert_eq!(has_gone_back(last, next, now), back, "{last} {next} {now}");
        }
    }
}
