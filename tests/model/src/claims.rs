//! The claim table: `core/src/claims` without its memory layout. Every method is one hold of the leaf lock.

/// Whoever holds claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Worker {
    /// A database session.
    Session(usize),
    /// A uuid of the caller's.
    Named(u8),
}

/// One claim on one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Claim {
    /// Never given twice.
    pub number: u8,
    /// Who holds it.
    pub worker: Worker,
    /// Which attempt at the job this is.
    pub attempt: u8,
    /// The session whose open transaction made it.
    pub opened_by: Option<usize>,
    /// The session in whose open transaction it is being ended.
    pub ending_by: Option<usize>,
    /// Its session has ended: the database worker releases it.
    pub lost: bool,
}

/// Why a claim cannot be ended by this caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotHeld {
    /// Nobody holds it, somebody else does, or in another attempt.
    Gone,
    /// The caller's own transaction has ended it already.
    EndedHere,
    /// Another open transaction is ending it.
    Ending,
}

/// The claim table and what is counted with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claims {
    /// The last number given to a claim.
    last: u8,
    jobs: Vec<Option<Claim>>,
    /// How many claims there may be; all jobs are of one entrypoint.
    limit: usize,
    /// Whether all jobs have the same ordering key.
    one_key: bool,
}

impl Claims {
    /// An empty table.
    pub fn new(jobs: usize, limit: usize, one_key: bool) -> Self {
        Self { last: 0, jobs: vec![None; jobs], limit, one_key }
    }

    /// The claim on a job.
    pub fn claim(&self, job: usize) -> Option<Claim> {
        self.jobs[job]
    }

    /// All claims with their jobs.
    pub fn all(&self) -> impl Iterator<Item = (usize, Claim)> {
        self.jobs.iter().enumerate().filter_map(|(job, claim)| Some((job, (*claim)?)))
    }

    /// Whether a claim on the job would be made.
    pub fn may_publish(&self, job: usize) -> bool {
        let most = if self.one_key { 1 } else { self.limit };
        self.jobs[job].is_none() && self.all().count() < most
    }

    /// Makes a claim and returns its number. Judging and entering are one step.
    pub fn publish(&mut self, job: usize, worker: Worker, attempt: u8, session: usize) -> Option<u8> {
        self.may_publish(job).then(|| self.enter(job, worker, attempt, session))
    }

    /// Enters a claim that has been judged.
    pub fn enter(&mut self, job: usize, worker: Worker, attempt: u8, session: usize) -> u8 {
        self.last += 1;
        let number = self.last;
        let opened_by = Some(session);
        self.jobs[job] = Some(Claim { number, worker, attempt, opened_by, ending_by: None, lost: false });
        number
    }

    /// The fence: begins the end of a claim of `worker` in that attempt.
    ///
    /// # Errors
    /// [`NotHeld`]; nothing has changed then.
    pub fn begin_end(
        &mut self,
        job: usize,
        worker: Worker,
        attempt: Option<u8>,
        session: usize,
    ) -> Result<u8, NotHeld> {
        let claim = self.jobs[job].as_mut().filter(|claim| claim.worker == worker).ok_or(NotHeld::Gone)?;
        let open_elsewhere = claim.opened_by.is_some_and(|by| by != session);
        if open_elsewhere || attempt.is_some_and(|attempt| attempt != claim.attempt) {
            return Err(NotHeld::Gone);
        }
        match claim.ending_by {
            None => {
                claim.ending_by = Some(session);
                Ok(claim.number)
            }
            Some(by) if by == session => Err(NotHeld::EndedHere),
            Some(_) => Err(NotHeld::Ending),
        }
    }

    /// The database worker begins to release a claim whose lease has run out or whose session is gone.
    /// Never one whose making or ending is in flight, unless `at_any_time`.
    pub fn begin_release(&mut self, job: usize, session: usize, at_any_time: bool) -> Option<u8> {
        let claim = self.jobs[job].as_mut()?;
        let expired = matches!(claim.worker, Worker::Named(_)) || claim.lost;
        let in_flight = claim.opened_by.is_some() || (claim.ending_by.is_some() && !at_any_time);
        if !expired || in_flight {
            return None;
        }
        claim.ending_by = Some(session);
        Some(claim.number)
    }

    /// The transaction that was ending the claim has not done so.
    pub fn forget_end(&mut self, job: usize, number: u8) {
        self.numbered(job, number, |claim| claim.ending_by = None);
    }

    /// The transaction that made the claim has committed.
    pub fn keep(&mut self, job: usize, number: u8) {
        self.numbered(job, number, |claim| claim.opened_by = None);
    }

    /// The claim is over, or did not come about: whoever looks sees the job as free.
    pub fn end(&mut self, job: usize, number: u8) {
        if self.jobs[job].is_some_and(|claim| claim.number == number) {
            self.jobs[job] = None;
        }
    }

    /// The worker's session is gone: its claims wait for the database worker, or end at once where there is none.
    pub fn lose_all_of(&mut self, worker: Worker, to_database_worker: bool) {
        for claim in self.jobs.iter_mut().filter(|claim| claim.is_some_and(|claim| claim.worker == worker)) {
            *claim = claim.filter(|_| to_database_worker).map(|claim| Claim { lost: true, ..claim });
        }
    }

    fn numbered(&mut self, job: usize, number: u8, change: impl FnOnce(&mut Claim)) {
        if let Some(claim) = self.jobs[job].as_mut().filter(|claim| claim.number == number) {
            change(claim);
        }
    }
}
