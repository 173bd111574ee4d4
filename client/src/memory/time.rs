//! What time brings about, each thing at its time: jobs fall due, leases end, schedules tick, rates refill.

use super::clock::Time;
use super::state::State;
use super::worker::Worker;
use std::time::Duration;
use uuid::Uuid;

/// Claims that are younger are not known any more after a restart, microseconds: the default of `pgqueuer.receipt_after`.
const RECEIPT_AFTER: Time = 1_000_000;

impl State {
    /// Lets everything take effect that falls due up to what the clock says.
    pub(super) fn settle(&mut self) {
        let now = self.clock.now();
        loop {
            let alarm = *self.alarm.borrow();
            if alarm > now {
                break;
            }
            self.now = alarm.max(self.now);
            self.happen();
            let next = self.next_event();
            self.alarm.send_replace(next);
        }
        self.now = now.max(self.now);
    }

    /// Time passes in which nothing can happen, because the server is down. Then it starts again: ticks were missed, those
    /// who hold jobs have one lease to be heard of, and what is young was forgotten.
    pub(super) fn be_down(&mut self, duration: Duration) {
        self.settle();
        self.forget_young_claims();
        self.clock.advance(duration);
        self.now = self.clock.now();
        self.alive_since = self.now;
        for worker in self.workers.values_mut() {
            (worker.last_seen, worker.detached) = (self.now, None);
        }
        self.queues.values_mut().for_each(super::queue::Queue::forget_rate);
        self.alarm.send_replace(self.now);
        self.settle();
    }

    /// Such a job is as if it had not been claimed.
    fn forget_young_claims(&mut self) {
        let written_until = self.now.saturating_sub(RECEIPT_AFTER);
        let young = self.jobs.values().filter(|row| row.claim.is_some_and(|claim| claim.picked > written_until));
        let young: Vec<i64> = young.map(|row| row.id).collect();
        for id in young {
            self.change(id, |row| row.claim = None);
        }
    }

    fn happen(&mut self) {
        self.end_leases();
        self.fall_due();
        self.fire();
        self.refill();
    }

    fn end_leases(&mut self) {
        let now = self.now;
        self.workers.retain(|_, worker| !worker.is_forgotten());
        let is_over = |worker: &Worker| worker.lease_ends().is_some_and(|ends| ends <= now);
        let lost: Vec<Uuid> = self.workers.iter().filter(|(_, worker)| is_over(worker)).map(|(id, _)| *id).collect();
        lost.into_iter().for_each(|worker| self.lose_claims_of(worker));
    }

    fn fall_due(&mut self) {
        let now = self.now;
        while let Some(first) = self.deferred.first().copied().filter(|(due, _)| *due <= now) {
            self.deferred.remove(&first);
            let Some(row) = self.jobs.get(&first.1) else { continue };
            let (entrypoint, rank) = (row.entrypoint.clone(), row.rank());
            self.queue(&entrypoint).ready.insert(rank);
            self.heard.work(&entrypoint);
        }
    }

    fn refill(&mut self) {
        for (name, queue) in &mut self.queues {
            if queue.refills.take_if(|at| *at <= self.now).is_some() {
                self.heard.work(name);
            }
        }
    }

    /// When the next thing happens by itself.
    fn next_event(&self) -> Time {
        let due = self.deferred.first().map(|(due, _)| *due);
        let lease = self.workers.values().filter_map(Worker::lease_ends).min();
        let tick = self.schedules.values().filter_map(|plan| plan.next_tick).min();
        let refill = self.queues.values().filter_map(|queue| queue.refills).min();
        [due, lease, tick, refill].into_iter().flatten().min().unwrap_or(Time::MAX)
    }
}
