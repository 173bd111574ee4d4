//! Claiming and ending: sessions with transactions over rows, claims and notes.
//!
//! A [`World`] is a state; a [`Protocol`] says who takes part and which [`Fault`] is built in. One [`Action`] is what
//! nothing can interrupt: one statement's snapshot, one hold of the claim table's lock, one callback. A session stands at
//! a [`Step`] of the call that it makes, and goes on, fails, or dies there.
//!
//! - `claim`        dequeue: candidates, publish, look again, hand out
//! - `end`          complete, retry, release: fence, row, commit
//! - `control`      everybody else: row lock first, claims second
//! - `transaction`  commit, abort, savepoints, the session's end
//! - `truth`        what must hold

mod claim;
mod control;
mod end;
mod transaction;
pub mod truth;

use crate::claims::{Claims, Worker};
use crate::fault::Fault;
use crate::notes::Notes;
use crate::row::Row;
use claim::{Candidate, Published};
use stateright::{Model, Property};

/// What a session may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// Claims all jobs that can be had.
    Dequeue,
    /// The job is done: its row goes.
    Complete,
    /// The job is queued again, due at once, in the next attempt.
    Retry,
    /// The same with a delay.
    RetryLater,
    /// The claim is given back; the row is not touched.
    Release,
    /// Removes the job, whoever holds it.
    Cancel,
    /// Rewrites the payload of a queued job.
    Replace,
    /// Defers a queued job.
    Reschedule,
    /// A user's `FOR UPDATE`.
    LockRow,
    /// The database worker releases a claim whose lease has run out, or whose session is gone.
    Sweep,
}

/// One session of the world: who it is and what it may do.
#[derive(Debug, Clone)]
pub struct Cast {
    /// As whom it claims and ends.
    pub worker: Worker,
    /// What it may ask for.
    pub calls: Vec<Call>,
    /// How often.
    pub times: u8,
    /// How often it may set a savepoint.
    pub savepoints: u8,
    /// Whether its session may end at any step.
    pub leaves: bool,
}

/// Who takes part, under which rules.
#[derive(Debug, Clone)]
pub struct Protocol {
    /// The sessions.
    pub cast: Vec<Cast>,
    /// How many jobs are queued at the start, all of one entrypoint.
    pub jobs: usize,
    /// How many of them may be claimed at a time.
    pub limit: usize,
    /// Whether they have one ordering key.
    pub one_key: bool,
    /// Which rule is broken.
    pub fault: Fault,
}

/// Where a session stands in its call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// Between two calls.
    Idle,
    /// Dequeue: the next candidate is to be claimed.
    Publish { left: Vec<Candidate>, published: Vec<Published> },
    /// Dequeue with a fault: half of a publication is done.
    Half { number: Option<u8>, left: Vec<Candidate>, published: Vec<Published> },
    /// Dequeue: the rows are to be looked at again; `unlocked` once it is known which of the touched can be locked.
    LookAgain { published: Vec<Published>, unlocked: Option<Vec<usize>> },
    /// Dequeue: some rows were touched.
    Unlock { published: Vec<Published> },
    /// An end: may the worker?
    Fence { call: Call, job: usize, attempt: u8 },
    /// An end with a fault: waits for the row's lock because another is ending the claim.
    Contested { call: Call, job: usize, attempt: u8 },
    /// An end that has begun: the row is to be changed.
    Change { call: Call, job: usize, attempt: u8, number: u8 },
    /// Everybody else: the row's lock is to be had; `seen` is the claim where a fault looks at it first.
    Lock { call: Call, job: usize, seen: Option<Option<u8>> },
    /// Everybody else: the row is locked, who holds the job?
    LookWhoHolds { call: Call, job: usize, seen: Option<Option<u8>> },
    /// The commit is visible, the callback has to run.
    Committed,
    /// The abort is visible, from that level on, and the callback has to run.
    Aborted { level: u8, leaving: bool },
    /// The process ends, `on_shmem_exit` has to run; `aborted` unless a fault runs it before the abort.
    Exiting { aborted: bool },
    /// With a fault: `on_shmem_exit` has run, the transaction is still open.
    ExitedFirst,
    /// The session is no more.
    Gone,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Session {
    pub(crate) step: Step,
    /// How deep its transaction is nested; 0 if none is open.
    pub(crate) level: u8,
    pub(crate) notes: Notes,
    calls_left: u8,
    savepoints_left: u8,
}

/// A job that was handed out and whose claim has not ended: what the worker may rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Held {
    pub(crate) job: usize,
    pub(crate) worker: Worker,
    pub(crate) number: u8,
    pub(crate) attempt: u8,
    pub(crate) payload: u8,
    /// The session that claimed it.
    pub(crate) session: usize,
    /// The level at which its transaction is open; 0 once that has committed.
    pub(crate) level: u8,
}

/// A state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    pub(crate) rows: Vec<Row>,
    pub(crate) claims: Claims,
    pub(crate) sessions: Vec<Session>,
    /// What is handed out; no process knows this.
    pub(crate) held: Vec<Held>,
    /// What was ever handed out: clients that are late still ask for it.
    pub(crate) handed_out: Vec<(Worker, usize, u8)>,
    /// An end took effect though its caller did not hold the job in that attempt, or not any more.
    pub(crate) ended_without_claim: bool,
    /// The claims whose end was refused to their worker.
    pub(crate) refused: Vec<u8>,
}

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// A session makes a call.
    Call(usize, Call, usize, u8),
    /// A session goes one step on.
    Go(usize),
    /// `COMMIT`, of a subtransaction `RELEASE SAVEPOINT`.
    Commit(usize),
    /// `ROLLBACK`, an error, a cancel.
    Abort(usize),
    /// `SAVEPOINT`.
    Savepoint(usize),
    /// `ROLLBACK TO SAVEPOINT`.
    RollBackTo(usize),
    /// The session ends: a disconnect, `pg_terminate_backend`, a FATAL error.
    Leave(usize),
}

