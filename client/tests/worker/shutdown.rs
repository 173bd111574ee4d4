//! The end of a worker: whatever it is doing, it ends within its time and leaves nothing behind. And its beginning: what is
//! wrong for good is said at once, what passes is waited for.

use crate::running::{Event, Running, Tell, log_of, only_logged, queue, telling, until_canceled, until_logged};
use pgqueuer_client::{Context, Error, Outcome, Postgres, Worker};
use pgqueuer_e2e::ask::{enqueue, run, value};
use pgqueuer_e2e::cluster::{Cluster, Database, Stop, database, empty_database};
use pgqueuer_e2e::frozen::Frozen;
use pgqueuer_e2e::proxy::Proxy;
use pgqueuer_e2e::until::until;
use postgres::Client;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::Notify;

const SOON: Duration = Duration::from_secs(10);
const AT_ONCE: Duration = Duration::from_secs(2);

fn must_see(seen: &Receiver<Event>, event: Event) {
    assert_eq!(seen.recv_timeout(SOON), Ok(event));
}

/// Tells of its job, and lasts for ever.
async fn for_ever(context: Context<Tell<Event>>) {
    let (id, state) = (context.job.id, context.state.clone());
    let _guard = Guard(state.clone(), id);
    state.tell(Event::Begun(id));
    std::future::pending::<()>().await;
}

struct Guard(Arc<Tell<Event>>, i64);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.tell(Event::Dropped(self.1));
    }
}

/// Status and attempts of a live job.
fn live(session: &mut Client, id: i64) -> (String, i32) {
    let row = session.query_one("SELECT status::text, attempts FROM pgq.jobs WHERE id = $1", &[&id]).unwrap();
    (row.get(0), row.get(1))
}

/// Stops it, and asserts that this took no longer.
fn stop_within(running: Running, patience: Duration) {
    let begun = Instant::now();
    running.stop().unwrap();
    println!("stopped in {:?}", begun.elapsed());
    assert!(begun.elapsed() < patience, "{:?}", begun.elapsed());
}

#[test]
fn an_idle_worker_stops_at_once() {
    let database = database();
    let worker = || Worker::builder(queue(&database)).entrypoint("work", |_: Context| async {}).build().unwrap();
    stop_within(Running::start(worker()), AT_ONCE);
    let running = Running::start(worker());
    let mut session = database.connect();
    let id = enqueue(&mut session, "work", 1)[0];
    assert_eq!(only_logged(&mut session, id).outcome, "successful");
    stop_within(running, AT_ONCE);
    // Nobody is left who listens.
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pgqueuer-client'";
    until("its sessions have ended", || (value::<i64>(&mut session, sessions, &[]) == 0).then_some(()));
}

#[test]
fn jobs_that_run_are_waited_for_and_no_more_are_claimed() {
    let database = database();
    let mut session = database.connect();
    let (go, (sender, seen)) = (Arc::new(Notify::new()), channel());
    let goes = go.clone();
    let work = move |context: Context<Tell<Event>>| {
        let go = goes.clone();
        async move {
            context.state.tell(Event::Begun(context.job.id));
            go.notified().await;
        }
    };
    let worker = telling(queue(&database), sender).entrypoint("work", work).concurrency(3);
    let running = Running::start(worker.build().unwrap());
    let ids = enqueue(&mut session, "work", 10);
    (0..3).for_each(|_| assert!(matches!(seen.recv_timeout(SOON), Ok(Event::Begun(_)))));
    let picked = "SELECT count(*) FROM pgq.jobs WHERE status = 'picked'";
    running.ask_to_stop();
    running.ask_to_stop();
    for left in [2, 1, 0] {
        go.notify_one();
        until("one has ended", || (value::<i64>(&mut session, picked, &[]) == left).then_some(()));
        let ended = value::<i64>(&mut session, "SELECT count(*) FROM pgq.job_log WHERE outcome = 'successful'", &[]);
        assert_eq!(ended, 3 - left);
    }
    running.answer().unwrap();
    assert_eq!(live(&mut session, ids[9]), ("queued".into(), 0));
}

