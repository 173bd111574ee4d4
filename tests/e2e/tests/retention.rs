//! What has ended is kept for as long as the settings say, and not much longer; nobody who works waits for its removal.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{column, complete, dequeue, enqueue, run, value};
use pgqueuer_e2e::cluster::{Cluster, Database, Stop};
use pgqueuer_e2e::until::{until, until_within};
use postgres::Client;
use std::time::Duration;

/// Turns and ends within this time, whatever else the machine does.
const PATIENCE: Duration = Duration::from_secs(30);

fn keeping(log: &str, failed: &str) -> Cluster {
    Cluster::start(&[
        ("pgqueuer.log_retention", log),
        ("pgqueuer.failed_retention", failed),
        ("max_prepared_transactions", "5"),
    ])
}

/// Changes a setting while the server runs.
fn set(session: &mut Client, setting: &str, to: &str) {
    run(session, &format!("ALTER SYSTEM SET {setting} = '{to}'"));
    run(session, "SELECT pg_reload_conf()");
}

/// A job runs and ends. Returns its id.
fn end_one(session: &mut Client) -> i64 {
    let ids = enqueue(session, "fetch", 1);
    assert_eq!(dequeue(session, "fetch", 1), ids);
    assert_eq!(complete(session, &ids), ids);
    ids[0]
}

/// Rows in these tables of the ring that ended so long ago, and the ring: table 6 is written since then, the others were
/// left a moment after their row.
fn fill(session: &mut Client, rows: &[(i32, &str)]) {
    run(
        session,
        "INSERT INTO pgq.log_ring (current, since, left_at) VALUES (6, now(), array_fill(NULL::timestamptz, ARRAY[8]))",
    );
    for (table, age) in rows {
        run(
            session,
            &format!(
                "INSERT INTO pgq.job_log (job_id, entrypoint, priority, attempts, outcome, created, finished, slot)
                 VALUES (1000 + {table}, 'fetch', 0, 0, 'successful', now() - '{age}'::interval, now() - '{age}'::interval, {table});
                 UPDATE pgq.log_ring SET left_at[{table} + 1] = now() - '{age}'::interval + interval '1 s'"
            ),
        );
    }
}

/// The tables of the ring that have rows.
fn filled(session: &mut Client) -> Vec<i16> {
    column(session, "SELECT DISTINCT slot FROM pgq.job_log ORDER BY slot", &[])
}

fn until_filled(session: &mut Client, tables: &[i16]) {
    until_within(PATIENCE, "the log is what retention leaves of it", || (filled(session) == tables).then_some(()));
}

/// Waits until the database's worker has done something else.
fn until_worker_has_looked(session: &mut Client, database: &Database) {
    run(session, "SELECT pgq.enqueue('deferred', delay => '50 ms')");
    let mut waiter = database.connect();
    assert!(value::<bool>(&mut waiter, "CALL pgq.wait('{deferred}', '10 s')", &[]));
    run(session, "DELETE FROM pgq.job WHERE entrypoint = 'deferred'");
}

/// In the real time of three seconds: each row is looked at all the while it must be there, until the first has gone.
#[test]
fn a_row_of_the_log_is_there_for_the_retention_and_goes_soon_after() {
    let cluster = keeping("3s", "0");
    let mut session = cluster.database().connect();
    run(&mut session, "CREATE TABLE ended (job_id bigint PRIMARY KEY, finished timestamptz)");
    let noted = "INSERT INTO ended SELECT job_id, finished FROM pgq.job_log ON CONFLICT DO NOTHING";
    // The clock is read after the log.
    let young = "SELECT count(*) FROM ended AS e LEFT JOIN pgq.job_log AS l USING (job_id)
                  WHERE l.job_id IS NULL AND e.finished > clock_timestamp() - interval '3 s'";
    let first_is_there = "SELECT EXISTS (SELECT FROM pgq.job_log WHERE job_id = 1)";
    let age = until_within(PATIENCE, "the first row goes", || {
        end_one(&mut session);
        run(&mut session, noted);
        assert_eq!(value::<i64>(&mut session, young, &[]), 0, "a young row has gone");
        let age = "SELECT extract(epoch FROM clock_timestamp() - finished)::float8 FROM ended WHERE job_id = 1";
        (!value::<bool>(&mut session, first_is_there, &[])).then(|| value::<f64>(&mut session, age, &[]))
    });
    // A seventh, at least a second, and what a busy machine adds.
    assert!(age < 8.0, "the first row has gone after {age} s");
    assert!(value::<i64>(&mut session, "SELECT count(*) FROM ended", &[]) > 10);
}

