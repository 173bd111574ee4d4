//! What is counted of each entrypoint, and when somebody last asked for its jobs.
//!
//! An entrypoint has a tally from its first enqueue, or from the first time that somebody asks for it, as long as most of
//! the table is free: a call that names a million entrypoints must not take the places of those that have jobs. Nobody
//! makes room for another: counters that vanish and begin anew would be worth nothing. The last places are kept for one
//! tally a table of jobs that has no name: all that found no room are counted there.

use super::{Claim, Claims, Name, QueueKey, Relation};

/// The longest name of an entrypoint, bytes.
pub const NAME_MOST: usize = 255;
/// One part in so many of the table is kept for tallies without a name.
const NAMELESS: usize = 16;
/// The upper bounds of what a [`Histogram`] tells apart, microseconds.
pub const BOUNDS: [i64; 11] =
    [1_000, 5_000, 25_000, 100_000, 500_000, 1_000_000, 5_000_000, 30_000_000, 120_000_000, 600_000_000, 3_600_000_000];

/// How an attempt or a job ended, as the log says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Successful,
    /// Given up; the row is gone.
    Exception,
    /// Given up; the row is held.
    Failed,
    /// Ended by an operator, whatever it was.
    Canceled,
    /// Removed while nobody ran it.
    Deleted,
    /// Queued again.
    Retried,
    /// Its worker was lost.
    Released,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Successful, Self::Exception, Self::Failed, Self::Canceled, Self::Deleted, Self::Retried, Self::Released];

    /// The word for it, as in pgq.job_status.
    pub fn word(self) -> &'static str {
        match self {
            Self::Successful => "successful",
            Self::Exception => "exception",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Deleted => "deleted",
            Self::Retried => "retried",
            Self::Released => "released",
        }
    }
}

/// How long something took, how often.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Histogram {
    /// Up to each of [`BOUNDS`] and above the one before; then above the last.
    pub counts: [u64; BOUNDS.len() + 1],
    /// All of it together, microseconds.
    pub sum: u64,
}

impl Histogram {
    fn observe(&mut self, microseconds: i64) {
        let place = BOUNDS.iter().position(|bound| microseconds <= *bound).unwrap_or(BOUNDS.len());
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
        self.sum = self.sum.wrapping_add(microseconds.max(0) as u64);
    }
}

/// What is counted of one entrypoint since the server started.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Tally {
    /// When somebody last asked for its jobs; 0 if nobody did.
    asked: i64,
    /// Jobs that were enqueued.
    pub enqueued: u64,
    /// Claims that were made.
    pub claims: u64,
    /// Attempts and jobs that ended, in the order of [`Outcome::ALL`].
    pub ended: [u64; Outcome::ALL.len()],
    /// From when a job was due to its claim.
    pub wait: Histogram,
    /// From a claim to its end by its worker.
    pub run: Histogram,
    len: u8,
    name: [u8; NAME_MOST],
}

impl Default for Tally {
    fn default() -> Self {
        let (wait, run) = (Histogram::default(), Histogram::default());
        Self { asked: 0, enqueued: 0, claims: 0, ended: [0; 7], wait, run, len: 0, name: [0; NAME_MOST] }
    }
}

impl Tally {
    /// The entrypoint; empty where it stands for all that found no room.
    pub fn name(&self) -> &[u8] {
        self.name.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// When somebody last asked for the jobs of an entrypoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Then.
    At(i64),
    /// Not since the server started.
    Never,
    /// There is no room for it in memory.
    Unknown,
}

impl Claims<'_> {
    /// Whether nothing is left to be remembered of an entrypoint that somebody enqueues for: its tally and, where that is to be
    /// told, its `channel`.
    pub fn knows_entrypoint(&self, queue: &QueueKey, channel: bool) -> bool {
        let nameless = || !self.takes_new() && (self.nameless(queue).is_some() || self.tallies.room() == 0);
        (!channel || self.knows_channel(queue)) && (self.tallies.find(queue).is_some() || nameless())
    }

    /// Somebody asks for jobs of an entrypoint. Returns whether nothing is left to be remembered of it.
    pub fn ask(&mut self, queue: &QueueKey, now: i64) -> bool {
        let known = match self.tallies.get_mut(queue) {
            Some(tally) => {
                tally.asked = now;
                true
            }
            None => !self.takes_asked() && (self.nameless(queue).is_some() || self.tallies.room() == 0),
        };
        known && self.knows_channel(queue)
    }

    /// Keeps the name of an entrypoint that somebody enqueues for, so that a callback need not know it.
    pub fn know_entrypoint(&mut self, queue: &QueueKey, name: &[u8]) {
        if self.tallies.find(queue).is_some() {
            return;
        }
        if self.takes_new() {
            let _ = self.tallies.insert(*queue, tally(name));
        } else {
            self.know_nameless(queue);
        }
    }

