//! How many jobs run at one time, of which entrypoint, and in which order: limits of one process.

use crate::running::{Event, Running, Tell, queue, telling, until_canceled};
use pgqueuer_client::{Backend, Context, Ended, Entrypoint, Fetch, Job, Postgres, Signals, Worker, async_trait};
use pgqueuer_e2e::ask::{enqueue, run, value};
use pgqueuer_e2e::cluster::database;
use pgqueuer_e2e::until::{until, until_within};
use postgres::Client;
use std::collections::HashMap;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use uuid::Uuid;

/// How many jobs run now, and the most that ever did, of each entrypoint; "" stands for all of them.
#[derive(Default)]
struct Load {
    now: Mutex<HashMap<String, (usize, usize)>>,
    go: Notify,
}

impl Load {
    fn change(&self, entrypoint: &str, by: isize) {
        let mut now = self.now.lock().unwrap();
        for name in ["", entrypoint] {
            let (running, most) = now.entry(name.to_owned()).or_default();
            *running = running.checked_add_signed(by).unwrap();
            *most = (*most).max(*running);
        }
    }

    fn running(&self, entrypoint: &str) -> usize {
        self.now.lock().unwrap().get(entrypoint).map_or(0, |(running, _)| *running)
    }

    fn most(&self, entrypoint: &str) -> usize {
        self.now.lock().unwrap().get(entrypoint).map_or(0, |(_, most)| *most)
    }
}

/// Lasts some milliseconds.
async fn briefly(context: Context<Arc<Load>>) {
    context.state.change(&context.job.entrypoint, 1);
    tokio::time::sleep(Duration::from_millis(1 + context.job.id.unsigned_abs() % 7)).await;
    context.state.change(&context.job.entrypoint, -1);
}

/// Lasts until the test says so, once for each job.
async fn until_told(context: Context<Arc<Load>>) {
    context.state.change(&context.job.entrypoint, 1);
    context.state.go.notified().await;
    context.state.change(&context.job.entrypoint, -1);
}

fn until_empty(session: &mut Client) {
    until_within(Duration::from_secs(60), "all jobs have ended", || {
        (value::<i64>(session, "SELECT count(*) FROM pgq.jobs", &[]) == 0).then_some(())
    });
}

fn picked(session: &mut Client) -> i64 {
    value(session, "SELECT count(*) FROM pgq.jobs WHERE status = 'picked'", &[])
}

#[test]
fn no_more_jobs_run_at_one_time_than_worker_and_entrypoint_allow() {
    let database = database();
    let mut session = database.connect();
    let load = Arc::new(Load::default());
    for name in ["one", "three", "free", "other"] {
        enqueue(&mut session, name, 300);
    }
    let worker = Worker::with_state(queue(&database), load.clone())
        .register(Entrypoint::new("one", briefly).concurrency(1))
        .register(Entrypoint::new("three", briefly).concurrency(3))
        .entrypoint("free", briefly)
        .entrypoint("other", briefly);
    let running = Running::start(worker.concurrency(8).build().unwrap());
    until_empty(&mut session);
    running.stop().unwrap();
    assert_eq!((load.most(""), load.most("one"), load.most("three")), (8, 1, 3));
    assert_eq!(load.running(""), 0);
}

#[test]
fn no_more_is_claimed_than_there_are_permits() {
    let database = database();
    let mut session = database.connect();
    let load = Arc::new(Load::default());
    enqueue(&mut session, "one", 50);
    enqueue(&mut session, "free", 50);
    let worker = Worker::with_state(queue(&database), load.clone())
        .register(Entrypoint::new("one", until_told).concurrency(1))
        .entrypoint("free", until_told);
    let running = Running::start(worker.concurrency(5).build().unwrap());
    // Every job that is let go makes room for exactly one.
    for ended in 0..40 {
        until("all permits are taken", || (load.running("") == 5).then_some(()));
        assert_eq!(picked(&mut session), 5, "after {ended}");
        let claims = "SELECT sum(claims)::bigint FROM pgq.workers";
        assert_eq!(value::<i64>(&mut session, claims, &[]), 5);
        load.go.notify_one();
        let logged = "SELECT count(*) FROM pgq.job_log";
        until("it is logged", || (value::<i64>(&mut session, logged, &[]) == ended + 1).then_some(()));
    }
    assert_eq!((load.most(""), load.most("one")), (5, 1));
    drop(running.abandon());
}

