//! Everything that a queue in memory knows, and the indexes over its jobs.
//!
//! Indexes are made of rows alone: whoever changes a row takes it out of them first and puts it back after
//! ([`State::insert`], [`State::change`], [`State::remove`]), and nothing else writes them.

use super::clock::{Clock, Time};
use super::log::Log;
use super::queue::Queue;
use super::row::{Rank, Row};
use super::tick::Plan;
use super::wait::Heard;
use super::worker::Worker;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tokio::sync::watch;
use uuid::Uuid;

/// Everything that a queue in memory knows.
#[derive(Debug)]
pub(super) struct State {
    pub clock: Clock,
    /// Up to where time has taken effect.
    pub now: Time,
    /// Since when nothing is missed that falls due.
    pub alive_since: Time,
    /// Nothing falls due before that time; who waits sleeps no longer.
    pub alarm: watch::Sender<Time>,
    pub jobs: BTreeMap<i64, Row>,
    pub queues: BTreeMap<String, Queue>,
    pub workers: BTreeMap<Uuid, Worker>,
    pub schedules: BTreeMap<String, Plan>,
    pub log: Log,
    pub heard: Heard,
    /// Queued jobs that are not due, the first one first.
    pub deferred: BTreeSet<(Time, i64)>,
    /// The job of each dedupe key.
    pub keys: HashMap<String, i64>,
    /// The jobs of each entrypoint and ordering key.
    lines: HashMap<(String, String), Line>,
    ids: i64,
    pub schedule_ids: i64,
}

/// The jobs of one ordering key, those that are held as failed left out.
#[derive(Debug, Default)]
struct Line {
    jobs: BTreeSet<i64>,
    /// The one that somebody holds.
    picked: Option<i64>,
    /// The one that the other indexes show: the first, unless one is picked.
    shown: Option<i64>,
}

impl State {
    pub(super) fn new(clock: Clock) -> Self {
        let now = clock.now();
        Self {
            clock,
            now,
            alive_since: now,
            alarm: watch::Sender::new(Time::MAX),
            jobs: BTreeMap::new(),
            queues: BTreeMap::new(),
            workers: BTreeMap::new(),
            schedules: BTreeMap::new(),
            log: Log::default(),
            heard: Heard::default(),
            deferred: BTreeSet::new(),
            keys: HashMap::new(),
            lines: HashMap::new(),
            ids: 0,
            schedule_ids: 0,
        }
    }

    /// An id that no job has had.
    pub(super) fn next_id(&mut self) -> i64 {
        self.ids += 1;
        self.ids
    }

    pub(super) fn queue(&mut self, entrypoint: &str) -> &mut Queue {
        self.queues.entry(entrypoint.to_owned()).or_default()
    }

    pub(super) fn insert(&mut self, row: Row) {
        self.put_in(&row);
        self.jobs.insert(row.id, row);
    }

    /// Changes a row. The id and the entrypoint stay.
    pub(super) fn change<R>(&mut self, id: i64, change: impl FnOnce(&mut Row) -> R) -> Option<R> {
        let mut row = self.remove(id)?;
        let changed = change(&mut row);
        self.insert(row);
        Some(changed)
    }

    pub(super) fn remove(&mut self, id: i64) -> Option<Row> {
        let row = self.jobs.remove(&id)?;
        self.take_out(&row);
        Some(row)
    }

    fn put_in(&mut self, row: &Row) {
        if row.held {
            return;
        }
        if let Some(key) = &row.dedupe_key {
            self.keys.insert(key.clone(), row.id);
        }
        let queue = self.queue(&row.entrypoint);
        match row.claim {
            Some(_) => queue.picked += 1,
            None => queue.queued += 1,
        }
        if let Some(holder) = row.claim {
            self.workers.entry(holder.worker).or_default().claims.insert(row.id);
        }
        if let Some(name) = line_of(row) {
            let line = self.lines.entry(name).or_default();
            line.jobs.insert(row.id);
            line.picked = line.picked.or(row.claim.map(|_| row.id));
            self.show_first(row);
        } else if row.claim.is_none() {
            self.show(&row.entrypoint, row.rank());
        }
    }

    fn take_out(&mut self, row: &Row) {
        if row.held {
            return;
        }
        if let Some(key) = &row.dedupe_key {
            self.keys.remove(key);
        }
        let queue = self.queue(&row.entrypoint);
        match row.claim {
            Some(_) => queue.picked -= 1,
            None => queue.queued -= 1,
        }
        if row.claim.is_some() && queue.has_crowd() {
            self.heard.work(&row.entrypoint);
        }
        if let Some(worker) = row.claim.and_then(|holder| self.workers.get_mut(&holder.worker)) {
            worker.claims.remove(&row.id);
        }
        self.hide(&row.entrypoint, row.rank());
        let Some(name) = line_of(row) else { return };
        let Some(line) = self.lines.get_mut(&name) else { return };
        line.jobs.remove(&row.id);
        line.picked = line.picked.filter(|id| *id != row.id);
        line.shown = line.shown.filter(|id| *id != row.id);
        if line.jobs.is_empty() {
            self.lines.remove(&name);
        } else {
            self.show_first(row);
        }
    }

    /// Sees that of the jobs with the ordering key of `row` the other indexes show the first, or none while one is picked.
    fn show_first(&mut self, row: &Row) {
        let Some(line) = line_of(row).and_then(|name| self.lines.get_mut(&name)) else { return };
        let first = line.jobs.first().copied().filter(|_| line.picked.is_none());
        if line.shown == first {
            return;
        }
        let shown = std::mem::replace(&mut line.shown, first);
        // `row` is not among the jobs at this moment.
        let rank = |id: i64| if id == row.id { Some(row.rank()) } else { self.jobs.get(&id).map(Row::rank) };
        let (shown, first) = (shown.and_then(rank), first.and_then(rank));
        shown.into_iter().for_each(|rank| self.hide(&row.entrypoint, rank));
        first.into_iter().for_each(|rank| self.show(&row.entrypoint, rank));
    }

    /// A queued job can be handed out when it is due.
    fn show(&mut self, entrypoint: &str, rank: Rank) {
        let (_, due, id) = rank;
        if due <= self.now {
            self.queue(entrypoint).ready.insert(rank);
            self.heard.work(entrypoint);
        } else {
            self.deferred.insert((due, id));
            self.wake_at(due);
        }
    }

    fn hide(&mut self, entrypoint: &str, rank: Rank) {
        let (_, due, id) = rank;
        self.queue(entrypoint).ready.remove(&rank);
        self.deferred.remove(&(due, id));
    }

    /// Something falls due at that time.
    pub(super) fn wake_at(&mut self, at: Time) {
        self.alarm.send_if_modified(|alarm| {
            let sooner = at < *alarm;
            *alarm = at.min(*alarm);
            sooner
        });
    }
}

fn line_of(row: &Row) -> Option<(String, String)> {
    Some((row.entrypoint.clone(), row.ordering_key.clone()?))
}
