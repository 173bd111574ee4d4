//! A claim comes into being, or is refused with the reason.

use super::{
    Claim, Claims, JobKey, Name, OrderKey, Queue, QueueKey, Relation, Transaction, Worker, WorkerKey, WorkerKind,
    earlier,
};
use crate::rate::Window;
use crate::table::NONE;

/// At most so many claims in any stretch of `period` microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Claims.
    pub claims: u32,
    /// Microseconds, more than 0.
    pub period: i64,
}

/// A claim that somebody would like to make.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// The job.
    pub job: JobKey,
    /// Who wants it.
    pub worker: WorkerKey,
    /// The worker as it is to be remembered, if it is not known yet.
    pub as_worker: Worker,
    /// Which attempt at the job it would be.
    pub attempt: i32,
    /// The job's time of creation.
    pub created: i64,
    /// The job's place in its queue: priority and when it is due.
    pub priority: i32,
    /// See `priority`.
    pub due: i64,
    /// The time.
    pub now: i64,
    /// The session whose transaction makes the claim.
    pub session: u64,
    /// The entrypoint.
    pub queue: Name,
    /// Entrypoint and ordering key, or [`Name::NONE`].
    pub order: Name,
    /// How many claims the entrypoint may have at a time; 0 for any number.
    pub limit: u32,
    /// How many claims it may make over time.
    pub rate: Option<RateLimit>,
    /// How many claims the worker may hold.
    pub max_in_flight: Option<u32>,
}

/// Why there is no claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody holds the job.
    Taken,
    /// Claims on the job were rolled back again and again: it rests for a while.
    Resting,
    /// A job with the same ordering key is held.
    KeyBusy,
    /// The entrypoint has as many claims as its limit allows.
    LimitReached,
    /// The entrypoint's rate limit is spent.
    RateSpent,
    /// The worker holds as many as it asked to hold.
    WorkerFull,
    /// As many entrypoints as there is room for have made rate-limited claims within their periods.
    RatesFull,
    /// A table is full, or this database has its share of a table that is nearly full.
    TableFull,
}

