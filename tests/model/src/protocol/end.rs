//! Complete, retry, release: `src/job/fence.rs`, `src/job/finish.rs`, `src/job/fail.rs`, `src/job/release.rs`.

use super::{Call, Held, Protocol, Step, World};
use crate::claims::NotHeld;
use crate::fault::Fault;
use crate::notes::Deed;
use crate::row::{Content, Touch};

impl Protocol {
    /// May this worker end the claim? An end in flight is waited for: only when it is decided there is an answer.
    pub(super) fn fence(&self, world: &mut World, session: usize, call: Call, job: usize, attempt: u8) -> Option<Step> {
        let worker = self.cast[session].worker;
        let asked = Some(attempt).filter(|_| self.fault != Fault::AttemptIgnored);
        match world.claims.begin_end(job, worker, asked, session) {
            Ok(number) => Some(self.begin(world, session, call, job, attempt, number)),
            Err(NotHeld::Ending) if self.fault == Fault::WaitsForRowOnly => {
                Some(Step::Contested { call, job, attempt })
            }
            Err(NotHeld::Ending) => None,
            Err(NotHeld::EndedHere) => Some(Step::Idle),
            Err(NotHeld::Gone) => Some(self.refuse(world, session, job, attempt)),
        }
    }

    /// With a fault: the row is locked, so whoever was ending the claim has ended, and this is taken for decided.
    pub(super) fn contested(
        &self,
        world: &mut World,
        session: usize,
        call: Call,
        job: usize,
        attempt: u8,
    ) -> Option<Step> {
        let level = world.sessions[session].level;
        let row = &mut world.rows[job];
        if !row.free_for(session) {
            return None;
        }
        if row.seen_by(session).is_some() {
            row.touch(session, level, Touch::Lock);
            if let Ok(number) = world.claims.begin_end(job, self.cast[session].worker, Some(attempt), session) {
                return Some(self.begin(world, session, call, job, attempt, number));
            }
        }
        Some(self.refuse(world, session, job, attempt))
    }

    fn begin(&self, world: &mut World, session: usize, call: Call, job: usize, attempt: u8, number: u8) -> Step {
        let me = &mut world.sessions[session];
        me.notes.note(Deed::Ending, job, number, me.level);
        if self.fault == Fault::EndNotMarked {
            world.claims.forget_end(job, number);
        }
        if call != Call::Release {
            return Step::Change { call, job, attempt, number };
        }
        if self.fault == Fault::EndsAtOnce {
            world.claims.end(job, number);
        }
        Step::Idle
    }

    /// Deletes or updates the row where it still says what was claimed. Waits for the row's lock.
    pub(super) fn change(
        &self,
        world: &mut World,
        session: usize,
        call: Call,
        job: usize,
        attempt: u8,
        number: u8,
    ) -> Option<Step> {
        if !world.rows[job].free_for(session) {
            return None;
        }
        let claimed = world.claims.claim(job).filter(|claim| claim.number == number).map(|claim| claim.attempt);
        let content = world.rows[job].seen_by(session).filter(|content| Some(content.attempts) == claimed);
        let Some(content) = content else {
            world.claims.forget_end(job, number);
            world.sessions[session].notes.strike(Deed::Ending, job, number);
            return Some(self.refuse(world, session, job, attempt));
        };
        world.ended_without_claim |= self.held_by(world, session, job, attempt).is_none();
        let next = Content { attempts: content.attempts + 1, due: call == Call::Retry, ..content };
        let next = Some(next).filter(|_| call != Call::Complete);
        let level = world.sessions[session].level;
        world.rows[job].touch(session, level, Touch::Write(next));
        if self.fault == Fault::EndsAtOnce {
            world.claims.end(job, number);
        }
        Some(Step::Idle)
    }

    /// The answer `false`. What the own transaction has done to the row is no surprise to the caller.
    fn refuse(&self, world: &mut World, session: usize, job: usize, attempt: u8) -> Step {
        let held = self.held_by(world, session, job, attempt).map(|held| held.number);
        let surprised = held.filter(|_| world.rows[job].written_by(session).is_none());
        world.refused.extend(surprised.filter(|number| !world.refused.contains(number)));
        world.refused.sort_unstable();
        Step::Idle
    }

    /// What the caller's worker holds of the job in that attempt, as far as the caller can know: a claim that another
    /// open transaction has made is nobody else's yet.
    fn held_by<'a>(&self, world: &'a World, session: usize, job: usize, attempt: u8) -> Option<&'a Held> {
        world.held.iter().find(|held| {
            let known = held.level == 0 || held.session == session;
            (held.job, held.worker, held.attempt) == (job, self.cast[session].worker, attempt) && known
        })
    }
}
