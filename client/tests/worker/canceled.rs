//! Jobs that are canceled while they run: their handlers learn of it, whatever way is open.

use crate::running::{Event, Running, Tell, only_logged, queue, telling, until_canceled};
use pgqueuer_client::{Context, Entrypoint, Outcome, Postgres};
use pgqueuer_e2e::ask::{column, enqueue, run, value};
use pgqueuer_e2e::cluster::database;
use pgqueuer_e2e::proxy::Proxy;
use pgqueuer_e2e::until::until;
use postgres::Client;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(10);
/// A heartbeat is sent each third of it: none in any of these tests.
const LONG: Duration = Duration::from_secs(3600);

fn must_see(seen: &Receiver<Event>, event: Event) {
    assert_eq!(seen.recv_timeout(SOON), Ok(event));
}

fn cancel(session: &mut Client, ids: &[i64]) {
    assert_eq!(value::<Vec<i64>>(session, "SELECT pgq.cancel($1)", &[&ids]), ids);
}

#[test]
fn a_running_job_learns_at_once_that_it_was_canceled() {
    let database = database();
    let mut session = database.connect();
    let (sender, seen) = channel();
    let worker =
        telling(queue(&database), sender).entrypoint("long", until_canceled).entrypoint("Other Name", until_canceled);
    let running = Running::start(worker.lease(LONG).build().unwrap());
    for entrypoint in ["long", "Other Name"] {
        let ids = enqueue(&mut session, entrypoint, 3);
        let begun: Vec<_> = ids.iter().map(|_| seen.recv_timeout(SOON).unwrap()).collect();
        assert!(ids.iter().all(|id| begun.contains(&Event::Begun(*id))), "{begun:?}");
        let asked = Instant::now();
        cancel(&mut session, &ids[1..2]);
        must_see(&seen, Event::Canceled(ids[1]));
        println!("{entrypoint}: canceled after {:?}", asked.elapsed());
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
        assert_eq!(only_logged(&mut session, ids[1]).outcome, "canceled");
        cancel(&mut session, &[ids[0], ids[2]]);
        (0..2).for_each(|_| assert!(matches!(seen.recv_timeout(SOON), Ok(Event::Canceled(_)))));
    }
    running.stop().unwrap();
}

#[test]
fn where_nobody_listens_the_heartbeat_tells() {
    let database = database();
    let mut session = database.connect();
    let (sender, seen) = channel();
    let worker = telling(queue(&database).without_listen(), sender).entrypoint("long", until_canceled);
    let worker = worker.lease(Duration::from_secs(3)).poll_interval(Duration::from_millis(50));
    let running = Running::start(worker.build().unwrap());
    let ids = enqueue(&mut session, "long", 2);
    (0..2).for_each(|_| assert!(matches!(seen.recv_timeout(SOON), Ok(Event::Begun(_)))));
    let asked = Instant::now();
    cancel(&mut session, &ids[..1]);
    must_see(&seen, Event::Canceled(ids[0]));
    // One beat each second.
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    // The other one goes on, and the worker still has it.
    let picked = column::<i64>(&mut session, "SELECT id FROM pgq.jobs WHERE status = 'picked'", &[]);
    assert_eq!(picked, ids[1..]);
    cancel(&mut session, &ids[1..]);
    must_see(&seen, Event::Canceled(ids[1]));
    running.stop().unwrap();
}

#[test]
fn what_was_canceled_while_the_listener_was_away_is_learned_when_it_is_back() {
    let database = database();
    let mut session = database.connect();
    let proxy = Proxy::before(&database);
    let (sender, seen) = channel();
    let queue = queue(&database).listen_at(&proxy.address()).unwrap();
    let running =
        Running::start(telling(queue, sender).entrypoint("long", until_canceled).lease(LONG).build().unwrap());
    let ids = enqueue(&mut session, "long", 2);
    (0..2).for_each(|_| assert!(matches!(seen.recv_timeout(SOON), Ok(Event::Begun(_)))));
    proxy.refuse(true);
    proxy.cut();
    let attached = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pgq.listen%' AND datname = current_database() AND pid <> pg_backend_pid()";
    until("the listener is gone", || (value::<i64>(&mut session, attached, &[]) == 0).then_some(()));
    cancel(&mut session, &ids[..1]);
    proxy.refuse(false);
    must_see(&seen, Event::Canceled(ids[0]));
    cancel(&mut session, &ids[1..]);
    must_see(&seen, Event::Canceled(ids[1]));
    running.stop().unwrap();
}

