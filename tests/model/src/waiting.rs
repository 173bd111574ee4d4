//! Waking and waiting: `CALL pgq.wait`, the wake of a commit, the database worker's second look.
//!
//! ```text
//! waiter                                       whoever makes a job claimable
//! 1 PUBLISH  an entry in the list of waiters   1 the commit is visible, or the claim has left the table
//! 2 LOOK     can a job be claimed?             2 WAKE  the latch of the first waiter that has not been woken
//! 3 SLEEP    until the latch is set;                   and the database worker's second look, if anybody waits
//!            a little only, where a row
//!            that somebody has locked was
//!            passed over
//! ```
//!
//! A wake is a hint to one waiter, and that waiter may be gone, may be cancelled, may have a dead client. So the database
//! worker looks again a little later, and wakes the next, for as long as a job is there that nobody has claimed and
//! somebody waits. Ends and drops of claims wake like commits: under a limit they make another job claimable.

use crate::fault::Fault;
use stateright::{Model, Property};

const JOBS: usize = 2;
const WAITERS: usize = 2;
/// A worker that does not wait.
const TAKER: usize = WAITERS;

/// Nobody sleeps through a job that can be claimed.
pub const WOKEN: &str = "nobody is left asleep while a job can be claimed";

/// Two workers that wait and one that does not; a producer for each job; a user who locks rows.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// How often each worker may ask: to wait, or for a job.
    pub asks: u8,
    /// How many jobs may be claimed at a time.
    pub limit: usize,
    /// How often a user may lock a row.
    pub locks: u8,
    /// Which rule is broken.
    pub fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Row {
    Absent,
    There,
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Job {
    row: Row,
    claimed: bool,
    locked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    /// The client may ask.
    Away,
    /// Is to enter the list of waiters; with a fault it has looked already, and passed over a locked row or not.
    Publish(Option<bool>),
    /// Is to look for a job.
    Look,
    /// Asleep until its latch is set; a little only, if so.
    Asleep(bool),
    /// `wait` has returned `true`: the client will ask for a job, or is dead.
    Ready,
    /// Dequeue: a claim is published, its row is to be looked at. The first job was passed over already, or not.
    LookAgain(usize, bool),
    Holds(usize),
    /// The claim has gone, the wake is due; then the worker goes on with the next job, or does not.
    Wake(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Worker {
    step: Step,
    /// It is in the list of waiters.
    listed: bool,
    latch: bool,
    asks_left: u8,
}

/// A state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    jobs: [Job; JOBS],
    workers: [Worker; WAITERS + 1],
    /// Commits whose callback is to wake.
    wakes_owed: u8,
    /// With a fault: the callback has run, the commit is to become visible.
    invisible: Option<usize>,
    /// The database worker will look again.
    second_look: bool,
    locks_left: u8,
}

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// A producer's commit is visible.
    Enqueue(usize),
    /// Its callback.
    Callback,
    /// With a fault: its commit is visible after the callback.
    Show,
    /// `FOR UPDATE` of a user.
    Lock(usize),
    /// The user's transaction ends; nothing of ours runs then.
    Unlock(usize),
    /// A worker waits.
    Wait(usize),
    /// A worker asks for a job.
    Dequeue(usize),
    /// A worker goes one step on.
    Go(usize),
    /// A wait is cancelled or times out, a client dies, a statement fails.
    Fail(usize),
    /// What a worker holds is done.
    Complete(usize),
    /// What a worker holds goes back.
    GiveBack(usize),
    /// The database worker looks again.
    SecondLook,
}

impl World {
    fn room(&self, limit: usize) -> bool {
        self.jobs.iter().filter(|job| job.claimed).count() < limit
    }

    /// Jobs that nobody holds and that the limit allows, those with a locked row too.
    fn unclaimed(&self, limit: usize) -> impl Iterator<Item = (usize, Job)> {
        let jobs = self.jobs.iter().copied().enumerate();
        jobs.filter(move |(_, job)| self.room(limit) && job.row == Row::There && !job.claimed)
    }

    fn claimable(&self, limit: usize) -> bool {
        self.unclaimed(limit).any(|(_, job)| !job.locked)
    }

    /// The wake: it looks at nothing but the list.
    fn wake(&mut self, fault: Fault) {
        self.second_look |= fault != Fault::WokenOnce && self.workers.iter().any(|worker| worker.listed);
        if let Some(first) = self.workers.iter_mut().find(|worker| worker.listed && !worker.latch) {
            first.latch = true;
        }
    }
}

impl Waiting {
    /// The dry run of dequeue: `None` if there is a job, else whether a locked row was passed over.
    fn look(&self, world: &World) -> Option<bool> {
        if world.claimable(self.limit) {
            return None;
        }
        Some(self.fault != Fault::NoLookForLocked && world.unclaimed(self.limit).next().is_some())
    }

    fn go(&self, world: &mut World, number: usize) -> Option<()> {
        let Worker { step, latch, .. } = world.workers[number];
        let next = match step {
            Step::Away | Step::Holds(_) => return None,
            Step::Asleep(a_little) if !a_little && !latch => return None,
            Step::Asleep(_) => {
                world.workers[number].latch = false;
                Step::Look
            }
            Step::Publish(looked) => {
                world.workers[number].listed = true;
                looked.map_or(Step::Look, Step::Asleep)
            }
            Step::Look => match (self.look(world), self.fault) {
                (None, _) => {
                    world.workers[number].listed = false;
                    world.workers[number].latch = false;
                    Step::Ready
                }
                (Some(locked), Fault::LookBeforeWaiting) if !world.workers[number].listed => {
                    Step::Publish(Some(locked))
                }
                (Some(locked), _) => Step::Asleep(locked),
            },
            Step::Ready => self.claim(world, 0),
            Step::LookAgain(job, _) if world.jobs[job].row == Row::There && !world.jobs[job].locked => Step::Holds(job),
            Step::LookAgain(job, passed_over) => {
                world.jobs[job].claimed = false;
                Step::Wake(job == 0 && !passed_over)
            }
            Step::Wake(goes_on) => {
                if self.fault != Fault::EndWakesNobody {
                    world.wake(self.fault);
                }
                if goes_on { self.claim(world, 1) } else { Step::Away }
            }
        };
        world.workers[number].step = next;
        Some(())
    }

    /// Publishes a claim on the first job from a place on.
    fn claim(&self, world: &mut World, from: usize) -> Step {
        let candidate = world.unclaimed(self.limit).map(|(job, _)| job).find(|job| *job >= from);
        let Some(job) = candidate else { return Step::Away };
        world.jobs[job].claimed = true;
        Step::LookAgain(job, from > 0)
    }

    fn fail(world: &mut World, number: usize) {
        let worker = &mut world.workers[number];
        worker.listed = false;
        worker.latch = false;
        worker.step = match worker.step {
            Step::LookAgain(job, _) => {
                world.jobs[job].claimed = false;
                Step::Wake(false)
            }
            _ => Step::Away,
        };
    }

    fn end(world: &mut World, number: usize, row: Row) -> Option<()> {
        let Step::Holds(job) = world.workers[number].step else { return None };
        world.jobs[job] = Job { row, claimed: false, ..world.jobs[job] };
        world.workers[number].step = Step::Wake(false);
        Some(())
    }

    fn enqueue(&self, world: &mut World, job: usize) {
        if self.fault == Fault::WakeBeforeVisible {
            world.wake(self.fault);
            world.invisible = Some(job);
        } else {
            world.jobs[job].row = Row::There;
            world.wakes_owed += 1;
        }
    }

    fn second_look(&self, world: &mut World) {
        let waited_for = world.workers.iter().any(|worker| worker.listed);
        let locked_counts = self.fault != Fault::SecondLookForgetsLocked;
        if waited_for && world.claimable(self.limit) {
            world.wake(self.fault);
        } else if !waited_for || !locked_counts || world.unclaimed(self.limit).next().is_none() {
            world.second_look = false;
        }
    }
}

impl Model for Waiting {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let job = Job { row: Row::Absent, claimed: false, locked: false };
        let worker = Worker { step: Step::Away, listed: false, latch: false, asks_left: self.asks };
        vec![World {
            jobs: [job; JOBS],
            workers: [worker; WAITERS + 1],
            wakes_owed: 0,
            invisible: None,
            second_look: false,
            locks_left: self.locks,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for (job, Job { row, locked, .. }) in world.jobs.iter().copied().enumerate() {
            match row {
                Row::Absent if world.invisible.is_none() => actions.push(Action::Enqueue(job)),
                Row::There if locked => actions.push(Action::Unlock(job)),
                Row::There if world.locks_left > 0 => actions.push(Action::Lock(job)),
                _ => {}
            }
        }
        actions.extend(world.invisible.map(|_| Action::Show));
        actions.extend((world.wakes_owed > 0).then_some(Action::Callback));
        actions.extend(world.second_look.then_some(Action::SecondLook));
        for (number, worker) in world.workers.iter().enumerate() {
            match worker.step {
                Step::Away if worker.asks_left == 0 => {}
                Step::Away if number == TAKER => actions.push(Action::Dequeue(number)),
                Step::Away => actions.push(Action::Wait(number)),
                Step::Holds(_) => actions.extend([Action::Complete(number), Action::GiveBack(number)]),
                Step::Wake(_) => actions.push(Action::Go(number)),
                _ => actions.extend([Action::Go(number), Action::Fail(number)]),
            }
        }
    }

    fn next_state(&self, before: &World, action: Action) -> Option<World> {
        let mut world = before.clone();
        match action {
            Action::Enqueue(job) => self.enqueue(&mut world, job),
            Action::Callback => {
                world.wakes_owed -= 1;
                world.wake(self.fault);
            }
            Action::Show => {
                let job = world.invisible.take()?;
                world.jobs[job].row = Row::There;
            }
            Action::Lock(job) => {
                world.jobs[job].locked = true;
                world.locks_left -= 1;
            }
            Action::Unlock(job) => world.jobs[job].locked = false,
            Action::Wait(number) | Action::Dequeue(number) => {
                world.workers[number].asks_left -= 1;
                world.workers[number].step = match (number, self.fault) {
                    (TAKER, _) => Step::Ready,
                    (_, Fault::LookBeforeWaiting) => Step::Look,
                    _ => Step::Publish(None),
                };
            }
            Action::Go(number) => self.go(&mut world, number)?,
            Action::Fail(number) => Self::fail(&mut world, number),
            Action::Complete(number) => Self::end(&mut world, number, Row::Gone)?,
            Action::GiveBack(number) => Self::end(&mut world, number, Row::There)?,
            Action::SecondLook => self.second_look(&mut world),
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(WOKEN, |model: &Self, world: &World| {
                let asleep = world.workers.iter().filter(|worker| worker.step == Step::Asleep(false) && !worker.latch);
                let idle = world.workers.iter().filter(|worker| matches!(worker.step, Step::Away | Step::Holds(_)));
                let somebody_comes = asleep.clone().count() + idle.count() < world.workers.len();
                let forgotten = world.claimable(model.limit) && world.wakes_owed == 0 && !world.second_look;
                !forgotten || somebody_comes || asleep.count() == 0
            }),
            Property::sometimes("a sleeper is woken", |_, world: &World| {
                world.workers.iter().any(|worker| worker.step == Step::Asleep(false) && worker.latch)
            }),
            Property::sometimes("two jobs are held, or the limit keeps one back", |model: &Self, world: &World| {
                let there = world.jobs.iter().filter(|job| job.row == Row::There).count();
                there > 1 && world.jobs.iter().filter(|job| job.claimed).count() == model.limit
            }),
        ]
    }

    fn format_step(&self, world: &World, action: Action) -> Option<String> {
        let Action::Go(number) = action else { return Some(format!("{action:?}")) };
        Some(format!("Go({number}) from {:?}", world.workers[number].step))
    }
}
