//! The background worker of a database as sessions see it: whether there is one, and until when it sleeps.

use super::{Claims, Relation};

/// How long a worker that was asked for may take until another is, microseconds.
const START_MOST: i64 = 10_000_000;
/// How many workers may fail in a row.
const START_TRIES: u32 = 5;
/// How long after a start failed the next one is tried, microseconds.
const RETRY_AFTER: i64 = 30_000_000;
/// How often a session looks for leases that ran out where there is no worker, microseconds.
const LOOK_AFTER: i64 = 500_000;

/// Whether a database has its worker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum WorkerState {
    /// Nobody has asked for one, or it has left.
    #[default]
    Absent,
    /// Asked for.
    Starting,
    /// At work.
    Running,
    /// The server had no place for it.
    Refused,
}

/// Whether a worker may be in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// It may.
    Now,
    /// A command needs the database for itself.
    Later,
    /// Nobody there needs it.
    Never,
}

/// What is known of one database.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Database {
    /// Whether it has a worker.
    pub state: WorkerState,
    /// The worker's process.
    pub pid: i32,
    latch: u64,
    /// Since when `state` is what it is.
    pub since: i64,
    /// Until then no worker may run: a command needs the database for itself.
    banned_until: i64,
    /// When the worker wakes by itself.
    pub(super) wake_at: i64,
    /// Its latch was set and it has not looked since.
    told: u32,
    /// The jobs table that it serves; 0 once that has gone.
    served: u32,
    /// The jobs table whose receipts are in memory; 0 if none.
    pub loaded: u32,
    /// Channels to be notified.
    pub(super) channels: u64,
    /// Receipts whose claims are gone.
    pub stale_receipts: u64,
    /// Until then the worker wakes by itself to notify, if there is anything.
    pub(super) quiet_until: i64,
    /// When the next job falls due that nobody looks after but the worker; 0 if it has not asked yet.
    pub next_due: i64,
    /// Up to when those that fell due have been told of.
    pub alarmed: i64,
    /// How many workers began in a row that did not get to work.
    failures: u32,
    /// Without a worker: when somebody last looked for leases that ran out.
    looked_after: i64,
    /// The server's log has been told that there is no place for a worker.
    pub refused: bool,
    /// Told, and its latch is still to be set.
    pub(super) unlatched: bool,
}

impl Database {
    pub(super) fn latch(&self) -> u64 {
        self.latch
    }
}

pub(super) fn key(relation: Relation) -> Relation {
    Relation { database: relation.database, table: 0 }
}

