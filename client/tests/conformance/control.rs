//! What an administrator does to jobs.

use super::*;

/// A queued, a picked and a failed job, and who holds the picked one.
async fn one_of_each<S: Subject>(queue: &S) -> ([i64; 3], Job, Hand<'_, S>) {
    let failed = enqueue_failed(queue, NewJob::new("fetch"), "fetch").await;
    enqueue(queue, NewJob::new("fetch")).await;
    let hand = hand(queue);
    let picked = hand.take_one("fetch").await;
    let queued = enqueue(queue, NewJob::new("fetch")).await;
    ([queued, picked.id, failed], picked, hand)
}

pub async fn cancel_ends_jobs_whatever_they_are(queue: &impl Subject) {
    let ([queued, picked, failed], job, hand) = one_of_each(queue).await;
    let asked = [1_000_000, failed, queued, failed, picked];
    assert_eq!(queue.cancel(&asked).await.unwrap(), [failed, queued, picked]);
    assert_eq!(queue.live_jobs().await.unwrap(), []);
    assert_eq!(statuses(queue, &[queued, picked, failed]).await, [Status::Canceled; 3]);
    assert!(!hand.complete(&job).await);
    let known = status(queue, picked).await;
    assert_eq!((known.attempts, known.error), (0, None));
    assert!(known.finished_at.is_some());
    let ends = queue.logged_ends().await.unwrap();
    let end = ends.iter().find(|end| end.job_id == picked).unwrap();
    assert_eq!((end.worker, end.picked), (Some(hand.id), Some(job.picked)));
    assert_eq!(queue.cancel(&asked).await.unwrap(), NOTHING);
}

pub async fn delete_leaves_picked_jobs_alone(queue: &impl Subject) {
    let ([queued, picked, failed], job, hand) = one_of_each(queue).await;
    assert_eq!(queue.delete(&[picked, failed, queued, 1_000_000]).await.unwrap(), [failed, queued]);
    assert_eq!(statuses(queue, &[queued, failed]).await, [Status::Deleted; 2]);
    assert!(hand.complete(&job).await);
}

pub async fn clear_deletes_what_is_queued(queue: &impl Subject) {
    let ([queued, picked, failed], ..) = one_of_each(queue).await;
    let deferred = enqueue(queue, NewJob::new("fetch").delay(HOUR)).await;
    let other = enqueue(queue, NewJob::new("parse")).await;
    assert_eq!(queue.clear(Some(&names(&["fetch", "unknown"]))).await.unwrap(), 2);
    let expected = [Status::Failed, Status::Picked, Status::Deleted, Status::Deleted, Status::Queued];
    assert_eq!(statuses(queue, &[queued, picked, failed, deferred, other]).await, expected);
    assert_eq!(queue.clear(None).await.unwrap(), 1);
    assert_eq!(queue.clear(None).await.unwrap(), 0);
    refused(queue.clear(Some(&[])).await, "22023", "entrypoints must name at least one entrypoint");
    refused(queue.clear(Some(&names(&[""]))).await, "22023", "entrypoints must not be empty");
}

pub async fn a_requeued_job_is_as_if_never_tried(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch").execute_after("2020-01-01T00:00:00Z".parse().unwrap())).await;
    let settings = Settings { max_attempts: Some(2), backoff_initial: Some(Duration::ZERO), ..Settings::default() };
    configure(queue, "fetch", settings).await;
    let hand = hand(queue);
    for _ in 0..2 {
        assert!(hand.fail(&hand.take_one("fetch").await).await);
    }
    assert_eq!(status(queue, id).await.status, Status::Failed);
    let earlier = enqueue(queue, NewJob::new("fetch")).await;
    queue.pass(Duration::from_millis(1)).await;
    assert_eq!(queue.requeue(&[id]).await.unwrap(), [id]);
    let known = status(queue, id).await;
    assert_eq!((known.status, known.attempts, known.finished_at), (Status::Queued, 0, None));
    // Due now: behind what was due before.
    let jobs = hand.take(&["fetch"], 5).await;
    assert_eq!(jobs.iter().map(|job| (job.id, job.attempts)).collect::<Vec<_>>(), [(earlier, 0), (id, 0)]);
    assert!(hand.fail(&jobs[1]).await);
    assert_eq!(status(queue, id).await.status, Status::Queued, "failures count anew");
}

