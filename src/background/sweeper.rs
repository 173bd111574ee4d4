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
/// When a row that is locked is tried again, microseconds.
const LOCKED: Time = 50_000;

/// Releases what is lost. Returns when it is needed next.
pub fn run(duties: &mut Duties, now: Time) -> Option<Time> {
    let relation = duties.relation;
    let expiry = service::expire(relation, now);
    let rested = memory::change(|claims| claims.end_rests(relation, now)).flatten();
    let chased = memory::change(|claims| claims.run_chases(relation, now)).flatten();
    let locked = release(duties).then(|| now.saturating_add(LOCKED));
    [expiry, rested, chased, locked].into_iter().flatten().min()
}

/// Returns whether rows are left that somebody has locked.
fn release(duties: &Duties) -> bool {
    let mut slice = vec![(0, Claim::default()); SLICE];
    loop {
        let count = memory::read(|claims| claims.lost_some(duties.relation, &mut slice)).unwrap_or(0);
        let claims = slice.get(..count).unwrap_or_default();
        if claims.is_empty() {
            return false;
        }
        let mut released = 0;
        duties.in_transaction(|| {
            released = lost::release(duties.relation, claims)?;
            Ok(())
        });
        if released == 0 {
            return true;
        }
    }
}
