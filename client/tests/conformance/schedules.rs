//! Schedules. What needs exact times is tested with a clock that stands, in `memory.rs`.

use super::*;
use chrono::{DateTime, Utc};
use pgqueuer_client::Schedule;

/// Ticks every second.
fn secondly(name: &str) -> Schedule {
    Schedule::new(name, "* * * * * *")
}

/// Waits until so many jobs of this entrypoint live, and returns them.
async fn jobs_of(queue: &impl Subject, entrypoint: &str, count: usize) -> Vec<LiveJob> {
    eventually("jobs of ticks", async || {
        let jobs = queue.live_jobs().await.unwrap().into_iter().filter(|job| job.entrypoint == entrypoint);
        Some(jobs.collect::<Vec<_>>()).filter(|jobs| jobs.len() >= count)
    })
    .await
}

fn tick(job: &LiveJob) -> DateTime<Utc> {
    job.headers["scheduled_at"].as_str().unwrap().parse().unwrap()
}

pub async fn each_tick_enqueues_a_job(queue: &impl Subject) {
    let schedule = secondly("report").overlap(true);
    queue.schedule(schedule).await.unwrap();
    queue.pass(Duration::from_secs(3)).await;
    let jobs = jobs_of(queue, "report", 3).await;
    for (job, next) in jobs.iter().zip(&jobs[1..]) {
        assert_eq!((tick(next) - tick(job)).num_seconds(), 1, "{jobs:?}");
    }
    assert!(jobs.iter().all(|job| job.headers["schedule"] == "report" && job.headers.len() == 2));
    assert!(jobs.iter().all(|job| job.payload.is_none() && job.priority == 0 && job.status == Status::Queued));
    assert!(jobs.iter().all(|job| tick(job) <= job.created));
}

pub async fn a_tick_has_what_its_schedule_says(queue: &impl Subject) {
    let schedule = secondly("nightly").entrypoint("report").payload("daily").priority(4).ordering_key("order");
    queue.schedule(schedule.header("trace", "1").header("schedule", "not this")).await.unwrap();
    queue.pass(Duration::from_secs(1)).await;
    let job = jobs_of(queue, "report", 1).await.remove(0);
    assert_eq!((job.text().unwrap(), job.priority, job.ordering_key.as_deref()), ("daily", 4, Some("order")));
    assert_eq!((&job.headers["trace"], &job.headers["schedule"]), (&json!("1"), &json!("nightly")));
    assert_eq!(hand(queue).take_one("report").await.id, job.id);
}

pub async fn while_its_last_job_lives_a_schedule_enqueues_none(queue: &impl Subject) {
    queue.schedule(secondly("report")).await.unwrap();
    queue.pass(Duration::from_secs(1)).await;
    jobs_of(queue, "report", 1).await;
    queue.pass(Duration::from_secs(2)).await;
    assert_eq!(jobs_of(queue, "report", 1).await.len(), 1);
    let hand = hand(queue);
    let job = hand.take_one("report").await;
    queue.pass(Duration::from_secs(1)).await;
    assert!(hand.take(&["report"], 1).await.is_empty());
    assert!(hand.complete(&job).await);
    queue.pass(Duration::from_secs(1)).await;
    let next = hand.take_soon("report").await;
    assert!(next.id > job.id);
}

pub async fn a_failed_job_does_not_stop_its_schedule(queue: &impl Subject) {
    queue.schedule(secondly("report")).await.unwrap();
    let hand = hand(queue);
    queue.pass(Duration::from_secs(1)).await;
    let first = hand.take_soon("report").await;
    assert!(hand.end(&first, End::Hold(json!("no"))).await);
    queue.pass(Duration::from_secs(1)).await;
    assert!(hand.take_soon("report").await.id > first.id);
}

pub async fn a_paused_schedule_does_not_tick(queue: &impl Subject) {
    queue.schedule(secondly("report").overlap(true)).await.unwrap();
    assert!(queue.pause_schedule("report").await.unwrap());
    let before = queue.live_jobs().await.unwrap().len();
    queue.pass(Duration::from_millis(1500)).await;
    assert_eq!(queue.live_jobs().await.unwrap().len(), before);
    // A change does not end the pause.
    queue.schedule(secondly("report").overlap(true).priority(1)).await.unwrap();
    assert!(!queue.pause_schedule("report").await.unwrap());
    assert!(queue.resume_schedule("report").await.unwrap());
    queue.pass(Duration::from_secs(1)).await;
    jobs_of(queue, "report", before + 1).await;
}

