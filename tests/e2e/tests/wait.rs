//! `CALL pgq.wait` returns as soon as a job can be claimed, whatever made it so, and sleeps until then.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what a test calls may end it with a panic"
)]

use pgqueuer_e2e::ask::{column, complete, dequeue, enqueue, process, run, value};
use pgqueuer_e2e::cluster::{Cluster, Database, database, major};
use pgqueuer_e2e::until::until;
use pgqueuer_e2e::waiter::{Waiter, Woken};
use postgres::Client;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Much less than the second after which a waiter looks by itself: half of such looks would be too late.
const SOON: Duration = Duration::from_millis(400);
/// What goes through the database's worker.
const SOON_ENOUGH: Duration = Duration::from_secs(2);

/// Makes nothing claimable, lets somebody wait, acts, and expects that it is woken. Twice, so that a look that comes by
/// itself does not pass for a wake.
fn wakes(prepare: impl Fn(&mut Client), act: impl Fn(&mut Client)) {
    for _ in 0..2 {
        wakes_in(&database(), SOON, &prepare, &act);
    }
}

fn wakes_in(database: &Database, soon: Duration, prepare: impl Fn(&mut Client), act: impl Fn(&mut Client)) {
    let mut session = database.connect();
    prepare(&mut session);
    let mut other = database.connect();
    let waiter = Waiter::asleep(database, &mut other);
    let start = Instant::now();
    act(&mut session);
    let acted = start.elapsed();
    let mut woken = waiter.woken();
    let took = woken.at.duration_since(start);
    println!("woken after {took:?}, the call took {acted:?}");
    assert!(woken.ready.unwrap(), "a job can be claimed");
    assert!(took < soon + acted, "woken only after {took:?}");
    assert_eq!(dequeue(&mut woken.session, "fetch", 1).len(), 1, "ready is true");
}

fn nothing(_: &mut Client) {}

#[test]
fn a_job_that_can_be_claimed_is_ready_at_once() {
    let database = database();
    let mut session = database.connect();
    enqueue(&mut session, "fetch", 1);
    for entrypoints in ["{fetch}", "{other,fetch}", "{fetch,fetch}"] {
        let start = Instant::now();
        assert!(value::<bool>(&mut session, &format!("CALL pgq.wait('{entrypoints}', '30 s')"), &[]));
        assert!(start.elapsed() < SOON);
    }
    assert!(value::<bool>(&mut session, "CALL pgq.wait(ARRAY['fetch'])", &[]), "the timeout has a default");
    assert!(value::<bool>(&mut session, "CALL pgq.wait($1, '0', NULL)", &[&vec!["fetch"]]), "drivers send a list");
    assert!(!value::<bool>(&mut session, "CALL pgq.wait('{other}', '0')", &[]));
}

#[test]
fn nothing_is_ready_at_the_timeout() {
    let database = database();
    let mut session = database.connect();
    enqueue(&mut session, "fetch", 2);
    assert_eq!(dequeue(&mut session, "fetch", 1).len(), 1);
    run(&mut session, "SELECT pgq.pause('fetch'); SELECT pgq.enqueue('late', delay => '1 hour')");
    for entrypoints in ["{fetch}", "{late}", "{fetch,late,other}"] {
        let start = Instant::now();
        assert!(!value::<bool>(&mut session, &format!("CALL pgq.wait('{entrypoints}', '700 ms')"), &[]));
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(690) && took < Duration::from_millis(1500), "{took:?}");
    }
}

#[test]
fn enqueue_wakes() {
    wakes(nothing, |session| run(session, "SELECT pgq.enqueue('fetch')"));
}

#[test]
fn enqueue_many_wakes() {
    wakes(nothing, |session| run(session, "SELECT pgq.enqueue_many_text('{other,fetch}', '{a,b}')"));
}

#[test]
fn an_insert_wakes() {
    wakes(nothing, |session| run(session, "INSERT INTO pgq.jobs (entrypoint) VALUES ('fetch')"));
}

#[test]
fn a_copy_wakes() {
    wakes(nothing, |session| {
        let mut copy = session.copy_in("COPY pgq.jobs (entrypoint) FROM STDIN").unwrap();
        std::io::Write::write_all(&mut copy, b"fetch\n").unwrap();
        copy.finish().unwrap();
    });
}

#[test]
fn a_trigger_on_a_table_of_a_user_wakes() {
    let prepare = "CREATE TABLE orders (id int);
                   CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
                   $$BEGIN PERFORM pgq.enqueue('fetch', NEW.id::text); RETURN NEW; END$$;
                   CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f()";
    wakes(|session| run(session, prepare), |session| run(session, "INSERT INTO orders VALUES (1)"));
}

