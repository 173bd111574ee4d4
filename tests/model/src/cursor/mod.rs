//! Finding jobs in constant time: `cursor` and `pending_min` of one hash bucket.
//!
//! Jobs are places in the one index, 0 first. `cursor` says where live rows begin; only the one who refills writes it.
//! `pending_min` is lowered by everybody who makes a job claimable at a place that the cursor may have passed. It is
//! lowered *after* the job can be had: after a commit is visible, after a claim has left the table.
//!
//! ```text
//! refiller                                              everybody else
//! 1 take pending_min out, lower the cursor by it        1 commit is visible, or the claim goes
//!   (one step: no look in between misses a job)         2 pending_min := min(pending_min, place)
//! 2 snapshot of the due rows from the cursor on
//! 3 publish, look again; batch full: stop
//! 4 cursor := the first seen and not taken by anybody
//! ```
//!
//! Who finds the flag of the refiller set walks from min(cursor, pending_min) and writes neither. A job that somebody
//! holds may be passed: whoever gives it back lowers `pending_min`. A job that was seen and cannot be had for another
//! reason (batch full, limit, key) may not: nobody would tell.

mod walk;

use crate::fault::Fault;
use stateright::{Model, Property};
use walk::Walk;

/// Places in the index.
const JOBS: usize = 3;
/// The first so many jobs have one ordering key.
const KEYED: usize = 2;
/// Nothing is pending.
const NONE: usize = JOBS;

/// The one truth.
pub const FOUND: &str = "who walks from the cursor meets every job that can be had";

