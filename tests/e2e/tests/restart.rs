//! The server ends and comes back: what named workers have held for more than a moment they still hold, and everything
//! else is free.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{column, complete, dequeue, enqueue, process, run, value};
use pgqueuer_e2e::cluster::{Cluster, Database, Stop};
use pgqueuer_e2e::until::until;
use postgres::{Client, NoTls};
use std::process::Command;
use std::time::{Duration, Instant};
use uuid::Uuid;

const WORKER: Uuid = Uuid::from_u128(7);

/// Claims jobs for the named worker, with a lease in seconds.
fn dequeue_named(session: &mut Client, most: i32, lease: f64) -> Vec<i64> {
    let sql = "SELECT id FROM pgq.dequeue('{fetch}', $1, $2, make_interval(secs => $3))";
    column(session, sql, &[&most, &WORKER, &lease])
}

/// Waits until all claims are older than `receipt_after` and the moment that writing their receipts takes.
fn until_old(session: &mut Client) {
    until("the claims are old enough for a receipt", || {
        let old = "SELECT coalesce(bool_and(picked < clock_timestamp() - interval '2 s'), false) FROM pgq.claims()";
        value::<bool>(session, old, &[]).then_some(())
    });
}

fn holders(session: &mut Client) -> Vec<(i64, Option<Uuid>)> {
    let rows = session.query("SELECT id, worker FROM pgq.jobs WHERE status = 'picked' ORDER BY id", &[]).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// The attempts that the log calls released.
fn released(session: &mut Client) -> Vec<(i64, i32, Option<Uuid>)> {
    let sql = "SELECT job_id, attempts, worker FROM pgq.job_log WHERE outcome = 'released' AND picked IS NOT NULL ORDER BY 1, 2";
    session.query(sql, &[]).unwrap().iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

fn a_named_worker_keeps_an_old_claim(how: Stop) {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 5);
    assert_eq!(dequeue_named(&mut session, 2, 60.0), ids[..2]);
    until_old(&mut session);
    cluster.stop(how);
    cluster.begin();
    let (mut session, mut other) = (database.connect(), database.connect());
    // The first call of the new life already knows.
    assert_eq!(dequeue(&mut other, "fetch", 9), ids[2..]);
    assert_eq!(holders(&mut session)[..2], [(ids[0], Some(WORKER)), (ids[1], Some(WORKER))]);
    let lost: Vec<i64> = value(&mut session, "SELECT pgq.heartbeat($1, held => $2)", &[&WORKER, &ids]);
    assert_eq!(lost, ids[2..]);
    let done = "SELECT pgq.complete($1, $2, 0)";
    assert!(value::<bool>(&mut session, done, &[&ids[0], &WORKER]));
    assert!(value::<bool>(&mut session, done, &[&ids[1], &WORKER]));
    assert_eq!(complete(&mut other, &ids[2..]), ids[2..]);
    let log = "SELECT count(*) FROM pgq.job_log WHERE outcome = 'successful' AND attempts = 0";
    assert_eq!(value::<i64>(&mut session, log, &[]), 5);
}

#[test]
fn a_named_worker_keeps_an_old_claim_through_a_restart() {
    a_named_worker_keeps_an_old_claim(Stop::Fast);
}

#[test]
fn a_named_worker_keeps_an_old_claim_through_a_crash() {
    a_named_worker_keeps_an_old_claim(Stop::Immediate);
}

#[test]
fn the_first_call_of_a_new_life_may_be_any() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 3);
    assert_eq!(dequeue_named(&mut session, 3, 60.0), ids);
    until_old(&mut session);
    cluster.stop(Stop::Immediate);
    cluster.begin();
    let mut session = database.connect();
    assert!(value::<bool>(&mut session, "SELECT pgq.complete($1, $2)", &[&ids[0], &WORKER]));
    let mut session = database.connect();
    assert_eq!(value::<Vec<i64>>(&mut session, "SELECT pgq.cancel($1)", &[&ids[1..2].to_vec()]), ids[1..2]);
    let lost: Vec<i64> = value(&mut session, "SELECT pgq.heartbeat($1, held => $2)", &[&WORKER, &ids]);
    assert_eq!(lost, ids[..2]);
    assert_eq!(dequeue(&mut session, "fetch", 9), [0; 0]);
    cluster.stop(Stop::Fast);
    cluster.begin();
    let mut session = database.connect();
    // The receipts of what has ended do not come back; that of the third job does, again.
    let held: Vec<i64> =
        column(&mut session, "SELECT id FROM pgq.jobs WHERE status = 'picked' AND worker = $1", &[&WORKER]);
    assert!(held == ids[2..] || held.is_empty(), "a view may look before the first call: {held:?}");
    assert!(dequeue(&mut session, "fetch", 9).is_empty());
    assert_eq!(holders(&mut session), [(ids[2], Some(WORKER))]);
    assert_eq!(released(&mut session), []);
}