#[test]
fn a_savepoint_that_is_kept_wakes() {
    let act = "BEGIN; SAVEPOINT a; SELECT pgq.enqueue('fetch'); RELEASE a; SAVEPOINT b; SELECT pgq.enqueue('fetch');
               ROLLBACK TO b; COMMIT";
    wakes(nothing, |session| run(session, act));
}

#[test]
fn a_commit_wakes_and_not_the_call_before_it() {
    let database = database();
    let (mut session, mut other) = (database.connect(), database.connect());
    let waiter = Waiter::asleep(&database, &mut other);
    run(&mut session, "BEGIN; SELECT pgq.enqueue('fetch')");
    assert!(!value::<bool>(&mut other, "CALL pgq.wait('{fetch}', '300 ms')", &[]));
    assert!(waiter.has_ended().is_none());
    let start = Instant::now();
    run(&mut session, "COMMIT");
    let woken = waiter.woken();
    assert!(woken.ready.unwrap() && woken.at.duration_since(start) < SOON);
}

#[test]
fn a_rollback_of_an_enqueue_wakes_nobody() {
    let database = database();
    let (mut session, mut other) = (database.connect(), database.connect());
    let waiter = Waiter::asleep(&database, &mut other);
    run(&mut session, "BEGIN; SELECT pgq.enqueue('fetch'); ROLLBACK; SELECT pgq.enqueue('other')");
    assert!(!value::<bool>(&mut other, "CALL pgq.wait('{fetch}', '1500 ms')", &[]));
    assert!(waiter.has_ended().is_none());
}

#[test]
fn commit_prepared_wakes() {
    let cluster = Cluster::start(&[("max_prepared_transactions", "4")]);
    for _ in 0..2 {
        wakes_in(
            &cluster.database(),
            SOON,
            |session| run(session, "BEGIN; SELECT pgq.enqueue('fetch'); PREPARE TRANSACTION 'p'"),
            |session| run(session, "COMMIT PREPARED 'p'"),
        );
    }
}

#[test]
fn requeue_wakes() {
    let prepare = "SELECT pgq.enqueue('fetch'); SELECT pgq.finish(ARRAY[id], '{failed}') FROM pgq.dequeue('{fetch}')";
    wakes(
        |session| run(session, prepare),
        |session| run(session, "SELECT pgq.requeue(ARRAY(SELECT id FROM pgq.jobs))"),
    );
}

#[test]
fn resume_wakes() {
    let prepare = "SELECT pgq.enqueue('fetch'), pgq.pause('fetch')";
    wakes(|session| run(session, prepare), |session| run(session, "SELECT pgq.resume('fetch')"));
}

#[test]
fn reschedule_wakes() {
    let prepare = "SELECT pgq.enqueue('fetch', delay => '1 hour')";
    let act = "SELECT pgq.reschedule(ARRAY(SELECT id FROM pgq.jobs))";
    wakes(|session| run(session, prepare), |session| run(session, act));
}

#[test]
fn replace_wakes() {
    let prepare = "SELECT pgq.enqueue('fetch', dedupe_key => 'k', delay => '1 hour')";
    let act = "SELECT pgq.enqueue('fetch', dedupe_key => 'k', on_conflict => 'replace')";
    wakes(|session| run(session, prepare), |session| run(session, act));
}

/// Two jobs under a limit of one, which the session's claim reaches.
fn limited(session: &mut Client) {
    run(session, "SELECT pgq.configure('fetch', concurrency_limit => 1)");
    enqueue(session, "fetch", 2);
    assert_eq!(dequeue(session, "fetch", 2).len(), 1);
}

#[test]
fn a_limit_that_is_raised_wakes() {
    wakes(limited, |session| run(session, "SELECT pgq.configure('fetch', concurrency_limit => 2)"));
}

#[test]
fn the_end_of_a_job_under_a_limit_wakes() {
    wakes(limited, |session| run(session, "SELECT pgq.complete(id) FROM pgq.jobs WHERE status = 'picked'"));
}

#[test]
fn a_cancel_of_a_job_under_a_limit_wakes() {
    wakes(limited, |session| run(session, "SELECT pgq.cancel(ARRAY(SELECT id FROM pgq.jobs WHERE status = 'picked'))"));
}

