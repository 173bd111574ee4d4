//! Which databases get a worker when: what the launcher decides, without doing it.
//!
//! The server has few places for workers. One that sleeps keeps its place until another database needs it; then the one
//! leaves that is needed last. So as many databases as there are places have a worker all the time, and any number of
//! others has one whenever there is something to do.

use super::database::key;
use super::{Claims, Relation, WorkerState};

/// How long a worker that was asked for may take until another is, microseconds.
const START_MOST: i64 = 10_000_000;
/// How long after the server had no place it is asked again, microseconds: as long as it has had none, but not sooner,
const AFTER_REFUSAL: i64 = 100_000;
/// and not later.
const AFTER_REFUSAL_MOST: i64 = 25_000_000;
/// For so long a refusal counts as over in a moment, microseconds: a worker of ours has left, and its place is not free yet.
const PATIENCE: i64 = 1_000_000;

/// What the launcher is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Launch {
    /// Look which databases there are, and ask again.
    LookAround,
    /// Start a worker in this database, and ask again.
    Start(u32),
    /// Sleep until then (`i64::MAX`: until told).
    Sleep(i64),
}

impl Claims<'_> {
    /// The launcher is at work, or (`latch` 0) no longer.
    pub fn launcher_runs(&mut self, pid: i32, latch: u64) {
        self.boot.look_around_at = i64::MIN;
        self.boot.launcher_unlatched = 0;
        (self.boot.launcher, self.boot.launcher_latch, self.boot.launcher_told) = (pid as u64, latch, 0);
    }

    /// The launcher's process; 0 if there is none.
    pub fn launcher(&self) -> i32 {
        self.boot.launcher as i32
    }

    /// Sees that the launcher looks.
    pub(super) fn tell_launcher(&mut self) {
        if self.boot.launcher_told == 0 && self.boot.launcher_latch != 0 {
            self.boot.launcher_told = 1;
            self.boot.launcher_unlatched = u64::from(!self.latches.push(self.boot.launcher_latch));
        }
    }

    /// A database exists or came into being: the launcher is to look which there are.
    pub fn databases_changed(&mut self) {
        self.boot.look_around_at = i64::MIN;
        self.tell_launcher();
    }

    /// It could not: again at that time.
    pub fn look_around_at(&mut self, at: i64) {
        self.boot.look_around_at = at;
    }

    /// Settings have changed, which say what databases are served, and by which those that rest have reckoned when they are
    /// needed.
    pub fn settings_changed(&mut self) {
        for slot in 0..self.databases.used() {
            if let Some(of) = self.databases.at_mut(slot).filter(|of| of.state == WorkerState::Resting) {
                of.wake_at = i64::MIN;
            }
        }
        self.databases_changed();
    }

    /// A worker is not started after all: again at that time.
    pub fn start_put_off(&mut self, relation: Relation, at: i64) {
        if let Some(of) = self.databases.get_mut(&key(relation)).filter(|of| of.state == WorkerState::Starting) {
            (of.state, of.retry_at) = (of.state_without(), at);
        }
    }

    /// There is such a database. `excluded`: no worker is to be there. One that is not known yet is visited, to see
    /// whether the extension is there.
    pub fn found_database(&mut self, relation: Relation, excluded: bool) {
        let new = self.database(relation).is_none();
        if new && excluded {
            return;
        }
        let Some(of) = self.database_mut(relation) else { return };
        let was = std::mem::replace(&mut of.excluded, u32::from(excluded)) != 0;
        if new || was && !excluded {
            of.wake_at = i64::MIN;
        }
        if excluded && !was {
            if of.state != WorkerState::Running {
                (of.state, of.served_since) = (WorkerState::Absent, 0);
            }
            self.tell_worker(relation);
        }
    }

    /// Databases for which `is` says no are gone.
    pub fn keep_databases(&mut self, is: impl Fn(u32) -> bool) {
        for slot in 0..self.databases.used() {
            if let Some((key, _)) = self.databases.at(slot)
                && !is(key.database)
            {
                let gone = *key;
                self.databases.remove(&gone);
            }
        }
    }

    /// What to do next, with at most so many workers at a time.
    pub fn launch(&mut self, now: i64, most: usize) -> Launch {
        self.boot.launcher_told = 0;
        let look = self.boot.look_around_at;
        if look != 0 && look <= now {
            self.boot.look_around_at = 0;
            return Launch::LookAround;
        }
        let refuses = self.boot.refused_until > now;
        let (mut busy, mut waiting, mut next) = (0, 0, if look == 0 { i64::MAX } else { look });
        let mut first: Option<(i64, Relation)> = None;
        for slot in 0..self.databases.used() {
            let Some((relation, of)) = self.databases.at(slot).map(|(key, of)| (*key, *of)) else { continue };
            let hung = of.state == WorkerState::Starting && of.pid == 0 && now.saturating_sub(of.since) > START_MOST;
            if of.pid != 0 || of.state == WorkerState::Starting && !hung {
                busy += 1;
                next = if of.pid == 0 { next.min(of.since.saturating_add(START_MOST + 1)) } else { next };
                continue;
            }
            let from = of.wake_at.max(of.banned_until).max(of.retry_at);
            if of.excluded != 0 || from == i64::MAX {
                continue;
            }
            if from > now {
                next = next.min(from);
                continue;
            }
            waiting += 1;
            if first.is_none_or(|(since, _)| of.since < since) {
                first = Some((of.since, relation));
            }
            if refuses && now.saturating_sub(self.boot.refused_since) > PATIENCE {
                self.refuse(slot);
            }
        }
        match first {
            Some((_, relation)) if busy < most && !refuses => {
                self.begin_start(relation, now);
                Launch::Start(relation.database)
            }
            _ => {
                self.dismiss(waiting + busy.saturating_sub(most) as u64);
                let refused = if waiting > 0 && busy < most { self.boot.refused_until } else { i64::MAX };
                Launch::Sleep(next.min(refused))
            }
        }
    }

    /// A database waits for a place that the server does not have: its sessions do some of the worker's work meanwhile.
    fn refuse(&mut self, slot: u32) {
        let Some(of) = self.databases.at_mut(slot).filter(|of| of.state != WorkerState::Refused) else { return };
        of.state = WorkerState::Refused;
        if let Some(key) = self.databases.at(slot).map(|(key, _)| *key) {
            self.wake_all(key);
        }
    }

    fn begin_start(&mut self, relation: Relation, now: i64) {
        if let Some(of) = self.databases.get_mut(&key(relation)) {
            (of.state, of.since) = (WorkerState::Starting, now);
        }
    }

    /// So many workers are to leave: first those that sleep, the one that is needed last before the others. The rest of
    /// them is made up by those that go to sleep next.
    fn dismiss(&mut self, workers: u64) {
        let mut wanted = workers;
        for slot in 0..self.databases.used() {
            let leaves = |of: &super::Database| of.dismissed != 0 && of.pid != 0;
            if self.databases.at(slot).is_some_and(|(_, of)| leaves(of)) {
                wanted = wanted.saturating_sub(1);
            }
        }
        while wanted > 0 {
            let asleep = |of: &super::Database| of.state == WorkerState::Running && of.asleep != 0 && of.dismissed == 0;
            let sleepers = self.databases.iter().filter(|(_, of)| asleep(of));
            let Some(last) = sleepers.max_by_key(|(_, of)| of.wake_at).map(|(key, _)| *key) else { break };
            if let Some(of) = self.databases.get_mut(&last) {
                of.dismissed = 1;
            }
            self.tell_worker(last);
            wanted -= 1;
        }
        self.boot.room_wanted = wanted;
    }

    /// The server had no place for a worker: it is asked again after a while, or as soon as one of ours has left.
    pub fn start_refused(&mut self, relation: Relation, now: i64) {
        if self.boot.refused_since == 0 {
            self.boot.refused_since = now;
        }
        let so_far = now.saturating_sub(self.boot.refused_since);
        self.boot.refused_until = now.saturating_add(so_far.clamp(AFTER_REFUSAL, AFTER_REFUSAL_MOST));
        let Some(of) = self.databases.get_mut(&key(relation)) else { return };
        if so_far > PATIENCE {
            (of.state, of.since) = (WorkerState::Refused, now);
        } else {
            // Over in a moment: nobody else need do its work. It stays the first in the line.
            (of.state, of.since) = (of.state_without(), 0);
        }
    }

    /// A database without a place of which the server's log has not been told.
    pub fn take_refused(&mut self) -> Option<u32> {
        let untold = |of: &super::Database| of.state == WorkerState::Refused && !of.refused;
        let found = self.databases.iter().find(|(_, of)| untold(of)).map(|(key, _)| *key)?;
        self.databases.get_mut(&found)?.refused = true;
        Some(found.database)
    }

    /// Whether the last worker of a database ended in the middle.
    pub fn has_failed(&self, relation: Relation) -> bool {
        self.database(relation).is_some_and(|of| of.failures > 0)
    }

    /// The server had a place.
    pub fn start_granted(&mut self) {
        self.boot.refused_since = 0;
    }

    /// Something has changed since the server had no place: it may be asked again.
    pub fn place_may_be_free(&mut self) {
        self.boot.refused_until = 0;
    }
}
