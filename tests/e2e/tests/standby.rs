//! A standby: nothing runs there and nothing is handed out; once it is promoted all goes on where the primary was.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{column, complete, dequeue, enqueue, refused, run, value};

use pgqueuer_e2e::cluster::{Cluster, Stop};
use pgqueuer_e2e::serving::{complaints, launcher, until_launched, until_served, workers};
use pgqueuer_e2e::ticks::{beats, each_second_catching_up, faults, server_now};
use pgqueuer_e2e::until::until;
use pgqueuer_e2e::waiter::Waiter;
use postgres::Client;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

const WORKER: Uuid = Uuid::from_u128(7);
/// The launcher starts with the promotion, a worker some ten milliseconds later.
const SOON: Duration = Duration::from_secs(3);

fn until_old(session: &mut Client) {
    until("the claims have receipts", || {
        let sql = "SELECT (SELECT count(*) FROM pgq.receipt) >= (SELECT count(*) FROM pgq.claims())";
        value::<bool>(session, sql, &[]).then_some(())
    });
}

/// Waits until the standby has replayed what the primary has written up to now.
fn until_replayed(primary: &mut Client, standby: &mut Client) {
    let written: String = value(primary, "SELECT pg_current_wal_flush_lsn()::text", &[]);
    let replayed = "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn";
    until("the standby has everything", || value::<bool>(standby, replayed, &[&written]).then_some(()));
}

/// The jobs of a schedule by tick.
fn jobs_of_ticks(session: &mut Client, name: &str) -> BTreeMap<i64, i64> {
    let sql = "SELECT extract(epoch FROM (headers->>'scheduled_at')::timestamptz)::bigint, id FROM pgq.jobs WHERE headers->>'schedule' = $1";
    session.query(sql, &[&name]).unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
}

fn with_extension(primary: &Cluster) -> Client {
    let mut session = primary.connect("postgres");
    run(&mut session, "CREATE EXTENSION pgqueuer");
    session
}

#[test]
fn on_a_standby_nothing_runs_and_nothing_is_handed_out() {
    let primary = Cluster::start(&[]);
    let mut session = with_extension(&primary);
    each_second_catching_up(&mut session, "beat", "all");
    let ids = enqueue(&mut session, "fetch", 3);
    assert_eq!(dequeue(&mut session, "fetch", 1), ids[..1]);
    let standby = Cluster::standby_of(&primary);
    until_replayed(&mut session, &mut standby.connect("postgres"));
    let mut copy = standby.connect("postgres");
    for call in [
        "SELECT * FROM pgq.dequeue('{fetch}')",
        "SELECT * FROM pgq.dequeue('{fetch}', worker => '00000000-0000-0000-0000-000000000007')",
        "CALL pgq.wait('{fetch}', '1 s')",
        "SELECT pgq.enqueue('fetch')",
        "SELECT pgq.complete(1)",
        "SELECT pgq.schedule('other', '* * * * *')",
    ] {
        let error = refused(copy.batch_execute(call));
        assert_eq!(error.code().code(), "25006", "{call}: {error:?}");
    }
    // One can look.
    let before = beats(&mut copy, "beat");
    until("its primary ticks", || (beats(&mut copy, "beat").len() >= before.len() + 2).then_some(()));
    assert_eq!(
        column::<String>(&mut copy, "SELECT status::text FROM pgq.jobs WHERE entrypoint = 'fetch'", &[]).len(),
        3
    );
    assert!(column::<String>(&mut copy, "SELECT \"check\" FROM pgq.health()", &[]).len() > 3);
    assert_eq!((launcher(&mut copy), workers(&mut copy)), (None, vec![]));
    drop(copy);
    standby.stop(Stop::Fast);
    assert_eq!(complaints(&standby.log()), [""; 0]);
}

/// The named worker has the first job still, the session has lost the second, nobody had the third.
fn claims_are_as_they_must_be(session: &mut Client, ids: &[i64]) {
    let released = "SELECT job_id FROM pgq.job_log WHERE outcome = 'released'";
    until("the session's job is released", || (column::<i64>(session, released, &[]) == ids[1..2]).then_some(()));
    let mut free = dequeue(session, "fetch", 9);
    free.sort_unstable();
    assert_eq!(free, ids[1..]);
    assert!(value::<bool>(session, "SELECT pgq.complete($1, $2, 0)", &[&ids[0], &WORKER]));
    assert_eq!(complete(session, &free).len(), 2);
}

