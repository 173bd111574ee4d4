//! Claims whose worker is gone: its session ended, or its lease ran out.
//!
//! Such a claim is *lost*: its worker can end it no more, nobody else can have the job yet. It stands in the list of its
//! table until the database's worker has counted the attempt in the row and released it. Where there is no such worker, it
//! ends at once, uncounted.

use super::{Claim, Claims, JobKey, Relation, WorkerKey, WorkerKind, earlier};
use crate::table::NONE;

/// How long after a claim could not expire, because a transaction is ending it, one looks again, microseconds.
const LOOK_AGAIN: i64 = 1_000_000;

/// How many claims of a worker are lost under one hold of the lock.
const SLICE: usize = 64;

/// What became of the claims of a worker whose lease ran out.
enum Lost {
    /// It has none any more.
    All,
    /// It has those that an open transaction made or is ending.
    ButEnding,
    /// There are more.
    Some,
}

impl Claims<'_> {
    /// A worker is gone for good: loses up to `most` of its claims. Returns how many; fewer than `most` means that none
    /// is left.
    pub fn lose_some_of(&mut self, worker: &WorkerKey, most: usize) -> usize {
        if !self.worker_will_count(worker.relation) {
            return self.end_some_of(worker, most);
        }
        let mut lost = 0;
        while let Some(slot) = self.workers.get(worker).map(|worker| worker.first).filter(|_| lost < most) {
            if self.jobs.at(slot).is_none() {
                break;
            }
            self.lose(slot);
            lost += 1;
        }
        if lost > 0 {
            self.tell_worker(worker.relation);
        }
        lost
    }

    /// The session that made a claim ended in the middle of the transaction that did.
    pub fn lose_claim(&mut self, job: &JobKey, number: u64) {
        let Some(slot) = self.jobs.find(job) else { return };
        if self.jobs.at(slot).is_none_or(|(_, claim)| claim.number != number || claim.is_lost()) {
            return;
        }
        if self.worker_will_count(job.relation) {
            self.lose(slot);
            self.tell_worker(job.relation);
        } else {
            self.drop_claim(job, number);
        }
    }

    /// Loses the claims of named workers that were not heard of within their leases, or whose sessions ended `grace`
    /// microseconds ago, looking at up to `most` workers from slot `from` on. A claim that an open transaction made or is
    /// ending is kept. Returns where to go on, `None` at the end, and when the next lease runs out.
    pub fn expire_some(
        &mut self,
        relation: Relation,
        now: i64,
        grace: i64,
        from: u32,
        most: u32,
    ) -> (Option<u32>, Option<i64>) {
        let (to, mut next) = (from.saturating_add(most), None);
        for slot in from..to {
            let Some((key, worker)) = self.workers.at(slot).map(|(key, worker)| (*key, *worker)) else { continue };
            if key.relation != relation || key.kind != WorkerKind::Named || worker.claims == 0 {
                continue;
            }
            let mut ends = worker.lease_ends(grace);
            if ends <= now {
                ends = match self.lose_all_of(&key) {
                    Lost::All => i64::MAX,
                    Lost::ButEnding => now.saturating_add(LOOK_AGAIN),
                    Lost::Some => now,
                };
            }
            next = earlier(next, ends);
        }
        ((to < self.workers.used()).then_some(to), next.filter(|at| *at < i64::MAX))
    }

    /// Loses at most [`SLICE`] at a time.
    fn lose_all_of(&mut self, worker: &WorkerKey) -> Lost {
        let (mut slot, mut all) = (self.workers.get(worker).map_or(NONE, |worker| worker.first), Lost::All);
        let mut lost = 0;
        let counted = self.worker_will_count(worker.relation);
        while let Some((next, kept)) = self.jobs.at(slot).map(|(_, c)| (c.next, c.ending_by != 0 || c.opened_by != 0)) {
            if kept {
                all = Lost::ButEnding;
                slot = next;
                continue;
            }
            if lost == SLICE {
                return Lost::Some;
            }
            lost += 1;
            if counted {
                self.lose(slot);
            } else if let Some((job, number)) = self.jobs.at(slot).map(|(job, claim)| (*job, claim.number)) {
                self.free(&job, number);
            }
            slot = next;
        }
        all
    }

    /// Ends up to `most` lost claims of a table, uncounted: there is no worker to count them. Returns how many.
    pub fn free_lost(&mut self, relation: Relation, most: usize) -> usize {
        let mut freed = 0;
        while freed < most {
            let first = self.relations.get(&relation).map_or(NONE, |held| held.lost);
            let Some((job, number)) = self.jobs.at(first).map(|(job, claim)| (*job, claim.number)) else { break };
            self.free(&job, number);
            freed += 1;
        }
        freed
    }

    /// Copies lost claims of a table, behind the first `skip`, as many as `into` has room for.
    pub fn lost_some(&self, relation: Relation, skip: usize, into: &mut [(i64, Claim)]) -> usize {
        let mut slot = self.relations.get(&relation).map_or(NONE, |held| held.lost);
        for _ in 0..skip {
            slot = self.jobs.at(slot).map_or(NONE, |(_, claim)| claim.next);
        }
        let mut copied = 0;
        while let (Some((job, claim)), Some(place)) = (self.jobs.at(slot), into.get_mut(copied)) {
            *place = (job.id, *claim);
            copied += 1;
            slot = claim.next;
        }
        copied
    }

    /// A session says that it belongs to a named worker. False where the worker is not known and there is no room.
    pub fn attach(&mut self, key: WorkerKey, now: i64, default_lease: i64) -> bool {
        let known = self.beat(key, now, None, default_lease);
        if let Some(worker) = self.workers.get_mut(&key) {
            worker.sessions = worker.sessions.saturating_add(1);
            worker.detached = 0;
        }
        known
    }

    /// A session that belonged to a named worker has ended.
    pub fn detach(&mut self, key: &WorkerKey, now: i64, grace: i64) {
        let Some(worker) = self.workers.get_mut(key) else { return };
        let last = worker.sessions == 1;
        worker.sessions = worker.sessions.saturating_sub(1);
        if last {
            worker.detached = now;
            self.needs_worker_at(key.relation, now.saturating_add(grace));
        }
    }

    /// Moves a claim from its worker's list to that of lost ones.
    pub(super) fn lose(&mut self, slot: u32) {
        self.unlink(slot);
        let Some((relation, number)) = self.jobs.at(slot).map(|(job, claim)| (job.relation, claim.number)) else {
            return;
        };
        if let Some(claim) = self.jobs.at_mut(slot).filter(|claim| claim.number == number) {
            claim.flags |= Claim::LOST;
            (claim.opened_by, claim.ending_by) = (0, 0);
        }
        self.link_lost(relation, slot);
    }

    fn link_lost(&mut self, relation: Relation, slot: u32) {
        let Some(held) = self.relations.get_mut(&relation) else { return };
        let second = held.lost;
        held.lost = slot;
        if let Some(claim) = self.jobs.at_mut(second) {
            claim.previous = slot;
        }
        if let Some(claim) = self.jobs.at_mut(slot) {
            (claim.previous, claim.next) = (NONE, second);
        }
    }
}
