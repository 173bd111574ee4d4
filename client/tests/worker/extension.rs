//! The extension is dropped and made anew while a worker works.

use crate::running::{Event, Running, Tell, only_logged, queue, telling};
use pgqueuer_client::{Context, Worker};
use pgqueuer_e2e::ask::{enqueue, run, value};
use pgqueuer_e2e::cluster::database;
use pgqueuer_e2e::until::until_within;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;
use tokio::sync::Notify;

const SOON: Duration = Duration::from_secs(10);

#[test]
fn a_worker_outlives_the_extension_and_goes_on_with_the_next() {
    let database = database();
    let mut session = database.connect();
    let worker = Worker::builder(queue(&database)).entrypoint("work", |_: Context| async {});
    let running = Running::start(worker.poll_interval(Duration::from_millis(100)).build().unwrap());
    for _ in 0..3 {
        let id = enqueue(&mut session, "work", 1)[0];
        assert_eq!(only_logged(&mut session, id).outcome, "successful");
        run(&mut session, "DROP EXTENSION pgqueuer");
        run(&mut session, "CREATE EXTENSION pgqueuer");
    }
    run(&mut session, "DROP EXTENSION pgqueuer");
    assert!(!running.has_ended());
    run(&mut session, "CREATE EXTENSION pgqueuer");
    enqueue(&mut session, "work", 100);
    until_within(Duration::from_secs(30), "all jobs have ended", || {
        (value::<i64>(&mut session, "SELECT count(*) FROM pgq.job_log", &[]) == 100).then_some(())
    });
    running.stop().unwrap();
}

#[test]
fn what_comes_of_a_job_of_the_old_one_does_not_end_a_job_of_the_new_one() {
    let database = database();
    let mut session = database.connect();
    let (sender, seen) = channel();
    let go = Arc::new(Notify::new());
    let goes = go.clone();
    let worker = telling(queue(&database), sender).entrypoint("work", move |context: Context<Tell<Event>>| {
        let go = goes.clone();
        async move {
            context.state.tell(Event::Begun(context.job.id));
            go.notified().await;
            context.state.tell(Event::Ended(context.job.id));
        }
    });
    let worker = worker.lease(Duration::from_secs(3600)).poll_interval(Duration::from_millis(50));
    let running = Running::start(worker.shutdown_timeout(Duration::ZERO).build().unwrap());
    let old = enqueue(&mut session, "work", 1)[0];
    assert_eq!(seen.recv_timeout(SOON), Ok(Event::Begun(old)));
    run(&mut session, "DROP EXTENSION pgqueuer");
    // Its result cannot be sent, and is tried again and again.
    go.notify_one();
    assert_eq!(seen.recv_timeout(SOON), Ok(Event::Ended(old)));
    run(&mut session, "CREATE EXTENSION pgqueuer");
    let new = enqueue(&mut session, "work", 1)[0];
    assert_eq!(new, old, "the ids begin anew");
    assert_eq!(seen.recv_timeout(SOON), Ok(Event::Begun(new)));
    // Longer than the longest delay of what is tried again.
    let picked = value::<i64>(&mut session, "SELECT pgq.enqueue('timer', delay => '8 s')", &[]);
    let due = "SELECT execute_after < clock_timestamp() FROM pgq.jobs WHERE id = $1";
    until_within(Duration::from_secs(20), "some time has passed", || {
        value::<bool>(&mut session, due, &[&picked]).then_some(())
    });
    let status = "SELECT status::text FROM pgq.jobs WHERE id = $1";
    assert_eq!(value::<String>(&mut session, status, &[&new]), "picked");
    go.notify_one();
    assert_eq!(only_logged(&mut session, new).outcome, "successful");
    running.stop().unwrap();
}