#[test]
fn without_a_listener_for_longer_than_the_grace_a_worker_keeps_its_jobs() {
    let database = database();
    let mut session = database.connect();
    let proxy = Proxy::before(&database);
    let (sender, seen) = channel();
    let queue = queue(&database).listen_at(&proxy.address()).unwrap();
    // With one permit nothing is fetched meanwhile, which would be a sign of life.
    let worker = telling(queue, sender).entrypoint("long", until_canceled).lease(LONG).concurrency(1);
    let running = Running::start(worker.build().unwrap());
    let id = enqueue(&mut session, "long", 1)[0];
    must_see(&seen, Event::Begun(id));
    proxy.refuse(true);
    proxy.cut();
    // The grace is 2 s: a job that ends after it shows that it has passed.
    let timer = value::<i64>(&mut session, "SELECT pgq.enqueue('timer', delay => '3 s')", &[]);
    let due = "SELECT execute_after < clock_timestamp() FROM pgq.jobs WHERE id = $1";
    until("the grace is over", || value::<bool>(&mut session, due, &[&timer]).then_some(()));
    assert_eq!(column::<i64>(&mut session, "SELECT id FROM pgq.jobs WHERE status = 'picked'", &[]), [id]);
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.job_log", &[]), 0);
    proxy.refuse(false);
    cancel(&mut session, &[id]);
    must_see(&seen, Event::Canceled(id));
    running.stop().unwrap();
}

#[test]
fn what_a_canceled_handler_says_is_not_heard() {
    let database = database();
    let mut session = database.connect();
    let (sender, seen) = channel();
    let says_so = |outcome: fn() -> Outcome| {
        move |context: Context<Tell<Event>>| async move {
            context.state.tell(Event::Begun(context.job.id));
            context.canceled.cancelled().await;
            context.state.tell(Event::Canceled(context.job.id));
            outcome()
        }
    };
    let worker = telling(queue(&database), sender)
        .entrypoint("done", says_so(|| Outcome::Done))
        .entrypoint("fail", says_so(|| Outcome::fail("canceled")))
        .entrypoint("panic", says_so(|| panic!("canceled")));
    let running = Running::start(worker.build().unwrap());
    for entrypoint in ["done", "fail", "panic"] {
        let id = enqueue(&mut session, entrypoint, 1)[0];
        must_see(&seen, Event::Begun(id));
        cancel(&mut session, &[id]);
        must_see(&seen, Event::Canceled(id));
        assert_eq!(only_logged(&mut session, id).outcome, "canceled");
    }
    running.stop().unwrap();
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.job_log", &[]), 3);
}

#[test]
fn a_job_that_is_done_and_canceled_at_one_time_ends_once() {
    let database = database();
    let mut session = database.connect();
    let (sender, _seen) = channel::<Event>();
    let worker =
        telling(queue(&database), sender).register(Entrypoint::new("short", |_: Context<Tell<Event>>| async {}));
    let running = Running::start(worker.build().unwrap());
    for _ in 0..200 {
        run(&mut session, "SELECT pgq.cancel(ARRAY[pgq.enqueue('short')])");
        run(&mut session, "SELECT pgq.enqueue('short')");
        run(&mut session, "SELECT pgq.cancel(ARRAY(SELECT id FROM pgq.jobs))");
    }
    until("all have ended", || (value::<i64>(&mut session, "SELECT count(*) FROM pgq.jobs", &[]) == 0).then_some(()));
    running.stop().unwrap();
    let logged = "SELECT (count(*), count(DISTINCT job_id))::text FROM pgq.job_log";
    assert_eq!(value::<String>(&mut session, logged, &[]), "(400,400)");
}

#[test]
fn a_listener_that_is_silent_for_too_long_is_replaced() {
    let database = database();
    let mut session = database.connect();
    let proxy = Proxy::before(&database);
    let (sender, seen) = channel();
    let queue = Postgres::new(&database.address()).unwrap().statement_timeout(Duration::from_millis(500));
    let queue = queue.listen_at(&proxy.address()).unwrap();
    let running =
        Running::start(telling(queue, sender).entrypoint("long", until_canceled).lease(LONG).build().unwrap());
    let id = enqueue(&mut session, "long", 1)[0];
    must_see(&seen, Event::Begun(id));
    // The connection stays open on both sides, and nothing comes through it any more.
    proxy.lose("SELECT", pgqueuer_e2e::proxy::Loss::Silence);
    until("it has asked whether anybody is there", || proxy.has_lost().then_some(()));
    cancel(&mut session, &[id]);
    must_see(&seen, Event::Canceled(id));
    running.stop().unwrap();
}
