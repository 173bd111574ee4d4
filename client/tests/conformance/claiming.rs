//! Claiming: which jobs, and in which order.

use super::*;
use std::collections::HashSet;

pub async fn the_higher_priority_comes_first(queue: &impl Subject) {
    let jobs = [0, 5, -3, i32::MAX, i32::MIN, 5].map(|priority| NewJob::new("fetch").priority(priority));
    queue.enqueue_many(jobs.to_vec()).await.unwrap();
    let priorities: Vec<i32> = hand(queue).take(&["fetch"], 10).await.iter().map(|job| job.priority).collect();
    assert_eq!(priorities, [i32::MAX, 5, 5, 0, -3, i32::MIN]);
}

pub async fn of_one_priority_the_one_comes_first_that_became_due_first(queue: &impl Subject) {
    let first = enqueue(queue, NewJob::new("fetch")).await;
    queue.pass(Duration::from_millis(1)).await;
    // A start in the past is no earlier than the enqueue.
    let past = "2001-01-01T00:00:00Z".parse().unwrap();
    let second = enqueue(queue, NewJob::new("fetch").execute_after(past)).await;
    let deferred = enqueue(queue, NewJob::new("fetch").delay(SHORT)).await;
    queue.pass(Duration::from_millis(1)).await;
    let third = enqueue(queue, NewJob::new("fetch")).await;
    queue.pass(SHORT).await;
    let last = enqueue(queue, NewJob::new("fetch")).await;
    assert_eq!(hand(queue).take_ids(&["fetch"], 10).await, [first, second, third, deferred, last]);
}

pub async fn of_equals_the_lower_id_comes_first(queue: &impl Subject) {
    let ids = enqueue_plain(queue, "fetch", 30).await;
    assert_eq!(hand(queue).take_ids(&["fetch"], 10).await, ids[..10]);
    assert_eq!(hand(queue).take_ids(&["fetch"], 50).await, ids[10..]);
}

pub async fn the_best_of_several_entrypoints_comes_first(queue: &impl Subject) {
    let new = |entrypoint: &str, priority| NewJob::new(entrypoint).priority(priority);
    let jobs = vec![new("fetch", 1), new("parse", 3), new("other", 9), new("fetch", 2), new("parse", 1)];
    let ids = queue.enqueue_many(jobs).await.unwrap();
    let expected: Vec<i64> = [1, 3, 0, 4].into_iter().filter_map(|place: usize| ids[place]).collect();
    // Named twice is named once.
    assert_eq!(hand(queue).take_ids(&["parse", "fetch", "parse"], 10).await, expected);
}

pub async fn no_more_are_handed_out_than_asked_for(queue: &impl Subject) {
    enqueue_plain(queue, "fetch", 5).await;
    let hand = hand(queue);
    assert_eq!(hand.take(&["fetch"], 2).await.len(), 2);
    assert_eq!(hand.take(&["fetch"], i32::MAX).await.len(), 3);
    assert!(hand.take(&["fetch"], 1).await.is_empty());
}

pub async fn a_deferred_job_is_handed_out_when_it_is_due(queue: &impl Subject) {
    let deferred = enqueue(queue, NewJob::new("fetch").priority(9).delay(SHORT)).await;
    let later = enqueue(queue, NewJob::new("fetch").priority(10).delay(HOUR)).await;
    let now = enqueue(queue, NewJob::new("other")).await;
    let hand = hand(queue);
    assert_eq!(hand.take_ids(&["fetch", "other"], 5).await, [now]);
    queue.pass(SHORT).await;
    assert_eq!(hand.take_ids(&["fetch"], 5).await, [deferred]);
    assert_eq!(status(queue, later).await.status, Status::Queued);
}

pub async fn jobs_of_other_entrypoints_stay(queue: &impl Subject) {
    let ids = enqueue_plain(queue, "fetch", 2).await;
    assert!(hand(queue).take(&["Fetch", "fetc", "fetch "], 5).await.is_empty());
    assert_eq!(statuses(queue, &ids).await, [Status::Queued; 2]);
}

pub async fn two_workers_never_get_the_same_job(queue: &impl Subject) {
    let ids = enqueue_plain(queue, "fetch", 200).await;
    let drain = || async {
        let (hand, mut taken) = (hand(queue), vec![]);
        loop {
            let jobs = hand.take_ids(&["fetch"], 7).await;
            if jobs.is_empty() {
                return taken;
            }
            taken.extend(jobs);
        }
    };
    let (a, b, c, d) = tokio::join!(drain(), drain(), drain(), drain());
    let taken = [a, b, c, d].concat();
    assert_eq!(taken.iter().collect::<HashSet<_>>().len(), taken.len());
    assert_eq!(sorted(taken), ids);
}

pub async fn what_asks_for_nothing_is_refused(queue: &impl Subject) {
    let good = names(&["fetch"]);
    let lease = Duration::from_secs(30);
    let ask = async |entrypoints: &[String], most, lease| {
        queue.dequeue(&Fetch { worker: Uuid::new_v4(), entrypoints, most, lease }).await
    };
    refused(ask(&good, 0, lease).await, "22023", "batch_size must be at least 1");
    refused(ask(&good, -1, lease).await, "22023", "batch_size must be at least 1");
    refused(ask(&[], 1, lease).await, "22023", "entrypoints must name at least one entrypoint");
    refused(ask(&names(&["fetch", ""]), 1, lease).await, "22023", "entrypoints must not be empty");
    refused(ask(&[("x".repeat(256))], 1, lease).await, "22023", "entrypoints must be at most 255 bytes long");
    refused(ask(&good, 1, Duration::ZERO).await, "22023", "lease must be longer than 0");
    refused(ask(&good, 1, 900_000 * HOUR).await, "22023", "lease must be longer than 0, and at most 100 years");
}

pub async fn queued_jobs_are_counted_deferred_ones_too(queue: &impl Subject) {
    enqueue_plain(queue, "fetch", 3).await;
    enqueue(queue, NewJob::new("fetch").delay(HOUR)).await;
    enqueue_plain(queue, "parse", 1).await;
    enqueue_plain(queue, "other", 1).await;
    let asked = names(&["fetch", "parse", "unknown"]);
    assert_eq!(queue.queued(&asked).await.unwrap(), 5);
    let hand = hand(queue);
    let jobs = hand.take(&["fetch"], 2).await;
    assert_eq!(queue.queued(&asked).await.unwrap(), 3);
    assert!(hand.end(&jobs[0], End::Retry(HOUR, None)).await);
    assert!(hand.end(&jobs[1], End::Hold(json!("given up"))).await);
    assert_eq!(queue.queued(&asked).await.unwrap(), 4);
    assert_eq!(queue.queued(&[]).await.unwrap(), 0);
}
