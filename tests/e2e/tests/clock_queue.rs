//! Somebody sets the server's clock: deferred jobs, waits, leases, limits and rests do not hang.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{column, complete, dequeue, enqueue, run, value};
use pgqueuer_e2e::clock::{Clock, cluster_at, look};
use pgqueuer_e2e::cluster::Cluster;
use pgqueuer_e2e::until::{until, until_within};
use pgqueuer_e2e::waiter::Waiter;
use postgres::Client;
use postgres::fallible_iterator::FallibleIterator;
use std::time::{Duration, Instant};

/// 2027-03-10 12:00 UTC.
const NOON: i64 = 1_804_680_000;
const HOUR: i64 = 3600;
/// What takes seconds by the clock may take a few more while it is set, but never an hour.
const SOON: Duration = Duration::from_secs(10);

fn at_noon() -> (Cluster, Clock, String) {
    let (cluster, clock) = cluster_at(NOON, &[]);
    let name = cluster.database().name;
    (cluster, clock, name)
}

/// A session that has heard of a first job, so that everything that comes into being with the first use is there.
fn in_use(cluster: &Cluster, name: &str) -> Client {
    let mut session = cluster.connect(name);
    run(&mut session, "SELECT pgq.listen('{fetch}')");
    let ids = enqueue(&mut session, "fetch", 1);
    until("a first notification", || session.notifications().timeout_iter(Duration::from_secs(1)).next().unwrap());
    assert_eq!(dequeue(&mut session, "fetch", 1), ids);
    assert_eq!(complete(&mut session, &ids), ids);
    session
}

/// Waits for the next notification, and returns how long it took.
fn heard(listener: &mut Client, patience: Duration) -> Option<Duration> {
    let start = Instant::now();
    let heard = listener.notifications().timeout_iter(patience).next().unwrap();
    heard.map(|_| start.elapsed())
}

#[test]
fn a_deferred_job_is_told_of_on_its_time_after_the_clock_was_set_back() {
    let (cluster, clock, name) = at_noon();
    let mut listener = in_use(&cluster, &name);
    let mut session = cluster.connect(&name);
    // The worker has looked for jobs that fell due.
    run(&mut session, "SELECT pgq.enqueue('fetch', delay => '1 s')");
    assert!(heard(&mut listener, SOON).is_some());
    run(&mut session, "SELECT pgq.complete(id) FROM pgq.dequeue('{fetch}', 9)");
    heard(&mut listener, Duration::from_millis(300));
    clock.step(&cluster, -HOUR);
    run(&mut session, "SELECT pgq.enqueue('fetch', delay => '2 s')");
    let start = Instant::now();
    session.query_one("CALL pgq.wait('{fetch}', '20 s')", &[]).unwrap();
    let woken = start.elapsed();
    assert!(woken < SOON, "the waiter was woken after {woken:?}");
    let told = heard(&mut listener, Duration::from_secs(1));
    assert!(told.is_some(), "who listens was not told of a job that fell due, though it can be claimed");
    assert_eq!(dequeue(&mut session, "fetch", 9).len(), 1);
}

#[test]
fn a_deferred_job_is_told_of_where_the_clock_was_set_past_its_time() {
    let (cluster, clock, name) = at_noon();
    let mut listener = in_use(&cluster, &name);
    let mut session = cluster.connect(&name);
    run(&mut session, "SELECT pgq.enqueue('fetch', delay => '50 minutes')");
    heard(&mut listener, Duration::from_millis(300));
    clock.step(&cluster, HOUR);
    assert!(heard(&mut listener, SOON).is_some());
    assert_eq!(dequeue(&mut session, "fetch", 9).len(), 1);
}

fn a_wait_ends(call: &str) {
    let (cluster, clock, name) = at_noon();
    let mut session = in_use(&cluster, &name);
    run(&mut session, "SELECT pgq.enqueue('other')");
    let database = cluster.named(&name);
    let waiter = Waiter::calls(&database, call);
    waiter.until_asleep(&mut session);
    clock.step(&cluster, -HOUR);
    let start = Instant::now();
    let ended = until_within(SOON, &format!("the end of {call}, after 3 s"), || waiter.has_ended());
    assert!(!ended.ready.unwrap());
    println!("{call}: ended {:?} after the clock was set", start.elapsed());
}

#[test]
fn a_wait_ends_at_its_timeout_though_the_clock_was_set_back_meanwhile() {
    a_wait_ends("CALL pgq.wait('{nothing}', '3 s')");
}

#[test]
fn a_wait_for_jobs_ends_at_its_timeout_though_the_clock_was_set_back_meanwhile() {
    a_wait_ends("CALL pgq.wait_for('{2}', '3 s')");
}

#[test]
fn a_waiter_is_woken_by_what_comes_after_the_clock_was_set_back() {
    let (cluster, clock, name) = at_noon();
    let mut session = in_use(&cluster, &name);
    let database = cluster.named(&name);
    let waiter = Waiter::asleep(&database, &mut session);
    clock.step(&cluster, -HOUR);
    let start = Instant::now();
    enqueue(&mut session, "fetch", 1);
    assert!(waiter.woken().ready.unwrap());
    assert!(start.elapsed() < SOON);
    assert!(heard(&mut session, SOON).is_some());
    assert_eq!(dequeue(&mut session, "fetch", 1).len(), 1);
}

