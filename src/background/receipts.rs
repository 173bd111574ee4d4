//! Long claims are written down and ended ones struck out, in batches.

use super::host::{AFTER_FAILURE, Duties, Pause};
use crate::guc;
use crate::lease::receipt;
use crate::pg::Time;
use crate::shmem::memory;
use pgqueuer_core::claims::{Claim, JobKey};

/// How many claims are looked at under one hold of the lock, and written by one transaction.
const SLICE: usize = 256;
/// How long ended claims are gathered until their receipts are struck out, microseconds.
const GATHER: Time = 1_000_000;

/// Writes and strikes out. Returns when it is needed next. Before anything else those of a former life are read: to this
/// one they would look as if their claims were gone.
pub fn run(duties: &mut Duties, now: Time) -> Option<Time> {
    if !receipt::is_loaded(duties.relation) && !duties.in_transaction(|| receipt::load(duties.relation)) {
        return Some(now.saturating_add(AFTER_FAILURE));
    }
    [write(duties, now), strike(duties, now)].into_iter().flatten().min()
}

fn write(duties: &Duties, now: Time) -> Option<Time> {
    let relation = duties.relation;
    if memory::read(|claims| claims.without_receipt(relation)) == Some(0) {
        return None;
    }
    let until = now.saturating_sub(guc::receipt_after());
    let mut slice = vec![(0, Claim::default()); SLICE];
    let (mut from, mut oldest) = (Some(0), None);
    while let Some(slot) = from {
        let (count, on, young) = memory::change(|claims| claims.mark_receipts(relation, until, slot, &mut slice))?;
        let marked = slice.get(..count).unwrap_or_default();
        if !marked.is_empty() && !duties.in_transaction(|| receipt::write(relation, marked)) {
            for (id, claim) in marked {
                memory::change(|claims| claims.unmark_receipt(&JobKey { relation, id: *id }, claim.number));
            }
            return Some(now.saturating_add(AFTER_FAILURE));
        }
        oldest = [oldest, young].into_iter().flatten().min();
        from = on;
    }
    // Those whose transaction is open are looked at again with the next.
    oldest.map(|oldest: Time| oldest.saturating_add(guc::receipt_after()).max(now.saturating_add(GATHER / 4)))
}

fn strike(duties: &mut Duties, now: Time) -> Option<Time> {
    let relation = duties.relation;
    if memory::read(|claims| claims.database(relation).map_or(0, |of| of.stale_receipts)) == Some(0) {
        return None;
    }
    if let Some(until) = duties.struck.lasts(now) {
        return Some(until);
    }
    duties.struck = Pause::of(now, GATHER);
    memory::change(|claims| claims.forget_stale_receipts(relation));
    let mut left = true;
    duties.in_transaction(|| {
        left = receipt::strike(relation)?;
        Ok(())
    });
    if !left {
        return None;
    }
    memory::change(|claims| claims.database_mut(relation).map(|of| of.stale_receipts += 1));
    Some(now.saturating_add(AFTER_FAILURE))
}
