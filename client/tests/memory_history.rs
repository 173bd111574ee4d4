//! What can never happen to a queue in memory, whatever is done to it: calls at random, with time passing between them.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what a test calls may end it with a panic"
)]

mod operations;

use chrono::{DateTime, Utc};
use operations::{Answer, ENTRYPOINTS, Operation, Seen, asked, configure, operation};
use pgqueuer_client::testing::LiveJob;
use pgqueuer_client::{Memory, Status};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;
use tokio::runtime::Runtime;

const SECONDS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60)];
/// Of the backoff, and of the rate limit.
const LONG: Duration = Duration::from_secs(20);
const LEASE: Duration = Duration::from_secs(30);

proptest! {
    #[test]
    fn a_history_keeps_the_rules(steps in vec((pause(), operation(&SECONDS)), 1..150)) {
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let mut history = History::default();
            configure(&history.queue, LONG).await;
            for (pause, operation) in &steps {
                history.queue.advance(*pause);
                history.go_on(operation).await?;
            }
            history.each_job_ends_once_or_lives()
        })?;
    }
}

/// How long nothing is done: mostly not at all.
fn pause() -> impl Strategy<Value = Duration> {
    prop_oneof![6 => Just(0), 1 => 1..40u64].prop_map(Duration::from_secs)
}

struct History {
    queue: Memory,
    seen: Seen,
    paused: HashSet<usize>,
    /// When jobs of `mail` were claimed, whose rate is limited.
    claimed: Vec<DateTime<Utc>>,
    /// When a job was queued again whose start says nothing of it.
    requeued: BTreeMap<i64, DateTime<Utc>>,
}

impl Default for History {
    fn default() -> Self {
        let queue = Memory::at("2030-01-01T00:00:00Z".parse().unwrap());
        Self { queue, seen: Seen::default(), paused: HashSet::new(), claimed: vec![], requeued: BTreeMap::new() }
    }
}

impl History {
    async fn go_on(&mut self, operation: &Operation) -> Result<(), TestCaseError> {
        let (before, now) = (self.queue.jobs(), self.queue.now());
        let answer = operation.perform(&self.queue, &mut self.seen, LEASE).await;
        match (operation, answer) {
            (Operation::Dequeue { entrypoints, most, .. }, Answer::Jobs(jobs)) => {
                let claimed: Vec<i64> = jobs.iter().map(|job| job.0).collect();
                prop_assert_eq!(&claimed, &self.expected(&before, now, &asked(*entrypoints), *most));
                let is_mail = |id: &&i64| before.iter().any(|job| job.id == **id && job.entrypoint == ENTRYPOINTS[2]);
                self.claimed.extend(claimed.iter().filter(is_mail).map(|_| now));
            }
            (Operation::Pause(entrypoint), Answer::Is(changed)) => {
                prop_assert_eq!(self.paused.insert(*entrypoint), changed);
            }
            (Operation::Resume(entrypoint), Answer::Is(changed)) => {
                prop_assert_eq!(self.paused.remove(entrypoint), changed);
            }
            (Operation::Requeue(..), Answer::Ids(ids)) => {
                self.requeued.extend(ids.into_iter().flatten().map(|id| (id, now)));
            }
            // Replaced, or rescheduled.
            (Operation::Enqueue(_) | Operation::EnqueueMany(..) | Operation::Reschedule(..), Answer::Ids(ids)) => {
                self.requeued.retain(|id, _| !ids.contains(&Some(*id)));
            }
            _ => {}
        }
        for job in self.queue.jobs().iter().filter(|job| job.execute_after != job.created) {
            self.requeued.remove(&job.id);
        }
        self.is_sound()
    }

    /// Which jobs are to be handed out: worked out the slow way, from the words of the contract.
    fn expected(&self, jobs: &[LiveJob], now: DateTime<Utc>, asked: &[String], most: i32) -> Vec<i64> {
        let of_line = |job: &LiveJob, other: &LiveJob| {
            job.ordering_key.is_some()
                && (&job.entrypoint, &job.ordering_key) == (&other.entrypoint, &other.ordering_key)
        };
        let in_front = |job: &LiveJob, other: &LiveJob| {
            of_line(job, other)
                && (other.status == Status::Picked || other.status == Status::Queued && other.id < job.id)
        };
        let is_open = |job: &LiveJob| {
            let place = ENTRYPOINTS.iter().position(|name| *name == job.entrypoint).unwrap();
            asked.contains(&job.entrypoint) && !self.paused.contains(&place)
        };
        let start = |job: &LiveJob| *self.requeued.get(&job.id).unwrap_or(&job.execute_after);
        let due = |job: &LiveJob| job.created.max(start(job));
        let mut free: Vec<&LiveJob> = jobs
            .iter()
            .filter(|job| job.status == Status::Queued && due(job) <= now && is_open(job))
            .filter(|job| !jobs.iter().any(|other| in_front(job, other)))
            .collect();
        free.sort_by_key(|job| (std::cmp::Reverse(job.priority), due(job), job.id));
        let picked = |job: &&LiveJob| job.status == Status::Picked && job.entrypoint == ENTRYPOINTS[0];
        let recent = |at: &&DateTime<Utc>| now - **at < chrono::TimeDelta::from_std(LONG).unwrap();
        let mut room = BTreeMap::from([
            (ENTRYPOINTS[0], 2usize.saturating_sub(jobs.iter().filter(picked).count())),
            (ENTRYPOINTS[2], 4usize.saturating_sub(self.claimed.iter().filter(recent).count())),
        ]);
        let has_room = |job: &&LiveJob| match room.get_mut(job.entrypoint.as_str()) {
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
            None => true,
        };
        free.into_iter().filter(has_room).take(most as usize).map(|job| job.id).collect()
    }

    /// What must hold at every moment.
    fn is_sound(&self) -> Result<(), TestCaseError> {
        let jobs = self.queue.jobs();
        let picked = || jobs.iter().filter(|job| job.status == Status::Picked);
        prop_assert!(picked().all(|job| job.worker.is_some() && job.picked.is_some()));
        prop_assert!(picked().filter(|job| job.entrypoint == ENTRYPOINTS[0]).count() <= 2);
        let mut lines = HashSet::new();
        let keyed = picked().filter(|job| job.ordering_key.is_some());
        prop_assert!(keyed.into_iter().all(|job| lines.insert((&job.entrypoint, &job.ordering_key))));
        let mut keys = HashSet::new();
        let live = jobs.iter().filter(|job| job.status != Status::Failed);
        prop_assert!(live.filter_map(|job| job.dedupe_key.as_ref()).all(|key| keys.insert(key)));
        Ok(())
    }

    fn each_job_ends_once_or_lives(&self) -> Result<(), TestCaseError> {
        let (jobs, log) = (self.queue.jobs(), self.queue.log());
        let is_gone = |status| !matches!(status, Status::Retried | Status::Released | Status::Failed);
        for id in self.seen.ids.iter().collect::<HashSet<_>>() {
            let ends: Vec<_> = log.iter().filter(|end| end.job_id == *id).collect();
            let gone = ends.iter().filter(|end| is_gone(end.outcome)).count();
            let lives = jobs.iter().filter(|job| job.id == *id).count();
            prop_assert_eq!(gone + lives, 1, "job {}: {:?}", id, ends);
            let last_is_the_end = ends.last().is_none_or(|end| is_gone(end.outcome) == (gone == 1));
            prop_assert!(last_is_the_end, "job {}: {:?}", id, ends);
        }
        Ok(())
    }
}
