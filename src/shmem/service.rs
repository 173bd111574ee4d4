//! Sees that a database has its background worker, and looks after it where it has none.

use super::memory;
use crate::{guc, pg};
use pgqueuer_core::claims::Relation;

/// How many workers are looked at under one hold of the lock.
const WORKERS: u32 = 128;

/// Two looks at clocks lie further apart only where the process was stopped in between, microseconds.
const STOPPED: i64 = 100_000;

/// Sees that the database of a jobs table has its worker, or gets it when it is needed. Where it cannot have one, this
/// session does some of its work.
pub fn ensure(relation: Relation) {
    if memory::read(|claims| claims.is_attended(relation)) != Some(false) {
        return;
    }
    // A table that this transaction makes is nobody else's yet, nor is the one that it drops gone.
    if pg::is_made_here(relation.table) {
        return;
    }
    memory::change(|claims| claims.is_used(relation));
    let now = look_at_clock();
    if memory::change(|claims| claims.looks_after(relation, now)) == Some(true) {
        expire(relation, now);
        memory::in_slices(|claims, most| claims.free_lost(relation, most));
        memory::change(|claims| claims.end_rests(relation, now));
        memory::change(|claims| claims.run_chases(relation, now));
    }
}

/// The time; where the clock was set, leases and other lengths of time move along.
pub fn look_at_clock() -> pg::Time {
    let before = pg::steady();
    let (now, steady) = (pg::now(), pg::steady());
    // A process that is stopped between the two would take that for a clock that was set.
    if steady.saturating_sub(before) < STOPPED {
        memory::change(|claims| claims.look_at_clock(now, steady));
    }
    now
}

/// Loses the claims of named workers whose leases ran out. Returns when the next one does.
pub fn expire(relation: Relation, now: i64) -> Option<i64> {
    let (mut next, grace) = (None, guc::attach_grace());
    memory::sweep(|claims, slot| {
        let (on, ends) = claims.expire_some(relation, now, grace, slot, WORKERS);
        next = [next, ends].into_iter().flatten().min();
        on
    });
    next
}
