//! `pgq.enqueue_many` and `pgq.enqueue_many_text`: all jobs of a batch or none, ids in the order of the input.

use super::check::{self, OnConflict};
use super::wake::{Starts, enqueued};
use crate::error::Error;
use crate::pg::argument::Raw;
use crate::pg::spi::Parameter;
use crate::pg::{self, Time};
use crate::shmem::memory;
use crate::statement;
use pgrx::datum::IntoDatum;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Jobs to be enqueued: arrays of one length, or `None` for the default everywhere.
pub struct Batch {
    /// How many.
    pub count: usize,
    /// The entrypoint of all of them, or else
    pub one_entrypoint: Option<String>,
    /// text[]: one for each.
    pub entrypoints: Option<Raw>,
    /// bytea[].
    pub payloads: Option<Raw>,
    /// int[].
    pub priorities: Option<Raw>,
    /// timestamptz[].
    pub execute_after: Option<Raw>,
    /// text[].
    pub dedupe_keys: Option<Raw>,
    /// jsonb[].
    pub headers: Option<Raw>,
    /// text[].
    pub ordering_keys: Option<Raw>,
}

macro_rules! overload {
    ($(#[$doc:meta])* $name:ident, $payloads:ident) => {
        $(#[$doc])*
        #[pg_extern(sql = false)]
        #[allow(clippy::too_many_arguments)]
        fn $name(
            entrypoints: Option<Raw>,
            payloads: Option<Raw>,
            priorities: Option<Raw>,
            execute_after: Option<Raw>,
            dedupe_keys: Option<Raw>,
            on_conflict: Option<&str>,
            headers: Option<Raw>,
            ordering_keys: Option<Raw>,
        ) -> Result<Vec<Option<i64>>, ErrorReport> {
            let count = payloads.map(Raw::elements);
            let payloads = payloads.map(Raw::$payloads);
            let mut batch = Batch {
                count: count.unwrap_or_default(),
                one_entrypoint: None,
                entrypoints, payloads, priorities, execute_after, dedupe_keys, headers, ordering_keys,
            };
            let on_conflict = check::on_conflict(on_conflict)?;
            batch.check()?;
            Ok(enqueue_batch(&batch, on_conflict)?)
        }
    };
}

overload!(
    /// `pgq.enqueue_many`: payloads of bytes.
    enqueue_many_bytes,
    as_it_is
);
overload!(
    /// `pgq.enqueue_many_text`: payloads of text.
    enqueue_many_text,
    texts_as_bytes
);

impl Batch {
    /// Says which argument is not what it must be.
    ///
    /// # Errors
    /// [`Error::Argument`].
    pub fn check(&mut self) -> Result<(), Error> {
        if self.payloads.is_none() {
            let hint = "Pass an array with one payload for each job; a payload may be NULL.";
            return Err(Error::argument("payloads", "not be NULL", None, hint));
        }
        self.check_entrypoints()?;
        let lengths = [
            ("priorities", self.priorities),
            ("execute_after", self.execute_after),
            ("dedupe_keys", self.dedupe_keys),
            ("headers", self.headers),
            ("ordering_keys", self.ordering_keys),
        ];
        for (name, array) in lengths {
            if let Some(array) = array {
                check::same_length(name, array.elements(), "payloads", self.count)?;
            }
        }
        for (name, keys) in [("dedupe_keys", self.dedupe_keys), ("ordering_keys", self.ordering_keys)] {
            keys.map(Raw::texts).unwrap_or_default().iter().try_for_each(|key| check::key(name, key.as_deref()))?;
        }
        self.headers.map(Raw::jsonbs).unwrap_or_default().into_iter().try_for_each(check::headers)
    }

    fn check_entrypoints(&mut self) -> Result<(), Error> {
        let names = self.entrypoints.map(Raw::texts).unwrap_or_default();
        if names.is_empty() && (self.count > 0 || self.entrypoints.is_none()) {
            let hint = "Pass one for each payload, or an array of one for all, such as '{fetch}'.";
            return Err(Error::argument("entrypoints", "name at least one entrypoint", None, hint));
        }
        names.iter().try_for_each(|name| check::entrypoint("entrypoints", name.as_deref()).map(drop))?;
        match names.as_slice() {
            [name] => {
                self.one_entrypoint.clone_from(name);
                self.entrypoints = None;
                Ok(())
            }
            _ => check::same_length("entrypoints", names.len(), "payloads", self.count),
        }
    }

    /// Those of `enqueue_many.sql`.
    pub fn parameters(&self, now: Time, ids: &[i64], producer: Option<&str>) -> [Parameter; 11] {
        [
            Parameter::time(now),
            ids.to_vec().into(),
            self.entrypoints.into(),
            self.payloads
                .unwrap_or_else(|| Raw(vec![None::<Vec<u8>>; self.count].into_datum().unwrap_or(0usize.into())))
                .into(),
            self.priorities.into(),
            self.execute_after.into(),
            self.dedupe_keys.into(),
            self.headers.into(),
            self.ordering_keys.into(),
            producer.into(),
            self.one_entrypoint.as_deref().into(),
        ]
    }

    /// Wakes the workers of each entrypoint: with the times of its jobs, and as many as there are.
    fn wake(&self, now: Time, ids: &[Option<i64>]) -> Result<(), Error> {
        let relation = memory::relation(pg::relation(c"job")?);
        let names = self.entrypoints.map(Raw::texts).unwrap_or_default();
        let after = self.execute_after.map(Raw::times).unwrap_or_default();
        let mut arrived: BTreeMap<&str, (Starts, usize)> = BTreeMap::new();
        for (place, _) in ids.iter().enumerate().filter(|(_, id)| id.is_some()) {
            let name = names.get(place).and_then(Option::as_ref).or(self.one_entrypoint.as_ref());
            let due = after.get(place).copied().flatten().map_or(now, |after| after.max(now));
            let (all, jobs) = arrived.entry(name.map_or("", String::as_str)).or_insert((Starts::at(due), 0));
            all.add(due);
            *jobs += 1;
        }
        arrived.into_iter().try_for_each(|(name, (due, jobs))| enqueued(relation, name, due, jobs, jobs))
    }
}

/// Inserts a batch that has been checked; returns the ids in the order of the input, `None` for those skipped.
///
/// # Errors
/// [`Error::Duplicate`] under [`OnConflict::Raise`].
pub fn enqueue_batch(batch: &Batch, on_conflict: OnConflict) -> Result<Vec<Option<i64>>, Error> {
    if batch.count == 0 {
        return Ok(vec![]);
    }
    let ids = pg::next_values(pg::lock_relation(c"job_id_seq")?, batch.count);
    let producer = pg::caller();
    let now = pg::now();
    let parameters = batch.parameters(now, &ids, producer.as_deref());
    let answer: Vec<Option<i64>> = match on_conflict {
        OnConflict::Raise => {
            let run = || statement::ENQUEUE_MANY.run(&parameters, |_| Ok(()));
            pg::catch_duplicate(run, |detail| Error::Duplicate { detail })?;
            ids.into_iter().map(Some).collect()
        }
        OnConflict::Skip => {
            let inserted: HashSet<i64> = statement::ENQUEUE_SKIP.bigs(&parameters)?.into_iter().collect();
            ids.into_iter().map(|id| inserted.contains(&id).then_some(id)).collect()
        }
        OnConflict::Replace => return replace(batch, &ids, &parameters),
    };
    batch.wake(now, &answer)?;
    Ok(answer)
}

/// Inserts or rewrites. A job with a key is known by its key: the id is that of the job that has it now.
fn replace(batch: &Batch, ids: &[i64], parameters: &[Parameter]) -> Result<Vec<Option<i64>>, Error> {
    if let Some(keys) = batch.dedupe_keys.filter(|_| batch.count > 1) {
        statement::LOCK_KEYS.bigs(&[keys.into()])?;
    }
    let own: HashSet<i64> = ids.iter().copied().collect();
    let (plain, keyed, entrypoints) = statement::ENQUEUE_REPLACE.run(parameters, |rows| {
        let (mut plain, mut keyed) = (HashSet::new(), HashMap::new());
        let mut entrypoints: HashMap<String, (Starts, usize, usize)> = HashMap::new();
        for row in rows.iter() {
            match (row.big(1), row.text(2)) {
                (Some(id), Some(key)) => drop(keyed.insert(key, id)),
                (Some(id), None) => drop(plain.insert(id)),
                _ => {}
            }
            if let (Some(name), Some(due)) = (row.text(3), row.time(4)) {
                let (all, jobs, new) = entrypoints.entry(name).or_insert((Starts::at(due), 0, 0));
                all.add(due);
                *jobs += 1;
                // One that was rewritten keeps the id that it had.
                *new += usize::from(row.big(1).is_some_and(|id| own.contains(&id)));
            }
        }
        Ok((plain, keyed, entrypoints))
    })?;
    let relation = memory::relation(pg::relation(c"job")?);
    entrypoints.iter().try_for_each(|(name, (due, jobs, new))| enqueued(relation, name, *due, *jobs, *new))?;
    let keys = batch.dedupe_keys.map(Raw::texts).unwrap_or_default();
    let id_of = |(place, id): (usize, &i64)| match keys.get(place).and_then(Option::as_ref) {
        Some(key) => keyed.get(key).copied(),
        None => plain.get(id).copied(),
    };
    Ok(ids.iter().enumerate().map(id_of).collect())
}
