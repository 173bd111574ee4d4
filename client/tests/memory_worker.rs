//! A worker on a queue in memory, as in a user's tests; and how long many jobs take.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what a test calls may end it with a panic"
)]

use pgqueuer_client::{
    BoxError, Completion, Context, Control, Memory, NewJob, Outcome, Producer, Schedule, Settings, Status, Worker,
};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Many jobs take a second or so, on a slow machine some; were there anything quadratic, minutes.
const NOT_LONG: Duration = Duration::from_secs(30);

fn standing() -> Memory {
    Memory::at("2030-01-01T00:00:00Z".parse().unwrap())
}

async fn nothing(_: Context) {}

/// Runs all jobs of `fetch`.
async fn drain(queue: &Memory) {
    let worker = Worker::builder(queue.clone()).entrypoint("fetch", nothing).concurrency(100).build().unwrap();
    tokio::time::timeout(NOT_LONG, worker.drain()).await.expect("it does not take long").unwrap();
    assert_eq!(queue.jobs(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_thousand_jobs_do_not_take_long() {
    let (queue, begun) = (standing(), Instant::now());
    for n in 0..25_000 {
        queue.enqueue(NewJob::new("fetch").priority(n % 7)).await.unwrap();
    }
    queue.enqueue_many(vec![NewJob::new("fetch"); 25_000]).await.unwrap();
    drain(&queue).await;
    println!("50,000 jobs: {:?}", begun.elapsed());
    assert_eq!(queue.log().len(), 50_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_line_does_not_take_long() {
    let (queue, begun) = (standing(), Instant::now());
    // Before them in every order stand some that are not due.
    queue.enqueue_many(vec![NewJob::new("later").priority(9).delay(Duration::from_secs(60)); 20_000]).await.unwrap();
    queue.enqueue_many(vec![NewJob::new("fetch").priority(9).delay(Duration::from_secs(60)); 20_000]).await.unwrap();
    queue.enqueue_many(vec![NewJob::new("fetch").ordering_key("a"); 5_000]).await.unwrap();
    let worker = Worker::builder(queue.clone()).entrypoint("fetch", nothing).build().unwrap();
    let ended = tokio::time::timeout(NOT_LONG, async {
        tokio::select! {
            drained = worker.drain() => panic!("{drained:?}, and the deferred jobs are there"),
            ended = async { queue.wait_for(&(40_001..=45_000).collect::<Vec<_>>()).await } => ended.unwrap(),
        }
    });
    assert_eq!(ended.await.expect("it does not take long").len(), 5_000);
    println!("5,000 jobs of one key behind 40,000 deferred ones: {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_wait_do_not_take_long() {
    let (queue, begun) = (standing(), Instant::now());
    let waiting: Vec<_> = (0..10_000)
        .map(|_| {
            let queue = queue.clone();
            tokio::spawn(async move {
                let id = queue.enqueue(NewJob::new("fetch")).await.unwrap().unwrap();
                queue.wait_for(&[id]).await.unwrap().remove(0).status
            })
        })
        .collect();
    let worker = Worker::builder(queue.clone()).entrypoint("fetch", nothing).concurrency(100).build().unwrap();
    let work = tokio::spawn(async move { worker.run(std::future::pending()).await });
    for one in waiting {
        let status = tokio::time::timeout(NOT_LONG, one).await.expect("it does not take long").unwrap();
        assert_eq!(status, Status::Successful);
    }
    work.abort();
    println!("10,000 who enqueue and wait: {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_worker_hears_of_a_job_at_once() {
    let queue = standing();
    let worker = Worker::builder(queue.clone()).entrypoint("fetch", nothing).poll_interval(Duration::from_secs(3600));
    let worker = worker.build().unwrap();
    let work = tokio::spawn(async move { worker.run(std::future::pending()).await });
    for _ in 0..20 {
        let id = queue.enqueue(NewJob::new("fetch")).await.unwrap().unwrap();
        tokio::time::timeout(NOT_LONG, queue.wait_for(&[id])).await.expect("at once").unwrap();
    }
    work.abort();
}

#[tokio::test]
async fn a_handler_hears_that_its_job_was_canceled() {
    let (queue, started) = (standing(), Arc::new(Notify::new()));
    let handler = |context: Context<Arc<Notify>>| async move {
        context.state.notify_one();
        context.canceled.cancelled().await;
    };
    let worker = Worker::with_state(queue.clone(), started.clone()).entrypoint("fetch", handler).build().unwrap();
    let id = queue.enqueue(NewJob::new("fetch")).await.unwrap().unwrap();
    let cancel = async {
        started.notified().await;
        queue.cancel(&[id]).await.unwrap();
    };
    let (drained, ()) =
        tokio::time::timeout(NOT_LONG, async { tokio::join!(worker.drain(), cancel) }).await.expect("it hears of it");
    drained.unwrap();
    assert_eq!(queue.status(&[id]).await.unwrap()[0].status, Status::Canceled);
}

#[tokio::test]
async fn retries_come_when_the_clock_is_moved() {
    let (queue, attempts) = (standing(), Arc::new(AtomicUsize::new(0)));
    let handler = |context: Context<Arc<AtomicUsize>>| async move {
        match context.state.fetch_add(1, SeqCst) {
            0 => Ok::<_, BoxError>(Outcome::retry(Duration::from_secs(60))),
            1 => Err("connection refused".into()),
            _ => Ok(Outcome::Done),
        }
    };
    let worker = Worker::with_state(queue.clone(), attempts.clone()).entrypoint("fetch", handler).build().unwrap();
    let id = queue.enqueue(NewJob::new("fetch")).await.unwrap().unwrap();
    let work = tokio::spawn(async move { worker.drain().await });
    for (attempt, error) in [(1, None), (2, Some("connection refused"))] {
        let is_there = || queue.jobs()[0].attempts == attempt && queue.jobs()[0].status == Status::Queued;
        tokio::time::timeout(NOT_LONG, async {
            while !is_there() {
                tokio::task::yield_now().await
            }
        })
        .await
        .unwrap();
        let said = queue.status(&[id]).await.unwrap()[0].error.as_ref().map(|error| error["message"].clone());
        assert_eq!(said, error.map(|error| json!(error)));
        queue.advance(Duration::from_secs(60));
    }
    tokio::time::timeout(NOT_LONG, work).await.expect("it is drained").unwrap().unwrap();
    assert_eq!(attempts.load(SeqCst), 3);
    assert_eq!(queue.status(&[id]).await.unwrap()[0].status, Status::Successful);
}

#[tokio::test(start_paused = true)]
async fn a_week_of_a_schedule_passes_in_a_moment() {
    let queue = Memory::new();
    queue.configure("report", Settings { concurrency_limit: Some(1), ..Settings::default() }).await.unwrap();
    queue.schedule(Schedule::new("report", "0 6 * * *").timezone("America/New_York")).await.unwrap();
    let worker = Worker::builder(queue.clone()).entrypoint("report", nothing).build().unwrap();
    let week = tokio::time::sleep(Duration::from_secs(7 * 86_400));
    worker.run(week).await.unwrap();
    let done: Vec<_> = queue.log().into_iter().map(|end| end.outcome).collect();
    assert_eq!(done, [Status::Successful; 7]);
}
