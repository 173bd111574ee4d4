//! The background worker of a database as sessions see it: whether there is one, until when it sleeps, what it is to
//! tell those who LISTEN.

use super::{Claims, QueueKey, Relation};

/// How long a worker that was asked for may take until another is, microseconds.
const START_MOST: i64 = 10_000_000;
/// How long after a start failed the next one is tried, microseconds.
const RETRY_AFTER: i64 = 30_000_000;
/// How often a session looks for leases that ran out where there is no worker, microseconds.
const LOOK_AFTER: i64 = 500_000;
/// The longest name of a channel, bytes.
pub const CHANNEL_MOST: usize = 63;

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
    wake_at: i64,
    /// Its latch was set and it has not looked since.
    told: u32,
    /// The jobs table that it serves; 0 once that has gone.
    served: u32,
    /// The jobs table whose receipts are in memory; 0 if none.
    pub loaded: u32,
    /// Channels to be notified.
    channels: u64,
    /// Receipts whose claims are gone.
    pub stale_receipts: u64,
    /// Until then the worker wakes by itself to notify, if there is anything.
    quiet_until: i64,
    /// When the next job falls due that nobody looks after but the worker; 0 if it has not asked yet.
    pub next_due: i64,
    /// Up to when those that fell due have been told of.
    pub alarmed: i64,
    /// Without a worker: when somebody last looked for leases that ran out.
    looked_after: i64,
    /// The server's log has been told that there is no place for a worker.
    pub refused: bool,
}

/// A notification channel.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Channel {
    text: [u8; CHANNEL_MOST],
    len: u8,
    pending: u64,
}

impl Default for Channel {
    fn default() -> Self {
        Self { text: [0; CHANNEL_MOST], len: 0, pending: 0 }
    }
}

impl Channel {
    /// Its name.
    pub fn name(&self) -> &[u8] {
        self.text.get(..usize::from(self.len)).unwrap_or_default()
    }
}

