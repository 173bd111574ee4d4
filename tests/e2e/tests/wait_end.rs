//! How a wait ends that is not woken: by a cancel, a timeout of the server, a shutdown; and where it is refused.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{enqueue, refused, run, value};
use pgqueuer_e2e::cluster::{Cluster, Stop, database, major};
use pgqueuer_e2e::raw::Raw;
use pgqueuer_e2e::waiter::Waiter;
use postgres::error::SqlState;
use postgres::{Client, NoTls};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_millis(500);

#[test]
fn a_cancel_ends_it_at_once() {
    let database = database();
    let mut session = database.connect();
    let waiter = Waiter::asleep(&database, &mut session);
    let start = Instant::now();
    waiter.cancel.cancel_query(NoTls).unwrap();
    let mut woken = waiter.woken();
    assert!(woken.at.duration_since(start) < SOON);
    assert_eq!(woken.ready.unwrap_err().code(), Some(&SqlState::QUERY_CANCELED));
    // The session goes on, and can wait again.
    enqueue(&mut session, "fetch", 1);
    assert!(value::<bool>(&mut woken.session, "CALL pgq.wait('{fetch}', '10 s')", &[]));
}

#[test]
fn a_termination_ends_it_at_once() {
    let database = database();
    let mut session = database.connect();
    let waiter = Waiter::asleep(&database, &mut session);
    let start = Instant::now();
    run(&mut session, &format!("SELECT pg_terminate_backend({})", waiter.process));
    let woken = waiter.woken();
    assert!(woken.at.duration_since(start) < SOON);
    assert!(woken.ready.is_err());
}

#[test]
fn a_client_that_goes_away_does_not_leave_a_waiter_for_ever() {
    if major() < 14 {
        return; // The server looks for no client before it has something to say: the waiter stays for as long as it may.
    }
    let cluster = Cluster::start(&[("client_connection_check_interval", "100")]);
    let database = cluster.database();
    let mut session = database.connect();
    let mut psql = database.program("psql").args(["-Xqc", "CALL pgq.wait('{fetch}', '1 hour')"]).spawn().unwrap();
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^CALL pgq.wait' AND wait_event_type NOT IN ('Client', 'LWLock')";
    let mut count = || value::<i64>(&mut session, waiting, &[]);
    pgqueuer_e2e::until::until("it waits", || (count() == 1).then_some(()));
    psql.kill().unwrap();
    psql.wait().unwrap();
    pgqueuer_e2e::until::until("its session ends", || (count() == 0).then_some(()));
}

#[test]
fn a_fast_shutdown_ends_it_at_once() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    let waiters: Vec<Waiter> = (0..3).map(|_| Waiter::asleep(&database, &mut session)).collect();
    let start = Instant::now();
    cluster.stop(Stop::Fast);
    let took = start.elapsed();
    println!("the server has stopped after {took:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(waiters.iter().all(|waiter| waiter.woken().ready.is_err()));
}

#[test]
fn it_ends_as_not_ready_a_little_before_the_statement_timeout() {
    let database = database();
    let mut session = database.connect();
    for milliseconds in [500, 1500] {
        run(&mut session, &format!("SET statement_timeout = {milliseconds}"));
        let start = Instant::now();
        assert!(!value::<bool>(&mut session, "CALL pgq.wait('{fetch}', '1 hour')", &[]));
        let (took, timeout) = (start.elapsed(), Duration::from_millis(milliseconds));
        assert!(took > timeout / 2 && took < timeout + Duration::from_millis(50), "{took:?} of {timeout:?}");
    }
    let id = enqueue(&mut session, "late", 1)[0];
    assert!(!value::<bool>(&mut session, &format!("CALL pgq.wait_for('{{{id}}}', '1 hour')"), &[]));
}

#[test]
fn it_ends_as_not_ready_a_little_before_the_transaction_timeout() {
    let database = database();
    let mut session = database.connect();
    if major() < 17 {
        return; // There is no such setting.
    }
    run(&mut session, "SET transaction_timeout = 700");
    assert!(!value::<bool>(&mut session, "CALL pgq.wait('{fetch}', '1 hour')", &[]));
}

