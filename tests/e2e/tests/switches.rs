//! The settings of the background workers, changed while the server runs; and a server that has no place for them.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{claims, column, complete, dequeue, enqueue, run, value};

use pgqueuer_e2e::cluster::{Cluster, Database, Stop};
use pgqueuer_e2e::serving::{launcher, until_launched, until_served, workers};
use pgqueuer_e2e::ticks::{beats, each_second_catching_up, faults, server_now};
use pgqueuer_e2e::until::{until, until_within};
use pgqueuer_e2e::waiter::Waiter;
use postgres::Client;
use postgres::fallible_iterator::FallibleIterator;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};
use uuid::Uuid;

fn until_second(session: &mut Client, wanted: i64) {
    until_within(Duration::from_secs(30), "the time has come", || (server_now(session) >= wanted).then_some(()));
}

/// What `pgq.worker_state()` and `pgq.health()` say of the database's worker.
fn state(session: &mut Client) -> (String, bool) {
    let state = value(session, "SELECT state FROM pgq.worker_state()", &[]);
    (state, value(session, "SELECT ok FROM pgq.health() WHERE \"check\" = 'background worker'", &[]))
}

/// Jobs are handed out and ended, come back from sessions that end and leases that run out, and wake who waits, though
/// nobody looks after the database but its sessions.
fn assert_works_alone(database: &Database) {
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 4);
    assert_eq!(dequeue(&mut session, "fetch", 2), ids[..2]);
    assert_eq!(complete(&mut session, &ids[..2]), ids[..2]);
    let mut lost = database.connect();
    let named = "SELECT id FROM pgq.dequeue('{fetch}', 1, $1, '500 ms')";
    assert_eq!(column::<i64>(&mut lost, named, &[&Uuid::from_u128(3)]), ids[2..3]);
    assert_eq!(dequeue(&mut lost, "fetch", 1), ids[3..]);
    drop(lost);
    let mut again = vec![];
    until("both come back", || {
        again.extend(dequeue(&mut session, "fetch", 2));
        (again.len() == 2).then_some(())
    });
    assert_eq!(complete(&mut session, &again).len(), 2);
    assert_eq!(claims(&mut session), 0);
    let waiter = Waiter::calls(database, "CALL pgq.wait('{later}', '10 s')");
    waiter.until_asleep(&mut session);
    let due = Instant::now() + Duration::from_millis(300);
    run(&mut session, "SELECT pgq.enqueue('later', delay => '300 ms')");
    let woken = waiter.woken();
    assert!(woken.ready.unwrap());
    // Without a worker one looks once a second.
    assert!(woken.at - due < Duration::from_secs(2), "{:?}", woken.at - due);
    run(&mut session, "SELECT pgq.complete(id) FROM pgq.dequeue('{later}')");
}

/// Deferred jobs wake, and jobs of ended sessions come back counted.
fn assert_served(database: &Database) {
    let mut session = database.connect();
    // Until a worker has been there for the first time sessions look after themselves.
    until("it is served", || ["running", "resting"].contains(&state(&mut session).0.as_str()).then_some(()));
    let waiter = Waiter::calls(database, "CALL pgq.wait('{later}', '10 s')");
    waiter.until_asleep(&mut session);
    run(&mut session, "SELECT pgq.enqueue('later', delay => '300 ms')");
    enqueue(&mut session, "lost", 1);
    assert!(waiter.woken().ready.unwrap());
    let mut lost = database.connect();
    assert_eq!(dequeue(&mut lost, "lost", 1).len(), 1);
    drop(lost);
    let counted = "SELECT count(*) FROM pgq.jobs WHERE entrypoint = 'lost' AND status = 'queued' AND attempts = 1";
    until("the lost job is counted", || (value::<i64>(&mut session, counted, &[]) == 1).then_some(()));
    run(&mut session, "SELECT pgq.clear('{later,lost}')");
}

/// Does something in every database at the same time.
fn everywhere(databases: &[Database], act: impl Fn(&Database) + Sync) {
    let act = &act;
    thread::scope(|scope| databases.iter().for_each(|database| drop(scope.spawn(move || act(database)))));
}

