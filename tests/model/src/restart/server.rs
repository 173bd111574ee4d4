//! The server's side: loading, the crash, the database worker, an operator.

use super::{Claim, Memory, Operator, Receipt, Restart, Step, World, Writer};
use crate::fault::Fault;

impl World {
    /// The first call of a life loads the receipts, under a lock: it is one step for everybody else.
    pub(super) fn load(&mut self, fault: Fault) {
        if self.memory.loaded {
            return;
        }
        self.memory.loaded = true;
        let good = |receipt: &Receipt| match self.row {
            Some(attempts) => fault == Fault::ReceiptNotCompared || attempts == receipt.attempt,
            None => false,
        };
        if let Some(Receipt { worker, attempt }) = self.receipt.filter(good) {
            let written = fault != Fault::LoadedUnmarked;
            self.memory.claim = Some(Claim { worker, attempt, ending: false, written });
        }
    }

    pub(super) fn crash(&mut self) {
        self.crashes_left -= 1;
        self.memory = Memory { loaded: false, claim: None };
        self.clients.iter_mut().for_each(|client| client.step = Step::Idle);
        self.writer = Writer::Idle;
        self.operator = if self.operator == Operator::Locked { Operator::Idle } else { self.operator };
        let good = self.receipt.filter(|receipt| {
            self.row == Some(receipt.attempt) && self.clients[receipt.worker].believes == Some(receipt.attempt)
        });
        self.kept = good.map(|receipt| receipt.worker);
    }

    /// The database worker's abort undoes its marks.
    pub(super) fn writer_fails(&mut self) {
        if let Some(claim) = &mut self.memory.claim {
            claim.written &= !matches!(self.writer, Writer::Inserting(_));
            claim.ending &= self.writer != Writer::Sweeping;
        }
        self.writer = Writer::Idle;
    }
}

impl Restart {
    /// The database worker begins to write down a claim, or to strike out a receipt that no claim stands behind.
    pub(super) fn write(&self, world: &mut World) -> Option<()> {
        world.writes_left -= 1;
        if self.fault != Fault::WriterDoesNotLoad {
            world.load(self.fault);
        }
        let open = world.open() && self.fault != Fault::OpenClaimWritten;
        world.writer = match (world.memory.claim, world.receipt) {
            (Some(claim), _) if !claim.ending && !claim.written && !open => {
                let written = self.fault != Fault::MarkedAfterWriting;
                world.memory.claim = Some(Claim { written, ..claim });
                Writer::Inserting(Receipt { worker: claim.worker, attempt: claim.attempt })
            }
            (claim, Some(receipt)) if !claim.is_some_and(|claim| receipt.stands_for(&claim)) => Writer::Striking,
            _ => return None,
        };
        Some(())
    }

    /// The database worker begins to release the claim: the row's lock first, without waiting, the claim second.
    pub(super) fn sweep(&self, world: &mut World) -> Option<()> {
        world.sweeps_left -= 1;
        world.load(self.fault);
        if world.locked() || world.row.is_none() || world.open() {
            return None;
        }
        let claim = world.memory.claim.as_mut().filter(|claim| !claim.ending)?;
        claim.ending = true;
        world.writer = Writer::Sweeping;
        Some(())
    }

    pub(super) fn writer_goes(world: &mut World) {
        world.writer = match world.writer {
            Writer::Inserting(receipt) => {
                world.receipt = Some(receipt);
                world.memory.claim = world.memory.claim.map(|claim| {
                    let written = claim.written || receipt.stands_for(&claim);
                    Claim { written, ..claim }
                });
                Writer::Idle
            }
            Writer::Striking => {
                world.receipt = None;
                Writer::Idle
            }
            Writer::Sweeping => {
                world.row = world.row.map(|attempts| attempts + 1);
                world.kept = None;
                Writer::Swept
            }
            Writer::Swept => {
                world.memory.claim = None;
                Writer::Idle
            }
            Writer::Idle => Writer::Idle,
        };
    }

    /// Deletes the job if nobody holds it: locks the row, then looks.
    pub(super) fn delete(&self, world: &mut World) -> Option<()> {
        if world.operator == Operator::Idle {
            if world.locked() || world.row.is_none() {
                return None;
            }
            world.operator = Operator::Locked;
            return Some(());
        }
        if self.fault != Fault::OperatorDoesNotLoad {
            world.load(self.fault);
        }
        world.operator = Operator::Done;
        if world.memory.claim.is_none() {
            world.row = None;
            world.wronged |= world.kept.is_some();
        }
        Some(())
    }
}

impl Receipt {
    fn stands_for(&self, claim: &Claim) -> bool {
        (self.worker, self.attempt) == (claim.worker, claim.attempt)
    }
}
