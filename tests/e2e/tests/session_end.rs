//! A session ends, or the server does: nothing that was claimed is lost, nothing that was done is done twice.

#![allow(clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{claims, column, complete, dequeue, enqueue, process, run, value};
use pgqueuer_e2e::cluster::{Cluster, Database, Stop, database};
use pgqueuer_e2e::until::until;
use postgres::{Client, NoTls};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use uuid::Uuid;

const WORKER: Uuid = Uuid::from_u128(7);

fn terminate(session: &mut Client, process: i32) {
    assert!(value::<bool>(session, "SELECT pg_terminate_backend($1)", &[&process]));
}

/// Waits for the end of a session of which nothing else can be seen.
fn until_it_has_ended(session: &mut Client, process: i32) {
    until("the session has ended", || {
        let left = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1";
        (value::<i64>(session, left, &[&process]) == 0).then_some(())
    });
}

/// Claims `count` jobs as soon as so many are free.
fn until_claimed(session: &mut Client, count: usize) -> Vec<i64> {
    let mut ids = vec![];
    until("the jobs are free again", || {
        ids.extend(dequeue(session, "fetch", (count - ids.len()) as i32));
        (ids.len() == count).then_some(())
    });
    ids.sort_unstable();
    ids
}

/// Claims jobs for the named worker.
fn dequeue_named(session: &mut Client, most: i32) -> Vec<i64> {
    column(session, "SELECT id FROM pgq.dequeue('{fetch}', $1, $2)", &[&most, &WORKER])
}

fn attempts(session: &mut Client) -> Vec<i32> {
    column(session, "SELECT DISTINCT attempts FROM pgq.jobs", &[])
}

#[test]
fn a_terminated_session_gives_its_claims_back() {
    let database = database();
    let (mut lost, mut other) = (database.connect(), database.connect());
    let ids = enqueue(&mut lost, "fetch", 40);
    assert_eq!(dequeue(&mut lost, "fetch", 40), ids);
    assert!(dequeue(&mut other, "fetch", 40).is_empty());
    let process = process(&mut lost);
    terminate(&mut other, process);
    assert_eq!(until_claimed(&mut other, 40), ids);
    assert_eq!(attempts(&mut other), [1]);
    assert_eq!(complete(&mut other, &ids), ids);
}

#[test]
fn a_session_terminated_in_a_transaction_gives_back_what_it_claimed_and_has_finished_nothing() {
    let database = database();
    let (mut lost, mut other) = (database.connect(), database.connect());
    let ids = enqueue(&mut lost, "fetch", 4);
    assert_eq!(dequeue(&mut lost, "fetch", 2), ids[..2]);
    run(&mut lost, "BEGIN");
    assert_eq!(dequeue(&mut lost, "fetch", 2), ids[2..]);
    assert_eq!(complete(&mut lost, &[ids[0], ids[2]]), [ids[0], ids[2]]);
    assert!(value::<bool>(&mut lost, "SELECT pgq.retry($1, '1 hour')", &[&ids[1]]));
    enqueue(&mut lost, "fetch", 1);
    let process = process(&mut lost);
    terminate(&mut other, process);
    assert_eq!(until_claimed(&mut other, 4), ids);
    let released = "SELECT count(*) FROM pgq.job_log WHERE outcome = 'released'";
    assert_eq!(value::<i64>(&mut other, released, &[]), 4);
    assert_eq!(value::<i64>(&mut other, "SELECT count(*) FROM pgq.job_log", &[]), 4);
    assert_eq!(value::<i64>(&mut other, "SELECT count(*) FROM pgq.jobs", &[]), 4);
}

/// A peer that vanished without closing its socket is found by them alone.
#[test]
fn a_session_that_claims_asks_for_short_keepalives_also_after_a_rollback() {
    let database = database();
    let mut session = database.connect();
    enqueue(&mut session, "fetch", 1);
    let idle = "SELECT current_setting('tcp_keepalives_idle')::int";
    let before = value::<i32>(&mut session, idle, &[]);
    assert!(before > 60, "{before}");
    run(&mut session, "BEGIN");
    assert_eq!(dequeue(&mut session, "fetch", 1).len(), 1);
    assert_eq!(value::<i32>(&mut session, idle, &[]), 30);
    run(&mut session, "ROLLBACK");
    assert_eq!(dequeue(&mut session, "fetch", 1).len(), 1);
    assert_eq!(value::<i32>(&mut session, idle, &[]), 30);
}

