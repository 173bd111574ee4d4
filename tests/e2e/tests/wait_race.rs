//! No wake is lost, however commits, looks, sleeps, cancels and ends of sessions fall together; and what no commit of the
//! queue's own functions tells of is found by a look within a second.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{column, complete, dequeue, enqueue, run, value};
use pgqueuer_e2e::cluster::{Database, database};
use pgqueuer_e2e::until::until;
use pgqueuer_e2e::waiter::Waiter;
use postgres::{Client, NoTls};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

const SEED: u64 = 20_261_122;

/// Waits, claims and completes until it is told to stop. Returns how many it completed.
fn work(session: &mut Client, entrypoints: &str, most: i32, stop: &AtomicBool) -> usize {
    let wait = format!("CALL pgq.wait('{entrypoints}', '1 min')");
    let claim = format!("SELECT id FROM pgq.dequeue('{entrypoints}', {most})");
    let mut done = 0;
    while value::<bool>(session, &wait, &[]) && !stop.load(SeqCst) {
        let ids: Vec<i64> = column(session, &claim, &[]);
        done += complete(session, &ids).len();
    }
    done
}

/// Lets workers run while `produce` goes on, and stops them by a job for each.
fn with_workers(database: &Database, count: usize, entrypoints: &str, most: i32, produce: impl FnOnce()) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..count {
            let (mut session, stop) = (database.connect(), &stop);
            scope.spawn(move || work(&mut session, entrypoints, most, stop));
        }
        produce();
        stop.store(true, SeqCst);
        let mut last = database.connect();
        (0..count).for_each(|_| _ = enqueue(&mut last, "a", 1));
    });
}

#[test]
fn a_thousand_round_trips_lose_no_wake() {
    let database = database();
    let worst = std::sync::Mutex::new(Duration::ZERO);
    with_workers(&database, 3, "{a,b}", 1, || {
        thread::scope(|scope| {
            for (place, name) in ["a", "b"].into_iter().enumerate() {
                let mut session = database.connect();
                let worst = &worst;
                let mut random = StdRng::seed_from_u64(SEED + place as u64);
                scope.spawn(move || {
                    for round in 0..500 {
                        let id = enqueue(&mut session, name, random.random_range(1..4))[0];
                        let start = Instant::now();
                        let done: bool = value(&mut session, &format!("CALL pgq.wait_for('{{{id}}}', '30 s')"), &[]);
                        assert!(done, "round {round}: job {id} of {name} is not done within 30 s");
                        let mut worst = worst.lock().unwrap();
                        *worst = worst.max(start.elapsed());
                    }
                });
            }
        });
    });
    let worst = worst.lock().unwrap();
    println!("the longest round trip took {worst:?}");
    assert!(*worst < Duration::from_millis(900), "a round trip took {worst:?}: only a look of its own has helped");
}

/// Works off jobs that can only be claimed one after another; each end must wake the next worker.
fn one_after_another(prepare: &str, keys: Option<&str>) {
    let database = database();
    let mut session = database.connect();
    run(&mut session, prepare);
    let sql = "SELECT pgq.enqueue_many_text('{a}', array_fill('x'::text, '{200}'), ordering_keys => CASE WHEN $1::text IS NULL
               THEN NULL ELSE array_fill($1::text, '{200}') END)";
    let ids: Vec<i64> = value(&mut session, sql, &[&keys]);
    let start = Instant::now();
    with_workers(&database, 4, "{a}", 1, || {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let done: bool = value(&mut session, &format!("CALL pgq.wait_for('{{{}}}', '50 s')", ids.join(",")), &[]);
        assert!(done, "200 jobs are not done within 50 s");
        let took = start.elapsed();
        println!("200 jobs one after another in {took:?}");
        assert!(took < Duration::from_secs(8), "{took:?}: an end has woken nobody");
        run(&mut session, "SELECT pgq.configure('a', concurrency_limit => 0)");
    });
}

#[test]
fn under_a_limit_of_one_each_end_wakes_the_next_worker() {
    one_after_another("SELECT pgq.configure('a', concurrency_limit => 1)", None);
}

#[test]
fn within_an_ordering_key_each_end_wakes_the_next_worker() {
    one_after_another("SELECT 1", Some("k"));
}

#[test]
fn waits_that_are_cut_short_lose_nobody_elses_wake() {
    let database = database();
    let (stop, taken) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        // These leave in the middle, most of them without claiming anything.
        for place in 0..3 {
            let (database, stop) = (&database, &stop);
            scope.spawn(move || {
                let mut random = StdRng::seed_from_u64(SEED + place);
                let mut session = database.connect();
                while !stop.load(SeqCst) {
                    let cancel = session.cancel_token();
                    let after = random.random_range(0..3);
                    thread::scope(|scope| {
                        scope.spawn(|| {
                            let mut other = database.connect();
                            (0..after).for_each(|_| run(&mut other, "SELECT 1"));
                            cancel.cancel_query(NoTls).unwrap();
                        });
                        // Canceled or not: both are fine.
                        let _ = session.query_one("CALL pgq.wait('{a}', '200 ms')", &[]);
                    });
                }
            });
        }
        let mut worker = database.connect();
        let (stop, taken) = (&stop, &taken);
        scope.spawn(move || {
            while !stop.load(SeqCst) {
                if value::<bool>(&mut worker, "CALL pgq.wait('{a}', '3 s')", &[]) {
                    let ids = dequeue(&mut worker, "a", 9);
                    taken.fetch_add(complete(&mut worker, &ids).len(), SeqCst);
                }
            }
        });
        let mut session = database.connect();
        let mut worst = Duration::ZERO;
        for round in 1..=150 {
            enqueue(&mut session, "a", 1);
            let start = Instant::now();
            until("the worker that stays takes the job", || (taken.load(SeqCst) == round).then_some(()));
            worst = worst.max(start.elapsed());
        }
        stop.store(true, SeqCst);
        println!("the longest took {worst:?}");
        assert!(worst < Duration::from_millis(900), "{worst:?}: only a look of its own has helped");
    });
}