#[test]
fn a_named_worker_that_is_not_heard_of_within_one_lease_loses_its_old_claims() {
    const LEASE: Duration = Duration::from_secs(3);
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 2);
    assert_eq!(dequeue_named(&mut session, 2, LEASE.as_secs_f64()), ids);
    until_old(&mut session);
    cluster.stop(Stop::Fast);
    cluster.begin();
    let mut session = database.connect();
    let start = Instant::now();
    assert!(dequeue(&mut session, "fetch", 9).is_empty());
    until("the worker has lost them", || (released(&mut session).len() == 2).then_some(()));
    let took = start.elapsed();
    println!("released {took:?} after the first call, with a lease of {LEASE:?}");
    assert!(took > LEASE - Duration::from_secs(1) && took < LEASE + Duration::from_secs(2), "{took:?}");
    assert_eq!(released(&mut session), [(ids[0], 0, Some(WORKER)), (ids[1], 0, Some(WORKER))]);
    assert!(!value::<bool>(&mut session, "SELECT pgq.complete($1, $2)", &[&ids[0], &WORKER]));
    assert_eq!(dequeue(&mut session, "fetch", 9), ids);
}

#[test]
fn a_heartbeat_after_the_restart_keeps_the_claims_for_good() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 1);
    assert_eq!(dequeue_named(&mut session, 1, 2.5), ids);
    until_old(&mut session);
    cluster.stop(Stop::Fast);
    cluster.begin();
    let mut session = database.connect();
    let start = Instant::now();
    until("more than two leases have passed", || {
        let lost: Vec<i64> =
            value(&mut session, "SELECT pgq.heartbeat($1, make_interval(secs => 2.5), $2)", &[&WORKER, &ids]);
        assert!(lost.is_empty());
        (start.elapsed() > Duration::from_secs(6)).then_some(())
    });
    assert!(value::<bool>(&mut session, "SELECT pgq.complete($1, $2, 0)", &[&ids[0], &WORKER]));
}

#[test]
fn a_young_claim_of_a_named_worker_is_free_after_a_crash_and_the_attempt_is_not_counted_or_released() {
    // So long that no receipt is written here, however slow the machine.
    let cluster = Cluster::start(&[("pgqueuer.receipt_after", "1h")]);
    let database = cluster.database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 2);
    assert_eq!(dequeue_named(&mut session, 2, 60.0), ids);
    cluster.stop(Stop::Immediate);
    cluster.begin();
    let mut session = database.connect();
    assert_eq!(dequeue(&mut session, "fetch", 9), ids);
    assert!(!value::<bool>(&mut session, "SELECT pgq.complete($1, $2)", &[&ids[0], &WORKER]));
    assert_eq!(complete(&mut session, &ids), ids);
}

