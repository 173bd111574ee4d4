//! A named worker: it survives the server, and asks for what it believes to hold.

use super::{Claim, Client, End, Restart, Step, World, Writer};
use crate::fault::Fault;

impl Restart {
    /// One step of a client's session. `None` while it waits.
    pub(super) fn go(&self, world: &mut World, number: usize) -> Option<()> {
        let Client { step, believes, .. } = world.clients[number];
        world.clients[number].step = match step {
            Step::Idle => return None,
            Step::Dequeue => {
                if self.fault != Fault::LoadedInOwnTime {
                    world.load(self.fault);
                }
                match (world.memory.claim, world.row) {
                    (None, Some(attempt)) => {
                        let claim = Claim { worker: number, attempt, ending: false, written: false };
                        world.memory.claim = Some(claim);
                        Step::LookAgain
                    }
                    _ => Step::Idle,
                }
            }
            Step::LookAgain => {
                let attempt = world.memory.claim.map(|claim| claim.attempt);
                if world.row.is_some() && world.row == attempt && !world.locked() {
                    world.clients[number].believes = attempt;
                    world.wronged |= world.kept.is_some();
                } else {
                    world.memory.claim = None;
                }
                Step::Idle
            }
            Step::Fence(end) => {
                world.load(self.fault);
                let own = |claim: &&mut Claim| claim.worker == number && Some(claim.attempt) == believes;
                match world.memory.claim.as_mut().filter(own) {
                    Some(claim) if claim.ending => return None,
                    Some(claim) => {
                        claim.ending = true;
                        Step::Change(end)
                    }
                    None => {
                        world.clients[number].believes = None;
                        world.wronged |= world.kept == Some(number);
                        Step::Idle
                    }
                }
            }
            Step::Change(end) => self.change(world, number, end)?,
            Step::Callback => {
                world.memory.claim = None;
                Step::Idle
            }
        };
        Some(())
    }

    /// Changes the row and commits.
    fn change(&self, world: &mut World, number: usize, end: End) -> Option<Step> {
        let claim = world.memory.claim?;
        match end {
            End::Release => {
                let strikes = claim.written && self.fault != Fault::ReleaseLeavesReceipt;
                if strikes && matches!(world.writer, Writer::Inserting(_)) {
                    return None;
                }
                world.receipt = world.receipt.filter(|_| !strikes);
            }
            End::Complete | End::Retry if world.locked() => return None,
            End::Complete | End::Retry if world.row != Some(claim.attempt) => {
                world.memory.claim = Some(Claim { ending: false, ..claim });
                world.clients[number].believes = None;
                return Some(Step::Idle);
            }
            End::Complete => world.row = None,
            End::Retry => world.row = world.row.map(|attempts| attempts + 1),
        }
        world.clients[number].believes = None;
        world.kept = None;
        Some(Step::Callback)
    }
}
