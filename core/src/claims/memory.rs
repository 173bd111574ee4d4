//! How the memory is laid out, and the view of it.

use super::channel::Channel;
use super::database::Database;
use super::head::Head as QueueHead;
use super::rest::Rest;
use super::tally::Tally;
use super::waiter::{Chase, Latches, Waiter};
use super::{Claim, Held, JobKey, OrderKey, Queue, QueueKey, Relation, Worker, WorkerKey};
use crate::rate::Window;
use crate::table::{FixedTable, Full, Head, Key, Sizes, Slot};

/// What everything else hangs on.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Boot {
    /// Made anew when shared memory is; tells sessions of this life from those of another.
    pub epoch: u64,
    /// The last number given to a claim.
    pub claims: u64,
    /// The last number given to a session.
    pub sessions: u64,
    /// How many named workers are known.
    pub named: u64,
    /// Where the search for a named worker to forget goes on.
    pub hand: u64,
    /// The last number given to a walk.
    pub walks: u64,
    /// How many sessions wait.
    pub waiting: u64,
    /// How many entrypoints wait for their rate limit to refill; more than there are where a head was forgotten.
    pub refilling: u64,
    /// How many heads were forgotten to make room for others.
    pub heads_forgotten: u64,
    /// Where searches go on: for a head, a waiter, a channel, a rest.
    pub head_hand: u64,
    /// See `head_hand`.
    pub waiter_hand: u64,
    /// See `head_hand`.
    pub channel_hand: u64,
    /// See `head_hand`.
    pub rest_hand: u64,
    /// The launcher's process; 0 if there is none.
    pub launcher: u64,
    /// Its latch.
    pub launcher_latch: u64,
    /// Its latch was set and it has not looked since.
    pub launcher_told: u64,
    /// Told, and its latch is still to be set.
    pub launcher_unlatched: u64,
    /// When it is to look which databases there are; 0 if it has.
    pub look_around_at: i64,
    /// How many workers are to make room for others when they go to sleep.
    pub room_wanted: u64,
    /// Since when the server has had no place for a worker; 0 where it had one.
    pub refused_since: i64,
    /// Until then it is not asked.
    pub refused_until: i64,
    /// The clock when it was last looked at.
    pub clock: i64,
    /// A clock that nobody sets, then.
    pub steady: i64,
}

/// How many of each there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizing {
    /// Claims at one time, of all databases; also entrypoints in flight and ordering keys in flight.
    pub claims: usize,
    /// Sessions that claim at one time.
    pub sessions: usize,
    /// Named workers known at one time.
    pub named: usize,
    /// Entrypoints with a rate limit that made a claim within their period.
    pub rates: usize,
    /// Entrypoints whose head, channel and tally are known.
    pub heads: usize,
    /// Databases.
    pub databases: usize,
}

impl Sizing {
    fn rests(self) -> usize {
        (self.claims / 16).clamp(64, 4096)
    }

    fn workers(self) -> usize {
        self.sessions + self.named
    }
}

/// The claim table and what is counted with it.
#[derive(Debug)]
pub struct Claims<'a> {
    /// Numbers that are never given twice.
    pub boot: &'a mut Boot,
    pub(super) jobs: FixedTable<'a, JobKey, Claim>,
    pub(super) queues: FixedTable<'a, QueueKey, Queue>,
    pub(super) orders: FixedTable<'a, OrderKey, u64>,
    pub(super) workers: FixedTable<'a, WorkerKey, Worker>,
    pub(super) most_named: u64,
    pub(super) rates: FixedTable<'a, QueueKey, Window>,
    /// For the share of a database, and to know a table of ours when it is dropped.
    pub(super) relations: FixedTable<'a, Relation, Held>,
    pub(super) heads: FixedTable<'a, QueueKey, QueueHead>,
    pub(super) rests: FixedTable<'a, JobKey, Rest>,
    pub(super) databases: FixedTable<'a, Relation, Database>,
    pub(super) channels: FixedTable<'a, QueueKey, Channel>,
    pub(super) waiters: &'a mut [Waiter],
    pub(super) chases: &'a mut [Chase],
    pub(super) tallies: FixedTable<'a, QueueKey, Tally>,
    /// Latches to set once the lock is released. Not in shared memory.
    pub latches: Latches,
}