fn an_old_claim_of_a_session_is_free_and_counted(how: Stop) {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 2);
    assert_eq!(dequeue(&mut session, "fetch", 2), ids);
    let worker: Option<Uuid> = value(&mut session, "SELECT worker FROM pgq.jobs LIMIT 1", &[]);
    until_old(&mut session);
    cluster.stop(how);
    cluster.begin();
    let mut session = database.connect();
    let start = Instant::now();
    let mut again = vec![];
    until("the jobs are free", || {
        again.extend(dequeue(&mut session, "fetch", 2));
        (again.len() == 2).then_some(())
    });
    println!("free {:?} after the restart", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(3));
    assert_eq!(column::<i32>(&mut session, "SELECT attempts FROM pgq.jobs", &[]), [1, 1]);
    assert_eq!(released(&mut session), [(ids[0], 0, worker), (ids[1], 0, worker)]);
}

#[test]
fn an_old_claim_of_a_session_is_free_and_counted_after_a_restart() {
    an_old_claim_of_a_session_is_free_and_counted(Stop::Fast);
}

#[test]
fn an_old_claim_of_a_session_is_free_and_counted_after_a_crash() {
    an_old_claim_of_a_session_is_free_and_counted(Stop::Immediate);
}

/// The rows of all tables of the schema that name a worker and are not the log.
fn receipts(session: &mut Client) -> i64 {
    let tables =
        "SELECT c.relname::text FROM pg_class AS c WHERE c.relnamespace = 'pgq'::regnamespace AND c.relkind = 'r'
                  AND c.relname ~ 'receipt'";
    let tables: Vec<String> = column(session, tables, &[]);
    assert!(!tables.is_empty(), "receipts have a table");
    tables.iter().map(|table| value::<i64>(session, &format!("SELECT count(*) FROM pgq.{table}"), &[])).sum()
}

#[test]
fn a_receipt_is_written_after_a_moment_and_gone_after_the_end() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 3);
    assert_eq!(dequeue_named(&mut session, 3, 60.0), ids);
    assert_eq!(receipts(&mut session), 0);
    until("each claim has a receipt", || (receipts(&mut session) == 3).then_some(()));
    assert!(value::<bool>(&mut session, "SELECT pgq.complete($1, $2)", &[&ids[0], &WORKER]));
    assert_eq!(value::<String>(&mut session, "SELECT pgq.fail($1, 'broken', $2)::text", &[&ids[1], &WORKER]), "queued");
    until("those of ended claims are gone", || (receipts(&mut session) == 1).then_some(()));
    let done: Vec<i64> = value(&mut session, "SELECT pgq.release($1, $2)", &[&ids[2..].to_vec(), &WORKER]);
    assert_eq!(done, ids[2..]);
    until("all are gone", || (receipts(&mut session) == 0).then_some(()));
}

#[test]
fn a_short_job_never_has_a_receipt() {
    let cluster = Cluster::start(&[("pgqueuer.receipt_after", "1h")]);
    let database = cluster.database();
    let mut session = database.connect();
    enqueue(&mut session, "fetch", 50);
    let ids = dequeue_named(&mut session, 50, 60.0);
    let table: String = value(
        &mut session,
        "SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relnamespace = 'pgq'::regnamespace AND c.relkind = 'r' AND c.relname ~ 'receipt' LIMIT 1",
        &[],
    );
    assert_eq!(value::<Vec<i64>>(&mut session, "SELECT pgq.complete_many($1, $2)", &[&ids, &WORKER]).len(), 50);
    assert_eq!(value::<i64>(&mut session, "SELECT pg_relation_size($1::text::regclass)", &[&table]), 0);
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn receipts_are_not_dumped() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 2);
    assert_eq!(dequeue_named(&mut session, 1, 60.0), ids[..1]);
    until("the claim has a receipt", || (receipts(&mut session) == 1).then_some(()));
    let dump = output(&mut database.program("pg_dump"));
    let copied: Vec<&str> = dump.lines().filter(|line| line.starts_with("COPY pgq.")).collect();
    assert!(copied.iter().any(|line| line.starts_with("COPY pgq.job ")), "{copied:?}");
    assert!(copied.iter().all(|line| !line.contains("receipt")), "{copied:?}");
    let copy = cluster.empty_database();
    let file = std::env::temp_dir().join(format!("pgqueuer-receipts-{}.sql", std::process::id()));
    std::fs::write(&file, dump).unwrap();
    output(copy.program("psql").args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-f"]).arg(&file));
    std::fs::remove_file(&file).unwrap();
    assert_eq!(dequeue(&mut copy.connect(), "fetch", 9), ids, "in a copy nobody holds anything");
}

