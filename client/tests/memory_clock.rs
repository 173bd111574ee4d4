//! What only a queue in memory can show: exact times, and time that passes by itself.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what a test calls may end it with a panic"
)]

use chrono::{DateTime, TimeDelta, Utc};
use pgqueuer_client::testing::LiveJob;
use pgqueuer_client::{
    Backend, CatchUp, Claim, Completion, Control, End, Ended, Fetch, Job, Memory, NewJob, Producer, Schedule, Settings,
    Signal, Status,
};
use std::time::{Duration, Instant};
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(30);

fn date(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

async fn take(queue: &Memory, worker: Uuid, most: i32) -> Vec<Job> {
    let entrypoints = ["fetch".to_owned()];
    queue.dequeue(&Fetch { worker, entrypoints: &entrypoints, most, lease: LEASE }).await.unwrap()
}

async fn complete(queue: &Memory, worker: Uuid, job: &Job) -> bool {
    let claim = Claim { id: job.id, attempt: job.attempts };
    !queue.finish(worker, &[Ended { claim, end: End::Complete }]).await.unwrap().is_empty()
}

fn ticks(jobs: &[LiveJob]) -> Vec<&str> {
    jobs.iter().filter_map(|job| job.headers["scheduled_at"].as_str()).collect()
}

#[tokio::test]
async fn a_standing_clock_moves_when_it_is_told_to() {
    let queue = Memory::at(date("2030-01-01T00:00:00Z"));
    assert_eq!(queue.now(), date("2030-01-01T00:00:00Z"));
    queue.clone().advance(Duration::from_micros(1_500_000));
    assert_eq!(queue.now(), date("2030-01-01T00:00:01.5Z"));
    queue.enqueue(NewJob::new("fetch")).await.unwrap();
    assert_eq!(queue.jobs()[0].created, date("2030-01-01T00:00:01.5Z"));
}

#[tokio::test]
async fn what_falls_due_meanwhile_happens_at_its_own_time() {
    let queue = Memory::at(date("2030-01-01T00:00:00Z"));
    queue.enqueue(NewJob::new("fetch")).await.unwrap();
    take(&queue, Uuid::new_v4(), 1).await;
    queue.schedule(Schedule::new("report", "* * * * * */20").overlap(true)).await.unwrap();
    queue.advance(seconds(70));
    assert_eq!(queue.log()[0].finished, date("2030-01-01T00:00:30Z"));
    let created: Vec<_> = queue.jobs().iter().skip(1).map(|job| job.created.format("%M:%S").to_string()).collect();
    assert_eq!(created, ["00:20", "00:40", "01:00"]);
}

#[tokio::test]
async fn a_schedule_ticks_by_the_clock_of_its_zone() {
    // At 2:30 on the last Sunday of March there is no such time in Berlin; in October there are two.
    for (start, days, expected) in [
        ("2030-03-30T00:00:00Z", 2, ["2030-03-30T01:30:00+00:00", "2030-03-31T01:00:00+00:00"]),
        ("2030-10-26T00:00:00Z", 2, ["2030-10-26T00:30:00+00:00", "2030-10-27T00:30:00+00:00"]),
    ] {
        let queue = Memory::at(date(start));
        let nightly = Schedule::new("nightly", "30 2 * * *").timezone("europe/berlin").overlap(true);
        queue.schedule(nightly).await.unwrap();
        queue.advance(seconds(days * 86_400));
        assert_eq!(ticks(&queue.jobs()), expected);
    }
}

#[tokio::test]
async fn a_change_that_leaves_the_expression_keeps_the_beat() {
    let queue = Memory::at(date("2030-01-01T00:00:30Z"));
    let minutely = || Schedule::new("report", "* * * * *").overlap(true);
    queue.schedule(minutely()).await.unwrap();
    queue.schedule(minutely().priority(3)).await.unwrap();
    queue.advance(seconds(30));
    assert_eq!(queue.jobs()[0].priority, 3);
    queue.schedule(Schedule::new("report", "*/5 * * * *").overlap(true)).await.unwrap();
    queue.advance(seconds(600));
    assert_eq!(ticks(&queue.jobs())[1..], ["2030-01-01T00:05:00+00:00", "2030-01-01T00:10:00+00:00"]);
}

#[tokio::test]
async fn a_pause_is_not_made_up_for() {
    let queue = Memory::at(date("2030-01-01T00:00:30Z"));
    queue.schedule(Schedule::new("report", "* * * * *").catch_up(CatchUp::All).overlap(true)).await.unwrap();
    queue.pause_schedule("report").await.unwrap();
    queue.advance(seconds(300));
    queue.resume_schedule("report").await.unwrap();
    queue.advance(seconds(60));
    assert_eq!(ticks(&queue.jobs()), ["2030-01-01T00:06:00+00:00"]);
}

#[tokio::test]
async fn catch_up_decides_what_becomes_of_missed_ticks() {
    let all = ["00:01", "00:02", "00:03"];
    for (catch_up, overlap, expected) in [
        (CatchUp::Skip, true, &all[..0]),
        (CatchUp::One, true, &all[2..]),
        (CatchUp::All, true, &all[..]),
        (CatchUp::All, false, &all[..]),
    ] {
        let queue = Memory::at(date("2030-01-01T00:00:30Z"));
        let schedule = Schedule::new("report", "* * * * *").catch_up(catch_up).overlap(overlap);
        queue.schedule(schedule).await.unwrap();
        queue.outage(seconds(170));
        let jobs = queue.jobs();
        let fired: Vec<_> = ticks(&jobs).into_iter().map(|tick| &tick[11..16]).collect();
        assert_eq!(fired, expected, "{catch_up:?}");
        assert!(jobs.iter().all(|job| job.created == queue.now()));
        // Then it goes on, unless one is still live.
        queue.advance(seconds(60));
        let live = !overlap && !expected.is_empty();
        assert_eq!(queue.jobs().len(), expected.len() + usize::from(!live), "{catch_up:?}");
    }
}

#[tokio::test]
async fn after_an_outage_those_who_hold_jobs_have_one_lease_to_be_heard_of() {
    let queue = Memory::at(date("2030-01-01T00:00:00Z"));
    queue.enqueue_many(vec![NewJob::new("fetch"); 3]).await.unwrap();
    let worker = Uuid::new_v4();
    let old = take(&queue, worker, 1).await.remove(0);
    let other = take(&queue, worker, 1).await.remove(0);
    queue.advance(seconds(5));
    let young = take(&queue, worker, 1).await.remove(0);
    queue.outage(seconds(3600));
    assert!(complete(&queue, worker, &old).await);
    assert!(!complete(&queue, worker, &young).await, "it was not written down yet");
    let status = queue.status(&[young.id]).await.unwrap().remove(0);
    assert_eq!((status.status, status.attempts), (Status::Queued, 0));
    queue.advance(LEASE);
    assert_eq!(queue.status(&[other.id]).await.unwrap()[0].attempts, 1);
}

#[tokio::test]
async fn a_rate_is_that_of_any_stretch_of_its_period() {
    let queue = Memory::at(date("2030-01-01T00:00:00Z"));
    let rate = Settings { rate_limit: Some(2), rate_period: Some(seconds(10)), ..Settings::default() };
    queue.configure("fetch", rate).await.unwrap();
    queue.enqueue_many(vec![NewJob::new("fetch"); 10]).await.unwrap();
    let worker = Uuid::new_v4();
    let mut taken = vec![];
    for pause in [0, 6, 3, 1, 5, 1, 3, 1] {
        queue.advance(seconds(pause));
        taken.push(take(&queue, worker, if taken.is_empty() { 1 } else { 5 }).await.len());
    }
    // At 0, 6, 9, 10, 15, 16, 19, 20.
    assert_eq!(taken, [1, 1, 0, 1, 0, 1, 0, 1]);
}

#[tokio::test]
async fn what_ended_a_week_ago_is_forgotten() {
    let queue = Memory::at(date("2030-01-01T00:00:00Z"));
    let ids: Vec<i64> =
        queue.enqueue_many(vec![NewJob::new("fetch"); 2]).await.unwrap().into_iter().flatten().collect();
    queue.cancel(&ids[..1]).await.unwrap();
    queue.advance(seconds(7 * 86_400 + 1));
    queue.cancel(&ids[1..]).await.unwrap();
    assert_eq!(queue.status(&ids).await.unwrap().iter().map(|job| job.id).collect::<Vec<_>>(), ids[1..]);
    assert_eq!(queue.log().len(), 1);
}

#[tokio::test]
async fn who_waits_hears_of_a_clock_that_is_moved() {
    let queue = Memory::at(date("2030-01-01T00:00:00Z"));
    queue.configure("fetch", Settings { max_releases: Some(1), ..Settings::default() }).await.unwrap();
    let id = queue.enqueue(NewJob::new("fetch").delay(seconds(60))).await.unwrap().unwrap();
    let (worker, listening) = (Uuid::new_v4(), queue.clone());
    let listener = tokio::spawn(async move {
        let mut signals = listening.signals(worker, &["fetch".to_owned()]).await.unwrap().unwrap();
        assert_eq!(signals.next().await.unwrap(), Signal::Work);
        take(&listening, worker, 1).await.remove(0)
    });
    tokio::task::yield_now().await;
    assert!(!listener.is_finished());
    queue.advance(seconds(60));
    assert_eq!(listener.await.unwrap().id, id);
    let waiting = queue.clone();
    let waiter = tokio::spawn(async move { waiting.wait_for(&[id]).await.unwrap() });
    tokio::task::yield_now().await;
    queue.advance(LEASE);
    assert_eq!(waiter.await.unwrap()[0].status, Status::Failed);
}

#[tokio::test]
async fn a_running_clock_tells_of_what_falls_due() {
    let queue = Memory::new();
    let begun = Instant::now();
    let entrypoints = ["fetch".to_owned()];
    let mut signals = queue.signals(Uuid::new_v4(), &entrypoints).await.unwrap().unwrap();
    queue.enqueue(NewJob::new("fetch").delay(Duration::from_millis(100))).await.unwrap();
    assert_eq!(signals.next().await.unwrap(), Signal::Work);
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_millis(99) && waited < seconds(5), "{waited:?}");
    assert_eq!(take(&queue, Uuid::new_v4(), 1).await.len(), 1);
    // One that is due sooner than what somebody waits for.
    queue.enqueue(NewJob::new("fetch").delay(seconds(3600))).await.unwrap();
    let sooner = async {
        tokio::task::yield_now().await;
        queue.enqueue(NewJob::new("fetch").delay(Duration::from_millis(50))).await.unwrap();
    };
    let (signal, ()) = tokio::join!(signals.next(), sooner);
    assert_eq!(signal.unwrap(), Signal::Work);
    assert_eq!(take(&queue, Uuid::new_v4(), 5).await.len(), 1);
    let apart = queue.now() - Utc::now();
    assert!(apart.abs() < TimeDelta::seconds(5), "{apart}");
}