pub async fn requeue_leaves_out_what_is_not_failed(queue: &impl Subject) {
    let ([queued, picked, failed], ..) = one_of_each(queue).await;
    assert_eq!(queue.requeue(&[picked, failed, queued, 1_000_000, failed]).await.unwrap(), [failed]);
    assert_eq!(queue.requeue(&[failed]).await.unwrap(), NOTHING);
}

pub async fn requeue_leaves_out_a_key_that_lives_again(queue: &impl Subject) {
    let keyed = |key: &str| NewJob::new("fetch").dedupe_key(key);
    let first = enqueue_failed(queue, keyed("one"), "fetch").await;
    let second = enqueue_failed(queue, keyed("one"), "fetch").await;
    let other = enqueue_failed(queue, keyed("two"), "fetch").await;
    let living = enqueue(queue, keyed("one")).await;
    assert_eq!(queue.requeue(&[second, first, other]).await.unwrap(), [other]);
    queue.cancel(&[living]).await.unwrap();
    // Of two with one key, the earlier.
    assert_eq!(queue.requeue(&[second, first]).await.unwrap(), [first]);
    assert!(queue.enqueue(keyed("one")).await.unwrap_err().is_duplicate());
}

pub async fn a_queued_job_can_be_rescheduled(queue: &impl Subject) {
    let ids = enqueue_plain(queue, "fetch", 3).await;
    let later = "2100-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(queue.reschedule(&[ids[1], ids[0]], later, None).await.unwrap(), [ids[1], ids[0]]);
    let hand = hand(queue);
    assert_eq!(hand.take_ids(&["fetch"], 5).await, [ids[2]]);
    let created = live(queue, ids[0]).await.created;
    let past = "2001-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(queue.reschedule(&ids[..1], created, None).await.unwrap(), ids[..1]);
    assert_eq!(queue.reschedule(&ids[1..2], past, Some(7)).await.unwrap(), ids[1..2]);
    let jobs = hand.take(&["fetch"], 5).await;
    assert_eq!(jobs.iter().map(|job| (job.id, job.priority)).collect::<Vec<_>>(), [(ids[1], 7), (ids[0], 0)]);
    assert_eq!(jobs[0].execute_after, past);
}

pub async fn reschedule_leaves_out_what_is_not_queued(queue: &impl Subject) {
    let ([queued, picked, failed], job, hand) = one_of_each(queue).await;
    let asked = [failed, queued, picked, 1_000_000, queued];
    assert_eq!(queue.reschedule(&asked, "2100-01-01T00:00:00Z".parse().unwrap(), Some(3)).await.unwrap(), [queued]);
    assert_eq!(live(queue, picked).await.priority, 0);
    assert!(hand.complete(&job).await);
}

pub async fn nothing_is_done_to_no_jobs(queue: &impl Subject) {
    assert_eq!(queue.cancel(&[]).await.unwrap(), NOTHING);
    assert_eq!(queue.delete(&[]).await.unwrap(), NOTHING);
    assert_eq!(queue.requeue(&[]).await.unwrap(), NOTHING);
    assert_eq!(queue.reschedule(&[], "2100-01-01T00:00:00Z".parse().unwrap(), None).await.unwrap(), NOTHING);
}

pub async fn live_jobs_are_counted_by_entrypoint_priority_and_status(queue: &impl Subject) {
    assert_eq!(queue.queue_size().await.unwrap(), []);
    one_of_each(queue).await;
    let jobs = vec![NewJob::new("fetch"), NewJob::new("fetch").priority(5), NewJob::new("archive").priority(-1)];
    queue.enqueue_many(jobs).await.unwrap();
    let sizes = queue.queue_size().await.unwrap();
    let sizes: Vec<_> = sizes.iter().map(|s| (s.entrypoint.as_str(), s.priority, s.status, s.count)).collect();
    let expected = [
        ("archive", -1, Status::Queued, 1),
        ("fetch", 5, Status::Queued, 1),
        ("fetch", 0, Status::Queued, 2),
        ("fetch", 0, Status::Picked, 1),
        ("fetch", 0, Status::Failed, 1),
    ];
    assert_eq!(sizes, expected);
}