pub async fn a_schedule_that_is_removed_does_not_tick(queue: &impl Subject) {
    queue.schedule(secondly("report").overlap(true)).await.unwrap();
    queue.pass(Duration::from_secs(1)).await;
    jobs_of(queue, "report", 1).await;
    assert!(queue.unschedule("report").await.unwrap());
    // What it has enqueued stays.
    let before = jobs_of(queue, "report", 1).await.len();
    queue.pass(Duration::from_millis(1500)).await;
    assert_eq!(queue.live_jobs().await.unwrap().len(), before);
}

pub async fn a_schedule_is_known_by_its_name(queue: &impl Subject) {
    let yearly = |name: &str| Schedule::new(name, "@yearly");
    let id = queue.schedule(yearly("report")).await.unwrap();
    let other = queue.schedule(yearly("other")).await.unwrap();
    assert_ne!(id, other);
    assert_eq!(queue.schedule(secondly("report").entrypoint("changed")).await.unwrap(), id);
    queue.pass(Duration::from_secs(1)).await;
    jobs_of(queue, "changed", 1).await;
    assert!(queue.unschedule("report").await.unwrap());
    assert_ne!(queue.schedule(yearly("report")).await.unwrap(), id);
}

pub async fn what_changes_no_schedule_says_so(queue: &impl Subject) {
    queue.schedule(Schedule::new("report", "@yearly")).await.unwrap();
    assert!(!queue.resume_schedule("report").await.unwrap());
    assert!(queue.pause_schedule("report").await.unwrap());
    assert!(!queue.pause_schedule("report").await.unwrap());
    assert!(queue.resume_schedule("report").await.unwrap());
    for name in ["unknown", ""] {
        assert!(!queue.pause_schedule(name).await.unwrap());
        assert!(!queue.resume_schedule(name).await.unwrap());
        assert!(!queue.unschedule(name).await.unwrap());
    }
}

pub async fn a_schedule_that_cannot_be_is_refused(queue: &impl Subject) {
    let daily = |name: &str| Schedule::new(name, "@daily");
    for (schedule, message) in [
        (daily(""), "name must not be empty"),
        (daily(&"x".repeat(256)), "name must be at most 255 bytes long"),
        (daily("report").entrypoint(""), "entrypoint must not be empty"),
        (daily("report").timezone("Mars/Olympus"), "timezone must be a time zone"),
        (daily("report").timezone(""), "timezone must be a time zone"),
        (daily("report").ordering_key("x".repeat(2001)), "ordering_key must be at most 2000 bytes long"),
        (Schedule::new("report", "0 25 * * *"), "cron must be a cron expression"),
        (Schedule::new("report", ""), "cron must be a cron expression"),
        (Schedule::new("report", "0 0 31 2 *"), "cron must name a time that comes"),
    ] {
        refused(queue.schedule(schedule).await, "22023", message);
    }
    let Err(Error::Refused(refusal)) = queue.schedule(Schedule::new("report", "0 25 * * *")).await else {
        panic!("not refused")
    };
    assert_eq!(refusal.detail.as_deref(), Some("hour, character 3: 25 is not in the range 0 to 23."));
    let unknown = queue.schedule(daily("report").timezone("Mars/Olympus")).await.unwrap_err();
    assert!(matches!(unknown, Error::Refused(refusal) if refusal.detail.as_deref() == Some("It is \"Mars/Olympus\".")));
    assert!(!queue.unschedule("report").await.unwrap());
}

pub async fn a_tick_is_heard_of(queue: &impl Subject) {
    let hand = hand(queue);
    let Some(mut signals) = signals(queue, hand.id, &["report"]).await else { return };
    queue.schedule(secondly("report")).await.unwrap();
    let (heard, ()) = tokio::join!(soon("the tick", signals.next()), queue.pass(Duration::from_secs(1)));
    heard.unwrap();
    assert_eq!(hand.take_soon("report").await.headers["schedule"], "report");
}