#[test]
fn a_session_under_a_limit_that_ends_wakes() {
    let database = database();
    let (mut session, mut lost) = (database.connect(), database.connect());
    limited(&mut lost);
    let process = process(&mut lost);
    let act = format!("SELECT pg_terminate_backend({process})");
    wakes_in(&database, SOON_ENOUGH, nothing, |_| run(&mut database.connect(), &act));
    assert_eq!(column::<i64>(&mut session, "SELECT id FROM pgq.jobs", &[]).len(), 2);
}

/// Two jobs of one ordering key, of which the session holds the first.
fn ordered(session: &mut Client) {
    run(session, "SELECT pgq.enqueue_many_text('{fetch}', '{a,b}', ordering_keys => '{k,k}')");
    assert_eq!(dequeue(session, "fetch", 2).len(), 1);
}

#[test]
fn the_end_of_the_first_of_a_key_wakes() {
    wakes(ordered, |session| run(session, "SELECT pgq.complete(id) FROM pgq.jobs WHERE status = 'picked'"));
}

#[test]
fn a_first_of_a_key_that_is_held_as_failed_wakes() {
    let act = "SELECT pgq.finish(ARRAY(SELECT id FROM pgq.jobs WHERE status = 'picked'), '{failed}')";
    wakes(ordered, |session| run(session, act));
}

#[test]
fn a_deferred_first_of_a_key_that_is_canceled_wakes() {
    let prepare = "SELECT pgq.enqueue('fetch', delay => '1 hour', ordering_key => 'k'), pgq.enqueue('fetch', ordering_key => 'k')";
    let act = "SELECT pgq.cancel(ARRAY(SELECT min(id) FROM pgq.jobs))";
    wakes(|session| run(session, prepare), |session| run(session, act));
}

/// One job that the session holds.
fn held(session: &mut Client) {
    enqueue(session, "fetch", 1);
    assert_eq!(dequeue(session, "fetch", 1).len(), 1);
}

#[test]
fn release_wakes() {
    wakes(held, |session| run(session, "SELECT pgq.release(ARRAY(SELECT id FROM pgq.jobs))"));
}

#[test]
fn a_retry_without_delay_wakes() {
    wakes(held, |session| run(session, "SELECT pgq.retry(id) FROM pgq.jobs"));
}

#[test]
fn discard_all_wakes() {
    for _ in 0..2 {
        wakes_in(&database(), SOON_ENOUGH, held, |session| run(session, "DISCARD ALL"));
    }
}

#[test]
fn the_end_of_another_session_wakes() {
    for _ in 0..2 {
        let database = database();
        let mut lost = database.connect();
        held(&mut lost);
        let process = process(&mut lost);
        let act = |session: &mut Client| run(session, &format!("SELECT pg_terminate_backend({process})"));
        wakes_in(&database, SOON_ENOUGH, nothing, act);
    }
}

#[test]
fn the_rollback_of_a_claim_wakes() {
    let prepare = |session: &mut Client| {
        enqueue(session, "fetch", 1);
        run(session, "BEGIN");
        assert_eq!(dequeue(session, "fetch", 1).len(), 1);
    };
    wakes(prepare, |session| run(session, "ROLLBACK"));
}

#[test]
fn a_rate_that_refills_wakes() {
    let prepare = |session: &mut Client| {
        run(session, "SELECT pgq.configure('fetch', rate_limit => 1, rate_period => '1500 ms')");
        enqueue(session, "fetch", 2);
        assert_eq!(dequeue(session, "fetch", 2).len(), 1);
    };
    wakes_in(&database(), Duration::from_millis(1900), prepare, nothing);
}

#[test]
fn a_lease_that_runs_out_wakes() {
    let worker = Uuid::from_u128(7);
    let prepare = |session: &mut Client| {
        enqueue(session, "fetch", 1);
        assert_eq!(column::<i64>(session, "SELECT id FROM pgq.dequeue('{fetch}', 1, $1, '1 s')", &[&worker]).len(), 1);
    };
    wakes_in(&database(), Duration::from_millis(3000), prepare, nothing);
}

/// By how much later than it was due a waiter hears of a job.
fn lateness(mut woken: Woken) -> Duration {
    assert!(woken.ready.unwrap());
    let due = "SELECT (extract(epoch FROM clock_timestamp() - min(execute_after)) * 1000000)::bigint FROM pgq.jobs";
    let now = Instant::now();
    let late: i64 = value(&mut woken.session, due, &[]);
    Duration::from_micros(u64::try_from(late).expect("never before it is due")).saturating_sub(now - woken.at)
}

