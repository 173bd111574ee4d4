//! Workers: what keeps their claims, and what becomes of those that are lost.

use super::check;
use super::clock::Time;
use super::row::{Holder, Row};
use super::state::State;
use crate::backend::Fetch;
use crate::error::Result;
use crate::job::{Job, Status};
use pgqueuer_core::failure::{OnFailure, after_release};
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

/// How long after its last [`Signals`](crate::Signals) is gone a worker keeps its claims, microseconds.
const ATTACH_GRACE: Time = 2_000_000;

/// A worker that was heard of.
#[derive(Debug, Default)]
pub(super) struct Worker {
    pub claims: BTreeSet<i64>,
    pub last_seen: Time,
    lease: Time,
    /// How many [`Signals`](crate::Signals) it has, and since when it has none any more.
    signals: usize,
    pub detached: Option<Time>,
}

impl Worker {
    /// When its claims are lost if nothing is heard of it.
    pub(super) fn lease_ends(&self) -> Option<Time> {
        let lease = self.last_seen.saturating_add(self.lease);
        let grace = self.detached.map_or(Time::MAX, |since| since.saturating_add(ATTACH_GRACE));
        (!self.claims.is_empty()).then_some(lease.min(grace))
    }

    /// Whether nothing is left to remember.
    pub(super) fn is_forgotten(&self) -> bool {
        self.claims.is_empty() && self.signals == 0
    }
}

impl State {
    /// A sign of life.
    pub(super) fn beat(&mut self, worker: Uuid, lease: Time) {
        let (now, worker) = (self.now, self.workers.entry(worker).or_default());
        (worker.last_seen, worker.lease, worker.detached) = (now, lease, None);
        if let Some(ends) = worker.lease_ends() {
            self.wake_at(ends);
        }
    }

    pub(super) fn attach(&mut self, worker: Uuid) {
        let worker = self.workers.entry(worker).or_default();
        worker.signals += 1;
        worker.detached = None;
    }

    pub(super) fn detach(&mut self, id: Uuid) {
        let now = self.now;
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.signals = worker.signals.saturating_sub(1);
        if worker.signals == 0 {
            worker.detached = Some(now);
            if let Some(ends) = worker.lease_ends() {
                self.wake_at(ends);
            }
        }
    }

    /// Whether this worker holds the job, in that attempt where one is given.
    pub(super) fn holds(&self, worker: Uuid, id: i64, attempt: Option<i32>) -> bool {
        let fits = |row: &&Row| attempt.is_none_or(|attempt| attempt == row.attempts);
        let claim = self.jobs.get(&id).filter(fits).and_then(|row| row.claim);
        claim.is_some_and(|claim| claim.worker == worker)
    }

    /// Claims the best jobs of all that are asked for.
    pub(super) fn dequeue(&mut self, fetch: &Fetch<'_>) -> Result<Vec<Job>> {
        let most = check::batch_size(fetch.most)?;
        let mut open: Vec<String> = check::entrypoints(fetch.entrypoints)?.into_iter().collect();
        self.beat(fetch.worker, check::lease(fetch.lease)?);
        let mut jobs = vec![];
        while jobs.len() < most {
            let heads =
                open.iter().enumerate().filter_map(|(place, name)| Some((self.queues.get(name)?.head()?, place)));
            let Some(((_, _, id), place)) = heads.min() else { break };
            let now = self.now;
            let Some(queue) = open.get(place).and_then(|name| self.queues.get_mut(name)) else { break };
            if queue.admits(now) {
                jobs.extend(self.claim(id, fetch.worker));
                continue;
            }
            let refills = queue.refills;
            refills.into_iter().for_each(|at| self.wake_at(at));
            open.swap_remove(place);
        }
        // The first claim of a worker begins to need its lease.
        self.workers.get(&fetch.worker).and_then(Worker::lease_ends).into_iter().for_each(|ends| self.wake_at(ends));
        Ok(jobs)
    }

    fn claim(&mut self, id: i64, worker: Uuid) -> Option<Job> {
        let picked = self.now;
        self.change(id, |row| {
            row.claim = Some(Holder { worker, picked });
            row.handed_out(picked)
        })
    }

    /// The claims of a worker that is gone: the attempt counts, and after too many of them the job is given up.
    pub(super) fn lose_claims_of(&mut self, worker: Uuid) {
        let lost = self.workers.get_mut(&worker).map(|worker| std::mem::take(&mut worker.claims)).unwrap_or_default();
        for id in lost {
            let Some((entrypoint, releases)) = self.jobs.get(&id).map(|row| (row.entrypoint.clone(), row.releases))
            else {
                continue;
            };
            let limits = self.queue(&entrypoint).limits;
            let why = || json!("released too often: its worker was lost again and again");
            match after_release(releases, limits.max_releases, limits.policy.on_failure) {
                None => self.release_lost(id),
                Some(OnFailure::Hold) => self.hold(id, why()),
                Some(OnFailure::Delete) => self.end(id, Status::Exception, Some(why())),
            }
        }
    }

    fn release_lost(&mut self, id: i64) {
        self.log(id, Status::Released, None);
        self.change(id, |row| {
            row.claim = None;
            row.attempts += 1;
            row.releases += 1;
        });
    }
}
