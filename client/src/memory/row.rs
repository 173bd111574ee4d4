//! A live job, as the row of it in `pgq.jobs`.

use super::clock::{Time, date_of};
use crate::job::{Job, Status};
use crate::testing::LiveJob;
use serde_json::{Map, Value};
use std::cmp::Reverse;
use uuid::Uuid;

/// The order in which jobs are handed out: priority, when it became due, id.
pub(super) type Rank = (Reverse<i32>, Time, i64);

/// A live job.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub id: i64,
    pub entrypoint: String,
    pub payload: Option<Vec<u8>>,
    pub headers: Map<String, Value>,
    pub priority: i32,
    pub created: Time,
    /// Where one was asked for, or a retry set one.
    pub execute_after: Option<Time>,
    /// The later of the two.
    pub due: Time,
    pub attempts: i32,
    /// How many of them failed, and how many were lost with their worker.
    pub failures: u32,
    pub releases: u32,
    /// Given up, and held as failed.
    pub held: bool,
    pub dedupe_key: Option<String>,
    pub ordering_key: Option<String>,
    pub claim: Option<Holder>,
}

/// Who holds a job, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holder {
    pub worker: Uuid,
    pub picked: Time,
}

impl Row {
    pub(super) fn rank(&self) -> Rank {
        (Reverse(self.priority), self.due, self.id)
    }

    pub(super) fn status(&self) -> Status {
        match self.claim {
            _ if self.held => Status::Failed,
            Some(_) => Status::Picked,
            None => Status::Queued,
        }
    }

    /// Sets the earliest start.
    pub(super) fn start_at(&mut self, execute_after: Option<Time>) {
        self.execute_after = execute_after;
        self.due = execute_after.map_or(self.created, |after| after.max(self.created));
    }

    fn starts(&self) -> Time {
        self.execute_after.unwrap_or(self.created)
    }

    /// What the worker gets that has claimed it.
    pub(super) fn handed_out(&self, picked: Time) -> Job {
        Job {
            id: self.id,
            entrypoint: self.entrypoint.clone(),
            payload: self.payload.clone(),
            headers: self.headers.clone(),
            priority: self.priority,
            attempts: self.attempts,
            created: date_of(self.created),
            execute_after: date_of(self.starts()),
            picked: date_of(picked),
            dedupe_key: self.dedupe_key.clone(),
            ordering_key: self.ordering_key.clone(),
        }
    }

    /// What somebody sees who looks at the queue.
    pub(super) fn seen(&self) -> LiveJob {
        LiveJob {
            id: self.id,
            entrypoint: self.entrypoint.clone(),
            payload: self.payload.clone(),
            headers: self.headers.clone(),
            priority: self.priority,
            status: self.status(),
            attempts: self.attempts,
            worker: self.claim.map(|holder| holder.worker),
            created: date_of(self.created),
            execute_after: date_of(self.starts()),
            picked: self.claim.map(|holder| date_of(holder.picked)),
            dedupe_key: self.dedupe_key.clone(),
            ordering_key: self.ordering_key.clone(),
        }
    }
}