/// Two sessions that claim, one job at a call; producers, an operator, a user.
#[derive(Debug, Clone)]
pub struct Cursor {
    /// How often each of the sessions may claim.
    pub claims: [u8; 2],
    /// How many queued jobs an operator may delete.
    pub deletes: u8,
    /// How often a user may lock a row.
    pub locks: u8,
    /// Which of the two jobs with one key has the lower id: place 0, or place 1.
    pub first_of_key: usize,
    /// Which rule is broken.
    pub fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Row {
    Absent,
    /// Committed.
    There,
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Job {
    row: Row,
    claimed: bool,
    /// A user has the row's lock.
    locked: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Step {
    Idle,
    /// The refiller is to take `pending_min` out; with a fault it has its snapshot already.
    TakeOut(Option<Vec<usize>>),
    /// With a fault: taken out, the cursor is to be lowered.
    Lower(usize),
    /// The rows from there on are to be read.
    Snapshot(usize),
    /// The next candidate is to be claimed.
    Publish(Walk),
    /// A claim is published, its row is to be looked at.
    LookAgain(usize, Walk),
    Holds(usize),
    /// The job is gone, visibly; the callback is to end the claim.
    Ended(usize),
    /// The claim has gone, `pending_min` is to be lowered; with a fault the other way round.
    GivesBack(usize),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Session {
    step: Step,
    refills: bool,
    claims_left: u8,
}

/// A state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    first_of_key: usize,
    cursor: usize,
    pending_min: usize,
    jobs: [Job; JOBS],
    /// Commits whose callback is to lower `pending_min`: the job, and by how much.
    owed: Vec<(usize, usize)>,
    sessions: [Session; 2],
    deletes_left: u8,
    locks_left: u8,
}

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// A producer's commit is visible; places are no order of commits.
    Enqueue(usize),
    /// An operator's deletion of a queued job is visible.
    Delete(usize),
    /// A commit's callback.
    Callback(usize),
    /// `FOR UPDATE` of a user.
    Lock(usize),
    /// The user's transaction ends; nothing of ours runs then.
    Unlock(usize),
    /// A session calls dequeue.
    Dequeue(usize),
    /// A session goes one step on.
    Go(usize),
    /// Its statement fails.
    Fail(usize),
    /// The job that it holds is gone, visibly.
    Complete(usize),
    /// What it holds goes back: release, retry, abort, the session's end.
    GiveBack(usize),
}

fn share_key(one: usize, other: usize) -> bool {
    one == other || (one < KEYED && other < KEYED)
}

impl World {
    /// A key's first job hides those behind it. The first is the one with the lowest id; it may be due later.
    fn hidden(&self, job: usize) -> bool {
        job < KEYED && job != self.first_of_key && self.jobs[self.first_of_key].row == Row::There
    }

    fn key_busy(&self, job: usize) -> bool {
        (0..JOBS).any(|other| share_key(job, other) && self.jobs[other].claimed)
    }

    fn snapshot(&self, from: usize) -> Vec<usize> {
        (from..JOBS).filter(|job| self.jobs[*job].row == Row::There && !self.hidden(*job)).collect()
    }

    fn from(&self) -> usize {
        self.cursor.min(self.pending_min)
    }

    fn lower(&mut self, fault: Fault, place: usize) {
        let word = if fault == Fault::CursorMinRace { &mut self.cursor } else { &mut self.pending_min };
        *word = place.min(*word);
    }

    /// Whether the job can be had, and whoever made it so has no callback left to run. A lock of a user's does not
    /// count: nothing tells when it goes.
    fn can_be_had(&self, job: usize) -> bool {
        let told = |me: &Session| match me.step {
            Step::Ended(other) | Step::GivesBack(other) => !share_key(job, other),
            _ => true,
        };
        let told = self.sessions.iter().all(told) && !self.owed.iter().any(|(other, _)| share_key(job, *other));
        told && self.jobs[job].row == Row::There && !self.key_busy(job) && !self.hidden(job)
    }
}

impl Model for Cursor {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let job = Job { row: Row::Absent, claimed: false, locked: false };
        let sessions = self.claims.map(|claims_left| Session { step: Step::Idle, refills: false, claims_left });
        vec![World {
            first_of_key: self.first_of_key,
            cursor: 0,
            pending_min: NONE,
            jobs: [job; JOBS],
            owed: vec![],
            sessions,
            deletes_left: self.deletes,
            locks_left: self.locks,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for (place, Job { row, claimed, locked }) in world.jobs.iter().copied().enumerate() {
            match row {
                Row::Absent => actions.push(Action::Enqueue(place)),
                Row::There if locked => actions.push(Action::Unlock(place)),
                Row::There if !claimed && world.deletes_left > 0 => actions.push(Action::Delete(place)),
                _ => {}
            }
            if row == Row::There && !locked && world.locks_left > 0 {
                actions.push(Action::Lock(place));
            }
        }
        actions.extend((0..world.owed.len()).map(Action::Callback));
        for (number, me) in world.sessions.iter().enumerate() {
            match me.step {
                Step::Idle if me.claims_left > 0 => actions.push(Action::Dequeue(number)),
                Step::Idle => {}
                Step::Holds(_) => actions.extend([Action::Complete(number), Action::GiveBack(number)]),
                Step::Ended(_) | Step::GivesBack(_) => actions.push(Action::Go(number)),
                _ => actions.extend([Action::Go(number), Action::Fail(number)]),
            }
        }
    }

    fn next_state(&self, before: &World, action: Action) -> Option<World> {
        let mut world = before.clone();
        match action {
            Action::Enqueue(job) => {
                world.jobs[job].row = Row::There;
                world.owed.push((job, job));
            }
            Action::Delete(job) => {
                world.jobs[job].row = Row::Gone;
                world.deletes_left -= 1;
                world.owed.extend((job < KEYED && self.fault != Fault::DeleteLowersNothing).then_some((job, 0)));
            }
            Action::Callback(owed) => {
                let (_, place) = world.owed.remove(owed);
                world.lower(self.fault, place);
            }
            Action::Lock(job) => {
                world.jobs[job].locked = true;
                world.locks_left -= 1;
            }
            Action::Unlock(job) => world.jobs[job].locked = false,
            Action::Dequeue(session) => self.dequeue(&mut world, session),
            Action::Go(session) => self.go(&mut world, session),
            Action::Fail(session) => self.fail(&mut world, session),
            Action::Complete(session) | Action::GiveBack(session) => {
                let Step::Holds(job) = world.sessions[session].step else { return None };
                world.sessions[session].step = if matches!(action, Action::Complete(_)) {
                    world.jobs[job].row = Row::Gone;
                    Step::Ended(job)
                } else {
                    self.begin_to_give_back(&mut world, job)
                };
            }
        }
        world.owed.sort_unstable();
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(FOUND, |_, world: &World| {
                (0..JOBS).all(|job| !world.can_be_had(job) || world.from() <= job)
            }),
            Property::sometimes("the cursor passes a job that is held", |_, world: &World| {
                world.sessions.iter().any(|me| matches!(me.step, Step::Holds(job) if world.from() > job))
            }),
            Property::sometimes("somebody claims while another refills", |_, world: &World| {
                world.sessions.iter().any(|me| me.refills)
                    && world.sessions.iter().any(|me| matches!(me.step, Step::LookAgain(..)) && !me.refills)
            }),
        ]
    }

    fn format_step(&self, world: &World, action: Action) -> Option<String> {
        let Action::Go(session) = action else { return Some(format!("{action:?}")) };
        Some(format!("Go({session}) from {:?}", world.sessions[session].step))
    }
}
