//! Logical replication of the queue's tables: a queue moves to another server in the steps of `docs/operating.md`, and what
//! that page calls unsafe is.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{column, complete, dequeue, enqueue, refused, run, value};
use pgqueuer_e2e::cluster::{Cluster, Database};
use pgqueuer_e2e::ticks::{beats, each_second_catching_up, faults, server_now, ticks, until_more};
use pgqueuer_e2e::until::until;
use postgres::Client;
use std::path::Path;
use std::process::Command;

/// Two servers, each with a database; the first can be followed.
fn servers() -> (Cluster, Cluster) {
    let start = || Cluster::start(&[("wal_level", "logical")]);
    (start(), start())
}

/// The blocks of a chapter of the page, in their order.
fn blocks() -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operating.md");
    let page = std::fs::read_to_string(file).unwrap();
    let chapter = page.split("\n### Moving to another server\n").nth(1).unwrap().split("\n## ").next().unwrap();
    chapter.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// Runs a block, and returns what it says.
fn said(block: &str, old: &Database, new: &Database) -> String {
    let psql = old.program("psql");
    let programs = Path::new(psql.get_program()).parent().unwrap().display().to_string();
    let path = std::env::var("PATH").unwrap();
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", block]).env("PATH", format!("{programs}:{path}"));
    // A statement that fails is to end the block.
    shell.env("OLD", old.address()).env("NEW", new.address()).env("PSQLRC", "/dev/null");
    let ended = shell.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let wrong = text(&ended.stderr);
    assert!(ended.status.success() && !wrong.contains("ERROR"), "{block}\n{wrong}");
    text(&ended.stdout)
}

/// Runs a block again and again until its last line is 0.
fn until_zero(block: &str, old: &Database, new: &Database) {
    until(block, || (said(block, old, new).lines().last() == Some("0")).then_some(()));
}

const QUEUE: &str =
    "pgq.job, pgq.entrypoints, pgq.schedules, pgq.log_ring, pgq.job_log_0, pgq.job_log_1, pgq.job_log_2,
                     pgq.job_log_3, pgq.job_log_4, pgq.job_log_5, pgq.job_log_6, pgq.job_log_7";

/// Lets the second follow the first, and waits until it has everything.
fn follow(old: &Database, new: &Database) {
    run(&mut old.connect(), &format!("CREATE PUBLICATION queue FOR TABLE {QUEUE}"));
    let mut session = new.connect();
    let address = old.address();
    run(&mut session, &format!("CREATE SUBSCRIPTION queue CONNECTION '{address}' PUBLICATION queue"));
    let missing = "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'";
    until("the copy is complete", || (value::<i64>(&mut session, missing, &[]) == 0).then_some(()));
}

fn until_there(new: &mut Client, sql: &str) {
    until(sql, || value::<bool>(new, sql, &[]).then_some(()));
}

/// What is to be the same on both, row by row.
fn contents(session: &mut Client) -> Vec<String> {
    let tables = ["job", "entrypoints", "schedules", "log_ring", "job_log"];
    let rows = |table: &&str| {
        let sql = format!("SELECT format('%s %s', '{table}', to_jsonb(t)) FROM pgq.{table} AS t ORDER BY 1");
        column::<String>(session, &sql, &[])
    };
    tables.iter().flat_map(rows).collect()
}