impl Session {
    /// Whether a callback is due: nothing else can happen to the session then.
    fn in_callback(&self) -> bool {
        matches!(
            self.step,
            Step::Committed | Step::Aborted { .. } | Step::Exiting { .. } | Step::ExitedFirst | Step::Gone
        )
    }

    pub(crate) fn at_rest(&self) -> bool {
        self.level == 0 && matches!(self.step, Step::Idle | Step::Gone)
    }
}

impl Protocol {
    fn calls(&self, world: &World, session: usize, actions: &mut Vec<Action>) {
        for call in &self.cast[session].calls {
            match call {
                Call::Dequeue => actions.push(Action::Call(session, *call, 0, 0)),
                Call::Complete | Call::Retry | Call::RetryLater | Call::Release => {
                    let own = world.handed_out.iter().filter(|(worker, ..)| *worker == self.cast[session].worker);
                    actions.extend(own.map(|(_, job, attempt)| Action::Call(session, *call, *job, *attempt)));
                }
                _ => actions.extend((0..self.jobs).map(|job| Action::Call(session, *call, job, 0))),
            }
        }
    }

    fn call(&self, world: &mut World, session: usize, call: Call, job: usize, attempt: u8) {
        let step = match call {
            Call::Dequeue => Step::Publish { left: self.candidates(world, session), published: vec![] },
            Call::Complete | Call::Retry | Call::RetryLater | Call::Release => Step::Fence { call, job, attempt },
            _ => self.lock_or_look(world, call, job),
        };
        let me = &mut world.sessions[session];
        me.calls_left -= 1;
        me.level = me.level.max(1);
        me.step = step;
    }

    /// The next step of the call. `None` while it has to wait.
    fn go(&self, world: &mut World, session: usize) -> Option<()> {
        let step = world.sessions[session].step.clone();
        let next = match step {
            Step::Idle | Step::Gone => return None,
            Step::Publish { left, published } => self.publish(world, session, left, published),
            Step::Half { number, left, published } => self.other_half(world, session, number, left, published),
            Step::LookAgain { published, unlocked } => self.look_again(world, session, published, unlocked),
            Step::Unlock { published } => Self::unlock(world, session, published),
            Step::Fence { call, job, attempt } => self.fence(world, session, call, job, attempt)?,
            Step::Contested { call, job, attempt } => self.contested(world, session, call, job, attempt)?,
            Step::Change { call, job, attempt, number } => self.change(world, session, call, job, attempt, number)?,
            Step::Lock { call, job, seen } => Self::lock(world, session, call, job, seen)?,
            Step::LookWhoHolds { call, job, seen } => self.act(world, session, call, job, seen),
            Step::Committed | Step::Aborted { .. } | Step::Exiting { .. } | Step::ExitedFirst => {
                self.callback(world, session)
            }
        };
        world.sessions[session].step = next;
        Some(())
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let session = |cast: &Cast| Session {
            step: Step::Idle,
            level: 0,
            notes: Notes::default(),
            calls_left: cast.times,
            savepoints_left: cast.savepoints,
        };
        let world = World {
            rows: vec![Row::queued(); self.jobs],
            claims: Claims::new(self.jobs, self.limit, self.one_key),
            sessions: self.cast.iter().map(session).collect(),
            held: vec![],
            handed_out: vec![],
            ended_without_claim: false,
            refused: vec![],
        };
        vec![world]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for (session, me) in world.sessions.iter().enumerate() {
            if me.step != Step::Idle && me.step != Step::Gone {
                actions.push(Action::Go(session));
            }
            if me.in_callback() {
                continue;
            }
            if me.step == Step::Idle && me.calls_left > 0 {
                self.calls(world, session, actions);
            }
            if me.step == Step::Idle && me.level > 0 {
                actions.push(Action::Commit(session));
            }
            if me.step == Step::Idle && me.level < 2 && me.savepoints_left > 0 {
                actions.push(Action::Savepoint(session));
            }
            if me.level > 0 {
                actions.push(Action::Abort(session));
            }
            if me.level > 1 {
                actions.push(Action::RollBackTo(session));
            }
            if self.cast[session].leaves {
                actions.push(Action::Leave(session));
            }
        }
    }

    fn next_state(&self, before: &World, action: Action) -> Option<World> {
        let mut world = before.clone();
        match action {
            Action::Call(session, call, job, attempt) => self.call(&mut world, session, call, job, attempt),
            Action::Go(session) => self.go(&mut world, session)?,
            Action::Commit(session) => self.commit(&mut world, session),
            Action::Abort(session) => Self::abort(&mut world, session, 1, false),
            Action::Savepoint(session) => Self::savepoint(&mut world, session),
            Action::RollBackTo(session) => Self::abort(&mut world, session, 2, false),
            Action::Leave(session) => self.leave(&mut world, session),
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        self.truths()
    }

    fn format_step(&self, world: &World, action: Action) -> Option<String> {
        let Action::Go(session) = action else { return Some(format!("{action:?}")) };
        let step = format!("{:?}", world.sessions[session].step);
        Some(format!("Go({session}) from {}", step.split(' ').next().unwrap_or_default()))
    }
}
