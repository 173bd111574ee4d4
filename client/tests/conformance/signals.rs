//! What a worker hears. Where a queue can only be polled these see nothing.

use super::*;
use pgqueuer_client::Signal;

/// Who listens for jobs of `fetch`.
async fn listener<S: Subject>(queue: &S) -> Option<(Hand<'_, S>, Box<dyn Signals>)> {
    let hand = hand(queue);
    let signals = signals(queue, hand.id, &["fetch", "parse"]).await?;
    Some((hand, signals))
}

/// Asks for a job, and after that only when told to.
async fn take_when_told<S: Subject>(hand: &Hand<'_, S>, signals: &mut Box<dyn Signals>) -> Job {
    let told = async {
        loop {
            if let Some(job) = hand.take(&["fetch"], 1).await.pop() {
                return job;
            }
            while signals.next().await.unwrap() != Signal::Work {}
        }
    };
    soon("a job", told).await
}

pub async fn an_enqueue_is_heard_of(queue: &impl Subject) {
    let Some((hand, mut signals)) = listener(queue).await else { return };
    for n in 0..3 {
        let enqueued = async {
            queue.pass(Duration::from_millis(30)).await;
            let job = NewJob::new("fetch");
            if n == 0 { enqueue(queue, job).await } else { queue.enqueue_many(vec![job]).await.unwrap()[0].unwrap() }
        };
        let (job, id) = tokio::join!(take_when_told(&hand, &mut signals), enqueued);
        assert_eq!(job.id, id);
    }
}

pub async fn a_job_that_falls_due_is_heard_of(queue: &impl Subject) {
    let Some((hand, mut signals)) = listener(queue).await else { return };
    let id = enqueue(queue, NewJob::new("fetch").delay(SHORT)).await;
    let (job, ()) = tokio::join!(take_when_told(&hand, &mut signals), queue.pass(SHORT));
    assert_eq!(job.id, id);
    assert!(hand.end(&job, End::Retry(SHORT, None)).await);
    let (job, ()) = tokio::join!(take_when_told(&hand, &mut signals), queue.pass(SHORT));
    assert_eq!((job.id, job.attempts), (id, 1));
}

pub async fn a_cancellation_is_heard_of(queue: &impl Subject) {
    let Some((hand, mut signals)) = listener(queue).await else { return };
    let queued = enqueue(queue, NewJob::new("parse").delay(HOUR)).await;
    let ids = enqueue_plain(queue, "fetch", 3).await;
    hand.take(&["fetch"], 2).await;
    queue.cancel(&[ids[0], ids[1], ids[2], queued]).await.unwrap();
    let told = async {
        loop {
            if let Signal::Canceled(told) = signals.next().await.unwrap() {
                return told;
            }
        }
    };
    // Those that nobody held are nobody's business.
    assert_eq!(sorted(soon("the cancellation", told).await), ids[..2]);
}

pub async fn a_place_under_the_limit_is_heard_of(queue: &impl Subject) {
    let Some((hand, mut signals)) = listener(queue).await else { return };
    configure(queue, "fetch", Settings { concurrency_limit: Some(1), ..Settings::default() }).await;
    let ids = enqueue_plain(queue, "fetch", 2).await;
    let other = super::hand(queue);
    let first = other.take_one("fetch").await;
    let ends = async {
        queue.pass(Duration::from_millis(30)).await;
        assert!(other.complete(&first).await);
    };
    let (job, ()) = tokio::join!(take_when_told(&hand, &mut signals), ends);
    assert_eq!(job.id, ids[1]);
}

pub async fn the_next_of_an_ordering_key_is_heard_of(queue: &impl Subject) {
    let Some((hand, mut signals)) = listener(queue).await else { return };
    let ids = queue.enqueue_many(vec![NewJob::new("fetch").ordering_key("a"); 2]).await.unwrap();
    let other = super::hand(queue);
    let first = other.take_one("fetch").await;
    let ends = async {
        queue.pass(Duration::from_millis(30)).await;
        assert!(other.complete(&first).await);
    };
    let (job, ()) = tokio::join!(take_when_told(&hand, &mut signals), ends);
    assert_eq!(Some(job.id), ids[1]);
}

