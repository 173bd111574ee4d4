//! Connections that are ended, cut and silent, at chosen points: nothing is lost, nothing ends twice, nothing stays claimed,
//! and nobody is overrun.

use crate::running::{Running, queue};
use pgqueuer_client::{BoxError, Context, Outcome, Postgres, Worker, WorkerBuilder};
use pgqueuer_e2e::ask::{column, enqueue, run, value};
use pgqueuer_e2e::cluster::{Database, database};
use pgqueuer_e2e::frozen::Frozen;
use pgqueuer_e2e::proxy::{Loss, Proxy};
use pgqueuer_e2e::until::{until, until_within};
use postgres::Client;
use std::time::{Duration, Instant};

/// No lease ends in these tests: what a worker forgets stays claimed.
const LONG: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);
/// When a statement counts as lost.
const IN_TIME: Duration = Duration::from_millis(500);

/// A worker whose jobs end in every way: of ten, one fails and one wants to be retried, once each.
fn worker(queue: Postgres) -> WorkerBuilder {
    let work = |context: Context| async move {
        match (context.job.id % 10, context.job.attempts) {
            (3, 0) => Outcome::fail("once"),
            (7, 0) => Outcome::retry(Duration::ZERO),
            _ => Outcome::Done,
        }
    };
    Worker::builder(queue.statement_timeout(IN_TIME)).entrypoint("work", work).lease(LONG)
}

/// One claim that nobody ends would keep all others from coming about.
fn prepare(session: &mut Client) {
    run(session, "SELECT pgq.configure('work', concurrency_limit => 5, backoff_initial => '0 s')");
}

/// Waits until all jobs have ended, each of them once and well.
fn until_all_ended_once(session: &mut Client, ids: &[i64]) {
    until_within(MINUTE, "all jobs have ended", || {
        (value::<i64>(session, "SELECT count(*) FROM pgq.jobs", &[]) == 0).then_some(())
    });
    let sql = "SELECT job_id FROM pgq.job_log WHERE outcome = 'successful' AND job_id = ANY ($1) ORDER BY job_id";
    assert_eq!(column::<i64>(session, sql, &[&ids]), ids);
}

/// The sessions of workers in this database.
fn sessions(session: &mut Client) -> Vec<i32> {
    let sql =
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pgqueuer-client'";
    column(session, sql, &[])
}

#[test]
fn whose_sessions_are_ended_again_and_again_loses_nothing() {
    let database = database();
    let mut session = database.connect();
    prepare(&mut session);
    let running = Running::start(worker(queue(&database)).concurrency(8).build().unwrap());
    let mut ids = vec![];
    for round in 1..=30 {
        ids.extend(enqueue(&mut session, "work", 40));
        until("it goes on", || {
            (value::<i64>(&mut session, "SELECT count(*) FROM pgq.job_log", &[]) > 20 * round).then_some(())
        });
        let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid = ANY ($1)";
        let all = sessions(&mut session);
        value::<i64>(&mut session, end, &[&all]);
    }
    until_all_ended_once(&mut session, &ids);
    running.stop().unwrap();
}

/// The next message with `text` is lost in that way; all jobs that are enqueued around it end once.
fn goes_on_after(database: &Database, proxy: &Proxy, text: &str, loss: Loss) {
    println!("{text}: {loss:?}");
    let mut session = database.connect();
    let mut ids = enqueue(&mut session, "work", 20);
    proxy.lose(text, loss);
    until_within(MINUTE, "the message has come", || {
        ids.extend(enqueue(&mut session, "work", 1));
        proxy.has_lost().then_some(())
    });
    ids.extend(enqueue(&mut session, "work", 20));
    until_all_ended_once(&mut session, &ids);
}

#[test]
fn a_message_or_its_answer_that_is_lost_costs_no_job() {
    let database = database();
    prepare(&mut database.connect());
    let proxy = Proxy::before(&database);
    let queue = Postgres::new(&proxy.address()).unwrap();
    let running = Running::start(worker(queue).concurrency(8).build().unwrap());
    for text in ["BEGIN", "pgq.dequeue", "COMMIT", "pgq.complete_many", "pgq.fail", "pgq.retry"] {
        for loss in [Loss::Message, Loss::Answer, Loss::Silence] {
            goes_on_after(&database, &proxy, text, loss);
        }
    }
    running.stop().unwrap();
}

#[test]
fn a_commit_that_comes_late_leaves_no_claim_that_nobody_knows() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('work', concurrency_limit => 1)");
    let proxy = Proxy::before(&database);
    let queue = Postgres::new(&proxy.address()).unwrap();
    let running = Running::start(worker(queue).build().unwrap());
    let live = "SELECT count(*) FROM pgq.jobs WHERE id = $1";
    let mut ids = vec![];
    loop {
        proxy.lose("COMMIT", Loss::Late);
        let id = enqueue(&mut session, "work", 1)[0];
        ids.push(id);
        until("a commit is on its way", || proxy.has_lost().then_some(()));
        proxy.lose("pgq.release", Loss::Nothing);
        let given_back = until("the claim is given back, or was another's", || {
            let released = proxy.has_lost();
            (released || value::<i64>(&mut session, live, &[&id]) == 0).then_some(released)
        });
        let sent = proxy.messages();
        until("the worker goes on", || (!given_back || proxy.messages() > sent).then_some(()));
        proxy.go_on();
        // A call that finds nothing commits, too: it may have been that.
        if given_back {
            break;
        }
    }
    ids.extend(enqueue(&mut session, "work", 5));
    until_all_ended_once(&mut session, &ids);
    running.stop().unwrap();
}

