//! Schedules: each tick enqueues a job.

use super::check;
use super::clock::{Time, date_of};
use super::row::Row;
use super::state::State;
use crate::control::{CatchUp, Schedule};
use crate::error::Result;
use pgqueuer_core::cron::{self, Cron, Zone};

/// A schedule, and when it ticks next.
#[derive(Debug)]
pub(super) struct Plan {
    id: i64,
    schedule: Schedule,
    cron: Cron,
    zone: Zone,
    paused: bool,
    /// None while it is paused, and where no tick will come any more.
    pub next_tick: Option<Time>,
    last_job: Option<i64>,
}

impl Plan {
    /// Which of the ticks up to `now` get a job; goes on to the next.
    fn take_ticks(&mut self, now: Time, alive_since: Time, last_job_lives: bool) -> Vec<Time> {
        let Some(next_tick) = self.next_tick else { return vec![] };
        let due = self.cron.due(self.zone, next_tick, now, alive_since, in_core(self.schedule.catch_up));
        self.next_tick = due.next;
        let mut fire = due.fire;
        if !self.schedule.overlap {
            if last_job_lives {
                return vec![];
            }
            // The first of them would be live when the next one comes.
            if self.schedule.catch_up != CatchUp::All {
                fire.drain(..fire.len().saturating_sub(1));
            }
        }
        fire
    }

    /// The job of a tick.
    fn job(&self, id: i64, tick: Time, now: Time) -> Row {
        let mut headers = self.schedule.headers.clone();
        headers.insert("schedule".into(), self.schedule.name.as_str().into());
        headers.insert("scheduled_at".into(), date_of(tick).to_rfc3339().into());
        Row {
            id,
            entrypoint: self.schedule.entrypoint.as_ref().unwrap_or(&self.schedule.name).clone(),
            payload: self.schedule.payload.clone(),
            headers,
            priority: self.schedule.priority,
            created: now,
            execute_after: None,
            due: now,
            attempts: 0,
            failures: 0,
            releases: 0,
            held: false,
            dedupe_key: None,
            ordering_key: self.schedule.ordering_key.clone(),
            claim: None,
        }
    }
}

fn in_core(catch_up: CatchUp) -> cron::CatchUp {
    match catch_up {
        CatchUp::Skip => cron::CatchUp::Skip,
        CatchUp::One => cron::CatchUp::One,
        CatchUp::All => cron::CatchUp::All,
    }
}

impl State {
    /// Makes a schedule or changes the one of that name. One whose expression and zone stay keeps its beat.
    pub(super) fn schedule(&mut self, schedule: Schedule) -> Result<i64> {
        let (cron, zone) = check::schedule(&schedule)?;
        let first = check::first_tick(&cron, zone, self.now)?;
        let old = self.schedules.remove(&schedule.name);
        let same = old.as_ref().filter(|old| old.schedule.cron == schedule.cron && old.zone == zone);
        let next = same.and_then(|old| old.next_tick).unwrap_or(first);
        let paused = old.as_ref().is_some_and(|old| old.paused);
        let (id, last_job) = old.map_or((self.next_schedule_id(), None), |old| (old.id, old.last_job));
        let next_tick = Some(next).filter(|_| !paused);
        self.schedules.insert(schedule.name.clone(), Plan { id, schedule, cron, zone, paused, next_tick, last_job });
        next_tick.into_iter().for_each(|next| self.wake_at(next));
        Ok(id)
    }

    fn next_schedule_id(&mut self) -> i64 {
        self.schedule_ids += 1;
        self.schedule_ids
    }

    pub(super) fn pause_schedule(&mut self, name: &str) -> bool {
        let Some(plan) = self.schedules.get_mut(name).filter(|plan| !plan.paused) else { return false };
        (plan.paused, plan.next_tick) = (true, None);
        true
    }

    pub(super) fn resume_schedule(&mut self, name: &str) -> bool {
        let now = self.now;
        let Some(plan) = self.schedules.get_mut(name).filter(|plan| plan.paused) else { return false };
        (plan.paused, plan.next_tick) = (false, plan.cron.next(plan.zone, now));
        plan.next_tick.into_iter().for_each(|next| self.wake_at(next));
        true
    }

    /// Enqueues the jobs of the ticks that have come.
    pub(super) fn fire(&mut self) {
        let (now, alive_since) = (self.now, self.alive_since);
        let is_due = |plan: &Plan| plan.next_tick.is_some_and(|tick| tick <= now);
        let due: Vec<String> =
            self.schedules.iter().filter(|(_, plan)| is_due(plan)).map(|(name, _)| name.clone()).collect();
        for name in due {
            // Out of the map while its jobs are made.
            let Some(mut plan) = self.schedules.remove(&name) else { continue };
            let last_job = plan.last_job.and_then(|id| self.jobs.get(&id));
            let lives = last_job.is_some_and(|row| !row.held);
            for tick in plan.take_ticks(now, alive_since, lives) {
                let id = self.next_id();
                plan.last_job = Some(id);
                self.insert(plan.job(id, tick, now));
            }
            self.schedules.insert(name, plan);
        }
    }
}