    /// The same for an entrypoint that somebody only asks for.
    pub fn know_asked(&mut self, queue: &QueueKey, name: &[u8], now: i64) {
        if !self.takes_asked() {
            self.know_nameless(queue);
        } else if self.tallies.find(queue).is_none() {
            let _ = self.tallies.insert(*queue, Tally { asked: now, ..tally(name) });
        }
    }

    /// When somebody last asked for jobs of an entrypoint.
    pub fn asked(&self, queue: &QueueKey) -> Asked {
        match self.tallies.get(queue) {
            Some(Tally { asked: 0, .. }) => Asked::Never,
            Some(tally) => Asked::At(tally.asked),
            None if self.takes_asked() => Asked::Never,
            None => Asked::Unknown,
        }
    }

    /// Jobs were enqueued.
    pub fn count_enqueued(&mut self, queue: &QueueKey, jobs: u64) {
        if let Some(tally) = self.tally_mut(queue) {
            tally.enqueued = tally.enqueued.wrapping_add(jobs);
        }
    }

    /// Attempts or jobs ended that nobody held, or whose claims are not what tells of it.
    pub fn count_ended(&mut self, queue: &QueueKey, outcome: Outcome, jobs: u64) {
        if let Some(count) = self.tally_mut(queue).and_then(|tally| tally.ended.get_mut(outcome as usize)) {
            *count = count.wrapping_add(jobs);
        }
    }

    /// A claim was made that `waited` microseconds since its job was due.
    pub(super) fn count_claim(&mut self, queue: &QueueKey, waited: i64) {
        if let Some(tally) = self.tally_mut(queue) {
            tally.claims += 1;
            tally.wait.observe(waited);
        }
    }

    /// A claim has ended in this way.
    pub fn count_end(&mut self, relation: Relation, claim: &Claim, outcome: Outcome, now: i64) {
        let Some(tally) = self.tally_mut(&QueueKey { relation, name: claim.queue }) else { return };
        if let Some(count) = tally.ended.get_mut(outcome as usize) {
            *count += 1;
        }
        // A lost claim did not run that long.
        if !claim.is_lost() {
            tally.run.observe(now.saturating_sub(claim.since));
        }
    }

    /// Tallies of a table in up to `most` slots from `from` on, and where to go on: `None` at the end.
    pub fn some_tallies(
        &self,
        relation: Relation,
        from: u32,
        most: u32,
    ) -> (impl Iterator<Item = &Tally>, Option<u32>) {
        let to = from.saturating_add(most).min(self.tallies.used());
        let slots = (from..to).filter_map(|slot| self.tallies.at(slot));
        let found = slots.filter(move |(key, _)| key.relation == relation).map(|(_, tally)| tally);
        (found, (to < self.tallies.used()).then_some(to))
    }

    /// Forgets the tallies of a table that is gone (`table` 0: of a database), looking at up to `most` slots from `from`
    /// on. Returns where to go on, or `None` at the end.
    pub fn forget_some_tallies(&mut self, relation: Relation, from: u32, most: u32) -> Option<u32> {
        let to = from.saturating_add(most);
        for slot in from..to {
            let key = self.tallies.at(slot).map(|(key, _)| *key);
            if let Some(key) = key.filter(|key| relation.includes(key.relation)) {
                self.tallies.remove(&key);
            }
        }
        (to < self.tallies.used()).then_some(to)
    }

    fn tally_mut(&mut self, queue: &QueueKey) -> Option<&mut Tally> {
        let slot = self.tallies.find(queue).or_else(|| self.nameless(queue))?;
        self.tallies.at_mut(slot)
    }

    /// The slot of those without a place, if there is one.
    fn nameless(&self, queue: &QueueKey) -> Option<u32> {
        self.tallies.find(&QueueKey { name: Name::NONE, ..*queue })
    }

    fn know_nameless(&mut self, queue: &QueueKey) {
        if self.nameless(queue).is_none() {
            let _ = self.tallies.insert(QueueKey { name: Name::NONE, ..*queue }, Tally::default());
        }
    }

    /// Whether one that somebody enqueues for finds a place.
    fn takes_new(&self) -> bool {
        self.tallies.room() > self.tallies.capacity() / NAMELESS
    }

    /// Whether one that is only asked for finds a place.
    fn takes_asked(&self) -> bool {
        self.tallies.len() < self.tallies.capacity() / 2
    }
}

fn tally(name: &[u8]) -> Tally {
    let mut tally = Tally { len: name.len().min(NAME_MOST) as u8, ..Tally::default() };
    tally.name.iter_mut().zip(name).for_each(|(at, byte)| *at = *byte);
    tally
}
