//! Which table of the log's ring is written, and when the next one is emptied: so that a row is kept for the retention at
//! least, and for 8/7 of it at most, without a DELETE.
//!
//! ```text
//! written for a seventh of the retention ─▶ left ─ the retention ─▶ emptied ─▶ written again
//! ```
//!
//! Times are microseconds. Every time that is kept was a "now" of its day: one that lies in the future shows that the
//! clock was set back, and counts as now.

/// How many tables the ring has.
pub const TABLES: usize = 8;
/// No table is written for less, microseconds: each turn is a transaction.
const SHORTEST_TURN: i64 = 1_000_000;

/// The ring, as it is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ring {
    /// The table that is written, from 0.
    pub current: usize,
    /// Since when.
    pub since: i64,
    /// Of each of the others: since when it is not written any more; `None` where it is empty.
    pub left: [Option<i64>; TABLES],
}

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Write this down.
    Write(Ring),
    /// Empty this table, and write this down with it.
    Empty(usize, Ring),
    /// Nothing before this time.
    Wait(i64),
}

impl Ring {
    /// The ring of a log of which nothing is written down.
    pub fn new(now: i64) -> Self {
        Self { current: 0, since: now, left: [None; TABLES] }
    }

    /// What is to be done now, so that each row is kept for `retention` (more than 0). `filled` says which tables have rows.
    /// To be asked again after each step.
    pub fn next(&self, filled: [bool; TABLES], now: i64, retention: i64) -> Step {
        let known = self.known(filled, now);
        if known != *self {
            return Step::Write(known);
        }
        let turn = self.since.saturating_add((retention / (TABLES as i64 - 1)).max(SHORTEST_TURN));
        let next = (self.current + 1) % TABLES;
        let next_is_empty = self.left_at(next).is_none();
        if next_is_empty && turn <= now {
            return Step::Write(self.turned(next, now));
        }
        let ends = |table: usize| self.left_at(table).map(|left| left.saturating_add(retention));
        // The oldest first: that is the one that the ring waits for.
        let mut others = (1..TABLES).map(|distance| (self.current + distance) % TABLES);
        if let Some(table) = others.clone().find(|table| ends(*table).is_some_and(|ends| ends <= now)) {
            return Step::Empty(table, self.emptied(table));
        }
        let first = others.by_ref().filter_map(ends).min().unwrap_or(i64::MAX);
        Step::Wait(if next_is_empty { first.min(turn) } else { first })
    }

    fn left_at(&self, table: usize) -> Option<i64> {
        self.left.get(table).copied().flatten()
    }

    /// No time lies in the future, and a table that has rows has a time: where nobody knows how young they are, now.
    fn known(&self, filled: [bool; TABLES], now: i64) -> Self {
        let mut ring = Self { since: self.since.min(now), ..*self };
        for (table, (left, filled)) in ring.left.iter_mut().zip(filled).enumerate() {
            let unknown = (filled && table != self.current).then_some(now);
            *left = left.map(|left| left.min(now)).or(unknown);
        }
        ring
    }

    fn emptied(&self, table: usize) -> Self {
        let mut ring = *self;
        if let Some(left) = ring.left.get_mut(table) {
            *left = None;
        }
        ring
    }

    fn turned(&self, next: usize, now: i64) -> Self {
        let mut ring = Self { current: next, since: now, ..*self };
        if let Some(left) = ring.left.get_mut(self.current) {
            *left = Some(now);
        }
        ring
    }
}

/// How much of others' time a try takes whose way was barred so often before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long it waits for a lock, milliseconds. Others wait behind it.
    pub lock: i32,
    /// How long it rests where it was in vain, microseconds.
    pub pause: i64,
}