const NAMED: &str = "SELECT id FROM pgq.dequeue('{fetch}', 1, '00000000-0000-0000-0000-000000000007', '2 s')";

#[test]
fn a_lease_ends_though_the_clock_was_set_back() {
    let (cluster, clock, name) = at_noon();
    let mut session = in_use(&cluster, &name);
    let ids = enqueue(&mut session, "fetch", 1);
    assert_eq!(column::<i64>(&mut session, NAMED, &[]), ids);
    clock.step(&cluster, -HOUR);
    until_within(SOON, "the lease of 2 s is over", || {
        let released = "SELECT count(*) FROM pgq.job_log WHERE outcome = 'released'";
        (value::<i64>(&mut session, released, &[]) == 1).then_some(())
    });
}

#[test]
fn a_lease_that_ended_with_a_step_forward_frees_its_job() {
    let (cluster, clock, name) = at_noon();
    let mut session = in_use(&cluster, &name);
    let ids = enqueue(&mut session, "fetch", 1);
    assert_eq!(column::<i64>(&mut session, NAMED, &[]), ids);
    clock.step(&cluster, HOUR);
    until_within(SOON, "the job is free", || (dequeue(&mut session, "fetch", 1) == ids).then_some(()));
    assert_eq!(complete(&mut session, &ids), ids);
}

#[test]
fn a_lease_that_has_not_run_out_outlives_a_step_forward() {
    let (cluster, clock, name) = at_noon();
    let mut session = in_use(&cluster, &name);
    let ids = enqueue(&mut session, "fetch", 1);
    assert_eq!(column::<i64>(&mut session, &NAMED.replace("2 s", "10 minutes"), &[]), ids);
    clock.step(&cluster, HOUR);
    let looked = Instant::now();
    until("background workers have looked", || (looked.elapsed() > Duration::from_secs(2)).then_some(()));
    let lost = "SELECT pgq.heartbeat('00000000-0000-0000-0000-000000000007', held => $1)";
    assert_eq!(value::<Vec<i64>>(&mut session, lost, &[&ids]), [0; 0]);
    let done = "SELECT pgq.complete($1, '00000000-0000-0000-0000-000000000007', 0)";
    assert!(value::<bool>(&mut session, done, &[&ids[0]]));
}

#[test]
fn a_rate_limit_refills_though_the_clock_was_set_back() {
    let (cluster, clock, name) = at_noon();
    let mut session = in_use(&cluster, &name);
    // Due long ago, so that only the limit can hold them back.
    run(
        &mut session,
        "INSERT INTO pgq.jobs (entrypoint, created) SELECT 'fetch', '2020-01-01' FROM generate_series(1, 3)",
    );
    run(&mut session, "SELECT pgq.configure('fetch', rate_limit => 1, rate_period => '2 s')");
    assert_eq!(dequeue(&mut session, "fetch", 9).len(), 1);
    assert_eq!(dequeue(&mut session, "fetch", 9).len(), 0);
    clock.step(&cluster, -HOUR);
    until_within(SOON, "the limit refills", || (dequeue(&mut session, "fetch", 9).len() == 1).then_some(()));
}

#[test]
fn a_job_whose_claims_were_rolled_back_rests_no_longer_though_the_clock_was_set_back() {
    let (cluster, clock, name) = at_noon();
    let mut session = in_use(&cluster, &name);
    run(&mut session, "INSERT INTO pgq.jobs (entrypoint, created) VALUES ('fetch', '2020-01-01')");
    until("it rests", || {
        run(&mut session, "BEGIN");
        let claimed = dequeue(&mut session, "fetch", 1);
        run(&mut session, "ROLLBACK");
        claimed.is_empty().then_some(())
    });
    clock.step(&cluster, -HOUR);
    until_within(SOON, "it can be claimed", || (dequeue(&mut session, "fetch", 1).len() == 1).then_some(()));
}

#[test]
fn the_background_worker_comes_back_though_the_clock_was_set_back_just_as_it_ended() {
    let (cluster, clock, name) = at_noon();
    let mut session = in_use(&cluster, &name);
    let workers =
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'pgqueuer worker'";
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'pgqueuer worker'";
    for _ in 0..3 {
        let running: Vec<i32> =
            until("a worker", || Some(column(&mut session, workers, &[])).filter(|all: &Vec<i32>| all.len() == 1));
        assert_eq!(value::<i64>(&mut session, end, &[]), 1);
        until("it is gone", || (column::<i32>(&mut session, workers, &[]) != running).then_some(()));
        clock.step_stopped(-HOUR);
        look(&cluster);
        until_within(SOON, "another worker", || (column::<i32>(&mut session, workers, &[]).len() == 1).then_some(()));
    }
}

#[test]
fn what_is_enqueued_after_the_clock_was_set_back_can_be_claimed_at_once() {
    let (cluster, clock, name) = at_noon();
    let mut session = in_use(&cluster, &name);
    enqueue(&mut session, "fetch", 1);
    clock.step(&cluster, -HOUR);
    // What was enqueued before the step is due again when the clock shows that time again; what comes now is due now.
    let ids = enqueue(&mut session, "fetch", 1);
    assert_eq!(
        until("what came after the step", || Some(dequeue(&mut session, "fetch", 1)).filter(|got| !got.is_empty())),
        ids
    );
}
