//! What became of attempts and jobs: `pgq.job_log`, kept as long as the server keeps it by default.

use super::clock::{Time, date_of};
use super::row::Row;
use super::state::State;
use crate::job::{JobStatus, Status};
use crate::testing::LoggedEnd;
use serde_json::Value;
use std::collections::{HashMap, VecDeque};

/// Seven days, in microseconds: the default of `pgqueuer.log_retention`.
const RETENTION: Time = 7 * 86_400_000_000;

/// The log.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// The oldest first.
    pub ends: VecDeque<LoggedEnd>,
    /// The last of each job.
    last: HashMap<i64, Last>,
}

#[derive(Debug)]
struct Last {
    outcome: Status,
    attempts: i32,
    error: Option<Value>,
    finished: Time,
}

impl Log {
    fn write(&mut self, row: &Row, outcome: Status, error: Option<Value>, now: Time) {
        self.last.insert(row.id, Last { outcome, attempts: row.attempts, error: error.clone(), finished: now });
        self.ends.push_back(LoggedEnd {
            job_id: row.id,
            entrypoint: row.entrypoint.clone(),
            priority: row.priority,
            attempts: row.attempts,
            worker: row.claim.map(|holder| holder.worker),
            outcome,
            error,
            created: date_of(row.created),
            picked: row.claim.map(|holder| date_of(holder.picked)),
            finished: date_of(now),
        });
        self.prune(now);
    }

    /// Forgets what is too old.
    fn prune(&mut self, now: Time) {
        let kept_since = now.saturating_sub(RETENTION);
        while self.ends.front().is_some_and(|end| end.finished < date_of(kept_since)) {
            let Some(end) = self.ends.pop_front() else { break };
            if self.last.get(&end.job_id).is_some_and(|last| last.finished < kept_since) {
                self.last.remove(&end.job_id);
            }
        }
    }
}

impl State {
    /// Logs the end of an attempt, or of a job, that is about to happen to its row.
    pub(super) fn log(&mut self, id: i64, outcome: Status, error: Option<Value>) {
        if let Some(row) = self.jobs.get(&id) {
            self.log.write(row, outcome, error, self.now);
        }
    }

    /// What is known of a job.
    pub(super) fn status_of(&self, id: i64) -> Option<JobStatus> {
        let (live, last) = (self.jobs.get(&id), self.log.last.get(&id));
        let status = live.map(Row::status).or(last.map(|last| last.outcome))?;
        Some(JobStatus {
            id,
            status,
            attempts: live.map(|row| row.attempts).or(last.map(|last| last.attempts))?,
            error: last.and_then(|last| last.error.clone()),
            finished_at: last.filter(|_| status.is_end()).map(|last| date_of(last.finished)),
        })
    }
}
