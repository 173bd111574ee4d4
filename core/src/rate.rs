//! Rate limits: at most so many claims in any stretch of time as long as the period.
//!
//! A [`Window`] remembers when the claims of the last period were made, in a fixed number of groups. While they fit,
//! it is exact. When they do not, the two neighbours that lie in the shortest stretch of time become one group at the
//! later time: what is merged counts a little longer than it must, so the limit is kept, never exceeded.
//!
//! Times and periods are microseconds.

const GROUPS: usize = 32;

/// Claims made at about one time.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
struct Group {
    /// When the first of them was made.
    since: i64,
    /// When the last of them was made.
    at: i64,
    claims: i64,
}

/// The claims of the last period.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Window {
    /// The period that it was last asked with.
    period: i64,
    /// The latest time at which it was asked.
    seen: i64,
    len: u64,
    /// Ordered by time; those from `len` on mean nothing.
    groups: [Group; GROUPS],
}

impl Default for Window {
    fn default() -> Self {
        Self { period: 0, seen: 0, len: 0, groups: [Group::default(); GROUPS] }
    }
}

impl Window {
    /// Takes one claim out of the limit. Returns the time at which it is made and counted (to [give it
    /// back](Self::give_back)), which is `now` or a little later, or `None` where `limit` claims were made in the period before `now`.
    pub fn take(&mut self, now: i64, limit: u32, period: i64) -> Option<i64> {
        self.period = period;
        // Sessions read their clocks before they get the lock. What an earlier one has seen to be over is over: this claim is
        // counted no earlier than that, or it would lie in one stretch with what was forgotten.
        let given = now;
        let now = given.max(self.seen.min(given.saturating_add(period)));
        self.seen = now;
        self.forget(given, now);
        if self.spent() >= i64::from(limit) {
            return None;
        }
        let at = self.last().map_or(now, |last| last.at.max(now));
        match self.last_mut() {
            Some(last) if last.at == at => last.claims += 1,
            _ => self.push(Group { since: at, at, claims: 1 }),
        }
        Some(at)
    }

    /// Undoes a [`take`](Self::take) that returned `at`: the claim did not come about.
    pub fn give_back(&mut self, at: i64) {
        // A merged group carries a later time, so the first at or after `at` is the one that counts this claim.
        let Some(index) = self.used().iter().position(|group| group.at >= at) else { return };
        if let Some(group) = self.groups.get_mut(index) {
            group.claims -= 1;
            if group.claims <= 0 {
                self.remove(index);
            }
        }
    }

    /// Whether nothing of its last period is left, so that the window can be forgotten.
    pub fn is_idle(&self, now: i64) -> bool {
        self.last().is_none_or(|last| last.at.saturating_add(self.period) <= now)
    }

    /// Whether `limit` claims were made in the period before `now`.
    pub fn is_spent(&self, now: i64, limit: u32) -> bool {
        let mut window = *self;
        window.forget(now, now);
        window.spent() >= i64::from(limit)
    }

    /// When so many of its claims are forgotten that `limit` allows another.
    pub fn refills(&self, now: i64, limit: u32) -> i64 {
        let mut window = *self;
        window.forget(now, now);
        let mut spent = window.spent();
        for group in window.used() {
            spent -= group.claims;
            if spent < i64::from(limit) {
                return group.at.saturating_add(self.period);
            }
        }
        now
    }

    /// The clock was set by so much: what was counted was as long ago as before.
    pub fn shift(&mut self, by: i64) {
        for group in &mut self.groups {
            group.since = group.since.saturating_add(by);
            group.at = group.at.saturating_add(by);
        }
        self.seen = self.seen.saturating_add(by);
    }

    fn forget(&mut self, given: i64, now: i64) {
        let (len, period) = (self.used().len(), self.period);
        for group in self.groups.iter_mut().take(len) {
            // After a backward step of the clock the past lies in the future: count it from now on.
            group.at = group.at.min(given.saturating_add(period));
        }
        let gone = self.used().iter().take_while(|group| group.at.saturating_add(period) <= now).count();
        for _ in 0..gone {
            self.remove(0);
        }
    }

    fn spent(&self) -> i64 {
        self.used().iter().map(|group| group.claims).sum()
    }

    fn used(&self) -> &[Group] {
        self.groups.get(..self.len as usize).unwrap_or(&self.groups)
    }

    fn last(&self) -> Option<&Group> {
        self.used().last()
    }