#[tokio::test(start_paused = true)]
async fn a_running_clock_goes_with_the_one_that_a_test_has_paused() {
    let queue = Memory::new();
    queue.configure("fetch", Settings { max_releases: Some(1), ..Settings::default() }).await.unwrap();
    queue.schedule(Schedule::new("fetch", "0 * * * *")).await.unwrap();
    let entrypoints = ["fetch".to_owned()];
    let mut signals = queue.signals(Uuid::new_v4(), &entrypoints).await.unwrap().unwrap();
    assert_eq!(signals.next().await.unwrap(), Signal::Work);
    let job = take(&queue, Uuid::new_v4(), 1).await.remove(0);
    assert_eq!(job.headers["schedule"], "fetch");
    // Nobody beats: the lease ends, and with it the wait.
    assert_eq!(queue.wait_for(&[job.id]).await.unwrap()[0].status, Status::Failed);
}

#[tokio::test]
async fn a_running_clock_can_be_moved_ahead() {
    let queue = Memory::new();
    let id = queue.enqueue(NewJob::new("fetch").delay(seconds(3600))).await.unwrap();
    queue.advance(seconds(3600));
    assert_eq!(take(&queue, Uuid::new_v4(), 1).await.first().map(|job| job.id), id);
}

#[tokio::test]
async fn who_waits_by_a_running_clock_waits_less_when_it_is_moved() {
    let queue = Memory::new();
    queue.enqueue(NewJob::new("fetch").delay(seconds(3600))).await.unwrap();
    let mut signals = queue.signals(Uuid::new_v4(), &["fetch".to_owned()]).await.unwrap().unwrap();
    let moved = async {
        tokio::task::yield_now().await;
        // Nothing falls due by it yet.
        queue.advance(seconds(3600) - Duration::from_millis(200));
    };
    let waited = tokio::time::timeout(seconds(20), async { tokio::join!(signals.next(), moved) });
    assert_eq!(waited.await.expect("the rest of the time").0.unwrap(), Signal::Work);
}