#[test]
fn one_permit_serves_all_entrypoints_in_turn() {
    let database = database();
    let mut session = database.connect();
    for name in ["busy", "quiet", "free"] {
        enqueue(&mut session, name, 60);
    }
    // Among those without a limit of their own the better one comes first, and all the same each has its turn.
    run(&mut session, "SELECT pgq.enqueue('free', 'urgent', priority => 5) FROM generate_series(1, 60)");
    let (sender, seen) = channel();
    let tell = |context: Context<Tell<(String, i32)>>| async move {
        context.state.tell((context.job.entrypoint, context.job.priority));
    };
    let worker = telling(queue(&database), sender)
        .register(Entrypoint::new("busy", tell).concurrency(1))
        .register(Entrypoint::new("quiet", tell).concurrency(1))
        .entrypoint("free", tell);
    let running = Running::start(worker.concurrency(1).build().unwrap());
    until_empty(&mut session);
    running.stop().unwrap();
    let seen: Vec<_> = seen.try_iter().collect();
    for name in ["busy", "quiet", "free"] {
        let among_the_first = seen[..90].iter().filter(|(entrypoint, _)| entrypoint == name).count();
        assert!(among_the_first >= 20, "{name}: {among_the_first} of 90");
    }
    let free: Vec<_> = seen.iter().filter(|(name, _)| name == "free").map(|(_, priority)| *priority).collect();
    assert!(free.is_sorted_by(|a, b| a >= b), "{free:?}");
}

#[test]
fn the_best_job_of_all_entrypoints_comes_first_and_then_the_oldest() {
    let database = database();
    let mut session = database.connect();
    let ids: Vec<i64> = [("a", 0), ("b", 7), ("a", 7), ("c", -3), ("b", 0), ("c", 9)]
        .map(|(name, priority)| value(&mut session, "SELECT pgq.enqueue($1, priority => $2)", &[&name, &priority]))
        .to_vec();
    let (sender, seen) = channel();
    let tell = |context: Context<Tell<i64>>| async move { context.state.tell(context.job.id) };
    let worker = telling(queue(&database), sender).entrypoint("a", tell).entrypoint("b", tell).entrypoint("c", tell);
    let running = Running::start(worker.concurrency(1).build().unwrap());
    until_empty(&mut session);
    running.stop().unwrap();
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [5, 1, 2, 0, 4, 3].map(|place: usize| ids[place]));
}

