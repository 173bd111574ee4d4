//! Workers: sessions and named ones, and the list of what each holds.

use super::{Claims, JobKey, Relation, WorkerKey, WorkerKind};
use crate::table::{Full, NONE};

/// A worker that holds claims or was heard of lately.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Worker {
    /// How many claims it holds.
    pub claims: u64,
    /// When it was first heard of.
    pub since: i64,
    /// When it was last heard of.
    pub last_seen: i64,
    /// Named workers: for how long a sign of life keeps its claims, in microseconds. 0 for sessions.
    pub lease: i64,
    /// Operating-system process of its session; 0 if it has none.
    pub pid: i32,
    /// Named workers: how many sessions say that they belong to it.
    pub sessions: u32,
    /// When the last of them ended, if there was one and the worker was not heard of since; 0 if not.
    pub detached: i64,
    /// First of its claims.
    pub(super) first: u32,
    unused: u32,
}

impl Worker {
    /// A worker that is heard of for the first time.
    pub fn new(now: i64, lease: i64, pid: i32) -> Self {
        Self { claims: 0, since: now, last_seen: now, lease, pid, sessions: 0, detached: 0, first: NONE, unused: 0 }
    }

    /// When a named worker's claims are lost if nothing is heard of it. `grace` is what they have after the end of its last
    /// session, microseconds.
    pub fn lease_ends(&self, grace: i64) -> i64 {
        let lease = self.last_seen.saturating_add(self.lease);
        if self.detached == 0 { lease } else { lease.min(self.detached.saturating_add(grace)) }
    }
}

impl Claims<'_> {
    /// Notes a sign of life of a named worker. `lease` changes its lease, else it keeps the one it has.
    ///
    /// Returns false where the worker is not known and the table of workers is full.
    pub fn beat(&mut self, key: WorkerKey, now: i64, lease: Option<i64>, default_lease: i64) -> bool {
        if let Some(worker) = self.workers.get_mut(&key) {
            worker.last_seen = now;
            worker.lease = lease.unwrap_or(worker.lease);
            worker.detached = 0;
            let (claims, ends) = (worker.claims, worker.last_seen.saturating_add(worker.lease));
            if claims > 0 {
                self.needs_worker_at(key.relation, ends);
            }
            return true;
        }
        let worker = Worker::new(now, lease.unwrap_or(default_lease), 0);
        self.make_room_for_worker(key.kind) && self.add_worker(key, worker).is_ok()
    }

    /// How many workers can be known at one time.
    pub fn room_for_workers(&self) -> usize {
        self.workers.capacity()
    }

    /// How many named workers can be known at one time.
    pub fn room_for_named(&self) -> u64 {
        self.most_named
    }

    /// What is known of a worker.
    pub fn worker(&self, key: &WorkerKey) -> Option<&Worker> {
        self.workers.get(key)
    }

    /// Whether this worker holds the job.
    pub fn holds(&self, worker: &WorkerKey, job: &JobKey) -> bool {
        self.jobs.get(job).is_some_and(|claim| claim.worker == *worker && !claim.is_lost())
    }

    /// All workers of one jobs table.
    pub fn workers_of(&self, relation: Relation) -> impl Iterator<Item = (&WorkerKey, &Worker)> {
        self.workers.iter().filter(move |(key, _)| key.relation == relation)
    }

    /// Forgets a worker that holds nothing.
    pub fn forget_worker(&mut self, key: &WorkerKey) {
        if self.workers.get(key).is_some_and(|worker| worker.claims == 0) {
            self.workers.remove(key);
            self.boot.named = self.boot.named.saturating_sub(u64::from(key.kind == WorkerKind::Named));
            let _ = self.count(key.relation, 0, -1);
        }
    }

    /// Forgets workers of a table that is gone, as far as they hold nothing, looking at up to `most` slots from `from`
    /// on. Returns where to go on, or `None` at the end of the memory.
    pub fn forget_some_in(&mut self, relation: Relation, from: u32, most: u32) -> Option<u32> {
        let to = from.saturating_add(most);
        for slot in from..to {
            let key = self.workers.at(slot).map(|(key, _)| *key);
            if let Some(key) = key.filter(|key| relation.includes(key.relation)) {
                self.forget_worker(&key);
            }
        }
        ((to as usize) < self.workers.capacity()).then_some(to)
    }

    /// Adds a worker that is not known yet.
    pub(super) fn add_worker(&mut self, key: WorkerKey, worker: Worker) -> Result<(), Full> {
        self.workers.insert(key, worker)?;
        self.boot.named = self.boot.named.saturating_add(u64::from(key.kind == WorkerKind::Named));
        self.count(key.relation, 0, 1)
    }

    /// The first claim of a worker.
    pub(super) fn first_of(&self, worker: &WorkerKey) -> Option<JobKey> {
        let first = self.workers.get(worker)?.first;
        self.jobs.at(first).map(|(job, _)| *job)
    }

    /// Sees that a worker can be added. Named ones take at most their share, so a session always finds a place; one too
    /// many takes the place of one that holds nothing, which loses by it no more than the lease it asked for.
    pub(super) fn make_room_for_worker(&mut self, kind: WorkerKind) -> bool {
        if kind == WorkerKind::Session || self.boot.named < self.most_named {
            return self.workers.room() > 0;
        }
        // Goes on where the last search ended, so it looks far only where nearly all of them hold jobs.
        let capacity = self.workers.capacity() as u64;
        for _ in 0..capacity {
            self.boot.hand = (self.boot.hand + 1) % capacity.max(1);
            let found = self.workers.at(self.boot.hand as u32);
            // One with sessions would not be known as theirs any more.
            let found = found.map(|(key, worker)| (*key, worker.claims + u64::from(worker.sessions)));
            if let Some((key, 0)) = found.filter(|(key, _)| key.kind == WorkerKind::Named) {
                self.forget_worker(&key);
                return true;
            }
        }
        false
    }

    /// Puts a claim into its worker's list.
    pub(super) fn link(&mut self, worker: &WorkerKey, slot: u32) {
        let Some(worker) = self.workers.get_mut(worker) else { return };
        let second = worker.first;
        worker.first = slot;
        worker.claims = worker.claims.saturating_add(1);
        if let Some(claim) = self.jobs.at_mut(second) {
            claim.previous = slot;
        }
        if let Some(claim) = self.jobs.at_mut(slot) {
            claim.previous = NONE;
            claim.next = second;
        }
    }

    /// Takes a claim out of its worker's list.
    pub(super) fn unlink(&mut self, slot: u32) {
        let Some((relation, claim)) = self.jobs.at(slot).map(|(job, claim)| (job.relation, *claim)) else { return };
        let (worker, previous, next) = (claim.worker, claim.previous, claim.next);
        if let Some(claim) = self.jobs.at_mut(next) {
            claim.previous = previous;
        }
        if let Some(claim) = self.jobs.at_mut(previous) {
            claim.next = next;
        }
        if claim.is_lost() {
            if let Some(held) = self.relations.get_mut(&relation).filter(|held| held.lost == slot) {
                held.lost = next;
            }
            return;
        }
        let Some(worker) = self.workers.get_mut(&worker) else { return };
        worker.claims = worker.claims.saturating_sub(1);
        if worker.first == slot {
            worker.first = next;
        }
    }
}
