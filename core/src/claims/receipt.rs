//! Claims that are written down. A claim that lives longer than a moment gets a receipt in a table, so that a named
//! worker keeps its job through a restart, and a session's attempt is counted after one.
//!
//! A claim is marked before its receipt is inserted, and only one whose transaction has committed is. What a worker
//! releases takes its own receipt out; all others are struck out later, in batches: what a stale one says of a job that
//! has ended or was tried again does not fit its row any more.

use super::{Claim, Claims, JobKey, Refusal, Relation, Request, WorkerKey, WorkerKind, earlier};

impl Claims<'_> {
    /// Marks claims of a table that were made before `until` and have no receipt, looking at up to `most` slots from
    /// `from` on, and copies them, as many as `into` has room for. Returns how many, where to go on (`None` at the end),
    /// and when the oldest of those that are too young was made.
    pub fn mark_receipts(
        &mut self,
        relation: Relation,
        until: i64,
        from: u32,
        into: &mut [(i64, Claim)],
    ) -> (usize, Option<u32>, Option<i64>) {
        let (mut copied, mut youngest) = (0, None);
        let to = from.saturating_add(into.len() as u32).min(self.jobs.used());
        for slot in from..to {
            let Some((job, claim)) = self.jobs.at(slot).map(|(job, claim)| (*job, *claim)) else { continue };
            let open = claim.opened_by != 0 || claim.ending_by != 0;
            if job.relation != relation || claim.has_receipt() || claim.is_lost() {
                continue;
            }
            if open || claim.since > until {
                let since = if open { until } else { claim.since };
                youngest = earlier(youngest, since);
                continue;
            }
            let Some(place) = into.get_mut(copied) else { break };
            *place = (job.id, claim);
            copied += 1;
            self.mark_receipt(slot, relation);
        }
        (copied, (to < self.jobs.used()).then_some(to), youngest)
    }

    /// A claim that was marked could not be written down.
    pub fn unmark_receipt(&mut self, job: &JobKey, number: u64) {
        let marked = |claim: &&mut Claim| claim.number == number && claim.has_receipt();
        if let Some(claim) = self.jobs.get_mut(job).filter(marked) {
            claim.flags &= !Claim::RECEIPT;
            if let Some(held) = self.relations.get_mut(&job.relation) {
                held.receipts = held.receipts.saturating_sub(1);
            }
        }
    }

    /// The worker that wrote receipts has ended in the middle: which of those that it had marked are written is not known, so
    /// all claims of the database count as not written down, looking at up to `most` slots from `from` on. Returns where to go
    /// on, `None` at the end. One that is written again writes over itself.
    pub fn unmark_some(&mut self, relation: Relation, from: u32, most: u32) -> Option<u32> {
        let to = from.saturating_add(most).min(self.jobs.used());
        for slot in from..to {
            let marked =
                self.jobs.at(slot).filter(|(job, claim)| relation.includes(job.relation) && claim.has_receipt());
            if let Some((job, number)) = marked.map(|(job, claim)| (*job, claim.number)) {
                self.unmark_receipt(&job, number);
            }
        }
        (to < self.jobs.used()).then_some(to)
    }

    /// How many claims of a table have no receipt.
    pub fn without_receipt(&self, relation: Relation) -> u64 {
        self.relations.get(&relation).map_or(0, |held| held.claims.saturating_sub(held.receipts))
    }

    /// Makes a claim as a receipt has it: that of a named worker has one lease to be heard of, that of a session is lost.
    ///
    /// # Errors
    /// The [`Refusal`], if a table is full or somebody holds the job.
    pub fn restore(&mut self, request: &Request) -> Result<(), Refusal> {
        let number = self.publish(request)?;
        let Some(slot) = self.jobs.find(&request.job) else { return Ok(()) };
        self.mark_receipt(slot, request.job.relation);
        if let Some(claim) = self.jobs.at_mut(slot).filter(|claim| claim.number == number) {
            claim.opened_by = 0;
        }
        if request.worker.kind == WorkerKind::Session {
            self.lose(slot);
            self.forget_worker(&request.worker);
            self.tell_worker(request.job.relation);
        }
        Ok(())
    }

    /// The lease of a worker; 0 for a session.
    pub fn lease_of(&self, worker: &WorkerKey) -> Option<i64> {
        self.workers.get(worker).map(|worker| worker.lease)
    }

    /// Whether a receipt belongs to a claim that stands.
    pub fn is_receipt_of(&self, job: &JobKey, worker: &[u8; 16], attempt: i32) -> bool {
        self.jobs
            .get(job)
            .is_some_and(|claim| claim.has_receipt() && claim.attempt == attempt && claim.worker.uuid() == *worker)
    }

    /// The claim is gone; its receipt is to be struck out.
    pub(super) fn strike_receipt(&mut self, relation: Relation, claim: &Claim) {
        if !claim.has_receipt() {
            return;
        }
        if let Some(held) = self.relations.get_mut(&relation) {
            held.receipts = held.receipts.saturating_sub(1);
        }
        let Some(of) = self.database_mut(relation) else { return };
        of.stale_receipts += 1;
        if of.stale_receipts == 1 {
            self.tell_worker(relation);
        }
    }

    fn mark_receipt(&mut self, slot: u32, relation: Relation) {
        if let Some(claim) = self.jobs.at_mut(slot) {
            claim.flags |= Claim::RECEIPT;
        }
        if let Some(held) = self.relations.get_mut(&relation) {
            held.receipts += 1;
        }
    }
}