#[test]
fn a_canceled_job_makes_room_for_the_next_at_once() {
    let database = database();
    let mut session = database.connect();
    let (sender, seen) = channel();
    let ids = enqueue(&mut session, "long", 10);
    let worker = telling(queue(&database), sender)
        .register(Entrypoint::new("long", until_canceled).concurrency(1))
        .entrypoint("other", until_canceled);
    let running = Running::start(worker.build().unwrap());
    let wait = Duration::from_secs(10);
    for id in ids {
        assert_eq!(seen.recv_timeout(wait), Ok(Event::Begun(id)));
        let begun = Instant::now();
        run(&mut session, &format!("SELECT pgq.cancel('{{{id}}}')"));
        assert_eq!(seen.recv_timeout(wait), Ok(Event::Canceled(id)));
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
    running.stop().unwrap();
}

#[test]
fn a_thousand_permits_are_filled_and_all_jobs_end() {
    let database = database();
    let mut session = database.connect();
    let load = Arc::new(Load::default());
    enqueue(&mut session, "free", 3000);
    let worker = Worker::with_state(queue(&database), load.clone()).entrypoint("free", until_told);
    let running = Running::start(worker.concurrency(1500).build().unwrap());
    until("all permits are taken", || (load.running("") == 1500).then_some(()));
    assert_eq!(picked(&mut session), 1500);
    until_within(Duration::from_secs(60), "all jobs have ended", || {
        load.go.notify_waiters();
        (value::<i64>(&mut session, "SELECT count(*) FROM pgq.jobs", &[]) == 0).then_some(())
    });
    running.stop().unwrap();
    assert_eq!(load.most(""), 1500);
}

#[test]
fn a_burst_of_single_jobs_is_worked_off_as_it_comes() {
    let database = database();
    let mut session = database.connect();
    let load = Arc::new(Load::default());
    let worker = Worker::with_state(queue(&database), load.clone()).entrypoint("free", briefly);
    let running = Running::start(worker.concurrency(4).build().unwrap());
    let ended = "SELECT count(*) FROM pgq.job_log";
    for round in 1..=200 {
        run(&mut session, "SELECT pgq.enqueue('free')");
        if round % 10 == 0 {
            // Far below the interval of any look by the clock: a wake that is lost shows.
            until_within(Duration::from_secs(2), "all are done", || {
                (value::<i64>(&mut session, ended, &[]) == round).then_some(())
            });
        }
    }
    running.stop().unwrap();
}

#[test]
fn single_jobs_of_an_entrypoint_with_a_limit_of_its_own_do_not_wait_for_the_clock() {
    let database = database();
    let mut session = database.connect();
    let load = Arc::new(Load::default());
    let worker = Worker::with_state(queue(&database), load.clone())
        .register(Entrypoint::new("three", briefly).concurrency(3))
        .register(Entrypoint::new("one", briefly).concurrency(1))
        .poll_interval(Duration::from_secs(3600));
    let running = Running::start(worker.concurrency(10).build().unwrap());
    let ended = "SELECT count(*) FROM pgq.job_log";
    for round in 1..=300 {
        run(&mut session, "SELECT pgq.enqueue('three'); SELECT pgq.enqueue('three'); SELECT pgq.enqueue('one')");
        if round % 5 == 0 {
            until_within(Duration::from_secs(2), "all are done", || {
                (value::<i64>(&mut session, ended, &[]) == 3 * round).then_some(())
            });
        }
    }
    running.stop().unwrap();
}

/// A queue far away: what it answers takes its time to come.
struct FarAway(Postgres);

#[async_trait]
impl Backend for FarAway {
    async fn dequeue(&self, fetch: &Fetch<'_>) -> pgqueuer_client::Result<Vec<Job>> {
        let jobs = self.0.dequeue(fetch).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        jobs
    }

    async fn finish(&self, worker: Uuid, ended: &[Ended]) -> pgqueuer_client::Result<Vec<i64>> {
        self.0.finish(worker, ended).await
    }

    async fn heartbeat(&self, worker: Uuid, lease: Duration, held: &[i64]) -> pgqueuer_client::Result<Vec<i64>> {
        self.0.heartbeat(worker, lease, held).await
    }

    async fn signals(&self, worker: Uuid, names: &[String]) -> pgqueuer_client::Result<Option<Box<dyn Signals>>> {
        self.0.signals(worker, names).await
    }

    async fn queued(&self, entrypoints: &[String]) -> pgqueuer_client::Result<i64> {
        self.0.queued(entrypoints).await
    }
}

#[test]
fn a_job_that_comes_while_a_call_holds_all_permits_is_not_forgotten() {
    let database = database();
    let mut session = database.connect();
    let load = Arc::new(Load::default());
    let worker = Worker::with_state(FarAway(queue(&database)), load.clone())
        .register(Entrypoint::new("three", until_told).concurrency(3))
        .entrypoint("free", until_told)
        .poll_interval(Duration::from_secs(3600))
        .shutdown_timeout(Duration::ZERO);
    let running = Running::start(worker.concurrency(10).build().unwrap());
    for round in 1..=3 {
        let claimed = "SELECT count(*) FROM pgq.jobs WHERE status = 'picked'";
        run(&mut session, "SELECT pgq.enqueue('three')");
        until("a call has it, and may have more", || (value::<i64>(&mut session, claimed, &[]) == round).then_some(()));
    }
    until("all of them run", || (load.running("three") == 3).then_some(()));
    running.stop().unwrap();
}
