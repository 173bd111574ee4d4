//! Enqueueing: what `pgq.enqueue` and `pgq.enqueue_many` do.

use super::check;
use super::clock::{Time, time_of};
use super::row::Row;
use super::state::State;
use crate::error::Result;
use crate::new_job::{NewJob, OnConflict, Start};
use std::collections::{BTreeMap, HashSet};

impl State {
    /// Enqueues a batch that has been checked and agrees in `on_conflict`: all or none. Returns an id for each, in order.
    pub(super) fn enqueue(&mut self, jobs: Vec<NewJob>, on_conflict: OnConflict) -> Result<Vec<Option<i64>>> {
        let starts: Vec<Option<Time>> = jobs.iter().map(|job| self.start_of(job)).collect::<Result<_>>()?;
        // Ids that turn out to be of no use are not given again.
        let rows: Vec<Row> = jobs.into_iter().zip(starts).map(|(job, start)| self.row(job, start)).collect();
        match on_conflict {
            OnConflict::Raise => self.enqueue_or_raise(rows),
            OnConflict::Skip => Ok(rows.into_iter().map(|row| self.enqueue_or_skip(row)).collect()),
            OnConflict::Replace => Ok(self.enqueue_or_replace(rows)),
        }
    }

    fn start_of(&self, job: &NewJob) -> Result<Option<Time>> {
        match job.start {
            Start::Now => Ok(None),
            Start::At(date) => Ok(Some(time_of(date))),
            Start::After(delay) => self.in_so_long(delay).map(Some),
        }
    }

    fn row(&mut self, job: NewJob, start: Option<Time>) -> Row {
        let mut row = Row {
            id: self.next_id(),
            entrypoint: job.entrypoint,
            payload: job.payload,
            headers: job.headers,
            priority: job.priority,
            created: self.now,
            execute_after: None,
            due: self.now,
            attempts: 0,
            failures: 0,
            releases: 0,
            held: false,
            dedupe_key: job.dedupe_key,
            ordering_key: job.ordering_key,
            claim: None,
        };
        row.start_at(start);
        row
    }

    fn enqueue_or_raise(&mut self, rows: Vec<Row>) -> Result<Vec<Option<i64>>> {
        let mut new = HashSet::new();
        let mut keys = rows.iter().filter_map(|row| row.dedupe_key.as_deref());
        if let Some(key) = keys.find(|key| self.keys.contains_key(*key) || !new.insert(*key)) {
            return Err(check::duplicate(key));
        }
        Ok(rows.into_iter().map(|row| self.enqueue_row(row)).collect())
    }

    fn enqueue_or_skip(&mut self, row: Row) -> Option<i64> {
        let taken = row.dedupe_key.as_ref().is_some_and(|key| self.keys.contains_key(key));
        if taken { None } else { self.enqueue_row(row) }
    }

    /// Of two with one key the last counts. A job with a key is known by its key: the id is that of the job that has it.
    fn enqueue_or_replace(&mut self, rows: Vec<Row>) -> Vec<Option<i64>> {
        let keys: Vec<Option<String>> = rows.iter().map(|row| row.dedupe_key.clone()).collect();
        let last: BTreeMap<String, i64> =
            rows.iter().filter_map(|row| Some((row.dedupe_key.clone()?, row.id))).collect();
        let (mut plain, mut keyed) = (vec![], BTreeMap::new());
        for row in rows {
            match row.dedupe_key.clone() {
                None => plain.push(self.enqueue_row(row)),
                Some(key) if last.get(&key) == Some(&row.id) => drop(keyed.insert(key, self.rewrite_or_enqueue(row))),
                Some(_) => {}
            }
        }
        let mut plain = plain.into_iter();
        let id_of = |key: Option<String>| match key {
            Some(key) => keyed.get(&key).copied().flatten(),
            None => plain.next().flatten(),
        };
        keys.into_iter().map(id_of).collect()
    }

    /// None where the key is that of a job that somebody holds.
    fn rewrite_or_enqueue(&mut self, new: Row) -> Option<i64> {
        let taken = new.dedupe_key.as_ref().and_then(|key| self.keys.get(key).copied());
        let Some(id) = taken else { return self.enqueue_row(new) };
        if self.jobs.get(&id)?.claim.is_some() {
            return None;
        }
        self.change(id, |row| {
            (row.payload, row.priority, row.headers) = (new.payload, new.priority, new.headers);
            row.start_at(new.execute_after);
            id
        })
    }

    fn enqueue_row(&mut self, row: Row) -> Option<i64> {
        let id = row.id;
        self.insert(row);
        Some(id)
    }
}
