//! What became of jobs, and waiting for it.

use super::*;
use futures_util::TryStreamExt;

pub async fn status_leaves_out_what_is_not_known(queue: &impl Subject) {
    let ids = enqueue_plain(queue, "fetch", 3).await;
    let asked = [ids[2], 1_000_000, ids[0], ids[2], -1];
    let known: Vec<i64> = queue.status(&asked).await.unwrap().iter().map(|job| job.id).collect();
    assert_eq!(known, [ids[0], ids[2]]);
    assert_eq!(queue.status(&[]).await.unwrap(), []);
}

pub async fn status_follows_a_job_on_its_way(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch")).await;
    let hand = hand(queue);
    let seen = async || {
        let job = status(queue, id).await;
        (job.status, job.attempts, job.error, job.finished_at.is_some())
    };
    assert_eq!(seen().await, (Status::Queued, 0, None, false));
    let job = hand.take_one("fetch").await;
    assert_eq!(seen().await, (Status::Picked, 0, None, false));
    assert!(hand.end(&job, End::Retry(Duration::ZERO, Some("later".into()))).await);
    assert_eq!(seen().await, (Status::Queued, 1, Some(json!("later")), false));
    let job = hand.take_one("fetch").await;
    assert_eq!(seen().await, (Status::Picked, 1, Some(json!("later")), false));
    assert!(hand.end(&job, End::Hold(json!("no"))).await);
    assert_eq!(seen().await, (Status::Failed, 2, Some(json!("no")), true));
    queue.requeue(&[id]).await.unwrap();
    assert_eq!(seen().await, (Status::Queued, 0, Some(json!("no")), false));
    assert!(hand.complete(&hand.take_one("fetch").await).await);
    assert_eq!(seen().await, (Status::Successful, 0, None, true));
}

pub async fn who_waits_for_ended_or_unknown_jobs_need_not_wait(queue: &impl Subject) {
    let ids = enqueue_plain(queue, "fetch", 2).await;
    queue.cancel(&ids).await.unwrap();
    let ended = soon("the end", queue.wait_for(&[ids[1], 1_000_000, ids[0]])).await.unwrap();
    assert_eq!(
        ended.iter().map(|job| (job.id, job.status)).collect::<Vec<_>>(),
        [(ids[0], Status::Canceled), (ids[1], Status::Canceled)]
    );
    assert_eq!(soon("the end", queue.wait_for(&[])).await.unwrap(), []);
}

pub async fn a_wait_ends_with_the_last_of_its_jobs(queue: &impl Subject) {
    let ids = enqueue_plain(queue, "fetch", 5).await;
    let hand = hand(queue);
    let jobs = hand.take(&["fetch"], 3).await;
    let mut wait = queue.wait_for(&ids);
    // It is waiting by the time that the first job ends.
    tokio::select! {
        biased;
        _ = &mut wait => panic!("no job has ended"),
        () = queue.pass(SHORT) => {}
    }
    let ends = [End::Complete, End::Hold(json!("no")), End::Complete];
    for (job, end) in jobs.iter().zip(ends) {
        assert!(hand.end(job, end).await);
    }
    queue.cancel(&ids[3..4]).await.unwrap();
    tokio::select! {
        biased;
        _ = &mut wait => panic!("one job is left"),
        () = queue.pass(Duration::from_millis(50)) => {}
    }
    queue.delete(&ids[4..]).await.unwrap();
    let ended = soon("the end", wait).await.unwrap();
    let statuses: Vec<Status> = ended.iter().map(|job| job.status).collect();
    let expected = [Status::Successful, Status::Failed, Status::Successful, Status::Canceled, Status::Deleted];
    assert_eq!(statuses, expected);
}

pub async fn a_job_that_is_tried_again_has_not_ended(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch")).await;
    let hand = hand(queue);
    let work = async {
        assert!(hand.end(&hand.take_one("fetch").await, End::Retry(Duration::ZERO, None)).await);
        assert!(hand.complete(&hand.take_one("fetch").await).await);
    };
    let ids = [id];
    let (ended, ()) = tokio::join!(soon("the end", queue.wait_for(&ids)), work);
    assert_eq!((ended.as_ref().unwrap()[0].status, ended.unwrap()[0].attempts), (Status::Successful, 1));
}

pub async fn jobs_come_as_they_end(queue: &impl Subject) {
    let ids = enqueue_plain(queue, "fetch", 4).await;
    queue.delete(&ids[3..]).await.unwrap();
    let hand = hand(queue);
    let jobs = hand.take(&["fetch"], 3).await;
    let asked = [&ids[..], &[1_000_000]].concat();
    let mut ends = queue.completions(&asked);
    for (place, status) in [(3, Status::Deleted), (1, Status::Successful), (0, Status::Failed), (2, Status::Canceled)] {
        match status {
            Status::Successful => assert!(hand.complete(&jobs[place]).await),
            Status::Failed => assert!(hand.end(&jobs[place], End::Hold(json!("no"))).await),
            Status::Canceled => assert_eq!(queue.cancel(&ids[place..=place]).await.unwrap().len(), 1),
            _ => {}
        }
        let ended = soon("a job ends", ends.try_next()).await.unwrap().unwrap();
        assert_eq!((ended.id, ended.status), (ids[place], status));
        assert!(ended.finished_at.is_some());
    }
    assert_eq!(soon("the stream ends", ends.try_next()).await.unwrap(), None);
}

pub async fn a_wait_can_be_given_up(queue: &impl Subject) {
    let ids = enqueue_plain(queue, "fetch", 1).await;
    let given_up = tokio::time::timeout(Duration::from_millis(50), queue.wait_for(&ids)).await;
    assert!(given_up.is_err());
    queue.cancel(&ids).await.unwrap();
    assert_eq!(soon("the end", queue.wait_for(&ids)).await.unwrap().len(), 1);
}

pub async fn a_lost_worker_ends_a_wait(queue: &impl Subject) {
    let id = enqueue(queue, NewJob::new("fetch")).await;
    configure(queue, "fetch", Settings { max_releases: Some(1), ..Settings::default() }).await;
    Hand { lease: SHORT, ..hand(queue) }.take_one("fetch").await;
    let ids = [id];
    let (ended, ()) = tokio::join!(soon("the end", queue.wait_for(&ids)), queue.pass(SHORT));
    assert_eq!(ended.unwrap()[0].status, Status::Failed);
}
