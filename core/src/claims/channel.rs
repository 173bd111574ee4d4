//! What the background worker of a database is to tell those who LISTEN.

use super::database::key;
use super::{Claims, QueueKey, Relation};

/// The longest name of a channel, bytes.
const CHANNEL_MOST: usize = 63;

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

impl Claims<'_> {
    /// Whether the name of an entrypoint's channel is known.
    pub fn knows_channel(&self, queue: &QueueKey) -> bool {
        self.channels.find(queue).is_some()
    }

    /// Whether anybody is to be notified.
    pub fn has_channels(&self, relation: Relation) -> bool {
        self.database(relation).is_some_and(|of| of.channels > 0)
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

    /// Nobody could be notified: every channel of a database is to be told of again. Does not wake the worker.
    pub fn put_channels_back(&mut self, relation: Relation) {
        let mut count = 0;
        for slot in 0..self.channels.used() {
            let ours = self.channels.at(slot).is_some_and(|(queue, _)| queue.relation.database == relation.database);
            if let Some(channel) = self.channels.at_mut(slot).filter(|_| ours) {
                channel.pending = 1;
                count += 1;
            }
        }
        if let Some(of) = self.databases.get_mut(&key(relation)) {
            of.channels = count;
        }
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
