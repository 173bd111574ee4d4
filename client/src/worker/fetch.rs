//! Claims jobs: as many as there are permits, whenever there is a reason to look.

use super::attempt::Permits;
use super::run::{Life, Mode};
use crate::backend::{End, Fetch};
use crate::error::{Error, Result};
use crate::job::Job;
use crate::retry::Backoff;
use crate::telemetry;
use futures_util::future::try_join_all;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How often to look where notifications come: should one be lost, the job is late, not forgotten.
const SAFETY_LOOK: Duration = Duration::from_secs(60);
/// How long to wait for more permits where there are more jobs than permits: one call for many jobs.
const LINGER: Duration = Duration::from_millis(1);
/// How many jobs one call claims at most.
const BATCH: usize = 1000;
/// How many calls are under way at most: the server claims more while what it gave is started.
const CALLS: usize = 2;
/// How long a shutdown waits for the answer of a call that may have claimed something.
const LAST_ANSWER: Duration = Duration::from_secs(2);

/// Entrypoints that are asked for in one call.
struct Group {
    names: Vec<String>,
    /// Of an entrypoint with a limit of its own.
    permits: Option<Arc<Semaphore>>,
    /// How many calls for it are under way.
    calls: AtomicUsize,
    /// Whether another call passed it over meanwhile, because those hold all of its permits.
    passed_over: AtomicBool,
}

/// All groups, and which comes first next: the one after that which was asked for last, so that each has its turn.
struct Groups(Vec<Group>, AtomicUsize);

impl Groups {
    fn in_turn(&self) -> impl Iterator<Item = (usize, &Group)> {
        self.0.iter().enumerate().cycle().skip(self.1.load(Relaxed)).take(self.0.len())
    }

    fn had_its_turn(&self, place: usize) {
        self.1.store((place + 1) % self.0.len(), Relaxed);
    }
}

/// A call for a group is under way until this is dropped. Who passed the group over meanwhile looks again: the call may have
/// begun before there was a job, and not have used the permits that it held.
struct Call<'a>(&'a Group, &'a Notify);

impl Group {
    fn call<'a>(&'a self, look: &'a Notify) -> Call<'a> {
        self.calls.fetch_add(1, Relaxed);
        Call(self, look)
    }

    fn pass_over(&self) {
        self.passed_over.store(self.calls.load(Relaxed) > 0, Relaxed);
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Relaxed);
        if self.0.passed_over.swap(false, Relaxed) {
            self.1.notify_one();
        }
    }
}