#[test]
fn an_idle_waiter_is_no_idle_transaction() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SET idle_in_transaction_session_timeout = 100; SET lock_timeout = 100");
    if major() >= 14 {
        run(&mut session, "SET idle_session_timeout = 100");
    }
    assert!(!value::<bool>(&mut session, "CALL pgq.wait('{fetch}', '1 s')", &[]));
}

#[test]
fn in_a_transaction_block_it_is_refused() {
    let database = database();
    let mut session = database.connect();
    for call in ["CALL pgq.wait('{fetch}', '10 s')", "CALL pgq.wait_for('{1}', '10 s')"] {
        enqueue(&mut session, "fetch", 1);
        let ways = [format!("BEGIN; {call}"), format!("SELECT 1; {call}"), format!("{call}; SELECT 1")];
        for way in ways {
            let error = refused(session.batch_execute(&way));
            assert_eq!(error.code().code(), "25001", "{way}: {error:?}");
            assert!(error.hint().is_some_and(|hint| !hint.is_empty()), "{way}: {error:?}");
            run(&mut session, "ROLLBACK");
        }
        run(&mut session, "BEGIN");
        assert_eq!(refused(session.query_one(call, &[])).code().code(), "25001");
        run(&mut session, "ROLLBACK");
    }
}

#[test]
fn in_a_function_it_is_refused() {
    let database = database();
    let mut session = database.connect();
    for (name, call) in [("f", "CALL pgq.wait('{fetch}', '10 s', r)"), ("g", "CALL pgq.wait_for('{1}', '10 s', r)")] {
        let sql = format!(
            "CREATE FUNCTION {name}() RETURNS boolean LANGUAGE plpgsql AS $$DECLARE r boolean; BEGIN {call}; RETURN r; END$$"
        );
        run(&mut session, &sql);
        let start = Instant::now();
        let error = refused(session.query_one(&format!("SELECT {name}()"), &[]));
        assert_eq!(error.code().code(), "25001", "{error:?}");
        assert!(error.hint().is_some_and(|hint| !hint.is_empty()), "{error:?}");
        assert!(start.elapsed() < SOON);
    }
}

#[test]
fn in_a_pipeline_it_is_refused_unless_it_is_the_first() {
    let database = database();
    let mut session = Raw::connect(&database);
    let call = "CALL pgq.wait('{fetch}', '500 ms')";
    for first in ["SELECT 1", "SELECT pgq.enqueue('fetch')", "CALL pgq.wait('{other}', '0')"] {
        let answer = session.pipeline(&[first, call]);
        assert_eq!(answer.field('C'), "25001", "{first}: {answer:?}");
        assert!(!answer.field('H').is_empty(), "{first}: {answer:?}");
    }
    let answer = session.pipeline(&[call]);
    assert_eq!((answer.error.is_none(), answer.done), (true, vec!["CALL".to_owned()]));
    let answer = session.pipeline(&[call, "SELECT 1"]);
    assert!(answer.error.is_none() || answer.field('C') == "25001", "{answer:?}");
}

#[track_caller]
fn is_refused_as_argument(session: &mut Client, call: &str, argument: &str) {
    let error = refused(session.query_one(call, &[]));
    assert_eq!(error.code(), &SqlState::INVALID_PARAMETER_VALUE, "{call}: {error:?}");
    assert!(error.message().contains(argument), "{call}: {error:?}");
}

#[test]
fn what_cannot_be_waited_for_is_refused() {
    let database = database();
    let mut session = database.connect();
    for entrypoints in ["NULL", "'{}'", "'{NULL}'", "'{fetch,NULL}'", "'{\"\"}'"] {
        is_refused_as_argument(&mut session, &format!("CALL pgq.wait({entrypoints}, '1 s')"), "entrypoints");
    }
    for timeout in ["NULL", "'-1 s'", "'-1 month'"] {
        is_refused_as_argument(&mut session, &format!("CALL pgq.wait('{{fetch}}', {timeout})"), "timeout");
        is_refused_as_argument(&mut session, &format!("CALL pgq.wait_for('{{1}}', {timeout})"), "timeout");
    }
    is_refused_as_argument(&mut session, "CALL pgq.wait_for(NULL, '1 s')", "ids");
}
