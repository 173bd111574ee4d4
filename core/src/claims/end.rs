//! A claim is being ended, has ended, was dropped.
//!
//! An end is first *begun*, by the session that will carry it out, then *ended* when its transaction has committed or
//! *forgotten* when it has not. Everything names the claim by job and number: what comes late finds nothing.

use super::{Claim, Claims, JobKey, Name, OrderKey, Point, QueueKey, Relation, Transaction, WorkerKey};

/// A claim that the caller may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// The claim.
    pub number: u64,
    /// Which attempt it is: the row must still say the same.
    pub attempt: i32,
    /// When the job was created: the row must still say the same.
    pub created: i64,
    /// When the claim was made.
    pub since: i64,
    /// Whether it is written down.
    pub has_receipt: bool,
}

/// Why a claim cannot be ended by this caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotHeld {
    /// Nobody holds the job, or this caller's worker holds it in another attempt, or it is being ended already.
    Gone,
    /// Another session holds it.
    BySession,
    /// Another named worker holds it.
    ByWorker,
    /// It is the caller's, but this open transaction is ending it: whether it does is known when that has ended.
    Ending(Transaction),
}

impl Claims<'_> {
    /// Begins the end of a claim of `worker`, in the attempt given if one is.
    ///
    /// # Errors
    /// [`NotHeld`]: the fence. Nothing has changed then.
    pub fn begin_end(
        &mut self,
        job: &JobKey,
        worker: &WorkerKey,
        attempt: Option<i32>,
        session: u64,
        ender: Transaction,
    ) -> Result<Ending, NotHeld> {
        let claim = self.jobs.get_mut(job).ok_or(NotHeld::Gone)?;
        if claim.is_lost() {
            return Err(NotHeld::Gone);
        }
        if claim.worker != *worker {
            return Err(match claim.worker.kind {
                super::WorkerKind::Session => NotHeld::BySession,
                super::WorkerKind::Named => NotHeld::ByWorker,
            });
        }
        let open_elsewhere = claim.opened_by != 0 && claim.opened_by != session;
        if open_elsewhere || attempt.is_some_and(|attempt| attempt != claim.attempt) || claim.ending_by == session {
            return Err(NotHeld::Gone);
        }
        if claim.ending_by != 0 {
            return Err(NotHeld::Ending(claim.ender));
        }
        claim.ending_by = session;
        claim.ender = ender;
        Ok(Ending {
            number: claim.number,
            attempt: claim.attempt,
            created: claim.created,
            since: claim.since,
            has_receipt: claim.has_receipt(),
        })
    }

    /// The transaction that was ending the claim has not done so.
    pub fn forget_end(&mut self, job: &JobKey, number: u64) {
        if let Some(claim) = self.numbered(job, number) {
            claim.ending_by = 0;
        }
    }

    /// The transaction that made the claim has committed. It gets a receipt when it is `receipt_after` microseconds old.
    pub fn keep(&mut self, job: &JobKey, number: u64, receipt_after: i64) {
        if let Some(claim) = self.numbered(job, number) {
            claim.opened_by = 0;
            let at = claim.since.saturating_add(receipt_after);
            let (name, waited) = (claim.queue, claim.since.saturating_sub(claim.due));
            self.got_on(job);
            self.needs_worker_at(job.relation, at);
            self.count_claim(&QueueKey { relation: job.relation, name }, waited);
        }
    }

    /// The claim is over, and its row has gone or changed. Returns what it was.
    pub fn end(&mut self, job: &JobKey, number: u64) -> Option<Claim> {
        self.numbered(job, number)?;
        self.remove(job)
    }

    /// The claim is over, and its row can be claimed as before.
    pub fn free(&mut self, job: &JobKey, number: u64) {
        if self.numbered(job, number).is_some() {
            let claim = self.remove(job);
            self.offer(job, claim);
        }
    }

    /// As [`drop_claim`](Self::drop_claim), for a claim that was tried in vain: who looked meanwhile took the job for held.
    /// `place` is where the row stands now, if it is there.
    pub fn put_back(&mut self, job: &JobKey, number: u64, place: Option<(i32, i64)>) {
        let Some(claim) = self.numbered(job, number).copied() else { return };
        let queue = QueueKey { relation: job.relation, name: claim.queue };
        self.drop_claim(job, number);
        if let Some((priority, due)) = place {
            self.lower(&queue, priority, Point { due, id: job.id });
        }
        self.wake(&queue, 1);
    }

    /// The claim did not come about: its rate limit gets its token back. Nobody is woken.
    pub fn drop_claim(&mut self, job: &JobKey, number: u64) {
        let Some(claim) = self.numbered(job, number).copied() else { return };
        let queue = QueueKey { relation: job.relation, name: claim.queue };
        self.remove(job);
        self.lower(&queue, claim.priority, Point { due: claim.due, id: job.id });
        if let Some(window) = self.rates.get_mut(&queue).filter(|_| claim.counted_at != i64::MIN) {
            window.give_back(claim.counted_at);
        }
    }

    /// The transaction that made the claim was rolled back. The job is handed out again, after a delay if this happens
    /// again and again: `delay` microseconds the second time, and twice as long each further time.
    pub fn roll_back(&mut self, job: &JobKey, number: u64, delay: i64, now: i64) {
        let Some(claim) = self.numbered(job, number).copied() else { return };
        self.drop_claim(job, number);
        self.rolled_back(job, &claim, delay, now);
        if !self.is_resting(job, now) {
            self.offer(job, Some(claim));
        }
    }

    /// Ends up to `most` claims of a worker, uncounted. Returns how many; fewer than `most` means that none is left.
    pub fn end_some_of(&mut self, worker: &WorkerKey, most: usize) -> usize {
        let mut ended = 0;
        while let Some(job) = self.first_of(worker).filter(|_| ended < most) {
            let claim = self.remove(&job);
            self.offer(&job, claim);
            ended += 1;
        }
        ended
    }

    /// Tells of a job that is free again.
    fn offer(&mut self, job: &JobKey, claim: Option<Claim>) {
        let Some(claim) = claim else { return };
        let queue = QueueKey { relation: job.relation, name: claim.queue };
        self.lower(&queue, claim.priority, Point { due: claim.due, id: job.id });
        self.wake(&queue, 1);
        self.notify(&queue);
    }

    /// Ends claims up to number `last` on jobs of a table that is gone or empty, looking at up to `most` slots from
    /// `from` on. Returns where to go on, or `None` at the end of the memory. `table` 0 stands for every table of the
    /// database. Claims made later are on new jobs.
    pub fn end_some_in(&mut self, relation: Relation, last: u64, from: u32, most: u32) -> Option<u32> {
        let to = from.saturating_add(most);
        for slot in from..to {
            let Some((job, claim)) = self.jobs.at(slot) else { continue };
            let (job, number) = (*job, claim.number);
            if number <= last && relation.includes(job.relation) {
                self.remove(&job);
            }
        }
        ((to as usize) < self.jobs.capacity()).then_some(to)
    }

    fn numbered(&mut self, job: &JobKey, number: u64) -> Option<&mut Claim> {
        self.jobs.get_mut(job).filter(|claim| claim.number == number)
    }

    fn remove(&mut self, job: &JobKey) -> Option<Claim> {
        let slot = self.jobs.find(job)?;
        self.unlink(slot);
        let claim = self.jobs.remove(job)?;
        let relation = job.relation;
        let queue = QueueKey { relation, name: claim.queue };
        if let Some(count) = self.queues.get_mut(&queue) {
            count.in_flight = count.in_flight.saturating_sub(1);
            if count.in_flight == 0 {
                self.queues.remove(&queue);
            }
        }
        self.strike_receipt(relation, &claim);
        // There is an entry, so there need be no room for one.
        let _ = self.count(relation, -1, 0);
        if claim.order != Name::NONE {
            self.orders.remove(&OrderKey { relation, name: claim.order });
            self.key_is_free(&queue);
        } else if self.heads.get(&queue).is_some_and(|head| head.limited != 0) {
            self.wake(&queue, 1);
            self.notify(&queue);
        }
        Some(claim)
    }
}
