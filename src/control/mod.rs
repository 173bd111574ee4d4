//! What an operator does to jobs and entrypoints. Works without the library preloaded: then nobody holds anything.
//!
//! Always in this order: lock the rows, in the order of their ids; look who holds them; act.

mod cancel;
mod delete;
mod entrypoint;
mod requeue;

use crate::error::Error;
use crate::lease::receipt;
use crate::pg::{self, Time};
use crate::shmem::{memory, session};
use crate::statement;
use pgqueuer_core::claims::{Claim, JobKey, Relation};

/// A job whose row this transaction has locked, and who holds it.
struct Locked {
    key: JobKey,
    entrypoint: String,
    held_as_failed: bool,
    attempts: i32,
    created: Time,
    /// Whether others with its ordering key wait for it.
    has_key: bool,
    claim: Option<Claim>,
}

impl Locked {
    fn is_queued(&self) -> bool {
        self.claim.is_none() && !self.held_as_failed
    }
}

/// The jobs table of this session's database.
fn relation() -> Result<Relation, Error> {
    let relation = memory::relation(pg::lock_relation(c"job")?);
    receipt::load(relation)?;
    Ok(relation)
}

/// Locks the rows of those jobs that exist, then looks who holds them.
fn lock(ids: &[i64]) -> Result<Vec<Locked>, Error> {
    let relation = relation()?;
    let mut jobs: Vec<Locked> = statement::LOCK.run(&[ids.to_vec().into()], |rows| {
        let locked = |row: pg::spi::Row| {
            let key = JobKey { relation, id: row.big(1)? };
            let (entrypoint, attempts, created) = (row.text(2)?, row.int(4)?, row.time(5)?);
            let (held_as_failed, has_key) = (row.is(3), row.is(6));
            Some(Locked { key, entrypoint, held_as_failed, attempts, created, has_key, claim: None })
        };
        Ok(rows.iter().filter_map(locked).collect())
    })?;
    let session = session::known_number();
    for job in &mut jobs {
        job.claim = memory::read(|claims| claims.claim_seen_by(&job.key, session).copied()).flatten();
    }
    Ok(jobs)
}

/// Those of `ids` that are among `done`, in the order in which they were given, each once.
fn in_given_order(ids: &[i64], done: &[i64]) -> Vec<i64> {
    let mut left: std::collections::HashSet<i64> = done.iter().copied().collect();
    ids.iter().copied().filter(|id| left.remove(id)).collect()
}
