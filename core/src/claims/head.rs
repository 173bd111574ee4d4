//! Where the live rows of an entrypoint begin.
//!
//! Rows that have ended leave dead entries at the head of the claim index. An old snapshot keeps them there, and whoever
//! looks for jobs from the head would walk them all, each time. So each entrypoint has a [`Head`] with a lane for each of
//! the priorities met lately, and each lane a *cursor*: nothing that can be claimed lies before it, but for what *pending*
//! says.
//!
//! ```text
//! begin_walk   takes pending out and lowers the cursor with it, in one step; only then the walker takes its snapshot
//! key_is_free  a job that a walk left out behind its ordering key may have become claimable: lowers to the first of them
//! lower        a job became claimable at a place: its commit is visible, its claim is gone. Keeps the lowest in pending
//! end_walk     the walker sets the cursor to the first candidate that it saw and that nobody holds
//! ```
//!
//! One walker at a time may set the cursor; the others start where it started. One that takes longer than
//! [`WALK_MOST`] (or died) has lost the right to.
//!
//! All of it is knowledge that may be dropped at any time: without it a walk begins at the head of the index. Once in a
//! while one begins there anyway, for rows that came without a callback.

use super::{Claims, QueueKey, Relation};

/// How many priorities of one entrypoint have a cursor.
pub const LANES: usize = 8;
/// How long a walker may take until another may move the cursor, microseconds.
const WALK_MOST: i64 = 1_000_000;
/// How often a walk begins at the head of the index, microseconds.
const FULL_EVERY: i64 = 1_000_000;
/// Such a walk is made so seldom that it takes at most one part in so many of the time.
const FULL_SHARE: i64 = 20;

/// A place among the jobs of one priority.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(C)]
pub struct Point {
    /// When the job may run.
    pub due: i64,
    /// Its id.
    pub id: i64,
}

impl Point {
    /// Before every job.
    pub const FIRST: Self = Self { due: i64::MIN, id: i64::MIN };
    /// Behind every job.
    pub const NEVER: Self = Self { due: i64::MAX, id: i64::MAX };

    /// The place just behind.
    pub fn next(self) -> Self {
        Self { due: self.due, id: self.id.saturating_add(1) }
    }
}

/// One priority of an entrypoint.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
struct Lane {
    used: u32,
    priority: i32,
    cursor: Point,
    /// The lowest place at which a job became claimable since the walker took this out.
    pending: Point,
    /// The walk that may set the cursor; 0 if none.
    walk: u64,
    walk_since: i64,
    /// The first job that a walk left out behind its ordering key, and passed.
    hidden: Point,
    /// When a walk last began at the head of the index, and how long it took.
    full_at: i64,
    full_cost: i64,
}

/// What is known of the head of an entrypoint's queue.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Head {
    lanes: [Lane; LANES],
    /// How often the first job of an ordering key has ended.
    keys_freed: u64,
    /// It has a limit: the end of a claim makes room for another.
    pub(super) limited: u32,
    unused: u32,
    /// When its rate limit, which somebody met, refills; 0 if nobody did.
    pub(super) refills: i64,
    /// How many claims on its jobs have been made.
    pub(super) claims: u64,
    /// Whose turn it is to make room for another priority.
    hand: u64,
}

/// A walk over the jobs of one priority.
#[derive(Debug, Clone, Copy)]
pub struct Walk {
    /// Which.
    pub priority: i32,
    /// Where it begins.
    pub from: Point,
    /// 0 where another walk is under way.
    number: u64,
    began: i64,
    full: bool,
    keys_freed: u64,
}

impl Head {
    fn lane(&self, priority: i32) -> Option<&Lane> {
        self.lanes.iter().find(|lane| lane.used != 0 && lane.priority == priority)
    }

    fn lane_mut(&mut self, priority: i32) -> Option<&mut Lane> {
        self.lanes.iter_mut().find(|lane| lane.used != 0 && lane.priority == priority)
    }

    /// The lane of a priority, made if there is none, in the place of another if need be.
    fn make_lane(&mut self, priority: i32) -> Option<&mut Lane> {
        if self.lane(priority).is_none() {
            let free = self.lanes.iter().position(|lane| lane.used == 0);
            let place = free.unwrap_or((self.hand % LANES as u64) as usize);
            self.hand = self.hand.wrapping_add(u64::from(free.is_none()));
            let lane = self.lanes.get_mut(place)?;
            let (cursor, never) = (Point::FIRST, Point::NEVER);
            *lane = Lane { used: 1, priority, cursor, pending: never, hidden: never, ..Lane::default() };
        }
        self.lane_mut(priority)
    }
}

impl Lane {
    fn lower(&mut self, point: Point) {
        self.pending = self.pending.min(point);
    }

    fn full_is_due(&self, now: i64) -> bool {
        let every = FULL_EVERY.max(self.full_cost.saturating_mul(FULL_SHARE));
        // A clock that was set back must not put it off.
        !(self.full_at..self.full_at.saturating_add(every)).contains(&now)
    }

    fn may_walk(&self, now: i64) -> bool {
        self.walk == 0 || !(self.walk_since..self.walk_since.saturating_add(WALK_MOST)).contains(&now)
    }
}

