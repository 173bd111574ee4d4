//! Behind pgbouncer in transaction mode: producer, worker and waiting, with a way past it and without one.

use crate::running::{Event, Running, Tell, log_of, only_logged, telling, until_canceled};
use futures_util::TryStreamExt;
use pgqueuer_client::{Completion, Context, Control, NewJob, Postgres, Producer, Status, Worker};
use pgqueuer_e2e::ask::{column, enqueue, run, value};
use pgqueuer_e2e::cluster::{Cluster, database};
use pgqueuer_e2e::pgbouncer::PgBouncer;
use pgqueuer_e2e::until::{until, until_within};
use postgres::Client;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const SOON: Duration = Duration::from_secs(10);
const LONG: Duration = Duration::from_secs(3600);

/// The queue through pgbouncer, and nothing past it.
fn polled(bouncer: &PgBouncer) -> Postgres {
    Postgres::new(&bouncer.address()).unwrap().without_listen()
}

fn until_all_ended_once(session: &mut Client, ids: &[i64]) {
    until_within(Duration::from_secs(60), "all jobs have ended", || {
        (value::<i64>(session, "SELECT count(*) FROM pgq.jobs", &[]) == 0).then_some(())
    });
    let sql = "SELECT job_id FROM pgq.job_log WHERE outcome = 'successful' ORDER BY job_id";
    assert_eq!(column::<i64>(session, sql, &[]), ids);
}

#[test]
fn a_producer_enqueues_controls_and_waits() {
    let database = database();
    let bouncer = PgBouncer::before(&database, &[]);
    let queue = polled(&bouncer);
    Runtime::new().unwrap().block_on(async {
        let one = queue.enqueue(NewJob::new("work").json(&7).unwrap().delay(LONG)).await.unwrap().unwrap();
        let many = queue.enqueue_many(vec![NewJob::new("work"), NewJob::new("other")]).await.unwrap();
        let mut client = queue.pool().get().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        transaction.enqueue(NewJob::new("work")).await.unwrap().unwrap();
        transaction.rollback().await.unwrap();
        drop(client);
        assert_eq!(queue.queue_size().await.unwrap().iter().map(|size| size.count).sum::<i64>(), 3);
        assert!(queue.pause("work").await.unwrap());
        let ids = [one, many[0].unwrap(), many[1].unwrap()];
        let ended = queue.completions(&ids);
        let cancel = async {
            queue.cancel(&ids[1..]).await.unwrap();
            queue.delete(&ids[..1]).await.unwrap();
        };
        let (ended, ()) = tokio::join!(ended.try_collect::<Vec<_>>(), cancel);
        let mut ended: Vec<_> = ended.unwrap().iter().map(|job| (job.id, job.status)).collect();
        ended.sort_unstable_by_key(|(id, _)| *id);
        assert_eq!(ended, [(ids[0], Status::Deleted), (ids[1], Status::Canceled), (ids[2], Status::Canceled)]);
        assert_eq!(queue.wait_for(&ids).await.unwrap().len(), 3);
    });
}

#[test]
fn whoever_gives_up_waiting_holds_up_nobody() {
    let database = database();
    let mut session = database.connect();
    let bouncer = PgBouncer::before(&database, &[("default_pool_size", "1")]);
    let id = value::<i64>(&mut session, "SELECT pgq.enqueue('work', delay => '1 hour')", &[]);
    let queue = polled(&bouncer);
    Runtime::new().unwrap().block_on(async {
        for _ in 0..3 {
            let waited = tokio::time::timeout(Duration::from_millis(300), queue.wait_for(&[id])).await;
            assert!(waited.is_err(), "the job has not ended");
            let begun = Instant::now();
            let status = loop {
                match queue.status(&[id]).await {
                    // Before 1.25, pgbouncer may close the connection of another client when it passes a cancel request on (its
                    // issue 1383), or fail.
                    Err(error) if error.is_transient() && begun.elapsed() < SOON => tokio::task::yield_now().await,
                    answer => break answer,
                }
            };
            assert_eq!(status.unwrap().len(), 1);
            assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        }
    });
}