#[test]
fn a_queue_moves_to_another_server_in_the_steps_of_the_page() {
    let (first, second) = servers();
    let (old, new) = (first.database(), second.empty_database());
    let mut session = old.connect();
    run(
        &mut session,
        "SELECT pgq.configure('fetch', max_attempts => 1); SELECT pgq.pause('idle');
         SELECT pgq.enqueue('key', ordering_key => 'account 7') FROM generate_series(1, 3);
         SELECT pgq.enqueue('later', 'payload', delay => '1 day', dedupe_key => 'k', headers => '{\"a\": 1}')",
    );
    each_second_catching_up(&mut session, "beat", "all");
    let ids = enqueue(&mut session, "fetch", 20);
    let work = |session: &mut Client, count: i32| {
        let claimed = dequeue(session, "fetch", count);
        run(session, &format!("SELECT pgq.fail({}, 'no such host')", claimed[0]));
        assert_eq!(complete(session, &claimed[1..]).len(), claimed.len() - 1);
    };
    work(&mut session, 4);

    let steps = blocks();
    assert_eq!(steps.len(), 6, "the steps were found: {steps:#?}");
    said(&steps[0], &old, &new);
    let copy = said(&steps[1], &old, &new);
    assert!(copy.lines().last().is_some_and(|count| count.parse::<i64>().is_ok()), "{copy}");
    let look = steps[1].lines().last().unwrap();
    until_zero(look, &old, &new);

    // It follows while the old one works.
    work(&mut session, 5);
    until_more(&mut session, "beat", 2);
    run(&mut session, "TRUNCATE pgq.job_log_0");
    work(&mut session, 3);
    let claimed = dequeue(&mut session, "fetch", 1);
    assert_eq!(said(&steps[2], &old, &new).lines().last(), Some("1"));
    assert_eq!(complete(&mut session, &claimed), claimed);
    until_zero(&steps[2], &old, &new);
    let silent =
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'pgqueuer worker' AND datname = current_database()";
    until("the old one ticks no more", || (value::<i64>(&mut session, silent, &[]) == 0).then_some(()));
    until_zero(&steps[3], &old, &new);
    let last = beats(&mut session, "beat");
    let mut other = new.connect();
    assert_eq!(contents(&mut other), contents(&mut session));
    assert!(!value::<bool>(&mut other, "SELECT pgq.is_armed()", &[]));

    said(&steps[4], &old, &new);
    let arming = server_now(&mut other);
    said(&steps[5], &old, &new);
    assert!(value::<bool>(&mut other, "SELECT pgq.is_armed()", &[]));
    let next = value::<i64>(&mut session, "SELECT last_value + 1 FROM pgq.job_id_seq", &[]);
    until_more(&mut other, "beat", 3);
    let all = beats(&mut other, "beat");
    assert_eq!(all[..last.len()], last, "those of the old one, each once");
    assert!(all[last.len()] >= arming && faults(&all[last.len()..]).is_empty(), "{all:?}, armed at {arming}");
    assert_eq!(ticks(&mut other, "beat")[last.len()].job, next, "ids go on");
    assert_eq!(beats(&mut session, "beat"), last, "the old one is silent");
    assert_eq!(dequeue(&mut other, "key", 9).len(), 1);
    assert_eq!(dequeue(&mut other, "fetch", 99), ids[13..]);
    assert_eq!(complete(&mut other, &ids[13..]), ids[13..]);
    let twice = refused(other.simple_query("SELECT pgq.enqueue('other', dedupe_key => 'k')"));
    assert_eq!(twice.code().code(), "23505");
}

#[test]
fn a_claim_is_unknown_to_the_other_server_and_replicated_jobs_wake_there() {
    let (first, second) = servers();
    let (old, new) = (first.database(), second.database());
    follow(&old, &new);
    let (mut there, mut here) = (old.connect(), new.connect());
    let ids = enqueue(&mut there, "fetch", 1);
    let mut waiter = new.connect();
    run(&mut waiter, "CALL pgq.wait('{fetch}', '20 s')");
    assert_eq!(dequeue(&mut there, "fetch", 1), ids);
    assert_eq!(dequeue(&mut here, "fetch", 1), ids, "both hand it out");
    assert_eq!(complete(&mut here, &ids), ids);
    assert_eq!(complete(&mut there, &ids), ids, "and it is done twice");
    until_there(&mut here, "SELECT count(*) = 2 FROM pgq.job_log");
}

