//! Leases: what keeps a worker's claims.

use super::*;
use pgqueuer_client::OnFailure;

/// A worker that is not heard of for long.
fn silent<S: Subject>(queue: &S) -> Hand<'_, S> {
    Hand { lease: SHORT, ..hand(queue) }
}

pub async fn a_worker_that_is_not_heard_of_loses_its_jobs(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch")).await;
    let (lost, other) = (silent(queue), hand(queue));
    let job = lost.take_one("fetch").await;
    queue.pass(SHORT).await;
    let again = other.take_soon("fetch").await;
    assert_eq!((again.id, again.attempts), (id, 1));
    assert!(!lost.complete(&job).await);
    assert_eq!(queue.heartbeat(lost.id, HOUR, &[id]).await.unwrap(), [id]);
    assert_eq!(log(queue, id).await, [(0, Status::Released, None)]);
    let released = queue.logged_ends().await.unwrap().remove(0);
    assert_eq!((released.worker, released.picked), (Some(lost.id), Some(job.picked)));
    assert!(other.complete(&again).await);
}

pub async fn a_heartbeat_keeps_its_claims(queue: &impl Subject) {
    enqueue(queue, NewJob::new("fetch")).await;
    let hand = silent(queue);
    let job = hand.take_one("fetch").await;
    assert_eq!(queue.heartbeat(hand.id, HOUR, &[job.id]).await.unwrap(), NOTHING);
    queue.pass(2 * SHORT).await;
    assert_eq!(queue.heartbeat(hand.id, HOUR, &[job.id]).await.unwrap(), NOTHING);
    assert!(hand.complete(&job).await);
}

pub async fn asking_for_jobs_is_a_sign_of_life(queue: &impl Subject) {
    enqueue(queue, NewJob::new("fetch")).await;
    let mut hand = silent(queue);
    let job = hand.take_one("fetch").await;
    hand.lease = HOUR;
    assert!(hand.take(&["fetch"], 1).await.is_empty());
    queue.pass(2 * SHORT).await;
    assert!(hand.complete(&job).await);
}

pub async fn a_heartbeat_tells_what_the_worker_does_not_hold(queue: &impl Subject) {
    let ids = enqueue_plain(queue, "fetch", 4).await;
    let (worker, other) = (hand(queue), hand(queue));
    let jobs = worker.take(&["fetch"], 2).await;
    other.take(&["fetch"], 1).await;
    queue.cancel(&[jobs[1].id]).await.unwrap();
    let held = [ids[3], ids[0], ids[1], ids[2], 1_000_000];
    // Queued, canceled, held by another, unknown.
    let lost = queue.heartbeat(worker.id, HOUR, &held).await.unwrap();
    assert_eq!(lost, [ids[3], ids[1], ids[2], 1_000_000]);
    assert_eq!(queue.heartbeat(worker.id, HOUR, &[]).await.unwrap(), NOTHING);
}

pub async fn a_lease_is_longer_than_0(queue: &impl Subject) {
    let worker = Uuid::new_v4();
    refused(queue.heartbeat(worker, Duration::ZERO, &[]).await, "22023", "lease must be longer than 0");
    refused(queue.heartbeat(worker, 900_000 * HOUR, &[]).await, "22023", "lease must be longer than 0, and at most");
}

pub async fn a_job_that_was_lost_too_often_is_held(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch")).await;
    configure(queue, "fetch", Settings { max_releases: Some(2), ..Settings::default() }).await;
    for attempt in 0..2 {
        let job = silent(queue).take_soon("fetch").await;
        assert_eq!(job.attempts, attempt);
        queue.pass(SHORT).await;
    }
    eventually("it is held", async || (status(queue, id).await.status == Status::Failed).then_some(())).await;
    let known = status(queue, id).await;
    assert_eq!(known.attempts, 2);
    assert!(known.error.unwrap().as_str().unwrap().starts_with("released too often"));
    let outcomes: Vec<_> = log(queue, id).await.into_iter().map(|(attempt, outcome, _)| (attempt, outcome)).collect();
    assert_eq!(outcomes, [(0, Status::Released), (1, Status::Failed)]);
}

pub async fn a_job_that_was_lost_too_often_is_gone_where_the_setting_says_so(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch")).await;
    let settings = Settings { max_releases: Some(0), on_failure: Some(OnFailure::Delete), ..Settings::default() };
    configure(queue, "fetch", settings).await;
    silent(queue).take_one("fetch").await;
    queue.pass(SHORT).await;
    eventually("it is gone", async || (status(queue, id).await.status == Status::Exception).then_some(())).await;
    assert_eq!(queue.live_jobs().await.unwrap(), []);
}

pub async fn a_lost_job_does_not_count_as_failed(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch")).await;
    configure(queue, "fetch", Settings { max_attempts: Some(2), ..Settings::default() }).await;
    silent(queue).take_one("fetch").await;
    queue.pass(SHORT).await;
    let hand = hand(queue);
    assert!(hand.fail(&hand.take_soon("fetch").await).await);
    assert_eq!(status(queue, id).await.status, Status::Queued);
}

pub async fn a_lost_job_frees_its_place_under_the_limit_and_keeps_its_place_in_its_line(queue: &impl Subject) {
    let new = || NewJob::new("fetch").ordering_key("a");
    let first = enqueue(queue, new()).await;
    enqueue(queue, new()).await;
    configure(queue, "fetch", Settings { concurrency_limit: Some(1), ..Settings::default() }).await;
    silent(queue).take_one("fetch").await;
    queue.pass(SHORT).await;
    assert_eq!(hand(queue).take_soon("fetch").await.id, first);
}

pub async fn a_worker_loses_its_jobs_some_time_after_it_hears_no_more(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch")).await;
    let hand = hand(queue);
    let Some(signals) = signals(queue, hand.id, &["fetch"]).await else { return };
    hand.take_one("fetch").await;
    drop(signals);
    queue.pass(Duration::from_secs(2)).await;
    let again = super::hand(queue).take_soon("fetch").await;
    assert_eq!((again.id, again.attempts), (id, 1));
}