#[test]
fn a_connection_that_cannot_be_made_in_time_is_made_again() {
    let database = database();
    let mut session = database.connect();
    prepare(&mut session);
    let proxy = Proxy::before(&database);
    let queue = Postgres::new(&format!("{} connect_timeout=1", proxy.address())).unwrap();
    let running = Running::start(worker(queue).build().unwrap());
    // The name of the user: the first message of a connection. A server that stands still takes it, and says nothing.
    for _ in 0..3 {
        proxy.lose("pgqueuer-client", Loss::Silence);
        proxy.cut();
        let ids = enqueue(&mut session, "work", 3);
        until("a connection is made", || proxy.has_lost().then_some(()));
        until_all_ended_once(&mut session, &ids);
    }
    running.stop().unwrap();
}

#[test]
fn sessions_that_stand_still_are_left_behind() {
    let database = database();
    let mut session = database.connect();
    prepare(&mut session);
    let running = Running::start(worker(queue(&database)).build().unwrap());
    let mut ids = enqueue(&mut session, "work", 50);
    until_all_ended_once(&mut session, &ids);
    let frozen = Frozen::of(sessions(&mut session));
    ids.extend(enqueue(&mut session, "work", 50));
    until_all_ended_once(&mut session, &ids);
    drop(frozen);
    ids.extend(enqueue(&mut session, "work", 50));
    until_all_ended_once(&mut session, &ids);
    running.stop().unwrap();
}

#[test]
fn a_server_that_cannot_be_reached_is_not_overrun_and_found_again() {
    let database = database();
    let mut session = database.connect();
    prepare(&mut session);
    let proxy = Proxy::before(&database);
    let running = Running::start(worker(Postgres::new(&proxy.address()).unwrap()).build().unwrap());
    let ids = enqueue(&mut session, "work", 5);
    until_all_ended_once(&mut session, &ids);
    proxy.refuse(true);
    proxy.cut();
    let (begun, before) = (Instant::now(), proxy.connections());
    until("some seconds are over", || (begun.elapsed() > Duration::from_secs(4)).then_some(()));
    // Three that ask, the listener and two that fetch, each at most after 50, 100, 200 ms … and again.
    let tried = proxy.connections() - before;
    println!("{tried} connections in 4 s");
    assert!((2..=24).contains(&tried), "{tried}");
    let ids = enqueue(&mut session, "work", 5);
    proxy.refuse(false);
    until_all_ended_once(&mut session, &ids);
    running.stop().unwrap();
}

#[test]
fn listeners_that_never_last_are_not_made_without_end() {
    let database = database();
    let mut session = database.connect();
    prepare(&mut session);
    let proxy = Proxy::before(&database);
    let queue = queue(&database).listen_at(&proxy.address()).unwrap();
    let worker = worker(queue).poll_interval(Duration::from_millis(100));
    let running = Running::start(worker.build().unwrap());
    let begun = Instant::now();
    let listens = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pgq.listen%' AND datname = current_database() AND pid <> pg_backend_pid()";
    until("some seconds are over", || {
        if value::<i64>(&mut session, listens, &[]) > 0 {
            proxy.cut();
        }
        (begun.elapsed() > Duration::from_secs(4)).then_some(())
    });
    let tried = proxy.connections();
    println!("{tried} listeners in 4 s");
    assert!((2..=14).contains(&tried), "{tried}");
    let ids = enqueue(&mut session, "work", 5);
    until_all_ended_once(&mut session, &ids);
    running.stop().unwrap();
}

#[test]
fn an_idle_worker_sends_nothing() {
    let database = database();
    let mut session = database.connect();
    prepare(&mut session);
    let proxy = Proxy::before(&database);
    let queue = Postgres::new(&proxy.address()).unwrap();
    let idle = Worker::builder(queue).entrypoint("work", |_: Context| async {}).lease(Duration::from_secs(1));
    let running = Running::start(idle.build().unwrap());
    let ids = enqueue(&mut session, "work", 5);
    until_all_ended_once(&mut session, &ids);
    let mut quiet = (proxy.messages(), Instant::now());
    until_within(MINUTE, "nothing is sent for three leases", || {
        if proxy.messages() != quiet.0 {
            quiet = (proxy.messages(), Instant::now());
        }
        (quiet.1.elapsed() > Duration::from_secs(3)).then_some(())
    });
    running.stop().unwrap();
}

#[test]
fn handlers_that_hold_every_connection_of_the_pool_do_not_hold_up_the_worker() {
    let database = database();
    let mut session = database.connect();
    let queue = queue(&database).pool_size(2);
    let hold = |context: Context<Postgres>| async move {
        let client = context.state.pool().get().await?;
        // Three leases long.
        client.execute("SELECT pg_sleep(3)", &[]).await?;
        Ok::<_, BoxError>(if context.canceled.is_cancelled() { Outcome::fail("canceled") } else { Outcome::Done })
    };
    let worker =
        Worker::with_state(queue.clone(), queue).entrypoint("hold", hold).entrypoint("quick", |_: Context<_>| async {});
    let running = Running::start(worker.lease(Duration::from_secs(1)).build().unwrap());
    let mut ids = enqueue(&mut session, "hold", 4);
    let held = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND datname = current_database() AND pid <> pg_backend_pid()";
    until("all connections are taken", || (value::<i64>(&mut session, held, &[]) == 2).then_some(()));
    let quick = enqueue(&mut session, "quick", 1);
    until("another job is done", || {
        let done = "SELECT count(*) FROM pgq.job_log WHERE job_id = $1";
        (value::<i64>(&mut session, done, &[&quick[0]]) == 1).then_some(())
    });
    assert_eq!(value::<i64>(&mut session, held, &[]), 2);
    ids.extend(quick);
    until_all_ended_once(&mut session, &ids);
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.job_log", &[]), 5);
    running.stop().unwrap();
}
