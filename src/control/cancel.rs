//! `pgq.cancel`: ends jobs whatever they are, and tells those who run them.

use super::{Locked, in_given_order, lock};
use crate::error::Error;
use crate::job::check;
use crate::job::wake::{self, key_is_free};
use crate::pg;
use crate::pg::argument::{self, Raw};
use crate::pg::spi::Parameter;
use crate::shmem::{memory, transaction};
use crate::statement;
use pgqueuer_core::channel::channel;
use pgqueuer_core::claims::{Outcome, Relation};
use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;
use std::collections::{BTreeMap, HashSet};

/// A notification holds less than 8000 bytes: so many ids fit for certain.
const IDS_IN_MESSAGE: usize = 300;

#[pg_extern(sql = false)]
fn cancel(ids: Option<Raw>) -> Result<Vec<i64>, ErrorReport> {
    let ids = check::ids("ids", ids)?;
    let jobs = lock(&ids)?;
    let ended = remove(&jobs, Outcome::Canceled)?;
    tell_workers(&jobs);
    Ok(in_given_order(&ids, &ended))
}

/// Removes jobs whose rows are locked and logs how they ended. Claims on them end with the commit.
pub(super) fn remove(jobs: &[Locked], outcome: Outcome) -> Result<Vec<i64>, Error> {
    transaction::reserve(jobs.len())?;
    for job in jobs {
        match &job.claim {
            Some(claim) => transaction::removing(job.key, claim.number),
            None => transaction::ended(job.key),
        }
        if job.has_key && memory::is_there() {
            key_is_free(job.key.relation, &job.entrypoint)?;
        }
    }
    let workers: Vec<Option<Uuid>> =
        jobs.iter().map(|job| job.claim.map(|claim| argument::uuid(claim.worker.uuid()))).collect();
    let ended = statement::FINISH.bigs(&[
        Parameter::time(pg::now()),
        jobs.iter().map(|job| job.key.id).collect::<Vec<_>>().into(),
        jobs.iter().map(|job| job.attempts).collect::<Vec<_>>().into(),
        Parameter::times(jobs.iter().map(|job| Some(job.created))),
        workers.into(),
        Parameter::times(jobs.iter().map(|job| job.claim.map(|claim| claim.since))),
        vec![outcome.word(); jobs.len()].into(),
        Parameter::jsonbs(&vec![None; jobs.len()]),
    ])?;
    count(jobs, &ended, outcome)?;
    Ok(ended)
}

/// Counts those that have ended, each entrypoint once.
fn count(jobs: &[Locked], ended: &[i64], outcome: Outcome) -> Result<(), Error> {
    let ended: HashSet<i64> = ended.iter().copied().collect();
    let mut counts: BTreeMap<&str, (Relation, usize)> = BTreeMap::new();
    for job in jobs.iter().filter(|job| ended.contains(&job.key.id)) {
        counts.entry(&job.entrypoint).or_insert((job.key.relation, 0)).1 += 1;
    }
    counts.into_iter().try_for_each(|(name, (relation, jobs))| wake::ended(relation, name, outcome, jobs))
}

/// One message for each entrypoint of which a running job was canceled.
fn tell_workers(jobs: &[Locked]) {
    let mut running: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for job in jobs.iter().filter(|job| job.claim.is_some()) {
        running.entry(&job.entrypoint).or_default().push(job.key.id);
    }
    for (entrypoint, ids) in running {
        for ids in ids.chunks(IDS_IN_MESSAGE) {
            let ids = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
            pg::notify(&channel(entrypoint), &format!(r#"{{"event":"canceled","ids":[{ids}]}}"#));
        }
    }
}
