//! Who waits for what: workers for jobs, others for the end of jobs.

use super::Memory;
use super::state::State;
use crate::backend::{Signal, Signals};
use crate::error::Result;
use crate::job::JobStatus;
use crate::producer::{Completion, Producer};
use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use uuid::Uuid;

/// Those who are to hear of something.
#[derive(Debug, Default)]
pub(super) struct Heard {
    listeners: BTreeMap<u64, Listener>,
    /// Who waits for the end of a job.
    ends: BTreeMap<i64, Vec<UnboundedSender<JobStatus>>>,
    numbers: u64,
}

/// A worker that hears of jobs, and what it was not told yet.
#[derive(Debug)]
struct Listener {
    entrypoints: BTreeSet<String>,
    work: bool,
    canceled: Vec<i64>,
    bell: Arc<Notify>,
}

impl Heard {
    /// There may be jobs of this entrypoint.
    pub(super) fn work(&mut self, entrypoint: &str) {
        for listener in self.of(entrypoint) {
            listener.work = true;
            listener.bell.notify_one();
        }
    }

    /// These jobs of one entrypoint were canceled while somebody held them.
    pub(super) fn canceled(&mut self, entrypoint: &str, ids: &[i64]) {
        for listener in self.of(entrypoint) {
            listener.canceled.extend(ids);
            listener.bell.notify_one();
        }
    }

    fn of(&mut self, entrypoint: &str) -> impl Iterator<Item = &mut Listener> {
        self.listeners.values_mut().filter(move |listener| listener.entrypoints.contains(entrypoint))
    }

    fn listen(&mut self, entrypoints: BTreeSet<String>) -> (u64, Arc<Notify>) {
        self.numbers += 1;
        let bell = Arc::new(Notify::new());
        let listener = Listener { entrypoints, work: false, canceled: vec![], bell: bell.clone() };
        self.listeners.insert(self.numbers, listener);
        (self.numbers, bell)
    }

    /// What a listener is to be told next.
    fn take(&mut self, number: u64) -> Option<Signal> {
        let listener = self.listeners.get_mut(&number)?;
        if !listener.canceled.is_empty() {
            return Some(Signal::Canceled(std::mem::take(&mut listener.canceled)));
        }
        std::mem::take(&mut listener.work).then_some(Signal::Work)
    }
}

impl State {
    /// A job has ended.
    pub(super) fn tell_end(&mut self, id: i64) {
        let Some(waiting) = self.heard.ends.remove(&id) else { return };
        let Some(status) = self.status_of(id) else { return };
        // Whoever has stopped waiting need not be told.
        waiting.iter().for_each(|one| one.send(status.clone()).unwrap_or_default());
    }

    fn wait_for_end(&mut self, id: i64, sender: UnboundedSender<JobStatus>) {
        let waiting = self.heard.ends.entry(id).or_default();
        waiting.retain(|one| !one.is_closed());
        waiting.push(sender);
    }
}

/// What a worker hears of a queue in memory.
struct Listening {
    memory: Memory,
    worker: Uuid,
    number: u64,
    bell: Arc<Notify>,
}

impl Memory {
    pub(super) fn listen(&self, worker: Uuid, entrypoints: BTreeSet<String>) -> Box<dyn Signals> {
        let mut state = self.lock();
        state.attach(worker);
        let (number, bell) = state.heard.listen(entrypoints);
        Box::new(Listening { memory: self.clone(), worker, number, bell })
    }
}

#[async_trait]
impl Signals for Listening {
    async fn next(&mut self) -> Result<Signal> {
        loop {
            let signal = self.memory.lock().heard.take(self.number);
            if let Some(signal) = signal {
                return Ok(signal);
            }
            self.memory.while_time_passes(self.bell.notified()).await;
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut state = self.memory.lock();
        state.heard.listeners.remove(&self.number);
        state.detach(self.worker);
    }
}

#[async_trait]
impl Completion for Memory {
    async fn wait_for(&self, ids: &[i64]) -> Result<Vec<JobStatus>> {
        self.completions(ids).try_collect::<Vec<_>>().await?;
        self.status(ids).await
    }

    fn completions(&self, ids: &[i64]) -> BoxStream<'_, Result<JobStatus>> {
        let (sender, ends) = unbounded_channel();
        let mut state = self.lock();
        let ids: BTreeSet<i64> = ids.iter().copied().collect();
        let known: Vec<JobStatus> = ids.into_iter().filter_map(|id| state.status_of(id)).collect();
        let (mut ended, live): (Vec<_>, Vec<_>) = known.into_iter().partition(|job| job.status.is_end());
        ended.sort_by_key(|job| job.finished_at);
        ended.into_iter().for_each(|job| sender.send(job).unwrap_or_default());
        live.iter().for_each(|job| state.wait_for_end(job.id, sender.clone()));
        drop(state);
        // The channel ends with the last job: nobody else has a sender.
        drop(sender);
        stream::unfold(ends, |mut ends| async {
            let ended = self.while_time_passes(ends.recv()).await?;
            Some((Ok(ended), ends))
        })
        .boxed()
    }
}