/// Old rows go once what is in the way has ended; until then nobody who ends a job waits, nobody who reads waits for long,
/// and the server's log says nothing.
fn is_in_the_way(opens: &str, closes: &str) {
    let cluster = keeping("0", "0");
    let database = cluster.database();
    let (mut session, mut other) = (database.connect(), database.connect());
    until_worker_has_looked(&mut session, &database);
    fill(&mut session, &[(2, "3 days"), (4, "2 days"), (5, "1 min")]);
    run(&mut other, opens);
    set(&mut session, "pgqueuer.log_retention", "1d");
    // Each try in vain is a transaction that is rolled back, and nobody else rolls back here.
    let tries = "SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()";
    let before: i64 = value(&mut session, tries, &[]);
    // Any statement that waits for a lock for more than a moment is an error.
    run(&mut session, "SET lock_timeout = '500 ms'");
    until_within(PATIENCE, "the TRUNCATE is tried and does not come about", || {
        end_one(&mut session);
        let status = "SELECT status::text FROM pgq.status('{1002}')";
        assert_eq!(value::<String>(&mut session, status, &[]), "successful");
        (value::<i64>(&mut session, tries, &[]) >= before + 2).then_some(())
    });
    assert_eq!(filled(&mut session), [2, 4, 5, 6]);
    run(&mut other, closes);
    until_filled(&mut session, &[5, 6]);
    let log = cluster.log();
    assert!(!log.contains("job_log") && !log.contains("could not do"), "{log}");
}

#[test]
fn a_reader_of_the_log_delays_its_retention_and_nobody_else() {
    is_in_the_way("BEGIN; SELECT count(*) FROM pgq.job_log", "COMMIT");
}

#[test]
fn a_prepared_transaction_that_wrote_the_log_delays_its_retention_and_nobody_else() {
    let writes = "INSERT INTO pgq.job_log (job_id, entrypoint, priority, attempts, outcome, created, finished, slot)
                  VALUES (2, 'fetch', 0, 0, 'successful', now(), now(), 2)";
    is_in_the_way(&format!("BEGIN; {writes}; PREPARE TRANSACTION 'slow'"), "COMMIT PREPARED 'slow'");
}

#[test]
fn while_a_table_of_the_log_is_locked_jobs_end() {
    let cluster = keeping("7d", "0");
    let database = cluster.database();
    let (mut session, mut other) = (database.connect(), database.connect());
    let ids = enqueue(&mut session, "fetch", 7);
    assert_eq!(dequeue(&mut session, "fetch", 7), ids);
    run(
        &mut other,
        "BEGIN; TRUNCATE pgq.job_log_1, pgq.job_log_2, pgq.job_log_3, pgq.job_log_4, pgq.job_log_5, pgq.job_log_6, pgq.job_log_7",
    );
    // A session that has no plan yet, and one that has.
    for session in [&mut database.connect(), &mut session] {
        run(session, "SET lock_timeout = '1 ms'");
        run(session, "SELECT pgq.cancel(ARRAY(SELECT pgq.enqueue('fetch'))), pgq.clear()");
    }
    assert_eq!(complete(&mut session, &ids[..2]), ids[..2]);
    run(&mut session, "SELECT pgq.fail(3), pgq.finish('{4}', '{failed}'), pgq.retry(5)");
    assert_eq!(complete(&mut session, &ids), ids[5..]);
    run(&mut other, "ROLLBACK");
}

#[test]
fn what_a_server_missed_while_it_was_down_goes_at_once() {
    let cluster = keeping("1d", "0");
    let database = cluster.database();
    let mut session = database.connect();
    fill(&mut session, &[(7, "9 days"), (0, "3 days"), (1, "25 hours"), (2, "23 hours"), (5, "1 hour"), (6, "1 min")]);
    for how in [Stop::Fast, Stop::Immediate] {
        cluster.stop(how);
        cluster.begin();
    }
    let mut session = database.connect();
    assert_eq!(dequeue(&mut session, "fetch", 1), [0; 0]);
    until_filled(&mut session, &[2, 5, 6]);
}

#[test]
fn a_setting_that_is_changed_counts_at_once_and_nothing_goes_while_it_is_0() {
    let cluster = keeping("0", "0");
    let database = cluster.database();
    let mut session = database.connect();
    fill(&mut session, &[(0, "10 years"), (1, "3 days"), (2, "3 hours"), (6, "1 min")]);
    until_worker_has_looked(&mut session, &database);
    assert_eq!(filled(&mut session), [0, 1, 2, 6]);
    set(&mut session, "pgqueuer.log_retention", "7d");
    until_filled(&mut session, &[1, 2, 6]);
    // An unlogged table is emptied as well.
    run(&mut session, "SELECT pgq.set_durability('volatile')");
    set(&mut session, "pgqueuer.log_retention", "1d");
    until_filled(&mut session, &[2, 6]);
    set(&mut session, "pgqueuer.log_retention", "30d");
    until_worker_has_looked(&mut session, &database);
    set(&mut session, "pgqueuer.log_retention", "2h");
    until_filled(&mut session, &[6]);
}

