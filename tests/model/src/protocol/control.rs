//! Everybody who changes rows without holding the job: `src/control`, `sql/query/enqueue_replace.sql`, and the database
//! worker, which releases lost claims. The row's lock first, the claims second.

use super::{Call, Protocol, Step, World};
use crate::fault::Fault;
use crate::notes::Deed;
use crate::row::{Content, Touch};

impl Protocol {
    pub(super) fn lock_or_look(&self, world: &World, call: Call, job: usize) -> Step {
        let look = self.fault == Fault::ClaimsBeforeRow;
        Step::Lock { call, job, seen: look.then(|| world.claims.claim(job).map(|claim| claim.number)) }
    }

    /// Locks the row. Only the database worker does not wait: it comes again.
    pub(super) fn lock(
        world: &mut World,
        session: usize,
        call: Call,
        job: usize,
        seen: Option<Option<u8>>,
    ) -> Option<Step> {
        let level = world.sessions[session].level;
        let row = &mut world.rows[job];
        if !row.free_for(session) {
            return (call == Call::Sweep).then_some(Step::Idle);
        }
        if row.seen_by(session).is_none() {
            return Some(Step::Idle);
        }
        row.touch(session, level, Touch::Lock);
        Some(if call == Call::LockRow { Step::Idle } else { Step::LookWhoHolds { call, job, seen } })
    }

    /// Looks who holds the job, and acts.
    pub(super) fn act(
        &self,
        world: &mut World,
        session: usize,
        call: Call,
        job: usize,
        seen: Option<Option<u8>>,
    ) -> Step {
        let claim = seen.unwrap_or_else(|| world.claims.claim(job).map(|claim| claim.number));
        let level = world.sessions[session].level;
        let Some(content) = world.rows[job].seen_by(session) else { return Step::Idle };
        let written = match call {
            Call::Cancel => {
                if let Some(number) = claim {
                    world.sessions[session].notes.note(Deed::Removing, job, number, level);
                }
                Some(None)
            }
            Call::Replace if claim.is_none() => Some(Some(Content { payload: content.payload + 1, ..content })),
            Call::Reschedule if claim.is_none() => Some(Some(Content { due: false, ..content })),
            Call::Sweep => {
                let begun = world.claims.begin_release(job, session, self.fault == Fault::ExpiresWhileEnding);
                begun.map(|number| {
                    world.sessions[session].notes.note(Deed::Ending, job, number, level);
                    Some(Content { attempts: content.attempts + 1, ..content })
                })
            }
            _ => None,
        };
        if let Some(content) = written {
            world.rows[job].touch(session, level, Touch::Write(content));
        }
        Step::Idle
    }
}
