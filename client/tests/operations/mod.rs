//! What may be done to a queue, at random: calls, and what they answer in words that can be compared.

use pgqueuer_client::testing::Inspect;
use pgqueuer_client::{
    Backend, Claim, Control, End, Ended, Error, Fetch, Job, NewJob, OnConflict, Producer, Settings, Status,
};
use proptest::prelude::*;
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

pub const ENTRYPOINTS: [&str; 3] = ["fetch", "parse", "mail"];

/// A queue to which they are done.
pub trait Queue: Producer + Control + Backend + Inspect {}
impl<T: Producer + Control + Backend + Inspect> Queue for T {}

/// One call. Indexes point into what was seen before, whatever its length.
#[derive(Debug, Clone)]
pub enum Operation {
    Enqueue(New),
    EnqueueMany(Vec<New>, OnConflict),
    Dequeue {
        worker: usize,
        entrypoints: usize,
        most: i32,
    },
    Finish(Vec<(usize, End)>),
    Heartbeat {
        worker: usize,
    },
    Cancel(usize),
    Delete(usize),
    Clear(usize),
    Requeue(usize, usize),
    /// In the future, or at once.
    Reschedule(usize, bool, Option<i32>),
    Pause(usize),
    Resume(usize),
}

/// A job to be enqueued.
#[derive(Debug, Clone)]
pub struct New {
    entrypoint: usize,
    priority: i32,
    delay: Option<Duration>,
    dedupe_key: Option<u8>,
    ordering_key: Option<u8>,
    on_conflict: OnConflict,
}

impl New {
    fn job(&self) -> NewJob {
        let mut job = NewJob::new(ENTRYPOINTS[self.entrypoint]).priority(self.priority).on_conflict(self.on_conflict);
        job = job.json(&self.priority).unwrap().header("delayed", self.delay.is_some());
        if let Some(delay) = self.delay {
            job = job.delay(delay);
        }
        if let Some(key) = self.dedupe_key {
            job = job.dedupe_key(key.to_string());
        }
        match self.ordering_key {
            Some(key) => job.ordering_key(key.to_string()),
            None => job,
        }
    }
}

/// A call at random. `delays` are those that occur.
pub fn operation(delays: &'static [Duration]) -> impl Strategy<Value = Operation> {
    let place = any::<prop::sample::Index>().prop_map(|index| index.index(1 << 20));
    let end = (place.clone(), ending(delays));
    prop_oneof![
        8 => new(delays).prop_map(Operation::Enqueue),
        2 => (prop::collection::vec(new(delays), 0..6), on_conflict()).prop_map(|(new, on_conflict)| {
            Operation::EnqueueMany(new, on_conflict)
        }),
        12 => (0..3usize, 1..8usize, 1..5i32)
            .prop_map(|(worker, entrypoints, most)| Operation::Dequeue { worker, entrypoints, most }),
        10 => prop::collection::vec(end, 1..4).prop_map(Operation::Finish),
        // Alone: of two that are queued again at once by one call it is not said which is due first.
        1 => place.clone().prop_map(|place| Operation::Finish(vec![(place, End::Retry(Duration::ZERO, None))])),
        1 => (0..3usize).prop_map(|worker| Operation::Heartbeat { worker }),
        1 => place.clone().prop_map(Operation::Cancel),
        1 => place.clone().prop_map(Operation::Delete),
        1 => (0..20usize).prop_map(Operation::Clear),
        2 => (place.clone(), place.clone()).prop_map(|(one, other)| Operation::Requeue(one, other)),
        2 => (place, any::<bool>(), prop::option::of(-1..3)).prop_map(|(id, later, priority)| {
            Operation::Reschedule(id, later, priority)
        }),
        1 => (0..3usize).prop_map(Operation::Pause),
        2 => (0..3usize).prop_map(Operation::Resume),
    ]
}

fn new(delays: &'static [Duration]) -> impl Strategy<Value = New> {
    let keys = (prop::option::weighted(0.3, 0..4u8), prop::option::weighted(0.4, 0..3u8));
    let delay = prop::option::weighted(0.2, prop::sample::select(delays));
    (0..3usize, -1..3i32, delay, keys, on_conflict()).prop_map(|(entrypoint, priority, delay, keys, on_conflict)| New {
        entrypoint,
        priority,
        delay,
        dedupe_key: keys.0,
        ordering_key: keys.1,
        on_conflict,
    })
}

fn on_conflict() -> impl Strategy<Value = OnConflict> + Clone {
    prop::sample::select(vec![OnConflict::Raise, OnConflict::Skip, OnConflict::Replace])
}

fn ending(delays: &'static [Duration]) -> impl Strategy<Value = End> {
    let retry = (prop::sample::select(delays), any::<bool>());
    prop_oneof![
        4 => Just(End::Complete),
        3 => Just(End::Fail(json!({ "message": "it failed" }))),
        2 => retry.prop_map(|(delay, why)| End::Retry(delay, why.then(|| "later".to_owned()))),
        1 => Just(End::Hold(json!("given up"))),
        1 => Just(End::Release),
    ]
}

/// What was seen so far: what indexes point into.
#[derive(Debug, Default)]
pub struct Seen {
    pub ids: Vec<i64>,
    /// All that were ever made, the lost and ended ones, too.
    pub claims: Vec<(Uuid, Claim)>,
}

/// What a call answers.
#[derive(Debug, PartialEq)]
pub enum Answer {
    Ids(Vec<Option<i64>>),
    /// Ids, and what else the worker was told, in words.
    Jobs(Vec<(i64, String)>),
    Is(bool),
    Count(i64),
    /// SQLSTATE and message.
    Refused(String, String),
}