fn key(relation: Relation) -> Relation {
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
        let Some(of) = self.database_mut(relation).filter(|of| of.state != WorkerState::Running) else { return false };
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

    /// The worker has left.
    pub fn worker_left(&mut self, relation: Relation, pid: i32, now: i64) {
        if let Some(of) = self.database_mut(relation).filter(|of| of.pid == pid) {
            (of.state, of.pid, of.latch, of.since) = (WorkerState::Absent, 0, 0, now);
        }
    }

    /// The worker has found the jobs table.
    pub fn worker_serves(&mut self, relation: Relation, now: i64) {
        if let Some(of) = self.database_mut(relation) {
            // Whoever waits for a job that was due before has looked for it; a worker that was ended by an error goes on
            // where it was.
            of.alarmed = if of.alarmed == 0 { now } else { of.alarmed };
            (of.served, of.next_due) = (relation.table, 0);
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

    /// The worker begins to look at what is to be done. False where it is to leave.
    pub fn worker_looks(&mut self, relation: Relation, now: i64) -> bool {
        let Some(of) = self.database_mut(relation) else { return false };
        (of.told, of.wake_at) = (0, i64::MAX);
        of.banned_until <= now && of.served == relation.table
    }

    /// The worker goes to sleep. Returns until when: sooner than `at` if something was noted since it looked.
    pub fn worker_sleeps(&mut self, relation: Relation, at: i64) -> i64 {
        let Some(of) = self.database_mut(relation) else { return at };
        of.wake_at = of.wake_at.min(at);
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

    /// Whether a worker may enter a database.
    pub fn worker_may_enter(&self, relation: Relation, now: i64) -> bool {
        self.database(relation).is_none_or(|of| of.banned_until <= now)
    }

    /// A database is gone.
    pub fn forget_database(&mut self, relation: Relation) {
        self.databases.remove(&key(relation));
    }

    /// Sees that the worker looks at once.
    pub fn tell_worker(&mut self, relation: Relation) {
        let Some(of) = self.databases.get_mut(&key(relation)) else { return };
        if of.told == 0 && of.latch != 0 && !self.latches.is_full() {
            of.told = 1;
            self.latches.push(of.latch);
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

    /// Whether the name of an entrypoint's channel is known.
    pub fn knows_channel(&self, queue: &QueueKey) -> bool {
        self.channels.find(queue).is_some()
    }

    /// Whether anybody is to be notified.
    pub fn has_channels(&self, relation: Relation) -> bool {
        self.database(relation).is_some_and(|of| of.channels > 0)
    }

    /// The worker begins to look for jobs that fell due until now. What is enqueued from here on is noted anew. Returns since
    /// when.
    pub fn begin_alarm(&mut self, relation: Relation, now: i64) -> i64 {
        let Some(of) = self.database_mut(relation) else { return now };
        of.next_due = i64::MAX;
        std::mem::replace(&mut of.alarmed, now)
    }

    /// The worker is about to strike out receipts.
    pub fn forget_stale_receipts(&mut self, relation: Relation) {
        if let Some(of) = self.database_mut(relation) {
            of.stale_receipts = 0;
        }
    }

    /// Keeps the name of an entrypoint's channel, so that a callback need not know it.
    pub fn know_channel(&mut self, queue: &QueueKey, name: &[u8]) {
        if self.channels.find(queue).is_some() {
            return;
        }
        if self.channels.room() == 0 {
            self.forget_channel();
        }
        let mut channel = Channel { len: name.len().min(CHANNEL_MOST) as u8, ..Channel::default() };
        channel.text.iter_mut().zip(name).for_each(|(at, byte)| *at = *byte);
        let _ = self.channels.insert(*queue, channel);
    }

    /// One that nobody is to be told of, in turn.
    fn forget_channel(&mut self) {
        let capacity = self.channels.capacity().max(1) as u64;
        for _ in 0..capacity {
            self.boot.channel_hand = (self.boot.channel_hand + 1) % capacity;
            let found = self.channels.at(self.boot.channel_hand as u32).map(|(key, channel)| (*key, channel.pending));
            if let Some((key, 0)) = found {
                self.channels.remove(&key);
                return;
            }
        }
    }

    /// The worker is to notify those who LISTEN to an entrypoint.
    pub fn notify(&mut self, queue: &QueueKey) {
        let Some(channel) = self.channels.get_mut(queue).filter(|channel| channel.pending == 0) else { return };
        channel.pending = 1;
        if let Some(of) = self.databases.get_mut(&key(queue.relation)) {
            of.channels += 1;
            if of.wake_at <= of.quiet_until {
                return;
            }
        }
        self.tell_worker(queue.relation);
    }

    /// The worker is to notify those who LISTEN to any channel of a table (`table` 0: of a database), looking at up to
    /// `most` slots from `from` on. Returns where to go on, or `None` at the end.
    pub fn notify_some(&mut self, relation: Relation, from: u32, most: u32) -> Option<u32> {
        let to = from.saturating_add(most);
        for slot in from..to {
            let queue = self.channels.at(slot).map(|(queue, _)| *queue);
            if let Some(queue) = queue.filter(|queue| relation.includes(queue.relation)) {
                self.notify(&queue);
            }
        }
        (to < self.channels.used()).then_some(to)
    }

    /// Takes channels that are to be notified, as many as `into` has room for, and hands each to it. The worker looks for
    /// more at `quiet_until`; until then it need not be woken for them.
    pub fn take_channels(&mut self, relation: Relation, into: &mut [Channel], quiet_until: i64) -> usize {
        let Some(of) = self.databases.get_mut(&key(relation)).filter(|of| of.channels > 0) else { return 0 };
        of.quiet_until = quiet_until;
        let mut taken = 0;
        for slot in 0..self.channels.used() {
            let Some((queue, channel)) = self.channels.at(slot) else { continue };
            if channel.pending == 0 || queue.relation.database != relation.database {
                continue;
            }
            let Some(place) = into.get_mut(taken) else { break };
            *place = *channel;
            taken += 1;
            of.channels = of.channels.saturating_sub(1);
            if let Some(channel) = self.channels.at_mut(slot) {
                channel.pending = 0;
            }
        }
        if into.len() > taken {
            // Some may have gone with a table that was dropped.
            of.channels = 0;
        }
        taken
    }
}