/// As after a restore of a dump that was made before the ring was written down.
#[test]
fn rows_of_which_nothing_is_known_are_kept_as_new_ones() {
    let cluster = keeping("0", "0");
    let database = cluster.database();
    let mut session = database.connect();
    fill(&mut session, &[(3, "9 days")]);
    run(&mut session, "DELETE FROM pgq.log_ring");
    let noted = "SELECT count(*) FROM pgq.log_ring WHERE current = 0 AND left_at[4] > now() - interval '1 min' AND left_at[3] IS NULL";
    set(&mut session, "pgqueuer.log_retention", "25h");
    until("the ring is written down anew", || (value::<i64>(&mut session, noted, &[]) == 1).then_some(()));
    assert_eq!(filled(&mut session), [3]);
}

/// Holds jobs as failed and returns their ids.
fn hold(session: &mut Client, count: i32) -> Vec<i64> {
    let ids = enqueue(session, "fetch", count);
    assert_eq!(dequeue(session, "fetch", count), ids);
    let sql = "SELECT pgq.finish($1, array_fill('failed'::text, ARRAY[$2::int]))";
    assert_eq!(value::<Vec<i64>>(session, sql, &[&ids, &count]), ids);
    ids
}

fn held(session: &mut Client) -> Vec<i64> {
    column(session, "SELECT id FROM pgq.jobs WHERE status = 'failed' ORDER BY id", &[])
}

#[test]
fn failed_jobs_are_held_for_as_long_as_the_setting_says() {
    let cluster = keeping("7d", "0");
    let database = cluster.database();
    let (mut session, mut other) = (database.connect(), database.connect());
    let old = hold(&mut session, 350);
    let when = "SELECT count(*) FROM pgq.jobs WHERE execute_after BETWEEN now() - interval '1 min' AND clock_timestamp() AND status = 'failed'";
    assert_eq!(value::<i64>(&mut session, when, &[]), 350, "a failed job says since when it is");
    until_worker_has_looked(&mut session, &database);
    assert_eq!(held(&mut session), old, "0: for ever");
    run(&mut session, "UPDATE pgq.job SET execute_after = execute_after - interval '2 days' WHERE held");
    let (requeued, young) = (old[7], hold(&mut session, 3));
    assert_eq!(value::<Vec<i64>>(&mut session, "SELECT pgq.requeue($1)", &[&vec![requeued]]), [requeued]);
    // One that somebody has locked is passed over.
    run(&mut other, &format!("BEGIN; SELECT FROM pgq.job WHERE id = {} FOR UPDATE", old[5]));
    set(&mut session, "pgqueuer.failed_retention", "1d");
    let left = [&old[5..6], &young].concat();
    until("the old ones are deleted", || (held(&mut session) == left).then_some(()));
    run(&mut other, "COMMIT");
    until("the last of them is deleted", || (held(&mut session) == young).then_some(()));
    assert_eq!(dequeue(&mut session, "fetch", 9), [requeued]);
    let log = "SELECT string_agg(outcome || ' ' || coalesce(error #>> '{}', '-'), ', ' ORDER BY finished) FROM pgq.job_log WHERE job_id = $1";
    let said = "failed -, deleted held as failed for longer than pgqueuer.failed_retention";
    assert_eq!(value::<String>(&mut session, log, &[&old[5]]), said);
    let status = "SELECT status || ' ' || attempts FROM pgq.status(ARRAY[$1::bigint])";
    assert_eq!(value::<String>(&mut session, status, &[&old[0]]), "deleted 1");
    set(&mut session, "pgqueuer.failed_retention", "1s");
    until("the young ones are deleted in their time", || held(&mut session).is_empty().then_some(()));
}

#[test]
fn a_job_is_held_for_the_retention_at_least_and_goes_when_it_is_over() {
    let cluster = keeping("7d", "2s");
    let mut session = cluster.database().connect();
    for _ in 0..2 {
        hold(&mut session, 1);
        until("the job is deleted", || held(&mut session).is_empty().then_some(()));
    }
    let ages = "SELECT extract(epoch FROM d.finished - f.finished)::float8 FROM pgq.job_log AS f JOIN pgq.job_log AS d USING (job_id)
                 WHERE f.outcome = 'failed' AND d.outcome = 'deleted'";
    let ages: Vec<f64> = column(&mut session, ages, &[]);
    assert_eq!(ages.len(), 2);
    assert!(ages.iter().all(|age| (2.0..4.0).contains(age)), "{ages:?}");
}
