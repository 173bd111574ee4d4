//! How claims end, and the fence before it.

use super::*;
use pgqueuer_client::OnFailure;

/// Settings of a backoff that a test can wait for.
fn backoff(initial: Duration, max: Duration) -> Settings {
    Settings { backoff_initial: Some(initial), backoff_max: Some(max), ..Settings::default() }
}

fn attempts(most: i32) -> Settings {
    Settings { max_attempts: Some(most), ..Settings::default() }
}

pub async fn a_completed_job_is_gone_and_logged(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch").priority(3)).await;
    let hand = hand(queue);
    let job = hand.take_one("fetch").await;
    assert!(hand.complete(&job).await);
    assert_eq!(queue.live_jobs().await.unwrap(), []);
    let known = status(queue, id).await;
    assert_eq!((known.status, known.attempts, known.error), (Status::Successful, 0, None));
    assert!(known.finished_at.unwrap() >= job.picked);
    let ends = queue.logged_ends().await.unwrap();
    assert_eq!(ends.len(), 1);
    let end = &ends[0];
    assert_eq!((end.job_id, end.entrypoint.as_str(), end.priority, end.attempts), (id, "fetch", 3, 0));
    assert_eq!((end.worker, end.outcome, &end.error), (Some(hand.id), Status::Successful, &None));
    assert_eq!((end.created, end.picked), (job.created, Some(job.picked)));
    assert_eq!(Some(end.finished), known.finished_at);
}

pub async fn a_failed_attempt_is_tried_again_after_its_backoff(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch")).await;
    configure(queue, "fetch", backoff(HOUR, 2 * HOUR)).await;
    let hand = hand(queue);
    let error = json!({ "message": "connection refused", "code": 111 });
    assert!(hand.end(&hand.take_one("fetch").await, End::Fail(error.clone())).await);
    let known = status(queue, id).await;
    assert_eq!((known.status, known.attempts, known.finished_at), (Status::Queued, 1, None));
    assert_eq!(known.error, Some(error.clone()));
    assert_eq!(log(queue, id).await, [(0, Status::Retried, Some(error))]);
    assert!(hand.take(&["fetch"], 1).await.is_empty());
    configure(queue, "fetch", backoff(SHORT, SHORT)).await;
    queue.reschedule(&[id], live(queue, id).await.created, None).await.unwrap();
    assert!(hand.fail(&hand.take_one("fetch").await).await);
    queue.pass(SHORT).await;
    assert_eq!(hand.take_one("fetch").await.attempts, 2);
}

pub async fn each_backoff_is_the_last_one_multiplied_up_to_the_longest(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch")).await;
    let [initial, max] = [100, 500].map(Duration::from_secs);
    let settings = Settings { backoff_multiplier: Some(3.0), max_attempts: Some(9), ..backoff(initial, max) };
    configure(queue, "fetch", settings).await;
    let hand = hand(queue);
    let mut delays = vec![];
    for _ in 0..4 {
        let job = hand.take_one("fetch").await;
        assert!(hand.fail(&job).await);
        let finished = queue.logged_ends().await.unwrap().pop().unwrap().finished;
        let queued = live(queue, id).await;
        delays.push((queued.execute_after - finished).num_seconds());
        queue.reschedule(&[id], queued.created, None).await.unwrap();
    }
    assert_eq!(delays, [100, 300, 500, 500]);
}

pub async fn a_job_that_has_failed_too_often_is_held(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch")).await;
    configure(queue, "fetch", Settings { max_attempts: Some(2), ..backoff(Duration::ZERO, HOUR) }).await;
    let hand = hand(queue);
    assert!(hand.fail(&hand.take_one("fetch").await).await);
    let second = hand.take_one("fetch").await;
    assert!(hand.end(&second, End::Fail(json!("the last"))).await);
    let known = status(queue, id).await;
    assert_eq!((known.status, known.attempts, known.error), (Status::Failed, 2, Some(json!("the last"))));
    let held = live(queue, id).await;
    assert_eq!((held.status, held.worker, Some(held.execute_after)), (Status::Failed, None, known.finished_at));
    assert!(hand.take(&["fetch"], 1).await.is_empty());
    let outcomes = [(0, Status::Retried, Some(json!("it failed"))), (1, Status::Failed, Some(json!("the last")))];
    assert_eq!(log(queue, id).await, outcomes);
}

pub async fn a_job_that_has_failed_too_often_is_gone_where_the_setting_says_so(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch")).await;
    configure(queue, "fetch", Settings { on_failure: Some(OnFailure::Delete), ..attempts(1) }).await;
    let hand = hand(queue);
    assert!(hand.fail(&hand.take_one("fetch").await).await);
    assert_eq!(queue.live_jobs().await.unwrap(), []);
    let known = status(queue, id).await;
    assert_eq!((known.status, known.attempts, known.error), (Status::Exception, 0, Some(json!("it failed"))));
    assert!(known.finished_at.is_some());
}

pub async fn a_retry_does_not_count_as_a_failure(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch")).await;
    configure(queue, "fetch", Settings { max_attempts: Some(2), ..backoff(Duration::ZERO, HOUR) }).await;
    let hand = hand(queue);
    for attempt in 0..3 {
        let job = hand.take_one("fetch").await;
        assert_eq!(job.attempts, attempt);
        assert!(hand.end(&job, End::Retry(Duration::ZERO, None)).await);
    }
    assert!(hand.fail(&hand.take_one("fetch").await).await);
    assert_eq!(status(queue, id).await.status, Status::Queued);
    let last = hand.take_one("fetch").await;
    assert_eq!(last.attempts, 4);
    assert!(hand.fail(&last).await);
    assert_eq!(status(queue, id).await.status, Status::Failed);
}

