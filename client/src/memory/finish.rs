//! How a claim, or a job, ends.

use super::check;
use super::clock::{Time, after};
use super::state::State;
use crate::backend::{End, Ended};
use crate::error::Result;
use crate::job::Status;
use pgqueuer_core::failure::{Outcome, after_failure};
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

impl State {
    /// Ends claims. Returns the ids of those that the worker held in those attempts.
    pub(super) fn finish(&mut self, worker: Uuid, ended: &[Ended]) -> Result<Vec<i64>> {
        ended.iter().try_for_each(|ended| self.check_end(&ended.end))?;
        let mut done = vec![];
        for Ended { claim, end } in ended {
            if self.holds(worker, claim.id, Some(claim.attempt)) {
                self.finish_one(claim.id, end)?;
                done.push(claim.id);
            }
        }
        Ok(done)
    }

    fn check_end(&self, end: &End) -> Result<()> {
        match end {
            End::Complete | End::Release => Ok(()),
            End::Fail(error) | End::Hold(error) => check::json(error),
            End::Retry(delay, reason) => {
                self.in_so_long(*delay)?;
                reason.iter().try_for_each(|reason| check::text(reason))
            }
        }
    }

    /// The time so long from now.
    pub(super) fn in_so_long(&self, delay: Duration) -> Result<Time> {
        after(self.now, delay).ok_or_else(check::out_of_range)
    }

    fn finish_one(&mut self, id: i64, end: &End) -> Result<()> {
        match end {
            End::Complete => self.end(id, Status::Successful, None),
            End::Fail(error) => self.fail(id, error.clone()),
            End::Retry(delay, reason) => {
                let reason = reason.as_deref().map(Value::from);
                self.again(id, self.in_so_long(*delay)?, reason, 0);
            }
            End::Hold(error) => self.hold(id, error.clone()),
            // The attempt does not count, and nothing is logged.
            End::Release => drop(self.change(id, |row| row.claim = None)),
        }
        Ok(())
    }

    fn fail(&mut self, id: i64, error: Value) {
        let Some((entrypoint, failures)) = self.jobs.get(&id).map(|row| (row.entrypoint.clone(), row.failures)) else {
            return;
        };
        match after_failure(failures, &self.queue(&entrypoint).limits.policy) {
            Outcome::Retry(delay) => self.again(id, self.now.saturating_add(delay), Some(error), 1),
            Outcome::Hold => self.hold(id, error),
            Outcome::Drop => self.end(id, Status::Exception, Some(error)),
        }
    }

    /// Queues the job again. `failures` is 1 where the attempt counts as failed.
    fn again(&mut self, id: i64, at: Time, error: Option<Value>, failures: u32) {
        self.log(id, Status::Retried, error);
        self.change(id, |row| {
            row.claim = None;
            row.attempts += 1;
            row.failures += failures;
            row.start_at(Some(at));
        });
    }

    /// The job is given up, and held as failed.
    pub(super) fn hold(&mut self, id: i64, error: Value) {
        let now = self.now;
        self.log(id, Status::Failed, Some(error));
        self.change(id, |row| {
            row.claim = None;
            row.attempts += 1;
            row.failures += 1;
            row.held = true;
            (row.execute_after, row.due) = (Some(now), Time::MAX);
        });
        self.tell_end(id);
    }

    /// The job goes, whatever it was.
    pub(super) fn end(&mut self, id: i64, outcome: Status, error: Option<Value>) {
        self.log(id, outcome, error);
        self.remove(id);
        self.tell_end(id);
    }
}