pub async fn a_claim_that_is_given_back_is_heard_of(queue: &impl Subject) {
    let Some((hand, mut signals)) = listener(queue).await else { return };
    let id = enqueue(queue, NewJob::new("fetch")).await;
    let other = super::hand(queue);
    let first = other.take_one("fetch").await;
    let released = async {
        queue.pass(Duration::from_millis(30)).await;
        assert!(other.release(&first).await);
    };
    let (job, ()) = tokio::join!(take_when_told(&hand, &mut signals), released);
    assert_eq!(job.id, id);
}

pub async fn a_lost_worker_is_heard_of(queue: &impl Subject) {
    let Some((hand, mut signals)) = listener(queue).await else { return };
    let id = enqueue(queue, NewJob::new("fetch")).await;
    Hand { lease: SHORT, ..super::hand(queue) }.take_one("fetch").await;
    let (job, ()) = tokio::join!(take_when_told(&hand, &mut signals), queue.pass(SHORT));
    assert_eq!((job.id, job.attempts), (id, 1));
}

pub async fn a_rate_that_refills_is_heard_of(queue: &impl Subject) {
    let Some((hand, mut signals)) = listener(queue).await else { return };
    let rate = Settings { rate_limit: Some(1), rate_period: Some(SHORT), ..Settings::default() };
    configure(queue, "fetch", rate).await;
    let ids = enqueue_plain(queue, "fetch", 2).await;
    assert_eq!(super::hand(queue).take_ids(&["fetch"], 1).await, ids[..1]);
    let (job, ()) = tokio::join!(take_when_told(&hand, &mut signals), queue.pass(SHORT));
    assert_eq!(job.id, ids[1]);
}

pub async fn what_an_administrator_lets_go_on_is_heard_of(queue: &impl Subject) {
    let Some((hand, mut signals)) = listener(queue).await else { return };
    queue.pause("fetch").await.unwrap();
    configure(queue, "fetch", Settings { concurrency_limit: Some(1), ..Settings::default() }).await;
    let ids = enqueue_plain(queue, "fetch", 2).await;
    let resumed = async {
        queue.pass(Duration::from_millis(30)).await;
        queue.resume("fetch").await.unwrap();
    };
    let (job, _) = tokio::join!(take_when_told(&hand, &mut signals), resumed);
    assert_eq!(job.id, ids[0]);
    let configured = async {
        queue.pass(Duration::from_millis(30)).await;
        configure(queue, "fetch", Settings { concurrency_limit: Some(2), ..Settings::default() }).await;
    };
    let (job, ()) = tokio::join!(take_when_told(&hand, &mut signals), configured);
    assert_eq!(job.id, ids[1]);
    assert!(hand.end(&job, End::Hold(json!("no"))).await);
    let requeued = async {
        queue.pass(Duration::from_millis(30)).await;
        queue.requeue(&ids[1..]).await.unwrap();
    };
    let (job, ()) = tokio::join!(take_when_told(&hand, &mut signals), requeued);
    assert_eq!(job.id, ids[1]);
    assert!(hand.end(&job, End::Retry(HOUR, None)).await);
    let rescheduled = async {
        queue.pass(Duration::from_millis(30)).await;
        queue.reschedule(&ids[1..], job.created, None).await.unwrap();
    };
    let (job, ()) = tokio::join!(take_when_told(&hand, &mut signals), rescheduled);
    assert_eq!(job.id, ids[1]);
}

pub async fn who_listens_for_nothing_is_refused(queue: &impl Subject) {
    if listener(queue).await.is_some() {
        let refusal = queue.signals(Uuid::new_v4(), &[]).await.map(|_| ());
        refused(refusal, "22023", "entrypoints must name at least one entrypoint");
    }
}