impl<S: Send + Sync + 'static> Life<S> {
    /// Until there is a shutdown, or the queue is drained.
    ///
    /// # Errors
    /// Whether the queue is drained is for good not to be known.
    pub(super) async fn fetch(self: Arc<Self>, stop: &CancellationToken) -> Result<()> {
        // With two calls under way nobody could say that the queue is drained.
        let calls = if self.mode == Mode::Drain { 1 } else { CALLS };
        let groups = self.groups();
        try_join_all((0..calls).map(|number| self.fetch_one_by_one(&groups, number == 0, stop))).await?;
        Ok(())
    }

    /// The first of them looks by the clock.
    async fn fetch_one_by_one(
        self: &Arc<Self>,
        groups: &Groups,
        is_first: bool,
        stop: &CancellationToken,
    ) -> Result<()> {
        let mut backoff = Backoff::default();
        let mut more = false;
        loop {
            tokio::select! {
                () = self.reason(more, is_first) => {}
                () = stop.cancelled() => return Ok(()),
            }
            let last_answer = async {
                stop.cancelled().await;
                sleep(LAST_ANSWER).await;
            };
            let answer = tokio::select! {
                answer = self.round(groups, stop) => answer,
                () = last_answer => return Ok(()),
            };
            match answer {
                Ok(is_full) => {
                    (more, backoff) = (is_full, Backoff::default());
                    if more {
                        // The other call may help.
                        self.look.notify_one();
                    }
                    if !more && self.mode == Mode::Drain && self.is_drained().await? {
                        return Ok(());
                    }
                }
                Err(error) => {
                    telemetry::call_failed("dequeue", &error);
                    more = true;
                    tokio::select! {
                        () = backoff.sleep() => {}
                        () = stop.cancelled() => return Ok(()),
                    }
                }
            }
        }
    }

    /// Those without a limit of their own are one group, of which the best jobs come first; each other is one.
    fn groups(&self) -> Groups {
        let group = |names, permits| {
            let (calls, passed_over) = (AtomicUsize::new(0), AtomicBool::new(false));
            Group { names, permits, calls, passed_over }
        };
        let (limited, free): (Vec<_>, Vec<_>) =
            self.entrypoints.values().partition(|entrypoint| entrypoint.permits.is_some());
        let name = |entrypoint: &Arc<super::Entrypoint<S>>| entrypoint.name.clone();
        let mut groups: Vec<_> =
            limited.into_iter().map(|entrypoint| group(vec![name(entrypoint)], entrypoint.permits.clone())).collect();
        if !free.is_empty() {
            groups.push(group(free.into_iter().map(name).collect(), None));
        }
        Groups(groups, AtomicUsize::new(0))
    }

    /// Returns when there may be jobs, and there is room for one, and the queue hears our heartbeats.
    async fn reason(&self, more: bool, is_first: bool) {
        if !more {
            let patience = match (self.listens.load(Relaxed), self.mode) {
                _ if !is_first => SAFETY_LOOK,
                (true, Mode::Forever) => SAFETY_LOOK,
                (true, Mode::Drain) => Duration::from_secs(1),
                (false, _) => self.options.poll_interval,
            };
            timeout(patience, self.look.notified()).await.ok();
        }
        // Neither is ever closed.
        drop(self.permits.acquire().await);
        if more {
            let half = u32::try_from(self.options.concurrency / 2).unwrap_or(u32::MAX);
            drop(timeout(LINGER, self.permits.acquire_many(half)).await);
        }
        self.alive.subscribe().wait_for(|alive| *alive).await.ok();
    }

    /// One call for each group that has room. Whether one of them brought all that it asked for: then there may be more.
    async fn round(self: &Arc<Self>, groups: &Groups, stop: &CancellationToken) -> Result<bool> {
        let mut is_full = false;
        for (place, group) in groups.in_turn() {
            let Some(mut places) = self.places(group) else {
                group.pass_over();
                continue;
            };
            groups.had_its_turn(place);
            let call = group.call(&self.look);
            let most = places.1.num_permits();
            let fetch = Fetch {
                worker: self.worker,
                entrypoints: &group.names,
                most: i32::try_from(most).unwrap_or(i32::MAX),
                lease: self.options.lease,
            };
            let jobs = self.backend.dequeue(&fetch).await?;
            is_full |= jobs.len() >= most;
            for job in jobs {
                self.start(job, one_of(&mut places), stop).await?;
            }
            // What it has not used is free before another looks for it.
            drop((places, call));
        }
        Ok(is_full)
    }

    /// As many places as there are, for jobs of a group. None where there is none.
    fn places(&self, group: &Group) -> Option<Permits> {
        let room = group.permits.as_ref().map_or(usize::MAX, |permits| permits.available_permits());
        let most =
            u32::try_from(room.min(self.permits.available_permits()).min(BATCH)).ok().filter(|most| *most > 0)?;
        let own = group.permits.clone().map(|permits| permits.try_acquire_many_owned(most)).transpose().ok()?;
        Some((own, self.permits.clone().try_acquire_many_owned(most).ok()?))
    }

    async fn start(self: &Arc<Self>, job: Job, permits: Option<Permits>, stop: &CancellationToken) -> Result<()> {
        let grip = self.hand.take(&job);
        let entrypoint = self.entrypoints.get(&job.entrypoint).cloned();
        if let Some(entrypoint) = &entrypoint {
            telemetry::claimed(entrypoint.metrics(), &job);
        }
        let entrypoint = entrypoint.filter(|_| !stop.is_cancelled());
        match entrypoint.zip(permits) {
            Some((entrypoint, permits)) => {
                self.jobs.spawn(Box::pin(self.clone().attempt(entrypoint, job, grip, permits)));
            }
            // There was a shutdown meanwhile.
            None => {
                self.hand.over(&grip);
                let closed = |_| Error::Option("nobody sends results any more".into());
                self.done.send((grip, End::Release)).await.map_err(closed)?;
            }
        }
        Ok(())
    }

    /// Whether nothing is queued, and nothing in hand.
    async fn is_drained(&self) -> Result<bool> {
        if !self.hand.is_empty() {
            return Ok(false);
        }
        let names: Vec<String> = self.entrypoints.keys().cloned().collect();
        match self.backend.queued(&names).await {
            Ok(queued) => Ok(queued == 0),
            Err(error) if error.is_transient() => {
                telemetry::call_failed("queued", &error);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

/// Places for one job.
fn one_of((own, of_worker): &mut Permits) -> Option<Permits> {
    let own = own.as_mut().map(|own| own.split(1).ok_or(())).transpose().ok()?;
    Some((own, of_worker.split(1)?))
}