#[test]
fn a_row_that_no_function_has_written_is_found_within_a_second() {
    let database = database();
    let mut session = database.connect();
    let waiter = Waiter::asleep(&database, &mut session);
    let start = Instant::now();
    // As a restore of a dump does, or a subscriber of logical replication.
    run(
        &mut session,
        "INSERT INTO pgq.job (id, created, due, entrypoint) VALUES (nextval('pgq.job_id_seq'), now(), now(), 'fetch')",
    );
    let woken = waiter.woken();
    let took = woken.at.duration_since(start);
    println!("found after {took:?}");
    assert!(woken.ready.unwrap() && took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn in_the_role_of_a_replica_an_insert_wakes() {
    let database = database();
    let mut session = database.connect();
    for way in ["SELECT pgq.enqueue('fetch')", "INSERT INTO pgq.jobs (entrypoint) VALUES ('fetch')"] {
        let waiter = Waiter::asleep(&database, &mut session);
        let start = Instant::now();
        run(&mut session, &format!("BEGIN; SET LOCAL session_replication_role = replica; {way}; COMMIT"));
        let mut woken = waiter.woken();
        let took = woken.at.duration_since(start);
        println!("{way}: found after {took:?}");
        assert!(woken.ready.unwrap() && took < Duration::from_secs(2), "{took:?}");
        assert_eq!(dequeue(&mut woken.session, "fetch", 9).len(), 1);
        complete(&mut woken.session, &column::<i64>(&mut session, "SELECT id FROM pgq.jobs", &[]));
    }
}

#[test]
fn whoever_waits_for_many_kinds_of_work_is_woken_for_each() {
    let database = database();
    let mut session = database.connect();
    let names: Vec<String> = (0..40).map(|place| format!("kind {place}")).collect();
    let call = format!("CALL pgq.wait('{{\"{}\"}}', '30 s')", names.join("\",\""));
    for name in names.iter().step_by(13) {
        let waiter = Waiter::calls(&database, &call);
        waiter.until_asleep(&mut session);
        let start = Instant::now();
        let id = enqueue(&mut session, name, 1);
        let woken = waiter.woken();
        assert!(woken.ready.unwrap() && woken.at.duration_since(start) < Duration::from_millis(400));
        run(&mut session, &format!("SELECT pgq.cancel('{{{}}}')", id[0]));
    }
}

#[test]
fn a_database_whose_waiters_slept_through_a_new_extension_goes_on() {
    let database = database();
    let mut session = database.connect();
    let waiter = Waiter::asleep(&database, &mut session);
    let start = Instant::now();
    run(&mut session, "SET lock_timeout = '5 s'; DROP EXTENSION pgqueuer; CREATE EXTENSION pgqueuer");
    println!("made anew after {:?}", start.elapsed());
    let id = enqueue(&mut session, "fetch", 1);
    let woken = waiter.woken();
    println!("the old waiter says {:?} after {:?}", woken.ready, woken.at.duration_since(start));
    assert!(woken.at.duration_since(start) < Duration::from_secs(5), "it does not sleep on a table that has gone");
    if let Err(error) = &woken.ready {
        let code = error.code().map_or("", |code| code.code());
        assert!(!code.starts_with("XX"), "an error that says what happened: {error:?}");
    }
    let next = Waiter::claims(&database).woken();
    assert_eq!((next.ready.unwrap(), next.claimed), (true, id));
}

#[test]
fn a_database_can_be_renamed_copied_and_dropped_beside_its_background_worker() {
    let database = database();
    let mut session = database.connect();
    let name = database.name.clone();
    enqueue(&mut session, "fetch", 1);
    assert!(value::<bool>(&mut session, "CALL pgq.wait('{fetch}', '10 s')", &[]));
    assert_eq!(dequeue(&mut session, "fetch", 1).len(), 1);
    let running =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type ~ 'pgqueuer'";
    until("the database has its worker", || (value::<i64>(&mut session, running, &[]) == 1).then_some(()));
    drop(session);
    let mut other = Client::connect(&database.address().replace(&name, "postgres"), NoTls).unwrap();
    until("the session has ended", || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'";
        (value::<i64>(&mut other, sql, &[&name]) == 0).then_some(())
    });
    run(&mut other, &format!("CREATE DATABASE copy_of_{name} TEMPLATE {name}"));
    run(&mut other, &format!("ALTER DATABASE {name} RENAME TO was_{name}"));
    let address = database.address().replace(&name, &format!("was_{name}"));
    let mut session = Client::connect(&address, NoTls).unwrap();
    enqueue(&mut session, "fetch", 1);
    let mut claimed = dequeue(&mut session, "fetch", 9);
    until("the job of the session that has ended is free, too", || {
        claimed.extend(dequeue(&mut session, "fetch", 9));
        (claimed.len() == 2).then_some(())
    });
    until("the worker is back", || (value::<i64>(&mut session, running, &[]) == 1).then_some(()));
    drop(session);
    until("the session has ended", || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'";
        (value::<i64>(&mut other, sql, &[&format!("was_{name}")]) == 0).then_some(())
    });
    run(&mut other, &format!("DROP DATABASE was_{name}"));
    run(&mut other, &format!("DROP DATABASE copy_of_{name}"));
}
