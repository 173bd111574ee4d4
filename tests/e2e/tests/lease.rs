//! What keeps a claim, and what ends it: a session's life, a named worker's lease, the session that it is attached to,
//! and the patience of the queue with a job whose workers are lost again and again.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{claims, column, complete, dequeue, enqueue, process, run, value};
use pgqueuer_e2e::cluster::{Cluster, Database, Stop, database, major};
use pgqueuer_e2e::until::until;
use postgres::{Client, NoTls};
use std::process::Command;
use std::time::{Duration, Instant};
use uuid::Uuid;

const WORKER: Uuid = Uuid::from_u128(7);
/// The contract says 100 ms, on a machine with nothing else to do.
const SOON: Duration = Duration::from_secs(2);

/// Claims jobs for the named worker, with a lease in seconds.
fn dequeue_named(session: &mut Client, most: i32, lease: f64) -> Vec<i64> {
    let sql = "SELECT id FROM pgq.dequeue('{fetch}', $1, $2, make_interval(secs => $3))";
    column(session, sql, &[&most, &WORKER, &lease])
}

fn heartbeat(session: &mut Client, held: &[i64]) -> Vec<i64> {
    value(session, "SELECT pgq.heartbeat($1, held => $2)", &[&WORKER, &held])
}

/// The attempts that the log calls released.
fn released(session: &mut Client) -> Vec<(i64, i32)> {
    let sql = "SELECT job_id, attempts FROM pgq.job_log WHERE outcome = 'released' ORDER BY 1, 2";
    session.query(sql, &[]).unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Waits until so many attempts are released. Returns since when, from `start`.
fn until_released(session: &mut Client, count: usize, start: Instant) -> Duration {
    until("the claims are released", || {
        let released = released(session);
        assert!(released.len() <= count, "{released:?}");
        (released.len() == count).then(|| start.elapsed())
    })
}

/// Passes some time in the server in which nothing is expected to happen.
fn meanwhile(session: &mut Client, time: &str) {
    let ready: bool = value(session, &format!("CALL pgq.wait('{{nothing of this kind}}', '{time}')"), &[]);
    assert!(!ready);
}

/// Waits for the worker of the database, which counts the attempts of those that are lost.
fn with_worker(database: &Database) -> Client {
    let mut session = database.connect();
    assert_eq!(dequeue(&mut session, "nothing of this kind", 1), [0; 0]);
    until("the database has its worker", || {
        let sql =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type ~ 'pgqueuer'";
        (value::<i64>(&mut session, sql, &[]) == 1).then_some(())
    });
    session
}

/// Waits until the server has ended a session by itself.
fn until_ended(other: &mut Client, process: i32) {
    until("the server ends the session", || {
        let left = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1";
        (value::<i64>(other, left, &[&process]) == 0).then_some(())
    });
}

/// A session claims three jobs and ends, or lets go, in one way; they are released, counted and logged.
fn a_session_that(ends: impl Fn(&Database, Client, &mut Client) -> Option<Client>) {
    let database = database();
    let mut other = with_worker(&database);
    let ids = enqueue(&mut other, "fetch", 4);
    let mut lost = database.connect();
    assert_eq!(dequeue(&mut lost, "fetch", 3), ids[..3]);
    let worker: Uuid = value(&mut other, "SELECT DISTINCT worker FROM pgq.jobs WHERE status = 'picked'", &[]);
    let start = Instant::now();
    let kept = ends(&database, lost, &mut other);
    let took = until_released(&mut other, 3, start);
    println!("released after {took:?}");
    assert!(took < SOON, "{took:?}");
    let rows = "SELECT count(*) FROM pgq.job_log WHERE outcome = 'released' AND attempts = 0 AND worker = $1
                AND picked BETWEEN created AND finished AND entrypoint = 'fetch' AND error IS NULL";
    assert_eq!(value::<i64>(&mut other, rows, &[&worker]), 3);
    let state = "SELECT concat(status, ' ', attempts, ' ', worker) FROM pgq.jobs ORDER BY id";
    assert_eq!(column::<String>(&mut other, state, &[]), ["queued 1 ", "queued 1 ", "queued 1 ", "queued 0 "]);
    if let Some(mut kept) = kept {
        assert_eq!(complete(&mut kept, &ids), [0; 0]);
    }
    let again: Vec<i32> = column(&mut other, "SELECT attempts FROM pgq.dequeue('{fetch}', 9) ORDER BY id", &[]);
    assert_eq!(again, [1, 1, 1, 0]);
    assert_eq!(complete(&mut other, &ids), ids);
}

#[test]
fn a_session_that_is_closed_loses_its_claims() {
    a_session_that(|_, lost, _| {
        drop(lost);
        None
    });
}

#[test]
fn a_session_that_is_terminated_loses_its_claims() {
    a_session_that(|_, mut lost, other| {
        let process = process(&mut lost);
        assert!(value::<bool>(other, "SELECT pg_terminate_backend($1)", &[&process]));
        None
    });
}

#[test]
fn a_session_that_is_idle_for_too_long_loses_its_claims() {
    if major() < 14 {
        return; // No session is ever idle for too long: there is no such setting.
    }
    a_session_that(|_, mut lost, other| {
        let process = process(&mut lost);
        run(&mut lost, "SET idle_session_timeout = 200");
        until_ended(other, process);
        None
    });
}

#[test]
fn a_session_that_is_idle_in_a_transaction_for_too_long_loses_its_claims() {
    a_session_that(|_, mut lost, other| {
        let process = process(&mut lost);
        run(&mut lost, "SET idle_in_transaction_session_timeout = 200; BEGIN");
        until_ended(other, process);
        None
    });
}

#[test]
fn a_session_that_discards_all_loses_its_claims_and_lives_on() {
    a_session_that(|_, mut lost, _| {
        run(&mut lost, "DISCARD ALL");
        Some(lost)
    });
}

#[test]
fn a_session_that_ends_in_a_transaction_that_claimed_loses_what_it_claimed_and_has_ended_nothing() {
    let database = database();
    let mut other = with_worker(&database);
    let ids = enqueue(&mut other, "fetch", 4);
    let mut lost = database.connect();
    assert_eq!(dequeue(&mut lost, "fetch", 1), ids[..1]);
    run(&mut lost, "BEGIN");
    assert_eq!(dequeue(&mut lost, "fetch", 2), ids[1..3]);
    assert_eq!(complete(&mut lost, &ids[..2]), ids[..2]);
    let process = process(&mut lost);
    let start = Instant::now();
    assert!(value::<bool>(&mut other, "SELECT pg_terminate_backend($1)", &[&process]));
    println!("released after {:?}", until_released(&mut other, 3, start));
    assert_eq!(released(&mut other), [(ids[0], 0), (ids[1], 0), (ids[2], 0)]);
    assert_eq!(value::<i64>(&mut other, "SELECT count(*) FROM pgq.job_log", &[]), 3);
    let mut again = dequeue(&mut other, "fetch", 9);
    again.sort_unstable();
    assert_eq!(again, ids);
}

#[test]
fn what_an_ended_session_held_wakes_its_next_worker() {
    let database = database();
    let mut other = with_worker(&database);
    enqueue(&mut other, "fetch", 1);
    let mut lost = database.connect();
    assert_eq!(dequeue(&mut lost, "fetch", 1).len(), 1);
    let address = database.address();
    let closing = std::thread::spawn(move || {
        let mut session = Client::connect(&address, NoTls).unwrap();
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^CALL pgq.wait' AND wait_event IS NOT NULL";
        until("somebody waits", || (value::<i64>(&mut session, waiting, &[]) > 0).then_some(()));
        let start = Instant::now();
        drop(lost);
        start
    });
    assert!(value::<bool>(&mut other, "CALL pgq.wait('{fetch}', '10 s')", &[]));
    let took = closing.join().unwrap().elapsed();
    println!("woken after {took:?}");
    assert!(took < SOON, "{took:?}");
}

#[test]
fn a_lease_that_runs_out_releases() {
    let database = database();
    let mut session = with_worker(&database);
    let ids = enqueue(&mut session, "fetch", 3);
    let start = Instant::now();
    assert_eq!(dequeue_named(&mut session, 2, 1.0), ids[..2]);
    let took = until_released(&mut session, 2, start);
    println!("a lease of 1 s ran out after {took:?}");
    assert!(took >= Duration::from_millis(990) && took < Duration::from_secs(3), "{took:?}");
    assert_eq!(heartbeat(&mut session, &ids), ids);
    assert!(!value::<bool>(&mut session, "SELECT pgq.complete($1, $2)", &[&ids[0], &WORKER]));
    let log = "SELECT count(*) FROM pgq.job_log WHERE worker = $1 AND picked IS NOT NULL";
    assert_eq!(value::<i64>(&mut session, log, &[&WORKER]), 2);
    let attempts: Vec<i32> = column(&mut session, "SELECT attempts FROM pgq.dequeue('{fetch}', 9) ORDER BY id", &[]);
    assert_eq!(attempts, [1, 1, 0]);
}

#[test]
fn heartbeats_keep_claims_and_tell_which_are_lost() {
    let database = database();
    let mut session = with_worker(&database);
    let ids = enqueue(&mut session, "fetch", 3);
    assert_eq!(dequeue_named(&mut session, 3, 1.0), ids);
    let start = Instant::now();
    until("several leases have passed", || {
        assert_eq!(value::<Vec<i64>>(&mut session, "SELECT pgq.heartbeat($1, '1 s', $2)", &[&WORKER, &ids]), [0; 0]);
        (start.elapsed() > Duration::from_secs(3)).then_some(())
    });
    assert_eq!(value::<Vec<i64>>(&mut session, "SELECT pgq.cancel($1)", &[&ids[1..2].to_vec()]), ids[1..2]);
    assert_eq!(heartbeat(&mut session, &ids), ids[1..2]);
    assert_eq!(heartbeat(&mut session, &[4711, ids[1]]), [4711, ids[1]], "in the order of the question");
    assert!(value::<bool>(&mut session, "SELECT pgq.complete($1, $2)", &[&ids[0], &WORKER]));
    assert_eq!(heartbeat(&mut session, &ids), ids[..2]);
    assert_eq!(released(&mut session), []);
}

#[test]
fn a_longer_lease_counts_from_the_heartbeat_that_asks_for_it() {
    let database = database();
    let mut session = with_worker(&database);
    let ids = enqueue(&mut session, "fetch", 1);
    assert_eq!(dequeue_named(&mut session, 1, 1.0), ids);
    run(&mut session, &format!("SELECT pgq.heartbeat('{WORKER}', '1 hour')"));
    meanwhile(&mut session, "2 s");
    assert_eq!(heartbeat(&mut session, &ids), [0; 0]);
    // And a shorter one as well.
    run(&mut session, &format!("SELECT pgq.heartbeat('{WORKER}', '500 ms')"));
    let took = until_released(&mut session, 1, Instant::now());
    assert!(took < Duration::from_millis(2500), "{took:?}");
}

/// A named worker that is attached to a session, with a claim made in another and a long lease.
fn attached(database: &Database) -> (Client, Client, Vec<i64>) {
    let mut session = with_worker(database);
    let mut lasting = database.connect();
    run(&mut lasting, &format!("SELECT pgq.attach('{WORKER}')"));
    let ids = enqueue(&mut session, "fetch", 2);
    assert_eq!(dequeue_named(&mut session, 2, 3600.0), ids);
    (session, lasting, ids)
}

#[test]
fn a_worker_whose_session_ended_and_is_not_replaced_loses_its_claims_after_the_grace() {
    let database = database();
    let (mut session, lasting, ids) = attached(&database);
    let start = Instant::now();
    drop(lasting);
    let took = until_released(&mut session, 2, start);
    println!("released {took:?} after the attached session");
    assert!(took >= Duration::from_millis(1900) && took < Duration::from_secs(4), "{took:?}");
    assert_eq!(heartbeat(&mut session, &ids), ids);
}

#[test]
fn a_session_that_attaches_within_the_grace_keeps_the_claims() {
    let database = database();
    let (mut session, mut lasting, ids) = attached(&database);
    let process = process(&mut lasting);
    assert!(value::<bool>(&mut session, "SELECT pg_terminate_backend($1)", &[&process]));
    let mut next = database.connect();
    run(&mut next, &format!("SELECT pgq.attach('{WORKER}')"));
    meanwhile(&mut session, "3500 ms");
    assert_eq!(heartbeat(&mut session, &ids), [0; 0]);
    let start = Instant::now();
    drop(next);
    let took = until_released(&mut session, 2, start);
    assert!(took >= Duration::from_millis(1900) && took < Duration::from_secs(4), "{took:?}");
}

#[test]
fn of_two_attached_sessions_one_is_enough() {
    let database = database();
    let (mut session, lasting, ids) = attached(&database);
    let mut second = database.connect();
    run(&mut second, &format!("SELECT pgq.attach('{WORKER}'), pgq.attach('{WORKER}')"));
    drop(lasting);
    meanwhile(&mut session, "3500 ms");
    assert_eq!(heartbeat(&mut session, &ids), [0; 0]);
    drop(second);
    until_released(&mut session, 2, Instant::now());
}

/// A job whose worker is lost until it is handed out no more. Returns how often it was.
fn lost_again_and_again(database: &Database) -> usize {
    let mut other = with_worker(database);
    let id = enqueue(&mut other, "fetch", 1)[0];
    let mut times = 0;
    loop {
        let mut lost = database.connect();
        let claimed = until("the job is free or given up", || {
            let given_up = "SELECT count(*) FROM pgq.jobs WHERE id = $1 AND status <> 'failed'";
            let claimed = dequeue(&mut lost, "fetch", 1);
            (!claimed.is_empty() || value::<i64>(&mut other, given_up, &[&id]) == 0).then_some(claimed)
        });
        if claimed.is_empty() {
            return times;
        }
        times += 1;
        assert!(times < 20, "the job is handed out for ever");
    }
}

#[test]
fn a_job_whose_workers_are_lost_too_often_is_held() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('fetch', max_releases => 3)");
    assert_eq!(lost_again_and_again(&database), 3);
    let state: String = value(&mut session, "SELECT concat(status, ' ', attempts) FROM pgq.jobs", &[]);
    assert_eq!(state, "failed 3");
    let log: Vec<String> = column(&mut session, "SELECT outcome::text FROM pgq.job_log ORDER BY attempts", &[]);
    assert_eq!(log, ["released", "released", "failed"]);
    let status: String =
        value(&mut session, "SELECT status::text FROM pgq.status(ARRAY(SELECT id FROM pgq.jobs))", &[]);
    assert_eq!(status, "failed");
    // Requeued it begins anew.
    run(&mut session, "SELECT pgq.requeue(ARRAY(SELECT id FROM pgq.jobs))");
    assert_eq!(column::<i32>(&mut session, "SELECT attempts FROM pgq.dequeue('{fetch}')", &[]), [0]);
}