/// How many entrypoints can be chased at a time; one too many is not.
const CHASES: usize = 64;

/// How full a table in memory is.
#[derive(Debug, Clone, Copy)]
pub struct Fill {
    /// What is in it.
    pub name: &'static str,
    /// How many.
    pub used: i64,
    /// How many find room.
    pub room: i64,
    /// How many had to make room for others.
    pub forgotten: i64,
}

/// Hands out pieces of one stretch of memory, one after the other.
///
/// Implemented where the memory is; the sizes alone can be had from a dry run (see [`Layout`]).
pub trait Carve<'a> {
    /// The next piece: `count` values of `T`.
    fn carve<T: Copy + Default>(&mut self, count: usize) -> &'a mut [T];
}

/// How many bytes the memory takes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layout {
    bytes: usize,
}

impl Layout {
    /// Every piece begins at a multiple of this.
    pub const ALIGN: usize = 16;

    /// The bytes for a sizing.
    pub fn bytes(sizing: Sizing) -> usize {
        let mut layout = Self::default();
        layout.piece::<Boot>(1);
        layout.table::<JobKey, Claim>(sizing.claims);
        layout.table::<QueueKey, Queue>(sizing.claims);
        layout.table::<OrderKey, u64>(sizing.claims);
        layout.table::<WorkerKey, Worker>(sizing.workers());
        layout.table::<QueueKey, Window>(sizing.rates);
        layout.table::<Relation, Held>(sizing.claims + sizing.workers());
        layout.table::<QueueKey, QueueHead>(sizing.heads);
        layout.table::<JobKey, Rest>(sizing.rests());
        layout.table::<Relation, Database>(sizing.databases);
        layout.table::<QueueKey, Channel>(sizing.heads);
        layout.piece::<Waiter>(sizing.sessions);
        layout.piece::<Chase>(CHASES);
        layout.table::<QueueKey, Tally>(sizing.heads);
        layout.bytes
    }

    /// The bytes of one piece, with what aligns the next.
    pub fn piece_bytes<T>(count: usize) -> usize {
        size_of::<T>().saturating_mul(count).next_multiple_of(Self::ALIGN)
    }

    fn piece<T>(&mut self, count: usize) {
        self.bytes = self.bytes.saturating_add(Self::piece_bytes::<T>(count));
    }

    fn table<K, V>(&mut self, capacity: usize) {
        let sizes = Sizes::of(capacity);
        self.piece::<Head>(1);
        self.piece::<u32>(sizes.buckets);
        self.piece::<Slot<K, V>>(sizes.slots);
    }
}

impl<'a> Claims<'a> {
    /// Looks at memory of [`Layout::bytes`] bytes. `None` if the carver hands out less than it was asked for.
    pub fn view(sizing: Sizing, from: &mut impl Carve<'a>) -> Option<Self> {
        Some(Self {
            boot: from.carve::<Boot>(1).first_mut()?,
            jobs: table(from, sizing.claims)?,
            queues: table(from, sizing.claims)?,
            orders: table(from, sizing.claims)?,
            workers: table(from, sizing.workers())?,
            most_named: sizing.named as u64,
            rates: table(from, sizing.rates)?,
            relations: table(from, sizing.claims + sizing.workers())?,
            heads: table(from, sizing.heads)?,
            rests: table(from, sizing.rests())?,
            databases: table(from, sizing.databases)?,
            channels: table(from, sizing.heads)?,
            waiters: from.carve(sizing.sessions),
            chases: from.carve(CHASES),
            tallies: table(from, sizing.heads)?,
            latches: Latches::NONE,
        })
    }