impl Claims<'_> {
    /// Makes a claim and returns its number. From here on everybody who looks sees the job as held.
    ///
    /// # Errors
    /// The first [`Refusal`] that applies; nothing has changed then.
    pub fn publish(&mut self, request: &Request) -> Result<u64, Refusal> {
        let queue = QueueKey { relation: request.job.relation, name: request.queue };
        self.note_limit(request, &queue);
        self.judge(request, &queue)?;
        self.make_room(request, &queue)?;
        let counted_at = self.take_token(request, queue)?;
        self.boot.claims += 1;
        let number = self.boot.claims;
        self.enter(request, queue, number, counted_at).map_err(|_| Refusal::TableFull)?;
        if let Some(head) = self.heads.get_mut(&queue) {
            head.claims += 1;
        }
        if request.worker.kind == WorkerKind::Named {
            let ends = self.workers.get_mut(&request.worker).map(|worker| {
                // The lease of a claim that is counted a little later begins with it.
                worker.last_seen = worker.last_seen.max(counted_at);
                worker.last_seen.saturating_add(worker.lease)
            });
            self.needs_worker_at(request.job.relation, ends.unwrap_or(request.now));
        }
        Ok(number)
    }

    /// Whether the claim could be made now; `claims` in the caller's way are judged as [`publish`](Self::publish) does.
    ///
    /// # Errors
    /// The first [`Refusal`] that applies.
    pub fn could_publish(&self, request: &Request) -> Result<(), Refusal> {
        let queue = QueueKey { relation: request.job.relation, name: request.queue };
        self.judge(request, &queue)?;
        if self.jobs.room() == 0 || self.over_its_share(request) {
            return Err(Refusal::TableFull);
        }
        match request.rate {
            Some(rate) if self.rates.get(&queue).is_some_and(|window| window.is_spent(request.now, rate.claims)) => {
                Err(Refusal::RateSpent)
            }
            Some(_) if self.rates.find(&queue).is_none() && self.rates.room() == 0 => {
                let idle = self.rates.iter().any(|(_, window)| window.is_idle(request.now));
                if idle { Ok(()) } else { Err(Refusal::RatesFull) }
            }
            _ => Ok(()),
        }
    }

    /// A rate limit refills then: whoever waits or listens is told.
    pub fn refills_at(&mut self, queue: &QueueKey, at: i64) {
        let Some(head) = self.heads.get_mut(queue) else { return };
        if head.refills == 0 || at < head.refills {
            self.boot.refilling += u64::from(head.refills == 0);
            head.refills = at;
            self.needs_worker_at(queue.relation, at);
        }
    }

    /// Tells of rate limits that have refilled. Returns when the next does.
    pub fn run_refills(&mut self, relation: Relation, now: i64) -> Option<i64> {
        let (mut next, mut refilling): (Option<i64>, u64) = (None, 0);
        if self.boot.refilling == 0 {
            return None;
        }
        for slot in 0..self.heads.used() {
            let Some((queue, at)) = self.heads.at(slot).map(|(queue, head)| (*queue, head.refills)) else { continue };
            if at == 0 {
                continue;
            }
            refilling += 1;
            if queue.relation != relation {
                continue;
            }
            if at > now {
                next = earlier(next, at);
                continue;
            }
            if let Some(head) = self.heads.at_mut(slot) {
                head.refills = 0;
            }
            refilling -= 1;
            self.wake(&queue, 1);
            self.notify(&queue);
        }
        self.boot.refilling = refilling;
        next
    }

    /// When the rate limit of an entrypoint may allow a claim again.
    pub fn rate_refills(&self, queue: &QueueKey, now: i64, limit: u32) -> Option<i64> {
        self.rates.get(queue).map(|window| window.refills(now, limit))
    }

    /// As [`could_publish`](Self::could_publish), for a job that a limit stands before: from here on the end of a claim wakes
    /// who waits, also of one that was made before there was a limit.
    ///
    /// # Errors
    /// As there.
    pub fn wants_place(&mut self, request: &Request) -> Result<(), Refusal> {
        let queue = QueueKey { relation: request.job.relation, name: request.queue };
        self.note_limit(request, &queue);
        self.could_publish(request)
    }

    fn note_limit(&mut self, request: &Request, queue: &QueueKey) {
        if let Some(head) = self.heads.get_mut(queue) {
            // Never taken back: somebody may sleep who saw the limit.
            head.limited |= u32::from(request.limit > 0 || request.rate.is_some());
        }
    }

    fn judge(&self, request: &Request, queue: &QueueKey) -> Result<(), Refusal> {
        let order = OrderKey { relation: request.job.relation, name: request.order };
        let held = self.workers.get(&request.worker).map_or(0, |worker| worker.claims);
        if self.jobs.find(&request.job).is_some() {
            Err(Refusal::Taken)
        } else if self.is_resting(&request.job, request.now) {
            Err(Refusal::Resting)
        } else if request.order != Name::NONE && self.orders.find(&order).is_some() {
            Err(Refusal::KeyBusy)
        } else if request.limit > 0 && self.in_flight(queue) >= u64::from(request.limit) {
            Err(Refusal::LimitReached)
        } else if request.max_in_flight.is_some_and(|most| held >= u64::from(most)) {
            Err(Refusal::WorkerFull)
        } else {
            Ok(())
        }
    }

    /// Sees that every table that gets a new entry has a place for it, so that entering cannot stop half way.
    fn make_room(&mut self, request: &Request, queue: &QueueKey) -> Result<(), Refusal> {
        if self.jobs.room() == 0 || self.over_its_share(request) {
            return Err(Refusal::TableFull);
        }
        if self.workers.find(&request.worker).is_none() && !self.make_room_for_worker(request.worker.kind) {
            return Err(Refusal::TableFull);
        }
        if request.rate.is_some() && self.rates.find(queue).is_none() && self.rates.room() == 0 {
            let idle = self.rates.iter().find(|(_, window)| window.is_idle(request.now));
            let key = idle.map(|(key, _)| *key).ok_or(Refusal::RatesFull)?;
            self.rates.remove(&key);
        }
        Ok(())
    }

    /// The last eighth of the table is kept for databases that hold little, so that no database starves another.
    fn over_its_share(&self, request: &Request) -> bool {
        let capacity = self.jobs.capacity();
        let floor = (capacity / 64).max(1) as u64;
        let held = self.relations.get(&request.job.relation).map_or(0, |held| held.claims);
        self.jobs.room() <= capacity / 8 && held >= floor
    }

    fn take_token(&mut self, request: &Request, queue: QueueKey) -> Result<i64, Refusal> {
        let Some(rate) = request.rate else { return Ok(i64::MIN) };
        if self.rates.find(&queue).is_none() {
            self.rates.insert(queue, Window::default()).map_err(|_| Refusal::RatesFull)?;
        }
        let window = self.rates.get_mut(&queue).ok_or(Refusal::RatesFull)?;
        match window.take(request.now, rate.claims, rate.period) {
            Some(at) => Ok(at),
            None => {
                let refills = window.refills(request.now, rate.claims);
                self.refills_at(&queue, refills);
                Err(Refusal::RateSpent)
            }
        }
    }

    fn enter(
        &mut self,
        request: &Request,
        queue: QueueKey,
        number: u64,
        counted_at: i64,
    ) -> Result<(), crate::table::Full> {
        let relation = request.job.relation;
        if self.workers.find(&request.worker).is_none() {
            self.add_worker(request.worker, request.as_worker)?;
        }
        match self.queues.get_mut(&queue) {
            Some(queue) => queue.in_flight += 1,
            None => {
                self.queues.insert(queue, Queue { in_flight: 1 })?;
            }
        }
        self.count(relation, 1, 0)?;
        if request.order != Name::NONE {
            self.orders.insert(OrderKey { relation, name: request.order }, number)?;
        }
        let claim = Claim {
            number,
            worker: request.worker,
            // Not before the time under which a rate limit counts it.
            since: request.now.max(counted_at),
            created: request.created,
            opened_by: request.session,
            ending_by: 0,
            ender: Transaction::default(),
            queue: request.queue,
            order: request.order,
            counted_at,
            due: request.due,
            priority: request.priority,
            attempt: request.attempt,
            previous: NONE,
            next: NONE,
            flags: 0,
            unused: 0,
        };
        let slot = self.jobs.insert(request.job, claim)?;
        self.link(&request.worker, slot);
        Ok(())
    }
}
