//! What a session does: refill, claim, hold, end, give back.

use super::{Cursor, Job, KEYED, NONE, Row, Session, Step, World};
use crate::fault::Fault;

/// What is left of a walk.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Walk {
    left: Vec<usize>,
    /// Behind the last candidate that may be passed.
    next: usize,
    /// A candidate was seen that may not be passed.
    stopped: bool,
}

impl Cursor {
    pub(super) fn go(&self, world: &mut World, session: usize) {
        let step = world.sessions[session].step.clone();
        world.sessions[session].step = match step {
            Step::Idle | Step::Holds(_) => step,
            Step::TakeOut(early) => self.take_out(world, early),
            Step::Lower(from) => {
                world.cursor = from.min(world.cursor);
                Step::Snapshot(from)
            }
            Step::Snapshot(from) => Step::Publish(Walk { left: world.snapshot(from), next: from, stopped: false }),
            Step::Publish(walk) => self.publish(world, session, walk),
            Step::LookAgain(job, walk) => self.look_again(world, session, job, walk),
            Step::Ended(job) => {
                world.jobs[job].claimed = false;
                // Those behind its key were hidden: nobody knows their places.
                if job < KEYED && self.fault != Fault::KeyLowersNothing {
                    world.lower(self.fault, 0);
                }
                Step::Idle
            }
            Step::GivesBack(job) => {
                self.give_back(world, job, self.fault != Fault::LoweredBeforeClaimGoes);
                Step::Idle
            }
        };
    }

    fn take_out(&self, world: &mut World, early: Option<Vec<usize>>) -> Step {
        if self.fault == Fault::SnapshotBeforeTakeOut && early.is_none() {
            return Step::TakeOut(Some(world.snapshot(0)));
        }
        let from = world.from();
        world.pending_min = NONE;
        match self.fault {
            Fault::GapInTakeOut => return Step::Lower(from),
            Fault::LoweredAtTheEnd => {}
            _ => world.cursor = from,
        }
        match early {
            Some(seen) => {
                let left = seen.into_iter().filter(|job| *job >= from).collect();
                Step::Publish(Walk { left, next: from, stopped: false })
            }
            None => Step::Snapshot(from),
        }
    }

    fn publish(&self, world: &mut World, session: usize, mut walk: Walk) -> Step {
        if walk.left.is_empty() {
            self.set_cursor(world, session, &walk);
            return Step::Idle;
        }
        let job = walk.left.remove(0);
        if world.jobs[job].claimed {
            walk.pass(job);
        } else if world.key_busy(job) {
            self.not_taken(&mut walk, job);
        } else {
            world.jobs[job].claimed = true;
            return Step::LookAgain(job, walk);
        }
        Step::Publish(walk)
    }

    fn look_again(&self, world: &mut World, session: usize, job: usize, mut walk: Walk) -> Step {
        let Job { row, locked, .. } = world.jobs[job];
        if row == Row::There && !locked {
            walk.pass(job);
            while !walk.left.is_empty() && self.fault == Fault::PassesNotTaken {
                walk.pass(walk.left[0]);
                walk.left.remove(0);
            }
            self.set_cursor(world, session, &walk);
            return Step::Holds(job);
        }
        self.not_taken(&mut walk, job);
        world.jobs[job].claimed = false;
        if self.fault != Fault::DropLowersNothing {
            world.lower(self.fault, job);
        }
        Step::Publish(walk)
    }

    fn not_taken(&self, walk: &mut Walk, job: usize) {
        if self.fault == Fault::PassesNotTaken {
            walk.pass(job);
        } else {
            walk.stopped = true;
        }
    }

    /// Only the refiller writes the cursor, and with that its turn is over.
    fn set_cursor(&self, world: &mut World, session: usize, walk: &Walk) {
        if world.sessions[session].refills {
            world.cursor = walk.next;
            world.sessions[session].refills = false;
        }
    }

    /// The claim goes first, so that whoever finds `pending_min` lowered finds the job free.
    pub(super) fn begin_to_give_back(&self, world: &mut World, job: usize) -> Step {
        self.give_back(world, job, self.fault == Fault::LoweredBeforeClaimGoes);
        Step::GivesBack(job)
    }

    /// One half of giving a job back.
    fn give_back(&self, world: &mut World, job: usize, lower: bool) {
        if lower {
            world.lower(self.fault, job);
        } else {
            world.jobs[job].claimed = false;
        }
    }

    pub(super) fn dequeue(&self, world: &mut World, session: usize) {
        let refills = self.fault == Fault::TwoRefillers || !world.sessions.iter().any(|other| other.refills);
        let step = if refills { Step::TakeOut(None) } else { Step::Snapshot(world.from()) };
        let claims_left = world.sessions[session].claims_left - 1;
        world.sessions[session] = Session { step, refills, claims_left };
    }

    pub(super) fn fail(&self, world: &mut World, session: usize) {
        world.sessions[session].refills = false;
        world.sessions[session].step = match world.sessions[session].step {
            Step::LookAgain(job, _) => self.begin_to_give_back(world, job),
            _ => Step::Idle,
        };
    }
}

impl Walk {
    fn pass(&mut self, job: usize) {
        if !self.stopped {
            self.next = job + 1;
        }
    }
}
