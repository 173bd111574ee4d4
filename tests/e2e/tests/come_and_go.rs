//! The extension comes and goes, and with it the database's worker: nobody calls anything for it, and nobody waits for it.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{dequeue, enqueue, run, value};

use pgqueuer_e2e::cluster::{Cluster, Database};
use pgqueuer_e2e::serving::{complaints, terminate, until_launched, until_served, worker_of};
use pgqueuer_e2e::ticks::{beats, each_second_catching_up, faults};
use pgqueuer_e2e::until::until;
use pgqueuer_e2e::waiter::Waiter;
use postgres::Client;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A worker waits a tenth of a second for a lock, at most, and works in slices of some milliseconds: whoever waits for it
/// has waited much less than this. A DROP EXTENSION itself takes some 100 ms of a debug build.
const NOT_HELD_UP: Duration = Duration::from_secs(1);
const SOON: Duration = Duration::from_secs(2);

/// One server for all: what one test does is in nobody's way, and whatever anybody does, nothing is to be complained of.
fn server() -> &'static Cluster {
    static SERVER: OnceLock<Cluster> = OnceLock::new();
    SERVER.get_or_init(|| Cluster::start(&[]))
}

fn timed(session: &mut Client, sql: &str) -> Duration {
    let start = Instant::now();
    run(session, sql);
    start.elapsed()
}

/// The database's worker serves: it wakes who waits for a deferred job, and hears of the end of a session.
fn assert_serves(database: &Database) {
    let mut session = database.connect();
    let waiter = Waiter::calls(database, "CALL pgq.wait('{later}', '10 s')");
    waiter.until_asleep(&mut session);
    run(&mut session, "SELECT pgq.enqueue('later', delay => '300 ms')");
    assert!(waiter.woken().ready.unwrap());
    enqueue(&mut session, "lost", 1);
    let mut lost = database.connect();
    assert_eq!(dequeue(&mut lost, "lost", 1).len(), 1);
    drop(lost);
    let counted = "SELECT count(*) FROM pgq.jobs WHERE entrypoint = 'lost' AND status = 'queued' AND attempts = 1";
    until("the lost job is counted", || (value::<i64>(&mut session, counted, &[]) == 1).then_some(()));
    run(&mut session, "SELECT pgq.clear()");
}

fn nobody_there(operator: &mut Client, database: &str) {
    until("the worker leaves", || worker_of(operator, database).is_none().then_some(()));
}

/// Nobody is there for so many looks in a row: a visit to see what there is may come first.
fn stays_away(operator: &mut Client, database: &str) {
    let mut looks = 0;
    until("nobody is there", || {
        looks = if worker_of(operator, database).is_none() { looks + 1 } else { 0 };
        (looks == 50).then_some(())
    });
}

#[test]
fn a_worker_comes_with_create_extension_and_leaves_with_drop_extension() {
    let cluster = server();
    let mut operator = cluster.connect("postgres");
    until_launched(&mut operator);
    let database = cluster.empty_database();
    let mut owner = database.connect();
    for _ in 0..3 {
        run(&mut owner, "CREATE EXTENSION pgqueuer");
        let start = Instant::now();
        until_served(&mut operator, &database.name);
        assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
        assert_serves(&database);
        let took = timed(&mut owner, "DROP EXTENSION pgqueuer");
        println!("DROP EXTENSION took {took:?}");
        assert!(took < NOT_HELD_UP, "{took:?}");
        nobody_there(&mut operator, &database.name);
        stays_away(&mut operator, &database.name);
    }
    run(&mut owner, "CREATE EXTENSION pgqueuer");
    until_served(&mut operator, &database.name);
    run(&mut owner, "DROP SCHEMA pgq CASCADE");
    nobody_there(&mut operator, &database.name);
    assert_eq!(complaints(&cluster.log()), [""; 0]);
}

#[test]
fn an_extension_that_is_dropped_and_made_in_one_transaction_is_served() {
    let cluster = server();
    let mut operator = cluster.connect("postgres");
    let database = cluster.empty_database();
    let mut owner = database.connect();
    run(&mut owner, "CREATE EXTENSION pgqueuer");
    until_served(&mut operator, &database.name);
    each_second_catching_up(&mut owner, "gone", "all");
    assert_serves(&database);
    run(&mut owner, "BEGIN; DROP EXTENSION pgqueuer; CREATE EXTENSION pgqueuer; COMMIT");
    // Nobody has called anything: what comes into the table itself is enough.
    run(&mut owner, "SELECT pgq.schedule('beat', '* * * * * *', overlap => true)");
    until("it ticks", || (beats(&mut owner, "beat").len() >= 3).then_some(()));
    assert_eq!(faults(&beats(&mut owner, "beat")), [""; 0]);
    assert_eq!(beats(&mut owner, "gone"), [0; 0]);
    assert_serves(&database);
    // And rolled back: the old one is served as before.
    let before = beats(&mut owner, "beat").len();
    run(&mut owner, "BEGIN; DROP EXTENSION pgqueuer; CREATE EXTENSION pgqueuer; ROLLBACK");
    until("it ticks", || (beats(&mut owner, "beat").len() >= before + 2).then_some(()));
    assert_eq!(faults(&beats(&mut owner, "beat")), [""; 0]);
    assert_eq!(complaints(&cluster.log()), [""; 0]);
}

