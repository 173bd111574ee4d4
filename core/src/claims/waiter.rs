//! Who waits, and who is woken.
//!
//! ```text
//! wait         publishes what the session waits for; only then it looks; only then it sleeps
//! wake         a commit that brought jobs picks one sleeper, and owes the others to it
//! take_wake    the woken one wakes the next, as long as jobs are owed, before it looks itself
//! chase        a job that is still unclaimed a moment after somebody was woken for it wakes the next
//! stop_waiting whoever leaves without using the wake hands it to the next
//! ```
//!
//! So a commit sets one latch, however many wait and however many jobs it brings.

use super::{Claims, Name, QueueKey, Relation, earlier};

/// How many entrypoints a waiter can name; one that asks for more is woken for all of its database.
const NAMES: usize = 8;
/// How many jobs a waiter can name; one that waits for the end of more is woken by some others, too.
const IDS: usize = 16;
/// How long a chase may stand, microseconds.
const CHASED_MOST: i64 = 1_000_000;
/// How long a job may stay unclaimed after somebody was woken for it, microseconds.
pub const CHASE_AFTER: i64 = 20_000;

/// Latches to set once the lock is released.
#[derive(Debug, Clone, Copy)]
pub struct Latches {
    at: [u64; Self::ROOM],
    len: usize,
    /// Some found no room: [`Claims::unlatched`] has them.
    pub more: bool,
}

impl Latches {
    const ROOM: usize = 40;
    /// None.
    pub const NONE: Self = Self { at: [0; Self::ROOM], len: 0, more: false };

    /// The addresses, each as it was given to [`Claims::wait`] or [`Claims::worker_serves`].
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.at.iter().take(self.len).copied()
    }

    /// False where there is no room.
    pub(super) fn push(&mut self, latch: u64) -> bool {
        if latch == 0 {
            // Whoever it was has gone.
            return true;
        }
        match self.at.get_mut(self.len) {
            Some(place) => {
                *place = latch;
                self.len += 1;
                true
            }
            None => {
                self.more = true;
                false
            }
        }
    }
}

/// What a session waits for.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// A job of one of these entrypoints.
    Jobs(&'a [Name]),
    /// The end of these jobs.
    Ends(&'a [i64]),
}

/// A session that waits. All zero: a free place.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Waiter {
    session: u64,
    relation: Relation,
    latch: u64,
    names: [Name; NAMES],
    /// How many names; more than fit: of all entrypoints.
    named: u32,
    woken: u32,
    /// It has heard of its wake and looks; whether there is a job is not known yet.
    looks: u32,
    /// Woken, and its latch is still to be set.
    unlatched: u32,
    /// How many others are to be woken after it.
    owed: u64,
    /// For which entrypoint it was woken.
    woken_for: Name,
    /// Waits for ends of jobs: bit `id % 64` of each; and, if they are few, the ids themselves.
    ends: u64,
    ids: [i64; IDS],
    few: u64,
}

fn bit(id: i64) -> u64 {
    1 << (id as u64 % 64)
}

impl Waiter {
    fn waits_for(&self, id: i64) -> bool {
        self.ends & bit(id) != 0 && (self.few == 0 || self.ids.iter().take(self.few as usize).any(|of| *of == id))
    }

    fn sleeps_for(&self, queue: &QueueKey) -> bool {
        self.session != 0
            && self.woken == 0
            && self.ends == 0
            && self.relation == queue.relation
            && (self.named as usize > NAMES || self.names.iter().take(self.named as usize).any(|n| *n == queue.name))
    }
}