/// A primary with a schedule, claims of a session and of a named worker, and jobs for later fails; its standby takes over.
fn after_a_promotion_all_goes_on(synchronous: bool) {
    let primary = Cluster::start(&[]);
    let mut session = with_extension(&primary);
    let standby = Cluster::standby_of(&primary);
    if synchronous {
        primary.reload(&[("synchronous_standby_names", "*")]);
        let sync = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        until("the standby is synchronous", || (value::<i64>(&mut session, sync, &[]) == 1).then_some(()));
    }
    each_second_catching_up(&mut session, "beat", "all");
    let ids = enqueue(&mut session, "fetch", 3);
    let named = "SELECT id FROM pgq.dequeue('{fetch}', 1, $1, '60 s')";
    assert_eq!(column::<i64>(&mut session, named, &[&WORKER]), ids[..1]);
    assert_eq!(dequeue(&mut session, "fetch", 1), ids[1..2]);
    until_old(&mut session);
    run(&mut session, "SELECT pgq.enqueue('soon', delay => '100 ms'), pgq.enqueue('later', delay => '6 s')");
    let due = Instant::now() + Duration::from_secs(6);
    let mut copy = standby.connect("postgres");
    until_replayed(&mut session, &mut copy);
    until("it ticks", || (beats(&mut session, "beat").len() >= 3).then_some(()));
    // What anybody has seen before the end. Asynchronously the standby may know less: wait for it.
    let mut seen = jobs_of_ticks(&mut session, "beat");
    if !synchronous {
        until_replayed(&mut session, &mut copy);
    }
    let last = *seen.keys().last().unwrap();
    until("the next tick has come", || {
        let now = jobs_of_ticks(&mut session, "beat");
        let is_new = now.keys().last().is_some_and(|tick| *tick > last);
        if synchronous {
            seen = now;
        }
        is_new.then_some(())
    });
    primary.stop(Stop::Immediate);
    let stopped = server_now(&mut copy);
    until("some ticks are missed", || (server_now(&mut copy) >= stopped + 2).then_some(()));
    assert!(value::<bool>(&mut copy, "SELECT pg_promote()", &[]));
    let promoted = Instant::now();
    until_launched(&mut copy);
    until_served(&mut copy, "postgres");
    assert!(promoted.elapsed() < SOON, "{:?}", promoted.elapsed());

    // Nobody has called anything: it ticks, those of the time between are made up for, and who saw a job sees the same.
    until("it ticks", || beats(&mut copy, "beat").last().filter(|tick| **tick >= stopped + 4).copied());
    assert_eq!(faults(&beats(&mut copy, "beat")), [""; 0]);
    let now = jobs_of_ticks(&mut copy, "beat");
    let changed: Vec<_> = seen.iter().filter(|(tick, job)| now.get(tick) != Some(job)).collect();
    assert_eq!(changed, [], "of {seen:?}");

    claims_are_as_they_must_be(&mut copy, &ids);
    assert_eq!(dequeue(&mut copy, "soon", 1).len(), 1);
    let database = standby.named("postgres");
    let woken = Waiter::calls(&database, "CALL pgq.wait('{later}', '20 s')").woken();
    assert!(woken.ready.unwrap());
    println!(
        "promoted and served in {:?}; {:?} after its time",
        promoted.elapsed(),
        woken.at.saturating_duration_since(due)
    );
    assert!(woken.at < due.max(promoted) + SOON);
    assert_eq!(complaints(&standby.log()), [""; 0]);
}

#[test]
fn after_a_promotion_all_goes_on_where_the_standby_was() {
    after_a_promotion_all_goes_on(false);
}

#[test]
fn after_a_promotion_of_a_synchronous_standby_all_goes_on_where_the_primary_was() {
    after_a_promotion_all_goes_on(true);
}

#[test]
fn a_worker_that_waits_for_a_synchronous_standby_is_in_nobodys_way() {
    let primary = Cluster::start(&[]);
    let database = primary.database();
    each_second_catching_up(&mut database.connect(), "beat", "all");
    let mut operator = primary.connect("postgres");
    until_served(&mut operator, &database.name);
    // There is no standby: the next tick waits for one.
    primary.reload(&[("synchronous_standby_names", "*")]);
    let waits =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND backend_type = 'pgqueuer worker'";
    until("the worker waits", || (value::<i64>(&mut operator, waits, &[]) == 1).then_some(()));
    run(&mut operator, "SET synchronous_commit = local");
    let start = Instant::now();
    run(&mut operator, &format!("ALTER DATABASE {} RENAME TO other", database.name));
    println!("the rename took {:?}", start.elapsed());
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    let start = Instant::now();
    primary.stop(Stop::Fast);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}
