//! `--drain`: until the queue is empty.

use crate::pgq::{bare, command, pgq};
use crate::working::{Working, drained, log};
use pgqueuer_e2e::ask::{enqueue, run, value};
use pgqueuer_e2e::cluster::database;
use pgqueuer_e2e::until::until;
use std::process::Command;

#[test]
fn an_empty_queue_is_drained_at_once() {
    let told = drained(&database(), "-e a", "true", 0).err();
    assert_eq!(told, "Working on a. Ctrl-C ends it.\n0 jobs done, 0 failed\n");
}

#[test]
fn the_exit_code_says_whether_a_job_failed_for_good() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('a', max_attempts => 2, backoff_initial => '50 ms')");
    enqueue(&mut session, "a", 2);
    // At the second attempt all goes well.
    let told = drained(&database, "-e a", "[ $PGQ_ATTEMPT = 2 ]", 0).err();
    assert!(told.ends_with("2 jobs done, 0 failed\n") && told.matches("failed after").count() == 2, "{told}");
    enqueue(&mut session, "a", 1);
    let told = drained(&database, "-e a", "false", 1).err();
    assert!(told.ends_with("0 jobs done, 1 failed\n"), "{told}");
    // What lies there as failed is no longer in the way.
    drained(&database, "-e a", "false", 0);
}

#[test]
fn jobs_that_come_later_and_that_ask_to_come_again_are_waited_for() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.enqueue('a', delay => '400 ms'), pgq.enqueue('a', 'again'), pgq.enqueue('other')");
    drained(&database, "-e a --retry-delay 300ms", "[ \"$(cat)$PGQ_ATTEMPT\" != again1 ] || exit 75", 0);
    let row = session.query_one("SELECT count(*) FROM pgq.job_log WHERE outcome = 'successful'", &[]).unwrap();
    assert_eq!(row.get::<_, i64>(0), 2);
}

#[test]
fn a_drain_can_be_stopped_in_good_order() {
    let database = database();
    let mut session = database.connect();
    let id: i64 = value(&mut session, "SELECT pgq.enqueue('a', delay => '1 hour')", &[]);
    let done: i64 = value(&mut session, "SELECT pgq.enqueue('a')", &[]);
    let worker = Working::start(&database, "-e a --drain", "true");
    until("the first is done", || log(&mut session, done).pop());
    assert!(worker.stop().ends_with("1 job done, 0 failed\n"));
    assert_eq!(crate::working::live(&mut session, id).unwrap().0, "queued");
}

#[test]
fn a_prefix_keeps_to_its_own() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.enqueue('shop/a', 'ours'), pgq.enqueue('a', 'theirs'), pgq.enqueue('b/a', 'theirs')");
    let mut shop = command(&database, &["--prefix", "shop/", "work", "--drain", "-v", "-e", "a", "--", "cat"]);
    let ran = crate::pgq::ran(&mut shop);
    assert!(ran.code == 0 && ran.out == "ours" && ran.err.contains("  a 1, attempt 1: done"), "{ran:?}");
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.jobs", &[]), 2);
}

#[test]
fn json_is_a_line_a_job_and_what_programs_write_is_aside() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('a', max_attempts => 1)");
    run(&mut session, "SELECT pgq.enqueue('a', code) FROM unnest('{0,1,65}'::text[]) AS code");
    let ran = pgq(
        &database,
        &["--json", "work", "--drain", "-e", "a", "--", "bash", "-c", "echo noise; printf 'ü\\033x' >&2; exit $(cat)"],
    );
    assert_eq!(ran.code, 1);
    let lines: Vec<serde_json::Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let outcomes: Vec<_> = lines.iter().map(|line| line["outcome"].as_str().unwrap()).collect();
    assert!(outcomes == ["done", "fail", "hold"] && ran.out.is_ascii(), "{ran:?}");
    assert_eq!((&lines[1]["id"], &lines[1]["attempt"], &lines[1]["entrypoint"]), (&2.into(), &1.into(), &"a".into()));
    assert!(lines[1]["error"].as_str().unwrap().starts_with("exit code 1: ü") && lines[0]["error"].is_null());
    assert!(ran.err.contains("noise") && !ran.out.contains("noise"));
}

#[test]
fn behind_pgbouncer_jobs_are_looked_for_by_the_clock() {
    let database = database();
    let mut session = database.connect();
    let worker = Working::start(&database, "-e a --no-listen", "true");
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pgq.listen%' AND datname = current_database() AND pid <> pg_backend_pid()";
    let id = enqueue(&mut session, "a", 1)[0];
    until("it is done", || log(&mut session, id).pop());
    assert_eq!(value::<i64>(&mut session, sessions, &[]), 0);
    worker.stop();
}

#[test]
fn at_a_terminal_there_is_a_bar() {
    let database = database();
    enqueue(&mut database.connect(), "a", 20);
    let pgq = env!("CARGO_BIN_EXE_pgq");
    let line = format!("stty cols 80; {pgq} work --drain -e a -- bash -c 'echo from $PGQ_ID; sleep 0.05'");
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &line, "/dev/null"]);
    for (name, value) in bare(&[]).get_envs() {
        terminal.env(name, value.unwrap_or_default());
    }
    let ran = crate::pgq::ran(terminal.env("PGQUEUER_DSN", database.address()).env("TERM", "xterm"));
    assert!(ran.code == 0 && ran.out.contains("/20  ") && ran.out.contains("done, 0 failed"), "{ran:?}");
    assert!((1..=20).all(|id| ran.out.contains(&format!("from {id}"))), "{ran:?}");
}

#[test]
fn a_role_that_may_work_and_no_more_is_enough() {
    let database = database();
    let mut session = database.connect();
    run(
        &mut session,
        "DO $$ BEGIN CREATE ROLE only_worker LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         SELECT pgq.grant_worker('only_worker'), pgq.enqueue('a'), pgq.configure('a', max_attempts => 1)",
    );
    let mut worker = command(&database, &["work", "--drain", "-e", "a", "--", "true"]);
    worker.env("PGQUEUER_DSN", database.address().replace("user=postgres", "user=only_worker"));
    crate::pgq::ran(&mut worker).ok();
    run(&mut session, "CREATE ROLE nobody_at_all LOGIN; GRANT USAGE ON SCHEMA pgq TO nobody_at_all");
    let mut refused = command(&database, &["work", "-e", "a", "--", "true"]);
    refused.env("PGQUEUER_DSN", database.address().replace("user=postgres", "user=nobody_at_all"));
    assert!(crate::pgq::ran(&mut refused).ends(1).contains("hint: Ask an administrator for the right: pgq grant"));
}