/// The signal that no process can answer.
fn kill_nine(process: i32) {
    assert!(Command::new("kill").args(["-9", &process.to_string()]).status().unwrap().success());
}

fn until_connected(database: &Database) -> Client {
    until("the server takes sessions", || Client::connect(&database.address(), NoTls).ok())
}

#[test]
fn a_backend_that_is_killed_takes_the_claims_of_sessions_and_leaves_old_ones_of_named_workers() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let (mut named, mut lost) = (database.connect(), database.connect());
    let ids = enqueue(&mut named, "fetch", 3);
    assert_eq!(dequeue_named(&mut named, 1, 60.0), ids[..1]);
    until_old(&mut named);
    assert_eq!(dequeue(&mut lost, "fetch", 1), ids[1..2]);
    kill_nine(process(&mut lost));
    until("the crash has thrown everybody out", || named.simple_query("").is_err().then_some(()));
    let mut session = until_connected(&database);
    let start = Instant::now();
    assert_eq!(dequeue(&mut session, "fetch", 9), ids[1..]);
    assert!(start.elapsed() < Duration::from_secs(2), "the queue works at once");
    assert!(value::<bool>(&mut session, "SELECT pgq.complete($1, $2, 0)", &[&ids[0], &WORKER]));
    assert_eq!(complete(&mut session, &ids[1..]), ids[1..]);
}

#[test]
fn the_background_worker_that_is_killed_comes_back_and_nothing_is_lost() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 2);
    assert_eq!(dequeue_named(&mut session, 1, 60.0), ids[..1]);
    until_old(&mut session);
    let worker = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type ~ 'pgqueuer'";
    kill_nine(value(&mut session, worker, &[]));
    until("the crash has thrown everybody out", || session.simple_query("").is_err().then_some(()));
    let (mut session, mut lost) = (until_connected(&database), until_connected(&database));
    assert_eq!(dequeue(&mut lost, "fetch", 9), ids[1..]);
    until("there is another", || (column::<i32>(&mut session, worker, &[]).len() == 1).then_some(()));
    drop(lost);
    until("it does its work", || (released(&mut session).len() == 1).then_some(()));
    assert_eq!(holders(&mut session), [(ids[0], Some(WORKER))]);
}

#[test]
fn after_a_promotion_named_workers_keep_their_old_claims_and_sessions_have_lost_theirs() {
    let primary = Cluster::start(&[]);
    let mut session = primary.connect("postgres");
    run(&mut session, "CREATE EXTENSION pgqueuer");
    let standby = Cluster::standby_of(&primary);
    let ids = enqueue(&mut session, "fetch", 3);
    assert_eq!(dequeue_named(&mut session, 1, 60.0), ids[..1]);
    assert_eq!(dequeue(&mut session, "fetch", 1), ids[1..2]);
    until_old(&mut session);
    until("each claim has a receipt", || (receipts(&mut session) == 2).then_some(()));
    let mut copy = standby.connect("postgres");
    let written: String = value(&mut session, "SELECT pg_current_wal_lsn()::text", &[]);
    until("the standby has everything", || {
        value::<bool>(&mut copy, "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", &[&written]).then_some(())
    });
    primary.stop(Stop::Immediate);
    assert!(value::<bool>(&mut copy, "SELECT pg_promote()", &[]));
    let mut free = vec![];
    until("the session's job and the third are free", || {
        free.extend(dequeue(&mut copy, "fetch", 9));
        (free.len() == 2).then_some(())
    });
    free.sort_unstable();
    assert_eq!(free, ids[1..]);
    assert!(value::<bool>(&mut copy, "SELECT pgq.complete($1, $2, 0)", &[&ids[0], &WORKER]));
    assert_eq!(released(&mut copy).iter().map(|row| row.0).collect::<Vec<_>>(), ids[1..2]);
}