#[test]
fn a_job_whose_workers_are_lost_too_often_is_deleted_where_the_entrypoint_says_so() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('fetch', max_releases => 2, on_failure => 'delete')");
    assert_eq!(lost_again_and_again(&database), 2);
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.jobs", &[]), 0);
    let log: Vec<String> = column(&mut session, "SELECT outcome::text FROM pgq.job_log ORDER BY attempts", &[]);
    assert_eq!(log, ["released", "exception"]);
}

#[test]
fn releases_do_not_count_as_failures() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('fetch', max_attempts => 2, backoff_initial => '0')");
    let mut other = with_worker(&database);
    let id = enqueue(&mut other, "fetch", 1)[0];
    for _ in 0..3 {
        let mut lost = database.connect();
        until("the job is free", || (dequeue(&mut lost, "fetch", 1) == [id]).then_some(()));
        drop(lost);
    }
    until("the job is free", || (dequeue(&mut session, "fetch", 1) == [id]).then_some(()));
    assert_eq!(value::<String>(&mut session, "SELECT pgq.fail($1)::text", &[&id]), "queued");
    until("the job is free", || (dequeue(&mut session, "fetch", 1) == [id]).then_some(()));
    assert_eq!(value::<String>(&mut session, "SELECT pgq.fail($1)::text", &[&id]), "failed");
    let log: Vec<i32> = column(&mut session, "SELECT attempts FROM pgq.job_log ORDER BY attempts", &[]);
    assert_eq!(log, [0, 1, 2, 3, 4]);
}

