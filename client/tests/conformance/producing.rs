//! Enqueueing.

use super::*;
use chrono::{DateTime, Utc};
use pgqueuer_client::OnConflict;

pub async fn ids_rise_in_the_order_of_enqueue(queue: &impl Subject) {
    let first = enqueue(queue, NewJob::new("fetch")).await;
    let many = enqueue_plain(queue, "parse", 3).await;
    let last = enqueue(queue, NewJob::new("fetch")).await;
    let ids: Vec<i64> = [vec![first], many, vec![last]].concat();
    assert_eq!(ids.len(), 5);
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
}

pub async fn a_job_without_anything_has_the_defaults(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch")).await;
    let job = live(queue, id).await;
    assert_eq!((job.entrypoint.as_str(), job.payload, job.priority, job.attempts), ("fetch", None, 0, 0));
    assert_eq!((job.status, job.worker, job.picked), (Status::Queued, None, None));
    assert_eq!((job.dedupe_key, job.ordering_key, job.headers.len()), (None, None, 0));
    assert_eq!(job.execute_after, job.created);
    assert!(log(queue, id).await.is_empty());
}

pub async fn the_worker_gets_what_was_enqueued(queue: &impl Subject) {
    let start: DateTime<Utc> = "2020-02-29T12:00:00.000001Z".parse().unwrap();
    let new = NewJob::new("naïve €").json(&json!({ "to": "you" })).unwrap().priority(-7).execute_after(start);
    let new = new.dedupe_key("the key").ordering_key("the order").header("trace", json!({ "id": [1, null] }));
    let id = enqueue(queue, new.header("a", "b")).await;
    let hand = hand(queue);
    let job = hand.take_one("naïve €").await;
    assert_eq!((job.id, job.entrypoint.as_str(), job.priority, job.attempts), (id, "naïve €", -7, 0));
    assert_eq!(job.json::<Value>().unwrap(), json!({ "to": "you" }));
    assert_eq!((job.dedupe_key.as_deref(), job.ordering_key.as_deref()), (Some("the key"), Some("the order")));
    assert_eq!(Value::from(job.headers.clone()), json!({ "trace": { "id": [1, null] }, "a": "b" }));
    assert_eq!(job.execute_after, start);
    assert!(job.created <= job.picked);
    let seen = live(queue, id).await;
    assert_eq!((seen.status, seen.worker, seen.picked), (Status::Picked, Some(hand.id), Some(job.picked)));
}

pub async fn no_payload_and_an_empty_one_are_two_things(queue: &impl Subject) {
    queue.enqueue(NewJob::new("empty").payload("")).await.unwrap();
    queue.enqueue_many(vec![NewJob::new("empty"), NewJob::new("empty").payload([0, 255])]).await.unwrap();
    let payloads: Vec<_> = hand(queue).take(&["empty"], 5).await.into_iter().map(|job| job.payload).collect();
    assert_eq!(payloads, [Some(vec![]), None, Some(vec![0, 255])]);
}

pub async fn a_batch_answers_in_its_order(queue: &impl Subject) {
    let jobs = (0..20).map(|n| NewJob::new(if n % 2 == 0 { "even" } else { "odd" }).json(&n).unwrap().priority(n % 3));
    let ids = queue.enqueue_many(jobs.collect()).await.unwrap();
    let jobs = queue.live_jobs().await.unwrap();
    for (n, id) in ids.into_iter().enumerate() {
        let job = jobs.iter().find(|job| Some(job.id) == id).unwrap();
        assert_eq!(job.json::<usize>().unwrap(), n);
        assert_eq!((job.entrypoint == "even", job.priority), (n % 2 == 0, n as i32 % 3));
    }
}

pub async fn each_of_a_batch_has_its_own_start(queue: &impl Subject) {
    let at: DateTime<Utc> = "2100-01-01T00:00:00Z".parse().unwrap();
    let new = || NewJob::new("fetch");
    let ids = queue.enqueue_many(vec![new(), new().delay(HOUR), new().execute_after(at)]).await.unwrap();
    let jobs = queue.live_jobs().await.unwrap();
    assert_eq!(jobs.iter().map(|job| Some(job.id)).collect::<Vec<_>>(), ids);
    assert_eq!(jobs[2].execute_after, at);
    let deferred = (jobs[1].execute_after - jobs[1].created).as_seconds_f64();
    assert!((deferred - HOUR.as_secs_f64()).abs() < 60.0, "{deferred}");
    assert_eq!(hand(queue).take_ids(&["fetch"], 5).await, [jobs[0].id]);
}

