//! Dedupe keys: unique among queued and picked jobs.

use super::*;
use pgqueuer_client::OnConflict::{Replace, Skip};

fn keyed(key: &str) -> NewJob {
    NewJob::new("fetch").dedupe_key(key)
}

pub async fn a_key_that_lives_is_refused_and_named(queue: &impl Subject) {
    enqueue(queue, keyed("one")).await;
    let error = queue.enqueue(keyed("one")).await.unwrap_err();
    assert!(error.is_duplicate());
    let Error::Refused(refusal) = &error else { panic!("{error:?}") };
    assert_eq!(refusal.message, "dedupe_key belongs to another job");
    assert!(refusal.detail.as_ref().unwrap().contains("(one)"), "{refusal:?}");
    assert!(refusal.hint.as_ref().unwrap().contains("on_conflict"), "{refusal:?}");
    enqueue(queue, keyed("two")).await;
    assert_eq!(queue.live_jobs().await.unwrap().len(), 2);
}

pub async fn a_key_is_unique_over_all_entrypoints(queue: &impl Subject) {
    enqueue(queue, keyed("one")).await;
    assert!(queue.enqueue(NewJob::new("parse").dedupe_key("one")).await.unwrap_err().is_duplicate());
}

pub async fn a_picked_job_keeps_its_key(queue: &impl Subject) {
    enqueue(queue, keyed("one")).await;
    let hand = hand(queue);
    let job = hand.take_one("fetch").await;
    assert!(queue.enqueue(keyed("one")).await.unwrap_err().is_duplicate());
    assert!(hand.end(&job, End::Retry(HOUR, None)).await);
    assert!(queue.enqueue(keyed("one")).await.unwrap_err().is_duplicate());
}

pub async fn a_key_is_free_once_its_job_has_ended(queue: &impl Subject) {
    let hand = hand(queue);
    enqueue(queue, keyed("one")).await;
    assert!(hand.complete(&hand.take_one("fetch").await).await);
    let second = enqueue(queue, keyed("one")).await;
    queue.cancel(&[second]).await.unwrap();
    let third = enqueue(queue, keyed("one")).await;
    queue.delete(&[third]).await.unwrap();
    enqueue(queue, keyed("one")).await;
}

pub async fn a_job_held_as_failed_gives_its_key_free(queue: &impl Subject) {
    let failed = enqueue_failed(queue, keyed("one"), "fetch").await;
    let living = enqueue(queue, keyed("one")).await;
    assert_eq!(statuses(queue, &[failed, living]).await, [Status::Failed, Status::Queued]);
}

pub async fn skip_enqueues_nothing_where_the_key_lives(queue: &impl Subject) {
    let id = enqueue(queue, keyed("one").payload("first")).await;
    assert_eq!(queue.enqueue(keyed("one").payload("second").on_conflict(Skip)).await.unwrap(), None);
    assert!(queue.enqueue(keyed("two").on_conflict(Skip)).await.unwrap().is_some());
    assert_eq!(live(queue, id).await.text().unwrap(), "first");
    hand(queue).take(&["fetch"], 5).await;
    assert_eq!(queue.enqueue(keyed("one").on_conflict(Skip)).await.unwrap(), None);
}

pub async fn replace_rewrites_the_queued_job(queue: &impl Subject) {
    let first = keyed("one").payload("old").priority(1).header("old", 1).ordering_key("order").delay(HOUR);
    let id = enqueue(queue, first).await;
    let before = live(queue, id).await;
    let new = NewJob::new("parse").dedupe_key("one").payload("new").priority(2).header("new", 2).ordering_key("other");
    assert_eq!(queue.enqueue(new.on_conflict(Replace)).await.unwrap(), Some(id));
    let after = live(queue, id).await;
    assert_eq!((after.text().unwrap(), after.priority), ("new", 2));
    assert_eq!(Value::from(after.headers), json!({ "new": 2 }));
    assert_eq!(after.execute_after, after.created);
    // What it is stays.
    assert_eq!((after.entrypoint.as_str(), after.ordering_key.as_deref()), ("fetch", Some("order")));
    assert_eq!(after.created, before.created);
    assert_eq!(hand(queue).take_one("fetch").await.id, id);
}

pub async fn replace_can_put_a_job_off(queue: &impl Subject) {
    let id = enqueue(queue, keyed("one")).await;
    assert_eq!(queue.enqueue(keyed("one").delay(HOUR).on_conflict(Replace)).await.unwrap(), Some(id));
    assert!(hand(queue).take(&["fetch"], 1).await.is_empty());
}

pub async fn replace_keeps_the_attempts(queue: &impl Subject) {
    enqueue(queue, keyed("one")).await;
    let hand = hand(queue);
    assert!(hand.end(&hand.take_one("fetch").await, End::Retry(HOUR, None)).await);
    enqueue(queue, keyed("one").on_conflict(Replace)).await;
    assert_eq!(hand.take_one("fetch").await.attempts, 1);
}

pub async fn replace_leaves_a_picked_job_alone(queue: &impl Subject) {
    let id = enqueue(queue, keyed("one").payload("old")).await;
    hand(queue).take_one("fetch").await;
    assert_eq!(queue.enqueue(keyed("one").payload("new").on_conflict(Replace)).await.unwrap(), None);
    assert_eq!(live(queue, id).await.text().unwrap(), "old");
    assert_eq!(queue.live_jobs().await.unwrap().len(), 1);
}

pub async fn replace_enqueues_where_the_key_is_free(queue: &impl Subject) {
    let failed = enqueue_failed(queue, keyed("one"), "fetch").await;
    let id = enqueue(queue, keyed("one").on_conflict(Replace)).await;
    assert_ne!(id, failed);
    let without = enqueue(queue, NewJob::new("fetch").on_conflict(Replace)).await;
    assert_eq!(hand(queue).take_ids(&["fetch"], 5).await, [id, without]);
}

pub async fn of_two_with_one_key_in_a_batch_skip_takes_the_first(queue: &impl Subject) {
    let new = |payload: &str| keyed("one").payload(payload).on_conflict(Skip);
    let plain = NewJob::new("fetch").on_conflict(Skip);
    let ids = queue.enqueue_many(vec![new("first"), plain, new("second")]).await.unwrap();
    assert!(matches!(ids.as_slice(), [Some(_), Some(_), None]), "{ids:?}");
    assert_eq!(live(queue, ids[0].unwrap()).await.text().unwrap(), "first");
}

pub async fn of_two_with_one_key_in_a_batch_replace_takes_the_last(queue: &impl Subject) {
    let new = |key: &str, payload: &str| keyed(key).payload(payload).on_conflict(Replace);
    let old = enqueue(queue, keyed("known").payload("old")).await;
    let picked = enqueue(queue, NewJob::new("other").dedupe_key("picked")).await;
    hand(queue).take_one("other").await;
    let jobs = vec![
        new("one", "first"),
        new("known", "first"),
        new("picked", "first"),
        new("one", "second"),
        new("known", "second"),
    ];
    let ids = queue.enqueue_many(jobs).await.unwrap();
    assert_eq!((ids[0], ids[1], ids[2]), (ids[3], Some(old), None));
    assert_eq!(ids[4], Some(old));
    let one = ids[0].unwrap();
    assert!(one > picked);
    assert_eq!(live(queue, one).await.text().unwrap(), "second");
    assert_eq!(live(queue, old).await.text().unwrap(), "second");
    assert_eq!(queue.live_jobs().await.unwrap().len(), 3);
}