/// The workers.
pub fn worker(number: usize) -> Uuid {
    Uuid::from_u128(0x7f1a_3c9e_0000_4000_8000_0000_0000_0000 + number as u128)
}

/// The entrypoints of a set of bits.
pub fn asked(bits: usize) -> Vec<String> {
    (0..3).filter(|place| bits & (1 << place) != 0).map(|place| ENTRYPOINTS[place].to_owned()).collect()
}

/// Ends claims of one worker, the first one's.
async fn finish(queue: &impl Queue, seen: &Seen, ends: &[(usize, End)]) -> Result<Vec<Option<i64>>, Error> {
    let claim = |index: &usize| seen.claims.get(index % seen.claims.len().max(1));
    let Some((worker, _)) = ends.first().and_then(|(index, _)| claim(index)) else { return Ok(vec![]) };
    // Of two ends of one claim in a batch it is not said which comes first.
    let mut ended: Vec<Ended> = vec![];
    for (index, end) in ends {
        let Some((_, claim)) = claim(index) else { continue };
        if ended.iter().all(|ended| ended.claim.id != claim.id) {
            ended.push(Ended { claim: *claim, end: end.clone() });
        }
    }
    let mut done = queue.finish(*worker, &ended).await?;
    done.sort_unstable();
    Ok(done.into_iter().map(Some).collect())
}

impl Operation {
    /// Does it.
    pub async fn perform(&self, queue: &impl Queue, seen: &mut Seen, lease: Duration) -> Answer {
        self.call(queue, seen, lease).await.unwrap_or_else(|error| match error {
            Error::Refused(refusal) => Answer::Refused(refusal.sqlstate, refusal.message),
            other => panic!("{other:?}"),
        })
    }

    async fn call(&self, queue: &impl Queue, seen: &mut Seen, lease: Duration) -> Result<Answer, Error> {
        let id = |index: &usize| *seen.ids.get(index % seen.ids.len().max(1)).unwrap_or(&1_000_000);
        let ids = |ids: Vec<i64>| Answer::Ids(ids.into_iter().map(Some).collect());
        let later = "2200-01-01T00:00:00Z".parse().unwrap();
        let past = "2001-01-01T00:00:00Z".parse().unwrap();
        Ok(match self {
            Self::Enqueue(new) => {
                let id = queue.enqueue(new.job()).await?;
                seen.ids.extend(id);
                Answer::Ids(vec![id])
            }
            Self::EnqueueMany(new, on_conflict) => {
                let jobs = new.iter().map(|new| new.job().on_conflict(*on_conflict)).collect();
                let ids = queue.enqueue_many(jobs).await?;
                seen.ids.extend(ids.iter().flatten());
                Answer::Ids(ids)
            }
            Self::Dequeue { worker, entrypoints, most } => {
                let (worker, entrypoints) = (self::worker(*worker), asked(*entrypoints));
                let jobs = queue.dequeue(&Fetch { worker, entrypoints: &entrypoints, most: *most, lease }).await?;
                seen.claims.extend(jobs.iter().map(|job| (worker, Claim { id: job.id, attempt: job.attempts })));
                let job = |job: Job| {
                    let words = format!("{} {} {:?} {:?}", job.attempts, job.priority, job.payload, job.headers);
                    (job.id, words)
                };
                Answer::Jobs(jobs.into_iter().map(job).collect())
            }
            Self::Finish(ends) => Answer::Ids(finish(queue, seen, ends).await?),
            Self::Heartbeat { worker } => ids(queue.heartbeat(self::worker(*worker), lease, &seen.ids).await?),
            Self::Cancel(index) => ids(queue.cancel(&[id(index)]).await?),
            Self::Delete(index) => ids(queue.delete(&[id(index)]).await?),
            Self::Clear(bits) => match asked(*bits).as_slice() {
                [] => Answer::Count(0),
                names => Answer::Count(queue.clear(Some(names)).await?),
            },
            Self::Requeue(one, other) => {
                let failed = queue.live_jobs().await?.into_iter().filter(|job| job.status == Status::Failed);
                let all: Vec<i64> = failed.map(|job| job.id).collect();
                let failed = |index: &usize| all.get(index % all.len().max(1)).copied().unwrap_or_else(|| id(index));
                ids(queue.requeue(&[failed(one), failed(other)]).await?)
            }
            Self::Reschedule(index, put_off, priority) => {
                ids(queue.reschedule(&[id(index)], if *put_off { later } else { past }, *priority).await?)
            }
            Self::Pause(entrypoint) => Answer::Is(queue.pause(ENTRYPOINTS[*entrypoint]).await?),
            Self::Resume(entrypoint) => Answer::Is(queue.resume(ENTRYPOINTS[*entrypoint]).await?),
        })
    }
}

/// Sets up the three entrypoints. Their backoffs and periods are as long as `long`.
pub async fn configure(queue: &impl Queue, long: Duration) {
    use pgqueuer_client::OnFailure::Delete;
    let few = Settings { max_attempts: Some(2), max_releases: Some(2), ..Settings::default() };
    let fetch = Settings { concurrency_limit: Some(2), backoff_initial: Some(long), ..few.clone() };
    let parse = Settings { on_failure: Some(Delete), backoff_initial: Some(long), ..few.clone() };
    let mail = Settings { rate_limit: Some(4), rate_period: Some(long), backoff_initial: Some(long), ..few };
    for (entrypoint, settings) in ENTRYPOINTS.into_iter().zip([fetch, parse, mail]) {
        queue.configure(entrypoint, settings).await.unwrap();
    }
}