#[test]
fn a_claim_that_is_rolled_back_again_and_again_is_handed_out_with_growing_delay() {
    let database = database();
    let mut session = with_worker(&database);
    let ids = enqueue(&mut session, "fetch", 1);
    let mut roll_back = || {
        run(&mut session, "BEGIN");
        let claimed = dequeue(&mut session, "fetch", 1);
        run(&mut session, "ROLLBACK");
        claimed == ids
    };
    assert!(roll_back() && roll_back(), "a rollback now and then costs nothing");
    assert!(!roll_back(), "the third time not at once");
    let delays: Vec<Duration> = (0..3)
        .map(|_| {
            let start = Instant::now();
            until("the job comes back by itself", || roll_back().then(|| start.elapsed()))
        })
        .collect();
    println!("delays {delays:?}");
    assert!(delays[2] > delays[0] && delays[2] < Duration::from_secs(5), "{delays:?}");
    let mut other = database.connect();
    assert_eq!(released(&mut other), [], "nobody was lost");
    // Who waits for it is woken.
    assert!(value::<bool>(&mut other, "CALL pgq.wait('{fetch}', '10 s')", &[]));
    let claimed: Vec<i32> = column(&mut other, "SELECT attempts FROM pgq.dequeue('{fetch}')", &[]);
    assert_eq!(claimed, [0]);
    // Once it got on, all is forgotten.
    assert!(value::<bool>(&mut other, "SELECT pgq.retry($1)", &[&ids[0]]));
    run(&mut other, "BEGIN");
    assert_eq!(dequeue(&mut other, "fetch", 1), ids);
    run(&mut other, "ROLLBACK");
    assert_eq!(dequeue(&mut other, "fetch", 1), ids);
}