/// A client program that has claimed a job, and what it waits for.
fn psql_with_a_claim(database: &Database, statements: &str) -> (Child, String) {
    let mut psql = database.program("psql");
    psql.args(["-XqAt"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut psql = psql.spawn().unwrap();
    psql.stdin.as_mut().unwrap().write_all(statements.as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(psql.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (psql, line.trim().to_owned())
}

#[test]
fn a_client_that_is_killed_gives_its_claims_back() {
    let database = database();
    let mut session = database.connect();
    for statements in ["", "BEGIN;\n"] {
        let id = enqueue(&mut session, "fetch", 1)[0];
        let statements = format!("{statements}SELECT id FROM pgq.dequeue('{{fetch}}');\n");
        let (mut psql, claimed) = psql_with_a_claim(&database, &statements);
        assert_eq!(claimed, id.to_string());
        assert!(dequeue(&mut session, "fetch", 1).is_empty());
        // Nobody says goodbye to the server: it sees the connection close.
        psql.kill().unwrap();
        psql.wait().unwrap();
        assert_eq!(until_claimed(&mut session, 1), [id]);
        assert_eq!(complete(&mut session, &[id]), [id]);
    }
}

#[test]
fn a_named_worker_keeps_its_claims_when_the_session_ends() {
    let database = database();
    let (mut first, mut second) = (database.connect(), database.connect());
    let ids = enqueue(&mut first, "fetch", 3);
    assert_eq!(dequeue_named(&mut first, 2), ids[..2]);
    let process = process(&mut first);
    drop(first);
    until_it_has_ended(&mut second, process);
    assert_eq!(dequeue(&mut second, "fetch", 5), ids[2..]);
    let beat: Vec<i64> = value(&mut second, "SELECT pgq.heartbeat($1, held => $2)", &[&WORKER, &ids]);
    assert_eq!(beat, ids[2..]);
    let completed: Vec<i64> = value(&mut second, "SELECT pgq.complete_many($1, $2)", &[&ids, &WORKER]);
    assert_eq!(completed, ids[..2]);
}

#[test]
fn a_named_worker_loses_only_what_an_open_transaction_of_the_ended_session_claimed() {
    let database = database();
    let (mut lost, mut other) = (database.connect(), database.connect());
    let ids = enqueue(&mut lost, "fetch", 3);
    assert_eq!(dequeue_named(&mut lost, 2), ids[..2]);
    run(&mut lost, "BEGIN");
    assert_eq!(dequeue_named(&mut lost, 1), ids[2..]);
    let completed = "SELECT pgq.complete($1, $2)";
    assert!(value::<bool>(&mut lost, completed, &[&ids[0], &WORKER]));
    let process = process(&mut lost);
    terminate(&mut other, process);
    assert_eq!(until_claimed(&mut other, 1), ids[2..]);
    assert_eq!(claims(&mut other), 3);
    // The end that was not committed is forgotten: the worker can end the job again, from wherever it is.
    assert!(value::<bool>(&mut other, completed, &[&ids[0], &WORKER]));
    assert!(value::<bool>(&mut other, completed, &[&ids[1], &WORKER]));
}

/// A session as soon as the server takes one.
fn until_connected(database: &Database) -> Client {
    until("the server takes sessions", || Client::connect(&database.address(), NoTls).ok())
}

#[test]
fn a_backend_that_is_killed_restarts_the_server_and_all_claims_are_free() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let (mut lost, mut other) = (database.connect(), database.connect());
    let ids = enqueue(&mut lost, "fetch", 6);
    assert_eq!(dequeue(&mut lost, "fetch", 1), ids[..1]);
    assert_eq!(dequeue(&mut other, "fetch", 2), ids[1..3]);
    assert_eq!(dequeue_named(&mut other, 1), ids[3..4]);
    assert_eq!(complete(&mut other, &ids[1..2]), ids[1..2]);
    run(&mut lost, "BEGIN");
    assert_eq!(complete(&mut lost, &ids[..1]), ids[..1]);
    let victim = process(&mut lost).to_string();
    assert!(Command::new("kill").args(["-9", &victim]).status().unwrap().success());
    until("the server has thrown everybody out", || other.simple_query("").is_err().then_some(()));
    let mut session = until_connected(&database);
    let free = [&ids[..1], &ids[2..]].concat();
    assert_eq!(claims(&mut session), 0);
    assert_eq!(until_claimed(&mut session, 5), free);
    let log: Vec<i64> = column(&mut session, "SELECT job_id FROM pgq.job_log", &[]);
    assert_eq!(log, ids[1..2]);
}

/// Dequeues and completes until the server goes away or nothing is left. Counts what it was told to be completed.
fn work(mut session: Client, done: &AtomicUsize) {
    let next = "SELECT id FROM pgq.dequeue('{fetch}', 2)";
    while let Ok(rows) = session.query(next, &[]) {
        let ids: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        match session.query_one("SELECT pgq.complete_many($1)", &[&ids]) {
            Ok(row) if !ids.is_empty() => done.fetch_add(row.get::<_, Vec<i64>>(0).len(), SeqCst),
            _ => return,
        };
    }
}

/// Restarts a server under load. What the log says, and what is left, must be every job once.
fn restart_under_load(how: Stop) {
    const JOBS: usize = 6000;
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", JOBS as i32);
    let held = dequeue(&mut session, "fetch", 20);
    let named = dequeue_named(&mut session, 20);
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            let session = database.connect();
            scope.spawn(|| work(session, &done));
        }
        until("the workers are busy", || (done.load(SeqCst) > 200).then_some(()));
        cluster.stop(how);
    });
    assert!(done.load(SeqCst) < JOBS - 40, "the server stopped while there was work");
    cluster.begin();
    let mut session = database.connect();
    assert_eq!(claims(&mut session), 0);
    // The server may have had the time to release, and to log it, what those had who went first.
    let completed = "SELECT count(*) FROM pgq.job_log WHERE outcome = 'successful'";
    let completed: i64 = value(&mut session, completed, &[]);
    // What a worker was told is true; a few more may have been completed whose worker was not told.
    assert!(completed as usize >= done.load(SeqCst));
    let mut left = dequeue(&mut session, "fetch", JOBS as i32);
    assert_eq!(left.len() + completed as usize, JOBS);
    assert!(held.iter().chain(&named).all(|id| left.contains(id)));
    assert_eq!(complete(&mut session, &left).len(), left.len());
    left = column(&mut session, "SELECT job_id FROM pgq.job_log WHERE outcome = 'successful' ORDER BY job_id", &[]);
    assert_eq!(left, ids, "each job is in the log, once");
}

#[test]
fn a_fast_restart_under_load_frees_all_claims_and_loses_no_job() {
    restart_under_load(Stop::Fast);
}

#[test]
fn a_crash_under_load_frees_all_claims_and_loses_no_job() {
    restart_under_load(Stop::Immediate);
}

#[test]
fn discard_all_gives_the_claims_of_the_session_back_and_leaves_those_of_named_workers() {
    let database = database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 3);
    assert_eq!(dequeue(&mut session, "fetch", 2), ids[..2]);
    let named = "SELECT id FROM pgq.dequeue('{fetch}', worker => '00000000-0000-0000-0000-000000000007')";
    assert_eq!(value::<i64>(&mut session, named, &[]), ids[2]);
    run(&mut session, "BEGIN");
    assert!(session.batch_execute("DISCARD ALL").is_err(), "not in a transaction block");
    run(&mut session, "ROLLBACK; DISCARD PLANS");
    assert_eq!(claims(&mut session), 3);
    run(&mut session, "DISCARD ALL");
    assert!(complete(&mut session, &ids).is_empty());
    assert_eq!(until_claimed(&mut session, 2), ids[..2]);
    assert_eq!(attempts(&mut session), [0, 1]);
}
