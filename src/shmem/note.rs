//! What a transaction notes of what it did, to be carried out when it commits.

use pgqueuer_core::claims::{JobKey, Outcome, QueueKey, Relation};

/// What was done.
#[derive(Clone, Copy)]
pub enum Deed {
    /// A claim was made.
    Claimed(JobKey, u64),
    /// The job has ended, or will run later.
    Ending(JobKey, u64, Outcome),
    /// The claim is given back, the job can be claimed as before.
    Freeing(JobKey, u64),
    /// Ends somebody else's claim by removing the job: there is nothing to undo.
    Removing(JobKey, u64),
    /// A job that nobody held has ended.
    Ended(JobKey),
    /// So many attempts or jobs of an entrypoint have ended, without a note that counts each.
    Counted(QueueKey, Outcome, u64),
    /// Jobs can be claimed.
    Arrived(Arrival),
    /// The first job of an ordering key has ended, and nobody held it.
    KeyFreed(QueueKey),
    /// The jobs of a table are gone (`table` 0: of a database), and with them the claims up to this number. The table
    /// is locked from then on: only this transaction itself can claim new jobs in it.
    Emptied(Relation, u64, Then),
    /// Anything may have happened to the jobs of a table.
    Stirred(Relation),
    /// Schedules were changed beside the jobs of a table.
    Rescheduled(Relation),
}

/// Jobs of one entrypoint that can be claimed once the transaction has committed.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// The entrypoint.
    pub queue: QueueKey,
    /// When the first of them may run.
    pub due: i64,
    /// When the last of them may run.
    pub last: i64,
    /// How many.
    pub jobs: u64,
    /// How many of them are new.
    pub enqueued: u64,
    /// Whether the database's worker tells those who LISTEN.
    pub notify: bool,
}

impl Arrival {
    /// Takes another one of the same kind in.
    pub fn merge(&mut self, other: &Self) -> bool {
        let same = self.queue == other.queue && self.notify == other.notify;
        if same {
            (self.due, self.last) = (self.due.min(other.due), self.last.max(other.last));
            self.jobs = self.jobs.saturating_add(other.jobs);
            self.enqueued += other.enqueued;
        }
        same
    }
}

/// What becomes of the workers of a table whose jobs are gone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The table stays: so do they.
    Keep,
    /// The table is gone: nobody can ever name them again.
    Forget,
}

/// One of them.
#[derive(Clone, Copy)]
pub struct Note {
    /// What was done.
    pub deed: Deed,
    /// The subtransaction, as deep as it is nested.
    pub level: i32,
}

impl Note {
    /// Whether only the callback of the transaction that made the note can carry it out.
    pub fn needs_callback(&self) -> bool {
        use Deed::{Claimed, Emptied, Ending, Freeing, Removing};
        matches!(self.deed, Claimed(..) | Ending(..) | Freeing(..) | Removing(..) | Emptied(..))
    }
}