impl Claims<'_> {
    /// Publishes that a session waits. Returns its place, or `None` where all are taken.
    pub fn wait(&mut self, session: u64, relation: Relation, latch: u64, wanted: Wanted<'_>) -> Option<usize> {
        let place = self.waiters.iter().position(|waiter| waiter.session == 0)?;
        let mut waiter = Waiter { session, relation, latch, ..Waiter::default() };
        match wanted {
            Wanted::Jobs(names) => {
                waiter.named = names.len().min(NAMES + 1) as u32;
                waiter.names.iter_mut().zip(names).for_each(|(at, name)| *at = *name);
            }
            Wanted::Ends(ids) => {
                // Never 0, so that it reads as a waiter for ends.
                waiter.ends = ids.iter().fold(u64::from(ids.is_empty()), |bits, id| bits | bit(*id));
                waiter.few = if ids.len() <= IDS { ids.len() as u64 } else { 0 };
                waiter.ids.iter_mut().zip(ids).for_each(|(at, id)| *at = *id);
            }
        }
        *self.waiters.get_mut(place)? = waiter;
        self.boot.waiting += 1;
        Some(place)
    }

    /// How many sessions wait for jobs of an entrypoint, without those that wait for more than can be remembered.
    pub fn waiting_for(&self, queue: &QueueKey) -> u64 {
        let named = |waiter: &Waiter| waiter.names.iter().take(waiter.named as usize).any(|name| *name == queue.name);
        let waits = |waiter: &&Waiter| {
            let ours = waiter.session != 0 && waiter.relation == queue.relation && waiter.named as usize <= NAMES;
            ours && named(waiter)
        };
        self.waiters.iter().filter(waits).count() as u64
    }

    /// How many sessions wait, for jobs or for their ends.
    pub fn waiting_in(&self, relation: Relation) -> u64 {
        self.waiters.iter().filter(|waiter| waiter.session != 0 && waiter.relation == relation).count() as u64
    }

    /// Whether the waiter was woken since it last slept. It looks from here on, can be woken again meanwhile, and has woken
    /// those that were owed to it.
    pub fn take_wake(&mut self, place: usize, session: u64) -> bool {
        let Some(waiter) = self.waiters.get_mut(place).filter(|waiter| waiter.session == session) else { return false };
        let (woken, owed, relation, name) = (waiter.woken != 0, waiter.owed, waiter.relation, waiter.woken_for);
        (waiter.woken, waiter.owed, waiter.unlatched) = (0, 0, 0);
        waiter.looks = u32::from(woken);
        if owed > 0 {
            // It must not be the one that is picked: its own look comes now.
            self.wake_other(&QueueKey { relation, name }, owed, Some(place));
        }
        woken
    }

    /// The look has answered: nothing is owed to anybody for the wake.
    pub fn looked(&mut self, place: usize, session: u64) {
        if let Some(waiter) = self.waiters.get_mut(place).filter(|waiter| waiter.session == session) {
            waiter.looks = 0;
        }
    }

    /// The session waits no longer. A wake that it has not [answered](Self::looked) goes to the next.
    pub fn stop_waiting(&mut self, place: usize, session: u64) {
        let Some(waiter) = self.waiters.get_mut(place).filter(|waiter| waiter.session == session) else { return };
        let left = *waiter;
        *waiter = Waiter::default();
        self.boot.waiting = self.boot.waiting.saturating_sub(1);
        if (left.woken != 0 || left.looks != 0) && left.ends == 0 {
            let queue = QueueKey { relation: left.relation, name: left.woken_for };
            self.wake_other(&queue, left.owed + 1, None);
        }
    }

    /// Jobs of an entrypoint can be claimed: wakes one that waits for them, and owes the others to it.
    pub fn wake(&mut self, queue: &QueueKey, jobs: u64) {
        if self.boot.waiting > 0 && jobs > 0 {
            self.wake_other(queue, jobs, None);
        }
    }

    /// A woken session is about to answer that there is a job: if less of that entrypoint is claimed within [`CHASE_AFTER`]
    /// than was answered, others are woken.
    pub fn chase(&mut self, queue: &QueueKey, now: i64) {
        if !self.waiters.iter().any(|waiter| waiter.sleeps_for(queue)) {
            return;
        }
        let claims = self.heads.get(queue).map_or(0, |head| head.claims);
        // One that nobody carries out, because its table has gone, makes room.
        let old = now.saturating_sub(CHASED_MOST);
        let known = self.chases.iter().position(|chase| chase.at != 0 && chase.queue == *queue);
        let place = known.or_else(|| self.chases.iter().position(|chase| chase.at == 0 || chase.at < old));
        let Some(chase) = place.and_then(|place| self.chases.get_mut(place)) else { return };
        if known.is_none() {
            *chase = Chase { queue: *queue, at: now.saturating_add(CHASE_AFTER), claims, answers: 0 };
        }
        chase.answers += 1;
        let at = chase.at;
        self.needs_worker_at(queue.relation, at);
    }

    /// Carries out the chases of a table that are due. Returns when the next one is.
    pub fn run_chases(&mut self, relation: Relation, now: i64) -> Option<i64> {
        let mut next = None;
        for place in 0..self.chases.len() {
            let Some(chase) = self.chases.get_mut(place).filter(|c| c.at != 0 && c.queue.relation == relation) else {
                continue;
            };
            let due = *chase;
            if due.at > now {
                next = earlier(next, due.at);
                continue;
            }
            *chase = Chase::default();
            let claimed = self.heads.get(&due.queue).map_or(0, |head| head.claims.saturating_sub(due.claims));
            if due.answers > claimed {
                self.wake_other(&due.queue, due.answers - claimed, None);
            }
        }
        next
    }

    /// A job ended: those who wait for it are woken.
    pub fn job_ended(&mut self, relation: Relation, id: i64) {
        if self.boot.waiting > 0 {
            self.wake_where(|waiter| waiter.relation == relation && waiter.waits_for(id));
        }
    }

    /// Wakes everybody of a table (`table` 0: of a database): what has happened is not known.
    pub fn wake_all(&mut self, relation: Relation) {
        self.wake_where(|waiter| relation.includes(waiter.relation));
    }

    /// Latches that found no room before.
    pub fn unlatched(&mut self) {
        for waiter in self.waiters.iter_mut().filter(|waiter| waiter.unlatched != 0) {
            waiter.unlatched = u32::from(!self.latches.push(waiter.latch));
        }
        for slot in 0..self.databases.used() {
            if let Some(of) = self.databases.at_mut(slot).filter(|of| of.unlatched) {
                of.unlatched = !self.latches.push(of.latch());
            }
        }
        if self.boot.launcher_unlatched != 0 {
            self.boot.launcher_unlatched = u64::from(!self.latches.push(self.boot.launcher_latch));
        }
    }

    fn wake_where(&mut self, which: impl Fn(&Waiter) -> bool) {
        for waiter in self.waiters.iter_mut().filter(|w| w.session != 0 && w.woken == 0) {
            if which(waiter) {
                waiter.woken = 1;
                waiter.unlatched = u32::from(!self.latches.push(waiter.latch));
            }
        }
    }

    fn wake_other(&mut self, queue: &QueueKey, jobs: u64, but: Option<usize>) {
        // From the one behind the last that was woken: all have their turn.
        let count = self.waiters.len().max(1);
        let places = (1..=count).map(|step| (self.boot.waiter_hand as usize + step) % count);
        let found = places
            .filter(|place| Some(*place) != but)
            .find(|place| self.waiters.get(*place).is_some_and(|waiter| waiter.sleeps_for(queue)));
        let Some(place) = found else { return };
        self.boot.waiter_hand = place as u64;
        if let Some(waiter) = self.waiters.get_mut(place) {
            (waiter.woken, waiter.owed, waiter.woken_for) = (1, jobs.saturating_sub(1), queue.name);
            waiter.unlatched = u32::from(!self.latches.push(waiter.latch));
        }
    }
}

/// Somebody was woken for a job of an entrypoint.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Chase {
    queue: QueueKey,
    /// When to see whether it was claimed; 0: a free place.
    pub(super) at: i64,
    /// How many claims of the entrypoint had been made then.
    claims: u64,
    /// How many have answered since that there is a job.
    answers: u64,
}
