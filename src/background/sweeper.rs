//! Lost workers: leases that ran out, sessions that ended. Their jobs go back to the queue, the attempt counted.
//!
//! It waits for no row: what somebody has locked is tried again.

use super::host::Duties;
use crate::job::lost;
use crate::pg::Time;
use crate::shmem::{memory, service};
use pgqueuer_core::claims::Claim;

/// How many claims one transaction releases.
const SLICE: usize = 256;
/// When what is left is tried again, microseconds.
const LEFT: Time = 100_000;

/// Releases what is lost. Returns when it is needed next.
pub fn run(duties: &mut Duties, now: Time) -> Option<Time> {
    let relation = duties.relation;
    let expiry = service::expire(relation, now);
    let rested = memory::change(|claims| claims.end_rests(relation, now)).flatten();
    let refilled = memory::change(|claims| claims.run_refills(relation, now)).flatten();
    let chased = memory::change(|claims| claims.run_chases(relation, now)).flatten();
    let left = release(duties).then(|| now.saturating_add(LEFT));
    [expiry, rested, refilled, chased, left].into_iter().flatten().min()
}

/// Returns whether some are left: somebody has locked their rows, or something went wrong with them.
fn release(duties: &Duties) -> bool {
    let mut slice = vec![(0, Claim::default()); SLICE];
    let mut left = 0;
    loop {
        let count = memory::read(|claims| claims.lost_some(duties.relation, left, &mut slice)).unwrap_or(0);
        let claims = slice.get(..count).unwrap_or_default();
        if claims.is_empty() {
            return left > 0;
        }
        let released = match release_these(duties, claims) {
            Some(released) => released,
            None => release_one_by_one(duties, claims),
        };
        left += count - released;
    }
}

/// One that cannot be released must not keep back the others; two in a row are no fault of theirs.
fn release_one_by_one(duties: &Duties, claims: &[(i64, Claim)]) -> usize {
    let (mut released, mut failed) = (0, 0);
    for one in claims.chunks(1) {
        match release_these(duties, one) {
            Some(count) => (released, failed) = (released + count, 0),
            None => failed += 1,
        }
        if failed == 2 {
            break;
        }
    }
    released
}

/// Releases claims in one transaction. Returns how many need no further look; `None` where it failed.
fn release_these(duties: &Duties, claims: &[(i64, Claim)]) -> Option<usize> {
    let mut released = 0;
    let done = duties.in_transaction(|| {
        released = lost::release(duties.relation, claims)?;
        Ok(())
    });
    done.then_some(released)
}
