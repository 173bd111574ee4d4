//! Dequeue: `src/job/candidate.rs`, `src/job/dequeue.rs`.

use super::{Held, Protocol, Step, World};
use crate::fault::Fault;
use crate::notes::Deed;
use crate::row::{Content, Touch};

/// A job that a snapshot showed as claimable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Candidate {
    pub(crate) job: usize,
    pub(crate) content: Content,
}

/// A claim that has been published and whose row has not been looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Published {
    pub(crate) candidate: Candidate,
    pub(crate) number: u8,
}

impl Protocol {
    /// The head of the queue, as the newest snapshot shows it.
    pub(super) fn candidates(&self, world: &World, session: usize) -> Vec<Candidate> {
        let seen = world.rows.iter().enumerate().filter_map(|(job, row)| {
            let content =
                row.seen_by(session).filter(|content| content.due && self.first_of_key(world, session, job))?;
            let passed_over = self.fault == Fault::LookBeforePublish && row.touched_for(session);
            (!passed_over).then_some(Candidate { job, content })
        });
        seen.collect()
    }

    /// Of one ordering key only the lowest id may go, deferred or not.
    fn first_of_key(&self, world: &World, session: usize, job: usize) -> bool {
        !self.one_key || world.rows[..job].iter().all(|row| row.seen_by(session).is_none())
    }

    /// Publishes a claim on the next candidate, if there is one.
    pub(super) fn publish(
        &self,
        world: &mut World,
        session: usize,
        mut left: Vec<Candidate>,
        published: Vec<Published>,
    ) -> Step {
        let Some(candidate) = left.first().copied() else { return self.published(world, session, published) };
        let worker = self.cast[session].worker;
        let (job, attempt) = (candidate.job, candidate.content.attempts);
        match self.fault {
            Fault::CountedApart if world.claims.may_publish(job) => Step::Half { number: None, left, published },
            Fault::NotedAfterwards => match world.claims.publish(job, worker, attempt, session) {
                Some(number) => Step::Half { number: Some(number), left, published },
                None => Step::Publish { left: left.split_off(1), published },
            },
            _ => {
                let number = world.claims.publish(job, worker, attempt, session);
                Self::note_claim(world, session, number, left, published)
            }
        }
    }

    /// With a fault: what should have been part of the publication.
    pub(super) fn other_half(
        &self,
        world: &mut World,
        session: usize,
        number: Option<u8>,
        left: Vec<Candidate>,
        published: Vec<Published>,
    ) -> Step {
        let Candidate { job, content } = left[0];
        let worker = self.cast[session].worker;
        let free = world.claims.claim(job).is_none();
        let number = number.or_else(|| free.then(|| world.claims.enter(job, worker, content.attempts, session)));
        Self::note_claim(world, session, number, left, published)
    }

    fn note_claim(
        world: &mut World,
        session: usize,
        number: Option<u8>,
        mut left: Vec<Candidate>,
        mut published: Vec<Published>,
    ) -> Step {
        let candidate = left.remove(0);
        if let Some(number) = number {
            let me = &mut world.sessions[session];
            me.notes.note(Deed::Claimed, candidate.job, number, me.level);
            published.push(Published { candidate, number });
        }
        Step::Publish { left, published }
    }

    fn published(&self, world: &mut World, session: usize, published: Vec<Published>) -> Step {
        if self.fault == Fault::LookBeforePublish {
            published.iter().for_each(|claim| self.hand_out(world, session, claim, claim.candidate.content));
            return Step::Idle;
        }
        if published.is_empty() { Step::Idle } else { Step::LookAgain { published, unlocked: None } }
    }

    /// One snapshot, newer than the claims: hands out what still holds and drops the other claims. Where rows were
    /// touched and nobody has asked whether they can be locked, it hands out nothing.
    pub(super) fn look_again(
        &self,
        world: &mut World,
        session: usize,
        published: Vec<Published>,
        unlocked: Option<Vec<usize>>,
    ) -> Step {
        let touched = |world: &World, job: usize| {
            let row = &world.rows[job];
            self.fault != Fault::LockedRowTaken && row.seen_by(session).is_some() && row.touched_for(session)
        };
        if unlocked.is_none() && published.iter().any(|claim| touched(world, claim.candidate.job)) {
            return Step::Unlock { published };
        }
        let unlocked = unlocked.unwrap_or_default();
        for claim in &published {
            let job = claim.candidate.job;
            let passed_over = touched(world, job) && !unlocked.contains(&job);
            match world.rows[job].seen_by(session).filter(|content| self.still_holds(world, session, claim, content)) {
                Some(content) if !passed_over => self.hand_out(world, session, claim, content),
                _ => {
                    world.claims.end(job, claim.number);
                    world.sessions[session].notes.strike(Deed::Claimed, job, claim.number);
                }
            }
        }
        Step::Idle
    }

    /// Judges everything again.
    fn still_holds(&self, world: &World, session: usize, claim: &Published, content: &Content) -> bool {
        let Candidate { job, content: before } = claim.candidate;
        let as_claimed = content.attempts == before.attempts && self.first_of_key(world, session, job);
        self.fault == Fault::RowThereIsEnough || (content.due && as_claimed)
    }

    /// `FOR UPDATE SKIP LOCKED` of the rows that were touched.
    pub(super) fn unlock(world: &mut World, session: usize, published: Vec<Published>) -> Step {
        let level = world.sessions[session].level;
        let mut unlocked = vec![];
        for job in published.iter().map(|claim| claim.candidate.job) {
            let row = &mut world.rows[job];
            if row.seen_by(session).is_some() && row.touched_for(session) && row.free_for(session) {
                row.touch(session, level, Touch::Lock);
                unlocked.push(job);
            }
        }
        Step::LookAgain { published, unlocked: Some(unlocked) }
    }

    fn hand_out(&self, world: &mut World, session: usize, claim: &Published, content: Content) {
        let (job, number, worker) = (claim.candidate.job, claim.number, self.cast[session].worker);
        let Content { payload, attempts: attempt, .. } = content;
        let level = world.sessions[session].level;
        world.held.push(Held { job, worker, number, attempt, payload, session, level });
        world.held.sort_by_key(|held| held.number);
        if !world.handed_out.contains(&(worker, job, attempt)) {
            world.handed_out.push((worker, job, attempt));
            world.handed_out.sort_unstable();
        }
    }
}
