//! Jobs whose claims were rolled back: each is handed out again, but after a delay that grows, so that a job that breaks
//! its worker's transaction is not tried as fast as the server can.

use super::{Claim, Claims, JobKey, Point, QueueKey, Relation, earlier};

/// The longest delay, microseconds.
const MOST: i64 = 60_000_000;
/// How long rollbacks are remembered after the delay has ended, microseconds.
const REMEMBERED: i64 = 300_000_000;

/// A job whose claims were rolled back.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Rest {
    /// How often in a row.
    count: u64,
    /// Until when nobody gets it.
    pub(super) until: i64,
    queue: QueueKey,
    priority: i32,
    /// Its workers have been told that it can be claimed again.
    told: u32,
    due: i64,
}

impl Claims<'_> {
    /// Whether the job is not handed out because its claims were rolled back.
    pub(super) fn is_resting(&self, job: &JobKey, now: i64) -> bool {
        !self.rests.is_empty() && self.rests.get(job).is_some_and(|rest| rest.until > now)
    }

    /// How often in a row claims on a job were rolled back, and until when it rests, if it does.
    pub fn rest_of(&self, job: &JobKey, now: i64) -> Option<(u64, i64)> {
        self.rests.get(job).filter(|rest| rest.until > now).map(|rest| (rest.count, rest.until))
    }

    /// A claim was rolled back. `first` is the delay after the second time, microseconds; each further one doubles it.
    pub(super) fn rolled_back(&mut self, job: &JobKey, claim: &Claim, first: i64, now: i64) {
        if self.rests.find(job).is_none() {
            if self.rests.room() == 0 {
                self.forget_rest();
            }
            let queue = QueueKey { relation: job.relation, name: claim.queue };
            let rest = Rest { queue, priority: claim.priority, due: claim.due, ..Rest::default() };
            if self.rests.insert(*job, rest).is_err() {
                return;
            }
        }
        let Some(rest) = self.rests.get_mut(job) else { return };
        rest.count += 1;
        rest.told = 0;
        rest.until = now.saturating_add(delay(rest.count, first));
        let until = rest.until;
        if until > now {
            self.needs_worker_at(job.relation, until);
        }
    }

    /// The job got on: a claim on it was committed.
    pub(super) fn got_on(&mut self, job: &JobKey) {
        if !self.rests.is_empty() {
            self.rests.remove(job);
        }
    }

    /// Tells the workers of jobs that have rested enough. Returns when the next one has.
    pub fn end_rests(&mut self, relation: Relation, now: i64) -> Option<i64> {
        let mut next: Option<i64> = None;
        for slot in 0..self.rests.used() {
            let Some((job, rest)) = self.rests.at(slot).map(|(job, rest)| (*job, *rest)) else { continue };
            if job.relation != relation {
                continue;
            }
            if rest.until.saturating_add(REMEMBERED) <= now {
                self.rests.remove(&job);
            } else if rest.until > now {
                next = earlier(next, rest.until);
            } else if rest.told == 0 {
                if let Some(rest) = self.rests.at_mut(slot) {
                    rest.told = 1;
                }
                self.lower(&rest.queue, rest.priority, Point { due: rest.due, id: job.id });
                self.wake(&rest.queue, 1);
                self.notify(&rest.queue);
            }
        }
        next
    }

    fn forget_rest(&mut self) {
        self.boot.rest_hand = (self.boot.rest_hand + 1) % self.rests.capacity().max(1) as u64;
        if let Some(key) = self.rests.at(self.boot.rest_hand as u32).map(|(key, _)| *key) {
            self.rests.remove(&key);
        }
    }
}

fn delay(count: u64, first: i64) -> i64 {
    match count {
        0 | 1 => 0,
        count => first.saturating_mul(1 << (count - 2).min(30)).min(MOST),
    }
}