impl Claims<'_> {
    /// The priorities of an entrypoint that have a cursor, in no order; those from the returned number on mean nothing.
    pub fn known_priorities(&self, queue: &QueueKey) -> ([i32; LANES], usize) {
        let mut known = [0; LANES];
        let lanes = self.heads.get(queue).into_iter().flat_map(|head| head.lanes.iter());
        let count = lanes.filter(|lane| lane.used != 0).zip(&mut known).map(|(lane, at)| *at = lane.priority).count();
        (known, count)
    }

    /// The priorities of an entrypoint that have a cursor, each with a place before which nothing is queued, in no order;
    /// those from the returned number on mean nothing.
    pub fn known_lanes(&self, queue: &QueueKey) -> ([(i32, Point); LANES], usize) {
        let mut known = [(0, Point::FIRST); LANES];
        let lanes = self.heads.get(queue).into_iter().flat_map(|head| head.lanes.iter());
        let begins = |lane: &Lane| lane.cursor.min(lane.pending).min(lane.hidden);
        let lanes = lanes.filter(|lane| lane.used != 0).zip(&mut known);
        let count = lanes.map(|(lane, at)| *at = (lane.priority, begins(lane))).count();
        (known, count)
    }

    /// Begins a walk over the jobs of one priority. The snapshot that it looks with is taken afterwards.
    pub fn begin_walk(&mut self, queue: &QueueKey, priority: i32, now: i64) -> Walk {
        let mut walk = Walk { priority, from: Point::FIRST, number: 0, began: now, full: false, keys_freed: 0 };
        self.make_head(queue);
        self.boot.walks += 1;
        let number = self.boot.walks;
        walk.keys_freed = self.heads.get(queue).map_or(0, |head| head.keys_freed);
        let Some(lane) = self.heads.get_mut(queue).and_then(|head| head.make_lane(priority)) else { return walk };
        if !lane.may_walk(now) {
            walk.from = lane.cursor.min(lane.pending);
            return walk;
        }
        lane.cursor = lane.cursor.min(lane.pending);
        lane.pending = Point::NEVER;
        (lane.walk, lane.walk_since) = (number, now);
        (walk.number, walk.from) = (number, lane.cursor);
        if lane.full_is_due(now) {
            lane.full_at = now;
            (walk.from, walk.full) = (Point::FIRST, true);
        }
        if walk.from <= lane.hidden {
            // It comes by there again, or the cursor stays before it.
            lane.cursor = lane.cursor.min(lane.hidden);
            lane.hidden = Point::NEVER;
        }
        walk
    }

    /// The walk has ended: before `to` there is nothing that it saw and that can be claimed, but jobs behind their ordering
    /// keys, the first of them at `hidden`.
    pub fn end_walk(&mut self, queue: &QueueKey, walk: &Walk, to: Point, hidden: Point, now: i64) {
        let Some(head) = self.heads.get_mut(queue) else { return };
        let freed = head.keys_freed != walk.keys_freed;
        let Some(lane) = head.lane_mut(walk.priority) else { return };
        if walk.full {
            lane.full_cost = now.saturating_sub(walk.began).max(0);
        }
        if walk.number != 0 && lane.walk == walk.number {
            lane.walk = 0;
            lane.cursor = to;
            lane.hidden = lane.hidden.min(hidden);
            if freed {
                // One of those left out may have come free since.
                lane.lower(hidden);
            }
        }
    }

    /// A job became claimable.
    pub fn lower(&mut self, queue: &QueueKey, priority: i32, point: Point) {
        if let Some(lane) = self.heads.get_mut(queue).and_then(|head| head.lane_mut(priority)) {
            lane.lower(point);
        }
    }

    /// Jobs of any priority may have become claimable, none that was due before `due`.
    pub fn lower_all(&mut self, queue: &QueueKey, due: i64) {
        let lanes = self.heads.get_mut(queue).into_iter().flat_map(|head| head.lanes.iter_mut());
        lanes.for_each(|lane| lane.lower(Point { due, id: i64::MIN }));
    }

    /// The first job of an ordering key is none any more: the next was hidden behind it, and a cursor may have passed it.
    pub fn key_is_free(&mut self, queue: &QueueKey) {
        if let Some(head) = self.heads.get_mut(queue) {
            head.keys_freed += 1;
            head.lanes.iter_mut().filter(|lane| lane.used != 0).for_each(|lane| lane.lower(lane.hidden));
        }
        self.wake(queue, 1);
        self.notify(queue);
    }

    /// Forgets the heads of a table's queues (`table` 0: of a database's), looking at up to `most` slots from `from` on.
    /// Returns where to go on, or `None` at the end.
    pub fn forget_some_heads(&mut self, relation: Relation, from: u32, most: u32) -> Option<u32> {
        let to = from.saturating_add(most);
        for slot in from..to {
            let key = self.heads.at(slot).map(|(key, _)| *key);
            if let Some(key) = key.filter(|key| relation.includes(key.relation)) {
                self.heads.remove(&key);
            }
        }
        (to < self.heads.used()).then_some(to)
    }

    /// Sees that an entrypoint has a head, in the place of another if need be.
    fn make_head(&mut self, queue: &QueueKey) {
        if self.heads.find(queue).is_some() {
            return;
        }
        if self.heads.room() == 0 {
            self.boot.head_hand = (self.boot.head_hand + 1) % self.heads.capacity().max(1) as u64;
            self.boot.heads_forgotten += 1;
            if let Some(key) = self.heads.at(self.boot.head_hand as u32).map(|(key, _)| *key) {
                self.heads.remove(&key);
            }
        }
        let _ = self.heads.insert(*queue, Head::default());
    }
}