#[test]
fn who_enqueues_on_the_subscriber_stops_the_replication_until_the_row_is_gone() {
    let (first, second) = servers();
    let (old, new) = (first.database(), second.database());
    follow(&old, &new);
    let (mut there, mut here) = (old.connect(), new.connect());
    assert_eq!(enqueue(&mut here, "mistake", 1), [1]);
    assert_eq!(enqueue(&mut there, "fetch", 2), [1, 2]);
    // 18 has a word of its own for it.
    let words = ["duplicate key value", "conflict=insert_exists"];
    until("it has stopped", || words.iter().any(|word| second.log().contains(word)).then_some(()));
    run(&mut here, "SELECT pgq.clear('{mistake}')");
    until_there(&mut here, "SELECT count(*) = 2 FROM pgq.job WHERE entrypoint = 'fetch'");
}

#[test]
fn schedules_do_not_tick_on_the_subscriber() {
    let (first, second) = servers();
    let (old, new) = (first.database(), second.database());
    each_second_catching_up(&mut old.connect(), "beat", "all");
    follow(&old, &new);
    let mut here = new.connect();
    assert!(!value::<bool>(&mut here, "SELECT pgq.is_armed()", &[]));
    let before = beats(&mut here, "beat").len();
    until("the publisher's ticks come", || (beats(&mut here, "beat").len() >= before + 3).then_some(()));
    assert_eq!(faults(&beats(&mut here, "beat")), [""; 0], "each once");
}

#[test]
fn a_published_queue_stays_logged_and_its_log_is_left_out_where_it_is_not() {
    let (first, second) = servers();
    let (old, new) = (first.database(), second.database());
    let mut there = old.connect();
    run(&mut there, "SELECT pgq.set_durability('balanced')");
    let error = refused(there.simple_query("CREATE PUBLICATION all_of_it FOR TABLE pgq.job_log_0"));
    assert!(error.message().contains("cannot"), "{error:?}");
    run(&mut there, "CREATE PUBLICATION queue FOR TABLE pgq.job");
    let error = refused(there.simple_query("SELECT pgq.set_durability('volatile')"));
    assert!(error.message().contains("part of a publication"), "{error:?}");
    run(&mut there, "CREATE PUBLICATION everything FOR ALL TABLES");
    run(&mut there, "SELECT pgq.arm()");
    let ids = enqueue(&mut there, "mail", 2);
    assert_eq!(dequeue(&mut there, "mail", 2), ids);
    run(&mut there, &format!("SELECT pgq.complete({}), pgq.fail({})", ids[0], ids[1]));
    run(&mut there, "SELECT pgq.configure('mail', max_attempts => 2), pgq.clear()");
    run(&mut there, "DROP PUBLICATION everything");
    let mut here = new.connect();
    run(&mut here, &format!("CREATE SUBSCRIPTION queue CONNECTION '{}' PUBLICATION queue", old.address()));
    enqueue(&mut there, "fetch", 1);
    until_there(&mut here, "SELECT count(*) = 1 FROM pgq.job");
}

#[test]
fn for_reports_plain_tables_are_enough() {
    let (first, second) = servers();
    let (old, new) = (first.database(), second.empty_database());
    let (mut there, mut here) = (old.connect(), new.connect());
    run(
        &mut here,
        "CREATE SCHEMA pgq;
         CREATE TABLE pgq.job_log_0 (job_id bigint, entrypoint text, priority int, attempts int, worker uuid, outcome text,
             error jsonb, created timestamptz, picked timestamptz, finished timestamptz, producer text, slot smallint)",
    );
    run(&mut there, "CREATE PUBLICATION log FOR TABLE pgq.job_log_0");
    run(&mut here, &format!("CREATE SUBSCRIPTION log CONNECTION '{}' PUBLICATION log", old.address()));
    let ids = enqueue(&mut there, "fetch", 1);
    assert_eq!(dequeue(&mut there, "fetch", 1), ids);
    assert_eq!(complete(&mut there, &ids), ids);
    until_there(&mut here, "SELECT count(*) = 1 FROM pgq.job_log_0 WHERE outcome = 'successful'");
}