#[test]
fn a_deferred_job_that_falls_due_wakes() {
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let database = database();
            let mut session = database.connect();
            run(&mut session, "SELECT pgq.enqueue('fetch', delay => '1 hour')");
            let waiter = Waiter::asleep(&database, &mut session);
            // The one that is due first comes while somebody is waiting for a later one.
            run(&mut session, "SELECT pgq.enqueue('fetch', delay => '700 ms')");
            lateness(waiter.woken())
        })
        .collect();
    times.sort_unstable();
    println!("late by {times:?}");
    assert!(times[2] < Duration::from_millis(100), "{times:?}");
}

#[test]
fn a_retry_that_falls_due_wakes() {
    let database = database();
    let mut session = database.connect();
    held(&mut session);
    let waiter = Waiter::asleep(&database, &mut session);
    run(&mut session, "SELECT pgq.retry(id, '700 ms') FROM pgq.jobs");
    let late = lateness(waiter.woken());
    println!("late by {late:?}");
    assert!(late < SOON, "{late:?}");
}

#[test]
fn of_ten_waiters_three_are_woken_for_three_jobs() {
    let database = database();
    let mut session = database.connect();
    let waiters: Vec<Waiter> = (0..10).map(|_| Waiter::claims(&database)).collect();
    waiters.iter().for_each(|waiter| waiter.until_asleep(&mut session));
    let start = Instant::now();
    enqueue(&mut session, "fetch", 3);
    let mut woken = vec![];
    until("three are woken and have a job each", || {
        woken.extend(waiters.iter().filter_map(Waiter::has_ended));
        (woken.iter().map(|woken| woken.claimed.len()).sum::<usize>() == 3).then_some(())
    });
    println!("three jobs taken by {} of ten waiters after {:?}", woken.len(), start.elapsed());
    assert!(start.elapsed() < SOON);
    assert!(!value::<bool>(&mut session, "CALL pgq.wait('{fetch}', '1500 ms')", &[]));
    woken.extend(waiters.iter().filter_map(Waiter::has_ended));
    assert!(woken.len() <= 4, "{} of ten were woken though three were enough", woken.len());
    // Those that go on waiting are not forgotten.
    enqueue(&mut session, "fetch", 1);
    let more = until("one of them is woken", || waiters.iter().find_map(Waiter::has_ended));
    assert!(more.ready.unwrap());
    drop(woken);
}

#[test]
fn where_the_one_that_is_woken_does_nothing_the_next_one_is_woken() {
    let database = database();
    let mut session = database.connect();
    let waiters: Vec<Waiter> = (0..4).map(|_| Waiter::asleep(&database, &mut session)).collect();
    let start = Instant::now();
    enqueue(&mut session, "fetch", 1);
    let mut ends: Vec<Duration> = waiters
        .iter()
        .map(|waiter| {
            let woken = waiter.woken();
            assert!(woken.ready.unwrap());
            woken.at.duration_since(start)
        })
        .collect();
    ends.sort_unstable();
    println!("one after another: {ends:?}");
    assert!(ends[1] < SOON && ends[3] < SOON * 3, "{ends:?}");
}

#[test]
fn a_waiter_that_goes_away_passes_its_wake_on() {
    let database = database();
    let mut session = database.connect();
    let waiters: Vec<Waiter> = (0..3).map(|_| Waiter::asleep(&database, &mut session)).collect();
    run(&mut session, "BEGIN; SELECT pgq.enqueue('fetch')");
    let doomed =
        format!("SELECT pg_terminate_backend({}), pg_terminate_backend({})", waiters[0].process, waiters[1].process);
    run(&mut session, "COMMIT");
    run(&mut session, &doomed);
    let start = Instant::now();
    let woken = waiters[2].woken();
    assert!(woken.ready.unwrap());
    assert!(woken.at.saturating_duration_since(start) < SOON_ENOUGH);
}

/// The processor time that a process has used, in hundredths of a second.
fn ticks(process: i32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    fields.filter_map(|field| field.parse::<u64>().ok()).sum()
}

#[test]
fn a_job_that_somebody_has_locked_is_not_ready_and_is_found_after_the_lock_goes() {
    let database = database();
    let (mut locker, mut session) = (database.connect(), database.connect());
    enqueue(&mut session, "fetch", 1);
    run(&mut locker, "BEGIN; SELECT id FROM pgq.job FOR UPDATE");
    let process = process(&mut session);
    let before = ticks(process);
    assert!(!value::<bool>(&mut session, "CALL pgq.wait('{fetch}', '2 s')", &[]));
    let used = ticks(process) - before;
    assert!(used <= 10, "the waiter spins: {used} ticks of 10 ms in 2 s");
    let waiter = Waiter::asleep(&database, &mut session);
    let start = Instant::now();
    run(&mut locker, "COMMIT");
    let woken = waiter.woken();
    let took = woken.at.duration_since(start);
    println!("found {took:?} after the lock went");
    assert!(woken.ready.unwrap() && took < SOON_ENOUGH, "{took:?}");
}

