//! What an administrator does to jobs.

use super::clock::Time;
use super::row::Row;
use super::state::State;
use crate::control::QueueSize;
use crate::job::Status;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

impl State {
    /// Those of `ids` that are jobs of this kind, in the order given, each once.
    fn which(&self, ids: &[i64], is: impl Fn(&Row) -> bool) -> Vec<i64> {
        let mut seen = BTreeSet::new();
        let fits = |id: &i64| self.jobs.get(id).is_some_and(&is);
        ids.iter().copied().filter(|id| fits(id) && seen.insert(*id)).collect()
    }

    /// Ends jobs whatever they are, and tells those who hear of their entrypoints.
    pub(super) fn cancel(&mut self, ids: &[i64]) -> Vec<i64> {
        let ids = self.which(ids, |_| true);
        let mut held: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for row in ids.iter().filter_map(|id| self.jobs.get(id)).filter(|row| row.claim.is_some()) {
            held.entry(row.entrypoint.clone()).or_default().push(row.id);
        }
        ids.iter().for_each(|id| self.end(*id, Status::Canceled, None));
        held.iter().for_each(|(entrypoint, ids)| self.heard.canceled(entrypoint, ids));
        ids
    }

    pub(super) fn delete(&mut self, ids: &[i64]) -> Vec<i64> {
        let ids = self.which(ids, |row| row.claim.is_none());
        ids.iter().for_each(|id| self.end(*id, Status::Deleted, None));
        ids
    }

    /// Deletes queued jobs, of these entrypoints or of all. Returns how many.
    pub(super) fn clear(&mut self, entrypoints: Option<&BTreeSet<String>>) -> usize {
        let asked = |row: &&Row| entrypoints.is_none_or(|names| names.contains(&row.entrypoint));
        let queued = self.jobs.values().filter(|row| row.status() == Status::Queued);
        let ids: Vec<i64> = queued.filter(asked).map(|row| row.id).collect();
        self.delete(&ids).len()
    }

    /// Queues failed jobs again, as if never tried. Left out is one whose dedupe key lives again; of two with one key, the
    /// first one is queued.
    pub(super) fn requeue(&mut self, ids: &[i64]) -> Vec<i64> {
        let now = self.now;
        let wanted = self.which(ids, |row| row.held);
        let mut queued = BTreeSet::new();
        for id in wanted.iter().copied().collect::<BTreeSet<_>>() {
            let key = self.jobs.get(&id).and_then(|row| row.dedupe_key.as_ref());
            if key.is_some_and(|key| self.keys.contains_key(key)) {
                continue;
            }
            self.change(id, |row| {
                (row.held, row.attempts, row.failures, row.releases) = (false, 0, 0, 0);
                (row.execute_after, row.due) = (None, now);
            });
            queued.insert(id);
        }
        wanted.into_iter().filter(|id| queued.contains(id)).collect()
    }

    pub(super) fn reschedule(&mut self, ids: &[i64], at: Time, priority: Option<i32>) -> Vec<i64> {
        let ids = self.which(ids, |row| row.status() == Status::Queued);
        for id in &ids {
            self.change(*id, |row| {
                row.start_at(Some(at));
                row.priority = priority.unwrap_or(row.priority);
            });
        }
        ids
    }

    /// How many live jobs of each kind there are: by entrypoint, highest priority first, in the order of the states.
    pub(super) fn sizes(&self) -> Vec<QueueSize> {
        let mut counts: BTreeMap<(&str, Reverse<i32>, usize), i64> = BTreeMap::new();
        for row in self.jobs.values() {
            *counts.entry((&row.entrypoint, Reverse(row.priority), row.status() as usize)).or_default() += 1;
        }
        let size = |((entrypoint, Reverse(priority), status), count): ((&str, _, usize), _)| {
            let status = *Status::ALL.get(status)?;
            Some(QueueSize { entrypoint: entrypoint.to_owned(), priority, status, count })
        };
        counts.into_iter().filter_map(size).collect()
    }
}