#[test]
fn jobs_that_run_for_too_long_are_dropped_and_given_back_uncounted() {
    let database = database();
    let mut session = database.connect();
    let (sender, seen) = channel();
    let worker = telling(queue(&database), sender).entrypoint("long", for_ever);
    let running = Running::start(worker.shutdown_timeout(Duration::from_millis(300)).build().unwrap());
    let ids = enqueue(&mut session, "long", 5);
    (0..5).for_each(|_| assert!(matches!(seen.recv_timeout(SOON), Ok(Event::Begun(_)))));
    stop_within(running, AT_ONCE);
    // At once, not when a lease or a grace is over.
    for id in ids {
        assert_eq!(live(&mut session, id), ("queued".into(), 0));
        assert_eq!(log_of(&mut session, id), []);
    }
    assert_eq!(seen.try_iter().filter(|event| matches!(event, Event::Dropped(_))).count(), 5);
}

#[test]
fn under_load_a_shutdown_leaves_no_claim_behind() {
    let database = database();
    let mut session = database.connect();
    enqueue(&mut session, "work", 2000);
    for _ in 0..10 {
        let ended = "SELECT count(*) FROM pgq.job_log";
        let before = value::<i64>(&mut session, ended, &[]);
        let worker = Worker::builder(queue(&database)).entrypoint("work", |_: Context| async {
            tokio::time::sleep(Duration::from_millis(2)).await;
        });
        let running = Running::start(worker.concurrency(20).build().unwrap());
        until("it works", || (value::<i64>(&mut session, ended, &[]) > before + 50).then_some(()));
        stop_within(running, AT_ONCE);
        let claims = "SELECT count(*) FROM pgq.jobs WHERE status = 'picked'";
        assert_eq!(value::<i64>(&mut session, claims, &[]), 0);
    }
    let faults = "SELECT count(*) FROM pgq.job_log WHERE outcome <> 'successful' OR attempts > 0";
    assert_eq!(value::<i64>(&mut session, faults, &[]), 0);
    let twice = "SELECT count(*) - count(DISTINCT job_id) FROM pgq.job_log";
    assert_eq!(value::<i64>(&mut session, twice, &[]), 0);
}

#[test]
fn while_the_server_is_away_a_worker_stops_in_time() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let (sender, seen) = channel();
    // Of the results, more than there is room for: those that wait for room must not be waited for.
    let worker = telling(queue(&database), sender).entrypoint("long", until_canceled).concurrency(4);
    let worker = worker.lease(Duration::from_secs(60)).shutdown_timeout(Duration::from_secs(1));
    let running = Running::start(worker.build().unwrap());
    enqueue(&mut database.connect(), "long", 20);
    (0..4).for_each(|_| assert!(matches!(seen.recv_timeout(SOON), Ok(Event::Begun(_)))));
    cluster.stop(Stop::Immediate);
    stop_within(running, Duration::from_secs(9));
}

#[test]
fn while_the_server_stands_still_and_results_have_no_room_a_worker_stops_in_time() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.enqueue('work') FROM generate_series(1, 100)");
    let proxy = Proxy::before(&database);
    let queue = Postgres::new(&proxy.address()).unwrap();
    let worker = Worker::builder(queue).entrypoint("work", |_: Context| async {
        tokio::time::sleep(Duration::from_millis(5)).await;
    });
    // The results of the first do not get through; those of all others wait for them, and the last for room.
    proxy.lose("pgq.complete_many", pgqueuer_e2e::proxy::Loss::Late);
    let running = Running::start(worker.concurrency(3).shutdown_timeout(Duration::from_secs(1)).build().unwrap());
    until("a result does not get through", || proxy.has_lost().then_some(()));
    let picked = "SELECT count(*) FROM pgq.jobs WHERE status = 'picked'";
    until("there is no room", || (value::<i64>(&mut session, picked, &[]) >= 7).then_some(()));
    stop_within(running, Duration::from_secs(9));
    proxy.go_on();
}

#[test]
fn a_handler_that_blocks_its_thread_does_not_hold_up_the_end_for_ever() {
    let database = database();
    let (sender, seen) = channel();
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let held = Arc::new(std::sync::Mutex::new(held));
    let worker = telling(queue(&database), sender).entrypoint("blocks", move |context: Context<Tell<Event>>| {
        let held = held.clone();
        async move {
            context.state.tell(Event::Begun(context.job.id));
            held.lock().unwrap().recv().ok();
        }
    });
    let running = Running::start(worker.shutdown_timeout(Duration::ZERO).build().unwrap());
    let id = enqueue(&mut database.connect(), "blocks", 1)[0];
    must_see(&seen, Event::Begun(id));
    running.ask_to_stop();
    let begun = Instant::now();
    until("it has ended", || running.has_ended().then_some(()));
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    drop(hold);
    running.answer().unwrap();
}