#[test]
fn off_no_worker_runs_and_no_schedule_ticks_and_on_again_the_ticks_of_the_pause_were_missed() {
    let cluster = Cluster::start(&[]);
    let mut operator = cluster.connect("postgres");
    let database = cluster.database();
    let mut session = database.connect();
    for policy in ["skip", "one", "all"] {
        each_second_catching_up(&mut session, policy, policy);
    }
    until("they tick", || (beats(&mut session, "skip").len() >= 2).then_some(()));
    cluster.reload(&[("pgqueuer.enabled", "off")]);
    until("the workers have left", || workers(&mut operator).is_empty().then_some(()));
    let (off, last) = (server_now(&mut session), beats(&mut session, "all").last().copied().unwrap());
    assert_eq!(state(&mut session), ("excluded".to_owned(), false));
    assert_works_alone(&database);
    until_second(&mut session, off + 4);
    assert_eq!(beats(&mut session, "all").last(), Some(&last), "nothing ticks");
    assert_eq!((workers(&mut operator), launcher(&mut operator).is_some()), (vec![], true));

    let on = server_now(&mut session);
    cluster.reload(&[("pgqueuer.enabled", "on")]);
    until("they tick again", || beats(&mut session, "skip").last().filter(|tick| **tick >= on + 3).copied());
    assert_served(&database);
    assert_eq!(state(&mut session), ("running".to_owned(), true));
    let missed = last + 1..on;
    let of = |session: &mut Client, policy| {
        let all = beats(session, policy);
        let within: Vec<i64> = all.iter().copied().filter(|tick| missed.contains(tick)).collect();
        (all, within)
    };
    let (all, within) = of(&mut session, "all");
    assert_eq!((faults(&all), within.len() as i64), (vec![], on - last - 1), "each is made up for");
    let (_, within) = of(&mut session, "skip");
    assert_eq!(within, [0; 0], "none is made up for");
    let (_, within) = of(&mut session, "one");
    assert!(within.len() <= 1, "one stands for all: {within:?}");
    // From the first tick after the pause on there is no difference.
    let after = |session: &mut Client, policy| -> Vec<i64> {
        beats(session, policy).into_iter().filter(|tick| *tick > on + 1 && *tick <= on + 3).collect()
    };
    assert_eq!(after(&mut session, "skip"), [on + 2, on + 3]);
    assert_eq!(after(&mut session, "one"), [on + 2, on + 3]);
}

#[test]
fn a_server_that_started_without_workers_gets_them() {
    let cluster = Cluster::start(&[("pgqueuer.enabled", "off")]);
    let mut operator = cluster.connect("postgres");
    until_launched(&mut operator);
    let databases = [cluster.database(), cluster.database()];
    assert_works_alone(&databases[0]);
    assert_eq!(workers(&mut operator), [0; 0]);
    cluster.reload(&[("pgqueuer.enabled", "on")]);
    for database in &databases {
        until_served(&mut operator, &database.name);
    }
    databases.iter().for_each(assert_served);
}

#[test]
fn the_databases_that_are_named_are_served() {
    let cluster = Cluster::start(&[("pgqueuer.databases", "test_0, \"test_2\",nowhere")]);
    let mut operator = cluster.connect("postgres");
    let databases: Vec<Database> = (0..3).map(|_| cluster.database()).collect();
    let served = |operator: &mut Client, expected: &[&str]| {
        // One that is on its way is in no database yet: 18 shows that.
        let sql = "SELECT datname::text FROM pg_stat_activity WHERE backend_type = 'pgqueuer worker' AND datid <> 0 ORDER BY 1";
        until(&format!("workers are in {expected:?}"), || {
            (column::<String>(operator, sql, &[]) == expected).then_some(())
        });
    };
    served(&mut operator, &["test_0", "test_2"]);
    assert_works_alone(&databases[1]);
    assert_eq!(state(&mut databases[1].connect()), ("excluded".to_owned(), false));
    assert_served(&databases[0]);
    served(&mut operator, &["test_0", "test_2"]);
    cluster.reload(&[("pgqueuer.databases", "test_1")]);
    served(&mut operator, &["test_1"]);
    assert_served(&databases[1]);
    assert_works_alone(&databases[0]);
    // A database that gets a name of the list, or one that is not in it.
    run(&mut operator, "ALTER DATABASE test_1 RENAME TO other");
    served(&mut operator, &[]);
    run(&mut operator, "ALTER DATABASE test_2 RENAME TO test_1");
    served(&mut operator, &["test_1"]);
    cluster.reload(&[("pgqueuer.databases", "*")]);
    served(&mut operator, &["other", "pattern", "test_0", "test_1"]);
}

