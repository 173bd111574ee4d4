//! What must hold, in every state that can be reached; and what must be reachable, so that it says something.

use super::{Call, Held, Protocol, Step, World};
use crate::claims::Claim;
use crate::notes::{Deed, Note};
use stateright::Property;

/// A job is handed out to one worker at a time.
pub const ONE_HOLDER: &str = "no job has two holders";
/// After its end is visible a job is nobody's.
pub const ENDED_IS_OVER: &str = "no job is held whose end is visible";
/// The worker runs what the row says: no replaced payload, no old attempt, nothing that was deferred.
pub const HELD_AS_WRITTEN: &str = "what is held is what the row says";
/// As many as the limit allows, not one more.
pub const WITHIN_LIMIT: &str = "no limit is exceeded";
/// One at a time and in order.
pub const KEY_IN_ORDER: &str = "of an ordering key one job is held, the first";
/// The fence.
pub const FENCED: &str = "an end takes effect only for who holds the job";
/// The fence's other side: `false` means that the job is not the caller's.
pub const NOT_REFUSED: &str = "who was refused does not hold the job";
/// No claim goes away under the transaction that has made it or is ending it.
pub const NOTES_STAND: &str = "what an open transaction has noted is in the table";
/// No claim is left behind, none is missing.
pub const NOTHING_LEFT: &str = "at rest the table says exactly what is held";

type Condition = fn(&Protocol, &World) -> bool;

impl Protocol {
    pub(super) fn truths(&self) -> Vec<Property<Self>> {
        let always: [(&'static str, Condition); 9] = [
            (ONE_HOLDER, |model, world| (0..model.jobs).all(|job| holders(world, job) <= 1)),
            (ENDED_IS_OVER, |_, world| world.held.iter().all(|held| world.rows[held.job].committed().is_some())),
            (HELD_AS_WRITTEN, |_, world| world.held.iter().all(|held| is_as_written(world, held))),
            (WITHIN_LIMIT, |model, world| world.held.len() <= model.limit),
            (KEY_IN_ORDER, |model, world| !model.one_key || key_in_order(world)),
            (FENCED, |_, world| !world.ended_without_claim),
            (NOT_REFUSED, |_, world| {
                !at_rest(world) || !world.held.iter().any(|held| world.refused.contains(&held.number))
            }),
            (NOTES_STAND, |_, world| world.sessions.iter().all(|me| me.notes.iter().all(|note| stands(world, note)))),
            (NOTHING_LEFT, |_, world| !at_rest(world) || nothing_left(world)),
        ];
        let always = always.map(|(name, condition)| Property::always(name, condition));
        let sometimes = self.reachable().into_iter().map(|(name, condition)| Property::sometimes(name, condition));
        always.into_iter().chain(sometimes).collect()
    }

    fn reachable(&self) -> Vec<(&'static str, Condition)> {
        let has = |calls: &[Call]| self.cast.iter().any(|cast| cast.calls.iter().any(|call| calls.contains(call)));
        let several = self.jobs > 1 && self.limit > 1 && !self.one_key;
        let all: [(bool, &'static str, Condition); 6] = [
            (several, "two jobs are held", |_, world| world.held.len() > 1),
            (has(&[Call::Retry, Call::Sweep]), "a second attempt is held", |_, world| {
                world.held.iter().any(|held| held.attempt > 0)
            }),
            (has(&[Call::Replace]), "what a replace wrote is held", |_, world| {
                world.held.iter().any(|held| held.payload > 0)
            }),
            (has(&[Call::Complete, Call::Cancel]), "a job is gone", |_, world| {
                world.rows.iter().any(|row| row.committed().is_none())
            }),
            (has(&[Call::Cancel]), "a session waits for a row", |_, world| {
                (0..world.sessions.len()).any(|session| waits(world, session))
            }),
            (has(&[Call::Sweep]) && self.cast.iter().any(|cast| cast.leaves), "a claim is lost", |_, world| {
                world.claims.all().any(|(_, claim)| claim.lost)
            }),
        ];
        all.into_iter().filter(|(can, ..)| *can).map(|(_, name, condition)| (name, condition)).collect()
    }
}

fn at_rest(world: &World) -> bool {
    world.sessions.iter().all(|session| session.at_rest())
}

fn holders(world: &World, job: usize) -> usize {
    world.held.iter().filter(|held| held.job == job).count()
}

/// A row that the holder's own transaction has written may say what that transaction wrote.
fn is_as_written(world: &World, held: &Held) -> bool {
    let row = &world.rows[held.job];
    let versions = row.committed().into_iter().chain(row.all_written_by(held.session).flatten());
    versions
        .filter(|content| content.due)
        .any(|content| (content.payload, content.attempts) == (held.payload, held.attempt))
}

/// Those before the one that is held have ended, or its own transaction has ended them.
fn key_in_order(world: &World) -> bool {
    let ended = |job: usize, by: usize| {
        let row = &world.rows[job];
        row.committed().is_none() || row.seen_by(by).is_none()
    };
    world.held.len() <= 1 && world.held.iter().all(|held| (0..held.job).all(|job| ended(job, held.session)))
}

fn stands(world: &World, note: &Note) -> bool {
    let there = world.claims.claim(note.job).is_some_and(|claim| claim.number == note.number);
    there || note.deed == Deed::Removing || world.rows[note.job].committed().is_none()
}

/// Claims and held jobs match one to one; what was lost waits for the database worker, and its job is there.
fn nothing_left(world: &World) -> bool {
    let held = |job: usize, claim: &Claim| {
        world.held.iter().any(|held| (held.job, held.number, held.worker) == (job, claim.number, claim.worker))
    };
    let settled = |job: usize, claim: &Claim| {
        let lost = claim.lost && world.rows[job].committed().is_some();
        claim.opened_by.is_none() && claim.ending_by.is_none() && (lost || held(job, claim))
    };
    let claimed = |held: &Held| world.claims.claim(held.job).is_some_and(|claim| claim.number == held.number);
    world.claims.all().all(|(job, claim)| settled(job, &claim)) && world.held.iter().all(claimed)
}

fn waits(world: &World, session: usize) -> bool {
    match &world.sessions[session].step {
        Step::Change { job, .. } | Step::Lock { job, .. } => !world.rows[*job].free_for(session),
        _ => false,
    }
}
