//! What keeps jobs back that could be handed out otherwise: limits, pauses.

use super::*;
use pgqueuer_client::OnFailure;

fn at_once(limit: i32) -> Settings {
    Settings { concurrency_limit: Some(limit), ..Settings::default() }
}

fn rate(limit: i32, period: Duration) -> Settings {
    Settings { rate_limit: Some(limit), rate_period: Some(period), ..Settings::default() }
}

pub async fn a_concurrency_limit_holds_over_all_workers(queue: &impl Subject) {
    enqueue_plain(queue, "fetch", 10).await;
    configure(queue, "fetch", at_once(3)).await;
    assert_eq!(hand(queue).take(&["fetch"], 2).await.len(), 2);
    assert_eq!(hand(queue).take(&["fetch"], 5).await.len(), 1);
    assert!(hand(queue).take(&["fetch"], 5).await.is_empty());
}

pub async fn every_end_of_a_claim_makes_room_under_the_limit(queue: &impl Subject) {
    enqueue_plain(queue, "fetch", 10).await;
    configure(queue, "fetch", at_once(1)).await;
    let hand = hand(queue);
    for end in [End::Complete, End::Retry(HOUR, None), End::Hold(json!("x")), End::Fail(json!("x")), End::Release] {
        let job = hand.take_one("fetch").await;
        assert!(hand.take(&["fetch"], 5).await.is_empty());
        assert!(hand.end(&job, end).await);
    }
    let job = hand.take_one("fetch").await;
    queue.cancel(&[job.id]).await.unwrap();
    hand.take_one("fetch").await;
}

pub async fn a_limited_entrypoint_does_not_keep_back_the_others(queue: &impl Subject) {
    let jobs = [("fetch", 9), ("fetch", 9), ("parse", 0), ("parse", 0)];
    let jobs = jobs.map(|(entrypoint, priority)| NewJob::new(entrypoint).priority(priority));
    let ids: Vec<i64> = queue.enqueue_many(jobs.to_vec()).await.unwrap().into_iter().flatten().collect();
    configure(queue, "fetch", at_once(1)).await;
    assert_eq!(hand(queue).take_ids(&["fetch", "parse"], 5).await, [ids[0], ids[2], ids[3]]);
}

pub async fn a_limit_of_0_is_none(queue: &impl Subject) {
    enqueue_plain(queue, "fetch", 5).await;
    configure(queue, "fetch", Settings { rate_limit: Some(1), rate_period: Some(HOUR), ..at_once(1) }).await;
    assert_eq!(hand(queue).take(&["fetch"], 5).await.len(), 1);
    configure(queue, "fetch", Settings { rate_limit: Some(0), ..at_once(0) }).await;
    assert_eq!(hand(queue).take(&["fetch"], 5).await.len(), 4);
}

pub async fn a_limit_below_what_is_picked_hands_out_nothing(queue: &impl Subject) {
    enqueue_plain(queue, "fetch", 5).await;
    let hand = hand(queue);
    let jobs = hand.take(&["fetch"], 3).await;
    configure(queue, "fetch", at_once(2)).await;
    assert!(hand.complete(&jobs[0]).await);
    assert!(hand.take(&["fetch"], 5).await.is_empty());
    assert!(hand.complete(&jobs[1]).await);
    assert_eq!(hand.take(&["fetch"], 5).await.len(), 1);
}

pub async fn a_rate_limit_holds_over_all_workers(queue: &impl Subject) {
    enqueue_plain(queue, "fetch", 10).await;
    configure(queue, "fetch", rate(3, HOUR)).await;
    let first = hand(queue);
    let jobs = first.take(&["fetch"], 2).await;
    assert_eq!(jobs.len(), 2);
    assert!(first.complete(&jobs[0]).await && first.complete(&jobs[1]).await);
    assert_eq!(hand(queue).take(&["fetch"], 5).await.len(), 1);
    assert!(hand(queue).take(&["fetch"], 5).await.is_empty());
}

pub async fn a_rate_refills_after_its_period(queue: &impl Subject) {
    enqueue_plain(queue, "fetch", 10).await;
    configure(queue, "fetch", rate(3, SHORT)).await;
    assert_eq!(hand(queue).take(&["fetch"], 5).await.len(), 3);
    queue.pass(SHORT).await;
    assert_eq!(hand(queue).take(&["fetch"], 5).await.len(), 3);
}

