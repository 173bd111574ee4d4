//! Transactions and the session's end: `src/shmem/transaction.rs`, `src/shmem/session.rs`.
//!
//! A commit and an abort are two steps: what they do to the rows is visible first, the callback runs second.

use super::{Call, Protocol, Step, World};
use crate::claims::Worker;
use crate::fault::Fault;
use crate::notes::Deed;

impl Protocol {
    /// `COMMIT`: the rows' changes become visible. Of a subtransaction: everything is the parent's.
    pub(super) fn commit(&self, world: &mut World, session: usize) {
        let level = world.sessions[session].level;
        if level > 1 {
            world.rows.iter_mut().for_each(|row| row.hand_up(session, level));
            world.sessions[session].notes.hand_up(level);
            let own = world.held.iter_mut().filter(|held| held.session == session);
            own.for_each(|held| held.level = held.level.min(level - 1));
            world.sessions[session].level = level - 1;
            return;
        }
        let World { rows, sessions, held, .. } = world;
        let notes = &sessions[session].notes;
        let mut over: Vec<u8> = vec![];
        for note in notes.iter().filter(|note| note.deed != Deed::Claimed) {
            let by_worker = note.deed == Deed::Ending && !self.cast[session].calls.contains(&Call::Sweep);
            let changed = rows[note.job].written_by(session).is_some();
            world.ended_without_claim |= by_worker && changed && !held.iter().any(|held| held.number == note.number);
            over.push(note.number);
        }
        held.retain(|held| !over.contains(&held.number));
        rows.iter_mut().for_each(|row| row.commit(session));
        sessions[session].step = Step::Committed;
    }

    /// `SAVEPOINT`.
    pub(super) fn savepoint(world: &mut World, session: usize) {
        let me = &mut world.sessions[session];
        me.savepoints_left -= 1;
        me.level = 2;
    }

    /// The transaction, or its subtransaction, is aborted: the rows' changes are gone.
    pub(super) fn abort(world: &mut World, session: usize, level: u8, leaving: bool) {
        world.rows.iter_mut().for_each(|row| row.abort(session, level));
        world.held.retain(|held| held.session != session || held.level < level);
        world.sessions[session].step = Step::Aborted { level, leaving };
    }

    /// The session ends: its open transaction is aborted first.
    pub(super) fn leave(&self, world: &mut World, session: usize) {
        let open = world.sessions[session].level > 0;
        if !open || self.fault == Fault::ExitBeforeAbort {
            Self::forget_session(world, session);
            world.sessions[session].step = Step::Exiting { aborted: !open };
        } else {
            Self::abort(world, session, 1, true);
            Self::forget_session(world, session);
        }
    }

    /// The claims that a session holds outside of an open transaction are nobody's when it is gone.
    fn forget_session(world: &mut World, session: usize) {
        world.held.retain(|held| held.worker != Worker::Session(session) || held.level > 0);
    }

    /// The callback that is due.
    pub(super) fn callback(&self, world: &mut World, session: usize) -> Step {
        let me = &mut world.sessions[session];
        match me.step {
            Step::Committed => {
                me.notes.carry_out(&mut world.claims);
                me.level = 0;
                // The client is told now that its claims stand.
                world.held.iter_mut().filter(|held| held.session == session).for_each(|held| held.level = 0);
                Step::Idle
            }
            Step::Aborted { level: 2, .. } => {
                match self.fault {
                    Fault::SubabortForgotten => me.notes.hand_up(2),
                    _ => me.notes.undo(&mut world.claims, 2),
                }
                me.level = 1;
                Step::Idle
            }
            Step::Aborted { leaving, .. } => {
                me.notes.undo(&mut world.claims, 1);
                me.level = 0;
                match (leaving, self.fault) {
                    (true, Fault::ExitBeforeAbort) => Step::Gone,
                    (true, _) => Step::Exiting { aborted: true },
                    (false, _) => Step::Idle,
                }
            }
            Step::Exiting { aborted } => {
                let sweeper = self.cast.iter().any(|cast| cast.calls.contains(&Call::Sweep));
                world.claims.lose_all_of(Worker::Session(session), sweeper);
                if aborted { Step::Gone } else { Step::ExitedFirst }
            }
            Step::ExitedFirst => {
                Self::abort(world, session, 1, true);
                Step::Aborted { level: 1, leaving: true }
            }
            _ => me.step.clone(),
        }
    }
}