#[test]
fn a_worker_can_be_stopped_while_it_waits_for_a_server() {
    let database = database();
    let proxy = Proxy::before(&database);
    let worker = || {
        let queue = Postgres::new(&proxy.address()).unwrap();
        Worker::builder(queue).entrypoint("work", |_: Context| async {}).build().unwrap()
    };
    proxy.refuse(true);
    let running = Running::start(worker());
    until("it has tried", || (proxy.connections() > 1).then_some(()));
    stop_within(running, AT_ONCE);
    proxy.refuse(false);
    proxy.freeze(true);
    let before = proxy.connections();
    let running = Running::start(worker());
    until("it connects", || (proxy.connections() > before).then_some(()));
    stop_within(running, AT_ONCE);
}

#[test]
fn whoever_drops_the_future_loses_his_claims_when_the_grace_is_over() {
    let database = database();
    let mut session = database.connect();
    let (sender, seen) = channel();
    let worker = telling(queue(&database), sender).entrypoint("long", for_ever).lease(Duration::from_secs(3600));
    let running = Running::start(worker.build().unwrap());
    let id = enqueue(&mut session, "long", 1)[0];
    must_see(&seen, Event::Begun(id));
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pgq.listen%' AND state = 'idle' AND datname = current_database() AND pid <> pg_backend_pid()";
    // It claims as soon as it can: without a session that is attached there is a lease, and no grace.
    until("it is attached", || (value::<i64>(&mut session, sessions, &[]) == 1).then_some(()));
    let _runtime = running.abandon();
    must_see(&seen, Event::Dropped(id));
    until_logged(&mut session, id, &["released"]);
    assert_eq!(live(&mut session, id), ("queued".into(), 1));
    assert_eq!(value::<i64>(&mut session, sessions, &[]), 0);
}

#[test]
fn a_worker_can_be_run_again_and_drained() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('work', backoff_initial => '100 ms')");
    let worker = Worker::builder(queue(&database)).entrypoint("work", |context: Context| async move {
        match (context.job.priority, context.job.attempts) {
            (1, 0) => Outcome::fail("once"),
            (2, 0) => Outcome::retry(Duration::from_millis(200)),
            _ => Outcome::Done,
        }
    });
    let (worker, runtime) = (worker.build().unwrap(), Runtime::new().unwrap());
    // Nothing is queued: it ends at once.
    runtime.block_on(worker.drain()).unwrap();
    for _ in 0..2 {
        run(
            &mut session,
            "SELECT pgq.enqueue('work', priority => i % 3) FROM generate_series(1, 30) AS i;
             SELECT pgq.enqueue('work', delay => '300 ms');
             SELECT pgq.enqueue('nobody asks for this')",
        );
        runtime.block_on(worker.drain()).unwrap();
        let left = "SELECT count(*) FROM pgq.jobs WHERE entrypoint = 'work'";
        assert_eq!(value::<i64>(&mut session, left, &[]), 0);
    }
    let successful = "SELECT count(*) FROM pgq.job_log WHERE outcome = 'successful'";
    assert_eq!(value::<i64>(&mut session, successful, &[]), 62);
    let retried = "SELECT count(*) FROM pgq.job_log WHERE outcome = 'retried'";
    assert_eq!(value::<i64>(&mut session, retried, &[]), 40);
    // And for ever, until now.
    runtime.block_on(worker.run(std::future::ready(()))).unwrap();
}

#[test]
fn a_drain_can_be_stopped_as_a_run_can() {
    let database = database();
    let mut session = database.connect();
    let (sender, seen) = channel();
    let go = Arc::new(Notify::new());
    let goes = go.clone();
    let work = move |context: Context<Tell<Event>>| {
        let go = goes.clone();
        async move {
            context.state.tell(Event::Begun(context.job.id));
            go.notified().await;
        }
    };
    let worker = telling(queue(&database), sender).entrypoint("work", work).concurrency(1);
    let running = Running::drain(worker.build().unwrap());
    let ids = enqueue(&mut session, "work", 2);
    must_see(&seen, Event::Begun(ids[0]));
    running.ask_to_stop();
    go.notify_one();
    running.answer().unwrap();
    assert_eq!(only_logged(&mut session, ids[0]).outcome, "successful");
    assert_eq!(live(&mut session, ids[1]), ("queued".into(), 0));
    // Nothing runs, and nothing is due.
    run(&mut session, "SELECT pgq.clear(), pgq.enqueue('work', delay => '1 hour')");
    let worker = Worker::builder(queue(&database)).entrypoint("work", |_: Context| async {}).build().unwrap();
    stop_within(Running::drain(worker), AT_ONCE);
}

