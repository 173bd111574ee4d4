//! The clock of the server may be set, forward or back. All times here are its times, so that people can read them and
//! because jobs are due by it; but a lease, a rest or a limit is a length of time. So whoever keeps watch compares the clock
//! with one that nobody sets, and where they part, all lengths that are under way move along.

use super::{Claims, WorkerState};

/// The two clocks may part so far between two looks, microseconds: what is set little by little needs no care.
const TOLERATED: i64 = 1_000_000;

fn shift(time: &mut i64, by: i64) {
    if *time != 0 && *time != i64::MIN && *time != i64::MAX {
        *time = time.saturating_add(by);
    }
}

impl Claims<'_> {
    /// Looks at the clock (`now`) and at one that nobody sets (`steady`, microseconds of any beginning). Returns by how much
    /// the clock was set since the last look, 0 if it was not.
    pub fn look_at_clock(&mut self, now: i64, steady: i64) -> i64 {
        let expected = self.boot.clock.saturating_add(steady.saturating_sub(self.boot.steady));
        let first = self.boot.steady == 0;
        (self.boot.clock, self.boot.steady) = (now, steady);
        let step = now.saturating_sub(expected);
        if first || (-TOLERATED..=TOLERATED).contains(&step) {
            return 0;
        }
        self.move_lengths(step, now);
        step
    }

    fn move_lengths(&mut self, by: i64, now: i64) {
        for slot in 0..self.workers.used() {
            if let Some(worker) = self.workers.at_mut(slot) {
                [&mut worker.since, &mut worker.last_seen, &mut worker.detached].into_iter().for_each(|t| shift(t, by));
            }
        }
        for slot in 0..self.jobs.used() {
            if let Some(claim) = self.jobs.at_mut(slot) {
                [&mut claim.since, &mut claim.counted_at].into_iter().for_each(|time| shift(time, by));
            }
        }
        for slot in 0..self.rates.used() {
            if let Some(window) = self.rates.at_mut(slot) {
                window.shift(by);
            }
        }
        for slot in 0..self.rests.used() {
            if let Some(rest) = self.rests.at_mut(slot) {
                shift(&mut rest.until, by);
            }
        }
        for slot in 0..self.heads.used() {
            if let Some(head) = self.heads.at_mut(slot) {
                shift(&mut head.refills, by);
            }
        }
        self.chases.iter_mut().for_each(|chase| shift(&mut chase.at, by));
        shift(&mut self.boot.refused_until, by);
        shift(&mut self.boot.refused_since, by);
        self.move_databases(by, now);
    }

    /// Every worker looks anew: jobs and ticks are due by the clock as it is now.
    fn move_databases(&mut self, by: i64, now: i64) {
        for slot in 0..self.databases.used() {
            let Some(of) = self.databases.at_mut(slot) else { continue };
            let times = [
                &mut of.since,
                &mut of.banned_until,
                &mut of.retry_at,
                &mut of.served_since,
                &mut of.quiet_until,
                &mut of.looked_after,
            ];
            times.into_iter().for_each(|time| shift(time, by));
            // What the clock has passed over has fallen due.
            shift(&mut of.alarmed, by.min(0));
            if by > 0 && of.served_since != 0 {
                // Ticks that the clock has passed over were missed.
                of.served_since = now;
            }
            (of.next_due, of.next_tick, of.clock_was_set) = (0, 0, 1);
            if of.state == WorkerState::Resting {
                of.wake_at = i64::MIN;
            }
            let key = self.databases.at(slot).map(|(key, _)| *key);
            key.iter().for_each(|key| self.tell_worker(*key));
        }
        self.tell_launcher();
    }
}
