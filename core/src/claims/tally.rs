//! What is counted of each entrypoint, and when somebody last asked for its jobs.
//!
//! An entrypoint has a tally from its first enqueue, or from the first time that somebody asks for it, as long as most of
//! the table is free: a call that names a million entrypoints must not take the places of those that have jobs. Nobody
//! makes room for another: counters that vanish and begin anew would be worth nothing. The last places are kept for one
//! tally a table of jobs that has no name: all that found no room are counted there.

use super::{Claims, Name, QueueKey, Relation};

/// The longest name of an entrypoint, bytes.
pub const NAME_MOST: usize = 255;
/// One part in so many of the table is kept for tallies without a name.
const NAMELESS: usize = 16;

/// What is counted of one entrypoint.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Tally {
    name: [u8; NAME_MOST],
    len: u8,
    /// When somebody last asked for its jobs; 0 if nobody did.
    asked: i64,
}

impl Default for Tally {
    fn default() -> Self {
        Self { name: [0; NAME_MOST], len: 0, asked: 0 }
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
        (!channel || self.knows_channel(queue))
            && (self.tallies.find(queue).is_some() || self.nameless(queue).is_some())
    }

    /// Somebody asks for jobs of an entrypoint. Returns whether nothing is left to be remembered of it.
    pub fn ask(&mut self, queue: &QueueKey, now: i64) -> bool {
        let known = match self.tallies.get_mut(queue) {
            Some(tally) => {
                tally.asked = now;
                true
            }
            None => !self.takes_asked(),
        };
        known && self.knows_channel(queue)
    }

    /// Keeps the name of an entrypoint that somebody enqueues for, so that a callback need not know it.
    pub fn know_entrypoint(&mut self, queue: &QueueKey, name: &[u8]) {
        if self.tallies.find(queue).is_some() {
            return;
        }
        if self.tallies.room() > self.kept() {
            let _ = self.tallies.insert(*queue, tally(name));
        } else if self.nameless(queue).is_none() {
            let _ = self.tallies.insert(QueueKey { name: Name::NONE, ..*queue }, Tally::default());
        }
    }

    /// The same for an entrypoint that somebody only asks for.
    pub fn know_asked(&mut self, queue: &QueueKey, name: &[u8], now: i64) {
        if self.takes_asked() && self.tallies.find(queue).is_none() {
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

    /// The key of the tally of those without a place, if there is one.
    fn nameless(&self, queue: &QueueKey) -> Option<QueueKey> {
        let key = QueueKey { name: Name::NONE, ..*queue };
        self.tallies.find(&key).map(|_| key)
    }

    fn kept(&self) -> usize {
        self.tallies.capacity() / NAMELESS
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
