//! A dump brings everything into another database: jobs (a picked one as queued), settings, the log, the ids.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{column, complete, dequeue, enqueue, run, value};
use pgqueuer_e2e::cluster::{Database, database, empty_database};
use pgqueuer_e2e::contents::dumped;
use pgqueuer_e2e::until::until;
use postgres::Client;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

/// One job in every state there is, one log row of every kind, settings, and names that need quoting.
fn fill(session: &mut Client) {
    run(
        session,
        "SELECT pgq.configure('fetch', concurrency_limit => 3, backoff_initial => '90 s', rate_period => '1 day')",
    );
    run(session, "SELECT pgq.pause('it''s \"quoted\" \\ Ü')");
    let ids = enqueue(session, "fetch", 9);
    assert_eq!(dequeue(session, "fetch", 3), ids[..3]);
    run(session, "SELECT pgq.complete(1), pgq.fail(2, E'tab\\t\\\\N'), pgq.retry(3, '1 hour', 'later')");
    assert_eq!(dequeue(session, "fetch", 2), ids[3..5]);
    run(session, "SELECT pgq.finish('{4,5}', '{failed,exception}', ARRAY['{\"code\": 1}', NULL]::jsonb[])");
    // From here on the log goes into another table of its ring, as after retention.
    run(session, "INSERT INTO pgq.log_ring (current, since, left_at) VALUES (3, now(), ARRAY[now(), NULL, now()])");
    run(session, "SELECT pgq.cancel('{6}'), pgq.delete('{7}')");
    run(session, "SELECT pgq.enqueue('it''s \"quoted\" \\ Ü', payload_bytes => '\\x00ff5c', priority => -3, dedupe_key => E'k\\n',
                                     headers => '{\"a\": [1, null]}', ordering_key => '', delay => '1 day')");
    run(session, "INSERT INTO pgq.jobs (entrypoint, created) VALUES ('old', '2001-01-01')");
    // Job 8 stays picked.
    assert_eq!(dequeue(session, "fetch", 1), ids[7..8]);
}

fn pipe(from: &mut std::process::Command, to: &mut std::process::Command) {
    let mut from = from.stdout(Stdio::piped()).spawn().unwrap();
    let output = to.stdin(from.stdout.take().unwrap()).output().unwrap();
    assert!(from.wait().unwrap().success());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn through_psql(from: &Database, to: &Database) {
    pipe(&mut from.program("pg_dump"), to.program("psql").args(["-XqAt", "-v", "ON_ERROR_STOP=1"]));
}

fn through_pg_restore(from: &Database, to: &Database) {
    pipe(from.program("pg_dump").arg("-Fc"), to.program("pg_restore").args(["--exit-on-error", "-d", &to.name]));
}

fn restored(by: fn(&Database, &Database)) -> (Client, Client) {
    let (from, to) = (database(), empty_database());
    let mut source = from.connect();
    fill(&mut source);
    by(&from, &to);
    (source, to.connect())
}

fn brings_everything(by: fn(&Database, &Database)) {
    let (mut source, mut target) = restored(by);
    let there = dumped(&mut source);
    assert!(there.len() > 15, "the source has something of everything: {there:#?}");
    assert_eq!(dumped(&mut target), there);
    let outcomes = "SELECT string_agg(DISTINCT outcome::text, ' ' ORDER BY outcome::text) FROM pgq.job_log";
    let all = "canceled deleted exception failed retried successful";
    assert_eq!(value::<String>(&mut target, outcomes, &[]), all);
}

#[test]
fn a_plain_dump_brings_everything() {
    brings_everything(through_psql);
}

#[test]
fn a_dump_in_custom_format_brings_everything() {
    brings_everything(through_pg_restore);
}

fn goes_on(by: fn(&Database, &Database)) {
    let (mut source, mut target) = restored(by);
    let states = "SELECT ARRAY[status::text, (worker IS NULL)::text] FROM pgq.jobs WHERE id = 8";
    assert_eq!(value::<Vec<String>>(&mut source, states, &[]), ["picked", "false"]);
    assert_eq!(value::<Vec<String>>(&mut target, states, &[]), ["queued", "true"]);
    assert_eq!(dequeue(&mut target, "fetch", 9), [8, 9]);
    assert!(value::<bool>(&mut target, "SELECT pgq.complete(8)", &[]));
    assert!(value::<bool>(&mut source, "SELECT pgq.complete(8)", &[]), "the two have nothing to do with each other");
    assert_eq!(value::<Vec<i64>>(&mut target, "SELECT pgq.requeue('{4}')", &[]), [4]);
    let next = enqueue(&mut source, "fetch", 3);
    assert_eq!(enqueue(&mut target, "fetch", 3), next, "the sequence goes on where it was");
}

#[test]
fn the_queue_goes_on_after_a_plain_dump() {
    goes_on(through_psql);
}

#[test]
fn the_queue_goes_on_after_a_dump_in_custom_format() {
    goes_on(through_pg_restore);
}

#[test]
fn a_dump_of_the_data_alone_goes_into_a_database_that_has_the_extension() {
    let (from, to) = (database(), database());
    let mut source = from.connect();
    fill(&mut source);
    // Its own log stands elsewhere: what the dump says of the log counts.
    run(&mut to.connect(), "UPDATE pgq.log_ring SET current = 5, left_at = ARRAY[now(), now()]");
    pipe(from.program("pg_dump").arg("-a"), to.program("psql").args(["-XqAt", "-v", "ON_ERROR_STOP=1"]));
    assert_eq!(dumped(&mut to.connect()), dumped(&mut source));
}

#[test]
fn a_dump_under_load_has_each_job_once_as_a_row_or_in_the_log() {
    let (from, to) = (database(), empty_database());
    let ids = enqueue(&mut from.connect(), "fetch", 4000);
    let dumped = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            let mut worker = from.connect();
            let dumped = &dumped;
            scope.spawn(move || {
                let mut claimed = dequeue(&mut worker, "fetch", 3);
                while !claimed.is_empty() && !dumped.load(SeqCst) {
                    assert_eq!(complete(&mut worker, &claimed), claimed);
                    claimed = dequeue(&mut worker, "fetch", 3);
                }
            });
        }
        until("the workers are busy", || {
            let ended: i64 = value(&mut from.connect(), "SELECT count(*) FROM pgq.job_log", &[]);
            (ended > 50).then_some(())
        });
        through_pg_restore(&from, &to);
        dumped.store(true, SeqCst);
    });
    let all = "SELECT id FROM (SELECT id FROM pgq.jobs UNION ALL SELECT job_id FROM pgq.job_log) AS j ORDER BY id";
    assert_eq!(column::<i64>(&mut to.connect(), all, &[]), ids);
}