/// After `refused` tries in vain: at first a try of five milliseconds each second, in the end one of fifty each minute.
pub fn patience(refused: u32) -> Patience {
    let times = 1i32 << refused.min(6);
    Patience { lock: (5 * times).min(50), pause: i64::from(times.min(60)) * 1_000_000 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: i64 = 86_400_000_000;
    const WEEK: i64 = 7 * DAY;

    fn ring(current: usize, since: i64, left: &[(usize, i64)]) -> Ring {
        let mut ring = Ring { current, since, left: [None; TABLES] };
        left.iter().for_each(|(table, at)| ring.left[*table] = Some(*at));
        ring
    }

    #[test]
    fn what_is_done_next() {
        let table = [
            ("a new log waits a seventh", ring(0, 0, &[]), 0, Step::Wait(DAY)),
            ("then it turns", ring(0, 0, &[]), DAY, Step::Write(ring(1, DAY, &[(0, DAY)]))),
            ("from the last to the first", ring(7, 0, &[]), DAY, Step::Write(ring(0, DAY, &[(7, DAY)]))),
            ("the next is emptied first", ring(1, 9 * DAY, &[(2, 3 * DAY)]), 10 * DAY, {
                Step::Empty(2, ring(1, 9 * DAY, &[]))
            }),
            ("it is not emptied too soon", ring(1, 0, &[(2, 4 * DAY)]), 10 * DAY, Step::Wait(11 * DAY)),
            ("of several the oldest", ring(6, 20 * DAY, &[(7, 0), (0, DAY)]), 20 * DAY, {
                Step::Empty(7, ring(6, 20 * DAY, &[(0, DAY)]))
            }),
            ("an empty next one waits for none", ring(6, 0, &[(0, DAY)]), 20 * DAY, {
                Step::Write(ring(7, 20 * DAY, &[(0, DAY), (6, 20 * DAY)]))
            }),
            ("the end of another is waited for", ring(3, 0, &[(1, -6 * DAY - DAY / 2)]), 0, Step::Wait(DAY / 2)),
            (
                "after a clock set back",
                ring(3, DAY, &[(1, DAY), (2, -1)]),
                0,
                Step::Write(ring(3, 0, &[(1, 0), (2, -1)])),
            ),
        ];
        for (name, ring, now, step) in table {
            assert_eq!(ring.next([false; TABLES], now, WEEK), step, "{name}");
        }
    }

    #[test]
    fn patience_grows_to_a_try_of_fifty_milliseconds_each_minute() {
        let tries = [0, 1, 2, 3, 4, 5, 6, 7, u32::MAX].map(patience);
        assert_eq!(tries.map(|of| of.lock), [5, 10, 20, 40, 50, 50, 50, 50, 50]);
        assert_eq!(tries.map(|of| of.pause / 1_000_000), [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn rows_of_which_nothing_is_known_are_as_young_as_can_be() {
        let mut filled = [false; TABLES];
        (filled[0], filled[2], filled[5]) = (true, true, true);
        let known = ring(0, DAY, &[(2, 0)]);
        assert_eq!(known.next(filled, DAY, WEEK), Step::Write(ring(0, DAY, &[(2, 0), (5, DAY)])));
    }

    /// A log with its ring: when the rows of each table ended.
    struct Log {
        ring: Ring,
        rows: [Vec<i64>; TABLES],
        /// Ages of rows that were emptied.
        gone: Vec<i64>,
    }

    impl Log {
        fn new() -> Self {
            Self { ring: Ring::new(0), rows: Default::default(), gone: vec![] }
        }

        fn ends(&mut self, now: i64) {
            self.rows[self.ring.current].push(now);
        }

        /// Does what is due, as far as `may_empty`. Returns when it is to be called next.
        fn prune(&mut self, now: i64, retention: i64, may_empty: bool) -> i64 {
            for _ in 0..3 * TABLES {
                let filled = self.rows.each_ref().map(|rows| !rows.is_empty());
                match self.ring.next(filled, now, retention) {
                    Step::Write(ring) => self.ring = ring,
                    Step::Empty(_, _) if !may_empty => return now,
                    Step::Empty(table, ring) => {
                        assert_ne!(table, self.ring.current);
                        self.gone.extend(self.rows[table].drain(..).map(|row| now - row));
                        self.ring = ring;
                    }
                    Step::Wait(until) => {
                        assert!(until > now);
                        return until;
                    }
                }
            }
            panic!("a run does not end: {:?}", self.ring);
        }

        fn oldest(&self, now: i64) -> i64 {
            self.rows.iter().flatten().map(|row| now - row).max().unwrap_or(0)
        }
    }

    proptest! {
        /// Rows end at any time. The duty is called at the times that it asked for, and at some later ones only; and
        /// sometimes a reader keeps it from emptying.
        #[test]
        fn a_row_is_kept_for_the_retention_and_an_eighth_and_the_time_that_the_duty_was_kept_away(
            retention in 8i64..1000,
            steps in prop::collection::vec((1i64..60, 0i64..300, prop::bool::weighted(0.8)), 1..300),
        ) {
            let retention = retention * SHORTEST_TURN;
            let (mut log, mut now, mut next, mut kept_away) = (Log::new(), 0i64, SHORTEST_TURN, 0i64);
            for (step, late, may_empty) in steps {
                let until = now + step * SHORTEST_TURN;
                while next <= until {
                    log.ends(now);
                    let called = next + if late > 280 { late * SHORTEST_TURN } else { 0 };
                    kept_away += called - next;
                    now = called;
                    next = log.prune(now, retention, may_empty);
                    if next == now {
                        // A reader is in the way: once more in a while.
                        kept_away += SHORTEST_TURN;
                        next += SHORTEST_TURN;
                    }
                    let most = retention + (retention / 7).max(SHORTEST_TURN) + kept_away;
                    prop_assert!(log.oldest(now) <= most, "{} of at most {most}", log.oldest(now));
                }
                now = now.max(until);
                log.ends(now);
            }
            prop_assert!(log.gone.iter().all(|age| *age >= retention), "{:?}", log.gone);
        }

        /// Whatever the clock and the setting do, every run ends, the table that is written is not emptied, and no row goes
        /// sooner than by the setting of the moment. Rows from a future that did not come are as old as the clock's step.
        #[test]
        fn clock_and_setting_may_jump(jumps in prop::collection::vec((-2 * WEEK..2 * WEEK, 1i64..2 * WEEK), 1..60)) {
            let (mut log, mut now) = (Log::new(), 10 * WEEK);
            for (jump, retention) in jumps {
                now += jump;
                log.rows.iter_mut().flatten().for_each(|row| *row = now.min(*row));
                log.ends(now);
                let before = log.gone.len();
                log.prune(now, retention, true);
                prop_assert!(log.gone[before..].iter().all(|age| *age >= retention));
            }
        }

        #[test]
        fn a_lowered_retention_takes_effect_with_the_next_call(retention in 1i64..WEEK) {
            let (mut log, mut now) = (Log::new(), 0);
            for _ in 0..20 {
                log.ends(now);
                now = log.prune(now, WEEK, true);
            }
            log.prune(now, retention, true);
            let of_others = |log: &Log| {
                let others = (0..TABLES).filter(|table| *table != log.ring.current);
                others.flat_map(|table| log.rows[table].clone()).collect::<Vec<_>>()
            };
            // A table that has just been left was written for up to a day.
            prop_assert!(of_others(&log).iter().all(|row| now - row < retention + 2 * DAY));
        }

        #[test]
        fn a_raised_retention_keeps_what_is_there(retention in DAY..WEEK) {
            let (mut log, mut now) = (Log::new(), 0);
            for _ in 0..20 {
                log.ends(now);
                now = log.prune(now, retention, true);
            }
            log.gone.clear();
            for _ in 0..40 {
                log.ends(now);
                now = log.prune(now, 2 * WEEK, true);
            }
            prop_assert!(log.gone.iter().all(|age| *age >= 2 * WEEK));
            prop_assert!(!log.gone.is_empty());
        }
    }
}