#[test]
fn a_waiter_holds_no_snapshot_and_no_lock() {
    let database = database();
    let mut session = database.connect();
    enqueue(&mut session, "late", 1);
    let waiter = Waiter::asleep(&database, &mut session);
    let sql = "SELECT backend_xid IS NULL AND backend_xmin IS NULL FROM pg_stat_activity WHERE pid = $1";
    let locks = "SELECT array_agg(locktype::text) FROM pg_locks WHERE pid = $1 AND locktype <> 'virtualxid'";
    until("it lets everything go", || {
        let locks: Option<Vec<String>> = value(&mut session, locks, &[&waiter.process]);
        (value::<bool>(&mut session, sql, &[&waiter.process]) && locks.is_none()).then_some(())
    });
    // Dead rows can be removed while it waits.
    run(&mut session, "CREATE TABLE t (i int); INSERT INTO t SELECT generate_series(1, 1000); DELETE FROM t");
    run(&mut session, "VACUUM t");
    assert_eq!(value::<i64>(&mut session, "SELECT pg_relation_size('t')", &[]), 0);
    // Nor does it hold up those who need the tables for themselves.
    run(&mut session, "SET lock_timeout = '2 s'; BEGIN; LOCK TABLE pgq.job IN ACCESS EXCLUSIVE MODE; ROLLBACK");
    assert!(waiter.is_asleep(&mut session));
    enqueue(&mut session, "fetch", 1);
    assert!(waiter.woken().ready.unwrap());
}

#[test]
fn a_hundred_idle_waiters_do_nothing() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.enqueue('fetch', delay => '1 hour')");
    let waiters: Vec<Waiter> =
        (0..100).map(|_| Waiter::calls(&database, "CALL pgq.wait('{fetch}', '1 min')")).collect();
    waiters.iter().for_each(|waiter| waiter.until_asleep(&mut session));
    let all = "SELECT array_agg(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND (datname = current_database() OR backend_type ~ 'pgqueuer')";
    let processes: Vec<i32> = value(&mut session, all, &[]);
    assert!(processes.len() >= 100);
    let mut look = || {
        // What this session has done is counted, too.
        if major() >= 15 {
            run(&mut session, "SELECT pg_stat_force_next_flush()");
        }
        let sql = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()";
        let transactions: i64 = value(&mut session, sql, &[]);
        let sql = "SELECT array_agg(concat(pid, query_start, state_change) ORDER BY pid) FROM pg_stat_activity WHERE query ~ '^CALL pgq.wait' AND pid <> pg_backend_pid()";
        let statements: Vec<String> = value(&mut session, sql, &[]);
        let ticks: u64 = processes.iter().map(|process| ticks(*process)).sum();
        assert!(!value::<bool>(&mut session, "CALL pgq.wait('{nothing of this kind}', '4 s')", &[]));
        (transactions, statements, ticks)
    };
    // Before 15 what a session has done is told to a collector, and seen a moment later.
    if major() < 15 {
        look();
    }
    let (before, after) = (look(), look());
    println!("in 4 s: {} transactions, {} ticks of 10 ms", after.0 - before.0, after.2 - before.2);
    assert_eq!(after.1, before.1, "the same statements, all the time");
    assert!(after.0 - before.0 <= 10, "{} transactions", after.0 - before.0);
    assert!(after.2 - before.2 <= 10, "{} ticks of 10 ms", after.2 - before.2);
    assert!(waiters.iter().all(|waiter| waiter.has_ended().is_none()));
    run(
        &mut session,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ '^CALL pgq.wait' AND pid <> pg_backend_pid()",
    );
}

#[test]
fn a_loop_of_wait_and_dequeue_works_off_everything() {
    let database = database();
    let mut producer = database.connect();
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let mut session = database.connect();
            std::thread::spawn(move || {
                let mut done = 0;
                while value::<bool>(&mut session, "CALL pgq.wait('{fetch}', '2 s')", &[]) {
                    let ids = dequeue(&mut session, "fetch", 3);
                    done += complete(&mut session, &ids).len();
                }
                done
            })
        })
        .collect();
    (0..500).for_each(|_| _ = enqueue(&mut producer, "fetch", 2));
    let done: Vec<usize> = workers.into_iter().map(|worker| worker.join().unwrap()).collect();
    println!("done by each: {done:?}");
    assert_eq!(done.iter().sum::<usize>(), 1000);
}
