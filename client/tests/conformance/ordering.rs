//! Ordering keys: jobs of one entrypoint with one key run one at a time, lowest id first.

use super::*;

fn line(key: &str) -> NewJob {
    NewJob::new("ledger").ordering_key(key)
}

/// The next job of the ledger, which is the only one that can be claimed.
async fn next<S: Subject>(hand: &Hand<'_, S>) -> Job {
    hand.take_one("ledger").await
}

pub async fn jobs_of_one_key_run_one_at_a_time_in_order(queue: &impl Subject) {
    let ids = queue.enqueue_many(vec![line("a"); 3]).await.unwrap();
    let hand = hand(queue);
    for id in ids {
        let job = next(&hand).await;
        assert_eq!(Some(job.id), id);
        assert!(hand.take(&["ledger"], 5).await.is_empty());
        assert!(hand.complete(&job).await);
    }
}

pub async fn priority_is_not_looked_at_within_a_key(queue: &impl Subject) {
    let first = enqueue(queue, line("a").priority(-1)).await;
    let second = enqueue(queue, line("a").priority(9)).await;
    let other = enqueue(queue, NewJob::new("ledger")).await;
    let hand = hand(queue);
    let jobs = hand.take(&["ledger"], 5).await;
    assert_eq!(jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [other, first]);
    assert!(hand.complete(&jobs[1]).await);
    assert_eq!(next(&hand).await.id, second);
}

pub async fn different_keys_run_side_by_side(queue: &impl Subject) {
    let ids = queue.enqueue_many(vec![line("a"), line("b"), line("a"), line("b")]).await.unwrap();
    assert_eq!(hand(queue).take_ids(&["ledger"], 5).await, [ids[0].unwrap(), ids[1].unwrap()]);
}

pub async fn a_key_belongs_to_its_entrypoint(queue: &impl Subject) {
    let first = enqueue(queue, line("a")).await;
    let other = enqueue(queue, NewJob::new("mail").ordering_key("a")).await;
    assert_eq!(hand(queue).take_ids(&["ledger", "mail"], 5).await, [first, other]);
}

pub async fn a_deferred_job_keeps_those_behind_it_waiting(queue: &impl Subject) {
    let first = enqueue(queue, line("a").delay(SHORT)).await;
    let second = enqueue(queue, line("a")).await;
    let hand = hand(queue);
    assert!(hand.take(&["ledger"], 5).await.is_empty());
    queue.pass(SHORT).await;
    let job = next(&hand).await;
    assert_eq!(job.id, first);
    assert!(hand.complete(&job).await);
    assert_eq!(next(&hand).await.id, second);
}

pub async fn a_job_that_waits_for_its_retry_keeps_those_behind_it_waiting(queue: &impl Subject) {
    let first = enqueue(queue, line("a")).await;
    enqueue(queue, line("a")).await;
    let hand = hand(queue);
    assert!(hand.end(&next(&hand).await, End::Retry(HOUR, None)).await);
    assert!(hand.take(&["ledger"], 5).await.is_empty());
    let now = live(queue, first).await.created;
    queue.reschedule(&[first], now, None).await.unwrap();
    assert_eq!(next(&hand).await.id, first);
}

pub async fn a_job_held_as_failed_lets_the_others_pass(queue: &impl Subject) {
    let first = enqueue(queue, line("a")).await;
    let second = enqueue(queue, line("a")).await;
    let hand = hand(queue);
    assert!(hand.end(&next(&hand).await, End::Hold(json!("given up"))).await);
    assert_eq!(status(queue, first).await.status, Status::Failed);
    assert_eq!(next(&hand).await.id, second);
}

pub async fn a_requeued_job_is_first_again_once_the_picked_one_has_ended(queue: &impl Subject) {
    let first = enqueue(queue, line("a")).await;
    let rest = queue.enqueue_many(vec![line("a"); 2]).await.unwrap();
    let hand = hand(queue);
    assert!(hand.end(&next(&hand).await, End::Hold(json!("given up"))).await);
    let second = next(&hand).await;
    assert_eq!(queue.requeue(&[first]).await.unwrap(), [first]);
    assert!(hand.take(&["ledger"], 5).await.is_empty());
    assert!(hand.complete(&second).await);
    let job = next(&hand).await;
    assert_eq!(job.id, first);
    assert!(hand.complete(&job).await);
    assert_eq!(Some(next(&hand).await.id), rest[1]);
}

pub async fn a_requeued_job_comes_before_those_that_wait(queue: &impl Subject) {
    let first = enqueue_failed(queue, line("a"), "ledger").await;
    let second = enqueue(queue, line("a")).await;
    assert_eq!(queue.requeue(&[first]).await.unwrap(), [first]);
    let hand = hand(queue);
    let job = next(&hand).await;
    assert_eq!(job.id, first);
    assert!(hand.complete(&job).await);
    assert_eq!(next(&hand).await.id, second);
}

pub async fn the_next_follows_whatever_becomes_of_the_first(queue: &impl Subject) {
    let ids: Vec<i64> = queue.enqueue_many(vec![line("a"); 5]).await.unwrap().into_iter().flatten().collect();
    let hand = hand(queue);
    // Canceled while it is queued, deleted, canceled while it is picked, given back.
    queue.cancel(&ids[..1]).await.unwrap();
    queue.delete(&ids[1..2]).await.unwrap();
    assert_eq!(next(&hand).await.id, ids[2]);
    queue.cancel(&ids[2..3]).await.unwrap();
    let fourth = next(&hand).await;
    assert_eq!(fourth.id, ids[3]);
    assert!(hand.release(&fourth).await);
    let again = next(&hand).await;
    assert_eq!(again.id, ids[3]);
    assert!(hand.complete(&again).await);
    assert_eq!(next(&hand).await.id, ids[4]);
}

pub async fn one_in_the_middle_can_go(queue: &impl Subject) {
    let ids: Vec<i64> = queue.enqueue_many(vec![line("a"); 3]).await.unwrap().into_iter().flatten().collect();
    queue.delete(&ids[1..2]).await.unwrap();
    let hand = hand(queue);
    let first = next(&hand).await;
    assert_eq!(first.id, ids[0]);
    assert!(hand.complete(&first).await);
    assert_eq!(next(&hand).await.id, ids[2]);
}
