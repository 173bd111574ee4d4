//! `CALL pgq.wait_for` returns as soon as all of some jobs have ended, in whatever way.

#![allow(clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{dequeue, enqueue, run, value};
use pgqueuer_e2e::cluster::database;
use pgqueuer_e2e::waiter::Waiter;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_millis(400);

fn call(ids: &[i64], timeout: &str) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    format!("CALL pgq.wait_for('{{{}}}', '{timeout}')", ids.join(","))
}

#[test]
fn the_last_end_ends_it_whatever_the_end_is() {
    let ends = [
        "SELECT pgq.complete($1)",
        "SELECT cardinality(pgq.complete_many(ARRAY[$1::bigint])) = 1",
        "SELECT cardinality(pgq.finish(ARRAY[$1::bigint], '{exception}')) = 1",
        "SELECT cardinality(pgq.finish(ARRAY[$1::bigint], '{failed}')) = 1",
        "SELECT pgq.fail($1) = 'failed'",
        "SELECT cardinality(pgq.cancel(ARRAY[$1::bigint])) = 1",
    ];
    for end in ends {
        let database = database();
        let mut session = database.connect();
        run(&mut session, "SELECT pgq.configure('fetch', max_attempts => 1)");
        let ids = enqueue(&mut session, "fetch", 2);
        assert_eq!(dequeue(&mut session, "fetch", 2), ids);
        let mut other = database.connect();
        let waiter = Waiter::calls(&database, &call(&ids, "30 s"));
        waiter.until_asleep(&mut other);
        assert!(value::<bool>(&mut session, end, &[&ids[0]]), "{end}");
        assert!(!value::<bool>(&mut other, &call(&ids, "300 ms"), &[]), "{end}: one is left");
        assert!(waiter.has_ended().is_none(), "{end}: one is left");
        let start = Instant::now();
        assert!(value::<bool>(&mut session, end, &[&ids[1]]), "{end}");
        let woken = waiter.woken();
        println!("{end}: after {:?}", woken.at.duration_since(start));
        assert!(woken.ready.unwrap() && woken.at.duration_since(start) < SOON, "{end}");
        assert!(value::<bool>(&mut other, &call(&ids, "0"), &[]), "{end}: at once from now on");
    }
}

#[test]
fn queued_jobs_that_are_taken_away_have_ended() {
    for end in
        ["SELECT pgq.delete(ARRAY(SELECT id FROM pgq.jobs))", "SELECT pgq.clear('{fetch}')", "SELECT pgq.clear()"]
    {
        let database = database();
        let mut session = database.connect();
        let ids = enqueue(&mut session, "fetch", 3);
        let waiter = Waiter::calls(&database, &call(&ids, "30 s"));
        waiter.until_asleep(&mut session);
        let start = Instant::now();
        run(&mut session, end);
        let woken = waiter.woken();
        println!("{end}: after {:?}", woken.at.duration_since(start));
        assert!(woken.ready.unwrap() && woken.at.duration_since(start) < SOON, "{end}");
    }
}

#[test]
fn a_retry_a_release_and_a_rollback_are_no_ends() {
    let database = database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 1);
    let waiter = Waiter::calls(&database, &call(&ids, "30 s"));
    waiter.until_asleep(&mut session);
    for act in [
        "SELECT pgq.retry(id) FROM pgq.dequeue('{fetch}')",
        "SELECT pgq.release(ARRAY[id]) FROM pgq.dequeue('{fetch}')",
        "BEGIN; SELECT pgq.complete(id) FROM pgq.dequeue('{fetch}'); ROLLBACK",
    ] {
        run(&mut session, act);
    }
    assert!(!value::<bool>(&mut session, &call(&ids, "1500 ms"), &[]));
    assert!(waiter.has_ended().is_none());
    let start = Instant::now();
    run(&mut session, "BEGIN; SELECT pgq.complete(id) FROM pgq.dequeue('{fetch}')");
    assert!(waiter.has_ended().is_none());
    run(&mut session, "COMMIT");
    let woken = waiter.woken();
    assert!(woken.ready.unwrap() && woken.at.duration_since(start) < SOON);
}

#[test]
fn not_done_at_the_timeout() {
    let database = database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 2);
    let start = Instant::now();
    assert!(!value::<bool>(&mut session, &call(&ids, "700 ms"), &[]));
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(690) && took < Duration::from_millis(1500), "{took:?}");
    // Jobs that nobody can say anything about do not hold it up, nor do they appear to be done one by one.
    assert!(value::<bool>(&mut session, &call(&[], "10 s"), &[]), "all of none have ended");
    assert!(!value::<bool>(&mut session, &call(&[ids[0], ids[0]], "0"), &[]));
}

#[test]
fn a_job_that_fails_too_often_without_its_worker_has_ended() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('fetch', max_releases => 1)");
    let ids = enqueue(&mut session, "fetch", 1);
    let mut lost = database.connect();
    assert_eq!(dequeue(&mut lost, "fetch", 1), ids);
    let waiter = Waiter::calls(&database, &call(&ids, "30 s"));
    waiter.until_asleep(&mut session);
    let start = Instant::now();
    drop(lost);
    let woken = waiter.woken();
    println!("after {:?}", woken.at.duration_since(start));
    assert!(woken.ready.unwrap() && woken.at.duration_since(start) < Duration::from_secs(2));
}

#[test]
fn many_wait_for_one_and_one_waits_for_many() {
    let database = database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 2000);
    let all = Waiter::calls(&database, &call(&ids, "1 min"));
    let last: Vec<Waiter> = (0..10).map(|_| Waiter::calls(&database, &call(&ids[1999..], "1 min"))).collect();
    last.iter().chain([&all]).for_each(|waiter| waiter.until_asleep(&mut session));
    let start = Instant::now();
    let mut left = ids.len();
    while left > 0 {
        let some = dequeue(&mut session, "fetch", 100);
        left -= some.len();
        assert_eq!(value::<Vec<i64>>(&mut session, "SELECT pgq.complete_many($1)", &[&some]).len(), some.len());
    }
    let done = Instant::now();
    for waiter in last.iter().chain([&all]) {
        let woken = waiter.woken();
        assert!(woken.ready.unwrap());
        assert!(woken.at.saturating_duration_since(done) < SOON);
    }
    println!("2000 jobs worked off in {:?}", done - start);
}

#[test]
fn a_waiter_holds_no_snapshot() {
    let database = database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 1);
    let waiter = Waiter::calls(&database, &call(&ids, "30 s"));
    waiter.until_asleep(&mut session);
    let sql = "SELECT backend_xid IS NULL AND backend_xmin IS NULL FROM pg_stat_activity WHERE pid = $1";
    pgqueuer_e2e::until::until("it lets go of everything", || {
        value::<bool>(&mut session, sql, &[&waiter.process]).then_some(())
    });
    run(&mut session, "SELECT pgq.clear()");
    assert!(waiter.woken().ready.unwrap());
}
