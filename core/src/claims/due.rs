//! What falls due in a database: deferred jobs, and ticks of schedules.
//!
//! The worker takes the time of the next one out of memory, then looks into the tables, then puts the time back that it has
//! found. What a commit brings meanwhile lowers it in between, so nothing is missed.

use super::database::key;
use super::{Claims, Relation};

impl Claims<'_> {
    /// A job falls due then. Until now nobody looks after it.
    pub fn falls_due(&mut self, relation: Relation, due: i64) {
        let Some(of) = self.databases.get_mut(&key(relation)) else { return };
        if of.next_due != 0 && due < of.next_due {
            of.next_due = due;
            self.needs_worker_at(relation, due);
        }
    }

    /// The worker begins to look for jobs that fell due. What is enqueued from here on is noted anew. Returns since when.
    pub fn begin_alarm(&mut self, relation: Relation, now: i64) -> i64 {
        let Some(of) = self.database_mut(relation) else { return now };
        of.next_due = i64::MAX;
        of.alarmed
    }

    /// It has told of those that fell due until then, and the next does at `next`.
    pub fn end_alarm(&mut self, relation: Relation, until: i64, next: i64) {
        if let Some(of) = self.database_mut(relation) {
            of.alarmed = until;
        }
        self.falls_due(relation, next);
    }

    /// It could not look: all is to be looked at again.
    pub fn alarm_failed(&mut self, relation: Relation) {
        if let Some(of) = self.database_mut(relation) {
            of.next_due = 0;
        }
    }

    /// Schedules were changed: the scheduler is to look at them anew.
    pub fn schedules_changed(&mut self, relation: Relation) {
        if let Some(of) = self.databases.get_mut(&key(relation)) {
            (of.next_tick, of.armed) = (0, 0);
        }
        self.tell_worker(relation);
    }

    /// The scheduler begins to look. What is changed from here on is noted anew.
    pub fn begin_ticks(&mut self, relation: Relation) {
        if let Some(of) = self.databases.get_mut(&key(relation)) {
            of.next_tick = i64::MAX;
        }
    }

    /// Whether the scheduler is to see whether schedules lie too far ahead of the clock: the caller does.
    pub fn take_clock_was_set(&mut self, relation: Relation) -> bool {
        self.databases.get_mut(&key(relation)).is_some_and(|of| std::mem::take(&mut of.clock_was_set) != 0)
    }

    /// It could not.
    pub fn clock_was_not_seen(&mut self, relation: Relation) {
        if let Some(of) = self.databases.get_mut(&key(relation)) {
            of.clock_was_set = 1;
        }
    }

    /// The scheduler has looked: the next tick is at `next`.
    pub fn end_ticks(&mut self, relation: Relation, next: i64) {
        if let Some(of) = self.databases.get_mut(&key(relation)) {
            of.next_tick = of.next_tick.min(next);
        }
    }

    /// Whether schedules tick in a database; `None` where nobody has looked yet.
    pub fn is_armed(&self, relation: Relation) -> Option<bool> {
        self.database(relation).filter(|of| of.armed != 0).map(|of| of.armed == 1)
    }

    /// Somebody has looked.
    pub fn set_armed(&mut self, relation: Relation, ticks: bool) {
        if let Some(of) = self.databases.get_mut(&key(relation)) {
            of.armed = if ticks { 1 } else { 2 };
        }
    }
}