#[test]
fn a_worker_with_a_way_past_it_is_woken_and_told_at_once() {
    let database = database();
    let mut session = database.connect();
    let bouncer = PgBouncer::before(&database, &[]);
    let queue = Postgres::new(&bouncer.address()).unwrap().listen_at(&database.address()).unwrap();
    let (sender, seen) = channel();
    let worker = telling(queue, sender).entrypoint("long", until_canceled).lease(LONG).poll_interval(LONG);
    let running = Running::start(worker.build().unwrap());
    for _ in 0..5 {
        let id = enqueue(&mut session, "long", 1)[0];
        assert_eq!(seen.recv_timeout(SOON), Ok(Event::Begun(id)));
        let asked = Instant::now();
        run(&mut session, &format!("SELECT pgq.cancel('{{{id}}}')"));
        assert_eq!(seen.recv_timeout(SOON), Ok(Event::Canceled(id)));
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    }
    running.stop().unwrap();
}

#[test]
fn a_worker_without_one_looks_by_the_clock_and_is_told_by_its_heartbeat() {
    let database = database();
    let mut session = database.connect();
    let bouncer = PgBouncer::before(&database, &[]);
    let (sender, seen) = channel();
    let worker = telling(polled(&bouncer), sender).entrypoint("long", until_canceled).lease(Duration::from_secs(3));
    let running = Running::start(worker.poll_interval(Duration::from_millis(50)).build().unwrap());
    let id = enqueue(&mut session, "long", 1)[0];
    assert_eq!(seen.recv_timeout(SOON), Ok(Event::Begun(id)));
    run(&mut session, &format!("SELECT pgq.cancel('{{{id}}}')"));
    assert_eq!(seen.recv_timeout(SOON), Ok(Event::Canceled(id)));
    running.stop().unwrap();
    assert_eq!(only_logged(&mut session, id).outcome, "canceled");
}

#[test]
fn workers_share_two_sessions_of_the_server_and_each_job_ends_once() {
    let database = database();
    let mut session = database.connect();
    let bouncer = PgBouncer::before(&database, &[("default_pool_size", "2")]);
    let ids = enqueue(&mut session, "work", 2000);
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let worker = Worker::builder(polled(&bouncer)).entrypoint("work", |_: Context| async {});
            Running::start(worker.poll_interval(Duration::from_millis(50)).concurrency(20).build().unwrap())
        })
        .collect();
    until_all_ended_once(&mut session, &ids);
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pgqueuer-client'";
    assert!(value::<i64>(&mut session, sessions, &[]) <= 2);
    workers.into_iter().for_each(|worker| worker.stop().unwrap());
}

#[test]
fn what_is_given_back_and_failed_through_it_is_what_it_must_be() {
    let database = database();
    let mut session = database.connect();
    let bouncer = PgBouncer::before(&database, &[]);
    let (sender, seen) = channel();
    let worker = telling(polled(&bouncer), sender)
        .entrypoint("fails", |_: Context<Tell<Event>>| async { Err::<(), _>("no") })
        .entrypoint("long", until_canceled)
        .shutdown_timeout(Duration::ZERO);
    let failed = enqueue(&mut session, "fails", 1)[0];
    let long = enqueue(&mut session, "long", 1)[0];
    let running = Running::start(worker.build().unwrap());
    assert_eq!(seen.recv_timeout(SOON), Ok(Event::Begun(long)));
    until("it has failed", || (log_of(&mut session, failed).len() == 1).then_some(()));
    running.stop().unwrap();
    let attempts = "SELECT attempts FROM pgq.jobs WHERE status = 'queued' ORDER BY id";
    assert_eq!(column::<i32>(&mut session, attempts, &[]), [1, 0]);
}

#[test]
fn it_may_be_killed_and_so_may_the_server_behind_it() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut bouncer = PgBouncer::before(&database, &[]);
    let mut session = database.connect();
    let ids = enqueue(&mut session, "work", 1000);
    let worker = Worker::builder(polled(&bouncer).statement_timeout(Duration::from_secs(1)))
        .entrypoint("work", |_: Context| async { tokio::time::sleep(Duration::from_millis(5)).await })
        .poll_interval(Duration::from_millis(50))
        .lease(Duration::from_secs(3));
    let running = Running::start(worker.concurrency(8).build().unwrap());
    for round in 1..=3 {
        until("it goes on", || {
            (value::<i64>(&mut session, "SELECT count(*) FROM pgq.job_log", &[]) > 100 * round).then_some(())
        });
        bouncer.kill();
        bouncer.begin();
    }
    cluster.stop(pgqueuer_e2e::cluster::Stop::Immediate);
    cluster.begin();
    until_all_ended_once(&mut database.connect(), &ids);
    running.stop().unwrap();
}