#[test]
fn a_claim_whose_end_is_in_flight_does_not_run_out() {
    let database = database();
    let mut session = with_worker(&database);
    let mut ending = database.connect();
    let ids = enqueue(&mut session, "fetch", 2);
    assert_eq!(dequeue_named(&mut session, 2, 0.5), ids);
    run(&mut ending, "BEGIN");
    assert!(value::<bool>(&mut ending, "SELECT pgq.complete($1, $2)", &[&ids[0], &WORKER]));
    // The other claim of the worker is not kept by that.
    until_released(&mut session, 1, Instant::now());
    meanwhile(&mut session, "2 s");
    assert_eq!(released(&mut session), [(ids[1], 0)]);
    assert_eq!(dequeue(&mut session, "fetch", 9), ids[1..]);
    run(&mut ending, "COMMIT");
    let log = "SELECT outcome::text FROM pgq.job_log WHERE job_id = $1";
    assert_eq!(column::<String>(&mut session, log, &[&ids[0]]), ["successful"]);
}

#[test]
fn a_claim_whose_end_was_rolled_back_runs_out_then() {
    let database = database();
    let mut session = with_worker(&database);
    let mut ending = database.connect();
    let ids = enqueue(&mut session, "fetch", 1);
    assert_eq!(dequeue_named(&mut session, 1, 0.5), ids);
    run(&mut ending, "BEGIN");
    assert!(value::<bool>(&mut ending, "SELECT pgq.complete($1, $2)", &[&ids[0], &WORKER]));
    meanwhile(&mut session, "1500 ms");
    assert_eq!(released(&mut session), []);
    run(&mut ending, "ROLLBACK");
    let took = until_released(&mut session, 1, Instant::now());
    println!("released {took:?} after the rollback");
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn a_row_that_somebody_has_locked_holds_up_no_other_release() {
    let database = database();
    let mut other = with_worker(&database);
    let ids = enqueue(&mut other, "fetch", 3);
    let mut lost = database.connect();
    assert_eq!(dequeue(&mut lost, "fetch", 3), ids);
    run(&mut other, "BEGIN");
    run(&mut other, &format!("SELECT 1 FROM pgq.job WHERE id = {} FOR UPDATE", ids[1]));
    drop(lost);
    let mut session = database.connect();
    until("the others are free", || (released(&mut session) == [(ids[0], 0), (ids[2], 0)]).then_some(()));
    run(&mut other, "ROLLBACK");
    until("so is this one", || (released(&mut session).len() == 3).then_some(()));
}

#[test]
fn without_a_place_for_a_background_worker_claims_of_ended_sessions_come_back_too() {
    let cluster = Cluster::start(&[("max_worker_processes", "0")]);
    let database = cluster.database();
    let (mut lost, mut other) = (database.connect(), database.connect());
    let ids = enqueue(&mut other, "fetch", 3);
    assert_eq!(dequeue(&mut lost, "fetch", 2), ids[..2]);
    run(&mut lost, "BEGIN");
    assert_eq!(dequeue(&mut lost, "fetch", 1), ids[2..]);
    let start = Instant::now();
    drop(lost);
    let mut again = vec![];
    until("the jobs are free", || {
        again.extend(dequeue(&mut other, "fetch", 3));
        (again.len() == 3).then_some(())
    });
    println!("free after {:?}", start.elapsed());
    again.sort_unstable();
    assert_eq!(complete(&mut other, &again), ids);
    assert_eq!(claims(&mut other), 0);
    // So does a lease.
    let ids = enqueue(&mut other, "fetch", 1);
    assert_eq!(dequeue_named(&mut other, 1, 0.3), ids);
    until("the lease runs out", || (dequeue(&mut other, "fetch", 1) == ids).then_some(()));
    assert!(cluster.log().contains("too many background workers"), "the server's log says it");
}

#[test]
fn a_killed_backend_frees_the_claims_of_sessions_and_the_queue_works_at_once() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut other = with_worker(&database);
    let mut lost = database.connect();
    let ids = enqueue(&mut other, "fetch", 3);
    assert_eq!(dequeue(&mut lost, "fetch", 2), ids[..2]);
    let process = process(&mut lost).to_string();
    assert!(Command::new("kill").args(["-9", &process]).status().unwrap().success());
    until("the crash has thrown everybody out", || other.simple_query("").is_err().then_some(()));
    let mut session = until("the server takes sessions", || Client::connect(&database.address(), NoTls).ok());
    let start = Instant::now();
    assert_eq!(dequeue(&mut session, "fetch", 9), ids);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    assert_eq!(complete(&mut session, &ids), ids);
    cluster.stop(Stop::Fast);
}