#[test]
fn what_a_handler_gives_back_is_queued_at_once_and_not_counted() {
    let database = database();
    let mut session = database.connect();
    let first = std::sync::atomic::AtomicBool::new(true);
    let worker = Worker::builder(queue(&database)).entrypoint("work", move |_: Context| {
        let is_first = first.swap(false, std::sync::atomic::Ordering::Relaxed);
        async move { if is_first { Outcome::Release } else { Outcome::Done } }
    });
    let id = enqueue(&mut session, "work", 1)[0];
    let running = Running::start(worker.build().unwrap());
    let logged = only_logged(&mut session, id);
    assert_eq!((logged.outcome.as_str(), logged.attempts), ("successful", 0));
    running.stop().unwrap();
}

fn error_of(queue: Postgres) -> Error {
    let worker = Worker::builder(queue).entrypoint("work", |_: Context| async {}).build().unwrap();
    let begun = Instant::now();
    let error = Running::start(worker).answer().unwrap_err();
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    println!("{error}: {:?}", std::error::Error::source(&error).map(ToString::to_string));
    error
}

#[test]
fn what_is_wrong_for_good_is_said_at_once() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    run(&mut session, "CREATE ROLE nobody LOGIN");
    let sqlstate = |address: &str| error_of(Postgres::new(address).unwrap()).sqlstate().map(str::to_owned).unwrap();
    assert_eq!(sqlstate(&database.address().replace("user=postgres", "user=unknown")), "28000");
    assert_eq!(sqlstate(&cluster.named("no_such_database").address()), "3D000");
    assert_eq!(sqlstate(&database.address().replace("user=postgres", "user=nobody")), "42501");
    assert_eq!(sqlstate(&cluster.empty_database().address()), "3F000");
    let too_long = Worker::builder(queue(&database)).entrypoint("work", |_: Context| async {}).lease(Duration::MAX);
    assert!(Running::start(too_long.build().unwrap()).answer().is_err());
    assert!(matches!(Postgres::new("host=a port=b"), Err(Error::Option(_))));
    assert!(matches!(Postgres::new("dbname=shop"), Err(Error::Option(_))));
}

#[test]
fn a_queue_that_is_not_preloaded_says_what_to_do() {
    let cluster = Cluster::start(&[("shared_preload_libraries", "")]);
    let database = cluster.empty_database();
    run(&mut database.connect(), "CREATE EXTENSION pgqueuer");
    let Error::Refused(refusal) = error_of(queue(&database)) else { panic!("not refused") };
    assert_eq!(refusal.sqlstate, "55000");
    assert!(refusal.hint.unwrap().contains("shared_preload_libraries"));
}

#[test]
fn whether_the_queue_is_drained_may_for_good_not_be_known() {
    let database = database();
    run(
        &mut database.connect(),
        "DO $$ BEGIN CREATE ROLE blind LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         SELECT pgq.grant_worker('blind'); REVOKE EXECUTE ON FUNCTION pgq.queue_size FROM blind",
    );
    let queue = Postgres::new(&Database::address(&database).replace("user=postgres", "user=blind")).unwrap();
    let worker = Worker::builder(queue).entrypoint("work", |_: Context| async {}).build().unwrap();
    let error = Running::drain(worker).answer().unwrap_err();
    assert_eq!(error.sqlstate(), Some("42501"));
}

#[test]
fn a_server_that_is_not_there_yet_is_waited_for() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let id = enqueue(&mut database.connect(), "work", 1)[0];
    cluster.stop(Stop::Fast);
    let worker = Worker::builder(queue(&database)).entrypoint("work", |_: Context| async {}).build().unwrap();
    let running = Running::start(worker);
    assert!(!running.has_ended());
    cluster.begin();
    let frozen = Frozen::of(cluster.processes());
    assert!(!running.has_ended());
    drop(frozen);
    assert_eq!(only_logged(&mut database.connect(), id).outcome, "successful");
    running.stop().unwrap();
}

#[test]
fn the_extension_may_be_missing_in_one_database_and_be_there_in_another() {
    let without = empty_database();
    assert_eq!(error_of(queue(&without)).sqlstate(), Some("3F000"));
    run(&mut without.connect(), "CREATE EXTENSION pgqueuer");
    let worker = Worker::builder(queue(&without)).entrypoint("work", |_: Context| async {}).build().unwrap();
    stop_within(Running::start(worker), AT_ONCE);
}
