//! The background worker of a database as sessions and the worker itself see it: whether there is one, until when it
//! sleeps, what it is to look at. Who starts it: see `launch`.

use super::{Claims, Relation};

/// How often a session looks for leases that ran out where there is no worker, microseconds.
const LOOK_AFTER: i64 = 500_000;
/// A worker that is needed again so soon does not leave for another, microseconds.
const SOON: i64 = 20_000;
/// Unless it has been at work so long, microseconds: the others have their turn.
const TURN: i64 = 1_000_000;
/// How long after a worker was ended by hand the next one is started, microseconds.
const AFTER_END: i64 = 100_000;
/// How long after a worker ended in the middle of its work the next one is started, microseconds; each further time
/// doubles it.
const AFTER_FAILURE: i64 = 1_000_000;

/// Whether a database has its worker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum WorkerState {
    /// It needs none: the extension is not there, or settings say so. Also: nobody has looked yet. Next: `Starting`.
    #[default]
    Absent,
    /// The server was asked for one. Next: `Running`, `Refused`, or as after `Running`.
    Starting,
    /// At work. Next: `Resting`, `Absent`.
    Running,
    /// It has left, because another database needed its place or a command the database; one comes back when it is
    /// needed. Next: `Starting`.
    Resting,
    /// The server had no place for one. Next: `Starting`.
    Refused,
}

/// Until when a worker sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sleep {
    /// Until then, or until it is told.
    Until(i64),
    /// It leaves, and comes back when it is needed.
    Leave,
}

/// What is known of one database.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Database {
    /// Whether it has a worker.
    pub state: WorkerState,
    /// The worker's process, until that has left the database.
    pub pid: i32,
    latch: u64,
    /// Since when `state` is what it is.
    pub since: i64,
    /// Until then no worker may run: a command needs the database for itself.
    pub(super) banned_until: i64,
    /// How many commands need it for themselves.
    bans: u32,
    /// When the worker wakes by itself; without one: when one is to be there.
    pub(super) wake_at: i64,
    /// Its latch was set and it has not looked since.
    told: u32,
    /// It sleeps.
    pub(super) asleep: u32,
    /// It is asked to make room for another database's worker.
    pub(super) dismissed: u32,
    /// No worker is to be there: settings say so, or nobody can connect.
    pub(super) excluded: u32,
    /// The jobs table that its worker serves, or served until it went to rest; 0 if none.
    served: u32,
    /// A jobs table that somebody uses and that is not served.
    used: u32,
    /// The jobs table whose receipts are in memory; 0 if none.
    pub loaded: u32,
    /// How many workers in a row ended in the middle.
    pub(super) failures: u32,
    /// No worker is started before.
    pub(super) retry_at: i64,
    /// Since when its workers have looked after it, their rests included; 0 if they do not.
    pub served_since: i64,
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
    /// When the scheduler looks next; 0 if it has not looked yet.
    pub next_tick: i64,
    /// Whether schedules tick: 1 they do, 2 they do not, 0 nobody has looked.
    pub(super) armed: u32,
    /// The scheduler is to see whether schedules lie too far ahead of the clock: at the first look of a life, and when
    /// the clock was set.
    pub(super) clock_was_set: u32,
    /// Without a worker: when somebody last looked for leases that ran out.
    pub(super) looked_after: i64,
    /// The server's log has been told that there is no place for a worker.
    pub refused: bool,
    /// Told, and its latch is still to be set.
    pub(super) unlatched: bool,
}

impl Database {
    pub(super) fn latch(&self) -> u64 {
        self.latch
    }

    /// Its state while it has no worker, where the server has places.
    pub(super) fn state_without(&self) -> WorkerState {
        if self.served == 0 { WorkerState::Absent } else { WorkerState::Resting }
    }

    /// Whether no worker is to be there.
    pub fn is_excluded(&self) -> bool {
        self.excluded != 0
    }

    /// Whether a worker is to be there at once.
    pub fn is_awaited(&self) -> bool {
        self.wake_at == i64::MIN && self.excluded == 0
    }