impl Claims<'_> {
    /// What is known of the database of a table.
    pub fn database(&self, relation: Relation) -> Option<&Database> {
        self.databases.get(&key(relation))
    }

    /// The same, to be changed; made if there is none. `None` where there are too many databases.
    pub fn database_mut(&mut self, relation: Relation) -> Option<&mut Database> {
        let key = key(relation);
        if self.databases.find(&key).is_none() {
            self.databases.insert(key, Database::default()).ok()?;
        }
        self.databases.get_mut(&key)
    }

    /// Whether a worker is at work there or about to be: what is lost waits for it.
    pub(super) fn worker_will_count(&self, relation: Relation) -> bool {
        self.database(relation).is_some_and(|of| matches!(of.state, WorkerState::Running | WorkerState::Starting))
    }

    /// Whether a worker is at work there.
    pub fn worker_is_running(&self, relation: Relation) -> bool {
        self.database(relation).is_some_and(|of| of.state == WorkerState::Running)
    }

    /// Whether the caller is to start a worker: nobody else will for a while.
    pub fn begin_start(&mut self, relation: Relation, now: i64) -> bool {
        let Some(of) = self.database_mut(relation) else { return false };
        let age = now.saturating_sub(of.since);
        let wanted = match of.state {
            WorkerState::Absent => true,
            WorkerState::Starting => age > START_MOST,
            WorkerState::Refused => age > RETRY_AFTER,
            WorkerState::Running => false,
        };
        let begins = wanted && of.banned_until <= now;
        if begins {
            (of.state, of.since) = (WorkerState::Starting, now);
        }
        begins
    }

    /// Without a worker: whether the caller is to look for leases that ran out, in its stead.
    pub fn looks_after(&mut self, relation: Relation, now: i64) -> bool {
        let absent = |of: &&mut Database| !matches!(of.state, WorkerState::Running | WorkerState::Starting);
        let Some(of) = self.database_mut(relation).filter(absent) else { return false };
        let looks = !(of.looked_after..of.looked_after.saturating_add(LOOK_AFTER)).contains(&now);
        if looks {
            of.looked_after = now;
        }
        looks
    }

    /// The server had no place for the worker.
    pub fn start_refused(&mut self, relation: Relation, now: i64) {
        if let Some(of) = self.database_mut(relation).filter(|of| of.state == WorkerState::Starting) {
            (of.state, of.since) = (WorkerState::Refused, now);
        }
    }

    /// A worker is at work. False where it must not be: another is, or the database is needed by a command.
    pub fn worker_runs(&mut self, relation: Relation, pid: i32, latch: u64, now: i64) -> bool {
        let Some(of) = self.database_mut(relation) else { return false };
        if of.state == WorkerState::Running || of.banned_until > now {
            return false;
        }
        (of.state, of.pid, of.latch, of.since, of.wake_at) = (WorkerState::Running, pid, latch, now, i64::MAX);
        true
    }

    /// The worker has left; the server brings it back if it is to come back.
    pub fn worker_left(&mut self, relation: Relation, pid: i32, comes_back: bool, now: i64) {
        if let Some(of) = self.databases.get_mut(&key(relation)).filter(|of| of.pid == pid) {
            let state = if comes_back { WorkerState::Starting } else { WorkerState::Absent };
            (of.state, of.pid, of.latch, of.since, of.served) = (state, 0, 0, now, 0);
            // Who waits looks after itself until there is another.
            self.wake_all(key(relation));
        }
    }

    /// The worker has found the jobs table.
    pub fn worker_serves(&mut self, relation: Relation, now: i64) {
        if let Some(of) = self.database_mut(relation) {
            // Whoever waits for a job that was due before has looked for it; a worker that was ended by an error goes on
            // where it was.
            of.alarmed = if of.alarmed == 0 { now } else { of.alarmed };
            (of.served, of.next_due, of.failures) = (relation.table, 0, 0);
        }
    }

    /// A jobs table is gone (`table` 0: a database is): its worker has nothing to do any more.
    pub fn table_gone(&mut self, relation: Relation) {
        let Some(of) = self.databases.get_mut(&key(relation)) else { return };
        if relation.includes(Relation { table: of.served, ..relation }) {
            of.served = 0;
        }
        self.tell_worker(relation);
    }

    /// Whether the worker of its database serves this table.
    pub fn serves(&self, relation: Relation) -> bool {
        let serves = |of: &Database| of.state == WorkerState::Running && of.served != 0 && of.served == relation.table;
        self.database(relation).is_some_and(serves)
    }

    /// Somebody uses this table: a worker that serves another, which has gone, leaves.
    pub fn is_used(&mut self, relation: Relation) {
        let Some(of) = self.databases.get_mut(&key(relation)) else { return };
        if of.state == WorkerState::Running && of.served != 0 && of.served != relation.table {
            of.served = 0;
            self.tell_worker(relation);
        }
    }

    /// The worker begins to look at what is to be done. False where it is to leave.
    pub fn worker_looks(&mut self, relation: Relation, now: i64) -> bool {
        let Some(of) = self.database_mut(relation) else { return false };
        (of.told, of.wake_at) = (0, i64::MAX);
        of.banned_until <= now && of.served == relation.table
    }

    /// The worker goes to sleep. Returns until when: sooner than `at` if something was noted since it looked.
    pub fn worker_sleeps(&mut self, relation: Relation, at: i64) -> i64 {
        let Some(of) = self.database_mut(relation) else { return at };
        // Its latch may have been taken for something else that it waited for meanwhile.
        of.wake_at = if of.told != 0 { i64::MIN } else { of.wake_at.min(at) };
        of.wake_at
    }

    /// Keeps workers out of a database until then, and asks one that is there to leave. Returns its process, 0 if none.
    pub fn ban_worker(&mut self, relation: Relation, until: i64) -> i32 {
        if let Some(of) = self.database_mut(relation) {
            of.banned_until = until;
        }
        self.tell_worker(relation);
        self.database(relation).map_or(0, |of| of.pid)
    }

    /// The command has ended: the server brings the worker back.
    pub fn lift_ban(&mut self, relation: Relation) {
        if let Some(of) = self.databases.get_mut(&key(relation)) {
            of.banned_until = 0;
        }
    }

    /// Whether a worker may enter a database, or come back to it.
    pub fn may_enter(&self, relation: Relation, now: i64) -> Entry {
        match self.database(relation) {
            // Dropped, or of a former life of the server: whoever needs a worker asks for another.
            None => Entry::Never,
            Some(of) if of.banned_until > now => Entry::Later,
            Some(_) => Entry::Now,
        }
    }

    /// A worker is about to enter. False where so many have failed to that it is given up, until somebody asks again.
    pub fn enters(&mut self, relation: Relation, now: i64) -> bool {
        let Some(of) = self.databases.get_mut(&key(relation)) else { return false };
        of.failures += 1;
        let goes_on = of.failures <= START_TRIES;
        if !goes_on {
            (of.state, of.since, of.failures) = (WorkerState::Refused, now, 0);
        }
        goes_on
    }

    /// A database is gone.
    pub fn forget_database(&mut self, relation: Relation) {
        self.databases.remove(&key(relation));
    }

    /// Sees that the worker looks at once.
    pub fn tell_worker(&mut self, relation: Relation) {
        let Some(of) = self.databases.get_mut(&key(relation)) else { return };
        if of.told == 0 && of.latch != 0 {
            of.told = 1;
            of.unlatched = !self.latches.push(of.latch);
        }
    }

    /// Sees that the worker looks at a time at the latest.
    pub fn needs_worker_at(&mut self, relation: Relation, at: i64) {
        let Some(of) = self.databases.get_mut(&key(relation)) else { return };
        if at < of.wake_at {
            of.wake_at = at;
            self.tell_worker(relation);
        }
    }

    /// A job falls due then. Until now nobody looks after it.
    pub fn falls_due(&mut self, relation: Relation, due: i64) {
        let Some(of) = self.databases.get_mut(&key(relation)) else { return };
        if of.next_due != 0 && due < of.next_due {
            of.next_due = due;
            self.needs_worker_at(relation, due);
        }
    }

    /// The worker begins to look for jobs that fell due. What is enqueued from here on is noted anew. Returns since when.
    pub fn begin_alarm(&mut self, relation: Relation, now: i64) -> i64 {
        let Some(of) = self.database_mut(relation) else { return now };
        of.next_due = i64::MAX;
        of.alarmed
    }

    /// It has told of those that fell due until then, and the next does at `next`.
    pub fn end_alarm(&mut self, relation: Relation, until: i64, next: i64) {
        if let Some(of) = self.database_mut(relation) {
            of.alarmed = until;
        }
        self.falls_due(relation, next);
    }

    /// It could not look: all is to be looked at again.
    pub fn alarm_failed(&mut self, relation: Relation) {
        if let Some(of) = self.database_mut(relation) {
            of.next_due = 0;
        }
    }

    /// The worker is about to strike out receipts.
    pub fn forget_stale_receipts(&mut self, relation: Relation) {
        if let Some(of) = self.database_mut(relation) {
            of.stale_receipts = 0;
        }
    }
}