pub async fn a_retry_waits_for_its_delay_and_says_why(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch")).await;
    let hand = hand(queue);
    let reason = Some("rate limited".to_owned());
    assert!(hand.end(&hand.take_one("fetch").await, End::Retry(SHORT, reason)).await);
    let first = queue.logged_ends().await.unwrap().remove(0);
    assert_eq!((first.outcome, first.error), (Status::Retried, Some(json!("rate limited"))));
    let delay = (live(queue, id).await.execute_after - first.finished).to_std().unwrap();
    assert_eq!(delay, SHORT);
    queue.pass(SHORT).await;
    assert!(hand.end(&hand.take_one("fetch").await, End::Retry(HOUR, None)).await);
    assert!(hand.take(&["fetch"], 1).await.is_empty());
    let known = status(queue, id).await;
    assert_eq!((known.status, known.attempts, known.error), (Status::Queued, 2, None));
}

pub async fn a_job_can_be_held_whatever_attempts_are_left(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch")).await;
    configure(queue, "fetch", Settings { on_failure: Some(OnFailure::Delete), ..attempts(9) }).await;
    let hand = hand(queue);
    assert!(hand.end(&hand.take_one("fetch").await, End::Hold(json!({ "message": "no such user" }))).await);
    let known = status(queue, id).await;
    assert_eq!((known.status, known.attempts), (Status::Failed, 1));
    assert_eq!(known.error, Some(json!({ "message": "no such user" })));
}

pub async fn each_of_a_batch_ends_in_its_own_way(queue: &impl Subject) {
    let ids = enqueue_plain(queue, "fetch", 7).await;
    configure(queue, "fetch", backoff(HOUR, HOUR)).await;
    let hand = hand(queue);
    let jobs = hand.take(&["fetch"], 6).await;
    let ends = [
        End::Hold(json!("given up")),
        End::Complete,
        End::Retry(HOUR, Some("later".into())),
        End::Fail(json!("it failed")),
        End::Complete,
        End::Release,
    ];
    let mut ended: Vec<Ended> = jobs.iter().zip(ends).map(|(job, end)| Ended { claim: claim(job), end }).collect();
    ended.push(Ended { claim: Claim { id: ids[6], attempt: 0 }, end: End::Complete });
    assert_eq!(sorted(queue.finish(hand.id, &ended).await.unwrap()), ids[..6]);
    use Status::{Failed, Queued, Successful};
    let expected = [Failed, Successful, Queued, Queued, Successful, Queued, Queued];
    assert_eq!(statuses(queue, &ids).await, expected);
    assert_eq!(queue.finish(hand.id, &[]).await.unwrap(), NOTHING);
}

pub async fn another_worker_cannot_end_a_claim(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch")).await;
    let (holder, other) = (hand(queue), hand(queue));
    let job = holder.take_one("fetch").await;
    for end in [End::Complete, End::Fail(json!("x")), End::Retry(HOUR, None), End::Hold(json!("x")), End::Release] {
        assert!(!other.end(&job, end).await);
    }
    assert_eq!(status(queue, id).await.status, Status::Picked);
    assert!(holder.complete(&job).await);
}

pub async fn an_earlier_attempt_cannot_be_ended(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch")).await;
    let hand = hand(queue);
    let first = hand.take_one("fetch").await;
    assert!(hand.end(&first, End::Retry(Duration::ZERO, None)).await);
    let second = hand.take_one("fetch").await;
    for end in [End::Complete, End::Fail(json!("x")), End::Retry(HOUR, None), End::Hold(json!("x")), End::Release] {
        assert!(!hand.end(&first, end).await);
    }
    assert_eq!(status(queue, id).await.status, Status::Picked);
    assert!(hand.complete(&second).await);
}

pub async fn a_claim_ends_once(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch")).await;
    let hand = hand(queue);
    let job = hand.take_one("fetch").await;
    assert!(hand.complete(&job).await);
    assert!(!hand.complete(&job).await);
    assert!(!hand.fail(&job).await);
    assert_eq!(log(queue, id).await.len(), 1);
    assert!(!hand.release(&job).await);
    let unknown = Ended { claim: Claim { id: id + 1000, attempt: 0 }, end: End::Complete };
    assert_eq!(queue.finish(hand.id, &[unknown]).await.unwrap(), NOTHING);
}

pub async fn a_released_claim_is_as_if_it_had_never_been(queue: &impl Subject) {
    let ids = enqueue_plain(queue, "fetch", 3).await;
    let hand = hand(queue);
    let jobs = hand.take(&["fetch"], 3).await;
    let ended: Vec<Ended> = jobs[..2].iter().map(|job| Ended { claim: claim(job), end: End::Release }).collect();
    assert_eq!(sorted(queue.finish(hand.id, &ended).await.unwrap()), ids[..2]);
    let again = hand.take(&["fetch"], 5).await;
    assert_eq!(again.iter().map(|job| (job.id, job.attempts)).collect::<Vec<_>>(), [(ids[0], 0), (ids[1], 0)]);
    assert!(log(queue, ids[0]).await.is_empty());
}

pub async fn what_the_log_cannot_keep_is_refused(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch")).await;
    let hand = hand(queue);
    let job = hand.take_one("fetch").await;
    let end = async |end| queue.finish(hand.id, &[Ended { claim: claim(&job), end }]).await;
    refused(end(End::Fail(json!("a\0b"))).await, "22P05", "unsupported Unicode escape sequence");
    refused(end(End::Hold(json!(["a\0b"]))).await, "22P05", "unsupported Unicode escape sequence");
    refused(end(End::Retry(HOUR, Some("a\0b".into()))).await, "22021", "invalid byte sequence");
    refused(end(End::Retry(Duration::MAX, None)).await, "22008", "");
    assert_eq!(status(queue, id).await.status, Status::Picked);
}