#[test]
fn an_extension_whose_making_is_rolled_back_has_no_worker() {
    let cluster = server();
    let mut operator = cluster.connect("postgres");
    until_launched(&mut operator);
    let database = cluster.empty_database();
    nobody_there(&mut operator, &database.name);
    let mut owner = database.connect();
    run(&mut owner, "BEGIN; CREATE EXTENSION pgqueuer; SELECT pgq.enqueue('fetch'), pgq.schedule('s', '* * * * * *')");
    run(&mut owner, "SELECT id FROM pgq.dequeue('{fetch}'); SELECT * FROM pgq.health(); ROLLBACK");
    stays_away(&mut operator, &database.name);
    run(&mut owner, "BEGIN; SAVEPOINT s; CREATE EXTENSION pgqueuer; ROLLBACK TO s; COMMIT");
    stays_away(&mut operator, &database.name);
    run(&mut owner, "BEGIN; CREATE EXTENSION pgqueuer; DROP EXTENSION pgqueuer; COMMIT");
    nobody_there(&mut operator, &database.name);
    stays_away(&mut operator, &database.name);
    run(&mut owner, "CREATE EXTENSION pgqueuer");
    until_served(&mut operator, &database.name);
    assert_serves(&database);
    assert_eq!(complaints(&cluster.log()), [""; 0]);
}

#[test]
fn many_times_in_a_row_somebody_serves_the_last() {
    let cluster = server();
    let mut operator = cluster.connect("postgres");
    let database = cluster.empty_database();
    let mut owner = database.connect();
    let mut longest = Duration::ZERO;
    // At whatever point of its life the worker is.
    for round in 0..8 {
        run(&mut owner, "CREATE EXTENSION pgqueuer");
        match round % 4 {
            0 => {}
            1 => drop(enqueue(&mut owner, "fetch", 100)),
            2 => drop(until_served(&mut operator, &database.name)),
            _ => run(&mut owner, "SELECT pgq.schedule('beat', '* * * * * *'), pgq.enqueue('f', delay => '10 ms')"),
        }
        longest = longest.max(timed(&mut owner, "DROP EXTENSION pgqueuer"));
    }
    println!("the longest DROP EXTENSION took {longest:?}");
    assert!(longest < NOT_HELD_UP, "{longest:?}");
    run(&mut owner, "CREATE EXTENSION pgqueuer");
    let start = Instant::now();
    until_served(&mut operator, &database.name);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    assert_serves(&database);
    assert_eq!(complaints(&cluster.log()), [""; 0]);
}

#[test]
fn drop_extension_does_not_wait_for_a_worker_that_is_busy() {
    let cluster = server();
    let mut operator = cluster.connect("postgres");
    let database = cluster.empty_database();
    let mut owner = database.connect();
    for _ in 0..2 {
        run(&mut owner, "CREATE EXTENSION pgqueuer");
        until_served(&mut operator, &database.name);
        enqueue(&mut owner, "fetch", 20_000);
        let mut lost = database.connect();
        assert_eq!(dequeue(&mut lost, "fetch", 20_000).len(), 20_000);
        // Thousands of jobs to release, 256 in each transaction.
        drop(lost);
        let releases = "SELECT count(*) FROM pgq.job_log WHERE outcome = 'released'";
        until("it is in the middle of it", || (value::<i64>(&mut owner, releases, &[]) > 0).then_some(()));
        let left: i64 = value(&mut owner, "SELECT 20000 - count(*) FROM pgq.job_log", &[]);
        let took = timed(&mut owner, "DROP EXTENSION pgqueuer");
        println!("{left} left, DROP EXTENSION took {took:?}");
        assert!(took < NOT_HELD_UP, "{took:?}");
        nobody_there(&mut operator, &database.name);
    }
    assert_eq!(complaints(&cluster.log()), [""; 0]);
}

#[test]
fn a_worker_that_is_ended_again_and_again_loses_no_drop() {
    let cluster = Cluster::start(&[]);
    let mut operator = cluster.connect("postgres");
    let database = cluster.empty_database();
    let mut owner = database.connect();
    for _ in 0..5 {
        run(&mut owner, "CREATE EXTENSION pgqueuer");
        let worker = until_served(&mut operator, &database.name);
        terminate(&mut operator, worker);
        run(&mut owner, "DROP EXTENSION pgqueuer");
        nobody_there(&mut operator, &database.name);
    }
    stays_away(&mut operator, &database.name);
    run(&mut owner, "CREATE EXTENSION pgqueuer");
    until_served(&mut operator, &database.name);
    assert_serves(&database);
}
