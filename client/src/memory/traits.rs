//! What the queue can do: each method is one change under one lock, with the name of its function in SQL.

use super::clock::time_of;
use super::{Memory, check};
use crate::backend::{Backend, Ended, Fetch, Signals};
use crate::control::{Control, QueueSize, Schedule, Settings};
use crate::error::{Error, Result};
use crate::job::{Job, JobStatus};
use crate::new_job::NewJob;
use crate::producer::Producer;
use crate::telemetry;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::time::Duration;
use uuid::Uuid;

#[async_trait]
impl Producer for Memory {
    async fn enqueue(&self, mut job: NewJob) -> Result<Option<i64>> {
        let span = telemetry::send(&mut job);
        let entrypoint = job.entrypoint.clone();
        let id = self.enqueue_one(job);
        telemetry::sent(&span, std::iter::once(entrypoint.as_str()), id.as_ref().map(std::slice::from_ref));
        id
    }

    async fn enqueue_many(&self, mut jobs: Vec<NewJob>) -> Result<Vec<Option<i64>>> {
        let span = telemetry::send_many(&mut jobs);
        let entrypoints: Vec<String> = jobs.iter().map(|job| job.entrypoint.clone()).collect();
        let ids = self.enqueue_batch(jobs);
        telemetry::sent(&span, entrypoints.iter().map(String::as_str), ids.as_deref());
        ids
    }

    async fn status(&self, ids: &[i64]) -> Result<Vec<JobStatus>> {
        let state = self.lock();
        let ids: BTreeSet<i64> = ids.iter().copied().collect();
        Ok(ids.into_iter().filter_map(|id| state.status_of(id)).collect())
    }
}

impl Memory {
    fn enqueue_one(&self, job: NewJob) -> Result<Option<i64>> {
        check::jobs(std::slice::from_ref(&job), false)?;
        let on_conflict = job.on_conflict;
        Ok(self.lock().enqueue(vec![job], on_conflict)?.into_iter().next().flatten())
    }

    fn enqueue_batch(&self, jobs: Vec<NewJob>) -> Result<Vec<Option<i64>>> {
        let Some(on_conflict) = jobs.first().map(|job| job.on_conflict) else { return Ok(vec![]) };
        if jobs.iter().any(|job| job.on_conflict != on_conflict) {
            return Err(Error::Option("the jobs of one batch must agree in on_conflict".into()));
        }
        check::jobs(&jobs, true)?;
        self.lock().enqueue(jobs, on_conflict)
    }
}

#[async_trait]
impl Control for Memory {
    async fn cancel(&self, ids: &[i64]) -> Result<Vec<i64>> {
        Ok(self.lock().cancel(ids))
    }

    async fn delete(&self, ids: &[i64]) -> Result<Vec<i64>> {
        Ok(self.lock().delete(ids))
    }

    async fn clear(&self, entrypoints: Option<&[String]>) -> Result<i64> {
        let names = entrypoints.map(check::entrypoints).transpose()?;
        Ok(i64::try_from(self.lock().clear(names.as_ref())).unwrap_or(i64::MAX))
    }

    async fn requeue(&self, ids: &[i64]) -> Result<Vec<i64>> {
        Ok(self.lock().requeue(ids))
    }

    async fn reschedule(&self, ids: &[i64], execute_after: DateTime<Utc>, priority: Option<i32>) -> Result<Vec<i64>> {
        Ok(self.lock().reschedule(ids, time_of(execute_after), priority))
    }

    async fn pause(&self, entrypoint: &str) -> Result<bool> {
        check::entrypoint("entrypoint", entrypoint)?;
        Ok(!std::mem::replace(&mut self.lock().queue(entrypoint).paused, true))
    }

    async fn resume(&self, entrypoint: &str) -> Result<bool> {
        check::entrypoint("entrypoint", entrypoint)?;
        let mut state = self.lock();
        state.heard.work(entrypoint);
        Ok(std::mem::replace(&mut state.queue(entrypoint).paused, false))
    }

    async fn configure(&self, entrypoint: &str, settings: Settings) -> Result<()> {
        check::entrypoint("entrypoint", entrypoint)?;
        check::settings(&settings)?;
        let mut state = self.lock();
        state.queue(entrypoint).limits.change(&settings);
        // How many jobs may be handed out now is not known.
        state.heard.work(entrypoint);
        Ok(())
    }

    async fn schedule(&self, schedule: Schedule) -> Result<i64> {
        self.lock().schedule(schedule)
    }

    async fn unschedule(&self, name: &str) -> Result<bool> {
        check::text(name)?;
        Ok(self.lock().schedules.remove(name).is_some())
    }

    async fn pause_schedule(&self, name: &str) -> Result<bool> {
        check::text(name)?;
        Ok(self.lock().pause_schedule(name))
    }

    async fn resume_schedule(&self, name: &str) -> Result<bool> {
        check::text(name)?;
        Ok(self.lock().resume_schedule(name))
    }

    async fn queue_size(&self) -> Result<Vec<QueueSize>> {
        Ok(self.lock().sizes())
    }
}

#[async_trait]
impl Backend for Memory {
    async fn dequeue(&self, fetch: &Fetch<'_>) -> Result<Vec<Job>> {
        self.lock().dequeue(fetch)
    }

    async fn finish(&self, worker: Uuid, ended: &[Ended]) -> Result<Vec<i64>> {
        self.lock().finish(worker, ended)
    }

    async fn heartbeat(&self, worker: Uuid, lease: Duration, held: &[i64]) -> Result<Vec<i64>> {
        let lease = check::lease(lease)?;
        let mut state = self.lock();
        state.beat(worker, lease);
        Ok(held.iter().copied().filter(|id| !state.holds(worker, *id, None)).collect())
    }

    async fn signals(&self, worker: Uuid, entrypoints: &[String]) -> Result<Option<Box<dyn Signals>>> {
        Ok(Some(self.listen(worker, check::entrypoints(entrypoints)?)))
    }

    async fn queued(&self, entrypoints: &[String]) -> Result<i64> {
        let state = self.lock();
        let names: BTreeSet<&String> = entrypoints.iter().collect();
        Ok(names.into_iter().filter_map(|name| state.queues.get(name)).map(|queue| queue.queued).sum())
    }
}