#[test]
fn fewer_and_more_workers_by_reload() {
    let cluster = Cluster::start(&[("pgqueuer.max_background_workers", "4"), ("max_worker_processes", "16")]);
    let mut operator = cluster.connect("postgres");
    let databases: Vec<Database> = (0..6).map(|_| cluster.database()).collect();
    everywhere(&databases, assert_served);
    for most in [1, 3] {
        cluster.reload(&[("pgqueuer.max_background_workers", &most.to_string())]);
        until(&format!("at most {most} are left, though nobody else needs a place"), || {
            (workers(&mut operator).len() <= most).then_some(())
        });
        everywhere(&databases, assert_served);
        assert!(workers(&mut operator).len() <= most);
    }
}

#[test]
fn a_server_without_any_place_works_alone_and_says_so() {
    let cluster = Cluster::start(&[("max_worker_processes", "0")]);
    let database = cluster.database();
    assert_works_alone(&database);
    assert_eq!(state(&mut database.connect()), ("no launcher".to_owned(), false));
    run(&mut database.connect(), "DROP EXTENSION pgqueuer; CREATE EXTENSION pgqueuer");
    assert_works_alone(&database);
    run(&mut cluster.connect("postgres"), &format!("DROP DATABASE {}", database.name));
}

/// The databases of which the log says that there is no place for their workers.
fn told(cluster: &Cluster) -> Vec<String> {
    let log = cluster.log();
    let lines = log.lines().filter(|line| line.contains("no background worker in database"));
    let mut told: Vec<String> =
        lines.map(|line| line.split("worker in database ").last().unwrap().to_owned()).collect();
    told.sort_unstable();
    told
}

#[test]
fn a_server_with_a_place_for_the_launcher_alone_says_so_once_and_after_a_restart_with_one_more_all_are_served() {
    // PostgreSQL's own logical replication launcher takes the other.
    let cluster = Cluster::start(&[("max_worker_processes", "2")]);
    let databases: Vec<Database> = (0..3).map(|_| cluster.database()).collect();
    databases.iter().for_each(|database| each_second_catching_up(&mut database.connect(), "beat", "skip"));
    for database in &databases {
        let mut session = database.connect();
        until("it is seen", || (state(&mut session) == ("refused".to_owned(), false)).then_some(()));
        assert_works_alone(database);
    }
    until("the log is told of each", || {
        let of = |database: &Database| {
            let oid: u32 =
                value(&mut database.connect(), "SELECT oid FROM pg_database WHERE datname = current_database()", &[]);
            told(&cluster).iter().any(|line| line.contains(&oid.to_string()) || line.contains(&database.name))
        };
        databases.iter().all(of).then_some(())
    });
    let mut session = databases[0].connect();
    let now = server_now(&mut session);
    until_second(&mut session, now + 3);
    let all = told(&cluster);
    assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "each once: {all:?}");
    assert_eq!(beats(&mut session, "beat"), [0; 0]);

    // One place for four databases.
    cluster.configure(&[("max_worker_processes", "3")]);
    cluster.stop(Stop::Fast);
    cluster.begin();
    let mut session = databases[0].connect();
    databases.iter().for_each(assert_served);
    for database in &databases {
        let mut session = database.connect();
        until("it ticks", || (beats(&mut session, "beat").len() >= 2).then_some(()));
        assert_eq!(faults(&beats(&mut session, "beat")), [""; 0]);
        assert!(state(&mut session).1, "{:?}", state(&mut session));
    }
    // The one place is passed on: that is nothing to tell again and again.
    let before = told(&cluster);
    let now = server_now(&mut session);
    until_second(&mut session, now + 4);
    assert_eq!(told(&cluster), before);
}

/// A query whose parallel workers wait until somebody reads what they have found: until it is dropped they take up to
/// two places of the server.
struct Hog {
    /// The thread ends when this does.
    _end: Sender<()>,
}