fn background_workers(session: &mut Client) -> Vec<i32> {
    let sql = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type ~ 'pgqueuer'";
    column(session, sql, &[])
}

/// Ends the worker of the database, and waits until it has gone.
fn end_background_worker(session: &mut Client) {
    let process = background_workers(session)[0];
    run(session, &format!("SELECT pg_terminate_backend({process})"));
    until("the background worker has gone", || (!background_workers(session).contains(&process)).then_some(()));
}

#[test]
fn while_there_is_no_background_worker_no_claim_is_stuck() {
    let database = database();
    let mut other = with_worker(&database);
    let ids = enqueue(&mut other, "fetch", 3);
    let mut lost = database.connect();
    assert_eq!(dequeue(&mut lost, "fetch", 2), ids[..2]);
    assert_eq!(dequeue_named(&mut other, 1, 0.5), ids[2..]);
    end_background_worker(&mut other);
    drop(lost);
    let mut again = vec![];
    until("the jobs are free", || {
        again.extend(dequeue(&mut other, "fetch", 3));
        (again.len() == 3).then_some(())
    });
    again.sort_unstable();
    assert_eq!(complete(&mut other, &again), ids);
    until("there is another", || (background_workers(&mut other).len() == 1).then_some(()));
}

#[test]
fn what_a_background_worker_could_not_release_its_successor_does() {
    let database = database();
    let mut other = with_worker(&database);
    let ids = enqueue(&mut other, "fetch", 2);
    let (mut lost, mut locker) = (database.connect(), database.connect());
    assert_eq!(dequeue(&mut lost, "fetch", 2), ids);
    run(&mut locker, "BEGIN");
    run(&mut locker, "SELECT 1 FROM pgq.job FOR UPDATE");
    drop(lost);
    meanwhile(&mut other, "300 ms");
    end_background_worker(&mut other);
    run(&mut locker, "ROLLBACK");
    let mut again = vec![];
    until("the jobs are free", || {
        again.extend(dequeue(&mut other, "fetch", 2));
        (again.len() == 2).then_some(())
    });
    assert_eq!(released(&mut other), [(ids[0], 0), (ids[1], 0)]);
}

#[test]
fn a_heartbeat_writes_nothing() {
    let database = database();
    let mut session = with_worker(&database);
    let ids = enqueue(&mut session, "fetch", 100);
    assert_eq!(dequeue_named(&mut session, 100, 60.0), ids);
    run(&mut session, "BEGIN");
    assert_eq!(heartbeat(&mut session, &ids), [0; 0]);
    run(&mut session, &format!("SELECT pgq.attach('{WORKER}')"));
    let number: Option<String> = value(&mut session, "SELECT txid_current_if_assigned()::text", &[]);
    assert_eq!(number, None, "a transaction that writes has a number");
    run(&mut session, "COMMIT");
    // Nor is it an end of anything when its transaction rolls back.
    run(&mut session, "BEGIN");
    assert_eq!(heartbeat(&mut session, &ids), [0; 0]);
    run(&mut session, "ROLLBACK");
    assert_eq!(claims(&mut session), 100);
}