pub async fn an_empty_batch_is_nothing(queue: &impl Subject) {
    assert_eq!(queue.enqueue_many(vec![]).await.unwrap(), []);
    assert_eq!(queue.live_jobs().await.unwrap(), []);
}

pub async fn a_batch_that_fails_enqueues_nothing(queue: &impl Subject) {
    let good = || NewJob::new("fetch");
    refused(queue.enqueue_many(vec![good(), NewJob::new("")]).await, "22023", "entrypoints must not be empty");
    refused(
        queue.enqueue_many(vec![good(), good().dedupe_key("x".repeat(2001))]).await,
        "22023",
        "dedupe_keys must be",
    );
    let twice = vec![good(), good().dedupe_key("one"), good().dedupe_key("one")];
    refused(queue.enqueue_many(twice).await, "23505", "dedupe_key belongs to another job");
    assert_eq!(queue.live_jobs().await.unwrap(), []);
}

pub async fn a_batch_must_agree_in_on_conflict(queue: &impl Subject) {
    let jobs = vec![NewJob::new("fetch"), NewJob::new("fetch").on_conflict(OnConflict::Skip)];
    assert!(matches!(queue.enqueue_many(jobs).await, Err(Error::Option(_))));
    assert_eq!(queue.live_jobs().await.unwrap(), []);
}

pub async fn an_entrypoint_has_1_to_255_bytes(queue: &impl Subject) {
    refused(queue.enqueue(NewJob::new("")).await, "22023", "entrypoint must not be empty");
    let long = "é".repeat(128);
    refused(queue.enqueue(NewJob::new(long.as_str())).await, "22023", "entrypoint must be at most 255 bytes long");
    enqueue(queue, NewJob::new(&long[..254])).await;
    enqueue(queue, NewJob::new("x".repeat(255))).await;
}

pub async fn a_key_has_2000_bytes_at_most(queue: &impl Subject) {
    let long = "x".repeat(2001);
    let new = || NewJob::new("fetch");
    refused(
        queue.enqueue(new().dedupe_key(long.as_str())).await,
        "22023",
        "dedupe_key must be at most 2000 bytes long",
    );
    refused(queue.enqueue(new().ordering_key(long.as_str())).await, "22023", "ordering_key must be at most 2000");
    enqueue(queue, new().dedupe_key(&long[..2000]).ordering_key(&long[..2000])).await;
}

pub async fn a_text_with_a_nul_is_refused(queue: &impl Subject) {
    let new = || NewJob::new("fetch");
    for job in [NewJob::new("a\0b"), new().dedupe_key("a\0b"), new().ordering_key("a\0b")] {
        refused(queue.enqueue(job).await, "22021", "invalid byte sequence");
    }
    for job in [new().header("a", "b\0"), new().header("a\0", 1), new().header("a", json!([{ "b": "\0" }]))] {
        refused(queue.enqueue(job).await, "22P05", "unsupported Unicode escape sequence");
    }
    enqueue(queue, new().payload("a\0b")).await;
}

pub async fn a_delay_beyond_all_times_is_refused(queue: &impl Subject) {
    refused(queue.enqueue(NewJob::new("fetch").delay(Duration::MAX)).await, "22008", "");
    assert_eq!(queue.live_jobs().await.unwrap(), []);
}

pub async fn a_job_may_be_put_off_for_ever(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch").execute_after(DateTime::<Utc>::MAX_UTC)).await;
    assert_eq!(live(queue, id).await.execute_after, DateTime::<Utc>::MAX_UTC);
    assert!(hand(queue).take(&["fetch"], 1).await.is_empty());
    let jobs = vec![NewJob::new("fetch").execute_after(DateTime::<Utc>::MIN_UTC), NewJob::new("fetch")];
    assert_eq!(queue.enqueue_many(jobs).await.unwrap().len(), 2);
    assert_eq!(hand(queue).take(&["fetch"], 5).await.len(), 2);
}