pub async fn a_claim_that_is_given_back_has_spent_its_rate(queue: &impl Subject) {
    enqueue_plain(queue, "fetch", 2).await;
    configure(queue, "fetch", rate(1, HOUR)).await;
    let hand = hand(queue);
    let job = hand.take_one("fetch").await;
    assert!(hand.release(&job).await);
    assert!(hand.take(&["fetch"], 5).await.is_empty());
}

pub async fn a_paused_entrypoint_hands_out_nothing(queue: &impl Subject) {
    let picked = enqueue(queue, NewJob::new("fetch")).await;
    let hand = hand(queue);
    let job = hand.take_one("fetch").await;
    assert_eq!(job.id, picked);
    assert!(queue.pause("fetch").await.unwrap());
    let waiting = enqueue(queue, NewJob::new("fetch").priority(9)).await;
    let other = enqueue(queue, NewJob::new("parse")).await;
    assert_eq!(hand.take_ids(&["fetch", "parse"], 5).await, [other]);
    assert!(hand.complete(&job).await, "what is picked goes on");
    assert!(queue.resume("fetch").await.unwrap());
    assert_eq!(hand.take_one("fetch").await.id, waiting);
}

pub async fn a_pause_says_whether_it_changed_anything(queue: &impl Subject) {
    assert!(!queue.resume("fetch").await.unwrap());
    assert!(queue.pause("fetch").await.unwrap());
    assert!(!queue.pause("fetch").await.unwrap());
    configure(queue, "fetch", Settings::default()).await;
    assert!(queue.resume("fetch").await.unwrap());
    assert!(!queue.resume("fetch").await.unwrap());
    refused(queue.pause("").await, "22023", "entrypoint must not be empty");
    refused(queue.resume("").await, "22023", "entrypoint must not be empty");
}

pub async fn a_setting_that_is_not_given_stays(queue: &impl Subject) {
    enqueue_plain(queue, "fetch", 3).await;
    configure(queue, "fetch", at_once(1)).await;
    let once = Settings { max_attempts: Some(1), on_failure: Some(OnFailure::Delete), ..Settings::default() };
    configure(queue, "fetch", once).await;
    configure(queue, "fetch", Settings { max_releases: Some(7), ..Settings::default() }).await;
    let hand = hand(queue);
    let job = hand.take_one("fetch").await;
    assert!(hand.take(&["fetch"], 5).await.is_empty());
    assert!(hand.fail(&job).await);
    assert_eq!(status(queue, job.id).await.status, Status::Exception);
}

pub async fn a_setting_out_of_range_is_refused_and_changes_nothing(queue: &impl Subject) {
    let default = Settings::default;
    let long = Some(Duration::from_secs(36_001 * 86_400));
    for (settings, message) in [
        (Settings { concurrency_limit: Some(-1), ..default() }, "concurrency_limit must be at least 0"),
        (Settings { max_attempts: Some(0), ..default() }, "max_attempts must be at least 1"),
        (Settings { max_releases: Some(-1), ..default() }, "max_releases must be at least 0"),
        (Settings { rate_limit: Some(-1), ..default() }, "rate_limit must be at least 0"),
        (Settings { backoff_initial: long, ..default() }, "backoff_initial must be from 0 to 100 years"),
        (Settings { backoff_max: long, ..default() }, "backoff_max must be from 0 to 100 years"),
        (Settings { backoff_multiplier: Some(0.5), ..default() }, "backoff_multiplier must be at least 1"),
        (Settings { backoff_multiplier: Some(f64::NAN), ..default() }, "backoff_multiplier must be at least 1"),
        (Settings { backoff_multiplier: Some(f64::INFINITY), ..default() }, "backoff_multiplier must be at least 1"),
        (Settings { rate_period: Some(Duration::ZERO), ..default() }, "rate_period must be longer than 0"),
        (Settings { rate_period: long, ..default() }, "rate_period must be longer than 0, and at most 100 years"),
    ] {
        let settings = Settings { rate_limit: settings.rate_limit.or(Some(1)), ..settings };
        refused(queue.configure("fetch", settings).await, "22023", message);
    }
    refused(queue.configure("", default()).await, "22023", "entrypoint must not be empty");
    enqueue_plain(queue, "fetch", 3).await;
    assert_eq!(hand(queue).take(&["fetch"], 5).await.len(), 3);
}