#[test]
fn no_first_call_of_a_new_life_takes_a_job_from_its_worker() {
    let calls = [
        ("SELECT pgq.delete('{1}') = '{}'", "delete"),
        ("SELECT pgq.clear() = 0", "clear"),
        ("SELECT pgq.reschedule('{1}') = '{}'", "reschedule"),
        ("SELECT pgq.enqueue('fetch', 'new', dedupe_key => 'k', on_conflict => 'replace') IS NULL", "replace"),
        ("SELECT pgq.enqueue('fetch', 'new', dedupe_key => 'k', on_conflict => 'skip') IS NULL", "skip"),
        ("SELECT pgq.release('{1}') = '{}'", "release"),
        ("SELECT pgq.complete(1) = false", "complete"),
        ("SELECT NOT EXISTS (SELECT FROM pgq.dequeue('{fetch}'))", "dequeue"),
        ("SELECT status = 'picked' FROM pgq.jobs", "the view"),
        ("SELECT status = 'picked' FROM pgq.status('{1}')", "status"),
        ("SELECT count(*) = 1 FROM pgq.claims()", "claims"),
    ];
    let cluster = Cluster::start(&[]);
    let databases: Vec<Database> = calls.iter().map(|_| cluster.database()).collect();
    for database in &databases {
        let mut session = database.connect();
        run(&mut session, "SELECT pgq.enqueue('fetch', 'old', dedupe_key => 'k')");
        assert_eq!(dequeue_named(&mut session, 1, 300.0), [1]);
    }
    databases.iter().for_each(|database| until_old(&mut database.connect()));
    cluster.stop(Stop::Immediate);
    cluster.begin();
    let mut wrong = vec![];
    for (database, (call, name)) in databases.iter().zip(calls) {
        let mut session = database.connect();
        let answer: bool = value(&mut session, call, &[]);
        let payload = "SELECT pgq.payload_text(payload) FROM pgq.jobs";
        let untouched = column::<String>(&mut session, payload, &[]) == ["old"];
        let held = holders(&mut session) == [(1, Some(WORKER))];
        let done: bool = value(&mut session, "SELECT pgq.complete(1, $1, 0)", &[&WORKER]);
        if !(answer && untouched && held && done) {
            wrong.push(format!("{name}: answer {answer}, untouched {untouched}, held {held}, completed {done}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_old_claim_has_a_receipt_though_the_background_worker_is_ended_again_and_again() {
    let cluster = Cluster::start(&[("pgqueuer.receipt_after", "20ms")]);
    let database = cluster.database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 400);
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND backend_type ~ 'pgqueuer'";
    let mut ended = 0;
    for _ in 0..40 {
        assert_eq!(dequeue_named(&mut session, 10, 300.0).len(), 10);
        // In the middle of its work, with luck.
        until("it is there to be ended", || {
            assert!(dequeue(&mut session, "nothing of this kind", 1).is_empty());
            let count: i64 = value(&mut session, end, &[]);
            ended += count;
            (count > 0).then_some(())
        });
    }
    println!("ended {ended} times");
    until("each claim has a receipt", || {
        assert!(dequeue(&mut session, "fetch", 1).is_empty(), "a call that sees to a background worker");
        (receipts(&mut session) == 400).then_some(())
    });
    until("they are on disk", || {
        let sql = "SELECT pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn()";
        value::<bool>(&mut session, sql, &[]).then_some(())
    });
    cluster.stop(Stop::Immediate);
    cluster.begin();
    let mut session = database.connect();
    let lost: Vec<i64> = value(&mut session, "SELECT pgq.heartbeat($1, held => $2)", &[&WORKER, &ids]);
    assert!(lost.is_empty(), "{} of 400 are lost", lost.len());
}