    /// Whether somebody looks after this table, now or as soon as it is needed.
    fn attends(&self, table: u32) -> bool {
        matches!(self.state, WorkerState::Running | WorkerState::Resting) && self.served != 0 && self.served == table
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
            if self.databases.room() == 0 {
                self.forget_unserved();
            }
            self.databases.insert(key, Database::default()).ok()?;
        }
        self.databases.get_mut(&key)
    }

    /// What is known of a database that nobody serves or uses is little, and is learnt again.
    fn forget_unserved(&mut self) {
        let unserved = |of: &Database| of.state == WorkerState::Absent && of.pid == 0 && of.served == 0 && of.used == 0;
        let found = self.databases.iter().find(|(_, of)| unserved(of) && of.banned_until == 0).map(|(key, _)| *key);
        if let Some(found) = found {
            self.databases.remove(&found);
        }
    }

    /// Whether a worker is at work there or comes when it is needed: what is lost waits for it.
    pub(super) fn worker_will_count(&self, relation: Relation) -> bool {
        self.database(relation)
            .is_some_and(|of| matches!(of.state, WorkerState::Running | WorkerState::Starting | WorkerState::Resting))
    }

    /// Whether a worker looks after this table, now or as soon as it is needed.
    pub fn is_attended(&self, relation: Relation) -> bool {
        self.database(relation).is_some_and(|of| of.attends(relation.table))
    }

    /// Whether the worker of its database serves this table, or will when it comes back.
    pub fn serves(&self, relation: Relation) -> bool {
        self.database(relation).is_some_and(|of| of.served != 0 && of.served == relation.table)
    }

    /// Without a worker: whether the caller is to look for leases that ran out, in its stead.
    pub fn looks_after(&mut self, relation: Relation, now: i64) -> bool {
        let alone = |of: &&mut Database| matches!(of.state, WorkerState::Absent | WorkerState::Refused);
        let Some(of) = self.database_mut(relation).filter(alone) else { return false };
        let looks = !(of.looked_after..of.looked_after.saturating_add(LOOK_AFTER)).contains(&now);
        if looks {
            of.looked_after = now;
        }
        looks
    }

    /// Somebody uses this table, which may not be served: a worker comes; one that serves another, which has gone, leaves
    /// first.
    pub fn is_used(&mut self, relation: Relation) {
        let Some(of) = self.database_mut(relation) else { return };
        if of.excluded != 0 || of.attends(relation.table) {
            return;
        }
        of.used = relation.table;
        match of.state {
            WorkerState::Running if of.served != 0 => {
                of.served = 0;
                self.tell_worker(relation);
            }
            WorkerState::Running | WorkerState::Starting => {}
            _ => self.needs_worker_now(relation),
        }
    }

    /// A worker is in its process, and about to connect. False where it must not.
    pub fn worker_enters(&mut self, relation: Relation, pid: i32, now: i64) -> bool {
        let Some(of) = self.databases.get_mut(&key(relation)) else { return false };
        if of.pid != 0 {
            return false;
        }
        (of.state, of.pid, of.latch, of.since, of.used) = (WorkerState::Starting, pid, 0, now, 0);
        // What was asked of the one before is not asked of this one.
        (of.told, of.asleep, of.dismissed) = (0, 0, 0);
        of.banned_until <= now && of.excluded == 0
    }

    /// It has connected, and found the jobs table (0: there is none). False where it is to leave.
    pub fn worker_serves(&mut self, relation: Relation, latch: u64, now: i64) -> bool {
        let Some(of) = self.databases.get_mut(&key(relation)) else { return false };
        (of.state, of.latch, of.since, of.wake_at) = (WorkerState::Running, latch, now, i64::MAX);
        of.retry_at = 0;
        if of.banned_until > now || of.excluded != 0 {
            return false;
        }
        if of.served != relation.table {
            (of.served, of.next_due, of.next_tick, of.armed) = (relation.table, 0, 0, 0);
            of.clock_was_set = 1;
            of.served_since = 0;
        }
        if of.served_since == 0 && of.served != 0 {
            of.served_since = now;
        }
        // Whoever waits for a job that was due before has looked for it; a worker that was ended by an error goes on
        // where it was.
        of.alarmed = if of.alarmed == 0 { now } else { of.alarmed };
        of.served != 0
    }

    /// The worker begins to look at what is to be done. False where it is to leave.
    pub fn worker_looks(&mut self, relation: Relation, now: i64) -> bool {
        let Some(of) = self.databases.get_mut(&key(relation)) else { return false };
        (of.told, of.wake_at, of.asleep) = (0, i64::MAX, 0);
        of.banned_until <= now && of.excluded == 0 && of.served != 0 && of.served == relation.table
    }

    /// The worker has done a round, and so is well, and goes to sleep: until `at`, or sooner if something was noted since it
    /// looked. Where another database's worker needs its place it leaves.
    pub fn worker_sleeps(&mut self, relation: Relation, at: i64, now: i64) -> Sleep {
        let Some(of) = self.databases.get_mut(&key(relation)) else { return Sleep::Leave };
        (of.failures, of.refused) = (0, false);
        if of.told != 0 {
            // Its latch may have been taken for something else that it waited for meanwhile.
            return Sleep::Until(i64::MIN);
        }
        of.wake_at = of.wake_at.min(at);
        let crowded = of.dismissed != 0 || self.boot.room_wanted > 0;
        let may_leave = of.wake_at.saturating_sub(now) > SOON || now.saturating_sub(of.since) > TURN;
        if crowded && may_leave {
            if of.dismissed == 0 {
                self.boot.room_wanted -= 1;
            }
            (of.state, of.since, of.latch) = (WorkerState::Resting, now, 0);
            return Sleep::Leave;
        }
        of.asleep = 1;
        Sleep::Until(of.wake_at)
    }

    /// The worker's process has left the database, in whatever way; `told`: somebody has ended it by hand. Returns whether
    /// it may have ended between taking something up and doing it.
    pub fn worker_left(&mut self, relation: Relation, pid: i32, told: bool, now: i64) -> bool {
        let Some(of) = self.databases.get_mut(&key(relation)).filter(|of| of.pid == pid) else { return false };
        let rests = of.state == WorkerState::Resting;
        let asked = of.banned_until > now || of.excluded != 0;
        let nothing_there = of.state == WorkerState::Running && of.served == 0 && !asked;
        (of.pid, of.latch, of.unlatched) = (0, 0, false);
        (of.told, of.asleep, of.dismissed) = (0, 0, 0);
        if of.excluded != 0 {
            of.served_since = 0;
        }
        if !rests {
            of.since = now;
            of.state = if of.excluded != 0 || nothing_there { WorkerState::Absent } else { WorkerState::Resting };
            of.wake_at = if nothing_there && of.used == 0 { i64::MAX } else { i64::MIN };
            // Whatever the reason: what it had taken up is looked at anew.
            (of.next_due, of.next_tick) = (0, 0);
            of.stale_receipts += 1;
            if !asked && !nothing_there {
                let pause = if told { AFTER_END } else { AFTER_FAILURE << of.failures.min(5) };
                of.retry_at = now.saturating_add(pause);
                of.failures += u32::from(!told);
            }
            self.put_channels_back(relation);
            // Who waits looks after itself until there is another.
            self.wake_all(key(relation));
        }
        self.tell_launcher();
        !rests
    }

    /// A jobs table is gone (`table` 0: a database is): its worker has nothing to do any more.
    pub fn table_gone(&mut self, relation: Relation) {
        let Some(of) = self.databases.get_mut(&key(relation)) else { return };
        if relation.includes(Relation { table: of.served, ..relation }) {
            (of.served, of.served_since) = (0, 0);
        }
        if of.state == WorkerState::Resting && of.served == 0 {
            (of.state, of.wake_at) = (WorkerState::Absent, i64::MAX);
        }
        self.tell_worker(relation);
    }

    /// Keeps workers out of a database until then, and asks one that is there to leave. Returns its process, 0 if none.
    pub fn ban_worker(&mut self, relation: Relation, until: i64, now: i64) -> i32 {
        if let Some(of) = self.database_mut(relation) {
            of.bans = if of.banned_until > now { of.bans + 1 } else { 1 };
            of.banned_until = of.banned_until.max(until);
        }
        self.tell_worker(relation);
        self.database(relation).map_or(0, |of| of.pid)
    }

    /// A command has ended: a worker comes back if it is needed, unless another command keeps it out.
    pub fn lift_ban(&mut self, relation: Relation) {
        let Some(of) = self.databases.get_mut(&key(relation)) else { return };
        of.bans = of.bans.saturating_sub(1);
        if of.bans == 0 {
            of.banned_until = 0;
            self.tell_launcher();
        }
    }

    /// A database is gone.
    pub fn forget_database(&mut self, relation: Relation) {
        self.databases.remove(&key(relation));
    }

    /// Sees that the worker looks at once.
    pub fn tell_worker(&mut self, relation: Relation) {
        let Some(of) = self.databases.get_mut(&key(relation)) else { return };
        match of.state {
            WorkerState::Running if of.told == 0 => {
                of.told = 1;
                of.unlatched = !self.latches.push(of.latch);
            }
            WorkerState::Resting | WorkerState::Refused => self.needs_worker_now(relation),
            _ => {}
        }
    }

    fn needs_worker_now(&mut self, relation: Relation) {
        let Some(of) = self.databases.get_mut(&key(relation)) else { return };
        if of.wake_at != i64::MIN {
            of.wake_at = i64::MIN;
            self.tell_launcher();
        }
    }

    /// Sees that the worker looks at a time at the latest.
    pub fn needs_worker_at(&mut self, relation: Relation, at: i64) {
        let Some(of) = self.databases.get_mut(&key(relation)) else { return };
        if at >= of.wake_at {
            return;
        }
        of.wake_at = at;
        match of.state {
            WorkerState::Resting => self.tell_launcher(),
            _ => self.tell_worker(relation),
        }
    }

    /// The worker is about to strike out receipts.
    pub fn forget_stale_receipts(&mut self, relation: Relation) {
        if let Some(of) = self.database_mut(relation) {
            of.stale_receipts = 0;
        }
    }
}