impl Hog {
    /// Gets ready; the second part of what this returns takes the places.
    fn ready(cluster: &Cluster) -> (Self, impl FnOnce()) {
        let mut session = cluster.connect("postgres");
        run(
            &mut session,
            "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0",
        );
        run(&mut session, "SET max_parallel_workers_per_gather = 2; SET parallel_leader_participation = off");
        let ((_end, end), (go, gone), (begin, begun)) = (channel::<()>(), channel::<()>(), channel());
        thread::spawn(move || {
            gone.recv().unwrap();
            let mut rows = session.query_raw("SELECT * FROM much", Vec::<i32>::new()).unwrap();
            assert!(rows.next().unwrap().is_some());
            begin.send(()).unwrap();
            assert!(end.recv().is_err(), "nobody sends anything");
        });
        (Self { _end }, move || {
            go.send(()).unwrap();
            begun.recv().unwrap();
        })
    }
}

/// A table that such a query reads.
fn make_much(session: &mut Client) {
    run(
        session,
        "CREATE TABLE much AS SELECT i, repeat('x', 200) AS x FROM generate_series(1, 200000) AS i; ANALYZE much",
    );
}

fn taken(operator: &mut Client) -> i64 {
    value(operator, "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker'", &[])
}

#[test]
fn places_that_others_took_are_used_when_they_become_free() {
    let settings = [("max_worker_processes", "4"), ("pgqueuer.enabled", "off"), ("autovacuum", "off")];
    let cluster = Cluster::start(&settings);
    let mut operator = cluster.connect("postgres");
    let databases: Vec<Database> = (0..3).map(|_| cluster.database()).collect();
    databases.iter().for_each(|database| each_second_catching_up(&mut database.connect(), "beat", "all"));
    make_much(&mut operator);
    let (hog, take) = Hog::ready(&cluster);
    take();
    until("both are taken", || (taken(&mut operator) == 2).then_some(()));
    cluster.reload(&[("pgqueuer.enabled", "on")]);
    for database in &databases {
        let mut session = database.connect();
        until("it is seen", || (state(&mut session) == ("refused".to_owned(), false)).then_some(()));
        assert_works_alone(database);
    }
    assert_eq!(taken(&mut operator), 2, "they still are");
    drop(hog);
    for database in &databases {
        let mut session = database.connect();
        // The longer there was none, the more seldom the server is asked for a place.
        until_within(Duration::from_secs(30), "it is served", || state(&mut session).1.then_some(()));
        assert_served(database);
        until("it ticks", || (beats(&mut session, "beat").len() >= 2).then_some(()));
        assert_eq!(faults(&beats(&mut session, "beat")), [""; 0]);
    }
    let all = told(&cluster);
    assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "each once: {all:?}");
}

#[test]
fn databases_whose_workers_rest_work_alone_when_others_have_taken_all_places() {
    let settings = [("max_worker_processes", "3"), ("pgqueuer.max_background_workers", "1"), ("autovacuum", "off")];
    let cluster = Cluster::start(&settings);
    let mut operator = cluster.connect("postgres");
    let databases: Vec<Database> = (0..6).map(|_| cluster.database()).collect();
    // Each has been served, and all but one rest.
    databases.iter().for_each(assert_served);
    make_much(&mut operator);
    // A command that needs the database for itself keeps the one worker out, and nobody else needs its place.
    let of = "SELECT datname::text FROM pg_stat_activity WHERE backend_type = 'pgqueuer worker' AND datid <> 0";
    let (mut last, mut looks) = (vec![], 0);
    until("one is there, and nobody comes", || {
        let now: Vec<String> = column(&mut operator, of, &[]);
        looks = if now == last && now.len() == 1 { looks + 1 } else { 0 };
        last = now;
        (looks == 150).then_some(())
    });
    let served = last.remove(0);
    let mut owner = cluster.connect("postgres");
    run(&mut owner, &format!("BEGIN; ALTER DATABASE {served} RENAME TO other"));
    let hog = until("the place is taken", || {
        let (hog, take) = Hog::ready(&cluster);
        take();
        (taken(&mut operator) == 1).then_some(hog)
    });
    run(&mut owner, "ROLLBACK");
    everywhere(&databases, assert_works_alone);
    drop(hog);
}