    fn last_mut(&mut self) -> Option<&mut Group> {
        let index = (self.len as usize).checked_sub(1)?;
        self.groups.get_mut(index)
    }

    fn push(&mut self, group: Group) {
        if self.used().len() == GROUPS {
            self.merge_nearest();
        }
        let index = self.len as usize;
        if let Some(place) = self.groups.get_mut(index) {
            *place = group;
            self.len += 1;
        }
    }

    fn merge_nearest(&mut self) {
        // The stretch that both cover, not the gap between them: by the gap one group would swallow all that follow and
        // never grow old.
        let stretches = self.used().windows(2).map(|pair| match pair {
            [earlier, later] => later.at - earlier.since,
            _ => i64::MAX,
        });
        let Some((index, _)) = stretches.enumerate().min_by_key(|(_, stretch)| *stretch) else { return };
        let Some(earlier) = self.groups.get(index).copied() else { return };
        if let Some(later) = self.groups.get_mut(index + 1) {
            later.since = earlier.since;
            later.claims += earlier.claims;
        }
        self.remove(index);
    }

    fn remove(&mut self, index: usize) {
        let len = self.used().len();
        if let Some(rest) = self.groups.get_mut(index..len) {
            rest.rotate_left(1);
            self.len -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn the_period_after_the_first_claim_it_is_free_again() {
        let mut window = Window::default();
        for _ in 0..5 {
            assert_eq!(window.take(100, 5, SECOND), Some(100));
        }
        assert_eq!(window.take(100 + SECOND - 1, 5, SECOND), None);
        assert!(window.take(100 + SECOND, 5, SECOND).is_some());
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let mut window = Window::default();
        let first = window.take(10, 2, SECOND).unwrap();
        window.take(20, 2, SECOND).unwrap();
        assert_eq!(window.take(30, 2, SECOND), None);
        window.give_back(first);
        assert!(window.take(30, 2, SECOND).is_some());
    }

    /// Claims that come one by one, at 90 % of what the limit allows, are never refused for lack of groups.
    #[test]
    fn a_steady_stream_below_the_limit_is_not_refused() {
        for limit in [40i64, 100, 1000] {
            let (mut window, every) = (Window::default(), SECOND * 10 / (limit * 9));
            let refused = (0..limit * 5).filter(|n| window.take(n * every, limit as u32, SECOND).is_none()).count();
            assert_eq!(refused, 0, "limit {limit}");
        }
    }

    #[test]
    fn a_session_whose_clock_was_read_earlier_claims_no_earlier_than_the_others_have_looked() {
        let mut window = Window::default();
        assert_eq!(window.take(0, 1, SECOND), Some(0));
        // Another one forgets that claim, and its own does not come about.
        let other = window.take(SECOND, 1, SECOND).unwrap();
        window.give_back(other);
        assert_eq!(window.take(SECOND - 7, 1, SECOND), Some(SECOND));
    }

    #[test]
    fn a_window_is_idle_by_its_own_period() {
        let mut window = Window::default();
        window.take(0, 1, 3 * SECOND).unwrap();
        assert!(!window.is_idle(2 * SECOND) && window.is_idle(3 * SECOND));
    }

    #[test]
    fn a_backward_step_of_the_clock_blocks_for_two_periods_at_most() {
        let mut window = Window::default();
        window.take(3600 * SECOND, 1, SECOND).unwrap();
        assert_eq!(window.take(0, 1, SECOND), None);
        assert!(window.take(2 * SECOND, 1, SECOND).is_some());
    }

    proptest! {
        /// In no stretch of one period are there more claims than the limit; and where the groups suffice, a claim
        /// that the limit allows is not refused.
        #[test]
        fn the_limit_holds_in_every_window(
            limit in 1u32..200,
            steps in prop::collection::vec((0i64..400, 1u32..6), 1..400),
        ) {
            let period = 1000;
            let (mut window, mut now) = (Window::default(), 0);
            let mut taken: Vec<i64> = Vec::new();
            for (step, wanted) in steps {
                now += step;
                for _ in 0..wanted {
                    let recent = taken.iter().filter(|at| now - **at < period).count() as u32;
                    let answer = window.take(now, limit, period);
                    if answer.is_some() {
                        taken.push(now);
                        prop_assert!(recent < limit);
                    } else if limit as usize <= GROUPS {
                        prop_assert!(recent >= limit);
                    }
                }
            }
        }
    }
}