    /// Empties everything: shared memory has just been made.
    pub fn start(&mut self, epoch: u64) {
        *self.boot = Boot { epoch, ..Boot::default() };
        self.jobs.clear();
        self.queues.clear();
        self.orders.clear();
        self.workers.clear();
        self.rates.clear();
        self.relations.clear();
        self.heads.clear();
        self.rests.clear();
        self.databases.clear();
        self.channels.clear();
        self.waiters.fill(Waiter::default());
        self.chases.fill(Chase::default());
        self.tallies.clear();
    }

    /// A number for a session, never given twice in one life of the server.
    pub fn number_session(&mut self) -> u64 {
        self.boot.sessions += 1;
        self.boot.sessions
    }

    /// The claim on a job.
    pub fn claim(&self, job: &JobKey) -> Option<&Claim> {
        self.jobs.get(job)
    }

    /// The claim on a job as a session sees it: one that its own open transaction is ending is over for it, as its own
    /// changes to rows are.
    pub fn claim_seen_by(&self, job: &JobKey, session: Option<u64>) -> Option<&Claim> {
        self.claim(job).filter(|claim| Some(claim.ending_by) != session)
    }

    /// How full each table is.
    pub fn fill_of_all(&self) -> [Fill; 4] {
        let fill = |name, used: usize, room: usize, forgotten: u64| {
            let whole = |number| i64::try_from(number).unwrap_or(i64::MAX);
            Fill { name, used: whole(used as u64), room: whole(room as u64), forgotten: whole(forgotten) }
        };
        [
            fill("claims", self.jobs.len(), self.jobs.capacity(), 0),
            fill("named workers", self.boot.named as usize, self.most_named as usize, 0),
            fill("entrypoints", self.heads.len(), self.heads.capacity().max(1), self.boot.heads_forgotten),
            fill("waiting sessions", self.boot.waiting as usize, self.waiters.len(), 0),
        ]
    }

    /// How many claims there are, and for how many there is room.
    pub fn fill(&self) -> (usize, usize) {
        (self.jobs.len(), self.jobs.capacity())
    }

    /// Claims of one jobs table in up to `most` slots from `from` on, and where to go on: `None` at the end. A claim that
    /// ends and is made anew between two slices can be met in both, the later one with the higher number.
    pub fn some_of(
        &self,
        relation: Relation,
        from: u32,
        most: u32,
    ) -> (impl Iterator<Item = (i64, &Claim)>, Option<u32>) {
        let to = from.saturating_add(most).min(self.jobs.used());
        let slots = (from..to).filter_map(|slot| self.jobs.at(slot));
        let found = slots.filter(move |(key, _)| key.relation == relation).map(|(key, claim)| (key.id, claim));
        (found, (to < self.jobs.used()).then_some(to))
    }

    /// Whether there is any claim on a job of this table, or any worker of it.
    pub fn knows(&self, relation: Relation) -> bool {
        self.relations.find(&relation).is_some()
    }

    /// Counts claims and workers of a table, more or fewer.
    pub(super) fn count(&mut self, relation: Relation, claims: i64, workers: i64) -> Result<(), Full> {
        if self.relations.find(&relation).is_none() {
            self.relations.insert(relation, Held::default())?;
        }
        if let Some(held) = self.relations.get_mut(&relation) {
            held.claims = held.claims.saturating_add_signed(claims);
            held.workers = held.workers.saturating_add_signed(workers);
            if held.claims == 0 && held.workers == 0 {
                self.relations.remove(&relation);
            }
        }
        Ok(())
    }

    /// What is in flight of an entrypoint.
    pub fn in_flight(&self, queue: &QueueKey) -> u64 {
        self.queues.get(queue).map_or(0, |queue| queue.in_flight)
    }
}

fn table<'a, K: Key + Default, V: Copy + Default>(
    from: &mut impl Carve<'a>,
    capacity: usize,
) -> Option<FixedTable<'a, K, V>> {
    let sizes = Sizes::of(capacity);
    Some(FixedTable::new(from.carve::<Head>(1).first_mut()?, from.carve(sizes.buckets), from.carve(sizes.slots)))
}
