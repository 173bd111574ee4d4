//! `pgq.import_jobs`: jobs that another queue has begun with, as they are: when they were enqueued, how often they were
//! tried, whether they are held as failed. All of a batch or none.

use super::check;
use super::enqueue_many::Batch;
use super::wake::{Starts, enqueued};
use crate::error::Error;
use crate::pg::argument::Raw;
use crate::pg::spi::Parameter;
use crate::pg::{self, Time};
use crate::shmem::memory;
use crate::statement;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;
use std::collections::{BTreeMap, HashSet};

/// What a batch to enqueue does not have: arrays of the same length, or `None` for the default everywhere.
struct History {
    /// timestamptz[]: now, where it is NULL.
    created: Option<Raw>,
    /// int[].
    attempts: Option<Raw>,
    /// timestamptz[]: since when it is held.
    failed: Option<Raw>,
    /// jsonb[].
    errors: Option<Raw>,
}

/// What became of a batch.
struct Inserted {
    ids: HashSet<i64>,
    /// By entrypoint: when those may run that are not held, and how many they are.
    queued: BTreeMap<String, (Starts, usize)>,
}

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn import_jobs(
    entrypoints: Option<Raw>,
    payloads: Option<Raw>,
    priorities: Option<Raw>,
    execute_after: Option<Raw>,
    dedupe_keys: Option<Raw>,
    on_conflict: Option<&str>,
    headers: Option<Raw>,
    ordering_keys: Option<Raw>,
    created: Option<Raw>,
    attempts: Option<Raw>,
    failed: Option<Raw>,
    errors: Option<Raw>,
) -> Result<Vec<Option<i64>>, ErrorReport> {
    let skips = check::option("on_conflict", on_conflict, &[("raise", false), ("skip", true)])?;
    let count = payloads.map(Raw::elements).unwrap_or_default();
    let one_entrypoint = None;
    let mut batch = Batch {
        count,
        one_entrypoint,
        entrypoints,
        payloads,
        priorities,
        execute_after,
        dedupe_keys,
        headers,
        ordering_keys,
    };
    batch.check()?;
    let history = History { created, attempts, failed, errors };
    history.check(count)?;
    Ok(import(&batch, &history, skips)?)
}

impl History {
    fn check(&self, count: usize) -> Result<(), Error> {
        let arrays =
            [("created", self.created), ("attempts", self.attempts), ("failed", self.failed), ("errors", self.errors)];
        for (name, array) in arrays {
            if let Some(array) = array {
                check::same_length(name, array.elements(), "payloads", count)?;
            }
        }
        for (name, times) in [("created", self.created), ("failed", self.failed)] {
            if times
                .map(Raw::times)
                .unwrap_or_default()
                .iter()
                .flatten()
                .any(|time| [i64::MIN, i64::MAX].contains(time))
            {
                return Err(Error::argument(name, "be finite", None, "Pass the time at which it was, or NULL."));
            }
        }
        if self.attempts.map(Raw::ints).unwrap_or_default().iter().flatten().any(|attempts| *attempts < 0) {
            let hint = "Pass how many earlier attempts there were, 0 for none.";
            return Err(Error::argument("attempts", "not be negative", None, hint));
        }
        let failed = self.failed.map(Raw::times).unwrap_or_default();
        let is_held = |place: usize| failed.get(place).is_some_and(Option::is_some);
        let errors = self.errors.map(Raw::jsonbs).unwrap_or_default();
        if errors.iter().enumerate().any(|(place, error)| error.is_some() && !is_held(place)) {
            let hint = "Pass failed for that job, too.";
            return Err(Error::argument("errors", "be NULL for a job that is not held as failed", None, hint));
        }
        Ok(())
    }
}

fn import(batch: &Batch, history: &History, skips: bool) -> Result<Vec<Option<i64>>, Error> {
    if batch.count == 0 {
        return Ok(vec![]);
    }
    let ids = pg::next_values(pg::lock_relation(c"job_id_seq")?, batch.count);
    let producer = pg::caller();
    let mut parameters = Vec::from(batch.parameters(pg::now(), &ids, producer.as_deref()));
    let of_history: [Parameter; 4] =
        [history.created.into(), history.attempts.into(), history.failed.into(), history.errors.into()];
    parameters.extend(of_history);
    let inserted = statement::IMPORT_JOBS.run(&parameters, |rows| {
        let (mut ids, mut queued) = (HashSet::new(), BTreeMap::new());
        for row in rows.iter() {
            ids.extend(row.big(1));
            if let (Some(entrypoint), Some(due), false) = (row.text(2), row.time(3), row.is(4)) {
                count(&mut queued, entrypoint, due);
            }
        }
        Ok(Inserted { ids, queued })
    })?;
    let answer: Vec<Option<i64>> = ids.into_iter().map(|id| inserted.ids.contains(&id).then_some(id)).collect();
    if let (Some(place), false) = (answer.iter().position(Option::is_none), skips) {
        let keys = batch.dedupe_keys.map(Raw::texts).unwrap_or_default();
        let key = keys.get(place).cloned().flatten().unwrap_or_default();
        return Err(Error::Taken { key });
    }
    let relation = memory::relation(pg::relation(c"job")?);
    inserted.queued.into_iter().try_for_each(|(name, (due, jobs))| enqueued(relation, &name, due, jobs, jobs))?;
    Ok(answer)
}

fn count(queued: &mut BTreeMap<String, (Starts, usize)>, entrypoint: String, due: Time) {
    let (all, jobs) = queued.entry(entrypoint).or_insert((Starts::at(due), 0));
    all.add(due);
    *jobs += 1;
}
